package rest

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"time"
)

// announcedMeta is when records were last about to be made, by the shop's clock.
const announcedMeta = "announced"

// searchBegun looks for records whose making was cut off. The shop may have
// dated them back, so that only a sweep finds them.
func (s *restore) searchBegun(ctx context.Context) error {
	for _, k := range s.e.kinds {
		if !s.began(k) {
			continue
		}
		u := s.updating()
		st := s.state[k.Name]
		var err error
		if k.Deletions == ByFeed || k.Deletions == BySweep {
			err = u.sweep(ctx, k, &st)
		} else {
			err = u.list(ctx, k, &st)
		}
		if err := u.settle(ctx, k, st, err); err != nil {
			return err
		}
		s.state[k.Name] = st
		if bad := s.broken(k); bad != nil && !st.Absent {
			return bad // what may have been made can't be found just now
		}
		if err := s.resolve(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

// updating is an update of single kinds, of which nothing waits for its turn.
func (s *restore) updating() *update {
	return &update{e: s.e, m: s.m, shop: s.shop, now: s.e.o.Now(), exact: func(Kind) bool { return true }, shown: quiet{}, listed: map[string]map[string]bool{}}
}

// resolve ends what is noted as begun, record by record: one that has no name to
// be found by later is found now, by what is in it, or it was not made.
func (s *restore) resolve(ctx context.Context, k Kind) error {
	var made []candidate
	for _, was := range slices.Sorted(maps.Keys(s.remade[k.Name])) {
		if s.remade[k.Name][was] != "" {
			continue
		}
		w, err := s.sel.read(k, k.place(was))
		if errors.Is(err, fs.ErrNotExist) {
			err = s.forget(ctx, k, was) // of another restore, which nobody goes on with
			if err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if err := s.indexed(ctx, k); err != nil {
			return err
		}
		id := ""
		if s.byName(k, w) == "" {
			if made == nil {
				if made, err = s.candidates(ctx, k); err != nil {
					return err
				}
			}
			id = s.claim(k, w, made)
		}
		if id == "" {
			err = s.forget(ctx, k, was)
		} else {
			err = s.remember(ctx, k, was, id)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// candidate is a record that a making which was cut off may have made.
type candidate struct {
	Key
	record map[string]any // without read-only fields
	taken  bool
}

// candidates are the records of a kind that the point has not, that no other
// stands for and that were not made or changed since long before the making began.
// The list is never nil.
func (s *restore) candidates(ctx context.Context, k Kind) ([]candidate, error) {
	text, err := s.m.meta(ctx, announcedMeta)
	if err != nil {
		return nil, err
	}
	var since int64
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		since = at.Add(-overlap).Unix()
	}
	taken := map[string]bool{}
	for _, id := range s.remade[k.Name] {
		taken[id] = true
	}
	out := []candidate{}
	err = each(ctx, s.m.db, func(scan func(...any) error) error {
		var c candidate
		var body []byte
		if err := scan(&c.ID, &c.Parent, &body); err != nil {
			return err
		}
		if _, err := fs.Stat(s.sel.point, k.place(c.ID)); err == nil || taken[c.ID] {
			return nil
		}
		m, err := decode(body)
		c.record = k.writable(m)
		out = append(out, c)
		return err
	}, `SELECT id, parent, json FROM record WHERE kind = ? AND (stamp = 0 OR stamp >= ?) AND NOT EXISTS
		(SELECT 1 FROM held WHERE held.kind = record.kind AND held.id = record.id) ORDER BY id`, k.Name, since)
	return out, err
}

// claim returns the first of some records that is as one wanted, and takes it;
// "" for none. What they name may have been gone or have had another id when they
// were made, and tells nothing.
func (s *restore) claim(k Kind, w want, made []candidate) string {
	record := s.mapped(k, w)
	for _, f := range k.Refs {
		name, _, _ := step(f.Field)
		delete(record, name)
	}
	parent := s.parentNow(k, w)
	for i, c := range made {
		if c.taken || c.Parent != parent || !k.like(record, c.record) {
			continue
		}
		made[i].taken = true
		return c.ID
	}
	return ""
}
