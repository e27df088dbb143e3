package backup

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	kfs "github.com/kopia/kopia/fs"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot"
	"github.com/zeebo/xxh3"

	"kvart/app"
)

// Modes of what a capture gives no mode for. They are fixed, since a directory
// that looks different is stored anew.
const (
	fileMode fs.FileMode = 0o600
	dirMode  fs.FileMode = 0o700
)

// node is one file, folder or link of a capture.
type node struct {
	path     string
	item     app.Item
	children map[string]*node // of a folder

	// What became of it. Written by the one goroutine that reads the file,
	// read when the upload has ended.
	fresh  bool         // read in this session, or holds something that was
	failed bool         // an optional file that is not in the point
	size   int64        // bytes read
	sum    xxh3.Uint128 // of the bytes read, unseeded
	paged  *pagedResult // of a file stored in segments
	stored *object.ID   // of a file stored early
}

// tree is a capture as a tree of folders.
type tree struct {
	root  *node
	files int64
	bytes int64
}

// badItem is an item that can't be stored under its path.
type badItem struct {
	item app.Item
	err  error
}

// plant collects items into a tree. Folders that are only implied by the paths
// of files are made. The items that can't be stored are returned apart. Rolling
// and early files are given to store before the next item is asked for; its error
// ends the planting.
func plant(ctx context.Context, items iter.Seq2[app.Item, error], store func(*node) error) (*tree, []badItem, error) {
	t := &tree{root: &node{path: ".", item: app.Item{Mode: fs.ModeDir}, children: map[string]*node{}}}
	if items == nil {
		return t, nil, nil
	}
	var bad []badItem
	for it, err := range items {
		if err != nil {
			return nil, nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err := t.add(it); err != nil {
			bad = append(bad, badItem{it, err})
			continue
		}
		if !it.Rolling && !it.Early || it.Mode.Type() != 0 {
			continue
		}
		if err := store(t.find(it.Path)); err != nil {
			return nil, nil, err
		}
	}
	return t, bad, nil
}

func (t *tree) add(it app.Item) error {
	if !fs.ValidPath(it.Path) || it.Path == "." || strings.Contains(it.Path, "\x00") || !utf8.ValidString(it.Link) {
		return app.Errorf(app.CodeItemUnreadable, "capture", "a path that can't be stored: %q", it.Path).With("path", strings.ToValidUTF8(it.Path, "?"))
	}
	kind := it.Mode.Type()
	if kind != 0 && kind != fs.ModeDir && kind != fs.ModeSymlink || kind == 0 && it.Open == nil {
		return app.Errorf(app.CodeInternal, "capture", "%s: mode %v can't be captured", it.Path, it.Mode)
	}
	parent, err := t.parent(it.Path)
	if err != nil {
		return err
	}
	name := path.Base(it.Path)
	if old := parent.children[name]; old != nil {
		if kind == fs.ModeDir && old.children != nil {
			old.item = it
			return nil
		}
		return app.Errorf(app.CodeInternal, "capture", "%s comes twice", it.Path)
	}
	n := &node{path: it.Path, item: it}
	if kind == fs.ModeDir {
		n.children = map[string]*node{}
	}
	if kind == 0 {
		t.files++
		t.bytes += max(it.Size, 0)
	}
	parent.children[name] = n
	return nil
}

// parent returns the folder a path lies in, made where no item told of it.
func (t *tree) parent(name string) (*node, error) {
	parent := t.root
	for i, r := range name {
		if r != '/' {
			continue
		}
		next := parent.children[path.Base(name[:i])]
		if next == nil {
			next = &node{path: name[:i], item: app.Item{Mode: fs.ModeDir}, children: map[string]*node{}}
			parent.children[path.Base(next.path)] = next
		}
		if next.children == nil {
			return nil, app.Errorf(app.CodeInternal, "capture", "%s lies in a file", name)
		}
		parent = next
	}
	return parent, nil
}

// sorted returns the children by name.
func (n *node) sorted() []*node {
	list := make([]*node, 0, len(n.children))
	for _, c := range n.children {
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b *node) int { return cmp.Compare(a.path, b.path) })
	return list
}

// walk calls fn for every node but the root, parents first, in order.
func (t *tree) walk(fn func(*node) error) error {
	var down func(*node) error
	down = func(n *node) error {
		for _, c := range n.sorted() {
			if err := fn(c); err != nil {
				return err
			}
			if err := down(c); err != nil {
				return err
			}
		}
		return nil
	}
	return down(t.root)
}

// spread marks every folder that holds something fresh.
func (n *node) spread() bool {
	for _, c := range n.children {
		if c.children != nil && c.spread() || c.fresh {
			n.fresh = true
		}
	}
	return n.fresh
}

