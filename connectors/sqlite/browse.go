package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"kvart/app"
)

// tablesDir is the folder of a view that holds a dump of every table.
const tablesDir = "tables"

// Browse implements [app.Browser]: the files of the point, and in "tables" one
// SQL file a table, written as it is read. The database is unpacked into tmp
// only when something in "tables" is asked for. Every table's [fs.FileInfo]
// has its number of rows, an int64, as Sys and no size. Of databases that are
// attached to the first, and of one under encryption, there are only the files.
func (c *Connector) Browse(ctx context.Context, from fs.FS, tmp string) (app.PointFS, error) {
	if err := ctx.Err(); err != nil {
		return nil, codeOf(ctx, "sqlite: browse", "", err)
	}
	if base, err := mainFile(from, ""); err == nil {
		sealed, err := sealedIn(from, base)
		if err != nil {
			return nil, fmt.Errorf("look at %s in the point: %w", base, err)
		}
		if sealed {
			return livePoint{from}, nil // its files are all there is to see
		}
	}
	// Reading through fs.FS has no context: Close ends what is under way.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return &view{ctx: ctx, cancel: cancel, from: from, tmp: tmp}, nil
}

// view is a point with its tables.
type view struct {
	ctx    context.Context
	cancel func()
	from   fs.FS
	tmp    string

	mu     sync.Mutex
	db     *conn
	mod    time.Time
	tables map[string]int64 // rows by name
	names  []string
	closed bool
}

var (
	_ app.PointFS  = (*view)(nil)
	_ fs.ReadDirFS = (*view)(nil)
	_ fs.StatFS    = (*view)(nil)
)

// Close closes the unpacked copy. It may be called twice.
func (v *view) Close() error {
	v.cancel()
	v.mu.Lock()
	defer v.mu.Unlock()
	v.closed = true
	if v.db == nil {
		return nil
	}
	db := v.db
	v.db = nil
	return db.Close()
}

// unpack opens a private copy of the database and counts its tables.
func (v *view) unpack() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.closed {
		return fs.ErrClosed
	}
	if v.tables != nil {
		return nil
	}
	if v.db == nil {
		file, mod, err := unpack(v.ctx, v.from, filepath.Join(v.tmp, "browse"))
		if err != nil {
			return err
		}
		if v.db, err = open(v.ctx, file, readWrite); err != nil {
			return err
		}
		v.mod = mod
	}
	names, err := v.db.tables(v.ctx, "main")
	if err != nil {
		return err
	}
	tables := map[string]int64{}
	for _, name := range names {
		// A table that can't be counted is shown all the same: reading it says
		// what is wrong.
		n, err := v.db.rows(v.ctx, "main", name)
		if err != nil && v.ctx.Err() != nil {
			return err
		}
		tables[name] = n
	}
	v.names, v.tables = names, tables
	return nil
}

