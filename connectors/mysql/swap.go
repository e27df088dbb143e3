package mysql

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"kvart/app"
)

const (
	newSuffix = "_kvart_new" // of the database that is loaded
	oldSuffix = "_kvart_old" // of the one the old tables go to
	// recordTable is in both: it tells that they are ours, and in the second
	// how far the restore has come.
	recordTable = "kvart_restore"
)

// beside names a database beside another.
func beside(db, suffix string) string {
	for utf8.RuneCountInString(db)+len(suffix) > maxName {
		_, n := utf8.DecodeLastRuneInString(db)
		db = db[:len(db)-n]
	}
	return db + suffix
}

// record is what a restore writes down before it exchanges anything, so that
// the next one can end or undo it.
type record struct {
	id      string
	swapped bool
	old     []string // tables that go away
	new     []string // tables that come
	blocks  []string // definitions that are dropped before, as the client takes them
}

// swap exchanges the tables of a database.
type swap struct {
	c    *Connector
	s    *session
	l    *loader
	j    job
	db   string
	next string
	prev string
}

func (c *Connector) swap(s *session, l *loader, j job) *swap {
	db := j.cfg.database
	return &swap{c: c, s: s, l: l, j: j, db: db, next: beside(db, newSuffix), prev: beside(db, oldSuffix)}
}

// settle ends or undoes what a restore left that was cut off. resume is true
// when it was this one and the tables are exchanged already.
func (w *swap) settle(ctx context.Context) (resume bool, err error) {
	_, _, prev, err := w.s.exists(ctx, w.prev)
	if err != nil {
		return false, err
	}
	if prev {
		rec, err := w.read(ctx)
		if err != nil {
			return false, err
		}
		if rec != nil {
			if resume, err = w.settleRecord(ctx, rec); err != nil || resume {
				return resume, err
			}
		}
		if err := w.drop(ctx, w.prev); err != nil {
			return false, err
		}
	}
	return false, w.drop(ctx, w.next)
}

func (w *swap) settleRecord(ctx context.Context, rec *record) (resume bool, err error) {
	if !rec.swapped {
		inPrev, err := w.names(ctx, w.prev)
		if err != nil {
			return false, err
		}
		inNext, err := w.names(ctx, w.next)
		if err != nil {
			return false, err
		}
		oldLeft := slices.DeleteFunc(slices.Clone(rec.old), func(t string) bool { return slices.Contains(inPrev, t) })
		newLeft := slices.DeleteFunc(slices.Clone(rec.new), func(t string) bool { return !slices.Contains(inNext, t) })
		if len(oldLeft) == len(rec.old) && len(newLeft) == len(rec.new) && len(rec.old)+len(rec.new) > 0 {
			// Nothing was exchanged: what was dropped for it comes back.
			return false, w.undrop(ctx, rec)
		}
		// Only a server that went down in the middle leaves a part, and only
		// one too old to exchange tables as a whole even then.
		if err := w.rename(ctx, oldLeft, newLeft); err != nil {
			return false, err
		}
		if err := w.mark(ctx); err != nil {
			return false, err
		}
	}
	if rec.id == w.j.id {
		return true, nil
	}
	if !w.j.whole {
		return false, app.Errorf(app.CodeInterrupted, w.j.op, "another restore of %s was cut off and has to be ended first", w.db).With("path", w.db)
	}
	return false, nil
}

// names lists the tables of a database, none where there is no database.
func (w *swap) names(ctx context.Context, db string) ([]string, error) {
	list, err := w.s.tables(ctx, db)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range list {
		if !t.view() {
			names = append(names, t.name)
		}
	}
	return names, nil
}

// make makes one of the databases beside. The first thing in it says that it
// is ours.
func (w *swap) make(ctx context.Context, db string) error {
	if err := w.s.exec(ctx, `CREATE DATABASE `+quote(db)); err != nil {
		return err
	}
	return w.s.exec(ctx, `CREATE TABLE `+quote(db)+`.`+quote(recordTable)+` (k VARCHAR(16) NOT NULL, v LONGTEXT NOT NULL) CHARACTER SET utf8mb4`)
}

