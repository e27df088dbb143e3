package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// opTables names the restore of single tables in errors.
const opTables = "postgres: restore tables"

// copied is the table a file of a point was made of.
type copied struct{ file, schema, name string }

func (c copied) sql() string { return ident(c.schema) + "." + ident(c.name) }

// copiedFrom reads which table a file holds from its COPY statement.
func copiedFrom(from fs.FS, name string) (c copied, err error) {
	f, err := from.Open(name)
	if err != nil {
		return c, err
	}
	defer func() { err = closing(err, f.Close) }()
	s := newScript(f)
	for !s.rows {
		text, err := s.next()
		if errors.Is(err, io.EOF) {
			return c, app.Errorf(app.CodeCheckFailed, opTables, "%s holds no table", name).With("path", name)
		}
		if err != nil {
			return c, fmt.Errorf("read %s: %w", name, err)
		}
		if !s.rows {
			continue
		}
		schema, rest, ok1 := cutIdent(strings.TrimPrefix(text, "COPY "))
		table, _, ok2 := cutIdent(strings.TrimPrefix(rest, "."))
		if !ok1 || !ok2 {
			return c, app.Errorf(app.CodeCheckFailed, opTables, "%s holds no table", name).With("path", name)
		}
		c = copied{name, schema, table}
	}
	return c, nil
}

// cutIdent takes a quoted name off the beginning of s.
func cutIdent(s string) (name, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		return "", s, false
	}
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 < len(s) && s[i+1] == '"' {
			i++
			continue
		}
		return strings.ReplaceAll(s[1:i], `""`, `"`), s[i+1:], true
	}
	return "", s, false
}

// replaceTables puts single tables back into the database, all in one
// transaction. Foreign keys from and to them are taken away meanwhile and made
// again at the end, when the server checks every row: what would not fit to
// the other tables is refused, and nothing has changed.
func (j *job) replaceTables(ctx context.Context, admin *pgx.Conn, p app.Progress) (err error) {
	conn, err := j.connect(ctx, j.name)
	if err != nil {
		return err
	}
	defer j.let(ctx, conn)
	var there, gone []copied
	for _, name := range j.picked {
		c, err := copiedFrom(j.r.From, name)
		if err != nil {
			return err
		}
		exists, err := one[bool](ctx, conn, "SELECT true FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = "+
			literal(c.schema)+" AND c.relname = "+literal(c.name))
		if err != nil {
			return err
		}
		if exists {
			there = append(there, c)
		} else {
			gone = append(gone, c)
		}
	}
	t := &tablesJob{job: j, loader: &loader{conn: conn, from: j.r.From, p: p, whole: true, step: j.c.step}}
	if len(gone) > 0 {
		if err := t.borrow(ctx, admin, gone); err != nil {
			return err
		}
		defer func() { err = closing(err, t.remove) }()
	}
	if err := perform(ctx, conn, fmt.Sprintf("BEGIN; SET LOCAL lock_timeout = %d", j.c.lockWait.Milliseconds())); err != nil {
		return err
	}
	if err := t.removeExtra(ctx); err != nil {
		return err
	}
	if err := t.all(ctx, there, gone); err != nil {
		return err
	}
	j.c.step("checked")
	return commit(ctx, conn)
}

// tablesJob is one transaction that replaces tables.
type tablesJob struct {
	*job
	*loader
	before, after []string // files with the structure of tables that are gone
	dir           string
}

func (t *tablesJob) remove() error { return os.RemoveAll(t.dir) }

func (t *tablesJob) all(ctx context.Context, there, gone []copied) error {
	conn := t.loader.conn
	end, err := t.clear(ctx, there)
	if err != nil {
		return err
	}
	local := &loader{conn: conn, from: os.DirFS(t.dir), p: nowhere{}, whole: true, step: t.c.step}
	for _, name := range t.before {
		if err := local.file(ctx, name); err != nil {
			return fmt.Errorf("make the tables again: %w", err)
		}
	}
	list := slices.DeleteFunc(slices.Clone(t.files), func(f file) bool { return !slices.Contains(t.picked, f.name) })
	if err := t.load(ctx, list); err != nil {
		return err
	}
	for _, name := range t.after {
		if err := local.file(ctx, name); err != nil {
			return fmt.Errorf("make the tables' indexes again: %w", err)
		}
	}
	for _, sql := range end {
		if err := perform(ctx, conn, sql); err != nil {
			return fmt.Errorf("%.120s: %w", sql, err)
		}
	}
	for _, c := range slices.Concat(there, gone) {
		if err := raiseSequences(ctx, conn, c); err != nil {
			return fmt.Errorf("raise the sequences of %s: %w", c.sql(), err)
		}
	}
	for _, n := range append(t.notes, local.notes...) {
		t.c.log.Warn("Not given back", "connector", string(Kind), "what", n)
	}
	return nil
}

