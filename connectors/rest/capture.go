package rest

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"kvart/app"
)

// capture is the mirror at one moment, held open by a transaction.
type capture struct {
	e       *Engine
	m       *mirror
	conn    *sql.Conn
	ctx     context.Context // of the capture: the transaction lives in it
	present bool
	live    bool // for comparing: with who did what
	source  app.SourceID
	at      time.Time

	look *look // that it follows; nil for none
	seen look  // what it was itself, if nobody reads it

	given map[string]*heap // by kind, records that were given out while the shop was read; nil if that was read before

	mu     sync.Mutex // guards the connection
	one    *sql.Stmt  // that reads one record
	read   atomic.Bool
	bytes  atomic.Int64
	files  atomic.Int64
	count  map[string]int64
	newest int64 // order's number; 0 when none is known
	state  map[string]kindState
	shop   string
	soft   string
}

// Capture implements [app.Connector].
func (e *Engine) Capture(ctx context.Context, a app.Access, since app.Marker) (*app.Capture, error) {
	if a.Early && since == "" {
		if c, err := e.early(ctx, a); c != nil || err != nil {
			return c, canceled(ctx, err)
		}
	}
	c, err := e.open(ctx, a, false)
	if err != nil {
		return nil, canceled(ctx, err)
	}
	if c.look != nil {
		c.seen = *c.look // the mirror is as it was
	} else if c.seen.marker, c.seen.healthy, err = c.marker(ctx); err != nil {
		return nil, errors.Join(err, c.close())
	}
	next, healthy := c.seen.marker, c.seen.healthy
	if since != "" && next == since && healthy {
		c.read.Store(true) // nobody comes back for it
		return &app.Capture{Idle: true, Close: c.closer()}, nil
	}
	return &app.Capture{Items: c.items, Next: next, Stats: c.stats, Close: c.closer()}, nil
}

// Present implements [app.Restorer]: the records of the shop as it is now, all
// of them looked at afresh, without what is kept of earlier times and without
// pictures, which a restore only adds to. A record's size and time tell its content,
// so that what the newest backup has is taken from there, as from afar.
func (e *Engine) Present(ctx context.Context, a app.Access) (*app.Capture, error) {
	c, err := e.open(ctx, a, true)
	if err != nil {
		return nil, canceled(ctx, err)
	}
	e.mu.Lock()
	e.saved[a.Source.ID] = c.at
	delete(e.touched, a.Source.ID)
	e.mu.Unlock()
	return &app.Capture{Items: c.items, Stats: c.stats, Close: c.closer(), Far: true}, nil
}

