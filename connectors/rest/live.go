package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
)

// fresh is up to how many picked records are compared with the shop itself,
// whatever the mirror says.
const fresh = 200

// live fetches the records as they are.
func (s *restore) live(ctx context.Context, k Kind, wants []want) (map[string]Record, error) {
	out, wants, err := s.atHand(ctx, k, wants)
	if err != nil {
		return nil, err
	}
	all := make([]Key, len(wants))
	for i, w := range wants {
		all[i] = Key{ID: s.now(k.Name, w.id)}
		if k.Parent != "" {
			all[i].Parent = s.now(k.Parent, w.parent)
		}
	}
	if !s.gathered[k.Name] {
		release, _, err := s.gather(ctx, k, all)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	for keys := range slices.Chunk(all, perBatch) {
		records, err := fetched(ctx, s.shop, k, keys)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			out[r.ID] = r
		}
	}
	return out, nil
}

// fetched is what a shop's Fetch finds, as JSON.
func fetched(ctx context.Context, shop Shop, k Kind, keys []Key) ([]Record, error) {
	records, err := shop.Fetch(ctx, k, keys)
	for i := range records {
		r := &records[i]
		if r.Fields == nil || err != nil {
			continue
		}
		if r.JSON, err = json.Marshal(r.Fields); err != nil {
			err = fmt.Errorf("write record %s: %w", r.ID, err)
		}
		r.Fields = nil
	}
	return records, err
}

// gather has the shop read records together where that is sooner; ok reports
// whether it did. What a restore wrote that is checked changed since it began.
func (s *restore) gather(ctx context.Context, k Kind, keys []Key) (release func(), ok bool, err error) {
	release = func() {}
	g, can := s.shop.(Gatherer)
	if !can || len(keys) <= fresh {
		return release, false, nil
	}
	total, err := s.m.count(ctx, s.m.db, k.Name)
	if err != nil || !g.Gathers(k, len(keys), total, s.changed) {
		return release, false, err
	}
	r, err := g.Gather(ctx, k, keys, total, s.changed)
	if err != nil {
		return release, false, err
	}
	return r, true, nil
}

// atHand returns records from the mirror, and those wanted that it has not, or
// of which it can't say that the shop has them. It was brought up to date when
// the restore began: of many records of a kind whose changes the shop tells,
// reading each once more costs as much as writing it. Once something was written
// the shop may have changed others with it, and everything is asked for again.
func (s *restore) atHand(ctx context.Context, k Kind, wants []want) (out map[string]Record, left []want, err error) {
	out = map[string]Record{}
	if s.wrote || len(wants) <= fresh || !s.told(k) {
		return out, wants, nil
	}
	held, err := s.m.held(ctx, k.Name)
	if err != nil {
		return nil, nil, err
	}
	gone := map[string]bool{}
	for _, id := range held {
		gone[id] = true
	}
	for _, w := range wants {
		id := s.now(k.Name, w.id)
		var text []byte
		if !gone[id] { // one that is held is kept for the owner, and seems not to be there
			if text, err = record(ctx, s.m.db, k.Name, id); err != nil {
				return nil, nil, err
			}
		}
		if text == nil {
			left = append(left, w)
			continue
		}
		parent, err := s.m.parentOf(ctx, k.Name, id)
		if err != nil {
			return nil, nil, err
		}
		out[id] = Record{Key: Key{ID: id, Parent: parent}, JSON: text, mirrored: true}
	}
	return out, left, nil
}

// liveOf returns what reads a live record once more, without holding it where the
// mirror does.
func (s *restore) liveOf(k Kind, l Record) func(context.Context) (map[string]any, error) {
	if text := l.JSON; !l.mirrored {
		return func(context.Context) (map[string]any, error) { return decode(text) }
	}
	id := l.ID
	return func(ctx context.Context) (map[string]any, error) {
		text, err := record(ctx, s.m.db, k.Name, id)
		if err != nil || text == nil {
			return nil, err
		}
		return decode(text)
	}
}

// told reports whether the mirror knows of each record of a kind what it is now
// and that it is there: the shop told what changed when the restore began, and
// what was deleted, or all its ids were read for this restore.
func (s *restore) told(k Kind) bool {
	st := s.state[k.Name]
	return k.Changes == ByCursor && !st.Asked.Before(s.looked) && (k.Deletions == ByFeed || !st.Swept.Before(s.since))
}
