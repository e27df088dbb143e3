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
	n, failed := orders.Newest(tables, func(p orders.Place) (int64, error) { return db.highest(ctx, p) })
	if n > 0 {
		stats[app.StatNewestOrder] = n
	}
	if err = errors.Join(err, failed); err != nil {
		c.log.Info("Newest order not read", "connector", string(Kind), "error", err)
	}
}

// highest returns the highest number at a place; 0 where there is none, or the
// table is another than its name says. What is asked for must be there: SQLite
// takes a column that is not for a text.
func (c *conn) highest(ctx context.Context, p orders.Place) (int64, error) {
	columns, err := c.column(ctx, `SELECT (pk > 0) || '|' || type || '|' || name FROM pragma_table_info(?, 'main')`, p.Table)
	if err != nil {
		return 0, err
	}
	var keys []string
	whole, typed := false, p.Type == ""
	for _, column := range columns {
		key, rest, _ := strings.Cut(column, "|")
		kind, name, _ := strings.Cut(rest, "|")
		typed = typed || strings.EqualFold(name, p.Type)
		if key == "1" {
			keys, whole = append(keys, name), strings.Contains(strings.ToUpper(kind), "INT")
		}
	}
	if len(keys) != 1 || !typed || !whole {
		return 0, nil
	}
	var n sql.NullInt64
	err = c.one(ctx, p.Query(quote, keys[0]), &n)
	return n.Int64, err
}
