package mysql

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

const (
	// mostHands is how many programs load a database at a time, where the
	// computer has as many processors.
	mostHands = 4
	// smallTables go into one program together up to this many bytes.
	smallTables = 16 << 20
	// longestDefinition is what is looked at of a table's file for its
	// definition; a longer one is loaded as it is.
	longestDefinition = 1 << 20
)

// rows loads what comes before the tables, and the tables: files of the point,
// by several programs. Tables that refer to each other go through one, in
// their order: the server may else wait for one of them while it is given the
// other. Of the rest those indexes that are no part of the rows' own order come
// after the rows: built at once they cost a fraction.
func (l *loader) rows(ctx context.Context, db string, j job, p app.Progress) error {
	head, err := l.header(j)
	if err != nil {
		return err
	}
	units, err := j.units()
	if err != nil {
		return err
	}
	if j.holds(fileSequences) {
		if err := l.unit(ctx, db, j, p, head, unit{paths: []string{fileSequences}}); err != nil {
			return err
		}
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(min(mostHands, runtime.GOMAXPROCS(0)))
	for _, u := range units {
		if ctx.Err() != nil {
			break
		}
		g.Go(func() error { return l.unit(ctx, db, j, p, head, u) })
	}
	return g.Wait()
}

// unit is what one program loads.
type unit struct {
	paths []string
	size  int64
	late  bool // indexes come after the rows
}

func (l *loader) unit(ctx context.Context, db string, j job, p app.Progress, head string, u unit) (err error) {
	files := &filesInTurn{ctx: ctx, j: j, p: p, edit: j.editor(db), late: u.late, paths: u.paths}
	defer func() { err = errors.Join(err, files.Close()) }()
	return l.run(ctx, db, io.MultiReader(strings.NewReader(head), files))
}

// units shares the tables out, the largest first.
func (j job) units() ([]unit, error) {
	related, err := j.related()
	if err != nil {
		return nil, err
	}
	var bound, small unit
	small.late = true
	var all []unit
	for _, f := range j.files {
		name := tableName(f.path)
		switch {
		case name == "":
		case related[name]:
			bound.paths, bound.size = append(bound.paths, f.path), bound.size+f.size
		case f.size >= smallTables/4:
			all = append(all, unit{[]string{f.path}, f.size, true})
		default:
			small.paths, small.size = append(small.paths, f.path), small.size+f.size
			if small.size >= smallTables {
				all = append(all, small)
				small = unit{late: true}
			}
		}
	}
	for _, u := range []unit{bound, small} {
		if len(u.paths) > 0 {
			all = append(all, u)
		}
	}
	slices.SortStableFunc(all, func(a, b unit) int { return cmp.Compare(b.size, a.size) })
	return all, nil
}

// spread looks at tables over several connections, each with a session of its
// own for do. A server that gives no more than one is asked over that.
func (s *session) spread(ctx context.Context, tables []string, do func(ctx context.Context, s *session, i int, table string) error) error {
	all := []*session{s}
	for len(all) < min(mostHands, runtime.GOMAXPROCS(0), len(tables)) {
		conn, err := s.db.Conn(ctx)
		if err != nil {
			break
		}
		defer func() { _ = conn.Close() }() // it goes back to the others
		one := *s
		one.conn = conn
		all = append(all, &one)
	}
	next := make(chan int, len(tables))
	for i := range tables {
		next <- i
	}
	close(next)
	g, ctx := errgroup.WithContext(ctx)
	for _, one := range all {
		g.Go(func() error {
			for i := range next {
				if err := do(ctx, one, i, tables[i]); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// foreignKey is one in any line of a definition.
var foreignKey = regexp.MustCompile("FOREIGN KEY \\([^()]*\\) REFERENCES (?:`(?:[^`]|``)*`\\.)?(`(?:[^`]|``)*`)")

// related finds the tables that refer to others, and those.
func (j job) related() (map[string]bool, error) {
	out := map[string]bool{}
	for _, f := range j.files {
		name := tableName(f.path)
		if name == "" {
			continue
		}
		r, err := j.from.Open(f.path)
		if err != nil {
			return nil, fmt.Errorf("open %s in the point: %w", f.path, err)
		}
		head, _, err := definitionIn(bufio.NewReaderSize(r, 64<<10))
		if err = errors.Join(err, r.Close()); err != nil {
			return nil, fmt.Errorf("read %s in the point: %w", f.path, err)
		}
		for _, m := range foreignKey.FindAllSubmatch(head, -1) {
			out[name], out[unquote(string(m[1]))] = true, true
		}
	}
	return out, nil
}

// definitionIn reads a table's file up to its rows. whole is false when the
// definition is too long to be looked at.
func definitionIn(in *bufio.Reader) (head []byte, whole bool, err error) {
	for {
		line, err := in.ReadSlice('\n')
		head = append(head, line...)
		switch {
		case bytes.HasPrefix(line, []byte(rowsFollow)) || errors.Is(err, io.EOF):
			return head, true, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return head, false, err
		case len(head) > longestDefinition:
			return head, false, nil
		}
	}
}

// indexesLast moves indexes from a table's definition to behind its rows.
func indexesLast(r io.Reader, table string) io.Reader {
	in := bufio.NewReaderSize(r, 1<<20)
	head, whole, err := definitionIn(in)
	if err != nil || !whole {
		return io.MultiReader(bytes.NewReader(head), failed{err}, in)
	}
	short, keys := withoutIndexes(string(head))
	if len(keys) == 0 {
		return io.MultiReader(bytes.NewReader(head), in)
	}
	add := "\nALTER TABLE " + quote(table) + " ADD " + strings.Join(keys, ", ADD ") + ";\n"
	return io.MultiReader(strings.NewReader(short), in, strings.NewReader(add))
}

// failed is a reader that hands on why another can't be read, or nothing.
type failed struct{ err error }

func (f failed) Read([]byte) (int, error) {
	if f.err == nil {
		return 0, io.EOF
	}
	return 0, f.err
}

var (
	plainKey  = regexp.MustCompile("^  KEY `(?:[^`]|``)*` \\(.*\\)[^()]*,?$")
	counting  = regexp.MustCompile("(?m)^  (`(?:[^`]|``)*`) .* AUTO_INCREMENT\\b")
	tableEnds = regexp.MustCompile(`(?m)^\) ENGINE=InnoDB\b.*$`)
)

// withoutIndexes takes the last plain indexes out of a definition, as long as
// they are its last lines: put back behind the rows, they come to stand where
// they were. A table without a key of its own for its rows, or that counts by
// another, keeps all; so does one whose history an ALTER TABLE would not leave
// alone.
func withoutIndexes(head string) (short string, keys []string) {
	at := tableEnds.FindStringIndex(head)
	if at == nil || strings.Contains(head[at[0]:], "SYSTEM VERSIONING") || strings.Contains(head[:at[0]], "\n  PERIOD FOR ") {
		return head, nil
	}
	start := strings.Index(head, "\nCREATE TABLE ")
	if start < 0 || start > at[0] || !strings.Contains(head[start:at[0]], "\n  PRIMARY KEY (") {
		return head, nil
	}
	for _, m := range counting.FindAllStringSubmatch(head[start:at[0]], -1) {
		if !strings.Contains(head[start:at[0]], "\n  PRIMARY KEY ("+m[1]) {
			return head, nil
		}
	}
	lines := strings.Split(strings.TrimSuffix(head[:at[0]], "\n"), "\n")
	first := len(lines)
	for plainKey.MatchString(lines[first-1]) {
		first--
	}
	if first == len(lines) || !strings.HasSuffix(lines[first-1], ",") {
		return head, nil
	}
	for _, line := range lines[first:] {
		keys = append(keys, strings.TrimSuffix(strings.TrimSpace(line), ","))
	}
	kept := strings.TrimSuffix(strings.Join(lines[:first], "\n"), ",")
	return kept + "\n" + head[at[0]:], keys
}
