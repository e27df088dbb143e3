package rest

import (
	"context"
	"io/fs"
)

// find looks for a record that has lost its id by its natural keys: one that
// was made again, by Kvart or by hand.
func (s *restore) find(ctx context.Context, k Kind, w want) (*Record, error) {
	if err := s.indexed(ctx, k); err != nil {
		return nil, err
	}
	id := s.byName(k, w)
	if id == "" || id == w.id {
		return s.ask(ctx, k, w)
	}
	if _, err := fs.Stat(s.sel.point, k.place(id)); err == nil && s.index[k.Name]["\x00"+w.id] != id {
		return nil, nil // it is another record of the point
	}
	got, err := fetched(ctx, s.shop, k, []Key{{ID: id, Parent: s.parentNow(k, w)}})
	if err != nil || len(got) == 0 || got[0].Trashed {
		return nil, err
	}
	return &got[0], s.remember(ctx, k, w.id, id)
}

// byName is the id of the record that has a name of the one wanted, "" for none.
func (s *restore) byName(k Kind, w want) string {
	id := s.index[k.Name]["\x00"+w.id]
	for _, f := range k.Keys {
		if id != "" {
			break
		}
		if vs := values(w.record, f); len(vs) == 1 && text(vs[0]) != "" {
			id = s.index[k.Name][f+" "+text(vs[0])]
		}
	}
	return id
}

// ask has the shop itself find a record, where it can.
func (s *restore) ask(ctx context.Context, k Kind, w want) (*Record, error) {
	finder, ok := s.shop.(Finder)
	if !ok {
		return nil, nil
	}
	r, err := finder.Find(ctx, k, s.mapped(k, w))
	if err != nil || r == nil || r.ID == w.id {
		return r, err
	}
	if _, err := fs.Stat(s.sel.point, k.place(r.ID)); err == nil {
		return nil, nil // it is another record of the point
	}
	return r, s.remember(ctx, k, w.id, r.ID)
}

func (s *restore) parentNow(k Kind, w want) string {
	if k.Parent == "" {
		return ""
	}
	return s.now(k.Parent, w.parent)
}

// indexed makes the index of a kind's natural keys, once.
func (s *restore) indexed(ctx context.Context, k Kind) error {
	if s.index[k.Name] != nil {
		return nil
	}
	ix := map[string]string{}
	origin, _ := s.shop.(Origin)
	err := each(ctx, s.m.db, func(scan func(...any) error) error {
		var id string
		var body []byte
		if err := scan(&id, &body); err != nil {
			return err
		}
		m, err := decode(body)
		if err != nil {
			return err
		}
		for _, f := range k.Keys {
			if vs := values(m, f); len(vs) == 1 && text(vs[0]) != "" {
				ix[f+" "+text(vs[0])] = id
			}
		}
		if origin == nil {
			return nil
		}
		if was := origin.Origin(k, m); was != "" {
			ix["\x00"+was] = id
		}
		return nil
	}, `SELECT id, json FROM record WHERE kind = ? AND NOT EXISTS
		(SELECT 1 FROM held WHERE held.kind = record.kind AND held.id = record.id)`, k.Name)
	s.index[k.Name] = ix
	return err
}
