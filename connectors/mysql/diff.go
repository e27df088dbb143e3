package mysql

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"kvart/app"
)

// Live implements [app.Differ]: a dump of the database, written into tmp.
func (c *Connector) Live(ctx context.Context, a app.Access, tmp string) (_ app.PointFS, err error) {
	const op = "mysql: read present state"
	one := *c
	one.Temp = tmp
	capture, err := one.Capture(ctx, a, "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, capture.Close()) }()
	dir := filepath.Join(tmp, "live")
	if err := os.MkdirAll(filepath.Join(dir, tablesDir), 0o700); err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	for item, err := range capture.Items {
		if err != nil {
			return nil, err
		}
		if item.Open == nil {
			continue // the folder, which is there
		}
		if err := save(ctx, item, filepath.Join(dir, filepath.FromSlash(item.Path))); err != nil && !item.Optional {
			return nil, fmt.Errorf("%s: %w", op, err)
		}
	}
	return livePoint{os.DirFS(dir)}, nil
}

// livePoint is a folder in tmp, which goes when tmp does.
type livePoint struct{ fs.FS }

func (livePoint) Close() error { return nil }

func save(ctx context.Context, item app.Item, to string) (err error) {
	src, err := item.Open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	if err := remove(to); err != nil {
		return err
	}
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	_, err = io.Copy(dst, src)
	return err
}

// Diff implements [app.Differ]: one change a table, with its rows counted. Rows
// are told apart by primary key; where there is none a row that changed counts
// as one removed and one added. Definitions are a change of their file.
func (c *Connector) Diff(ctx context.Context, before, after fs.FS, _ string) (changes []app.Change, err error) {
	const op = "mysql: compare"
	sides := [2]fs.FS{before, after}
	var all []string
	for _, side := range sides {
		j := job{op: op, from: side}
		if err := j.list(); err != nil {
			return nil, err
		}
		for _, f := range j.files {
			if f.path != fileDatabase && f.path != fileEnd {
				all = append(all, f.path)
			}
		}
	}
	slices.Sort(all)
	for _, path := range slices.Compact(all) {
		if err := ctx.Err(); err != nil {
			return nil, &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
		}
		ch, same, err := diffFile(ctx, sides, path)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", op, path, err)
		}
		if !same {
			changes = append(changes, ch)
		}
	}
	return changes, nil
}

func diffFile(ctx context.Context, sides [2]fs.FS, path string) (ch app.Change, same bool, err error) {
	ch = app.Change{Path: path, Kind: app.ChangeChanged}
	var sizes [2]int64
	var there [2]bool
	for i, side := range sides {
		fi, err := fs.Stat(side, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return ch, false, err
		}
		sizes[i], there[i] = fi.Size(), true
	}
	switch {
	case !there[0]:
		ch.Kind = app.ChangeAdded
	case !there[1]:
		ch.Kind = app.ChangeRemoved
	case sizes[0] == sizes[1]:
		same, err := sameBytes(sides[0], path, func() (io.ReadCloser, error) { return sides[1].Open(path) })
		if err != nil || same {
			return ch, same, err
		}
	}
	if tableName(path) == "" {
		ch.Before, ch.After = sizes[0], sizes[1]
		return ch, false, nil
	}
	var tables [2]rowSet
	for i, side := range sides {
		if there[i] {
			if tables[i], err = readRows(ctx, side, path); err != nil {
				return ch, false, err
			}
		}
	}
	tables[0].compare(tables[1], &ch)
	return ch, false, nil
}

// rowSet is a table's rows, as hashes.
type rowSet struct {
	rows  map[[16]byte]int      // rows without a key, or not to be told apart by it
	keyed map[[16]byte][16]byte // key → row
	n     int64
}

// primaryKey finds the columns of the primary key in a table's definition.
var primaryKey = regexp.MustCompile("(?m)^  PRIMARY KEY \\(((?:`(?:[^`]|``)*`(?:\\(\\d+\\))?(?: DESC)?,?)+)\\)")

// columnLine is a column in a table's definition.
var columnLine = regexp.MustCompile("(?m)^  (`(?:[^`]|``)*`) ")

// keyColumns returns where in a row the columns of the primary key are.
func keyColumns(create string) (at []int) {
	m := primaryKey.FindStringSubmatch(create)
	if m == nil {
		return nil
	}
	var columns []string
	for _, c := range columnLine.FindAllStringSubmatch(create, -1) {
		columns = append(columns, c[1])
	}
	for _, name := range regexp.MustCompile("`(?:[^`]|``)*`").FindAllString(m[1], -1) {
		i := slices.Index(columns, name)
		if i < 0 {
			return nil
		}
		at = append(at, i)
	}
	return at
}

func readRows(ctx context.Context, from fs.FS, path string) (set rowSet, err error) {
	set = rowSet{rows: map[[16]byte]int{}, keyed: map[[16]byte][16]byte{}}
	j := job{op: "mysql: compare", from: from, whole: true}
	in := &filesInTurn{ctx: ctx, j: j, p: silent{}, paths: []string{path}}
	defer func() { err = errors.Join(err, in.Close()) }()
	var create strings.Builder
	var key []int
	var making bool
	lex := newLexer(in)
	lex.onRow = func(row []byte) {
		if lex.listed {
			key = nil // the order of the definition is not the rows'
		}
		set.add(row, key)
	}
	for {
		t, err := lex.next()
		if errors.Is(err, io.EOF) {
			return set, nil
		}
		if err != nil {
			return set, err
		}
		if t.first {
			making = bytes.HasPrefix(t.head, []byte("CREATE TABLE"))
		}
		if making {
			create.Write(t.text)
			if t.last {
				key = keyColumns(create.String())
			}
		}
	}
}

func (s *rowSet) add(row []byte, key []int) {
	s.n++
	sum := short(row)
	if len(key) > 0 {
		values := fields(row)
		var k []byte
		for _, i := range key {
			if i < len(values) {
				k = append(append(k, values[i]...), 0)
			}
		}
		id := short(k)
		if _, taken := s.keyed[id]; !taken {
			s.keyed[id] = sum
			return
		}
	}
	s.rows[sum]++
}

func short(b []byte) [16]byte {
	sum := sha256.Sum256(b)
	return [16]byte(sum[:16])
}

// fields cuts a row of an INSERT at its commas.
func fields(row []byte) (out [][]byte) {
	from, depth := 0, 0
	var in byte
	for i := 0; i < len(row); i++ {
		ch := row[i]
		switch {
		case in != 0 && ch == '\\':
			i++
		case in != 0:
			if ch == in {
				in = 0
			}
		case ch == '\'' || ch == '"':
			in = ch
		case ch == '(':
			depth++
		case ch == ')':
			depth--
		case ch == ',' && depth == 0:
			out = append(out, row[from:i])
			from = i + 1
		}
	}
	return append(out, row[from:])
}

// compare tells how after differs.
func (s rowSet) compare(after rowSet, ch *app.Change) {
	ch.Before, ch.After = s.n, after.n
	for k, was := range s.keyed {
		if is, ok := after.keyed[k]; !ok {
			ch.Removed++
		} else if is != was {
			ch.Changed++
		}
	}
	for k := range after.keyed {
		if _, ok := s.keyed[k]; !ok {
			ch.Added++
		}
	}
	for row, n := range s.rows {
		ch.Removed += int64(max(n-after.rows[row], 0))
	}
	for row, n := range after.rows {
		ch.Added += int64(max(n-s.rows[row], 0))
	}
}

// silent is the progress of work nobody watches.
type silent struct{}

func (silent) Expect(int64, int64) {}
func (silent) Done(int64, int64)   {}
