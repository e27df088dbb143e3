package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/internal/exclude"
	"kvart/connectors/internal/rawfile"
	"kvart/connectors/internal/volume"
)

// capture is one reading of a folder: the list a walk made, and the files as
// they are opened.
type capture struct {
	c        *Connector
	root     *os.Root
	list     []entry
	optional bool

	mu   sync.Mutex
	read map[string]int64 // files whose size was not the walk's; -1 unread
	gone error            // the disk went meanwhile
}

// Capture implements [app.Connector].
func (c *Connector) Capture(ctx context.Context, a app.Access, since app.Marker) (*app.Capture, error) {
	const op = "folder: capture"
	root, ex, err := source(a)
	if err != nil {
		return nil, err
	}
	if err := isFolder(op, root); err != nil {
		return nil, err
	}
	now := time.Now()
	list, err := walk(ctx, root, ex)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 && heldFiles(since) {
		return nil, app.Errorf(app.CodeSourceEmpty, op, "%s held files and is empty now", root).With("path", root)
	}
	next := marker(list, now)
	if since != "" && next == since {
		return &app.Capture{Idle: true, Close: func() error { return nil }}, nil
	}
	capture, err := c.open(op, root, list, true)
	if err != nil {
		return nil, err
	}
	capture.Next = next
	return capture, nil
}

// Present implements [app.Restorer]: everything in the folder, also what
// backups leave out, since taking a restore back removes whatever is not among
// it. A file that can't be read, or that is written meanwhile, fails the
// capture: a restore must not begin over a state that was not saved.
func (c *Connector) Present(ctx context.Context, a app.Access) (*app.Capture, error) {
	const op = "folder: save present state"
	root, _, err := source(a)
	if err != nil {
		return nil, err
	}
	nothing := &app.Capture{
		Items: func(func(app.Item, error) bool) {},
		Stats: func() app.Stats { return app.Stats{} },
		Close: func() error { return nil },
	}
	if _, err := os.Lstat(root); errors.Is(err, fs.ErrNotExist) {
		if at := volume.Unplugged(root); at != "" {
			return nil, app.Errorf(app.CodeSourceShareGone, op, "%s is not there", at).With("path", at)
		}
		return nothing, nil
	}
	if err := isFolder(op, root); err != nil {
		return nil, err
	}
	list, err := walk(ctx, root, exclude.Own(newPrefix))
	if err != nil {
		return nil, err
	}
	return c.open(op, root, list, false)
}

func (c *Connector) open(op, root string, list []entry, optional bool) (*app.Capture, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, volume.Error(op, root, err)
	}
	cp := &capture{c: c, root: r, list: list, optional: optional, read: map[string]int64{}}
	return &app.Capture{Items: cp.items, Stats: cp.stats, Close: sync.OnceValue(r.Close)}, nil
}

func (cp *capture) items(yield func(app.Item, error) bool) {
	for _, e := range cp.list {
		cp.mu.Lock()
		gone := cp.gone
		cp.mu.Unlock()
		if gone != nil {
			yield(app.Item{}, gone)
			return
		}
		if !yield(cp.item(e), nil) {
			return
		}
	}
}

func (cp *capture) item(e entry) app.Item {
	item := app.Item{
		Path: e.path, Size: e.size, ModTime: e.mtime, Link: e.link, Optional: cp.optional || e.nameless,
		Mode: e.mode & (fs.ModePerm | fs.ModeDir | fs.ModeSymlink),
	}
	switch {
	case e.err != nil:
		item.Size = -1
		item.Open = func(context.Context) (io.ReadCloser, error) {
			cp.note(e.path, -1)
			return nil, e.err
		}
	case e.regular():
		item.Open = func(ctx context.Context) (io.ReadCloser, error) {
			f, err := cp.file(ctx, e)
			if err != nil {
				cp.note(e.path, -1)
				return nil, err
			}
			return f, nil
		}
	}
	return item
}

// file opens one file for reading.
func (cp *capture) file(ctx context.Context, e entry) (io.ReadCloser, error) {
	const op = "folder: open"
	if err := ctx.Err(); err != nil {
		return nil, canceled(op, err)
	}
	name := filepath.FromSlash(e.path)
	// Opening a pipe that took the file's place would wait for ever.
	fi, err := cp.root.Lstat(name)
	if err == nil && !fi.Mode().IsRegular() {
		return nil, app.Errorf(app.CodeItemVanished, op, "%s is no file any more", e.path).With("path", e.path)
	}
	var f *os.File
	if err == nil {
		f, err = cp.root.Open(name)
	}
	if err != nil {
		return nil, cp.failed(op, e.path, err)
	}
	raw := cp.c.files.Adopt(f)
	if fi, err = raw.Stat(); err != nil {
		return nil, errors.Join(cp.failed(op, e.path, err), raw.Close())
	}
	return &reader{cp: cp, ctx: ctx, f: raw, path: e.path, as: fi}, nil
}

// failed names what went wrong with one file, and remembers when it was the
// whole disk: then the capture ends instead of listing every file as missing.
func (cp *capture) failed(op, path string, err error) error {
	code := app.CodeItemUnreadable
	if errors.Is(err, fs.ErrNotExist) {
		code = app.CodeItemVanished
	}
	_, rootErr := os.Stat(cp.root.Name())
	if volume.Gone(err) || rootErr != nil {
		gone := err
		if rootErr != nil {
			gone = rootErr
		}
		cp.mu.Lock()
		cp.gone = volume.Error(op, cp.root.Name(), gone)
		cp.mu.Unlock()
	}
	return (&app.Error{Code: code, Op: op, Err: err}).With("path", path)
}

// note remembers how much of a file was read; -1 means it was not.
func (cp *capture) note(path string, n int64) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.read[path] = n
}

// stats counts what was captured: the walk's list, less what could not be
// read, with the sizes that were read.
func (cp *capture) stats() app.Stats {
	files, bytes := total(cp.list)
	cp.mu.Lock()
	defer cp.mu.Unlock()
	for _, e := range cp.list {
		n, ok := cp.read[e.path]
		switch {
		case !ok || !e.regular():
		case n < 0:
			files--
			bytes -= e.size
		default:
			bytes += n - e.size
		}
	}
	return app.Stats{"files": files, "bytes": bytes}
}

// reader reads one file and says at the end whether it stood still.
type reader struct {
	cp     *capture
	ctx    context.Context
	f      *rawfile.File
	path   string
	as     fs.FileInfo
	n      int64
	err    error
	closed bool
}

// Read implements [io.Reader].
func (r *reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, canceled("folder: read", err)
	}
	n, err := r.f.Read(b)
	r.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		r.err = r.cp.failed("folder: read", r.path, err)
		err = r.err
	}
	return n, err
}

// Close implements [io.Closer].
func (r *reader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	now, err := r.f.Stat()
	if err == nil && (now.Size() != r.as.Size() || !now.ModTime().Equal(r.as.ModTime())) {
		err = app.Errorf(app.CodeItemChanged, "folder: read", "%s changed while it was read", r.path).With("path", r.path)
	}
	if r.err != nil {
		r.cp.note(r.path, -1)
	} else {
		r.cp.note(r.path, r.n)
	}
	if e := r.f.Close(); e != nil {
		err = errors.Join(err, fmt.Errorf("close %s: %w", r.path, e))
	}
	return err
}
