package sqlserver

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"kvart/app"
)

// Apply implements [app.Restorer].
//
// In the server the order is:
//
//  1. What an earlier restore left that was cut off is ended or undone.
//  2. The backup is written into the folder, restored as "<name>_kvart_new" with
//     files of its own, WITH MOVE, CHECKSUM, RECOVERY, and taken out of the
//     folder again.
//  3. DBCC CHECKDB, and all rows are counted. Until here the database was not
//     touched; what is damaged or short is dropped.
//  4. The new database gets the owner that the present one has.
//  5. In one request: the present database is closed to everybody, open
//     transactions being rolled back, and renamed; the new one takes its name;
//     if that fails the first rename is taken back.
//  6. The old database is dropped. It is in the safety point.
//
// Cut off anywhere, the next Apply finds out from the names of databases and
// files how far it came. Service Broker and TRUSTWORTHY are off afterwards, as
// SQL Server has it after every restore.
func (c *Connector) Apply(ctx context.Context, r app.Restore, p app.Progress) (err error) {
	j, err := c.job(r)
	if err != nil {
		return err
	}
	p.Expect(int64(len(j.files)), j.bytes())
	if j.dir != "" {
		return c.applyDir(ctx, j, p)
	}
	s, err := c.connect(ctx, j.cfg)
	if err != nil {
		return err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	return s.targetCode(ctx, j.op, c.applyDatabase(ctx, s, j, p))
}

func (c *Connector) applyDatabase(ctx context.Context, s *session, j job, p app.Progress) error {
	w := c.swap(s, j)
	done, err := w.settle(ctx)
	if err != nil || done {
		return err
	}
	v, err := w.look(ctx)
	if err != nil {
		return err
	}
	switch {
	case j.drop && v.now != nil:
		return w.drop(ctx, *v.now)
	case j.drop, len(j.files) == 0:
		return nil
	case !j.home && v.now != nil && madeBy(v.files[v.now.name], j.id):
		return nil
	case !j.home && v.now != nil:
		return app.Errorf(app.CodeTargetExists, j.op, "there is a database %q already", w.db).With("path", w.db)
	}
	if err := s.suits(j); err != nil {
		return err
	}
	if err := w.bring(ctx, v, p); err != nil {
		return w.giveUp(ctx, err)
	}
	return w.tidy(ctx)
}

// tidy takes away what was replaced.
func (w *swap) tidy(ctx context.Context) error {
	v, err := w.look(ctx)
	if err != nil {
		return err
	}
	if _, err := w.dropOlds(ctx, v); err != nil {
		return err
	}
	if v.now != nil && v.now.access == "SINGLE_USER" {
		return w.release(ctx, *v.now) // as it was when the point was made
	}
	return nil
}

// bring loads the database beside and exchanges it for the present one.
func (w *swap) bring(ctx context.Context, v scene, p app.Progress) error {
	random, err := randomName(2)
	if err != nil {
		return err
	}
	tag := w.j.id + random
	var like []dataFile
	if v.now != nil {
		like = v.files[v.now.name]
	}
	if err := w.s.load(ctx, w.c, w.j, loading{as: w.next, base: w.db, tag: tag, like: like}, p); err != nil {
		return err
	}
	checks, err := w.s.prove(ctx, w.next, w.j)
	if err != nil {
		return err
	}
	for _, check := range checks {
		if !check.OK && !(w.j.raw && w.j.about.Damaged) {
			return app.Errorf(app.CodeCheckFailed, w.j.op, "%s: %s", check.Code, check.Detail).With("detail", check.Detail)
		}
	}
	owner := w.j.about.Owner
	if v.now != nil {
		owner = v.now.owner
	}
	if err := w.give(ctx, owner); err != nil {
		return err
	}
	now, err := w.look(ctx)
	if err != nil {
		return err
	}
	if now.next == nil || now.nextTag != tag || (now.now == nil) != (v.now == nil) {
		return app.Errorf(app.CodeInterrupted, w.j.op, "somebody else changed databases meanwhile").With("path", w.db)
	}
	w.c.remember(tag, checks)
	return w.exchange(ctx, now)
}

// give makes the loaded database's owner who it was: whoever restores a
// database owns it, and a program that comes as its owner would be locked out.
func (w *swap) give(ctx context.Context, owner string) error {
	if owner == "" || strings.EqualFold(owner, w.s.server.user) {
		return nil
	}
	err := w.s.exec(ctx, "give database to owner", `ALTER AUTHORIZATION ON DATABASE::`+quote(w.next)+` TO `+quote(owner))
	if err == nil || refusal(err) == nil {
		return err
	}
	must, askErr := w.s.mustOwn(ctx, owner, w.s.server.user)
	if askErr != nil || must == "" || !w.j.home {
		return askErr // an administrator needs no ownership
	}
	if r, askErr := w.s.one(ctx, "look for owner", `SELECT SUSER_ID(@p1) AS id`, owner); askErr != nil || r.null("id") {
		return askErr // a login of another server's
	}
	return w.s.lacks(w.j.op, []string{"IMPERSONATE ON LOGIN::" + quote(owner)}, strings.Join(restoring(w.s.server.user, owner), " "))
}

// giveUp takes away what was loaded, and brings back what was renamed. It does
// so also when the restore was canceled, over a connection of its own: with its
// context a connection ends too.
func (w *swap) giveUp(ctx context.Context, cause error) error {
	cause = w.s.targetCode(ctx, w.j.op, cause)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute+2*w.c.patience)
	defer cancel()
	s, err := w.c.connect(ctx, w.j.cfg)
	if err != nil {
		return errors.Join(cause, err)
	}
	defer func() { w.c.warn("Could not end connection", s.Close()) }()
	again := *w
	again.s = s
	done, err := again.settle(ctx)
	if done && err == nil {
		return nil // only the server's answer was lost
	}
	return errors.Join(cause, err)
}

