package agent

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"kvart/app"
)

const (
	// cataloguesKept is how many points are kept open as catalogues: the one that
	// is looked at, the one it is held against, and one to come back to.
	cataloguesKept = 3
	// catalogueKept is how long after its last use: reading a large shop's names
	// takes longer than unpacking a file.
	catalogueKept = 5 * time.Minute
)

// catalogues keeps the points that were last looked at as people think of them.
type catalogues struct {
	mu   sync.Mutex
	kept []*shelved // the last used first
}

// shelved is a point opened as a catalogue, or one that is being opened. It is
// closed when nobody uses it and it is not kept any more.
type shelved struct {
	source app.SourceID
	point  app.PointID
	ready  chan struct{} // closed when it is open, or could not be opened
	err    error
	cat    *roomy // nil for a point that is nothing but its files
	from   app.PointFS
	tmp    string

	users int
	used  time.Time
	stale bool
}

// close lets everything go. What was unpacked is the shop's data in the clear.
func (s *shelved) close() error {
	var err error
	if s.cat != nil {
		err = s.cat.Close()
	}
	if s.from != nil {
		err = errors.Join(err, s.from.Close())
	}
	if s.tmp != "" {
		err = errors.Join(err, os.RemoveAll(s.tmp))
	}
	return err
}

// take returns the point as it is kept, for one more user, or one to be opened
// by the caller, who then calls opened.
func (c *catalogues) take(source app.SourceID, point app.PointID, now time.Time) (s *shelved, open bool, old []*shelved) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.kept, func(s *shelved) bool { return s.point == point })
	if i >= 0 {
		s = c.kept[i]
		c.kept = slices.Delete(c.kept, i, i+1)
	} else {
		s, open = &shelved{source: source, point: point, ready: make(chan struct{})}, true
	}
	s.users++
	s.used = now
	c.kept = append([]*shelved{s}, c.kept...)
	for len(c.kept) > cataloguesKept {
		old = append(old, c.dropLocked(len(c.kept)-1)...)
	}
	return s, open, old
}

// dropLocked stops keeping one, and returns it if it is to be closed now.
func (c *catalogues) dropLocked(i int) []*shelved {
	s := c.kept[i]
	c.kept = slices.Delete(c.kept, i, i+1)
	s.stale = true
	if s.users > 0 {
		return nil
	}
	return []*shelved{s}
}

// opened tells that what was taken to be opened is, or why it is not.
func (c *catalogues) opened(s *shelved, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.err = err
	if i := slices.Index(c.kept, s); err != nil && i >= 0 {
		c.dropLocked(i)
	}
	close(s.ready)
}

// release ends one use, and returns the point if it is to be closed now.
func (c *catalogues) release(s *shelved, now time.Time) []*shelved {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.users--
	s.used = now
	if s.stale && s.users == 0 {
		return []*shelved{s}
	}
	return nil
}

// another returns an open catalogue of another point of a source, for one more
// user, or nil.
func (c *catalogues) another(source app.SourceID, point app.PointID) *shelved {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.kept {
		if s.source != source || s.point == point {
			continue
		}
		select {
		case <-s.ready:
			if s.err == nil && s.cat != nil {
				s.users++
				return s
			}
		default:
		}
	}
	return nil
}

// expire lets those go that were not used for a while.
func (c *catalogues) expire(now time.Time) error {
	return c.letGo(func(s *shelved) bool { return s.users == 0 && now.Sub(s.used).Abs() > catalogueKept })
}

func (c *catalogues) close() error { return c.letGo(func(*shelved) bool { return true }) }

func (c *catalogues) letGo(which func(*shelved) bool) error {
	c.mu.Lock()
	var old []*shelved
	for i := len(c.kept) - 1; i >= 0; i-- {
		if which(c.kept[i]) {
			old = append(old, c.dropLocked(i)...)
		}
	}
	c.mu.Unlock()
	return closeAll(old)
}

func closeAll(old []*shelved) error {
	var err error
	for _, s := range old {
		err = errors.Join(err, s.close())
	}
	return err
}

// shelf returns a source's point as a catalogue, opening it where it is not;
// release lets it go. Its cat is nil where there are only files.
func (a *Agent) shelf(ctx context.Context, v app.Vault, s app.Source, point app.Point) (_ *shelved, release func(), err error) {
	for {
		w, open, old := a.catalogues.take(s.ID, point.ID, a.Now())
		a.closeShelved(ctx, old)
		release := func() { a.closeShelved(ctx, a.catalogues.release(w, a.Now())) }
		if open {
			a.catalogues.opened(w, a.openShelf(ctx, v, s, point, w))
		}
		select {
		case <-w.ready:
		case <-ctx.Done():
			release()
			return nil, nil, app.Errorf(app.CodeCanceled, "open catalogue", "%w", ctx.Err())
		}
		if w.err == nil {
			return w, release, nil
		}
		err := w.err
		release()
		// whoever was opening it gave up: that is no reason for anybody else to
		if open || ctx.Err() != nil || app.CodeOf(err) != app.CodeCanceled {
			return nil, nil, err
		}
	}
}

func (a *Agent) closeShelved(ctx context.Context, old []*shelved) {
	if err := closeAll(old); err != nil {
		a.Log.WarnContext(ctx, "Catalogue not closed", "error", err)
	}
}

// openShelf opens a point as a catalogue. What it opened before it failed is
// closed with w.
func (a *Agent) openShelf(ctx context.Context, v app.Vault, s app.Source, point app.Point, w *shelved) (err error) {
	c, err := a.Connectors.Connector(s.Kind)
	if err != nil {
		return err
	}
	known, ok := c.(app.Cataloguer)
	if !ok || point.Kind != app.PointBackup {
		return nil
	}
	if free, short := a.makeRoom(ctx); short { // before another is held that could help
		a.catalogues.drop(w)
		return a.noRoom(free, errNoRoom)
	}
	if w.from, err = v.Open(ctx, point.ID); err != nil {
		return err
	}
	if w.tmp, err = a.tempDir("shelf-"); err != nil {
		return err
	}
	open := func(ctx context.Context) (app.Catalogue, error) { return known.Catalogue(ctx, w.from, w.tmp) }
	if near := a.catalogues.another(s.ID, point.ID); near != nil {
		defer func() { a.closeShelved(ctx, a.catalogues.release(near, a.Now())) }()
		if n, ok := near.cat.Catalogue.(app.NeighbourCatalogue); ok {
			open = func(ctx context.Context) (app.Catalogue, error) { return n.Neighbour(ctx, w.from, w.tmp) }
		}
	}
	return a.withRoom(ctx, w, func(ctx context.Context) error {
		cat, err := open(ctx)
		if cat != nil {
			w.cat = &roomy{cat, a, w}
		}
		return err
	})
}
