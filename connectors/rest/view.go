package rest

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// view shows a capture as a file system.
type view struct {
	ctx  context.Context // of the view's life: files are read within it
	c    *capture
	node map[string]*viewNode
}

var (
	_ app.PointFS  = (*view)(nil)
	_ fs.ReadDirFS = (*view)(nil)
	_ fs.StatFS    = (*view)(nil)
)

// viewNode is a file or a folder; it is its own description.
type viewNode struct {
	at       string
	item     *app.Item // nil for folders
	children []*viewNode
}

func newView(ctx context.Context, c *capture) (*view, error) {
	v := &view{ctx: ctx, c: c, node: map[string]*viewNode{".": {at: "."}}}
	for it, err := range c.items {
		if err != nil {
			return nil, err
		}
		v.add(&viewNode{at: it.Path, item: &it})
	}
	for _, n := range v.node {
		slices.SortFunc(n.children, func(a, b *viewNode) int { return strings.Compare(a.at, b.at) })
	}
	return v, nil
}

func (v *view) add(n *viewNode) {
	v.node[n.at] = n
	up := path.Dir(n.at)
	if v.node[up] == nil {
		v.add(&viewNode{at: up})
	}
	v.node[up].children = append(v.node[up].children, n)
}

func (v *view) find(op, name string) (*viewNode, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n := v.node[name]
	if n == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

// Open implements [fs.FS].
func (v *view) Open(name string) (fs.File, error) {
	n, err := v.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.item == nil {
		return &viewDir{n: n}, nil
	}
	r, err := n.item.Open(v.ctx)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	body, err := io.ReadAll(r)
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return &viewFile{n: n, Reader: bytes.NewReader(body)}, r.Close()
}

// ReadDir implements [fs.ReadDirFS].
func (v *view) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := v.find("readdir", name)
	if err != nil {
		return nil, err
	}
	list := make([]fs.DirEntry, len(n.children))
	for i, c := range n.children {
		list[i] = fs.FileInfoToDirEntry(c)
	}
	return list, nil
}

// Stat implements [fs.StatFS].
func (v *view) Stat(name string) (fs.FileInfo, error) {
	n, err := v.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n, nil
}

// Close implements [io.Closer].
func (v *view) Close() error { return v.c.close() }

func (n *viewNode) Name() string { return path.Base(n.at) }
func (n *viewNode) IsDir() bool  { return n.item == nil }
func (n *viewNode) Sys() any     { return nil }

func (n *viewNode) Size() int64 {
	if n.item == nil {
		return 0
	}
	return n.item.Size
}

func (n *viewNode) ModTime() time.Time {
	if n.item == nil {
		return time.Time{}
	}
	return n.item.ModTime
}

func (n *viewNode) Mode() fs.FileMode {
	if n.item == nil {
		return fs.ModeDir | 0o700
	}
	return n.item.Mode
}

type viewFile struct {
	*bytes.Reader
	n *viewNode
}

func (f *viewFile) Stat() (fs.FileInfo, error) { return f.n, nil }
func (f *viewFile) Close() error               { return nil }

type viewDir struct {
	n  *viewNode
	at int
}

func (d *viewDir) Stat() (fs.FileInfo, error) { return d.n, nil }
func (d *viewDir) Close() error               { return nil }
func (d *viewDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.n.at, Err: fs.ErrInvalid}
}

func (d *viewDir) ReadDir(n int) ([]fs.DirEntry, error) {
	rest := d.n.children[d.at:]
	if n > 0 && len(rest) == 0 {
		return nil, io.EOF
	}
	if n > 0 {
		rest = rest[:min(n, len(rest))]
	}
	d.at += len(rest)
	list := make([]fs.DirEntry, len(rest))
	for i, c := range rest {
		list[i] = fs.FileInfoToDirEntry(c)
	}
	return list, nil
}
