package rest

import (
	"context"
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
	if gathers, err := s.gathers(ctx, k, len(wants)); err != nil {
		return nil, err
	} else if gathers {
		release, err := s.shop.(Gatherer).Gather(ctx, k)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	for chunk := range slices.Chunk(wants, perBatch) {
		keys := make([]Key, len(chunk))
		for i, w := range chunk {
			keys[i] = Key{ID: s.now(k.Name, w.id)}
			if k.Parent != "" {
				keys[i].Parent = s.now(k.Parent, w.parent)
			}
		}
		records, err := s.shop.Fetch(ctx, k, keys)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			out[r.ID] = r
		}
	}
	return out, nil
}

// gathers reports whether the shop reads so many records sooner together.
func (s *restore) gathers(ctx context.Context, k Kind, n int) (bool, error) {
	g, ok := s.shop.(Gatherer)
	if !ok || n <= fresh {
		return false, nil
	}
	total, err := s.m.count(ctx, s.m.db, k.Name)
	return err == nil && g.Gathers(k, n, total), err
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
