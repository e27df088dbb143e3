package postgres

import (
	"context"
	"fmt"

	"kvart/app"
	"kvart/connectors/internal/orders"
)

// newestOrder adds the newest order's number to stats, as the snapshot has it.
// Only what can't fail is asked: a statement that does ends the snapshot.
func (s *snapshot) newestOrder(ctx context.Context, stats app.Stats) error {
	var names []string
	for _, t := range s.tables {
		if t.schema == "public" {
			names = append(names, t.name)
		}
	}
	for _, p := range orders.Find(names) {
		if p.Column != "" {
			continue // of programs that keep to MySQL and MariaDB
		}
		var key *string
		err := s.conn.QueryRow(ctx, `SELECT max(a.attname::text) FROM pg_catalog.pg_index i
			JOIN pg_catalog.pg_class c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
			JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
			WHERE n.nspname = 'public' AND c.relname = $1 AND c.relkind = 'r' AND i.indisprimary AND i.indnatts = 1
			AND a.atttypid = ANY (ARRAY[20, 21, 23]::oid[])`, p.Table).Scan(&key) // bigint, smallint, integer
		if err != nil {
			return fmt.Errorf("find orders: %w", err)
		}
		if key == nil {
			continue
		}
		var n *int64
		if err := s.conn.QueryRow(ctx, p.QueryOf(ident("public")+"."+ident(p.Table), ident, *key)).Scan(&n); err != nil {
			return fmt.Errorf("find newest order: %w", err)
		}
		if n != nil && *n > 0 {
			stats[app.StatNewestOrder] = *n
		}
	}
	return nil
}
