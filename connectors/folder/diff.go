package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"kvart/app"
	"kvart/connectors/internal/exclude"
	"kvart/connectors/internal/volume"
)

// Live implements [app.Differ]: the folder itself, without what is left out.
func (c *Connector) Live(ctx context.Context, a app.Access, _ string) (app.PointFS, error) {
	const op = "folder: read present state"
	dir, ex, err := source(a)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, canceled(op, err)
	}
	if err := isFolder(op, dir); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, volume.Error(op, dir, err)
	}
	return &live{c: c, root: root, ex: ex}, nil
}

// live is a folder seen as a point of it would be.
type live struct {
	c    *Connector
	root *os.Root
	ex   exclude.Patterns
}

var (
	_ app.PointFS   = (*live)(nil)
	_ fs.ReadDirFS  = (*live)(nil)
	_ fs.StatFS     = (*live)(nil)
	_ fs.ReadLinkFS = (*live)(nil)
)

// Close closes the folder.
func (l *live) Close() error { return l.root.Close() }

// at returns where a name of the view lies, or an error when it has none.
func (l *live) at(op, name string) (string, error) {
	if !fs.ValidPath(name) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	at := filepath.FromSlash(name)
	fi, err := l.root.Lstat(at)
	if err == nil && name != "." && (l.ex.Below(name, fi.IsDir()) || !kept(fi.Mode())) {
		err = &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return at, err
}

// kept reports whether points hold things of this mode.
func kept(m fs.FileMode) bool { return m.IsRegular() || m.IsDir() || m&fs.ModeSymlink != 0 }

// Open implements [fs.FS].
func (l *live) Open(name string) (fs.File, error) {
	at, err := l.at("open", name)
	if err != nil {
		return nil, err
	}
	f, err := l.root.Open(at)
	if err != nil {
		return nil, err
	}
	raw := l.c.files.Adopt(f)
	fi, err := raw.Stat()
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	if fi.IsDir() {
		return &openDir{File: raw, view: l, name: name}, nil
	}
	return raw, nil
}

// openDir is an open folder that lists what the view shows.
type openDir struct {
	fs.File
	view *live
	name string
	list []fs.DirEntry
	read bool
}

// ReadDir implements [fs.ReadDirFile].
func (d *openDir) ReadDir(n int) (list []fs.DirEntry, err error) {
	if !d.read {
		if d.list, err = d.view.ReadDir(d.name); err != nil {
			return nil, err
		}
		d.read = true
	}
	if n > 0 && len(d.list) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.list) {
		n = len(d.list)
	}
	list, d.list = d.list[:n], d.list[n:]
	return list, nil
}

// ReadDir implements [fs.ReadDirFS].
func (l *live) ReadDir(name string) ([]fs.DirEntry, error) {
	at, err := l.at("readdir", name)
	if err != nil {
		return nil, err
	}
	list, err := fs.ReadDir(l.root.FS(), filepath.ToSlash(at))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(d fs.DirEntry) bool {
		path := d.Name()
		if name != "." {
			path = name + "/" + path
		}
		return l.ex.Match(path, d.IsDir()) || !kept(d.Type())
	}), nil
}

// Stat implements [fs.StatFS].
func (l *live) Stat(name string) (fs.FileInfo, error) {
	at, err := l.at("stat", name)
	if err != nil {
		return nil, err
	}
	return l.root.Stat(at)
}

// Lstat implements [fs.ReadLinkFS].
func (l *live) Lstat(name string) (fs.FileInfo, error) {
	at, err := l.at("lstat", name)
	if err != nil {
		return nil, err
	}
	return l.root.Lstat(at)
}

// ReadLink implements [fs.ReadLinkFS].
func (l *live) ReadLink(name string) (string, error) {
	at, err := l.at("readlink", name)
	if err != nil {
		return "", err
	}
	return l.root.Readlink(at)
}

// Diff implements [app.Differ]: one change a file. Two files of one size and
// one time are taken for the same; of one size and two times they are read.
func (c *Connector) Diff(ctx context.Context, before, after fs.FS, _ string) ([]app.Change, error) {
	was, err := selection(ctx, app.Restore{From: before})
	if err != nil {
		return nil, err
	}
	is, err := selection(ctx, app.Restore{From: after})
	if err != nil {
		return nil, err
	}
	var changes []app.Change
	for i, j := 0, 0; i < len(was) || j < len(is); {
		switch {
		case j == len(is) || i < len(was) && was[i].path < is[j].path:
			changes = appendFile(changes, app.ChangeRemoved, was[i])
			i++
		case i == len(was) || is[j].path < was[i].path:
			changes = appendFile(changes, app.ChangeAdded, is[j])
			j++
		default:
			differs, err := differ(ctx, before, after, was[i], is[j])
			if err != nil {
				return nil, fmt.Errorf("compare %s: %w", is[j].path, err)
			}
			if differs {
				changes = append(changes, app.Change{Path: is[j].path, Kind: app.ChangeChanged, Before: was[i].size, After: is[j].size})
			}
			i, j = i+1, j+1
		}
	}
	return changes, nil
}

func appendFile(changes []app.Change, kind app.ChangeKind, e entry) []app.Change {
	if e.mode.IsDir() {
		return changes
	}
	ch := app.Change{Path: e.path, Kind: kind}
	if kind == app.ChangeAdded {
		ch.After = e.size
	} else {
		ch.Before = e.size
	}
	return append(changes, ch)
}

func differ(ctx context.Context, before, after fs.FS, a, b entry) (differs bool, err error) {
	switch {
	case a.mode.Type() != b.mode.Type() || a.link != b.link || a.size != b.size:
		return true, nil
	case !a.mode.IsRegular() || a.mtime.Equal(b.mtime):
		return false, nil
	}
	fa, err := before.Open(a.path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, fa.Close()) }()
	fb, err := after.Open(b.path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, fb.Close()) }()
	same, err := equal(ctx, fa, fb)
	return !same, err
}
