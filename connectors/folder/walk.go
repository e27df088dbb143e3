package folder

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kvart/app"
	"kvart/connectors/internal/exclude"
	"kvart/connectors/internal/volume"
)

// entry is one thing a walk found.
type entry struct {
	path  string // slash-separated
	size  int64
	mtime time.Time
	mode  fs.FileMode
	link  string
	// err says why it can't be read: a folder that is closed to this user, or
	// a name that no point can hold.
	err *app.Error
	// nameless is set for such a name. No point has the file, so no restore
	// touches it.
	nameless bool
}

func (e entry) regular() bool { return e.mode.IsRegular() && e.err == nil }

// walk lists a folder, parents before children, the names of each folder
// sorted. Sockets, devices and pipes are passed by.
func walk(ctx context.Context, root string, ex exclude.Patterns) ([]entry, error) {
	w := &walker{root: root, ex: ex}
	if err := w.dir(ctx, ""); err != nil {
		return nil, err
	}
	return w.list, nil
}

type walker struct {
	root string
	ex   exclude.Patterns
	list []entry
}

func (w *walker) dir(ctx context.Context, name string) error {
	const op = "folder: walk"
	if err := ctx.Err(); err != nil {
		return canceled(op, err)
	}
	full := filepath.Join(w.root, filepath.FromSlash(name))
	names, err := os.ReadDir(full)
	switch {
	case err == nil:
	case name == "":
		return volume.Error(op, w.root, err)
	case errors.Is(err, fs.ErrPermission):
		// In place of the folder comes a file that can't be opened, so that
		// what is missing is reported and not silently dropped.
		w.list[len(w.list)-1].mode = 0
		w.list[len(w.list)-1].err = (&app.Error{Code: app.CodeItemUnreadable, Op: op, Err: err}).With("path", name)
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return w.vanished(op)
	default:
		return volume.Error(op, full, err)
	}
	for _, d := range names {
		path := d.Name()
		if name != "" {
			path = name + "/" + path
		}
		if err := w.visit(ctx, path, d); err != nil {
			return err
		}
	}
	return nil
}

// vanished tells a folder that was deleted during the walk, which is nothing
// to speak of, from a disk that went.
func (w *walker) vanished(op string) error {
	_, err := os.Stat(w.root)
	return volume.Error(op, w.root, err)
}

func (w *walker) visit(ctx context.Context, path string, d fs.DirEntry) error {
	if w.ex.Match(path, d.IsDir()) {
		return nil
	}
	fi, err := d.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return w.vanished("folder: walk")
	}
	if err != nil {
		return volume.Error("folder: walk", filepath.Join(w.root, path), err)
	}
	e := entry{path: path, size: fi.Size(), mtime: fi.ModTime(), mode: fi.Mode()}
	if !utf8.ValidString(d.Name()) {
		w.nameless(e, d.Name())
		return nil
	}
	switch {
	case fi.IsDir():
		e.size = 0
		w.list = append(w.list, e)
		return w.dir(ctx, path)
	case fi.Mode()&fs.ModeSymlink != 0:
		e.size = 0
		if e.link, err = os.Readlink(filepath.Join(w.root, filepath.FromSlash(path))); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return w.vanished("folder: walk")
			}
			return volume.Error("folder: walk", filepath.Join(w.root, path), err)
		}
		if !utf8.ValidString(e.link) {
			w.nameless(e, d.Name())
			return nil
		}
	case !fi.Mode().IsRegular():
		return nil
	}
	w.list = append(w.list, e)
	return nil
}

// nameless lists something whose name, or where it leads, is no text: it is
// reported under a spelling of the name that is.
func (w *walker) nameless(e entry, name string) {
	up, _ := strings.CutSuffix(e.path, name)
	e.path = up + strings.Trim(strconv.QuoteToASCII(name), `"`)
	e.mode, e.size, e.nameless = 0, 0, true
	e.err = app.Errorf(app.CodeItemUnreadable, "folder: walk", "%q is no text", e.path).With("path", e.path)
	w.list = append(w.list, e)
}

// marker sums up a walk: how many files, and a hash over everything that shows
// a change without reading a file.
func marker(list []entry, now time.Time) app.Marker {
	h := sha256.New()
	files, fresh := 0, false
	for _, e := range list {
		fmt.Fprintf(h, "%q %d %d %d %q %t\n", e.path, e.size, e.mtime.UnixNano(), e.mode, e.link, e.err != nil)
		if e.regular() {
			files++
		}
		// A USB stick's clock ticks every other second: a file written that
		// lately can change again and look the same.
		coarse := e.mtime.Nanosecond()%int(10*time.Millisecond) == 0
		fresh = fresh || coarse && now.Sub(e.mtime).Abs() < 2*time.Second
	}
	if fresh {
		fmt.Fprintf(h, "seen %d", now.UnixNano())
	}
	return app.Marker(fmt.Sprintf("1:%d:%x", files, h.Sum(nil)[:16]))
}

// heldFiles reports whether a marker is of a folder that had files in it.
func heldFiles(m app.Marker) bool {
	return strings.HasPrefix(string(m), "1:") && !strings.HasPrefix(string(m), "1:0:")
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

// sorted puts entries in an order in which parents come before children.
func sorted(list []entry) []entry {
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return list
}