// clear empties tables that are there, and returns the statements that give
// them back their foreign keys and triggers.
func (t *tablesJob) clear(ctx context.Context, there []copied) (end []string, err error) {
	if len(there) == 0 {
		return nil, nil
	}
	conn := t.loader.conn
	var names, oids []string
	for _, c := range there {
		names = append(names, c.sql())
		oids = append(oids, literal(c.sql())+"::regclass")
	}
	if err := perform(ctx, conn, "LOCK TABLE ONLY "+strings.Join(names, ", ONLY ")+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		return nil, err
	}
	in := "(" + strings.Join(oids, ", ") + ")"
	// A partition's foreign key is its parent's, and only there it can go.
	keys, err := pairs(ctx, conn, `
WITH RECURSIVE up AS (
  SELECT oid, conparentid FROM pg_catalog.pg_constraint WHERE contype = 'f' AND (conrelid IN `+in+` OR confrelid IN `+in+`)
  UNION SELECT p.oid, p.conparentid FROM up JOIN pg_catalog.pg_constraint p ON p.oid = up.conparentid)
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', k.conrelid::regclass, k.conname),
  format('ALTER TABLE %s ADD CONSTRAINT %I %s', k.conrelid::regclass, k.conname, pg_catalog.pg_get_constraintdef(k.oid))
  || COALESCE(format('; COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, k.conrelid::regclass, pg_catalog.obj_description(k.oid, 'pg_constraint')), '')
FROM up JOIN pg_catalog.pg_constraint k ON k.oid = up.oid WHERE up.conparentid = 0 ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	triggers, err := pairs(ctx, conn, `
SELECT format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', tgrelid::regclass, tgname),
  format('ALTER TABLE ONLY %s ENABLE %s TRIGGER %I', tgrelid::regclass, CASE tgenabled WHEN 'R' THEN 'REPLICA' WHEN 'A' THEN 'ALWAYS' ELSE '' END, tgname)
FROM pg_catalog.pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D' AND tgrelid IN `+in+` ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	for _, pair := range slices.Concat(keys, triggers) {
		if err := perform(ctx, conn, pair[0]); err != nil {
			return nil, fmt.Errorf("%.120s: %w", pair[0], err)
		}
	}
	for _, pair := range slices.Concat(triggers, keys) {
		end = append(end, pair[1])
	}
	return end, perform(ctx, conn, "TRUNCATE TABLE ONLY "+strings.Join(names, ", ONLY "))
}

// removeExtra drops tables that the restore which is undone had made.
func (t *tablesJob) removeExtra(ctx context.Context) error {
	if len(t.extra) == 0 {
		return nil
	}
	list, err := tables(ctx, t.loader.conn)
	if err != nil {
		return err
	}
	for _, have := range list {
		if slices.Contains(t.extra, have.file) {
			if err := perform(ctx, t.loader.conn, "DROP TABLE "+have.sql()); err != nil {
				return fmt.Errorf("drop %s: %w", have.sql(), err)
			}
		}
	}
	return nil
}

func pairs(ctx context.Context, conn *pgx.Conn, sql string) ([][2]string, error) {
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p [2]string, err error) {
		err = row.Scan(&p[0], &p[1])
		return p, err
	})
}

