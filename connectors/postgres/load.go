package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// loader runs the files of a point in one session. It does what psql would,
// but takes no orders to psql, lets no connection that breaks look like an
// end, and goes on without the rights, roles and extensions that can't be had.
type loader struct {
	conn  *pgx.Conn
	from  fs.FS
	p     app.Progress
	whole bool             // everything is one transaction, which goes on after a part fails
	notes []string         // what could not be given back
	rows  map[string]int64 // by file
	step  func(string)
	// fresh reports whether a table holds nothing but what is being loaded; nil
	// when the database is not a new one.
	fresh func(copied) bool
}

const maxNotes = 200

// readInfo reads what a point says of its database.
func readInfo(from fs.FS) (about info, err error) {
	const op = "postgres: open point"
	raw, err := fs.ReadFile(from, fileInfo)
	if err != nil {
		return about, app.Errorf(app.CodePathUnknown, op, "find %s in the point: %w", fileInfo, err).With("path", fileInfo)
	}
	if err := json.Unmarshal(raw, &about); err != nil {
		return about, app.Errorf(app.CodeCheckFailed, op, "read %s: %w", fileInfo, err).With("path", fileInfo)
	}
	if about.Format > format || about.Encoding == "" {
		return about, app.Errorf(app.CodeCheckFailed, op, "%s is of format %d, known is %d", fileInfo, about.Format, format).With("path", fileInfo)
	}
	return about, nil
}

// file is one file of a point.
type file struct {
	name string
	size int64
}

// files lists the files a point is loaded from, in order. Those the point must
// have are looked for: one that lacks its tables is no small database.
func files(from fs.FS) (list []file, err error) {
	missing := map[string]bool{fileRoles: true, fileSchema: true, fileSequences: true, fileAfter: true, fileDatabase: true}
	tables := 0
	err = fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".sql" {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		delete(missing, name)
		if path.Dir(name) == dirData {
			tables++
		}
		list = append(list, file{name, fi.Size()})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the point: %w", err)
	}
	about, err := readInfo(from)
	if err != nil {
		return nil, err
	}
	if tables != about.Tables {
		missing[fmt.Sprintf("%d of %d tables", about.Tables-tables, about.Tables)] = true
	}
	for name := range missing {
		return nil, app.Errorf(app.CodePathUnknown, "postgres: open point", "%s is not in the point", name).With("path", name)
	}
	return list, nil
}

// load runs files one after the other.
func (l *loader) load(ctx context.Context, list []file) error {
	var bytes int64
	for _, f := range list {
		bytes += f.size
	}
	l.p.Expect(int64(len(list)), bytes)
	for _, f := range list {
		if err := l.file(ctx, f.name); err != nil {
			return fmt.Errorf("load %s: %w", f.name, err)
		}
		l.p.Done(1, 0)
		l.step("loaded " + f.name)
	}
	return nil
}

func (l *loader) file(ctx context.Context, name string) (err error) {
	f, err := l.from.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, f.Close) }()
	s := newScript(&counted{r: f, ctx: ctx, p: l.p})
	var rows, loaded int64
	for {
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if !s.rows {
			if err := l.run(ctx, text, name); err != nil {
				return fmt.Errorf("%.80q: %w", text, err)
			}
			continue
		}
		in, taken, err := l.copyIn(ctx, s, text, name)
		if err != nil {
			return err
		}
		rows, loaded = rows+in, loaded+taken
	}
	if path.Dir(name) != dirData {
		return ended(s.trailer, name)
	}
	if err := trailed(s.trailer, rows); err != nil {
		return err
	}
	if rows != loaded {
		return app.Errorf(app.CodeCheckFailed, "postgres: load", "%d of %d rows were taken", loaded, rows).With("path", name)
	}
	if l.rows != nil {
		l.rows[name] = rows
	}
	return nil
}

// copyIn loads the rows that follow a COPY, and returns how many there were and
// how many the server took.
func (l *loader) copyIn(ctx context.Context, s *script, text, name string) (rows, taken int64, err error) {
	in := s.copyRows()
	statement, settled, err := l.begin(ctx, text)
	if err != nil {
		return 0, 0, err
	}
	tag, err := l.conn.PgConn().CopyFrom(ctx, in, statement)
	if err != nil {
		return 0, 0, err
	}
	if in.err == nil || !errors.Is(in.err, io.EOF) {
		return 0, 0, fmt.Errorf("rows of %s: %w", name, io.ErrUnexpectedEOF)
	}
	if settled {
		err = commit(ctx, l.conn)
	}
	return in.lines, tag.RowsAffected(), err
}

