package postgres

import (
	"context"
	"fmt"

	"kvart/app"
	"kvart/connectors/internal/orders"
)

// newestOrder adds the newest order's number to stats, as the snapshot has it.
// Where it can't be read, nothing is said: a point is worth more than the number.
func (s *snapshot) newestOrder(ctx context.Context, stats app.Stats) error {
	var names []string
	for _, t := range s.tables {
		if t.schema == "public" {
			names = append(names, t.name)
		}
	}
	var lost error
	n, _ := orders.Newest(names, func(p orders.Place) (n int64, _ error) {
		if p.Type != "" || lost != nil {
			return 0, nil // of a program that keeps to MySQL and MariaDB
		}
		lost = s.spare(ctx, "read newest order", p.Table, func() (err error) {
			n, err = s.highest(ctx, p)
			return err
		})
		return n, nil
	})
	if n > 0 {
		stats[app.StatNewestOrder] = n
	}
	return lost
}

// highest returns the highest number at a place, 0 where there is none.
func (s *snapshot) highest(ctx context.Context, p orders.Place) (int64, error) {
	var key *string
	err := s.conn.QueryRow(ctx, `SELECT max(a.attname::text) FROM pg_catalog.pg_index i
		JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
		JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
		WHERE n.nspname = 'public' AND c.relname = $1 AND c.relkind = 'r' AND i.indisprimary AND i.indnatts = 1
		AND a.atttypid = ANY (ARRAY[20, 21, 23]::oid[])`, p.Table).Scan(&key) // bigint, smallint, integer
	if err != nil {
		return 0, fmt.Errorf("find orders: %w", err)
	}
	if key == nil {
		return 0, nil
	}
	var n *int64
	if err := s.conn.QueryRow(ctx, p.QueryOf(ident("public")+"."+ident(p.Table), ident, *key)).Scan(&n); err != nil {
		return 0, fmt.Errorf("find newest order: %w", err)
	}
	if n == nil {
		return 0, nil
	}
	return *n, nil
}
