package webhotel

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/exclude"
)

// job is what a restore comes down to.
type job struct {
	op   string
	a    app.Access
	o    opened // where the files go: the site, or a folder here
	dir  string // the folder; "" for the site
	from part

	files  bool // files are restored
	whole  bool // all of them
	list   []entry
	gone   []string // files and folders an undo takes away
	atAll  bool     // the undo leaves nothing behind: there was no folder
	paths  []string // of the files chosen
	stats  app.Stats
	db     bool // the database is restored
	beside bool // under another name, beside the site's own
	dbPart app.Restore
}

// job finds what a restore puts where.
func (c *Connector) job(ctx context.Context, r app.Restore) (j job, err error) {
	j = job{op: "webhotel: restore", a: r.Access, dir: r.Target.Dir, from: part{r.From, filesDir}, stats: r.Stats}
	if j.dir == "" {
		j.o, err = c.open(r.Access)
	} else if j.o.cfg, err = readPlace(r.Access); err == nil {
		j.dir, err = filepath.Abs(j.dir)
		j.o.pool = localPool(filepath.Join(j.dir, filesDir), c.pace)
	}
	if err != nil {
		return j, err
	}
	if err := j.split(r); err != nil {
		return j, err
	}
	if j.files {
		if err := j.selection(ctx); err != nil {
			return j, err
		}
	}
	if j.db {
		err = c.databaseJob(ctx, r, &j)
	}
	return j, err
}

// split tells the files' share of a restore from the database's.
func (j *job) split(r app.Restore) error {
	holds := func(dir string) bool {
		_, err := fs.Stat(r.From, dir)
		return err == nil
	}
	j.dbPart = app.Restore{From: part{r.From, databaseDir}, Target: r.Target, Stats: innerStats(r.Stats), Raw: r.Raw}
	for _, p := range r.Remove {
		dir, rest, _ := strings.Cut(path.Clean(p), "/")
		switch {
		case dir == databaseDir && rest != "":
			j.dbPart.Remove = append(j.dbPart.Remove, rest)
		case dir == filesDir && rest != "":
			j.gone = append(j.gone, rest)
		case dir == filesDir:
			j.atAll = true
		}
	}
	j.files = holds(filesDir) || len(j.gone) > 0 || j.atAll
	j.db = holds(databaseDir) || len(j.dbPart.Remove) > 0
	j.whole = true
	if err := j.narrow(r); err != nil {
		return err
	}
	if j.beside = r.Target.Database != ""; !j.beside {
		return nil
	}
	if j.files = false; !j.db {
		return app.Errorf(app.CodePathUnknown, j.op, "the point holds no database").With("path", databaseDir)
	}
	return nil
}

// narrow takes the owner's choice of paths.
func (j *job) narrow(r app.Restore) error {
	if len(r.Paths) == 0 {
		return nil
	}
	files, db := false, false
	allFiles, allDB := false, false
	for _, p := range r.Paths {
		p = path.Clean(strings.TrimSuffix(p, "/"))
		dir, rest, _ := strings.Cut(p, "/")
		switch {
		case !fs.ValidPath(p):
			return app.Errorf(app.CodeUsage, j.op, "%q is no path in a point", p).With("path", p)
		case p == ".":
			return nil
		case dir == filesDir && j.files:
			files, allFiles = true, allFiles || rest == ""
			j.paths = append(j.paths, rest)
		case dir == databaseDir && j.db:
			db, allDB = true, allDB || rest == ""
			j.dbPart.Paths = append(j.dbPart.Paths, rest)
		default:
			return app.Errorf(app.CodePathUnknown, j.op, "%s is not in the point", p).With("path", p)
		}
	}
	if allFiles {
		j.paths = nil
	}
	if allDB {
		j.dbPart.Paths = nil
	}
	j.files, j.db, j.whole = files, db, files && allFiles
	return nil
}

