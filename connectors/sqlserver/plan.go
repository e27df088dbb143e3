package sqlserver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"kvart/app"
)

// job is what a restore comes down to.
type job struct {
	op    string
	cfg   config // its database is the target's
	home  bool   // the target is the source's own database
	dir   string // instead of a database
	from  fs.FS
	about about
	files []pointFile // of the point, to go into dir
	drop  bool        // an undo to where there was no database
	raw   bool
	id    string // tells this restore from others
}

type pointFile struct {
	path string
	size int64
}

// job finds what a restore puts where.
func (c *Connector) job(r app.Restore) (j job, err error) {
	j = job{op: "sqlserver: restore", from: r.From, dir: r.Target.Dir, raw: r.Raw, home: r.Target.Original()}
	if j.cfg, err = readConfig(r.Access); err != nil {
		return j, err
	}
	if name := r.Target.Database; name != "" {
		if err := checkName("to", name); err != nil {
			return j, err
		}
		if strings.EqualFold(name, j.cfg.database) {
			return j, app.Errorf(app.CodeUsage, j.op, "%q is the database itself", name).With("field", "to")
		}
		j.cfg.database = name
	}
	var ok bool
	if j.about, ok, err = readAbout(j.from); err != nil {
		return j, err
	}
	if !ok {
		if !r.Raw || !j.home {
			return j, app.Errorf(app.CodePathUnknown, j.op, "the point holds no database").With("path", fileAbout)
		}
		j.drop = slices.Contains(r.Remove, fileAbout)
		return j, nil
	}
	if err := j.choose(r.Paths); err != nil {
		return j, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %d %q %q", j.cfg.database, j.about.File, j.about.Bytes, j.about.LastLSN, j.about.Finished))
	j.id = hex.EncodeToString(sum[:4])
	return j, nil
}

// choose lists the files of the point that are to be restored. A part of a
// backup can't be.
func (j *job) choose(paths []string) error {
	chosen := map[string]bool{}
	for _, p := range paths {
		switch p = path.Clean(p); {
		case p == ".":
			chosen = map[string]bool{}
		case p == j.about.File, p == fileAbout && j.dir != "":
			chosen[p] = true
		case p == fileAbout:
		default:
			return app.Errorf(app.CodeUsage, j.op,
				"%s can't be restored alone: restore the database under a new name beside it, and copy the rows over with INSERT … SELECT", p).
				With("path", p).With("field", "path").With("choices", j.about.File)
		}
		if p == "." {
			break
		}
	}
	for _, name := range []string{fileAbout, j.about.File} {
		fi, err := fs.Stat(j.from, name)
		if err != nil {
			return app.Errorf(app.CodePathUnknown, j.op, "%s is not in the point: %w", name, err).With("path", name)
		}
		if name == j.about.File && fi.Size() != j.about.Bytes {
			return app.Errorf(app.CodeCheckFailed, j.op, "%s has %d bytes in the point, and had %d", name, fi.Size(), j.about.Bytes)
		}
		if len(chosen) == 0 || chosen[name] {
			j.files = append(j.files, pointFile{name, fi.Size()})
		}
	}
	return nil
}

func (j *job) bytes() (n int64) {
	for _, f := range j.files {
		n += f.size
	}
	return n
}

// Plan implements [app.Restorer].
func (c *Connector) Plan(ctx context.Context, r app.Restore) (plan app.TargetPlan, err error) {
	const op = "sqlserver: plan restore"
	if err := ctx.Err(); err != nil {
		return plan, &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	}
	j, err := c.job(r)
	if err != nil {
		return plan, err
	}
	if j.dir != "" {
		return c.planDir(ctx, j)
	}
	plan = app.TargetPlan{Where: j.cfg.database + " (" + j.cfg.where() + ")", Bytes: j.bytes(), Files: int64(len(j.files))}
	s, err := c.connect(ctx, j.cfg)
	if err != nil {
		return plan, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.targetCode(ctx, op, err) }()
	d, exists, err := s.there(ctx, j)
	if err != nil {
		return plan, err
	}
	plan.Exists = exists && j.home
	switch {
	case j.drop && exists:
		plan.Remove = 1
	case exists:
		plan.Overwrite = 1
	case !j.drop:
		plan.Create = 1
	}
	if plan.Blockers, err = c.blockers(ctx, s, j, d, exists); err != nil {
		return plan, err
	}
	if plan.Exists {
		plan.Warnings, err = s.open(ctx, d)
	}
	return plan, err
}

// there looks for the database that a restore would replace, also under the name
// that one gave it that was cut off.
func (s *session) there(ctx context.Context, j job) (d database, ok bool, err error) {
	d, ok, err = s.database(ctx, j.cfg.database)
	if err != nil || ok || !j.home {
		return d, ok, err
	}
	d, err = s.leftOld(ctx)
	if app.CodeOf(err) == app.CodeSourceGone {
		return d, false, nil
	}
	return d, err == nil, err
}

// open tells which programs have the database open.
func (s *session) open(ctx context.Context, d database) ([]*app.Error, error) {
	rows, err := s.rows(ctx, "list sessions", `SELECT DISTINCT RTRIM(e.program_name) AS program, RTRIM(e.host_name) AS host FROM sys.dm_exec_sessions AS e
 WHERE e.database_id = @p1 AND e.is_user_process = 1 AND e.session_id <> @@SPID`, d.id)
	if refusal(err) != nil {
		return nil, nil // not allowed to look
	}
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	var programs, hosts []string
	for _, r := range rows {
		programs, hosts = append(programs, r.str("program")), append(hosts, r.str("host"))
	}
	return []*app.Error{app.Errorf(app.CodeTargetOpen, "sqlserver: plan restore", "%q has sessions", d.name).
		With("programs", names(programs)).With("hosts", names(hosts)).With("path", d.name)}, nil
}

// names joins names, each once and in order.
func names(list []string) string {
	list = slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
	slices.Sort(list)
	return strings.Join(slices.Compact(list), ", ")
}

// blockers lists what must be solved before a restore into a database. It
// only looks; into the folder it puts a small file for a moment.
func (c *Connector) blockers(ctx context.Context, s *session, j job, d database, exists bool) (out []*app.Error, err error) {
	checks := []func() error{
		func() error { return s.mayRestore(ctx, j, d, exists) },
		func() error { return s.suits(j) },
		func() error { return s.free(ctx, j) },
		func() error { return c.reachable(ctx, s, j) },
		func() error { return s.vacant(ctx, j, exists) },
	}
	for _, check := range checks {
		var known *app.Error
		switch err := check(); {
		case err == nil:
		case errors.As(s.targetCode(ctx, j.op, err), &known) && known.Code != app.CodeCanceled && known.Code != app.CodeInternal && known.Code != app.CodeSourceOffline:
			out = append(out, known)
		default:
			return nil, err
		}
	}
	return out, nil
}

// mayRestore makes sure of the rights to restore.
func (s *session) mayRestore(ctx context.Context, j job, d database, exists bool) error {
	g, err := s.grants(ctx)
	if err != nil {
		return err
	}
	var missing []string
	if !g.create {
		missing = append(missing, "CREATE ANY DATABASE")
	}
	if !g.alter && (exists || j.home) {
		missing = append(missing, "ALTER ANY DATABASE")
	}
	owner := ""
	if exists && j.home && !j.drop {
		if owner, err = s.mustOwn(ctx, d.owner, s.server.user); err != nil {
			return err
		}
	}
	if owner != "" {
		r, err := s.one(ctx, "ask for rights", `SELECT HAS_PERMS_BY_NAME(QUOTENAME(@p1), N'LOGIN', N'IMPERSONATE') AS may`, owner)
		if err != nil {
			return err
		}
		if !r.yes("may") {
			missing = append(missing, "IMPERSONATE ON LOGIN::"+quote(owner))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return s.lacks(j.op, missing, strings.Join(restoring(s.server.user, owner), " "))
}

// expressLimit is how large Express lets a database's data files be.
func (v server) expressLimit() int64 {
	if v.major >= 17 {
		return 50 << 30
	}
	return 10 << 30
}

// suits makes sure that this version and edition takes the point.
func (s *session) suits(j job) error {
	a := j.about
	switch {
	case j.drop:
		return nil
	case a.Major > s.server.major:
		return s.cfg.fail(app.CodeProgramOld, j.op, fmt.Errorf("the point is of version %s, the server of %s", a.Server, s.server.version)).
			With("program", "SQL Server").With("version", s.server.version).With("needs", a.Server)
	case s.server.express && a.dataBytes() > s.server.expressLimit():
		return s.cfg.fail(app.CodeSourceTooLarge, j.op, fmt.Errorf("%d bytes of data files", a.dataBytes())).
			With("edition", fmt.Sprintf("SQL Server Express (%d GB)", s.server.expressLimit()>>30)).With("need", fmt.Sprint(a.dataBytes()))
	case s.server.express && len(a.Features) > 0 && !strings.Contains(a.Edition, "Express"):
		return s.cfg.fail(app.CodeProgramOld, j.op, fmt.Errorf("it uses %s", strings.Join(a.Features, ", "))).
			With("program", s.server.edition).With("version", s.server.version).With("needs", a.Edition+" ("+strings.Join(a.Features, ", ")+")")
	}
	return nil
}

// free looks at the folder's disk, and at the server's where that is one of
// this computer's.
func (s *session) free(ctx context.Context, j job) error {
	if j.drop {
		return nil
	}
	if err := s.cfg.room(j.op, j.about.Bytes+1<<20, app.CodeTargetFull); err != nil {
		return err
	}
	if !s.cfg.local() {
		return ctx.Err()
	}
	data := s.cfg
	data.folder = s.server.dataPath
	if err := data.room(j.op, j.about.fileBytes(), app.CodeTargetFull); app.CodeOf(err) == app.CodeTargetFull {
		return err
	}
	return ctx.Err()
}

// reachable makes sure that the server reads the folder.
func (c *Connector) reachable(ctx context.Context, s *session, j job) (err error) {
	if j.drop {
		return nil
	}
	t, err := c.stage(s.cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }()
	return s.probe(ctx, j.op, t)
}

// vacant makes sure that a new database's name is free, or taken by this very
// restore.
func (s *session) vacant(ctx context.Context, j job, exists bool) error {
	if j.home || !exists {
		return nil
	}
	files, err := s.filesOf(ctx)
	if err != nil {
		return err
	}
	if madeBy(files[j.cfg.database], j.id) {
		return nil
	}
	return app.Errorf(app.CodeTargetExists, j.op, "there is a database %q already", j.cfg.database).With("path", j.cfg.database)
}
