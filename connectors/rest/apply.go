package rest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"kvart/app"
)

// Apply implements [app.Restorer]. It goes through the kinds in their order,
// and through each as the shop is when its turn comes, so that what was done
// before a crash is found done. What is about to be made is noted first: after
// a crash in that moment it is looked for before it is made again.
func (e *Engine) Apply(ctx context.Context, r app.Restore, p app.Progress) (err error) {
	if !r.Target.Original() {
		return e.applyToDir(ctx, r, p)
	}
	s, done, err := e.begin(ctx, r, toApply)
	if err != nil {
		return canceled(ctx, err)
	}
	defer func() { err = canceled(ctx, errors.Join(err, done())) }()
	if err := s.searchBegun(ctx); err != nil {
		return err
	}
	var failed failures
	if err := s.remove(ctx, p, &failed); err != nil {
		return err
	}
	for _, k := range e.kinds {
		ops, err := s.plan(ctx, k)
		if err != nil {
			return err
		}
		if err := s.carryOut(ctx, k, ops, p, &failed); err != nil {
			return err
		}
		if err := s.recount(ctx, k, ops, p, &failed); err != nil {
			return err
		}
	}
	if err := s.relink(ctx, p, &failed); err != nil {
		return err
	}
	for _, bad := range s.refused {
		return bad
	}
	return failed.error()
}

// failures are ops the shop refused one by one.
type failures struct {
	count int
	first error
	at    string
}

func (f *failures) add(k Kind, op Op, err error) {
	f.count++
	if f.first == nil {
		f.first, f.at = err, k.place(op.Was)
	}
}

func (f *failures) error() error {
	if f.first == nil {
		return nil
	}
	return app.Errorf(app.CodeCheckFailed, "shop: restore", "%d records refused, the first %s: %w", f.count, f.at, f.first).
		With("path", f.at).With("detail", f.first.Error())
}

// carryOut does what is to be done to one kind. Records that name others of
// their own kind are made after those.
func (s *restore) carryOut(ctx context.Context, k Kind, ops []Op, p app.Progress, failed *failures) error {
	if len(ops) == 0 {
		return nil
	}
	if err := s.suspect(ctx, k); err != nil {
		return err
	}
	p.Expect(int64(len(ops)), 0)
	making := map[string]bool{}
	for _, op := range ops {
		making[op.Was] = op.Do == DoCreate
	}
	for len(ops) > 0 {
		var ready, later []Op
		for _, op := range ops {
			if op.Do == DoCreate && s.waits(k, op, making) {
				later = append(later, op)
			} else {
				ready = append(ready, op)
			}
		}
		if len(ready) == 0 {
			ready, later = later, nil // they name each other: the links come afterwards
		}
		if err := s.inTurns(ctx, k, ready, p, failed); err != nil {
			return err
		}
		for _, op := range ready {
			delete(making, op.Was)
		}
		for i := range later {
			later[i].Record = nil // what it names has another id now
		}
		ops = later
	}
	return nil
}

// inTurns does as much at a time as the shop is best given, and as is held.
func (s *restore) inTurns(ctx context.Context, k Kind, ops []Op, p app.Progress, failed *failures) error {
	for len(ops) > 0 {
		held, err := s.whole(k, ops)
		if err != nil {
			return err
		}
		ops = ops[len(held):]
		for len(held) > 0 {
			n := s.atOnce(k, held)
			if err := s.do(ctx, k, held[:n], p, failed); err != nil {
				return err
			}
			held = held[n:]
		}
	}
	return nil
}

// atOnce is how many of ops the shop is given together.
func (s *restore) atOnce(k Kind, ops []Op) int {
	n := 0
	if w, ok := s.shop.(Wholesaler); ok {
		n = w.AtOnce(k, ops)
	}
	if n <= 0 {
		n = perBatch
	}
	return min(n, len(ops))
}

// suspect has the next capture read a kind afresh, whatever its turn: what is
// written now may be dated back.
func (s *restore) suspect(ctx context.Context, k Kind) error {
	st := s.state[k.Name]
	st.Asked, st.Swept = time.Time{}, time.Time{}
	s.state[k.Name] = st
	return setState(ctx, s.m.db, k.Name, st)
}

// waits reports whether a record names one of its kind that is still to be made.
func (s *restore) waits(k Kind, op Op, making map[string]bool) bool {
	for _, f := range k.Refs {
		if f.Kind != k.Name {
			continue
		}
		w, err := s.sel.read(k, k.place(op.Was))
		if err != nil {
			return false // it is read again when it is made
		}
		for _, v := range values(w.record, f.Field) {
			if id := text(v); id != op.Was && making[id] {
				return true
			}
		}
	}
	return false
}

// do carries out a handful of ops and keeps what became of each.
func (s *restore) do(ctx context.Context, k Kind, ops []Op, p app.Progress, failed *failures) error {
	if err := s.announce(ctx, k, ops); err != nil {
		return err
	}
	s.wrote = true
	s.e.touch(s.r.Access.Source.ID, k.Name, ops, timeNow().Add(s.shop.Skew()))
	results, err := s.shop.Apply(ctx, k, ops)
	for i, res := range results[:min(len(results), len(ops))] {
		op := ops[i]
		p.Done(1, 0)
		if res.Err != nil {
			failed.add(k, op, res.Err)
			s.e.o.Log.WarnContext(ctx, "Record not put back", "kind", k.Name, "record", op.Was, "do", string(op.Do), "error", res.Err)
		}
		if also := s.rememberAlso(context.WithoutCancel(ctx), res); also != nil {
			return errors.Join(err, also)
		}
		if op.Do != DoCreate && op.Do != DoPublish {
			continue
		}
		// an undo takes away what was made or published, and nothing else
		if keep := s.note(context.WithoutCancel(ctx), k, op, res); keep != nil {
			return errors.Join(err, keep)
		}
	}
	if err == nil && len(results) < len(ops) {
		err = app.Errorf(app.CodeShopAnswer, "shop: restore", "%d results of %d", len(results), len(ops)).With("kind", k.Name)
	}
	return err
}

// note keeps what became of a record that was to be made or published. One that
// was made is known by its id from then on, also where something of it failed: it
// is in the shop.
func (s *restore) note(ctx context.Context, k Kind, op Op, res Result) error {
	if res.ID != "" && (res.Err == nil || op.Do == DoCreate) {
		return s.remember(ctx, k, op.Was, res.ID)
	}
	return s.forget(ctx, k, op.Was)
}

// rememberAlso notes what was made along with a record.
func (s *restore) rememberAlso(ctx context.Context, res Result) error {
	for kind, ids := range res.Also {
		for was, id := range ids {
			if err := s.remember(ctx, s.e.byName[kind], was, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// rewritten lists the fields of a record whose texts name records that were
// made again.
func (s *restore) rewritten(k Kind, w want) []string {
	rw, ok := s.shop.(Rewriter)
	if !ok {
		return nil
	}
	m := clone(w.record).(map[string]any)
	rw.Rewrite(k, m, s.now)
	return differing(m, w.record)
}

// opener returns what opens the file that a record is.
func (s *restore) opener(k Kind, record map[string]any) func() (io.ReadCloser, error) {
	return func() (io.ReadCloser, error) {
		for _, url := range k.media(record) {
			if s.at(url) != "" {
				return s.picture(url)
			}
		}
		return nil, fmt.Errorf("open file of the point: %w", fs.ErrNotExist)
	}
}
