package sqlite

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kvart/app"
)

// Live implements [app.Differ]: a capture of the database, written into tmp.
func (c *Connector) Live(ctx context.Context, a app.Access, tmp string) (live app.PointFS, err error) {
	const op = "sqlite: read present state"
	capture, err := c.Capture(ctx, a, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, capture.Close) }()
	dir := filepath.Join(tmp, "live")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	for item, err := range capture.Items {
		if err != nil {
			return nil, err
		}
		if item.Open == nil {
			continue // a folder, made with what is in it
		}
		to := filepath.Join(dir, filepath.FromSlash(item.Path))
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
		if err := save(ctx, item, to); err != nil {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
	}
	return livePoint{os.DirFS(dir)}, nil
}

// livePoint is a folder in tmp, which goes when tmp does, or a point as it is.
type livePoint struct{ fs.FS }

func (livePoint) Close() error { return nil }

func save(ctx context.Context, item app.Item, to string) (err error) {
	src, err := item.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, src.Close) }()
	if err := remove(to); err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, dst.Close) }()
	_, err = io.Copy(dst, src)
	return err
}

// Diff implements [app.Differ]: one change a table. Rows are told apart by
// primary key, or by row number where a table has none, and compared value by
// value. A table whose definition changed is a change even where no row is.
// Attached databases, and those under encryption, are compared as files.
func (c *Connector) Diff(ctx context.Context, before, after fs.FS, tmp string) (changes []app.Change, err error) {
	const op = "sqlite: compare"
	var files []string
	sealed := false
	for _, from := range []fs.FS{before, after} {
		base, err := mainFile(from, "")
		if err != nil {
			return nil, codeOf(ctx, op, tmp, err)
		}
		one, err := sealedIn(from, base)
		if err != nil {
			return nil, codeOf(ctx, op, tmp, err)
		}
		sealed = sealed || one
		inside, err := withIn(from)
		if err != nil {
			return nil, codeOf(ctx, op, tmp, err)
		}
		files = append(append(files, inside...), base)
	}
	slices.Sort(files)
	for _, name := range slices.Compact(files) {
		if !sealed && !strings.HasPrefix(name, withDir+"/") {
			continue // the database itself, compared by its tables
		}
		more, err := diffFiles(ctx, name, before, after)
		if err != nil {
			return nil, codeOf(ctx, op, tmp, err)
		}
		changes = append(changes, more...)
	}
	if !sealed {
		more, err := diffTables(ctx, before, after, tmp)
		if err != nil {
			return nil, codeOf(ctx, op, tmp, err)
		}
		changes = append(changes, more...)
	}
	slices.SortFunc(changes, func(a, b app.Change) int { return strings.Compare(a.Path, b.Path) })
	return changes, nil
}

func diffTables(ctx context.Context, before, after fs.FS, tmp string) (changes []app.Change, err error) {
	db, err := open(ctx, filepath.Join(tmp, "compare.db"), create)
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, db.Close) }()
	for side, from := range map[string]fs.FS{"before": before, "after": after} {
		file, _, err := unpack(ctx, from, filepath.Join(tmp, side))
		if err != nil {
			return nil, err
		}
		if err := db.exec(ctx, `ATTACH ? AS `+quote(side), dsn(file, readWrite)); err != nil {
			return nil, codeOf(ctx, "sqlite: compare", file, err)
		}
	}
	return (&differ{conn: db}).compare(ctx)
}

// differ compares the attached databases "before" and "after".
type differ struct{ *conn }

