package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
)

// mostHands is how many connections load a database at a time, where the
// computer has as many processors.
const mostHands = 4

// quickly is for the sessions that load a database nobody uses yet: what they
// commit need not be on the disk at once, since the mark that is set last is,
// and everything before it.
const quickly = "SET synchronous_commit = off"

// How an index is sorted. One process does it sooner in little memory, which its
// processor's cache holds: twelve indexes of a shop's tables, two built at a time,
// took 0.70 of the time in 8 MB that they did in 256 MB (of few different texts
// 0.56, of numbers in their order 0.9), 0.74 in 16 MB, 0.76 in 4 MB and 0.92 in the
// server's own 64 MB, on a processor of 1 MB of cache for each core. Several processes are only sent where each may have 32 MB
// (plan_create_index_workers in PostgreSQL's planner).
const (
	sortAlone    = "SET max_parallel_maintenance_workers = 0; SET maintenance_work_mem = '8MB'"
	sortTogether = "SET max_parallel_maintenance_workers = DEFAULT; SET maintenance_work_mem = '256MB'"
)

// hands are loaders of one database, of which the first makes what is not
// spread over all.
type hands struct {
	*job
	all []*loader
}

// hire opens more connections for a loader. A server that gives no more is
// loaded with those it gave.
func (j *job) hire(ctx context.Context, name string, l *loader) (*hands, error) {
	h := &hands{job: j, all: []*loader{l}}
	if err := perform(ctx, l.conn, quickly); err != nil {
		return nil, err
	}
	for len(h.all) < min(mostHands, runtime.GOMAXPROCS(0)) {
		conn, err := j.connect(ctx, name)
		if err != nil {
			break
		}
		if err := perform(ctx, conn, quickly); err != nil {
			j.let(ctx, conn)
			break
		}
		h.all = append(h.all, &loader{conn: conn, from: l.from, p: l.p, rows: map[string]int64{}, step: l.step})
	}
	return h, ctx.Err()
}

// dismiss closes the connections that hire opened, and gives the first loader
// what the others found.
func (h *hands) dismiss(ctx context.Context) {
	first := h.all[0]
	for _, l := range h.all[1:] {
		maps.Copy(first.rows, l.rows)
		first.notes = append(first.notes, l.notes...)
		h.let(ctx, l.conn)
	}
	h.all = h.all[:1]
}

