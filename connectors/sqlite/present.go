package sqlite

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"

	"kvart/app"
	"kvart/connectors/internal/rawfile"
	"kvart/connectors/internal/volume"
)

// companions are what SQLite may keep beside a database and needs to read it.
// A -shm file is made anew from the WAL.
var companions = [...]string{"-wal", "-journal"}

// Present implements [app.Restorer]: the database file and its journals as
// they lie, however damaged, without SQLite so much as looking at them. A file
// that is written while it is read fails the capture: a restore must not begin
// over a state that was not saved.
func (c *Connector) Present(ctx context.Context, a app.Access) (*app.Capture, error) {
	all, err := members(a)
	if err != nil {
		return nil, err
	}
	var items []app.Item
	stats := app.Stats{}
	folder := false
	for i, m := range all {
		if err := ctx.Err(); err != nil {
			return nil, codeOf(ctx, "sqlite: save present state", m.file, err)
		}
		if _, err := absent(m.file); err != nil {
			return nil, err
		}
		more, err := c.presentOne(m, stats)
		if err != nil {
			return nil, err
		}
		if i > 0 && len(more) > 0 && !folder {
			items, folder = append(items, withFolder(more[0].ModTime)), true
		}
		items = append(items, more...)
	}
	return &app.Capture{
		Items: func(yield func(app.Item, error) bool) {
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
		},
		Stats: func() app.Stats { return stats },
		Close: func() error { return nil },
	}, nil
}

// presentOne returns one database and its journals as they lie.
func (c *Connector) presentOne(m member, stats app.Stats) (items []app.Item, err error) {
	for _, suffix := range append([]string{""}, companions[:]...) {
		fi, err := os.Stat(m.file + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = regular(fi)
		}
		if err != nil {
			return nil, volume.Error("sqlite: save present state", m.file, err)
		}
		item := c.presentItem(m.name+suffix, m.file+suffix, fi)
		if suffix == "" {
			item.Pages = c.pagesOf(m.file, fi.Size())
		}
		items = append(items, item)
		stats["files"]++
		stats[statBytes] += fi.Size()
	}
	return items, nil
}

// pagesOf returns the page size of a database that is whole enough to have
// one; whatever is wrong with it otherwise does not matter here.
func (c *Connector) pagesOf(file string, size int64) int {
	st, err := c.state(file)
	if st.sealed && st.size == size {
		return pagesOfSealed(size)
	}
	if err != nil || st.size != size {
		return 0
	}
	if page := st.head.pageSize(); page > 0 && size%int64(page) == 0 {
		return page
	}
	return 0
}

func (c *Connector) presentItem(name, file string, fi fs.FileInfo) app.Item {
	return app.Item{
		Path: name, Size: fi.Size(), ModTime: fi.ModTime(), Mode: fi.Mode().Perm(),
		Open: func(ctx context.Context) (io.ReadCloser, error) {
			const op = "sqlite: save present state"
			if err := ctx.Err(); err != nil {
				return nil, codeOf(ctx, op, file, err)
			}
			f, err := c.files.Open(file)
			if err != nil {
				return nil, volume.Error(op, file, err)
			}
			return &unchanging{File: f, as: fi}, nil
		},
	}
}

// unchanging is a file that must stay what it was when it was found.
type unchanging struct {
	*rawfile.File
	as     fs.FileInfo
	closed bool
}

// Close reports whether the file was written since it was found.
func (u *unchanging) Close() error {
	if u.closed {
		return nil
	}
	u.closed = true
	now, err := u.Stat()
	if err == nil && (now.Size() != u.as.Size() || !now.ModTime().Equal(u.as.ModTime())) {
		err = app.Errorf(app.CodeItemChanged, "sqlite: save present state", "%s was written meanwhile", u.Name())
	}
	return closing(err, u.File.Close)
}
