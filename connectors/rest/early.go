package rest

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"kvart/app"
)

// earlyCapture is a first capture that gives records out kind by kind while the shop is
// still being read: the shop needs minutes or hours for its largest kind, and the
// vault has time meanwhile.
type earlyCapture struct {
	*capture
	a      app.Access
	out    *app.Capture
	unlock func()
	whole  atomic.Bool // the shop was read to its end
}

// early begins such a capture. It returns nil where the shop was captured before:
// the vault has most of it then, and takes it over.
func (e *Engine) early(ctx context.Context, a app.Access) (*app.Capture, error) {
	unlock, err := e.lock(ctx, a.Source)
	if err != nil {
		return nil, err
	}
	unlock = sync.OnceFunc(unlock)
	m, first, err := e.unread(ctx, a)
	if err != nil || !first {
		unlock()
		return nil, err
	}
	c := &earlyCapture{a: a, unlock: unlock, capture: e.captureOf(ctx, a, m, false)}
	c.given = map[string]string{}
	closer := c.closer()
	c.out = &app.Capture{Items: c.items, Early: true, Stats: c.stats, Close: func() error {
		defer unlock()
		return closer()
	}}
	return c.out, nil
}

// unread opens the mirror of a shop that was never read to its end, and has no
// backup.
func (e *Engine) unread(ctx context.Context, a app.Access) (m *mirror, first bool, err error) {
	dir, err := e.dir(a.Source)
	if err != nil {
		return nil, false, fmt.Errorf("find mirror: %w", err)
	}
	if m, err = openMirror(ctx, dir); err != nil {
		return nil, false, err
	}
	defer func() {
		if err != nil || !first {
			err = errors.Join(err, m.close())
		}
	}()
	read, err := m.meta(ctx, "read")
	if err != nil || read != "" {
		return m, false, err
	}
	if a.Newest == nil {
		return m, true, nil
	}
	point, err := a.Newest(ctx)
	if err != nil {
		return m, false, fmt.Errorf("read newest backup: %w", err)
	}
	if point == nil {
		return m, true, nil
	}
	return m, false, point.Close()
}

// items reads the shop, and yields meanwhile what of it is there.
func (c *earlyCapture) items(yield func(app.Item, error) bool) {
	defer c.unlock()
	c.read.Store(true) // nobody comes back for it
	var reading sync.WaitGroup
	defer reading.Wait()
	ctx, stop := context.WithCancel(c.ctx)
	defer stop()
	ready := make(chan Kind, len(c.e.kinds))
	ended := make(chan error, 1)
	reading.Go(func() {
		_, err := c.e.updateTelling(ctx, c.a, c.m, func(Kind) bool { return false }, false, func(k Kind) { ready <- k })
		c.whole.Store(true)
		ended <- err
	})
	for {
		select {
		case k := <-ready:
			more, err := c.kind(ctx, k, yield)
			if err == nil && more {
				continue
			}
			stop()
			<-ended
			if more {
				yield(app.Item{}, canceled(c.ctx, err))
			}
			return
		case err := <-ended:
			if err == nil {
				err = c.begin(c.ctx)
			}
			if err == nil {
				c.out.Next, _, err = c.marker(c.ctx)
			}
			if err != nil {
				yield(app.Item{}, canceled(c.ctx, err))
				return
			}
			c.unlock()
			c.capture.items(yield)
			return
		}
	}
}

// kind yields the records of a kind; more is false when nobody wants them.
func (c *earlyCapture) kind(ctx context.Context, k Kind, yield func(app.Item, error) bool) (more bool, err error) {
	var all []listed
	if err := list(ctx, c.m.db, false, k.Name, func(l listed) error { all = append(all, l); return nil }); err != nil {
		return true, err
	}
	for _, l := range all {
		it := c.item(l)
		it.Early = !c.whole.Load()
		if !yield(it, nil) {
			return false, nil
		}
	}
	c.given[k.Name] = sumOf(all)
	return true, nil
}

// sumOf tells apart what records are.
func sumOf(all []listed) string {
	h := sha256.New()
	for _, l := range all {
		fmt.Fprintf(h, "%s\x00%x\n", l.id, l.hash)
	}
	return string(h.Sum(nil))
}

// asGiven returns an error unless the records that were given out are those of the
// moment that is captured.
func (c *capture) asGiven(records []listed) error {
	now := map[string]string{}
	for from := 0; from < len(records); {
		to, kind := from, records[from].kind
		for to < len(records) && records[to].kind == kind {
			to++
		}
		if _, given := c.given[kind]; given {
			now[kind] = sumOf(records[from:to])
		}
		from = to
	}
	none := sumOf(nil)
	for kind, sum := range c.given {
		if cmp.Or(now[kind], none) != sum {
			return app.Errorf(app.CodeInternal, "shop: capture", "%s changed after it was given out", kind)
		}
	}
	return nil
}
