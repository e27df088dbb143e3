package mysql

import (
	"context"
	"errors"
	"strings"

	"kvart/connectors/internal/orders"
)

// newestOrder returns the newest order's number, 0 where no table is known to
// hold orders. It is asked before the dump begins: what comes in meanwhile is in
// the point and not counted, never the other way round. A table that somebody
// has locked is not waited for.
func (c *Connector) newestOrder(ctx context.Context, s *session, v survey) int64 {
	n, err := orders.Newest(v.stored(false), func(p orders.Place) (int64, error) {
		return s.atOnce(ctx, func() (int64, error) { return s.highest(ctx, p) })
	})
	if err != nil {
		c.log.Info("Newest order not read", "connector", string(Kind), "error", err)
	}
	return n
}

// atOnce asks something, and waits for no lock longer than a second.
func (s *session) atOnce(ctx context.Context, ask func() (int64, error)) (int64, error) {
	if err := s.exec(ctx, "SET SESSION lock_wait_timeout = 1"); err != nil {
		return 0, err
	}
	n, err := ask()
	return n, errors.Join(err, s.exec(ctx, "SET SESSION lock_wait_timeout = "+lockPatience))
}

// highest returns the highest number at a place; 0 where there is none, or the
// table is another than its name says.
func (s *session) highest(ctx context.Context, p orders.Place) (int64, error) {
	columns, err := s.rows(ctx, `SELECT COLUMN_NAME AS name, DATA_TYPE AS kind, COLUMN_KEY AS role FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?`, s.cfg.database, p.Table)
	if err != nil {
		return 0, err
	}
	var keys []row
	typed := p.Type == ""
	for _, col := range columns {
		if col.str("role") == "PRI" {
			keys = append(keys, col)
		}
		typed = typed || col.str("name") == p.Type
	}
	if len(keys) != 1 || !typed || !strings.Contains(strings.ToLower(keys[0].str("kind")), "int") {
		return 0, nil
	}
	rows, err := s.rows(ctx, p.Query(quote, keys[0].str("name")))
	if err != nil || len(rows) != 1 {
		return 0, err
	}
	for column := range rows[0].values {
		return rows[0].int(column), nil
	}
	return 0, nil
}