// drop drops one of the databases beside, the record last. One that is not
// ours is left alone.
func (w *swap) drop(ctx context.Context, db string) error {
	_, _, ok, err := w.s.exists(ctx, db)
	if err != nil || !ok {
		return err
	}
	all, err := w.s.column(ctx, `SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE <> 'VIEW'`, db)
	if err != nil {
		return err
	}
	if len(all) > 0 && !slices.Contains(all, recordTable) {
		return app.Errorf(app.CodeTargetExists, w.j.op, "there is a database %q that is none of Kvart's", db).With("path", db)
	}
	if err := w.s.exec(ctx, `SET SESSION foreign_key_checks = 0`); err != nil {
		return err
	}
	for _, name := range all {
		if name == recordTable {
			continue
		}
		// DROP TABLE drops sequences too.
		if err := w.s.exec(ctx, `DROP TABLE IF EXISTS `+quote(db)+`.`+quote(name)); err != nil {
			return err
		}
	}
	return w.s.exec(ctx, `DROP DATABASE IF EXISTS `+quote(db))
}

// prepare writes down what is going to be exchanged.
func (w *swap) prepare(ctx context.Context, rec *record) error {
	if err := w.make(ctx, w.prev); err != nil {
		return err
	}
	values := []string{"id", rec.id}
	for _, kv := range []struct {
		key  string
		list []string
	}{{"old", rec.old}, {"new", rec.new}, {"block", rec.blocks}} {
		for _, v := range kv.list {
			values = append(values, kv.key, v)
		}
	}
	var query strings.Builder
	query.WriteString(`INSERT INTO ` + quote(w.prev) + `.` + quote(recordTable) + ` (k, v) VALUES `)
	for i := 0; i < len(values); i += 2 {
		if i > 0 {
			query.WriteString(", ")
		}
		query.WriteString("(" + literal(values[i]) + ", " + literal(values[i+1]) + ")")
	}
	return w.s.exec(ctx, query.String())
}

