package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

const opRestore = "postgres: restore"

// Suffixes of the databases beside the one that is restored.
const (
	suffixNew = "_kvart_new" // being loaded
	suffixOld = "_kvart_old" // what was there before
)

// way is how a restore goes.
type way int

const (
	wayFolder way = iota // the files are written into a folder
	wayBeside            // a new database is loaded and takes the name
	wayInside            // the database is emptied and loaded in one transaction
	wayTables            // single tables are replaced in one transaction
	wayRemove            // nothing was there: the database goes
)

// job is what a restore comes down to.
type job struct {
	*link
	r      app.Restore
	way    way
	name   string // of the database, when it is restored
	mark   string
	about  info
	files  []file
	picked []string // files of single tables
	extra  []string // files of tables that were not there and go again, of an undo
	rights rights
}

// job reads what a restore is to do. A connection to the server is made unless
// it goes to a folder. The caller closes the link, if there is one.
func (c *Connector) job(ctx context.Context, r app.Restore) (_ *job, admin *pgx.Conn, err error) {
	j := &job{r: r}
	paths := wholePaths(r.Paths)
	if r.Target.Dir != "" {
		j.way = wayFolder
		return j, nil, nil
	}
	if j.link, err = c.open(ctx, r.Access); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			if admin != nil {
				j.let(ctx, admin)
			}
			err = j.codeOf(ctx, opRestore, err)
			j.link.close()
		}
	}()
	if j.name = r.Target.Database; j.name == "" {
		j.name = j.database
	}
	if strings.ContainsAny(j.name, "\x00\n") || len(j.name) > 63 {
		return nil, nil, app.Errorf(app.CodeUsage, opRestore, "%q is no name for a database", j.name).With("field", fieldDatabase)
	}
	if admin, err = j.enter(ctx); err != nil {
		return nil, admin, err
	}
	if r.Raw && absent(r.From) {
		j.way = wayRemove
		return j, admin, nil
	}
	if err := j.readPoint(); err != nil {
		return nil, admin, err
	}
	if len(paths) > 0 && r.Target.Database == "" {
		j.way = wayTables
		j.picked, j.extra, err = pick(r, j.files, paths)
		return j, admin, err
	}
	j.way = wayInside
	if j.besides() {
		j.way = wayBeside
	}
	return j, admin, nil
}

// besides reports whether the database can be made anew beside the old one.
func (j *job) besides() bool {
	return j.r.Target.Database != "" || j.rights.create && (j.rights.owns || !j.rights.exists)
}

// readPoint reads what the point says of itself.
func (j *job) readPoint() (err error) {
	if j.about, err = readInfo(j.r.From); err != nil {
		return err
	}
	if j.files, err = files(j.r.From); err != nil {
		return err
	}
	j.mark, err = markOf(j.r)
	return err
}

// enter connects to the server and asks what the user may do there. Some hosts
// let a user into its own database only; from there none can be made.
func (j *job) enter(ctx context.Context) (admin *pgx.Conn, err error) {
	outside := true
	if admin, err = j.maintain(ctx); err != nil {
		outside = false
		var direct error
		if admin, direct = j.connect(ctx, j.database); direct != nil {
			return nil, err
		}
	}
	j.rights, err = readRights(ctx, admin, j.name)
	j.rights.create = j.rights.create && outside
	return admin, err
}

// absent reports whether a safety point holds nothing: no database was there.
func absent(from fs.FS) bool {
	list, err := fs.ReadDir(from, ".")
	return errors.Is(err, fs.ErrNotExist) || err == nil && len(list) == 0
}

// wholePaths returns no paths when they mean everything.
func wholePaths(paths []string) []string {
	if slices.Contains(paths, ".") {
		return nil
	}
	return paths
}

// pick finds the tables' files that paths name, and those that an undo takes
// away since the restore had made them.
func pick(r app.Restore, list []file, paths []string) (picked, extra []string, err error) {
	for _, p := range paths {
		found := false
		for _, f := range list {
			if path.Dir(f.name) == dirData && (f.name == p || p == dirData) {
				found = true
				if !slices.Contains(picked, f.name) {
					picked = append(picked, f.name)
				}
			}
		}
		for _, name := range r.Remove {
			if r.Raw && path.Dir(name) == dirData && (name == p || p == dirData) && !slices.Contains(extra, name) {
				found = true
				extra = append(extra, name)
			}
		}
		if !found {
			return nil, nil, app.Errorf(app.CodePathUnknown, opRestore, "%s is no table of the point", p).With("path", p)
		}
	}
	slices.Sort(picked)
	return picked, extra, nil
}

// Apply implements [app.Restorer].
func (c *Connector) Apply(ctx context.Context, r app.Restore, p app.Progress) error {
	if r.Target.Dir != "" {
		return toFolder(ctx, r, p)
	}
	j, admin, err := c.job(ctx, r)
	if err != nil {
		return err
	}
	defer j.link.close()
	defer j.let(ctx, admin)
	switch j.way {
	case wayTables:
		err = j.replaceTables(ctx, admin, p)
	case wayInside:
		err = j.inside(ctx, p)
	case wayRemove:
		err = drop(ctx, admin, j.name)
	default:
		err = j.beside(ctx, admin, p)
	}
	return j.codeOf(ctx, opRestore, err)
}