func (d *differ) compare(ctx context.Context) (changes []app.Change, err error) {
	before, err := d.tables(ctx, "before")
	if err != nil {
		return nil, err
	}
	after, err := d.tables(ctx, "after")
	if err != nil {
		return nil, err
	}
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(before, after))))
	for _, table := range all {
		ch := app.Change{Path: tablesDir + "/" + fileName(table), Kind: app.ChangeChanged}
		was, is := slices.Contains(before, table), slices.Contains(after, table)
		if was {
			if ch.Before, err = d.rows(ctx, "before", table); err != nil {
				return nil, fmt.Errorf("count %s before: %w", table, err)
			}
		}
		if is {
			if ch.After, err = d.rows(ctx, "after", table); err != nil {
				return nil, fmt.Errorf("count %s after: %w", table, err)
			}
		}
		switch {
		case !was:
			ch.Kind, ch.Added = app.ChangeAdded, ch.After
		case !is:
			ch.Kind, ch.Removed = app.ChangeRemoved, ch.Before
		default:
			same, err := d.table(ctx, table, &ch)
			if err != nil {
				return nil, fmt.Errorf("compare %s: %w", table, err)
			}
			if same {
				continue
			}
		}
		changes = append(changes, ch)
	}
	return changes, nil
}

// table counts the differences of a table that is on both sides.
func (d *differ) table(ctx context.Context, table string, ch *app.Change) (same bool, err error) {
	was, err := d.shape(ctx, "before", table)
	if err != nil {
		return false, err
	}
	is, err := d.shape(ctx, "after", table)
	if err != nil {
		return false, err
	}
	key := is.key
	if !slices.Equal(was.key, is.key) {
		// Nothing tells which row became which.
		ch.Added, ch.Removed = ch.After, ch.Before
		return false, nil
	}
	from := func(side string) string { return quote(side) + "." + quote(table) }
	match := joined(key, " AND ", func(k string) string { return "a." + k + " IS b." + k })
	onlyIn := func(this, other string) string {
		return `SELECT count(*) FROM ` + from(this) + ` a WHERE NOT EXISTS (SELECT 1 FROM ` + from(other) + ` b WHERE ` + match + `)`
	}
	if err := d.one(ctx, onlyIn("after", "before"), &ch.Added); err != nil {
		return false, err
	}
	if err := d.one(ctx, onlyIn("before", "after"), &ch.Removed); err != nil {
		return false, err
	}
	var common []string
	for _, name := range is.columns {
		if slices.Contains(was.columns, name) {
			common = append(common, quote(name))
		}
	}
	if len(common) > 0 {
		differs := joined(common, " OR ", func(n string) string {
			return "a." + n + " IS NOT b." + n + " COLLATE BINARY OR typeof(a." + n + ") <> typeof(b." + n + ")"
		})
		query := `SELECT count(*) FROM ` + from("after") + ` a JOIN ` + from("before") + ` b ON ` + match + ` WHERE ` + differs
		if err := d.one(ctx, query, &ch.Changed); err != nil {
			return false, err
		}
	}
	return ch.Added+ch.Removed+ch.Changed == 0 && was.sql == is.sql, nil
}

func joined(names []string, sep string, fn func(string) string) string {
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = fn(n)
	}
	return strings.Join(parts, sep)
}

// shape is what a table looks like.
type shape struct {
	sql     string
	columns []string
	key     []string // quoted
}

func (d *differ) shape(ctx context.Context, side, table string) (s shape, err error) {
	query := `SELECT sql FROM ` + quote(side) + `.sqlite_schema WHERE type = 'table' AND name = ?`
	if err := d.QueryRowContext(ctx, query, table).Scan(&s.sql); err != nil {
		return s, err
	}
	if s.columns, err = d.stored(ctx, side, table); err != nil {
		return s, err
	}
	s.key, err = d.column(ctx, `SELECT name FROM pragma_table_xinfo(?, ?) WHERE pk > 0 ORDER BY pk`, table, side)
	if err != nil {
		return s, err
	}
	for i := range s.key {
		s.key[i] = quote(s.key[i])
	}
	if len(s.key) == 0 {
		s.key = []string{rowNumber(s.columns)}
	}
	return s, nil
}

// rowNumber returns the name of the row number that no column has taken.
func rowNumber(columns []string) string {
	for _, name := range []string{"rowid", "_rowid_"} {
		if !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }) {
			return name
		}
	}
	return "oid"
}
