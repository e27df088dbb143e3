package rest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"slices"
	"sync"

	"kvart/app"
)

// earlyCapture is a first capture that gives records out while the shop is still
// being read: the shop needs minutes or hours for its largest kind, and the vault
// has time meanwhile.
type earlyCapture struct {
	*capture
	a      app.Access
	out    *app.Capture
	unlock func()
}

// arrival is records of a kind that have come.
type arrival struct {
	kind Kind
	rows []row
}

// listener hears of what is in the mirror as it will be when an update ends, and
// the zero one of nothing: of kinds of which no more is to come, and before that of
// records as they come, where nothing later in their list can be the same ones.
type listener struct {
	ready func(Kind)
	came  func(context.Context, Kind, []row) error
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
	c.given = map[string]*heap{}
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
	came := make(chan arrival) // waits for the vault: it is behind then, and has work
	ended := make(chan error, 1)
	tell := listener{ready: func(k Kind) { ready <- k }, came: func(ctx context.Context, k Kind, rows []row) error {
		select {
		case came <- arrival{k, rows}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	reading.Go(func() {
		_, err := c.e.updateTelling(ctx, c.a, c.m, func(Kind) bool { return false }, false, tell)
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
		case a := <-came:
			if c.rows(a, yield) {
				continue
			}
			stop()
			<-ended
			return
		case err := <-ended:
			if err == nil {
				err = c.begin(c.ctx)
			}
			var records []listed
			if err == nil {
				records, err = c.records()
			}
			if err == nil {
				c.out.Next, _, err = c.markerOf(c.ctx, slices.Values(records))
			}
			if err != nil {
				yield(app.Item{}, canceled(c.ctx, err))
				return
			}
			c.unlock()
			c.itemsOf(records, yield)
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
	h := c.heap(k)
	for _, l := range all {
		if !h.has(l.id) && !yield(c.give(l), nil) {
			return false, nil
		}
	}
	return true, nil
}

// rows yields records that have just come, with their content; more is false when
// nobody wants them.
func (c *earlyCapture) rows(a arrival, yield func(app.Item, error) bool) (more bool) {
	for _, r := range a.rows {
		it := c.give(listed{kind: a.kind.Name, id: r.ID, hash: r.hash, size: r.size, modified: fromUnix(unix(r.modified))})
		it.Open = func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(r.json)), nil }
		if !yield(it, nil) {
			return false
		}
	}
	return true
}

// give returns the item of a record, and notes that it is given out.
func (c *earlyCapture) give(l listed) app.Item {
	c.heap(c.e.byName[l.kind]).add(l)
	return c.item(l)
}

func (c *earlyCapture) heap(k Kind) *heap {
	if c.given[k.Name] == nil {
		c.given[k.Name] = &heap{ids: map[uint64]struct{}{}}
	}
	return c.given[k.Name]
}

// heap is what some records of a kind are.
type heap struct {
	ids map[uint64]struct{} // hashes, for there are as many as records
	sum [sha256.Size]byte   // of them all, in whatever order
}

var heapSeed = maphash.MakeSeed()

func (h *heap) add(l listed) {
	h.ids[maphash.String(heapSeed, l.id)] = struct{}{}
	var room [256]byte
	one := sha256.Sum256(append(append(room[:0], l.id...), l.hash[:]...))
	subtle.XORBytes(h.sum[:], h.sum[:], one[:])
}

// has reports whether a record is among them; none is in no heap.
func (h *heap) has(id string) bool {
	if h == nil {
		return false
	}
	_, ok := h.ids[maphash.String(heapSeed, id)]
	return ok
}

// asGiven returns an error unless the records that were given out are those of the
// moment that is captured.
func (c *capture) asGiven(records []listed) error {
	now := map[string]*heap{}
	for _, l := range records {
		if !c.given[l.kind].has(l.id) {
			continue
		}
		if now[l.kind] == nil {
			now[l.kind] = &heap{ids: map[uint64]struct{}{}}
		}
		now[l.kind].add(l)
	}
	for kind, h := range c.given {
		if n := now[kind]; len(h.ids) > 0 && (n == nil || n.sum != h.sum || len(n.ids) != len(h.ids)) {
			return app.Errorf(app.CodeInternal, "shop: capture", "%s changed after it was given out", kind)
		}
	}
	return nil
}
