package sqlite

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kvart/app"
)

var (
	_ app.Cataloguer = (*Connector)(nil)
	_ app.Catalogue  = (*catalogue)(nil)
)

// catalogue is a point whose tables are shelves. Of databases that are attached
// to the first, and of one under encryption, there are none.
type catalogue struct {
	db     *conn         // nil where there are no tables to see
	free   chan struct{} // full while db is used: it is one connection
	tables []*shelf
}

// Catalogue implements [app.Cataloguer].
func (c *Connector) Catalogue(ctx context.Context, from fs.FS, tmp string) (app.Catalogue, error) {
	const op = "sqlite: open catalogue"
	out := &catalogue{free: make(chan struct{}, 1)}
	base, err := mainFile(from, "")
	if err != nil {
		return nil, codeOf(ctx, op, "", err)
	}
	sealed, err := sealedIn(from, base)
	if err != nil {
		return nil, codeOf(ctx, op, base, fmt.Errorf("look at %s in the point: %w", base, err))
	}
	if sealed {
		return out, nil
	}
	file, _, err := unpack(ctx, from, filepath.Join(tmp, "shelves"))
	if err != nil {
		return nil, codeOf(ctx, op, base, err)
	}
	if out.db, err = open(ctx, file, readWrite); err != nil {
		return nil, codeOf(ctx, op, base, err)
	}
	if err := out.look(ctx); err != nil {
		return nil, closing(codeOf(ctx, op, base, err), out.Close)
	}
	return out, nil
}

// look finds the tables.
func (c *catalogue) look(ctx context.Context) error {
	names, err := c.db.tables(ctx, "main")
	if err != nil {
		return err
	}
	for _, name := range names {
		s, err := c.db.shelf(ctx, name)
		if err != nil {
			return err
		}
		c.tables = append(c.tables, s)
	}
	return nil
}

// use takes the connection; done lets it go.
func (c *catalogue) use(ctx context.Context) (done func(), err error) {
	select {
	case c.free <- struct{}{}:
		return func() { <-c.free }, nil
	case <-ctx.Done():
		return nil, &app.Error{Code: app.CodeCanceled, Op: "sqlite: browse", Err: ctx.Err()}
	}
}

// Close implements [app.Catalogue]. It may be called twice.
func (c *catalogue) Close() error {
	c.free <- struct{}{}
	defer func() { <-c.free }()
	if c.db == nil {
		return nil
	}
	db := c.db
	c.db, c.tables = nil, nil
	return db.Close()
}

// Shelves implements [app.Catalogue].
func (c *catalogue) Shelves(ctx context.Context) ([]app.Shelf, error) {
	done, err := c.use(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	out := make([]app.Shelf, 0, len(c.tables))
	for _, s := range c.tables {
		out = append(out, app.Shelf{Code: s.table, Count: s.count, Columns: s.columns, Path: path.Join(tablesDir, fileName(s.table))})
	}
	return out, nil
}

// Records implements [app.Catalogue].
func (c *catalogue) Records(ctx context.Context, name, text string, offset, limit int) (app.RecordsPage, error) {
	done, err := c.use(ctx)
	if err != nil {
		return app.RecordsPage{}, err
	}
	defer done()
	i := slices.IndexFunc(c.tables, func(s *shelf) bool { return s.table == name })
	if i < 0 {
		return app.RecordsPage{}, app.Errorf(app.CodePathUnknown, "sqlite: browse", "the point has no table %q", name).With("path", name)
	}
	s := c.tables[i]
	var page app.RecordsPage
	switch {
	case text == "":
		page, err = s.part(ctx, c.db, offset, limit)
	case s.rowid != "":
		page, err = s.found(ctx, c.db, text, offset, limit)
	default:
		page, err = s.sift(ctx, c.db, text, offset, limit)
	}
	return page, codeOf(ctx, "sqlite: browse", name, err)
}

// Record implements [app.Catalogue]: rows have no path.
func (c *catalogue) Record(_ context.Context, at string) (app.Record, []app.RecordField, error) {
	return app.Record{}, nil, app.Errorf(app.CodePathUnknown, "sqlite: browse", "rows have no paths: %q", at).With("path", at)
}

// shelf looks at a table.
func (c *conn) shelf(ctx context.Context, table string) (*shelf, error) {
	s := &shelf{table: table}
	var err error
	if s.columns, err = c.stored(ctx, "main", table); err != nil {
		return nil, fmt.Errorf("read columns of %s: %w", table, err)
	}
	var without bool
	row := c.QueryRowContext(ctx, `SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?`, table)
	if err := row.Scan(&without); err != nil {
		return nil, fmt.Errorf("read table %s: %w", table, err)
	}
	for _, name := range []string{"rowid", "_rowid_", "oid"} {
		if !without && s.rowid == "" && !slices.ContainsFunc(s.columns, func(col string) bool { return strings.EqualFold(col, name) }) {
			s.rowid = name
		}
	}
	// A table that can't be counted is shown all the same: reading it says what
	// is wrong.
	if s.count, err = c.rows(ctx, "main", table); err != nil {
		if !damaged(err) {
			return nil, fmt.Errorf("count rows of %s: %w", table, err)
		}
		s.count = -1
	}
	s.title, s.under = s.telling()
	return s, nil
}