// databaseJob makes the database's share a restore of its own.
func (c *Connector) databaseJob(ctx context.Context, r app.Restore, j *job) (err error) {
	if r.Target.Dir != "" {
		j.dbPart.Target.Dir = filepath.Join(j.dir, databaseDir)
		// Nothing is asked of the server: the access only has to be one.
		j.dbPart.Access, err = c.inner(r.Access, j.o.cfg, anyLogin(r.Access, j.o.cfg, r.From))
		return err
	}
	if !hasDatabase(r.Access) {
		return app.Errorf(app.CodeUsage, j.op, "the point holds a database and the settings name none").With("field", fieldDBName)
	}
	j.dbPart.Access, err = c.databaseFor(ctx, r.Access, j.o, r.From)
	return err
}

// anyLogin is good for naming a database that nobody asks anything of.
func anyLogin(a app.Access, cfg config, from fs.FS) login {
	l, err := pointLogin(from)
	if err != nil {
		l = manualLogin(a)
	}
	if l.name == "" {
		l.name = databaseDir
	}
	if l.user == "" {
		l.user = databaseDir
	}
	l.host, l.socket = cfg.host, ""
	return l
}

// selection lists what of the point's files is brought back: everything, or
// what lies at and below the paths, with the folders that lead there.
func (j *job) selection(ctx context.Context) error {
	paths := j.paths
	if len(paths) == 0 {
		paths = []string{"."}
	}
	found := map[string]entry{}
	for _, p := range paths {
		if _, err := fs.Lstat(j.from, p); errors.Is(err, fs.ErrNotExist) {
			if p == "." {
				continue
			}
			return app.Errorf(app.CodePathUnknown, j.op, "%s: %w", p, err).With("path", filesDir+"/"+p)
		}
		for up := path.Dir(p); up != "."; up = path.Dir(up) {
			if err := j.add(up, found); err != nil {
				return err
			}
		}
		err := fs.WalkDir(j.from, p, func(name string, _ fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			return j.add(name, found)
		})
		if ctx.Err() != nil {
			return canceled(j.op, ctx.Err())
		}
		if err != nil {
			return fmt.Errorf("read %s in the point: %w", p, err)
		}
	}
	for _, e := range found {
		j.list = append(j.list, e)
	}
	slices.SortFunc(j.list, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return nil
}

// add reads one entry of the point. A name that would leave the folder it is
// restored to is refused.
func (j *job) add(name string, found map[string]entry) error {
	if _, ok := found[name]; ok || name == "." {
		return nil
	}
	if !fs.ValidPath(name) {
		return app.Errorf(app.CodeUsage, j.op, "%q can't be a name", name).With("path", name)
	}
	if j.dir != "" {
		if err := fits(name); err != nil {
			return err
		}
	}
	fi, err := fs.Lstat(j.from, name)
	if err != nil {
		return fmt.Errorf("look at %s in the point: %w", name, err)
	}
	e := entry{path: name, mtime: fi.ModTime(), mode: fi.Mode() & (fs.ModePerm | fs.ModeType)}
	switch {
	case fi.IsDir():
	case fi.Mode()&fs.ModeSymlink != 0:
		if e.link, err = fs.ReadLink(j.from, name); err != nil {
			return fmt.Errorf("read link %s in the point: %w", name, err)
		}
	case fi.Mode().IsRegular():
		e.size = fi.Size()
	default:
		return nil
	}
	found[name] = e
	return nil
}

// present lists the target: the folders that something is restored to, or all
// of it where everything is. It is nil where there is no folder yet.
func (j *job) present(ctx context.Context) (have map[string]entry, temp []string, err error) {
	wanted := map[string]bool{}
	for _, e := range j.list {
		wanted[e.path], wanted[path.Dir(e.path)] = true, true
		if j.dir != "" {
			wanted[readable(e.path)], wanted[readable(path.Dir(e.path))] = true, true
		}
	}
	for _, p := range j.gone {
		for up := path.Dir(p); up != "."; up = path.Dir(up) {
			wanted[up] = true
		}
	}
	list, temp, err := walk(ctx, j.o.pool, exclude.Own(newPrefix), func(dir string) bool { return wanted[dir] })
	if missingRoot(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	have = make(map[string]entry, len(list))
	for _, e := range list {
		have[e.path] = e
	}
	return have, temp, nil
}

// at finds in a listing what the point calls p. On this computer names are
// written for people.
func (j *job) at(have map[string]entry, p string) (entry, bool) {
	if j.dir != "" {
		p = readable(p)
	}
	e, ok := have[p]
	return e, ok
}
