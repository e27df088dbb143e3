package webhotel

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"sync"
	"time"

	"kvart/app"
)

// capture is one reading of a site: the database's capture, the list a walk
// made, and the files as they are opened.
type capture struct {
	o    opened
	db   *app.Capture // nil without a database
	list []entry
	now  time.Time // when the walk began
	// present is set for a safety point: what changes while it is read is kept
	// as it was read. A site never stands still, and a restore must not be
	// refused for its log growing.
	present bool
	root    bool // the site's folder is there
	// dump reads the database, and survey lists the site after that; nil where
	// that is done already. They are run when the items are asked for.
	dump   func() error
	survey func() error

	mu   sync.Mutex
	read map[string]int64 // files whose size was not the walk's; -1 unread
}

// Capture implements [app.Connector]. The database is read first, and the site
// is listed after that; see the package's comment. Without a marker both are
// done before it returns. With one, which is also how it is asked whether
// anything moved, they are done when the first item is asked for.
func (c *Connector) Capture(ctx context.Context, a app.Access, since app.Marker) (_ *app.Capture, err error) {
	const op = "webhotel: capture"
	if err := ctx.Err(); err != nil {
		return nil, canceled(op, err)
	}
	o, err := c.open(a)
	if err != nil {
		return nil, err
	}
	cp := &capture{o: o, read: map[string]int64{}, root: true}
	defer func() {
		if err != nil {
			err = errors.Join(o.cfg.codeOf(ctx, op, err), cp.close())
		}
	}()
	sinceFiles, sinceDB := splitMarker(since)
	if cp.db, err = c.captureDatabase(ctx, a, o, sinceDB); err != nil {
		return nil, err
	}
	if since != "" && (cp.db == nil || cp.db.Idle) {
		files, err := cp.look(ctx, a, sinceFiles)
		if err != nil {
			return nil, err
		}
		if files == sinceFiles {
			return &app.Capture{Idle: true, Close: func() error { return nil }}, cp.close()
		}
	}
	out := cp.capture(ctx)
	if cp.db != nil && cp.db.Idle {
		// The files moved and the database did not: a point holds both all the
		// same.
		cp.dump = func() (err error) {
			if err := cp.db.Close(); err != nil {
				return err
			}
			cp.db, err = c.captureDatabase(ctx, a, o, "")
			return err
		}
	}
	cp.survey = func() error {
		files, err := cp.look(ctx, a, sinceFiles)
		if out.Next = joinMarker(files, ""); cp.db != nil {
			out.Next = joinMarker(files, cp.db.Next)
		}
		return err
	}
	if since == "" {
		err, cp.survey = cp.survey(), nil
	}
	return out, err
}

// captureDatabase returns nil where no database belongs to the site.
func (c *Connector) captureDatabase(ctx context.Context, a app.Access, o opened, since app.Marker) (*app.Capture, error) {
	if !hasDatabase(a) {
		return nil, nil
	}
	in, err := c.database(ctx, a, o)
	if err != nil {
		return nil, err
	}
	db, err := c.db.Capture(ctx, in, since)
	return db, innerError(err)
}

// look lists the site and returns the marker of the listing.
func (cp *capture) look(ctx context.Context, a app.Access, since string) (string, error) {
	const op = "webhotel: list"
	cp.now = time.Now()
	list, _, err := walk(ctx, cp.o.pool, cp.o.cfg.exclude, nil)
	if err != nil {
		return "", cp.o.cfg.codeOf(ctx, op, err)
	}
	cp.list = list
	if files, _ := total(list); files == 0 && heldFiles(since) {
		return "", app.Errorf(app.CodeSourceEmpty, op, "%s held files and holds none now", cp.o.cfg.where()).With("path", cp.o.cfg.where())
	}
	about := cp.o.cfg.path
	if hasDatabase(a) {
		about += "\ndatabase " + a.Source.Settings[fieldDB] + " " + a.Source.Settings[fieldDBName]
	}
	return sum(list, about, cp.now), nil
}

// Present implements [app.Restorer]: the database, and every file but what
// backups leave out. A file that can't be read fails the capture, since a
// restore must not begin over a state that was not saved.
func (c *Connector) Present(ctx context.Context, a app.Access) (_ *app.Capture, err error) {
	const op = "webhotel: save present state"
	o, err := c.open(a)
	if err != nil {
		return nil, err
	}
	cp := &capture{o: o, read: map[string]int64{}, now: time.Now(), present: true, root: true}
	defer func() {
		if err != nil {
			err = errors.Join(o.cfg.codeOf(ctx, op, err), cp.close())
		}
	}()
	if hasDatabase(a) {
		in, err := c.databaseFor(ctx, a, o, nil)
		if err != nil {
			return nil, err
		}
		if cp.db, err = c.db.Present(ctx, in); err != nil {
			return nil, innerError(err)
		}
	}
	cp.list, _, err = walk(ctx, o.pool, o.cfg.exclude, nil)
	if missingRoot(err) {
		cp.root, err = false, nil
	}
	if err != nil {
		return nil, err
	}
	present := cp.capture(ctx)
	present.Far = true
	return present, nil
}