// entry is what nodes of all types tell Kopia.
type entry struct {
	n *node
	c *capture
}

func (c *capture) entry(n *node) kfs.Entry {
	e := entry{n, c}
	switch {
	case n.children != nil:
		return dirEntry{e}
	case n.item.Mode&fs.ModeSymlink != 0:
		return linkEntry{e}
	}
	return fileEntry{e}
}

func (e entry) Name() string {
	if e.n == e.c.tree.root {
		return string(e.c.req.Source)
	}
	return path.Base(e.n.path)
}

// ModTime is that of the item. Kopia counts nanoseconds from 1970, which not
// every time fits; one that doesn't counts as none.
func (e entry) ModTime() time.Time {
	if t := e.n.item.ModTime; hasTime(e.n.item) {
		return t
	}
	return time.Unix(0, 0)
}

func hasTime(it app.Item) bool {
	return !it.ModTime.IsZero() && it.ModTime.Year() > 1678 && it.ModTime.Year() < 2262
}

func (e entry) Size() int64                 { return 0 }
func (e entry) Sys() any                    { return nil }
func (e entry) IsDir() bool                 { return e.n.children != nil }
func (e entry) Owner() kfs.OwnerInfo        { return kfs.OwnerInfo{} }
func (e entry) Device() kfs.DeviceInfo      { return kfs.DeviceInfo{} }
func (e entry) LocalFilesystemPath() string { return "" }
func (e entry) Close()                      {}

func (e entry) Mode() fs.FileMode {
	mode := e.n.item.Mode & kfs.ModBits
	switch {
	case mode == 0 && e.n.children != nil:
		mode = dirMode
	case mode == 0:
		mode = fileMode
	}
	return mode | e.n.item.Mode.Type()
}

type dirEntry struct{ entry }

func (d dirEntry) SupportsMultipleIterations() bool { return true }

func (d dirEntry) Child(_ context.Context, name string) (kfs.Entry, error) {
	if n := d.n.children[name]; n != nil {
		return d.c.entry(n), nil
	}
	return nil, kfs.ErrEntryNotFound
}

func (d dirEntry) Iterate(context.Context) (kfs.DirectoryIterator, error) {
	var list []kfs.Entry
	for _, n := range d.n.sorted() {
		if !n.failed {
			list = append(list, d.c.entry(n))
		}
	}
	return kfs.StaticIterator(list, nil), nil
}

type linkEntry struct{ entry }

func (l linkEntry) Readlink(context.Context) (string, error) { return l.n.item.Link, nil }

func (l linkEntry) Resolve(context.Context) (kfs.Entry, error) {
	return nil, fmt.Errorf("%s: links are not followed", l.n.path)
}

type fileEntry struct{ entry }

// Size is -1 where size and time can't tell whether the file changed, so that
// Kopia never takes the last point's version for this one: a database changes
// under an old time.
func (f fileEntry) Size() int64 {
	if f.n.item.Pages > 0 || f.n.item.Rolling || !hasTime(f.n.item) {
		return -1
	}
	return f.n.item.Size
}

func (f fileEntry) Open(ctx context.Context) (kfs.Reader, error) {
	r, err := f.c.open(ctx, f.n)
	if err != nil {
		return nil, err
	}
	return kopiaReader{r, f}, nil
}

// DirEntryOrNil implements [snapshot.HasDirEntryOrNil]: a file that was stored
// early, or in segments, is handed over as it is.
func (f fileEntry) DirEntryOrNil(context.Context) (*snapshot.DirEntry, error) {
	var size int64
	var id object.ID
	switch {
	case f.n.paged != nil:
		size, id = f.n.paged.size, f.n.paged.object
	case f.n.stored != nil:
		size, id = f.n.size, *f.n.stored
	default:
		return nil, nil
	}
	return &snapshot.DirEntry{
		Name: f.Name(), Type: snapshot.EntryTypeFile, Permissions: snapshot.Permissions(f.Mode() & kfs.ModBits),
		FileSize: size, ModTime: kfs.UTCTimestampFromTime(f.ModTime()), ObjectID: id,
	}, nil
}

// kopiaReader is an item's stream as Kopia reads it.
type kopiaReader struct {
	*itemReader
	f fileEntry
}

func (r kopiaReader) Entry() (kfs.Entry, error) { return r.f, nil }

func (r kopiaReader) Seek(int64, int) (int64, error) {
	return 0, fmt.Errorf("%s: a capture is read from start to end", r.f.n.path)
}

var (
	_ kfs.Directory             = dirEntry{}
	_ kfs.Symlink               = linkEntry{}
	_ kfs.File                  = fileEntry{}
	_ snapshot.HasDirEntryOrNil = fileEntry{}
	_ kfs.Reader                = kopiaReader{}
)
