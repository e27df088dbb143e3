package backup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	kfs "github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/snapshotfs"

	"kvart/app"
	"kvart/backup/storage"
)

// dirsKept is how many folders of a view are kept loaded.
const dirsKept = 512

// Open implements [app.Vault].
func (v *Vault) Open(ctx context.Context, id app.PointID) (app.PointFS, error) {
	ctx = withLog(ctx, v.log)
	h, err := v.find(ctx, id)
	if err != nil {
		return nil, err
	}
	// The view outlives the call; its own cancel ends reads still under way.
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &pointFS{v: v, man: h.man, ctx: life, cancel: cancel}
	if err := f.setRoot(v.rep); err != nil {
		cancel()
		return nil, storage.Translate("open point", err)
	}
	return f, nil
}

// pointFS is a view of a point. Links are not followed: Open on one yields its
// target as text, and so does ReadLink.
type pointFS struct {
	v      *Vault
	man    *snapshot.Manifest
	ctx    context.Context // of the view: fs.FS knows none
	cancel func()

	mu     sync.Mutex
	rep    repo.Repository // that root is read through
	root   kfs.Directory
	dirs   map[string]kfs.Directory
	nearby *nearby      // after a Prefetch
	coming []*packNeeds // what Prefetch is bringing

	fetching sync.WaitGroup // of them
}

var (
	_ fs.ReadDirFS   = (*pointFS)(nil)
	_ fs.StatFS      = (*pointFS)(nil)
	_ fs.ReadLinkFS  = (*pointFS)(nil)
	_ app.PointFS    = (*pointFS)(nil)
	_ app.Prefetcher = (*pointFS)(nil)
)

// setRoot makes the view read through rep.
func (f *pointFS) setRoot(rep repo.Repository) error {
	e, err := snapshotfs.SnapshotRoot(rep, f.man)
	if err != nil {
		return fmt.Errorf("open snapshot: %w", err)
	}
	root, ok := e.(kfs.Directory)
	if !ok {
		return errors.New("the snapshot is no folder")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rep, f.root, f.dirs = rep, root, map[string]kfs.Directory{".": root}
	return nil
}

// Close implements [io.Closer].
func (f *pointFS) Close() error {
	f.mu.Lock()
	f.cancel()
	near := f.nearby
	f.nearby = nil
	f.mu.Unlock()
	f.fetching.Wait()
	if near == nil {
		return nil
	}
	return near.close(context.WithoutCancel(f.ctx))
}

// dir returns the folder called name, which is kept for the next call.
func (f *pointFS) dir(name string) (kfs.Directory, error) {
	f.mu.Lock()
	d, ok := f.dirs[name]
	f.mu.Unlock()
	if ok {
		return d, nil
	}
	e, err := f.entry(name)
	if err != nil {
		return nil, err
	}
	d, ok = e.(kfs.Directory)
	if !ok {
		return nil, errors.New("not a folder")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.dirs) >= dirsKept {
		f.dirs = map[string]kfs.Directory{".": f.root}
	}
	f.dirs[name] = d
	return d, nil
}

func (f *pointFS) entry(name string) (kfs.Entry, error) {
	if err := f.ctx.Err(); err != nil {
		return nil, fs.ErrClosed
	}
	if name == "." {
		return f.dir(name)
	}
	d, err := f.dir(path.Dir(name))
	if err != nil {
		return nil, err
	}
	e, err := d.Child(f.ctx, path.Base(name))
	if errors.Is(err, kfs.ErrEntryNotFound) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, storage.Translate("look up", err)
	}
	return e, nil
}

func (f *pointFS) lookup(op, name string) (kfs.Entry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	e, err := f.entry(name)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return e, nil
}

// Open implements [fs.FS].
func (f *pointFS) Open(name string) (fs.File, error) {
	e, err := f.lookup("open", name)
	if err != nil {
		return nil, err
	}
	info := entryInfo{e, name}
	switch e := e.(type) {
	case kfs.Directory:
		list, err := f.ReadDir(name)
		if err != nil {
			return nil, err
		}
		return &openDir{info: info, list: list}, nil
	case kfs.File:
		f.await(objectOf(e))
		r, err := e.Open(f.ctx)
		if err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: storage.Translate("open", err)}
		}
		f.mu.Lock()
		rep := f.rep
		f.mu.Unlock()
		many, err := newAhead(f.ctx, rep, objectOf(e), r)
		if err != nil {
			err = storage.Translate("open", errors.Join(err, r.Close()))
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
		return &openFile{info: info, r: many}, nil
	case kfs.Symlink:
		return f.openLink(info, e)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
}

// ReadDir implements [fs.ReadDirFS].
func (f *pointFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if _, err := f.lookup("readdir", name); err != nil {
		return nil, err
	}
	d, err := f.dir(name)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
	}
	entries, err := kfs.GetAllEntries(f.ctx, d)
	if err != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: storage.Translate("list", err)}
	}
	list := make([]fs.DirEntry, len(entries))
	for i, e := range entries {
		list[i] = fs.FileInfoToDirEntry(entryInfo{e, e.Name()})
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return list, nil
}

// Stat implements [fs.StatFS].
func (f *pointFS) Stat(name string) (fs.FileInfo, error) {
	e, err := f.lookup("stat", name)
	if err != nil {
		return nil, err
	}
	return entryInfo{e, name}, nil
}

// Lstat implements [fs.ReadLinkFS].
func (f *pointFS) Lstat(name string) (fs.FileInfo, error) { return f.Stat(name) }

// ReadLink implements [fs.ReadLinkFS].
func (f *pointFS) ReadLink(name string) (string, error) {
	e, err := f.lookup("readlink", name)
	if err != nil {
		return "", err
	}
	link, ok := e.(kfs.Symlink)
	if !ok {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := link.Readlink(f.ctx)
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: storage.Translate("read link", err)}
	}
	return target, nil
}

// entryInfo is an entry as [fs.FileInfo]. The root has no name of its own.
type entryInfo struct {
	kfs.Entry
	name string
}

func (i entryInfo) Name() string { return path.Base(i.name) }

func (i entryInfo) Size() int64 {
	if i.IsDir() {
		return 0
	}
	return i.Entry.Size()
}

func (i entryInfo) ModTime() time.Time { return i.Entry.ModTime() }

// openDir is an open folder.
type openDir struct {
	info entryInfo
	list []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a folder")}
}

func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		list := d.list
		d.list = nil
		return list, nil
	}
	if len(d.list) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.list))
	list := d.list[:n]
	d.list = d.list[n:]
	return list, nil
}