// raiseSequences sees to it that no number is given out again that a row that
// came back has. None is ever lowered.
func raiseSequences(ctx context.Context, conn *pgx.Conn, c copied) error {
	owned, err := pairs(ctx, conn, `
SELECT a.attname::text, d.objid::regclass::text FROM pg_catalog.pg_depend d
JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
  AND d.refobjid = `+literal(c.sql())+`::regclass`)
	if err != nil {
		return err
	}
	for _, o := range owned {
		sql := fmt.Sprintf("SELECT pg_catalog.setval(%s, m.top) FROM %s s, (SELECT max(%s)::bigint AS top FROM %s) m WHERE m.top > s.last_value OR m.top = s.last_value AND NOT s.is_called",
			literal(o[1]), o[1], ident(o[0]), c.sql())
		if err := perform(ctx, conn, sql); err != nil {
			return err
		}
	}
	return nil
}

// borrow writes down the structure of tables that are gone: the point's is
// loaded into a database of its own, without rows, and asked for them.
func (t *tablesJob) borrow(ctx context.Context, admin *pgx.Conn, gone []copied) (err error) {
	if !t.job.rights.create {
		return t.mayNotCreate()
	}
	conn, err := t.connect(ctx, t.database)
	if err != nil {
		return err
	}
	server, version := major(conn)
	t.let(ctx, conn)
	program, err := t.program(ctx, version)
	if err != nil {
		return err
	}
	if err := enterDrill(ctx, admin); err != nil {
		return err
	}
	name := drillName()
	defer func() { err = errors.Join(err, drop(context.WithoutCancel(ctx), admin, name)) }()
	if _, err := create(ctx, admin, name, t.about); err != nil {
		return err
	}
	if err := t.structure(ctx, name); err != nil {
		return fmt.Errorf("load the point's structure: %w", err)
	}
	if t.dir, err = t.c.tempDir(); err != nil {
		return err
	}
	pass, remove, err := t.passfile(t.dir)
	if err != nil {
		return err
	}
	defer func() { err = closing(err, remove) }()
	t.before, t.after = []string{fileSchema}, []string{fileAfter}
	for file, section := range map[string]string{fileSchema: "pre-data", fileAfter: "post-data"} {
		args := []string{"--section=" + section}
		for _, c := range gone {
			args = append(args, "--table="+c.sql())
		}
		if err := t.dump(ctx, program, name, pass, filepath.Join(t.dir, file), server, args...); err != nil {
			return err
		}
	}
	return nil
}

func (t *tablesJob) structure(ctx context.Context, name string) error {
	conn, err := t.connect(ctx, name)
	if err != nil {
		return err
	}
	defer t.let(ctx, conn)
	l := &loader{conn: conn, from: t.loader.from, p: nowhere{}, step: t.c.step}
	for _, file := range []string{fileSchema, fileAfter} {
		if err := l.file(ctx, file); err != nil {
			return err
		}
	}
	return nil
}

// drillName is the name of a database for a moment's use. [Connector.Rehearse]
// takes away those that were left behind.
func drillName() string { return drillPrefix + strings.ToLower(rand.Text()[:10]) }

func (j *job) verifyTables(ctx context.Context, conn *pgx.Conn) ([]app.Check, error) {
	check := app.Check{Code: checkRows, OK: true}
	var total int64
	var wrong []string
	for _, name := range j.picked {
		c, err := copiedFrom(j.r.From, name)
		if err != nil {
			return nil, err
		}
		want, err := countRows(ctx, j.r.From, name, nowhere{})
		if err != nil {
			return nil, err
		}
		n, err := one[int64](ctx, conn, "SELECT count(*) FROM ONLY "+c.sql())
		switch {
		case ctx.Err() != nil || conn.IsClosed():
			return nil, err
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("%s: %v", fullName(c.schema, c.name), err))
			check.See(app.Named(app.SeenTablesUnread, fullName(c.schema, c.name)))
		case n != want:
			wrong = append(wrong, fmt.Sprintf("%s: %s rows, %s expected", fullName(c.schema, c.name), spaced(n), spaced(want)))
			check.See(app.RowsOff(fullName(c.schema, c.name), n, want))
		}
		total += n
	}
	check.OK = len(wrong) == 0
	check.Detail = strings.Join(append([]string{fmt.Sprintf("%d tables, %s rows", len(j.picked), spaced(total))}, wrong...), "; ")
	check.Counted = app.Counted{Tables: int64(len(j.picked)), Rows: total}
	return []app.Check{check}, nil
}
