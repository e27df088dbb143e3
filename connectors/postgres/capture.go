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

	"golang.org/x/sync/errgroup"

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
	// kept are the tables that did not change since an earlier point, by file.
	kept map[string]known

	mu    sync.Mutex
	stats app.Stats
	sizes map[string]int64 // of the files that were read
}

// Capture implements [app.Connector]. ctx governs the capture until its Close.
// Without a marker the state is taken at once. With one, which is also how it is
// asked whether anything moved, it is taken when the first item is asked for.
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
	if since == "" {
		return l.capture(ctx, next, since)
	}
	l.close()
	if next == headOf(since) {
		return &app.Capture{Idle: true, Close: func() error { return nil }}, nil
	}
	if heldTables(since) && !heldTables(next) {
		return nil, app.Errorf(app.CodeSourceEmpty, op, "%s had tables and has none", l.database).With("path", l.database)
	}
	return c.later(ctx, a, next, since), nil
}

// later is a capture whose state is taken when its items are asked for. next is
// its marker until then.
func (c *Connector) later(ctx context.Context, a app.Access, next, since app.Marker) *app.Capture {
	const op = "postgres: capture"
	taken := &app.Capture{Stats: func() app.Stats { return app.Stats{} }, Close: func() error { return nil }}
	all := &app.Capture{Next: next, Stats: func() app.Stats { return taken.Stats() }, Close: func() error { return taken.Close() }}
	take := func() (*app.Capture, error) {
		l, err := c.open(ctx, a)
		if err != nil {
			return nil, err
		}
		next, err := l.place(ctx)
		if err != nil {
			l.close()
			return nil, l.codeOf(ctx, op, err)
		}
		return l.capture(ctx, next, since)
	}
	all.Items = func(yield func(app.Item, error) bool) {
		if taken.Items == nil {
			now, err := take()
			if err != nil {
				yield(app.Item{}, err)
				return
			}
			taken = now
		}
		taken.Items(yield)
		all.Next = taken.Next
	}
	return all
}

// capture takes the state. One taken after the place was read is never older
// than it. The link is the capture's from then on.
func (l *link) capture(ctx context.Context, next, since app.Marker) (*app.Capture, error) {
	const op = "postgres: capture"
	s, err := l.snapshot(ctx)
	if err != nil {
		return nil, l.codeOf(ctx, op, err)
	}
	cp := &capture{s: s, ctx: ctx, now: time.Now(), stats: app.Stats{}, sizes: map[string]int64{}}
	if err := cp.begin(ctx, since); err != nil {
		return nil, closing(l.codeOf(ctx, op, err), func() error { return s.close(ctx) })
	}
	out := &app.Capture{Next: next, Stats: cp.counts, Close: func() error { return s.close(ctx) }}
	out.Items = func(yield func(app.Item, error) bool) {
		for item, err := range cp.items() {
			if !yield(item, err) || err != nil {
				return
			}
		}
		// Now every table was read, if it is read in turn.
		marker, err := cp.remember(next)
		if err != nil {
			yield(app.Item{}, l.codeOf(ctx, op, err))
			return
		}
		out.Next = marker
	}
	return out, nil
}

// begin asks what need not be read of the state, while pg_dump describes its
// schema.
func (cp *capture) begin(ctx context.Context, since app.Marker) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return cp.s.describe(ctx) })
	g.Go(func() (err error) {
		if cp.kept, err = cp.s.unchanged(ctx, since, cp.now); err != nil {
			return err
		}
		return cp.s.newestOrder(ctx, cp.stats)
	})
	return g.Wait()
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
	sizes := maps.Clone(cp.sizes)
	for _, t := range cp.s.tables {
		if k, ok := cp.kept[t.file]; ok {
			stats[t.key()], sizes[t.file] = k.Rows, k.Size
		}
	}
	for _, n := range sizes {
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
		item := cp.item(t.file, -1, func(ctx context.Context) (io.ReadCloser, error) { return cp.openTable(ctx, t) })
		if k, ok := cp.kept[t.file]; ok {
			item.Size, item.ModTime = k.Size, time.Unix(0, k.Time) // the vault need not read it
		}
		items = append(items, item)
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