// ended checks the end of a file that is no table's.
func ended(trailer, name string) error {
	want := ""
	switch name {
	case fileSchema, fileAfter:
		want = dumpTrailer
	case fileObjects:
		want = objectsTrailer
	}
	if !strings.HasPrefix(trailer, want) {
		return fmt.Errorf("no %q at its end: %w", want, io.ErrUnexpectedEOF)
	}
	return nil
}

// trailed checks the count that ends a table's file.
func trailed(trailer string, rows int64) error {
	word, ok := strings.CutPrefix(trailer, rowsTrailer)
	want, err := strconv.ParseInt(word, 10, 64)
	if !ok || err != nil {
		return fmt.Errorf("no count at its end: %w", io.ErrUnexpectedEOF)
	}
	if want != rows {
		return app.Errorf(app.CodeCheckFailed, "postgres: load", "%d rows, %d expected", rows, want)
	}
	return nil
}

// run runs one statement. One that the data can do without may fail for want
// of a right or of what it speaks of.
func (l *loader) run(ctx context.Context, text, name string) error {
	soft := dispensable(text, name)
	if !soft || !l.whole {
		err := perform(ctx, l.conn, text)
		if soft && wanting(err) {
			l.note(text, err)
			return nil
		}
		return err
	}
	if err := perform(ctx, l.conn, "SAVEPOINT kvart"); err != nil {
		return err
	}
	err := perform(ctx, l.conn, text)
	if err == nil {
		return perform(ctx, l.conn, "RELEASE SAVEPOINT kvart")
	}
	if !wanting(err) {
		return err
	}
	l.note(text, err)
	return perform(ctx, l.conn, "ROLLBACK TO SAVEPOINT kvart; RELEASE SAVEPOINT kvart")
}

func (l *loader) note(text string, err error) {
	if len(l.notes) < maxNotes {
		l.notes = append(l.notes, fmt.Sprintf("%.120s: %v", oneLine(text), err))
	}
}

// dispensable reports whether a statement gives no data and no structure: who
// owns what, who may what, and extensions, without which what needs them fails
// by itself. A policy that is missing lets nobody see more than before.
func dispensable(text, name string) bool {
	if name == fileRoles || name == fileDatabase {
		return true
	}
	switch {
	case strings.HasPrefix(text, "ALTER "):
		return strings.Contains(text, " OWNER TO ") || strings.HasPrefix(text, "ALTER DEFAULT PRIVILEGES ") || aside(text[len("ALTER "):])
	case strings.HasPrefix(text, "CREATE "):
		return strings.HasPrefix(text, "CREATE EXTENSION ") || strings.HasPrefix(text, "CREATE POLICY ") || aside(text[len("CREATE "):])
	}
	for _, prefix := range []string{"GRANT ", "REVOKE ", "SET ", "COMMENT ON EXTENSION ", "SECURITY LABEL "} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// aside reports whether a statement is about what only concerns other servers
// or needs a superuser without holding data.
func aside(text string) bool {
	for _, prefix := range []string{"PUBLICATION ", "SUBSCRIPTION ", "EVENT TRIGGER ", "USER MAPPING "} {
		if strings.HasPrefix(text, prefix) {
			return true
		}
	}
	return false
}

// wanting reports whether a statement failed for a right, a role, a setting or
// an extension that is not there, or for what is there already.
func wanting(err error) bool {
	switch sqlState(err) {
	case "42501", "42704", "42710", "0A000", "58P01", "0LP01", "22023", "55000":
		return true
	}
	return false
}

// counted reports what is read and stops when ctx ends.
type counted struct {
	r   io.Reader
	ctx context.Context
	p   app.Progress
}

func (c *counted) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(b)
	c.p.Done(0, int64(n))
	return n, err
}

// countRows reads a table's file to its end and counts its rows, without a
// server.
func countRows(ctx context.Context, from fs.FS, name string, p app.Progress) (n int64, err error) {
	f, err := from.Open(name)
	if err != nil {
		return 0, err
	}
	defer func() { err = closing(err, f.Close) }()
	s := newScript(&counted{r: f, ctx: ctx, p: p})
	for {
		_, err := s.next()
		if errors.Is(err, io.EOF) {
			if path.Dir(name) != dirData {
				return 0, ended(s.trailer, name)
			}
			return n, trailed(s.trailer, n)
		}
		if err != nil {
			return n, err
		}
		if s.rows {
			in := s.copyRows()
			if _, err := io.Copy(io.Discard, in); err != nil {
				return n, err
			}
			n += in.lines
		}
	}
}
