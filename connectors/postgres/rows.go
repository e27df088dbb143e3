package postgres

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
)

// endOfData ends the rows of a COPY. No row can look like it: a backslash in a
// value is written as two.
const endOfData = `\.`

// rowsTrailer ends a table's file and tells how many rows there are, so that a
// file that was cut off is never taken for a smaller table.
const rowsTrailer = "-- Kvart: rows: "

// objectsTrailer does the same for large objects.
const objectsTrailer = "-- Kvart: large objects: "

// pump is a reader of what is written meanwhile.
type pump struct {
	*io.PipeReader
	cancel context.CancelFunc
	work   sync.WaitGroup
	free   func() // of the snapshot's connection
	once   sync.Once
}

// pumped starts fill, which writes to w and whose error the reader gets at the
// end. Closing the reader early ends fill.
func (cp *capture) pumped(ctx context.Context, name string, fill func(ctx context.Context, w *counter) error) (io.ReadCloser, error) {
	const op = "postgres: read"
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(ctx)
	p := &pump{PipeReader: r, cancel: cancel}
	if err := cp.s.enter(ctx, p); err != nil {
		cancel()
		return nil, cp.s.codeOf(ctx, op, err)
	}
	p.work.Go(func() {
		defer context.AfterFunc(ctx, func() { w.CloseWithError(context.Canceled) })()
		buf := bufio.NewWriterSize(w, 256<<10)
		count := &counter{w: buf}
		err := fill(ctx, count)
		if err == nil {
			err = buf.Flush()
		}
		cp.size(name, count.bytes)
		w.CloseWithError(cp.s.codeOf(ctx, op, err)) // nil is io.EOF
	})
	return p, nil
}

// Close ends the reading and waits for it.
func (p *pump) Close() error {
	p.once.Do(func() {
		p.cancel()
		_ = p.PipeReader.Close() // it never fails
		p.work.Wait()
		p.free()
	})
	return nil
}

// counter counts what is written.
type counter struct {
	w     io.Writer
	bytes int64
	lines int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.bytes += int64(n)
	c.lines += int64(bytes.Count(b[:n], []byte("\n")))
	return n, err
}

// openTable reads one table's rows in the snapshot. The server tells how many
// it sent, and that many lines must have come.
func (cp *capture) openTable(ctx context.Context, t table) (io.ReadCloser, error) {
	return cp.pumped(ctx, t.file, func(ctx context.Context, w *counter) error {
		head := header("rows of "+t.sql()+inUTC, cp.s.encoding) + "COPY " + t.sql() + t.columnList() + " FROM stdin;\n"
		if _, err := io.WriteString(w, head); err != nil {
			return err
		}
		before := w.lines
		tag, err := cp.s.conn.PgConn().CopyTo(ctx, w, t.copyOut())
		if err != nil {
			return fmt.Errorf("read %s: %w", t.sql(), err)
		}
		if n := w.lines - before; n != tag.RowsAffected() {
			return fmt.Errorf("read %s: %d lines for %d rows", t.sql(), n, tag.RowsAffected())
		}
		if !t.extension {
			cp.count(t.key(), tag.RowsAffected())
		}
		_, err = fmt.Fprintf(w, "%s\n\n%s%d\n", endOfData, rowsTrailer, tag.RowsAffected())
		return err
	})
}

// objectPart is how much of a large object one statement holds.
const objectPart = 256 << 10

// openObjects writes the contents of the large objects; that they are there,
// whose they are and who may read them is in the schema.
func (cp *capture) openObjects(ctx context.Context) (io.ReadCloser, error) {
	return cp.pumped(ctx, fileObjects, func(ctx context.Context, w *counter) error {
		if _, err := io.WriteString(w, header("large objects", cp.s.encoding)); err != nil {
			return err
		}
		for _, oid := range cp.s.objects {
			if err := cp.writeObject(ctx, w, oid); err != nil {
				return fmt.Errorf("read large object %d: %w", oid, err)
			}
		}
		cp.count(statObjects, int64(len(cp.s.objects)))
		_, err := fmt.Fprintf(w, "\n%s%d\n", objectsTrailer, len(cp.s.objects))
		return err
	})
}

func (cp *capture) writeObject(ctx context.Context, w io.Writer, oid uint32) error {
	for offset := int64(0); ; offset += objectPart {
		part, err := one[string](ctx, cp.s.conn, fmt.Sprintf("SELECT pg_catalog.encode(pg_catalog.lo_get(%d, %d, %d), 'hex')", oid, offset, objectPart))
		if err != nil {
			return err
		}
		if part = strings.TrimSpace(part); part != "" {
			if _, err := fmt.Fprintf(w, "SELECT pg_catalog.lo_put(%d, %d, '\\x%s');\n", oid, offset, part); err != nil {
				return err
			}
		}
		if len(part) < 2*objectPart {
			return nil
		}
	}
}

// closing adds what went wrong in closing to err.
func closing(err error, fn func() error) error { return errors.Join(err, fn()) }