// read reads the record back, nil when there is none: then nothing was
// exchanged.
func (w *swap) read(ctx context.Context) (*record, error) {
	rows, err := w.s.rows(ctx, `SELECT k, v FROM `+quote(w.prev)+`.`+quote(recordTable))
	if numberOf(err) == errNoTable || err == nil && len(rows) == 0 {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rec := &record{}
	for _, r := range rows {
		v := r.str("v")
		switch r.str("k") {
		case "id":
			rec.id = v
		case "swapped":
			rec.swapped = true
		case "old":
			rec.old = append(rec.old, v)
		case "new":
			rec.new = append(rec.new, v)
		case "block":
			rec.blocks = append(rec.blocks, v)
		}
	}
	return rec, nil
}

// mark writes down that the tables are exchanged.
func (w *swap) mark(ctx context.Context) error {
	return w.s.exec(ctx, `INSERT INTO `+quote(w.prev)+`.`+quote(recordTable)+` (k, v) VALUES ('swapped', '')`)
}

// rename exchanges tables in one statement.
func (w *swap) rename(ctx context.Context, old, new []string) error {
	var moves []string
	for _, t := range old {
		moves = append(moves, quote(w.db)+"."+quote(t)+" TO "+quote(w.prev)+"."+quote(t))
	}
	for _, t := range new {
		moves = append(moves, quote(w.next)+"."+quote(t)+" TO "+quote(w.db)+"."+quote(t))
	}
	if len(moves) == 0 {
		return nil
	}
	if err := w.s.exec(ctx, `SET SESSION foreign_key_checks = 0`); err != nil {
		return err
	}
	return w.s.exec(ctx, `RENAME TABLE `+strings.Join(moves, ", "))
}

// dropped lists the definitions that have to go before the tables can: their
// triggers, since no table is moved to another database with one, and views
// that bear the name of a table that comes.
func (w *swap) dropped(v survey, rec *record) (out []definition) {
	for _, d := range v.defs {
		if d.kind == kindTrigger && slices.Contains(rec.old, d.table) || d.kind == kindView && slices.Contains(rec.new, d.name) {
			out = append(out, d)
		}
	}
	return out
}

// patience bounds how long anything waits for the shop to let a table go:
// others have to wait behind it.
func (w *swap) patience(ctx context.Context) error { return w.s.exec(ctx, w.c.waitAtMost()) }

func (c *Connector) waitAtMost() string {
	return fmt.Sprintf(`SET SESSION lock_wait_timeout = %d`, int(max(c.lockWait.Seconds(), 1)))
}

// undrop brings definitions back that were dropped for nothing.
func (w *swap) undrop(ctx context.Context, rec *record) error {
	there, err := w.s.column(ctx, `SELECT CONCAT('TRIGGER ', TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?
		UNION ALL SELECT CONCAT('VIEW ', TABLE_NAME) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = ?`, w.db, w.db)
	if err != nil {
		return err
	}
	var errs []error
	for _, text := range rec.blocks {
		d, err := parseDefined(text)
		if err == nil && !slices.ContainsFunc(d.names(), func(n string) bool { return slices.Contains(there, n) }) {
			err = w.l.run(ctx, w.db, strings.NewReader(settled+text))
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// exchange puts the loaded tables in place of the present ones.
func (w *swap) exchange(ctx context.Context, v survey) error {
	rec := &record{id: w.j.id, new: w.j.tables}
	for _, t := range v.tables {
		if !t.view() && (w.j.whole || slices.Contains(w.j.tables, t.name) || slices.Contains(w.j.gone, t.name)) {
			rec.old = append(rec.old, t.name)
		}
	}
	if w.j.whole {
		all, err := w.names(ctx, w.next)
		if err != nil {
			return err
		}
		rec.new = all // with the sequences
	}
	gone := w.dropped(v, rec)
	for _, d := range gone {
		var b bytes.Buffer
		d.write(&b, v.collation)
		rec.blocks = append(rec.blocks, b.String())
	}
	if err := w.prepare(ctx, rec); err != nil {
		return err
	}
	if err := w.c.reached(ctx, "prepared"); err != nil {
		return err
	}
	if err := w.discard(ctx, w.db, gone); err != nil {
		return err
	}
	if err := w.c.reached(ctx, "dropped"); err != nil {
		return err
	}
	if err := w.renamed(ctx, rec); err != nil {
		return err
	}
	if err := w.c.reached(ctx, "renamed"); err != nil {
		return err
	}
	return w.mark(ctx)
}

// renamed exchanges the tables. One that has lost its files can't be moved
// aside: it goes at once.
func (w *swap) renamed(ctx context.Context, rec *record) error {
	err := w.rename(ctx, rec.old, rec.new)
	if number := numberOf(err); number != errRename && !damaging(number) {
		return err
	}
	left := slices.Clone(rec.old)
	for _, name := range rec.old {
		full := quote(w.db) + "." + quote(name)
		if broken := w.s.exec(ctx, `SELECT 1 FROM `+full+` LIMIT 0`); !damaging(numberOf(broken)) {
			continue
		}
		w.c.log.Warn("Damaged table dropped", "connector", string(Kind), "database", w.db, "table", name, "error", err)
		if err := w.s.exec(ctx, `DROP TABLE IF EXISTS `+full); err != nil {
			return err
		}
		left = slices.DeleteFunc(left, func(n string) bool { return n == name })
	}
	if len(left) == len(rec.old) {
		return err
	}
	return w.rename(ctx, left, rec.new)
}

// discard drops definitions.
func (w *swap) discard(ctx context.Context, db string, defs []definition) error {
	for _, d := range defs {
		mode := ""
		if strings.HasPrefix(d.kind, kindPackage) {
			mode = "ORACLE" // packages are only known there
		}
		if err := w.s.exec(ctx, `SET SESSION sql_mode = `+literal(mode)); err != nil {
			return err
		}
		if err := w.s.exec(ctx, `DROP `+d.kind+` IF EXISTS `+quote(db)+`.`+quote(d.name)); err != nil {
			return err
		}
	}
	return w.s.exec(ctx, `SET SESSION sql_mode = ''`)
}
