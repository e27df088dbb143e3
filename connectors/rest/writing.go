package rest

import (
	"time"

	"kvart/app"
)

// writing is what a restore wrote, for checking that.
type writing struct {
	since time.Time                  // by the shop's clock; zero while nothing was
	ids   map[string]map[string]bool // by kind, ids in the point
}

// touch notes what a restore is about to write at a time by the shop's clock.
// Without ops it notes that a restore begins, of which nothing is known that was
// written before.
func (e *Engine) touch(id app.SourceID, kind string, ops []Op, at time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w := e.touched[id]
	if w.ids == nil {
		if len(ops) > 0 {
			return // how it began is not known
		}
		w.ids = map[string]map[string]bool{}
	}
	if len(ops) > 0 && w.since.IsZero() {
		w.since = at
	}
	for _, op := range ops {
		if w.ids[kind] == nil {
			w.ids[kind] = map[string]bool{}
		}
		w.ids[kind][op.Was] = true
	}
	e.touched[id] = w
}

// written is what a restore that has just ended wrote, by kind and id in the
// point, and since when at the latest; ok is false when that isn't known.
func (e *Engine) written(id app.SourceID) (touched map[string]map[string]bool, since time.Time, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	w, ok := e.touched[id]
	if !w.since.IsZero() {
		w.since = w.since.Add(-settled) // a shop's servers don't all have one clock
	}
	return w.ids, w.since, ok
}

// unsave forgets that a safety point was taken, and what was written since.
func (e *Engine) unsave(id app.SourceID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.saved, id)
	delete(e.touched, id)
}