// unpack copies the database of a point, with its journals where it is a
// safety point's, into dir.
func unpack(ctx context.Context, from fs.FS, dir string) (file string, mod time.Time, err error) {
	base, err := mainFile(from, "")
	if err != nil {
		return "", mod, err
	}
	if near, ok := from.(app.Prefetcher); ok {
		if err := near.Prefetch(ctx, silent{}, base); err != nil {
			return "", mod, fmt.Errorf("bring %s near: %w", base, err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", mod, err
	}
	file = filepath.Join(dir, "point.db")
	for _, suffix := range append([]string{""}, companions[:]...) {
		fi, err := fs.Stat(from, base+suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", mod, err
		}
		if suffix == "" {
			mod = fi.ModTime()
		}
		if err := remove(file + suffix); err != nil {
			return "", mod, err
		}
		pl := placing{from: base + suffix, to: file + suffix, size: fi.Size()}
		if err := copyFile(ctx, from, pl, pl.to, silent{}); err != nil {
			return "", mod, err
		}
	}
	return file, mod, nil
}

// silent is the progress of work nobody watches.
type silent struct{}

func (silent) Expect(int64, int64) {}
func (silent) Done(int64, int64)   {}

// fileName is the name a table goes by in a view; tableName is its inverse.
func fileName(table string) string {
	return strings.NewReplacer("%", "%25", "/", "%2F", `\`, "%5C", "\x00", "%00").Replace(table) + ".sql"
}

func tableName(file string) string {
	return strings.NewReplacer("%25", "%", "%2F", "/", "%5C", `\`, "%00", "\x00").Replace(strings.TrimSuffix(file, ".sql"))
}

// table returns what a path below "tables" names.
func (v *view) table(name string) (table string, rows int64, err error) {
	if err := v.unpack(); err != nil {
		return "", 0, err
	}
	file, _ := strings.CutPrefix(name, tablesDir+"/")
	table = tableName(file)
	rows, ok := v.tables[table]
	if !ok || fileName(table) != file {
		return "", 0, fs.ErrNotExist
	}
	return table, rows, nil
}

// Open implements [fs.FS].
func (v *view) Open(name string) (fs.File, error) {
	switch {
	case !fs.ValidPath(name):
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	case name == "." || name == tablesDir:
		return &folder{view: v, name: name}, nil
	case !isTable(name):
		return v.from.Open(name)
	}
	table, rows, err := v.table(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &tableFile{info: v.info(table, rows), dump: &dump{ctx: v.ctx, db: v.db, table: table}}, nil
}

// Stat implements [fs.StatFS].
func (v *view) Stat(name string) (fs.FileInfo, error) {
	switch {
	case name == tablesDir:
		return info{name: tablesDir, mode: fs.ModeDir | 0o755, mod: v.mod}, nil
	case !isTable(name):
		return fs.Stat(v.from, name)
	}
	table, rows, err := v.table(name)
	if err != nil {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: err}
	}
	return v.info(table, rows), nil
}

// ReadDir implements [fs.ReadDirFS].
func (v *view) ReadDir(name string) ([]fs.DirEntry, error) {
	switch name {
	case ".":
		list, err := fs.ReadDir(v.from, ".")
		if err != nil {
			return nil, err
		}
		return append(list, fs.FileInfoToDirEntry(info{name: tablesDir, mode: fs.ModeDir | 0o755})), nil
	case tablesDir:
		if err := v.unpack(); err != nil {
			return nil, &fs.PathError{Op: "readdir", Path: name, Err: err}
		}
		var list []fs.DirEntry
		for _, table := range v.names {
			list = append(list, fs.FileInfoToDirEntry(v.info(table, v.tables[table])))
		}
		return list, nil
	}
	return fs.ReadDir(v.from, name)
}

func (v *view) info(table string, rows int64) info {
	return info{name: fileName(table), mode: 0o444, mod: v.mod, rows: rows}
}

// info describes what a view adds to its point.
type info struct {
	name string
	mode fs.FileMode
	mod  time.Time
	rows int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return 0 }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.mod }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any {
	if i.IsDir() {
		return nil
	}
	return i.rows
}

// folder is an open folder of a view.
type folder struct {
	view *view
	name string
	list []fs.DirEntry
	read bool
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.view.Stat(f.name) }
func (f *folder) Close() error               { return nil }
func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.name, Err: errors.New("is a folder")}
}

// ReadDir implements [fs.ReadDirFile].
func (f *folder) ReadDir(n int) (list []fs.DirEntry, err error) {
	if !f.read {
		if f.list, err = f.view.ReadDir(f.name); err != nil {
			return nil, err
		}
		f.read = true
	}
	if n <= 0 || n > len(f.list) {
		if n > 0 && len(f.list) == 0 {
			return nil, io.EOF
		}
		n = len(f.list)
	}
	list, f.list = f.list[:n], f.list[n:]
	return list, nil
}

// tableFile is a table open for reading.
type tableFile struct {
	*dump
	info info
}

func (t *tableFile) Stat() (fs.FileInfo, error) { return t.info, nil }
