package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"strings"
	"time"

	"kvart/app"
)

// item is a record. The vault holds on to all of them: what the path tells is not
// kept a second time.
func (c *capture) item(l listed) app.Item {
	k, hash, id := c.e.byName[l.kind], l.hash, ""
	at := k.place(l.id)
	if k.idAt(at) != l.id {
		id = l.id
	}
	return app.Item{
		Path: at, Size: l.size, ModTime: stampOf(l.modified, l.hash), Mode: 0o600, Early: c.given != nil,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return c.content(ctx, at, id, hash) },
	}
}

// content opens the record at a path; id is "" where the path tells it.
func (c *capture) content(ctx context.Context, at, id string, hash [sha256.Size]byte) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, canceled(ctx, err)
	}
	kind, _, _ := strings.Cut(at, "/")
	if id == "" {
		id = c.e.byName[kind].idAt(at)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var text []byte
	var err error
	if c.one != nil {
		text, err = textOf(c.one.QueryRowContext(ctx, kind, id))
	} else {
		text, err = record(ctx, c.m.db, kind, id) // early: the shop is still being read
	}
	if err != nil {
		return nil, canceled(ctx, err)
	}
	if hashOf(text) != hash {
		return nil, app.Errorf(app.CodeSourceDamaged, "shop: read mirror", "%s is not what was listed", at)
	}
	return io.NopCloser(bytes.NewReader(text)), nil
}

// missing is the item that makes a kind that was not captured a problem.
func missing(k Kind, s kindState) app.Item {
	return app.Item{
		Path: k.Name + ".missing", Size: -1, Mode: 0o600, Optional: true,
		Open: func(context.Context) (io.ReadCloser, error) {
			e := app.Errorf(s.Code, "shop: capture", "%s was not captured", k.Name)
			for n, v := range s.Args {
				e = e.With(n, v)
			}
			return nil, e
		},
	}
}

// whole is an item whose content is at hand.
func whole(at string, text []byte) app.Item {
	return app.Item{
		Path: at, Size: int64(len(text)), ModTime: stampOf(time.Time{}, hashOf(text)), Mode: 0o600,
		Open: func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil },
	}
}
