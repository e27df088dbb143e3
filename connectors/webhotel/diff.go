package webhotel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

var _ app.Differ = (*Connector)(nil)

const opDiff = "webhotel: compare"

// Live implements [app.Differ]: the site as it is now. It is listed whole, and
// of its files those are read that the comparison asks for. The database's own
// connector writes the database into tmp.
func (c *Connector) Live(ctx context.Context, a app.Access, tmp string) (_ app.PointFS, err error) {
	o, err := c.open(a)
	if err != nil {
		return nil, err
	}
	l := &live{ctx: ctx, cp: &capture{o: o, read: map[string]int64{}, now: time.Now(), present: true, root: true}, at: map[string]entry{}}
	defer func() {
		if err != nil {
			err = errors.Join(o.cfg.codeOf(ctx, opDiff, err), l.Close())
		}
	}()
	if l.cp.list, _, err = walk(ctx, o.pool, o.cfg.exclude, nil); err != nil {
		return nil, err
	}
	for _, e := range l.cp.list {
		l.at[e.path] = e
	}
	d, ok := c.db.(app.Differ)
	if !ok || !hasDatabase(a) {
		return l, nil
	}
	in, err := c.database(ctx, a, o)
	if err != nil {
		return nil, err
	}
	l.db, err = d.Live(ctx, in, tmp)
	return l, innerError(err)
}

// live is a site seen as a point of it would be.
type live struct {
	ctx context.Context // the comparison's: files are opened within it
	cp  *capture
	at  map[string]entry // by path
	db  app.PointFS      // nil without a database that can be compared
}

var (
	_ fs.ReadDirFS = (*live)(nil)
	_ fs.StatFS    = (*live)(nil)
)

// Close ends the connections.
func (l *live) Close() error {
	err := l.cp.close()
	if l.db != nil {
		err = errors.Join(err, l.db.Close())
	}
	return err
}

// find returns what a name of the view is, or the name within the database.
func (l *live) find(op, name string) (e entry, inner string, err error) {
	top, rest, _ := strings.Cut(name, "/")
	e, ok := l.at[rest]
	switch {
	case !fs.ValidPath(name):
		err = fs.ErrInvalid
	case name == ".", name == filesDir:
		return entry{path: path.Base(name), mode: fs.ModeDir | 0o755}, "", nil
	case top == databaseDir && l.db != nil:
		return e, cmp.Or(rest, "."), nil
	case top == filesDir && ok && e.err == nil:
		return e, "", nil
	case top == filesDir && ok:
		err = e.err
	default:
		err = fs.ErrNotExist
	}
	return e, "", &fs.PathError{Op: op, Path: name, Err: err}
}

// Open implements [fs.FS]. Folders are only to be listed.
func (l *live) Open(name string) (fs.File, error) {
	e, inner, err := l.find("open", name)
	switch {
	case err != nil:
		return nil, err
	case inner != "":
		return l.db.Open(inner)
	case !e.regular():
		return nil, &fs.PathError{Op: "open", Path: name, Err: errors.ErrUnsupported}
	}
	s, err := l.cp.open(l.ctx, e)
	if err != nil {
		return nil, err
	}
	return liveFile{s, info{e}}, nil
}

// Stat implements [fs.StatFS]. No link is followed.
func (l *live) Stat(name string) (fs.FileInfo, error) {
	e, inner, err := l.find("stat", name)
	if err == nil && inner != "" {
		return fs.Stat(l.db, inner)
	}
	return info{e}, err
}

// ReadDir implements [fs.ReadDirFS].
func (l *live) ReadDir(name string) (out []fs.DirEntry, err error) {
	_, inner, err := l.find("readdir", name)
	if err == nil && inner != "" {
		return fs.ReadDir(l.db, inner)
	}
	if err != nil {
		return nil, err
	}
	if name == "." {
		out = append(out, fs.FileInfoToDirEntry(info{entry{path: filesDir, mode: fs.ModeDir | 0o755}}))
		if l.db != nil {
			out = slices.Insert(out, 0, fs.FileInfoToDirEntry(info{entry{path: databaseDir, mode: fs.ModeDir | 0o700}}))
		}
		return out, nil
	}
	for _, e := range l.cp.list { // sorted
		if path.Dir(filesDir+"/"+e.path) == name && e.err == nil {
			out = append(out, fs.FileInfoToDirEntry(info{e}))
		}
	}
	return out, nil
}

