package agent

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kvart/app"
)

// viewsKept is how long an opened point is kept after its last use: browsing
// asks for one path after the other, and unpacking a database for each would
// take seconds.
const viewsKept = 3 * time.Minute

// tempFolder holds what is unpacked for browsing and comparing.
const tempFolder = "tmp"

// views keeps the point that was browsed last.
type views struct {
	mu   sync.Mutex
	last *view
}

// view is a point opened for browsing. It is closed when nobody uses it and
// another has taken its place.
type view struct {
	fs.FS
	point app.PointID
	close func() error
	users int
	used  time.Time
	stale bool
}

// browse returns a view of a source's point, and the point; release lets it go.
func (a *Agent) browse(ctx context.Context, source string, id app.PointID) (fs.FS, app.Point, func(), error) {
	fail := func(err error) (fs.FS, app.Point, func(), error) { return nil, app.Point{}, nil, err }
	s, _, err := a.anySource(ctx, source)
	if err != nil {
		return fail(err)
	}
	v, err := a.openVault(ctx)
	if err != nil {
		return fail(err)
	}
	point, err := a.choose(ctx, v, s, id, time.Time{})
	if err != nil {
		return fail(err)
	}
	a.views.mu.Lock()
	defer a.views.mu.Unlock()
	w := a.views.last
	if w == nil || w.point != point.ID {
		if w, err = a.openView(ctx, v, s, point); err != nil {
			return fail(err)
		}
		if err := a.views.replaceLocked(w); err != nil {
			a.Log.WarnContext(ctx, "View not closed", "error", err)
		}
	}
	w.users++
	w.used = a.Now()
	return w, point, func() { a.release(ctx, w) }, nil
}

func (a *Agent) openView(ctx context.Context, v app.Vault, s app.Source, point app.Point) (*view, error) {
	c, _, err := a.access(ctx, s)
	if err != nil {
		return nil, err
	}
	raw, err := v.Open(ctx, point.ID)
	if err != nil {
		return nil, err
	}
	b, ok := c.(app.Browser)
	if !ok || point.Kind != app.PointBackup {
		return &view{FS: raw, point: point.ID, close: raw.Close}, nil
	}
	if err := prefetch(ctx, raw); err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	tmp, err := a.tempDir("view-")
	if err != nil {
		return nil, errors.Join(err, raw.Close())
	}
	w, err := b.Browse(ctx, raw, tmp)
	if err != nil {
		return nil, errors.Join(err, raw.Close(), os.RemoveAll(tmp))
	}
	return &view{FS: w, point: point.ID, close: func() error { return errors.Join(w.Close(), raw.Close(), os.RemoveAll(tmp)) }}, nil
}

// prefetch brings a point near where its vault is far: what reads all of it
// would otherwise wait for thousands of small requests.
func prefetch(ctx context.Context, from fs.FS, paths ...string) error {
	if f, ok := from.(app.Prefetcher); ok {
		return f.Prefetch(ctx, nowhere{}, paths...)
	}
	return nil
}

// tempDir makes a folder for unpacked data, inside the guard's own.
func (a *Agent) tempDir(prefix string) (string, error) {
	parent := filepath.Join(a.Dir, tempFolder)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", app.Errorf(app.CodeHomeReadOnly, "make temporary folder", "%w", err).With("path", parent)
	}
	dir, err := os.MkdirTemp(parent, prefix)
	if err != nil {
		return "", app.Errorf(app.CodeHomeReadOnly, "make temporary folder", "%w", err).With("path", parent)
	}
	return dir, nil
}

func (a *Agent) release(ctx context.Context, w *view) {
	a.views.mu.Lock()
	defer a.views.mu.Unlock()
	w.users--
	if w.stale && w.users == 0 {
		if err := w.close(); err != nil {
			a.Log.WarnContext(ctx, "View not closed", "error", err)
		}
	}
}

// replaceLocked makes w, which may be nil, the view that is kept.
func (vs *views) replaceLocked(w *view) error {
	old := vs.last
	vs.last = w
	if old == nil {
		return nil
	}
	old.stale = true
	if old.users > 0 {
		return nil
	}
	return old.close()
}

// expire lets the view go when it was not used for a while.
func (vs *views) expire(now time.Time) error {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.last != nil && vs.last.users == 0 && now.Sub(vs.last.used).Abs() > viewsKept {
		return vs.replaceLocked(nil)
	}
	return nil
}

func (vs *views) close() error {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	return vs.replaceLocked(nil)
}
