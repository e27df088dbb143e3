package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"
)

// How a database is opened.
const (
	readWrite = "mode=rw" // falls back to reading when the file can't be written
	create    = "mode=rwc"
	readOnly  = "mode=ro"
	// immutable takes no locks and touches no other file. Only for a database
	// nobody writes, or where a wrong answer does no harm.
	immutable = "mode=ro&immutable=1"
)

// conn is one connection to one database.
type conn struct {
	*sql.Conn
	db *sql.DB
}

// open opens a database with one connection. A busy database answers after a
// quarter of a second: waiting longer is for who can be canceled.
func open(ctx context.Context, file, mode string) (*conn, error) {
	db, err := sql.Open("sqlite3", dsn(file, mode+"&_busy_timeout=250"))
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db.SetMaxOpenConns(1)
	sc, err := db.Conn(ctx)
	if err != nil {
		return nil, closing(fmt.Errorf("open database: %w", err), db.Close)
	}
	return &conn{Conn: sc, db: db}, nil
}

// dsn spells path as SQLite's URI, whatever characters it holds.
func dsn(file, query string) string {
	path := filepath.ToSlash(file)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/till.db
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query}).String()
}

// Close closes the connection and with it ends its transaction.
func (c *conn) Close() error { return closing(c.Conn.Close(), c.db.Close) }

// exec runs statements that answer nothing.
func (c *conn) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.ExecContext(ctx, query, args...)
	return err
}

// one reads a single row.
func (c *conn) one(ctx context.Context, query string, dest ...any) error {
	return c.QueryRowContext(ctx, query).Scan(dest...)
}

// driver calls fn with the driver's own connection.
func (c *conn) driver(fn func(*sqlite3.SQLiteConn) error) error {
	return c.Raw(func(dc any) error {
		sc, ok := dc.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("unexpected driver connection %T", dc)
		}
		return fn(sc)
	})
}

// column reads one column of text.
func (c *conn) column(ctx context.Context, query string, args ...any) (out []string, err error) {
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, rows.Close) }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// tables lists the tables that hold the owner's rows: not SQLite's own, no
// virtual ones and not the tables virtual ones are kept in.
func (c *conn) tables(ctx context.Context, schema string) ([]string, error) {
	return c.column(ctx, `SELECT name FROM pragma_table_list
		WHERE schema = ? AND type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`, schema)
}

// rows counts the rows of a table.
func (c *conn) rows(ctx context.Context, schema, table string) (n int64, err error) {
	err = c.one(ctx, `SELECT count(*) FROM `+quote(schema)+`.`+quote(table), &n)
	return n, err
}

// quote spells a name as SQL does.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// closing runs cleanups after err, in order, and returns everything that went
// wrong.
func closing(err error, cleanups ...func() error) error {
	for _, fn := range cleanups {
		if e := fn(); e != nil {
			if err == nil {
				err = e
			} else {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

// patiently repeats fn while the database is locked, for as long as a till may
// hold its lock.
func (c *Connector) patiently(ctx context.Context, fn func() error) error {
	for until := time.Now().Add(c.lockWait); ; {
		err := fn()
		if !locked(err) || time.Now().After(until) {
			return err
		}
		if err := nap(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

func nap(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
