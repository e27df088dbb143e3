package webhotel

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// localLink is a folder on this computer that a point is written to. Everything
// goes through one [os.Root]: no link leads a file out of it.
type localLink struct {
	root *os.Root
	once sync.Once
}

var _ link = (*localLink)(nil)

// localPool makes the folder and opens it.
func localPool(dir string, p pace) *pool {
	return newPool(func(context.Context) (link, error) {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		return &localLink{root: root}, nil
	}, true, 4, p)
}

// local is the path's name here.
func local(p string) string { return filepath.FromSlash(readable(p)) }

func (l *localLink) Close() {
	l.once.Do(func() { _ = l.root.Close() }) // nothing is written by it
}

func (l *localLink) broken() bool { return false }

func (l *localLink) entry(p string, fi fs.FileInfo) (e entry, err error) {
	e = entry{path: fi.Name(), mtime: fi.ModTime(), mode: fi.Mode() & (fs.ModePerm | fs.ModeType), grain: time.Microsecond}
	if fi.Mode().IsRegular() {
		e.size = fi.Size()
	}
	if fi.Mode()&fs.ModeSymlink != 0 {
		e.link, err = l.root.Readlink(local(p))
	}
	return e, err
}

func (l *localLink) list(_ context.Context, dir string) ([]entry, error) {
	at := "."
	if dir != "" {
		at = local(dir)
	}
	found, err := fs.ReadDir(l.root.FS(), filepath.ToSlash(at))
	if err != nil {
		return nil, err
	}
	list := make([]entry, 0, len(found))
	for _, d := range found {
		fi, err := d.Info()
		if err != nil {
			return nil, err
		}
		e, err := l.entry(below(dir, d.Name()), fi)
		if err != nil {
			return nil, err
		}
		list = append(list, e)
	}
	return list, nil
}

func (l *localLink) stat(_ context.Context, p string) (entry, error) {
	fi, err := l.root.Lstat(local(p))
	if err != nil {
		return entry{}, err
	}
	return l.entry(p, fi)
}

func (l *localLink) open(_ context.Context, e entry, from int64) (stream, error) {
	f, err := l.root.Open(local(e.path))
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func (l *localLink) write(_ context.Context, p string, r io.Reader) error {
	if err := l.root.Remove(local(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := l.root.OpenFile(local(p), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	if err == nil && !volume.SyncsWhole {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

func (l *localLink) rename(_ context.Context, from, to string) error {
	return l.root.Rename(local(from), local(to))
}

func (l *localLink) remove(_ context.Context, p string, _ bool) error {
	return l.root.Remove(local(p))
}

func (l *localLink) mkdir(_ context.Context, p string) error { return l.root.Mkdir(local(p), 0o700) }

func (l *localLink) symlink(_ context.Context, to, p string) error {
	return l.root.Symlink(readable(to), local(p))
}

func (l *localLink) settle(_ context.Context, e entry, p string) error {
	if err := l.root.Chtimes(local(p), e.mtime, e.mtime); err != nil {
		return err
	}
	return l.root.Chmod(local(p), e.mode.Perm())
}

func (l *localLink) free(context.Context) int64 {
	n, err := volume.Free(l.root.Name())
	if err != nil {
		return -1
	}
	return n
}

// fits makes sure that a path can be a file's name on this computer.
func fits(p string) error {
	if !filepath.IsLocal(local(p)) {
		return app.Errorf(app.CodeUsage, "webhotel: read point", "%q can't be a name here", p).With("path", p)
	}
	return nil
}
