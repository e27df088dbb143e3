package rest

import (
	"context"
	"io/fs"
	"slices"
	"strings"

	"kvart/app"
)

// removals are the records that an undo takes away: those named, but only where
// it is known, from the mirror or from the record itself, that a restore made
// them or took them out of the trash. A safety point that lacks a kind the shop
// refused just then must not become the deletion of that kind.
func (s *restore) removals(ctx context.Context, k Kind) (ops []Op, err error) {
	if len(s.r.Remove) == 0 || !s.allowed(k) || k.Restore == UpdateOnly || s.broken(k) != nil {
		return nil, nil
	}
	wants, err := s.toRemove(ctx, k)
	if err != nil {
		return nil, err
	}
	live, err := s.live(ctx, k, wants)
	if err != nil {
		return nil, err
	}
	for _, w := range wants {
		l, ok := live[s.now(k.Name, w.id)]
		ok = ok && s.remade[k.Name][w.id] != ""
		if !ok {
			// nothing is remembered of it: the record itself may
			found, err := s.find(ctx, k, w)
			if err != nil {
				return nil, err
			}
			if found != nil {
				l, ok = *found, true
			}
		}
		if _, err := fs.Stat(s.sel.point, k.place(l.ID)); ok && err == nil {
			continue // it was there before, and was found to stand for one that is gone
		}
		if ok && !l.Trashed {
			ops = append(ops, Op{Do: DoDelete, Key: l.Key, Was: w.id})
		}
	}
	return ops, nil
}

// toRemove lists the records of a kind named for removal, less those that were
// there before, wherever they lay.
func (s *restore) toRemove(ctx context.Context, k Kind) (wants []want, err error) {
	for _, at := range s.r.Remove {
		if !strings.HasPrefix(at, k.Name+"/") || !strings.HasSuffix(at, ".json") {
			continue
		}
		w := want{id: k.idAt(at)}
		if _, err := fs.Stat(s.sel.point, k.place(w.id)); err == nil {
			continue
		}
		if k.Parent != "" {
			if w.parent, err = s.m.parentOf(ctx, k.Name, s.now(k.Name, w.id)); err != nil {
				return nil, err
			}
		}
		wants = append(wants, w)
	}
	return wants, nil
}

// remove takes away what the restore that is undone had made, children before
// parents.
func (s *restore) remove(ctx context.Context, p app.Progress, failed *failures) error {
	for _, k := range slices.Backward(s.e.kinds) {
		if len(s.r.Remove) == 0 {
			return nil
		}
		ops, err := s.removals(ctx, k)
		if err != nil {
			return err
		}
		if len(ops) > 0 {
			if err := s.suspect(ctx, k); err != nil {
				return err
			}
		}
		p.Expect(int64(len(ops)), 0)
		for chunk := range slices.Chunk(ops, perBatch) {
			if err := s.do(ctx, k, chunk, p, failed); err != nil {
				return err
			}
		}
		for _, op := range ops {
			if err := s.forget(ctx, k, op.Was); err != nil {
				return err
			}
		}
	}
	return nil
}