// beside loads a new database beside the one to be restored and lets it take
// the name. Killed at any moment, it goes on or begins again: until the names
// are exchanged the new database alone is touched, and whether that is done
// its mark tells.
func (j *job) beside(ctx context.Context, admin *pgx.Conn, p app.Progress) error {
	have, exists, err := marked(ctx, admin, j.name)
	if err != nil {
		return err
	}
	if exists && have == j.mark {
		return j.finish(ctx, admin)
	}
	if exists && !j.r.Target.Original() {
		return app.Errorf(app.CodeTargetExists, opRestore, "a database %s is there", j.name).With("path", j.name)
	}
	if !j.rights.create {
		return j.mayNotCreate()
	}
	fresh, kept := beside(j.name, suffixNew), beside(j.name, suffixOld)
	have, loaded, err := marked(ctx, admin, fresh)
	if err != nil {
		return err
	}
	if !loaded || have != j.mark {
		if err := j.build(ctx, admin, fresh, p); err != nil {
			return err
		}
	}
	j.c.step("built")
	moves := [][2]string{{fresh, j.name}}
	if exists {
		// What an earlier restore kept is older than what goes there now.
		if err := drop(ctx, admin, kept); err != nil {
			return err
		}
		moves = [][2]string{{j.name, kept}, {fresh, j.name}}
	}
	j.c.step("cleared")
	if err := j.rename(ctx, moves...); err != nil {
		return fmt.Errorf("exchange databases: %w", err)
	}
	j.c.step("exchanged")
	return j.finish(ctx, admin)
}

// finish ends a restore of a safety point, which nobody verifies. Any other
// keeps the old database until then.
func (j *job) finish(ctx context.Context, admin *pgx.Conn) error {
	if !j.r.Raw || !j.r.Target.Original() {
		return nil
	}
	if err := drop(ctx, admin, beside(j.name, suffixOld)); err != nil {
		return err
	}
	return mark(ctx, admin, j.name, "")
}

func (j *job) mayNotCreate() error {
	return j.fail(app.CodeSourceRight, opRestore, errors.New("the user may not create databases")).
		With("right", "CREATEDB").With("statement", "ALTER ROLE "+ident(j.user)+" CREATEDB;")
}

// build makes, loads and checks a database, and marks it when all is well. One
// that is not well is taken away again.
func (j *job) build(ctx context.Context, admin *pgx.Conn, name string, p app.Progress) (err error) {
	if err := drop(ctx, admin, name); err != nil {
		return err
	}
	note, err := create(ctx, admin, name, j.about)
	if err != nil {
		return fmt.Errorf("create %s: %w", name, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, j.takeAway(context.WithoutCancel(ctx), admin, name, err))
		}
	}()
	j.c.step("created")
	if err := adopt(ctx, admin, name, j.name); err != nil {
		return err
	}
	checks, notes, err := j.loadInto(ctx, name, nil, p)
	if err != nil {
		return err
	}
	if note != "" {
		notes = append(notes, note)
	}
	for _, n := range notes {
		j.c.log.Warn("Not given back", "connector", string(Kind), "what", n)
	}
	for _, check := range checks {
		if !check.OK {
			return app.Errorf(app.CodeCheckFailed, opRestore, "%s: %s", check.Code, check.Detail).With("source", j.r.Access.Source.Name).With("detail", check.Detail)
		}
	}
	j.c.step("checked")
	if slices.ContainsFunc(checks, func(c app.Check) bool {
		return slices.ContainsFunc(c.Seen, func(s app.Seen) bool { return s.Code == app.SeenIndexesRight })
	}) {
		j.c.looked.Store(j.mark, true)
	}
	return mark(ctx, admin, name, j.mark)
}

// takeAway drops a database whose loading failed. A server whose disk is full
// drops none, since it wants to write everything out first, and leaves it
// beyond use: emptied before, it makes the room for that.
func (j *job) takeAway(ctx context.Context, admin *pgx.Conn, name string, cause error) error {
	if sqlState(cause) == stateFull {
		conn, err := j.connect(ctx, name)
		if err != nil {
			return err
		}
		err = perform(ctx, conn, clearSchemas)
		j.let(ctx, conn)
		j.c.warn("empty the database that found no room", err)
	}
	return drop(ctx, admin, name)
}

// loadInto loads the point into an empty database and looks at it. Files that
// skip names are left out.
func (j *job) loadInto(ctx context.Context, name string, skip []string, p app.Progress) (checks []app.Check, notes []string, err error) {
	conn, err := j.connect(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	defer j.let(ctx, conn)
	l := &loader{conn: conn, from: j.r.From, p: p, rows: map[string]int64{}, step: j.c.step}
	list := slices.DeleteFunc(slices.Clone(j.files), func(f file) bool { return slices.Contains(skip, f.name) })
	h, err := j.hire(ctx, name, l)
	if err != nil {
		return nil, nil, err
	}
	err = h.load(ctx, list)
	h.dismiss(ctx)
	if err != nil {
		return nil, nil, err
	}
	if j.about.NoPublic {
		if err := perform(ctx, conn, "DROP SCHEMA IF EXISTS public"); err != nil {
			return nil, nil, err
		}
	}
	// What was set for the database holds for new sessions.
	again, err := j.connect(ctx, name)
	if err != nil {
		return nil, nil, err
	}
	defer j.let(ctx, again)
	checks, err = j.inspect(ctx, again, expected{stats: j.r.Stats, rows: l.rows, alone: true})
	return checks, l.notes, err
}