// info tells of an entry.
type info struct{ e entry }

func (i info) Name() string       { return path.Base(i.e.path) }
func (i info) Size() int64        { return i.e.size }
func (i info) Mode() fs.FileMode  { return i.e.mode }
func (i info) ModTime() time.Time { return i.e.mtime }
func (i info) IsDir() bool        { return i.e.mode.IsDir() }
func (i info) Sys() any           { return nil }

// liveFile is an open file of the site.
type liveFile struct {
	stream
	about info
}

func (f liveFile) Stat() (fs.FileInfo, error) { return f.about, nil }

// Diff implements [app.Differ]: one change a file, and what the database's own
// connector finds. Two files of one size and one time are taken for the same;
// of one size and two times they are read.
func (c *Connector) Diff(ctx context.Context, before, after fs.FS, tmp string) (changes []app.Change, err error) {
	if d, ok := c.db.(app.Differ); ok && holds(before, databaseDir) && holds(after, databaseDir) {
		if changes, err = d.Diff(ctx, part{before, databaseDir}, part{after, databaseDir}, tmp); err != nil {
			return nil, err
		}
		for i := range changes {
			changes[i].Path = databaseDir + "/" + changes[i].Path
		}
	}
	files, err := diffFiles(ctx, [2]fs.FS{before, after})
	return append(changes, files...), err
}

func diffFiles(ctx context.Context, sides [2]fs.FS) (changes []app.Change, err error) {
	var at [2]map[string]entry
	var paths []string
	for i, side := range sides {
		list, err := filesOf(ctx, side)
		if err != nil {
			return nil, err
		}
		at[i] = map[string]entry{}
		for _, e := range list {
			if at[i][e.path] = e; !e.mode.IsDir() {
				paths = append(paths, e.path)
			}
		}
	}
	slices.Sort(paths)
	for _, p := range slices.Compact(paths) {
		if hidden(at[0], p) || hidden(at[1], p) {
			continue // what can't be seen has not gone
		}
		a, was := at[0][p]
		b, is := at[1][p]
		ch := app.Change{Path: filesDir + "/" + p, Kind: app.ChangeChanged, Before: a.size, After: b.size}
		same := false
		switch {
		case !was:
			ch.Kind = app.ChangeAdded
		case !is:
			ch.Kind = app.ChangeRemoved
		default:
			if same, err = sameFile(ctx, sides, a, b); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", opDiff, p, err)
			}
		}
		if !same {
			changes = append(changes, ch)
		}
	}
	return changes, nil
}

func holds(from fs.FS, dir string) bool {
	_, err := fs.Stat(from, dir)
	return err == nil
}

// filesOf lists the files of one side.
func filesOf(ctx context.Context, side fs.FS) ([]entry, error) {
	if l, ok := side.(*live); ok {
		return l.cp.list, nil // which knows how exact its times are
	}
	j := job{op: opDiff, from: part{side, filesDir}}
	err := j.selection(ctx)
	return j.list, err
}

// hidden reports whether a file, or a folder it lies in, can't be read.
func hidden(at map[string]entry, p string) bool {
	for ; p != "."; p = path.Dir(p) {
		if at[p].err != nil {
			return true
		}
	}
	return false
}

// sameFile compares what is called the same on both sides. What can't be read
// any more is not what it was.
func sameFile(ctx context.Context, sides [2]fs.FS, a, b entry) (same bool, err error) {
	defer func() {
		if code := app.CodeOf(err); code == app.CodeItemVanished || code == app.CodeItemUnreadable {
			same, err = false, nil
		}
	}()
	switch {
	case a.mode.Type() != b.mode.Type() || a.link != b.link || a.size != b.size:
		return false, nil
	case !a.mode.IsRegular() || a.sameTime(b):
		return true, nil
	}
	before, err := sides[0].Open(filesDir + "/" + a.path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, before.Close()) }()
	after, err := sides[1].Open(filesDir + "/" + a.path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, after.Close()) }()
	return equal(before, &counted{ctx: ctx, r: after})
}
