package rest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kvart/app"
)

// Verify implements [app.Restorer]: it compares once more, with the shop as it is
// now and not as the restore believes to have left it, and finds nothing left to
// do.
func (e *Engine) Verify(ctx context.Context, r app.Restore) (checks []app.Check, err error) {
	if !r.Target.Original() {
		return e.verifyDir(ctx, r)
	}
	s, done, err := e.begin(ctx, r, toCheck)
	if err != nil {
		return nil, canceled(ctx, err)
	}
	e.unsave(r.Access.Source.ID) // the restore ends here
	defer func() { err = canceled(ctx, errors.Join(err, done())) }()
	for _, k := range e.kinds {
		if !s.sel.touches(k) || !s.allowed(k) {
			continue
		}
		if bad := s.broken(k); bad != nil {
			var picked app.TargetPlan
			if err := s.weigh(ctx, k, &picked); err != nil {
				return nil, err
			}
			if picked.Files > 0 {
				checks = append(checks, app.Check{Source: r.Access.Source.Name, Code: "records", Detail: fmt.Sprintf("%s: %s", k.Name, bad.Code)})
			}
			continue
		}
		ops, err := s.plan(ctx, k)
		if err != nil {
			return nil, err
		}
		if s.picked[k.Name] == 0 && len(ops) == 0 {
			continue
		}
		checks = append(checks, s.check(k, ops, s.picked[k.Name]))
	}
	if len(checks) == 0 {
		checks = append(checks, app.Check{Source: r.Access.Source.Name, Code: "records", OK: true, Detail: "0"})
	}
	return checks, nil
}

// check says whether a kind is as the point has it.
func (s *restore) check(k Kind, ops []Op, picked int64) app.Check {
	c := app.Check{Source: s.r.Access.Source.Name, Code: "records", OK: len(ops) == 0, Detail: fmt.Sprintf("%s: %d", k.Name, picked)}
	if c.OK {
		return c
	}
	op := ops[0]
	c.Detail = fmt.Sprintf("%s: %d differ, the first %s", k.Name, len(ops), k.place(op.Was))
	if len(op.Fields) > 0 {
		c.Detail += fmt.Sprintf(" in %s", op.Fields[0])
	}
	return c
}

// reread brings the mirror up to date where a restore has just ended that was
// begun with all of the shop read for its safety point. What it wrote is asked for
// by name then, so that nothing is swept for that; lists are read afresh, and of
// the rest is read what the shop tells has changed, with the restore or beside it.
func (s *restore) reread(ctx context.Context) (err error) {
	s.wrote = true // the mirror is believed of nothing that is asked for
	if s.shop, err = s.e.platform.Open(ctx, s.r.Access, false); err != nil {
		return err
	}
	probe, err := s.shop.Probe(ctx)
	if err != nil {
		return err
	}
	if s.remade, err = s.m.remade(ctx); err != nil {
		return err
	}
	ours := map[string]map[string]bool{} // by kind, ids in the shop of what was written
	for kind, was := range s.touched {
		ours[kind] = map[string]bool{}
		for id := range was {
			ours[kind][s.now(kind, id)] = true
		}
	}
	u := s.updating()
	for _, k := range s.e.kinds {
		if !s.sel.mayTouch(k) || !s.allowed(k) || k.Every == Night {
			continue // what takes a night to read is compared where it was written
		}
		st, err := s.m.state(ctx, k.Name)
		if err != nil {
			return err
		}
		gathers, err := s.gathers(ctx, k, len(s.touched[k.Name]))
		if err != nil {
			return err
		}
		if refused := probe.Kinds[k.Name]; refused != nil {
			err = refused
		} else if gathers {
			continue // what changed is what was written, which is read together
		} else {
			err = u.again(ctx, k, &st, func(id string) bool { return ours[k.Name][id] })
		}
		if err := u.settle(ctx, k, st, err); err != nil {
			return err
		}
	}
	return nil
}

// again reads a list afresh, and of other kinds what changed but for what is asked
// for by name. The next capture begins where it would have.
func (u *update) again(ctx context.Context, k Kind, st *kindState, named func(id string) bool) error {
	if k.Changes == ByList || st.Listed.IsZero() || st.Listing {
		return u.list(ctx, k, st)
	}
	since := st.Cursor.Add(-overlap)
	known := u.knownOf(ctx, k, *st)
	q := Query{Since: since, Known: func(id string, modified time.Time) bool {
		return named(id) || known != nil && known(id, modified)
	}}
	if err := u.take(ctx, k, st, q, time.Time{}); err != nil || k.Deletions != ByFeed {
		return err
	}
	var gone []string
	for id, err := range u.shop.Gone(ctx, k, since) {
		if err != nil {
			return err
		}
		gone = append(gone, id)
	}
	return u.gone(ctx, k, st, gone, false)
}

// touch notes what a restore is about to write, for checking that. Without ops it
// notes that a restore begins, of which nothing is known that was written before.
func (e *Engine) touch(id app.SourceID, kind string, ops []Op) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.touched[id] == nil {
		if len(ops) > 0 {
			return // how it began is not known
		}
		e.touched[id] = map[string]map[string]bool{}
	}
	for _, op := range ops {
		if e.touched[id][kind] == nil {
			e.touched[id][kind] = map[string]bool{}
		}
		e.touched[id][kind][op.Was] = true
	}
}

// written is what a restore that has just ended wrote, by kind and id in the
// point; ok is false when that isn't known.
func (e *Engine) written(id app.SourceID) (touched map[string]map[string]bool, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	touched, ok = e.touched[id]
	return touched, ok
}

// unsave forgets that a safety point was taken, and what was written since.
func (e *Engine) unsave(id app.SourceID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.saved, id)
	delete(e.touched, id)
}
