package mysql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kvart/app"
)

// errStopped is what a test's kill looks like: nothing is cleaned up after it.
var errStopped = errors.New("stopped")

// Apply implements [app.Restorer].
//
// In the server the order is:
//
//  1. The point is loaded into a new database beside, "<name>_kvart_new", with
//     its views, triggers and routines, but without events, which could run
//     there; its rows are counted. Until here nothing was changed, and what
//     does not load or count right is dropped again.
//  2. What is going to be exchanged is written down in "<name>_kvart_old".
//  3. The triggers of the tables that go are dropped: a table with triggers
//     can't leave its database.
//  4. One RENAME TABLE takes the old tables to "<name>_kvart_old" and brings
//     the new ones. Cut off before it, the next Apply brings the triggers back
//     and begins again; after it, it goes on.
//  5. Views, routines, triggers and events are dropped and made again.
//  6. Both databases beside are dropped.
func (c *Connector) Apply(ctx context.Context, r app.Restore, p app.Progress) (err error) {
	j, err := c.job(r)
	if err != nil {
		return err
	}
	p.Expect(int64(len(j.files)), j.bytes())
	if j.dir != "" {
		return c.applyDir(ctx, j, p)
	}
	s, err := c.dial(ctx, j.cfg)
	if err != nil {
		return err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	return j.cfg.targetCode(ctx, j.op, c.applyDatabase(ctx, s, r, j, p))
}

func (c *Connector) applyDatabase(ctx context.Context, s *session, r app.Restore, j job, p app.Progress) error {
	l, err := c.loader(ctx, s)
	if err != nil {
		return err
	}
	w := c.swap(s, l, j)
	if err := w.patience(ctx); err != nil {
		return err
	}
	resume, err := w.settle(ctx)
	if err != nil {
		return err
	}
	if !resume {
		if done, err := c.restored(ctx, s, r, j); err != nil || done {
			return err
		}
		if err := w.bring(ctx, p); err != nil {
			return err
		}
	}
	if err := c.reached(ctx, "exchanged"); err != nil {
		return err
	}
	if err := w.define(ctx); err != nil {
		return err
	}
	if err := c.reached(ctx, "defined"); err != nil {
		return err
	}
	if err := w.drop(ctx, w.next); err != nil {
		return err
	}
	if err := c.reached(ctx, "cleaning"); err != nil {
		return err
	}
	if err := w.drop(ctx, w.prev); err != nil {
		return err
	}
	if j.drop {
		return s.exec(ctx, `DROP DATABASE IF EXISTS `+quote(j.cfg.database))
	}
	return nil
}

// restored reports whether a new database is there already, as the point has
// it, from an Apply that came to its end. One with something else in it is in
// the way.
func (c *Connector) restored(ctx context.Context, s *session, r app.Restore, j job) (bool, error) {
	if r.Target.Original() {
		return false, nil
	}
	there, err := s.tables(ctx, j.cfg.database)
	if err != nil || len(there) == 0 {
		return false, err
	}
	same, err := c.sameAsPoint(ctx, s, j)
	if err == nil && !same {
		err = j.inTheWay()
	}
	return same, err
}

// bring loads the tables and exchanges them.
func (w *swap) bring(ctx context.Context, p app.Progress) error {
	if err := w.s.takes(ctx, w.j, true); err != nil {
		return err
	}
	err := w.load(ctx, p)
	if err == nil {
		err = w.c.reached(ctx, "loaded")
	}
	var v survey
	if err == nil {
		v, err = w.present(ctx)
	}
	if err == nil {
		err = w.s.unreferenced(ctx, w.j)
	}
	if err == nil {
		err = w.exchange(ctx, v)
	}
	if err != nil && !errors.Is(err, errStopped) {
		return w.giveUp(ctx, err)
	}
	return err
}

// giveUp takes away what was loaded, brings back what was dropped, and leaves
// alone what was exchanged: then the next Apply goes on. It does so also when
// the restore was canceled, over a connection of its own: with its context a
// connection ends too.
func (w *swap) giveUp(ctx context.Context, cause error) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute+2*w.c.lockWait)
	defer cancel()
	s, err := w.c.dial(ctx, w.j.cfg)
	if err != nil {
		return errors.Join(cause, err)
	}
	defer func() { w.c.warn("Could not end connection", s.Close()) }()
	again := *w
	again.s = s
	if err := again.patience(ctx); err != nil {
		return errors.Join(cause, err)
	}
	_, err = again.settle(ctx)
	return errors.Join(cause, err)
}

