package rest

import (
	"context"
	"io/fs"
	"slices"

	"kvart/app"
)

// relink takes references to records that were made again to their new ids,
// also in records that were never away and were not picked.
func (s *restore) relink(ctx context.Context, p app.Progress, failed *failures) error {
	for _, k := range s.e.kinds {
		var refs []Ref
		var fields []string
		for _, f := range k.Refs {
			if s.anyNew(f.Kind) {
				refs = append(refs, f)
				name, _, _ := step(f.Field)
				fields = append(fields, name)
			}
		}
		_, rewrites := s.shop.(Rewriter)
		if len(refs) == 0 && !(rewrites && len(s.remade) > 0) || !s.allowed(k) || s.broken(k) != nil {
			continue
		}
		var wants []want
		err := walkKind(ctx, s.sel.point, k, func(at string, _ fs.DirEntry) error {
			w, err := s.sel.read(k, at)
			if err != nil {
				return err
			}
			w.only = s.rewritten(k, w)
			if s.names(w, refs) {
				w.only = append(w.only, fields...)
			}
			if len(w.only) == 0 {
				return nil
			}
			wants = append(wants, w)
			return nil
		})
		if err != nil {
			return err
		}
		if err := s.again(ctx, k, wants, p, failed); err != nil {
			return err
		}
	}
	return nil
}

// anyNew reports whether records of a kind have new ids.
func (s *restore) anyNew(kind string) bool {
	for was := range s.remade[kind] {
		if s.now(kind, was) != was {
			return true
		}
	}
	return false
}

// recount compares once more what the shop counted down when it was given
// records that take from the stock.
func (s *restore) recount(ctx context.Context, k Kind, ops []Op, p app.Progress, failed *failures) error {
	if !slices.Contains(k.Warnings, app.CodeEffectStock) {
		return nil
	}
	again, err := s.named(k, ops)
	if err != nil {
		return err
	}
	for _, of := range s.e.kinds {
		if len(again[of.Name]) == 0 || !s.allowed(of) || s.broken(of) != nil {
			continue
		}
		wants, err := s.wanted(of, again[of.Name])
		if err != nil {
			return err
		}
		if err := s.again(ctx, of, wants, p, failed); err != nil {
			return err
		}
	}
	return nil
}

// named lists the ids that records which were made refer to, by kind.
func (s *restore) named(k Kind, ops []Op) (map[string]map[string]bool, error) {
	out := map[string]map[string]bool{}
	for _, op := range ops {
		if op.Do != DoCreate {
			continue
		}
		w, err := s.sel.read(k, k.place(op.Was))
		if err != nil {
			return nil, err
		}
		for _, f := range k.Refs {
			if out[f.Kind] == nil {
				out[f.Kind] = map[string]bool{}
			}
			for _, v := range values(w.record, f.Field) {
				out[f.Kind][text(v)] = true
			}
		}
	}
	return out, nil
}

// wanted reads those of the records named that the point has.
func (s *restore) wanted(k Kind, ids map[string]bool) (wants []want, err error) {
	for id := range ids {
		if _, err := fs.Stat(s.sel.point, k.place(id)); id == "" || err != nil {
			continue
		}
		w, err := s.sel.read(k, k.place(id))
		if err != nil {
			return nil, err
		}
		wants = append(wants, w)
	}
	return wants, nil
}

// again compares some records with the shop and puts them back.
func (s *restore) again(ctx context.Context, k Kind, wants []want, p app.Progress, failed *failures) error {
	if len(wants) == 0 {
		return nil
	}
	ops, err := s.decide(ctx, k, wants)
	if err != nil {
		return err
	}
	return s.carryOut(ctx, k, ops, p, failed)
}

// names reports whether a record refers to one that was made again.
func (s *restore) names(w want, refs []Ref) bool {
	for _, f := range refs {
		for _, v := range values(w.record, f.Field) {
			if id := text(v); id != "" && s.now(f.Kind, id) != id {
				return true
			}
		}
	}
	return false
}
