package webhotel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/internal/exclude"
)

// deepest is how many folders may lie in each other. Some servers show a link
// to a folder as the folder, so that there is no end to it.
const deepest = 60

// maintenanceFile closes a WordPress site while it is there. It is never part
// of a point.
const maintenanceFile = ".maintenance"

// walker lists a site, many folders at once.
type walker struct {
	pool *pool
	ex   exclude.Patterns
	// enter says which folders are of interest; nil means all.
	enter func(dir string) bool
	stop  context.CancelFunc
	work  sync.WaitGroup

	mu   sync.Mutex
	list []entry
	temp []string // what a restore that was killed left
	err  error
}

// walk lists everything below a place, parents before children. An error means
// that nothing is known: no part of a listing is ever returned. Folders that
// are closed come as entries that can't be read.
func walk(ctx context.Context, p *pool, ex exclude.Patterns, enter func(string) bool) (list []entry, temp []string, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &walker{pool: p, ex: ex, enter: enter, stop: cancel}
	w.work.Go(func() { w.dir(ctx, entry{mode: fs.ModeDir}, nil) })
	w.work.Wait()
	if w.err != nil {
		return nil, nil, w.err
	}
	slices.SortFunc(w.list, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return w.list, w.temp, nil
}

func (w *walker) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
	w.stop()
}

// dir lists one folder; ids are those of the folders it lies in.
func (w *walker) dir(ctx context.Context, d entry, ids []string) {
	const op = "webhotel: list"
	loops := d.id != "" && slices.Contains(ids, d.id)
	if loops || len(ids) > deepest {
		w.closed(d, app.Errorf(app.CodeItemUnreadable, op, "%s leads back to a folder it lies in", d.path).With("path", d.path))
		return
	}
	var found []entry
	err := w.pool.do(ctx, func(l link) (err error) {
		found, err = l.list(ctx, d.path)
		return err
	})
	switch {
	case err == nil:
	case d.path == "" || ctx.Err() != nil || faultOf(err) != faultNone:
		w.fail(err)
		return
	case isMissing(err):
		w.vanished(d)
		return
	case isRefused(err):
		w.closed(d, (&app.Error{Code: app.CodeItemUnreadable, Op: op, Err: err}).With("path", d.path))
		return
	default:
		w.fail(fmt.Errorf("list %s: %w", d.path, err))
		return
	}
	ids = append(slices.Clip(ids), d.id)
	for _, e := range found {
		e.path = below(d.path, e.path)
		w.visit(ctx, e, ids)
	}
}

func below(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

func (w *walker) visit(ctx context.Context, e entry, ids []string) {
	if strings.HasPrefix(path.Base(e.path), newPrefix) {
		w.mu.Lock()
		w.temp = append(w.temp, e.path)
		w.mu.Unlock()
		return
	}
	if e.path == maintenanceFile || w.ex.Match(e.path, e.mode.IsDir()) {
		return
	}
	if e.err == nil && !e.mode.IsRegular() && !e.mode.IsDir() && e.mode&fs.ModeSymlink == 0 {
		return // a socket, a device
	}
	w.mu.Lock()
	w.list = append(w.list, e)
	w.mu.Unlock()
	if e.mode.IsDir() && e.err == nil && (w.enter == nil || w.enter(e.path)) {
		w.work.Go(func() { w.dir(ctx, e, ids) })
	}
}

func (w *walker) find(p string) int {
	return slices.IndexFunc(w.list, func(e entry) bool { return e.path == p })
}

// closed puts a file that can't be opened in place of a folder, so that what is
// missing is reported and not silently dropped.
func (w *walker) closed(d entry, err *app.Error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := w.find(d.path); i >= 0 {
		w.list[i].mode, w.list[i].err = 0, err
	}
}

// vanished takes out a folder that was deleted during the walk.
func (w *walker) vanished(d entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := w.find(d.path); i >= 0 {
		w.list = slices.Delete(w.list, i, i+1)
	}
}

// sum makes a marker of a listing: how many files, and a hash over everything
// that shows a change without reading a file.
func sum(list []entry, about string, now time.Time) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", about)
	files, fresh := 0, false
	for _, e := range list {
		fmt.Fprintf(h, "%q %d %d %d %q %t\n", e.path, e.size, e.mtime.UnixNano(), e.mode, e.link, e.err != nil)
		if e.regular() {
			files++
			fresh = fresh || e.unsettled(now)
		}
	}
	if fresh {
		fmt.Fprintf(h, "seen %d", now.UnixNano())
	}
	return "1:" + strconv.Itoa(files) + ":" + hex.EncodeToString(h.Sum(nil)[:16])
}

// splitMarker takes a marker apart: of the files, and of the database.
func splitMarker(m app.Marker) (files string, db app.Marker) {
	files, rest, _ := strings.Cut(string(m), "|")
	return files, app.Marker(rest)
}

func joinMarker(files string, db app.Marker) app.Marker { return app.Marker(files + "|" + string(db)) }

// heldFiles reports whether a marker is of a site that had files.
func heldFiles(files string) bool {
	return strings.HasPrefix(files, "1:") && !strings.HasPrefix(files, "1:0:")
}

func total(list []entry) (files, bytes int64) {
	for _, e := range list {
		if e.regular() {
			files++
			bytes += e.size
		}
	}
	return files, bytes
}

// missingRoot reports that an error of a walk means that the folder is not
// there.
func missingRoot(err error) bool {
	return err != nil && isMissing(err) && !errors.Is(err, context.Canceled)
}