// load loads and counts beside.
func (w *swap) load(ctx context.Context, p app.Progress) error {
	if err := w.make(ctx, w.next); err != nil {
		return err
	}
	if err := w.c.reached(ctx, "made"); err != nil {
		return err
	}
	if len(w.j.files) == 0 {
		return nil // an undo that only takes away
	}
	if err := w.l.rows(ctx, w.next, w.j, p); err != nil {
		return fmt.Errorf("load: %w", err)
	}
	check, err := w.s.compareRows(ctx, w.next, w.j)
	if err != nil {
		return err
	}
	if !check.OK {
		return app.Errorf(app.CodeCheckFailed, w.j.op, "%s", check.Detail).With("detail", check.Detail)
	}
	if !w.j.whole {
		return nil
	}
	// Only to see that they load; they go with the database.
	for _, path := range []string{fileRoutines, fileViews, fileTriggers} {
		if err := w.l.definitions(ctx, w.next, w.j, path, false, nil); err != nil {
			return fmt.Errorf("load %s: %w", path, err)
		}
	}
	in := *w.s
	in.cfg.database = w.next
	triggers, err := in.column(ctx, `SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`, w.next)
	if err != nil {
		return err
	}
	for _, name := range triggers {
		if err := in.exec(ctx, `DROP TRIGGER `+quote(w.next)+`.`+quote(name)); err != nil {
			return err
		}
	}
	return w.unnumber(ctx)
}

// present looks at the database as it is now; it makes it where there is none.
func (w *swap) present(ctx context.Context) (survey, error) {
	_, _, ok, err := w.s.exists(ctx, w.db)
	if err != nil {
		return survey{}, err
	}
	if !ok && !w.j.drop {
		if err := w.s.exec(ctx, `CREATE DATABASE `+quote(w.db)); err != nil {
			return survey{}, err
		}
	}
	if !ok && w.j.drop {
		return survey{}, nil
	}
	return w.s.survey(ctx, w.j.op)
}

// define makes views, routines, triggers and events what the point has; with
// single tables only those tables' triggers.
func (w *swap) define(ctx context.Context) error {
	if _, _, ok, err := w.s.exists(ctx, w.db); err != nil || !ok {
		return err
	}
	if !w.j.whole {
		return w.defineTriggers(ctx)
	}
	v, err := w.s.survey(ctx, w.j.op)
	if err != nil {
		return err
	}
	if err := w.discard(ctx, w.db, v.defs); err != nil {
		return err
	}
	if err := w.c.reached(ctx, "discarded"); err != nil {
		return err
	}
	if !w.j.holds(fileDatabase) {
		return nil
	}
	if err := w.renumber(ctx); err != nil {
		return err
	}
	head, err := w.l.header(w.j)
	if err != nil {
		return err
	}
	if err := w.l.run(ctx, w.db, strings.NewReader(head)); err != nil {
		return fmt.Errorf("set up database: %w", err)
	}
	for _, path := range []string{fileRoutines, fileTriggers, fileViews, fileEvents} {
		if err := w.l.definitions(ctx, w.db, w.j, path, path == fileEvents && w.j.events, nil); err != nil {
			return fmt.Errorf("load %s: %w", path, err)
		}
	}
	return nil
}

// defineTriggers makes the triggers of single tables what the point has.
func (w *swap) defineTriggers(ctx context.Context) error {
	v, err := w.s.survey(ctx, w.j.op)
	if err != nil {
		return err
	}
	var old []definition
	for _, d := range v.defs {
		if d.kind == kindTrigger && containsName(w.j.tables, d.table) {
			old = append(old, d)
		}
	}
	if err := w.discard(ctx, w.db, old); err != nil {
		return err
	}
	return w.l.definitions(ctx, w.db, w.j, fileTriggers, false, func(b block) bool { return containsName(w.j.tables, b.table) })
}

func containsName(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}
