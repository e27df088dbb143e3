package postgres

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"kvart/app"
)

// Stats keys.
const (
	statTable   = "table." // before a table's name; its schema only if not "public"
	statObjects = "large_objects"
	statBytes   = "bytes"
)

// capture is one capture of a database.
type capture struct {
	s   *snapshot
	ctx context.Context // of Capture: the locks are let go when it is closed
	now time.Time

	mu    sync.Mutex
	stats app.Stats
	sizes map[string]int64 // of the files that were read
}

// Capture implements [app.Connector]. ctx governs the capture until its Close.
func (c *Connector) Capture(ctx context.Context, a app.Access, since app.Marker) (*app.Capture, error) {
	const op = "postgres: capture"
	l, err := c.open(ctx, a)
	if err != nil {
		return nil, err
	}
	next, err := l.place(ctx)
	if err != nil {
		l.close()
		return nil, l.codeOf(ctx, op, err)
	}
	if since != "" && next == since {
		l.close()
		return &app.Capture{Idle: true, Close: func() error { return nil }}, nil
	}
	// A state taken after the place was read is never older than it.
	s, err := l.snapshot(ctx)
	if err != nil {
		return nil, l.codeOf(ctx, op, err)
	}
	if heldTables(since) && !heldTables(next) {
		return nil, closing(app.Errorf(app.CodeSourceEmpty, op, "%s had tables and has none", s.database).With("path", s.database),
			func() error { return s.close(ctx) })
	}
	cp := &capture{s: s, ctx: ctx, now: time.Now(), stats: app.Stats{}, sizes: map[string]int64{}}
	return &app.Capture{Items: cp.items(), Next: next, Stats: cp.counts, Close: func() error { return s.close(ctx) }}, nil
}

// place asks where the database stands.
func (l *link) place(ctx context.Context) (app.Marker, error) {
	conn, err := l.connect(ctx, l.database)
	if err != nil {
		return "", err
	}
	defer l.let(ctx, conn)
	list, err := tables(ctx, conn)
	if err != nil {
		return "", err
	}
	if err := l.mayRead(ctx, conn, list); err != nil {
		return "", err
	}
	return place(ctx, conn)
}

func (cp *capture) counts() app.Stats {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	stats := maps.Clone(cp.stats)
	for _, n := range cp.sizes {
		stats[statBytes] += n
	}
	return stats
}

// count notes what a reading found. A second reading finds the same.
func (cp *capture) count(key string, n int64) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.stats[key] = n
}

func (cp *capture) size(name string, n int64) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.sizes[name] = n
}

// items yields the files of the point in the order they are loaded.
func (cp *capture) items() iter.Seq2[app.Item, error] {
	return func(yield func(app.Item, error) bool) {
		info, err := cp.s.info(cp.ctx, cp.now)
		if err != nil {
			yield(app.Item{}, cp.s.codeOf(cp.ctx, "postgres: capture", err))
			return
		}
		for _, item := range cp.list(info) {
			if !yield(item, nil) {
				return
			}
		}
	}
}

func (cp *capture) list(info texts) []app.Item {
	items := []app.Item{
		cp.text(fileInfo, info.info),
		cp.text(fileRoles, info.roles),
		cp.spooled(fileSchema),
		{Path: dirData, ModTime: cp.now, Mode: fs.ModeDir | 0o700},
	}
	for _, t := range cp.s.tables {
		items = append(items, cp.item(t.file, -1, func(ctx context.Context) (io.ReadCloser, error) { return cp.openTable(ctx, t) }))
	}
	var b strings.Builder
	b.WriteString(header("sequences", cp.s.encoding))
	for _, seq := range cp.s.seqs {
		b.WriteString(seq.setval())
	}
	items = append(items, cp.text(fileSequences, b.String()))
	if len(cp.s.objects) > 0 {
		items = append(items, cp.item(fileObjects, -1, cp.openObjects))
	}
	return append(items, cp.spooled(fileAfter), cp.text(fileDatabase, info.database))
}

func (cp *capture) item(name string, size int64, open func(context.Context) (io.ReadCloser, error)) app.Item {
	return app.Item{Path: name, Size: size, ModTime: cp.now, Mode: 0o600, Rolling: true, Open: open}
}

func (cp *capture) text(name, content string) app.Item {
	return cp.item(name, int64(len(content)), func(context.Context) (io.ReadCloser, error) {
		cp.size(name, int64(len(content)))
		return io.NopCloser(strings.NewReader(content)), nil
	})
}

// spooled is a file that pg_dump has written.
func (cp *capture) spooled(name string) app.Item {
	return cp.item(name, -1, func(context.Context) (io.ReadCloser, error) {
		f, err := os.Open(filepath.Join(cp.s.dir, name))
		if err != nil {
			return nil, fmt.Errorf("open the schema: %w", err)
		}
		if fi, err := f.Stat(); err == nil {
			cp.size(name, fi.Size())
		}
		return f, nil
	})
}