func (cp *capture) capture(ctx context.Context) *app.Capture {
	return &app.Capture{
		Items: func(yield func(app.Item, error) bool) { cp.items(ctx, yield) },
		Stats: cp.stats, Close: sync.OnceValue(cp.close),
	}
}

func (cp *capture) close() error {
	err := cp.o.pool.Close()
	if cp.db != nil && cp.db.Close != nil {
		err = errors.Join(err, cp.db.Close())
	}
	return err
}

func (cp *capture) items(ctx context.Context, yield func(app.Item, error) bool) {
	if !cp.first(ctx, &cp.dump, yield) || !cp.databaseItems(yield) || !cp.first(ctx, &cp.survey, yield) {
		return
	}
	if !cp.root || !yield(app.Item{Path: filesDir, Mode: fs.ModeDir | 0o755}, nil) {
		return
	}
	for _, e := range cp.list {
		if err := ctx.Err(); err != nil {
			yield(app.Item{}, canceled("webhotel: capture", err))
			return
		}
		if err := cp.o.pool.lostForGood(); err != nil {
			yield(app.Item{}, cp.o.cfg.codeOf(ctx, "webhotel: capture", err))
			return
		}
		if !yield(cp.item(e), nil) {
			return
		}
	}
}

// first does what was put off until items are asked for, once.
func (cp *capture) first(ctx context.Context, do *func() error, yield func(app.Item, error) bool) bool {
	if *do == nil {
		return true
	}
	if err := (*do)(); err != nil {
		yield(app.Item{}, cp.o.cfg.codeOf(ctx, "webhotel: capture", err))
		return false
	}
	*do = nil
	return true
}

// databaseItems yields the database's files and reports whether to go on.
func (cp *capture) databaseItems(yield func(app.Item, error) bool) bool {
	if cp.db == nil || cp.db.Items == nil {
		return true
	}
	first := true
	for item, err := range cp.db.Items {
		if err == nil && first {
			first = false
			if !yield(app.Item{Path: databaseDir, Mode: fs.ModeDir | 0o700}, nil) {
				return false
			}
		}
		item.Path = databaseDir + "/" + item.Path
		if !yield(item, innerError(err)) || err != nil {
			return false
		}
	}
	return true
}

func (cp *capture) item(e entry) app.Item {
	item := app.Item{
		Path: filesDir + "/" + e.path, Size: e.size, ModTime: e.mtime, Link: e.link, Optional: true,
		Mode: e.mode & (fs.ModePerm | fs.ModeDir | fs.ModeSymlink),
	}
	switch {
	case e.err != nil:
		item.Size, item.Mode = -1, 0
		item.Open = func(context.Context) (io.ReadCloser, error) {
			cp.note(e.path, -1)
			return nil, e.err
		}
	case e.regular():
		if e.unsettled(cp.now) {
			// The next capture finds another time, and reads it again.
			item.ModTime = e.mtime.Add(time.Duration(1 + cp.now.UnixNano()%999_999))
		}
		item.Open = func(ctx context.Context) (io.ReadCloser, error) { return cp.open(ctx, e) }
	}
	return item
}

// note remembers how much of a file was read; -1 means it was not.
func (cp *capture) note(path string, n int64) {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	cp.read[path] = n
}

// stats counts what was captured: the walk's list, less what could not be
// read, with the sizes that were read, and what the database's connector
// counted.
func (cp *capture) stats() app.Stats {
	files, bytes := total(cp.list)
	cp.mu.Lock()
	for _, e := range cp.list {
		n, ok := cp.read[e.path]
		switch {
		case !ok || !e.regular():
		case n < 0:
			files--
			bytes -= e.size
		default:
			bytes += n - e.size
		}
	}
	cp.mu.Unlock()
	stats := app.Stats{"files": files, "bytes": bytes}
	if cp.db == nil || cp.db.Stats == nil {
		return stats
	}
	for key, n := range cp.db.Stats() {
		stats[statPrefix+key] = n
		if key == app.StatDamaged || key == app.StatNewestOrder {
			stats[key] = n
		}
	}
	return stats
}
