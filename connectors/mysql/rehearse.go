package mysql

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"kvart/app"
)

// drillPrefix begins the names of databases of rehearsals. After it comes a
// mark of the source, by which the next rehearsal finds what a killed one left.
const drillPrefix = "kvart_drill_"

// checkDrill tells where the point was tried.
const checkDrill = "rehearsed"

// Rehearse implements [app.Rehearser]: in a new database on the same server;
// where the user may not make one, in a server of our own that only lives for
// it; where no server is installed here, by reading the dump through and
// counting. The first check's detail says which.
//
// Events are made disabled. A view or routine that names its database by name
// reads the source's from there, as it would anywhere.
func (c *Connector) Rehearse(ctx context.Context, r app.Restore, tmp string, p app.Progress) (checks []app.Check, err error) {
	const op = "mysql: rehearse"
	j, err := c.job(r)
	if err != nil {
		return nil, err
	}
	j.op, j.events = op, false
	defer func() {
		for i := range checks {
			checks[i].Source = r.Access.Source.Name
		}
	}()
	p.Expect(int64(len(j.files)), j.bytes())
	s, err := c.dial(ctx, j.cfg)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	mark := drillMark(j.cfg)
	if err := s.dropDrills(ctx, mark); err != nil {
		return nil, j.cfg.codeOf(ctx, op, err)
	}
	may, err := s.mayDrill(ctx, mark)
	if err != nil {
		return nil, j.cfg.codeOf(ctx, op, err)
	}
	if may {
		checks, err = c.drill(ctx, s, j, mark, p)
		return tried(app.SeenTriedBeside, "a database of its own on the same server", checks), j.cfg.targetCode(ctx, op, err)
	}
	own, why := c.ownServer(ctx, s, j, tmp)
	if why == nil {
		defer func() { err = errors.Join(err, own.Close()) }()
		checks, err = c.drill(ctx, own.session, j, mark, p)
		return tried(app.SeenTriedHere, "a server of its own on this computer", checks), j.cfg.targetCode(ctx, op, err)
	}
	if ctx.Err() != nil {
		return nil, j.cfg.codeOf(ctx, op, ctx.Err())
	}
	c.log.Info("Rehearsing without a server", "connector", string(Kind), "reason", why)
	return c.readThrough(ctx, j, p)
}

func tried(where app.SeenCode, detail string, checks []app.Check) []app.Check {
	if checks == nil {
		return nil
	}
	return append([]app.Check{{Code: checkDrill, OK: true, Detail: detail, Seen: []app.Seen{{Code: where}}}}, checks...)
}

func drillMark(cfg config) string {
	sum := sha256.Sum256([]byte(cfg.where() + "\n" + cfg.database))
	return drillPrefix + hex.EncodeToString(sum[:4]) + "_"
}

// dropDrills removes what a rehearsal left that was killed.
func (s *session) dropDrills(ctx context.Context, mark string) error {
	names, err := s.column(ctx, `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA`)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, mark) {
			if err := s.exec(ctx, `DROP DATABASE IF EXISTS `+quote(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// mayDrill reports whether the user may make, fill and drop the database.
func (s *session) mayDrill(ctx context.Context, mark string) (bool, error) {
	g, err := s.grants(ctx)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(needed(), func(right string) bool { return !g.has(right, mark+"00000000") }), nil
}

// drill restores into a database of its own and looks at it.
func (c *Connector) drill(ctx context.Context, s *session, j job, mark string, p app.Progress) (checks []app.Check, err error) {
	random := make([]byte, 4)
	if _, err := rand.Read(random); err != nil {
		return nil, fmt.Errorf("draw a name: %w", err)
	}
	l, err := c.loader(ctx, s)
	if err != nil {
		return nil, err
	}
	db := mark + hex.EncodeToString(random)
	if err := s.takes(ctx, j, true); err != nil {
		return nil, err
	}
	if err := s.exec(ctx, `CREATE DATABASE `+quote(db)); err != nil {
		return nil, err
	}
	defer func() {
		if errors.Is(err, errStopped) {
			return
		}
		// Also when the rehearsal was canceled.
		err = errors.Join(err, s.dropDrills(context.WithoutCancel(ctx), db))
	}()
	if err := l.rows(ctx, db, j, p); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	if err := c.reached(ctx, "drilling"); err != nil {
		return nil, err
	}
	for _, path := range []string{fileRoutines, fileTriggers, fileViews, fileEvents} {
		if err := l.definitions(ctx, db, j, path, false, nil); err != nil {
			return nil, fmt.Errorf("load %s: %w", path, err)
		}
	}
	in := *s
	in.cfg.database, j.cfg.database = db, db
	if checks, err = c.verifyDatabase(ctx, &in, j); err != nil {
		return nil, err
	}
	// Nobody but us writes here, so the values can be held against the point.
	contents, ok, err := c.compareContents(ctx, &in, j)
	if err == nil && ok {
		checks = append(checks, contents)
	}
	return checks, err
}

// readThrough reads the dump as a server would, and counts.
func (c *Connector) readThrough(ctx context.Context, j job, p app.Progress) ([]app.Check, error) {
	read := app.Check{Code: checkDrill, OK: true, Detail: "no server to restore into: the dump was read through and counted"}
	read.See(app.Seen{Code: app.SeenTriedReading})
	rows := app.Check{Code: checkRows, OK: true}
	var total int64
	var wrong []string
	for _, f := range j.files {
		name := tableName(f.path)
		n, err := j.readFile(ctx, f, p)
		if err != nil {
			if ctx.Err() != nil {
				return nil, &app.Error{Code: app.CodeCanceled, Op: j.op, Err: err}
			}
			read.OK, read.Detail = false, f.path+": "+err.Error()
			read.See(app.Named(app.SeenBackupUnread, cmp.Or(name, f.path)))
			continue
		}
		if want, ok := j.stats[statTable+name]; ok && name != "" && n != want {
			wrong = append(wrong, fmt.Sprintf("%s: %s rows, %s expected", name, spaced(n), spaced(want)))
			rows.See(app.RowsOff(name, n, want))
		}
		total += n
	}
	if total != j.about.Rows && len(wrong) == 0 {
		wrong = append(wrong, spaced(j.about.Rows)+" rows expected")
		rows.See(app.RowsOff("", total, j.about.Rows))
	}
	rows.OK = len(wrong) == 0
	rows.Detail = strings.Join(append([]string{fmt.Sprintf("%d tables, %s rows", len(j.tables), spaced(total))}, wrong...), "; ")
	rows.Counted = app.Counted{Tables: int64(len(j.tables)), Rows: total}
	return []app.Check{read, rows}, nil
}

// readFile counts the rows of one file.
func (j *job) readFile(ctx context.Context, f pointFile, p app.Progress) (rows int64, err error) {
	one := *j
	one.whole = true // as it is
	in := &filesInTurn{ctx: ctx, j: one, p: p, paths: []string{f.path}}
	defer func() { err = errors.Join(err, in.Close()) }()
	if tableName(f.path) == "" {
		_, err := io.Copy(io.Discard, in) // definitions are in dialects of their own
		return 0, err
	}
	lex := newLexer(in)
	for {
		_, err := lex.next()
		if errors.Is(err, io.EOF) {
			return lex.rows, nil
		}
		if err != nil {
			return 0, err
		}
	}
}
