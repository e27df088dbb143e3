// Package near keeps near the window what long lists show of what lies with the
// guard: the parts of a list that were looked at, and small things that rows
// show beside their words. Both are bounded, whatever is scrolled past. It knows
// neither the guard nor the screen.
package near

import (
	"context"
	"slices"
)

// Run runs work outside the window and then, inside it, what the work returned.
type Run func(work func(ctx context.Context) (then func()))

const (
	hands = 2  // that fetch at once
	queue = 40 // wishes that are remembered: about two screens of rows
)

// Cache keeps small things that are fetched one by one: what was wished for last
// comes first, what nobody looked at for longest is let go. All methods are
// called from the window's goroutine.
type Cache[V any] struct {
	run    Run
	fetch  func(ctx context.Context, key string) (V, error)
	most   int
	kept   map[string]*kept[V]
	wished []string // newest last
	busy   int
	used   int64
	round  int
	inside bool // Value is asking, and sees for itself what came

	// OnCame is called when something came that Value was asked for.
	OnCame func()
}

type kept[V any] struct {
	v        V
	ok, here bool
	coming   bool // it is being fetched
	used     int64
}

// NewCache returns a cache of at most so many things.
func NewCache[V any](run Run, most int, fetch func(ctx context.Context, key string) (V, error)) *Cache[V] {
	return &Cache[V]{run: run, fetch: fetch, most: most, kept: map[string]*kept[V]{}}
}

// Clear lets everything go; what is under way is not taken in any more.
func (c *Cache[V]) Clear() {
	c.round++
	c.busy, c.wished, c.kept = 0, nil, map[string]*kept[V]{}
}

// Len returns how many things are kept or on their way.
func (c *Cache[V]) Len() int { return len(c.kept) }

// Value returns what belongs to a key, false when it is not here: on its way, or
// not to be had. It is fetched once; a failure is remembered until Clear.
func (c *Cache[V]) Value(key string) (V, bool) {
	c.used++
	k, known := c.kept[key]
	if !known {
		k = &kept[V]{}
		c.kept[key] = k
	}
	k.used = c.used
	if !k.here && !k.coming {
		c.wish(key)
		inside := c.inside
		c.inside = true
		c.next()
		c.inside = inside
	}
	return k.v, k.ok
}

// wish remembers a key as the newest wish.
func (c *Cache[V]) wish(key string) {
	if at := slices.Index(c.wished, key); at >= 0 {
		c.wished = slices.Delete(c.wished, at, at+1)
	}
	if len(c.wished) >= queue {
		delete(c.kept, c.wished[0])
		c.wished = c.wished[1:]
	}
	c.wished = append(c.wished, key)
}

func (c *Cache[V]) next() {
	for c.busy < hands && len(c.wished) > 0 {
		key := c.wished[len(c.wished)-1]
		c.wished = c.wished[:len(c.wished)-1]
		k, round := c.kept[key], c.round
		c.busy++
		k.coming = true
		c.run(func(ctx context.Context) func() {
			v, err := c.fetch(ctx, key)
			return func() {
				if round != c.round {
					return
				}
				c.busy--
				k.v, k.ok, k.here, k.coming = v, err == nil, true, false
				c.shrink()
				c.came()
			}
		})
	}
}

func (c *Cache[V]) came() {
	if c.inside {
		return
	}
	c.next()
	if c.OnCame != nil {
		c.OnCame()
	}
}

// shrink lets go of what was not looked at for longest.
func (c *Cache[V]) shrink() {
	for len(c.kept) > c.most {
		oldest := ""
		for key, k := range c.kept {
			if k.here && (oldest == "" || k.used < c.kept[oldest].used) {
				oldest = key
			}
		}
		if oldest == "" {
			return
		}
		delete(c.kept, oldest)
	}
}