// each gives every piece of work to the hand that is free first. The first
// error ends the rest.
func each[H, T any](ctx context.Context, all []H, work []T, do func(context.Context, H, T) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	next := make(chan T, len(work))
	for _, w := range work {
		next <- w
	}
	close(next)
	var wait sync.WaitGroup
	for _, h := range all {
		wait.Go(func() {
			for w := range next {
				if ctx.Err() != nil {
					return
				}
				if err := do(ctx, h, w); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	wait.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// load runs the files of a point in a database that nobody uses: the tables'
// rows by all hands, the largest first; then the indexes, also by all.
func (h *hands) load(ctx context.Context, list []file) error {
	first := h.all[0]
	var bytes int64
	var rows []file
	for _, f := range list {
		bytes += f.size
		if path.Dir(f.name) == dirData {
			rows = append(rows, f)
		}
	}
	first.p.Expect(int64(len(list)), bytes)
	slices.SortStableFunc(rows, func(a, b file) int { return int(min(max(b.size-a.size, -1), 1)) })
	extensions, err := extensionTables(ctx, first.conn)
	if err != nil {
		return err
	}
	loaded := false
	for _, f := range list {
		var err error
		switch {
		case path.Dir(f.name) == dirData && loaded:
			continue
		case path.Dir(f.name) == dirData:
			// What extensions bring with them is there by now.
			if extensions, err = extensionTables(ctx, first.conn); err != nil {
				return err
			}
			loaded = true
			err = each(ctx, h.all, rows, func(ctx context.Context, l *loader, f file) error {
				l.fresh = func(c copied) bool { return !extensions[c] }
				return l.one(ctx, f.name, l.file)
			})
		case f.name == fileAfter:
			err = first.one(ctx, f.name, h.after)
		default:
			err = first.one(ctx, f.name, first.file)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// one runs a file and tells that it did.
func (l *loader) one(ctx context.Context, name string, run func(context.Context, string) error) error {
	if err := run(ctx, name); err != nil {
		return fmt.Errorf("load %s: %w", name, err)
	}
	l.p.Done(1, 0)
	l.step("loaded " + name)
	return nil
}

// extensionTables are those that may hold an extension's own rows.
func extensionTables(ctx context.Context, conn *pgx.Conn) (map[copied]bool, error) {
	list, err := tables(ctx, conn)
	if err != nil {
		return nil, err
	}
	out := map[copied]bool{}
	for _, t := range list {
		if t.extension {
			out[copied{schema: t.schema, name: t.name}] = true
		}
	}
	return out, nil
}

// begin empties a table that is empty, in the transaction its rows are loaded
// in: only then the server takes them for settled at once, and need not write
// every page again when they are first looked at. It returns the statement to
// load with. A user who may not loads as usual.
func (l *loader) begin(ctx context.Context, text string) (statement string, settled bool, err error) {
	if l.fresh == nil {
		return text, false, nil
	}
	schema, rest, ok1 := cutIdent(strings.TrimPrefix(text, "COPY "))
	name, _, ok2 := cutIdent(strings.TrimPrefix(rest, "."))
	c := copied{schema: schema, name: name}
	if !ok1 || !ok2 || !l.fresh(c) {
		return text, false, nil
	}
	err = perform(ctx, l.conn, "BEGIN; TRUNCATE ONLY "+c.sql())
	switch {
	case err == nil:
		return text + " WITH (FREEZE)", true, nil
	case wanting(err):
		return text, false, perform(ctx, l.conn, "ROLLBACK")
	}
	return "", false, err
}

// builds are statements that make an index of one table and need nothing but
// its rows.
var builds = regexp.MustCompile(`(?s)^(?:CREATE (?:UNIQUE )?INDEX [^;]*? ON |ALTER TABLE ONLY [^;]*?\s+ADD CONSTRAINT [^;]*? (?:PRIMARY KEY|UNIQUE)[ (])`)

func buildsIndex(text string) bool {
	m := builds.FindString(text)
	rest := text[len(m):]
	// An index of a partitioned table is put together from those of its parts.
	return m != "" && !strings.HasPrefix(rest, "ONLY ") && !strings.Contains(text, " FOREIGN KEY ") && !strings.Contains(m, " USING INDEX ")
}

// after runs the statements that follow the rows in their order, but such that
// build indexes, one after the other, at the same time.
func (h *hands) after(ctx context.Context, name string) (err error) {
	first := h.all[0]
	f, err := first.from.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, f.Close) }()
	s := newScript(&counted{r: f, ctx: ctx, p: first.p})
	var batch []string
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		todo, err := largestFirst(ctx, first.conn, batch)
		if err != nil {
			return err
		}
		batch = nil
		if err := h.share(ctx, len(todo)); err != nil {
			return err
		}
		return each(ctx, h.all, todo, func(ctx context.Context, l *loader, text string) error { return l.statement(ctx, text, name) })
	}
	for {
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if s.rows {
			return fmt.Errorf("rows in %s", name)
		}
		if buildsIndex(text) {
			batch = append(batch, text)
			continue
		}
		if err := flush(); err != nil {
			return err
		}
		who := h.all[:1]
		if strings.HasPrefix(text, "SET ") || strings.HasPrefix(text, "SELECT pg_catalog.set_config(") {
			who = h.all // a setting of the session
		}
		for _, l := range who {
			if err := l.statement(ctx, text, name); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	return ended(s.trailer, name)
}

// share has every hand build its indexes with one process where there is work for
// all hands, since what several sort for one index is merged once more; and with
// as many as the server likes where there is not.
func (h *hands) share(ctx context.Context, work int) error {
	how := sortTogether
	if work >= len(h.all) && len(h.all) > 1 {
		how = sortAlone
	}
	for _, l := range h.all {
		if err := perform(ctx, l.conn, how); err != nil {
			return fmt.Errorf("share the work on indexes: %w", err)
		}
	}
	return nil
}

// addsConstraint begins a statement that keeps everybody else from its table.
const addsConstraint = "ALTER TABLE ONLY "

// largestFirst sorts statements that build indexes by the size of their tables,
// so that a long one does not begin when all others have ended: constraints
// first, or two connections would wait for each other at one table.
func largestFirst(ctx context.Context, conn *pgx.Conn, statements []string) ([]string, error) {
	if len(statements) < 2 {
		return statements, nil
	}
	rows, err := conn.Query(ctx, `SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), pg_catalog.pg_table_size(c.oid)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND `+ownSchemas)
	if err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	bytes := map[string]int64{}
	var name string
	var size int64
	if _, err := pgx.ForEachRow(rows, []any{&name, &size}, func() error {
		bytes[name] = size
		return nil
	}); err != nil {
		return nil, fmt.Errorf("list tables: %w", err)
	}
	rank := func(text string) (int, int64) {
		if strings.HasPrefix(text, addsConstraint) {
			return 0, -bytes[builtOn(text)]
		}
		return 1, -bytes[builtOn(text)]
	}
	slices.SortStableFunc(statements, func(a, b string) int {
		groupA, sizeA := rank(a)
		groupB, sizeB := rank(b)
		return cmp.Or(cmp.Compare(groupA, groupB), cmp.Compare(sizeA, sizeB))
	})
	return statements, nil
}

// builtOn returns the table that a statement of [buildsIndex] is about, as
// pg_dump writes it.
func builtOn(text string) string {
	rest, constraint := strings.CutPrefix(text, addsConstraint)
	if !constraint {
		rest = text[len(builds.FindString(text)):]
	}
	name, _, _ := strings.Cut(rest, " USING ")
	name, _, _ = strings.Cut(name, "\n")
	return strings.TrimSpace(name)
}

func (l *loader) statement(ctx context.Context, text, name string) error {
	if err := l.run(ctx, text, name); err != nil {
		return fmt.Errorf("%.80q: %w", text, err)
	}
	return nil
}
