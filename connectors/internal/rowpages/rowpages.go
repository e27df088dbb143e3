// Package rowpages shows tables that lie in a point as text, such as a dump's,
// page by page. A table's text is read once, bit by bit as it is asked for, and
// its rows kept in a temporary file in a form in which any of them is found at
// once. It knows no dump's form: a [Table] yields rows.
package rowpages

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// Rows are the rows of a table, in order.
type Rows interface {
	// Next returns the cells of the next row, [io.EOF] after the last. They are
	// valid until the next call.
	Next() ([]string, error)
	// Read is how many bytes of the table's file were read so far.
	Read() int64
	Close() error
}

// Table is one table of a point.
type Table struct {
	Name    string // unique within the point
	Columns []string
	Path    string // of its file in the point
	Size    int64  // of its file
	Open    func() (Rows, error)
}

// Catalogue shows tables as shelves.
type Catalogue struct {
	tmp    string
	tables []*pages
	free   chan struct{} // full while a table is used
}

var _ app.Catalogue = (*Catalogue)(nil)

// New returns a catalogue that keeps what it reads below the folder tmp.
func New(tmp string, tables []Table) *Catalogue {
	c := &Catalogue{tmp: tmp, free: make(chan struct{}, 1)}
	for _, t := range tables {
		title, under := telling(t.Columns)
		c.tables = append(c.tables, &pages{Table: t, free: volume.Free, slice: time.Second, title: title, under: under})
	}
	return c
}

func (c *Catalogue) use(ctx context.Context) (done func(), err error) {
	select {
	case c.free <- struct{}{}:
		return func() { <-c.free }, nil
	case <-ctx.Done():
		return nil, app.Errorf(app.CodeCanceled, "browse tables", "%w", ctx.Err())
	}
}

// Close implements [app.Catalogue]. It may be called twice.
func (c *Catalogue) Close() error {
	c.free <- struct{}{}
	defer func() { <-c.free }()
	var err error
	for _, t := range c.tables {
		err = errors.Join(err, t.close())
	}
	c.tables = nil
	return err
}

// Shelves implements [app.Catalogue]. Rows of a table that nobody looked at are
// not counted.
func (c *Catalogue) Shelves(ctx context.Context) ([]app.Shelf, error) {
	done, err := c.use(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	out := make([]app.Shelf, 0, len(c.tables))
	for _, t := range c.tables {
		count := int64(-1)
		if t.whole {
			count = t.count
		}
		out = append(out, app.Shelf{Code: t.Name, Count: count, Columns: t.Columns, Path: t.Path})
	}
	return out, nil
}

// Records implements [app.Catalogue].
func (c *Catalogue) Records(ctx context.Context, name, text string, offset, limit int) (app.RecordsPage, error) {
	done, err := c.use(ctx)
	if err != nil {
		return app.RecordsPage{}, err
	}
	defer done()
	i := slices.IndexFunc(c.tables, func(t *pages) bool { return t.Name == name })
	if i < 0 {
		return app.RecordsPage{}, app.Errorf(app.CodePathUnknown, "browse tables", "the point has no table %q", name).With("path", name)
	}
	page, err := c.tables[i].page(ctx, c.tmp, text, offset, limit)
	var known *app.Error
	switch {
	case err == nil || errors.As(err, &known):
		return page, err
	case ctx.Err() != nil:
		return page, app.Errorf(app.CodeCanceled, "browse tables", "%w", err)
	}
	return page, err
}

// Record implements [app.Catalogue]: rows have no paths.
func (c *Catalogue) Record(_ context.Context, at string) (app.Record, []app.RecordField, error) {
	return app.Record{}, nil, app.Errorf(app.CodePathUnknown, "browse tables", "rows have no paths: %q", at).With("path", at)
}

// garbled says that a table's text ends or breaks in the middle.
func garbled(path string, err error) error {
	var known *app.Error
	if errors.As(err, &known) {
		return fmt.Errorf("read %s in the point: %w", path, err)
	}
	return app.Errorf(app.CodeItemUnreadable, "browse tables", "read %s in the point: %w", path, err).With("path", path)
}
