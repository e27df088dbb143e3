package agent

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

// restoresAtOnce is how many sources are put back at a time, where none waits
// for another: a home connection and a shop's disk carry no more.
const restoresAtOnce = 2

// applying is a restore that is putting parts back.
type applying struct {
	a *Agent
	j *job

	mu  sync.Mutex
	rec app.RestoreRecord
	at  []string // names of the sources under way
}

// apply puts back the parts that are not done yet, and checks all. It goes on
// where a crash cut it off. What others rest on comes first; what rests on
// nothing that is not there yet goes side by side.
func (a *Agent) apply(ctx context.Context, j *job, parts []*part, rec app.RestoreRecord) error {
	w := &applying{a: a, j: j, rec: rec}
	order := a.order()
	rank := func(i int) int { return order[parts[i].source.Kind] }
	for from := 0; from < len(parts); {
		to := from + 1
		for to < len(parts) && rank(to) == rank(from) {
			to++
		}
		// a failure lets what is under way end: half of a source helps nobody
		var g errgroup.Group
		g.SetLimit(sideBySide(parts[from:to]))
		failed := make([]error, to-from)
		j.at(app.StepRestore, "")
		for i := from; i < to; i++ {
			if rec.Sources[i].Done {
				continue
			}
			g.Go(func() error {
				if w.stopped(failed) {
					return nil
				}
				err := w.one(ctx, i, parts[i])
				w.mu.Lock()
				failed[i-from] = err
				w.mu.Unlock()
				return err
			})
		}
		if err := g.Wait(); err != nil {
			return a.failRestore(ctx, j, w.rec, errors.Join(failed...))
		}
		from = to
	}
	return a.check(ctx, j, parts, w.rec)
}

// sideBySide returns how many of some parts may be put back at a time: one,
// where a folder of one lies in that of another.
func sideBySide(parts []*part) int {
	for i, p := range parts {
		for _, o := range parts[:i] {
			if nested(placeOf(p), placeOf(o)) || nested(placeOf(o), placeOf(p)) {
				return 1
			}
		}
	}
	return restoresAtOnce
}

// placeOf returns the path on this computer that a part goes to, if one.
func placeOf(p *part) string {
	if dir := p.restore.Target.Dir; dir != "" {
		return dir
	}
	return p.source.Settings["path"]
}

// nested reports whether a path is another, or lies in it.
func nested(inner, outer string) bool {
	if inner == "" || outer == "" {
		return false
	}
	rel, err := filepath.Rel(outer, inner)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// stopped reports whether another part has failed already.
func (w *applying) stopped(failed []error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.ContainsFunc(failed, func(err error) bool { return err != nil })
}

// one puts one part back and records that.
func (w *applying) one(ctx context.Context, i int, p *part) error {
	w.show(p.source.Name, true)
	defer w.show(p.source.Name, false)
	began := w.a.Now()
	if err := prefetch(ctx, p.restore.From, stored(p.restore)...); err != nil {
		return err
	}
	if err := p.restorer.Apply(ctx, p.restore, w.j); err != nil {
		return err
	}
	if w.rec.Target.Original() {
		// what is there now is not what the marker speaks of
		if err := w.a.Journal.ForgetPlace(context.WithoutCancel(ctx), p.source.ID); err != nil {
			return err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rec.Sources = slices.Clone(w.rec.Sources)
	w.rec.Sources[i].Done, w.rec.Sources[i].Seconds = true, w.a.Now().Sub(began).Seconds()
	return w.a.putRestore(ctx, w.j, w.rec)
}

// show says which sources are under way. Counts go on from one to the next.
func (w *applying) show(name string, begun bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if begun {
		w.at = append(w.at, name)
	} else {
		w.at = slices.DeleteFunc(w.at, func(o string) bool { return o == name })
	}
	if len(w.at) == 0 {
		return
	}
	names := strings.Join(w.at, ", ")
	w.j.update(func(s *app.Job) { s.Source = names })
}

// order is each kind's place in a full recovery.
func (a *Agent) order() map[app.Kind]int {
	order := map[app.Kind]int{}
	for _, k := range a.Connectors.Specs() {
		order[k.Kind] = k.Order
	}
	return order
}
