package sqlserver

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf16"

	"kvart/app"
)

const (
	newSuffix = "_kvart_new"  // of the database that is loaded
	oldSuffix = "_kvart_old_" // of the one that was there; a tag follows
)

// Tags tell what a restore made: they are in the names of a database's files,
// which keep them when the database is renamed. A tag begins with the job's ID
// and is another one in every attempt.
var (
	taggedFile = regexp.MustCompile(`_kvart_([0-9a-f]{12})(?:_\d+)?(?:\.[mnl]df)?$`)
	oldName    = regexp.MustCompile(oldSuffix + `([0-9a-f]{12})$`)
)

// beside names a database beside another.
func beside(db, suffix string) string {
	units := []rune(db)
	for len(utf16.Encode(units))+len(suffix) > maxName {
		units = units[:len(units)-1]
	}
	return string(units) + suffix
}

// isOld reports whether a name is of what a restore of db took away.
func isOld(name, db string) bool {
	m := oldName.FindStringSubmatch(name)
	return m != nil && strings.EqualFold(name, beside(db, oldSuffix+m[1]))
}

// tagOf returns the tag in the names of a database's files, "" where no restore
// of ours made them.
func tagOf(files []dataFile) string {
	for _, f := range files {
		if m := taggedFile.FindStringSubmatch(f.Path); m != nil {
			return m[1]
		}
	}
	return ""
}

// madeBy reports whether the job with an ID made a database.
func madeBy(files []dataFile, id string) bool {
	return id != "" && strings.HasPrefix(tagOf(files), id)
}

// swap brings a database in place of another.
type swap struct {
	c    *Connector
	s    *session
	j    job
	db   string
	next string
}

func (c *Connector) swap(s *session, j job) *swap {
	return &swap{c: c, s: s, j: j, db: j.cfg.database, next: beside(j.cfg.database, newSuffix)}
}

// scene is what is there of a database and what a restore has beside it.
type scene struct {
	now, next  *database
	olds       []database
	files      map[string][]dataFile
	tag        string // of the database's own files
	nextTag    string
	interloper bool // the database beside is none of ours
}

func (w *swap) look(ctx context.Context) (v scene, err error) {
	all, err := w.s.databases(ctx)
	if err != nil {
		return v, err
	}
	if v.files, err = w.s.filesOf(ctx); err != nil {
		return v, err
	}
	for _, d := range all {
		switch {
		case strings.EqualFold(d.name, w.db):
			v.now, v.tag = &d, tagOf(v.files[d.name])
		case strings.EqualFold(d.name, w.next):
			v.next, v.nextTag = &d, tagOf(v.files[d.name])
			// One without files that isn't online was hardly begun.
			v.interloper = v.nextTag == "" && (d.online() || len(v.files[d.name]) > 0)
		case isOld(d.name, w.db):
			v.olds = append(v.olds, d)
		}
	}
	return v, nil
}

// settle ends or undoes what a restore left that was cut off. done is true when
// it was this one, and its database is in place already.
//
// What is there tells how far it came. The database and one beside it: nothing
// was exchanged, and what was loaded goes. No database, but the old one under
// another name: it was cut off between two renames, and the old one comes back.
// The database with the tag of the old one's name: they were exchanged, and the
// old one goes.
func (w *swap) settle(ctx context.Context) (done bool, err error) {
	v, err := w.look(ctx)
	if err != nil {
		return false, err
	}
	if v.interloper {
		return false, app.Errorf(app.CodeTargetExists, w.j.op, "there is a database %q that is none of Kvart's", w.next).With("path", w.next)
	}
	if v.now == nil && len(v.olds) > 0 {
		if err := w.takeBack(ctx, &v); err != nil {
			return false, err
		}
	}
	if v.now != nil && v.now.access == "SINGLE_USER" && (v.next != nil || v.tag != "" || len(v.olds) > 0) {
		if err := w.release(ctx, *v.now); err != nil {
			return false, err
		}
	}
	replaced, err := w.dropOlds(ctx, v)
	if err != nil {
		return false, err
	}
	done = replaced && madeBy(v.files[v.now.name], w.j.id)
	if v.next != nil {
		return done, w.drop(ctx, *v.next)
	}
	return done, nil
}

// takeBack gives the database that was renamed its name again.
func (w *swap) takeBack(ctx context.Context, v *scene) error {
	i := slices.IndexFunc(v.olds, func(d database) bool { return strings.HasSuffix(d.name, oldSuffix+v.nextTag) })
	if i < 0 && len(v.olds) > 1 {
		return app.Errorf(app.CodeInterrupted, w.j.op, "there are %d databases that may be %q", len(v.olds), w.db).With("path", w.db)
	}
	old := v.olds[max(i, 0)]
	if err := w.insist(ctx, func() error { return w.rename(ctx, old.name, w.db) }, old); err != nil {
		return err
	}
	v.olds = slices.DeleteFunc(v.olds, func(d database) bool { return d.name == old.name })
	old.name = w.db
	v.now = &old
	return nil
}

