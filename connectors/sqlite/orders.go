package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/orders"
)

// newestOrder adds the newest order's number to stats, where a table is known to
// hold them and numbers them by its primary key: that costs one look at the end
// of it. Where that can't be read, nothing is said.
func (c *Connector) newestOrder(ctx context.Context, db *conn, stats app.Stats) {
	tables, err := db.tables(ctx, "main")
	for _, p := range orders.Find(tables) {
		var n int64
		if n, err = db.highest(ctx, p); err == nil && n > 0 {
			stats[app.StatNewestOrder] = n
			return
		}
	}
	if err != nil {
		c.log.Info("Newest order not read", "connector", string(Kind), "error", err)
	}
}

// highest returns the highest number at a place; 0 where there is none.
func (c *conn) highest(ctx context.Context, p orders.Place) (int64, error) {
	column := p.Column
	if column == "" {
		keys, err := c.column(ctx, `SELECT name || '|' || type FROM pragma_table_info(?, 'main') WHERE pk > 0`, p.Table)
		if err != nil || len(keys) != 1 {
			return 0, err
		}
		name, kind, _ := strings.Cut(keys[0], "|")
		if !strings.Contains(strings.ToUpper(kind), "INT") {
			return 0, nil
		}
		column = name
	}
	var n sql.NullInt64
	err := c.one(ctx, p.Query(quote, column), &n)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return n.Int64, err
}