// open brings the mirror up to date and holds it as it then is.
func (e *Engine) open(ctx context.Context, a app.Access, present bool) (c *capture, err error) {
	unlock, err := e.lock(ctx, a.Source)
	if err != nil {
		return nil, err
	}
	defer unlock()
	dir, err := e.dir(a.Source)
	if err != nil {
		return nil, fmt.Errorf("find mirror: %w", err)
	}
	m, err := openMirror(ctx, dir)
	if err != nil {
		return nil, err
	}
	c = e.captureOf(ctx, a, m, present)
	if !present {
		c.look = e.justLooked(a.Source.ID, c.at)
	}
	if c.look == nil {
		_, err = e.update(ctx, a, m, func(Kind) bool { return present }, present)
	}
	if err == nil {
		err = c.begin(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

func (e *Engine) captureOf(ctx context.Context, a app.Access, m *mirror, present bool) *capture {
	return &capture{e: e, m: m, ctx: ctx, present: present, source: a.Source.ID, at: e.o.Now(), count: map[string]int64{}, state: map[string]kindState{}}
}

// begin starts the transaction that holds the mirror still, and reads what is
// known of the kinds.
func (c *capture) begin(ctx context.Context) (err error) {
	if c.conn, err = c.m.db.Conn(ctx); err != nil {
		return wrap("read mirror", err)
	}
	if _, err := c.conn.ExecContext(ctx, `BEGIN DEFERRED`); err != nil {
		return wrap("read mirror", err)
	}
	one, err := c.conn.PrepareContext(ctx, recordQuery)
	if err != nil {
		return wrap("read mirror", err)
	}
	c.mu.Lock() // those given out early are read meanwhile
	c.one = one
	c.mu.Unlock()
	err = each(ctx, c.conn, func(scan func(...any) error) error {
		var name, text string
		if err := scan(&name, &text); err != nil {
			return err
		}
		var s kindState
		err := json.Unmarshal([]byte(text), &s)
		c.state[name] = s
		return err
	}, `SELECT name, state FROM kind`)
	if err != nil {
		return err
	}
	if c.shop, err = c.m.meta(ctx, "shop"); err != nil {
		return err
	}
	c.soft, err = c.m.meta(ctx, "software")
	return err
}

// marker is a hash of all content; healthy reports that no kind has failed.
func (c *capture) marker(ctx context.Context) (m app.Marker, healthy bool, err error) {
	var failed error
	m, healthy, err = c.markerOf(ctx, func(yield func(listed) bool) {
		failed = list(ctx, c.conn, c.present, "", func(l listed) error { yield(l); return nil })
	})
	return m, healthy, errors.Join(failed, err)
}

// markerOf is the marker of records by kind and id.
func (c *capture) markerOf(ctx context.Context, records iter.Seq[listed]) (app.Marker, bool, error) {
	h := sha256.New()
	var line []byte
	for l := range records {
		line = append(append(append(append(line[:0], l.kind...), 0), l.id...), 0)
		h.Write(append(hex.AppendEncode(line, l.hash[:]), '\n'))
	}
	healthy := true
	err := mediaFiles(ctx, c.conn, func(f file) error {
		fmt.Fprintf(h, "%s\x00%s\n", f.url, f.name)
		healthy = healthy && f.code == ""
		return nil
	})
	for _, k := range c.e.kinds {
		healthy = healthy && c.state[k.Name].Code == ""
	}
	return app.Marker(hex.EncodeToString(h.Sum(nil))), healthy, err
}

// items yields every record, then pictures, then what could not be captured.
func (c *capture) items(yield func(app.Item, error) bool) {
	c.read.Store(true)
	records, err := c.records()
	if err != nil {
		yield(app.Item{}, canceled(c.ctx, err))
		return
	}
	c.itemsOf(records, yield)
}

func (c *capture) itemsOf(records []listed, yield func(app.Item, error) bool) {
	manifest, err := c.manifest()
	if err != nil {
		yield(app.Item{}, err)
		return
	}
	if !yield(manifest, nil) {
		return
	}
	if err := c.asGiven(records); err != nil {
		yield(app.Item{}, err)
		return
	}
	for _, l := range records {
		if !c.given[l.kind].has(l.id) && !yield(c.item(l), nil) {
			return
		}
	}
	if (!c.present || c.live) && !c.told(yield) {
		return
	}
	if c.present {
		return
	}
	if !c.media(yield) {
		return
	}
	for _, k := range c.e.kinds {
		if s := c.state[k.Name]; s.Code != "" && !yield(missing(k, s), nil) {
			return
		}
	}
}

func (c *capture) records() (out []listed, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files.Store(0)
	c.bytes.Store(0)
	clear(c.count)
	newest := ""
	err = list(c.ctx, c.conn, c.present, "", func(l listed) error {
		if _, ok := c.e.byName[l.kind]; !ok {
			return nil // a kind of an older build
		}
		out = append(out, l)
		c.count[l.kind]++
		if l.kind == kindOrders && newerID(l.id, newest) {
			newest = l.id
		}
		c.files.Add(1)
		c.bytes.Add(l.size)
		return nil
	})
	if err == nil {
		c.newest, err = numberOf(c.ctx, c.conn, newest)
	}
	return out, err
}

// media yields pictures and the lists of which is which.
func (c *capture) media(yield func(app.Item, error) bool) bool {
	var files []file
	c.mu.Lock()
	err := mediaFiles(c.ctx, c.conn, func(f file) error { files = append(files, f); return nil })
	c.mu.Unlock()
	if err != nil {
		return yield(app.Item{}, canceled(c.ctx, err))
	}
	groups, seen := map[string]map[string]ref{}, map[string]bool{}
	for _, f := range files {
		if f.name == "" {
			if f.code != "" && !yield(c.unfetched(f), nil) {
				return false
			}
			continue
		}
		sum := sha256.Sum256([]byte(f.url))
		g := hex.EncodeToString(sum[:1])
		if groups[g] == nil {
			groups[g] = map[string]ref{}
		}
		groups[g][f.url] = ref{File: f.name, Size: f.size}
		if seen[f.name] {
			continue
		}
		seen[f.name] = true
		c.files.Add(1)
		c.bytes.Add(f.size)
		if !yield(c.picture(f), nil) {
			return false
		}
	}
	for g, refs := range groups {
		text, err := json.MarshalIndent(refs, "", " ") // sorts
		if err != nil {
			return yield(app.Item{}, fmt.Errorf("list files: %w", err))
		}
		if !yield(whole(path.Join(mediaRefs, g+".json"), text), nil) {
			return false
		}
	}
	return true
}

func (c *capture) picture(f file) app.Item {
	return app.Item{
		Path: path.Join(mediaDir, f.name), Size: f.size, ModTime: stampOf(time.Time{}, hashOf([]byte(f.name))), Mode: 0o600, Optional: true,
		Open: func(ctx context.Context) (io.ReadCloser, error) { return c.e.openFile(ctx, c.m.dir, f) },
	}
}

// unfetched is the item of a file that could not be had.
func (c *capture) unfetched(f file) app.Item {
	sum := sha256.Sum256([]byte(f.url))
	return app.Item{
		Path: path.Join(mediaDir, "missing", hex.EncodeToString(sum[:8])+extension(f.url)), Size: -1, Mode: 0o600, Optional: true,
		Open: func(context.Context) (io.ReadCloser, error) {
			return nil, app.Errorf(f.code, "shop: fetch file", "%s was not fetched", f.url).With("path", f.url)
		},
	}
}

// manifest tells what a point holds and what it lacks.
func (c *capture) manifest() (app.Item, error) {
	type kind struct {
		Records int64             `json:"records"`
		Missing app.Code          `json:"missing,omitempty"`
		Since   *time.Time        `json:"since,omitempty"`
		Args    map[string]string `json:"args,omitempty"`
		Absent  bool              `json:"absent,omitempty"`
		Pending bool              `json:"pending,omitempty"` // not read to its end yet
	}
	m := struct {
		Format   int             `json:"format"`
		Platform app.Kind        `json:"platform"`
		Shop     string          `json:"shop,omitempty"`
		Software string          `json:"software,omitempty"`
		Kinds    map[string]kind `json:"kinds"`
	}{Format: 1, Platform: c.e.Spec().Kind, Shop: c.shop, Software: c.soft, Kinds: map[string]kind{}}
	for _, k := range c.e.kinds {
		s := c.state[k.Name]
		out := kind{Records: c.count[k.Name], Missing: s.Code, Absent: s.Absent, Pending: s.Listing}
		if s.Code != "" {
			since := s.Failed.UTC()
			out.Since, out.Args = &since, s.Args
		}
		m.Kinds[k.Name] = out
	}
	text, err := json.MarshalIndent(m, "", " ")
	if err != nil {
		return app.Item{}, fmt.Errorf("describe point: %w", err)
	}
	return whole(manifestFile, append(text, '\n')), nil
}

// stats counts the records of each kind.
func (c *capture) stats() app.Stats {
	s := app.Stats{"files": c.files.Load(), "bytes": c.bytes.Load()}
	for name, n := range c.count {
		s["kind."+name] = n
	}
	if c.newest > 0 {
		s[app.StatNewestOrder] = c.newest
	}
	return s
}

func (c *capture) closer() func() error { return sync.OnceValue(c.close) }

func (c *capture) close() error {
	var err error
	if c.conn != nil {
		if c.one != nil {
			err = c.one.Close()
		}
		// the transaction only reads: closing the connection ends it
		_, rollback := c.conn.ExecContext(context.WithoutCancel(c.ctx), `ROLLBACK`)
		err = errors.Join(err, rollback, c.conn.Close())
		if !c.read.Load() && !c.present {
			c.e.remember(c.source, c.seen)
		}
	}
	return errors.Join(err, c.m.close())
}