// dropOlds drops what the database that is there took the place of. Of another
// one nothing says that it isn't needed.
func (w *swap) dropOlds(ctx context.Context, v scene) (any bool, err error) {
	for _, old := range v.olds {
		if v.tag == "" || !strings.HasSuffix(old.name, oldSuffix+v.tag) {
			continue
		}
		if err := w.drop(ctx, old); err != nil {
			return any, err
		}
		any = true
	}
	return any, nil
}

// leftOld returns the database that a restore had taken away when it was cut
// off.
func (s *session) leftOld(ctx context.Context) (d database, err error) {
	all, err := s.databases(ctx)
	if err != nil {
		return d, err
	}
	for _, d := range all {
		if isOld(d.name, s.cfg.database) {
			return d, nil
		}
	}
	return d, s.cfg.fail(app.CodeSourceGone, "sqlserver: look for database", fmt.Errorf("no database %q", s.cfg.database))
}

func (w *swap) rename(ctx context.Context, from, to string) error {
	return w.s.exec(ctx, "rename database", `ALTER DATABASE `+quote(from)+` MODIFY NAME = `+quote(to))
}

// inUse are the errors of a database that others have open.
func inUse(err error) bool { return refused(err, 924, 3702, 5030, 5061, 5064, 5070) }

// insist does what needs a database for itself again and again, and ends who
// has it open, until it is done or the time is up.
func (w *swap) insist(ctx context.Context, do func() error, of ...database) error {
	for end := time.Now().Add(w.c.patience); ; {
		err := do()
		if err == nil || !inUse(err) || !time.Now().Before(end) {
			return err
		}
		for _, d := range of {
			if err := w.expel(ctx, d); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// expel ends the sessions in a database. A program that is quick to come back
// takes the only place there is in a database for a single user; where the user
// may not end it, there is nothing but to try again.
func (w *swap) expel(ctx context.Context, d database) error {
	rows, err := w.s.rows(ctx, "list sessions", `SELECT e.session_id AS id FROM sys.dm_exec_sessions AS e WHERE e.database_id = @p1 AND e.is_user_process = 1 AND e.session_id <> @@SPID`, d.id)
	if err != nil && refusal(err) == nil {
		return err
	}
	for _, r := range rows {
		if err := w.s.exec(ctx, "end session", fmt.Sprintf("KILL %d", r.int("id"))); err != nil && refusal(err) == nil {
			return err
		}
	}
	return nil
}

// release lets everybody into a database again.
func (w *swap) release(ctx context.Context, d database) error {
	return w.insist(ctx, func() error {
		return w.s.exec(ctx, "let others in", `ALTER DATABASE `+quote(d.name)+` SET MULTI_USER WITH ROLLBACK IMMEDIATE`)
	}, d)
}

// drop drops a database of ours.
func (w *swap) drop(ctx context.Context, d database) error {
	statement := `DROP DATABASE ` + quote(d.name)
	if d.online() {
		statement = `ALTER DATABASE ` + quote(d.name) + ` SET SINGLE_USER WITH ROLLBACK IMMEDIATE; IF @@ERROR = 0 ` + statement
	}
	return w.insist(ctx, func() error { return w.s.exec(ctx, "drop database", statement) }, d)
}

// exchange puts the loaded database in place. The statements are one request:
// whatever becomes of Kvart meanwhile, the server does all of it, or takes the
// first rename back. If it is the server that goes down in the middle, settle
// finds it so.
func (w *swap) exchange(ctx context.Context, v scene) error {
	if v.now == nil {
		return w.insist(ctx, func() error { return w.rename(ctx, w.next, w.db) }, *v.next)
	}
	db, next, old := quote(w.db), quote(w.next), quote(beside(w.db, oldSuffix+v.nextTag))
	// RESTORE and ALTER DATABASE end a TRY block with the last of their
	// errors, which says nothing; hence @@ERROR.
	script := `ALTER DATABASE ` + db + ` SET SINGLE_USER WITH ROLLBACK IMMEDIATE;
IF @@ERROR = 0
BEGIN
 ALTER DATABASE ` + db + ` MODIFY NAME = ` + old + `;
 IF @@ERROR = 0
 BEGIN
  ALTER DATABASE ` + next + ` MODIFY NAME = ` + db + `;
  IF @@ERROR <> 0 ALTER DATABASE ` + old + ` MODIFY NAME = ` + db + `;
 END
END`
	return w.insist(ctx, func() error { return w.s.exec(ctx, "exchange databases", script) }, *v.now, *v.next)
}