// loading is a restore of a backup as a new database.
type loading struct {
	as   string // its name
	base string // what its files are called after
	tag  string
	like []dataFile // whose folders its files go into; none for the server's own choice
}

// load restores the point's backup as a new database.
func (s *session) load(ctx context.Context, c *Connector, j job, l loading, p app.Progress) (err error) {
	if err := s.cfg.room(j.op, j.about.Bytes+1<<20, app.CodeTargetFull); err != nil {
		return err
	}
	t, err := c.stage(s.cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	if err := t.put(ctx, j.from, j.about.File, p); err != nil {
		return err
	}
	options := []string{"FILE = 1"}
	for i, f := range j.about.Files {
		if f.Type != "F" {
			options = append(options, "MOVE "+literal(f.Name)+" TO "+literal(l.path(s.server, i, f)))
		}
	}
	options = append(options, "CHECKSUM", "RECOVERY")
	if j.about.Damaged {
		options = append(options, "CONTINUE_AFTER_ERROR")
	}
	err = s.shown(t, func() error {
		return s.exec(ctx, "restore", `RESTORE DATABASE `+quote(l.as)+` FROM DISK = `+t.device()+` WITH `+strings.Join(options, ", "))
	})
	if err == nil {
		p.Done(int64(len(j.files)), 0)
	}
	return err
}

// awkward is what a file's name had better not hold.
var awkward = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// path is where a file of a new database goes.
func (l loading) path(v server, i int, f dataFile) string {
	dir, ext := v.dataPath, ".ndf"
	switch f.Type {
	case "L":
		dir, ext = v.logPath, ".ldf"
	case "S":
		ext = ""
	default:
		if i == 0 {
			ext = ".mdf"
		}
	}
	for _, old := range l.like {
		if old.Type == f.Type {
			dir = old.Path[:strings.LastIndexAny(old.Path, `/\`)+1]
			break
		}
	}
	name := awkward.ReplaceAllString(l.base, "_") + "_kvart_" + l.tag
	if i > 0 {
		name += fmt.Sprintf("_%d", i+1)
	}
	return join(dir, name+ext)
}
