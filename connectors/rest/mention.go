package rest

import (
	"context"
	"database/sql"
	"time"
)

// mention is a record of a kind that is found [ByMention], told of by another
// that changed. It is kept until it was followed: the kind may fail just then,
// or the computer be switched off, and nobody mentions it a second time.
type mention struct {
	Key
	kind string
	at   time.Time // when what mentions it changed, zero when that isn't known
}

// complete notes from when on kinds that are about to be read whole tell all by
// themselves: what was mentioned before need not be followed.
func (u *update) complete(ctx context.Context) error {
	began := u.clock()
	u.whole = map[string]time.Time{}
	for _, k := range u.e.kinds {
		if k.Changes != ByMention {
			continue
		}
		s, err := u.m.state(ctx, k.Name)
		if err != nil {
			return err
		}
		switch {
		case !s.Listed.IsZero() && !s.Listing:
		case !u.prepared[k.Name].IsZero():
			u.whole[k.Name] = u.prepared[k.Name]
		case s.Resume != "" && !u.afresh(k):
			u.whole[k.Name] = s.Began
		default:
			u.whole[k.Name] = began
		}
	}
	return nil
}

// mentionsOf lists what records mention that has to be followed, less what was
// mentioned by the same record when it changed last.
func (u *update) mentionsOf(ctx context.Context, k Kind, s *kindState, batch []Record) (out []mention, err error) {
	for _, r := range batch {
		if len(r.Mentions) == 0 {
			continue
		}
		if old, err := u.told(ctx, k, *s, r.ID, r.Modified); old || err != nil {
			if err != nil {
				return nil, err
			}
			continue
		}
		for kind, keys := range r.Mentions {
			if from, ok := u.whole[kind]; ok && before(r.Modified, from, settled) {
				continue
			}
			for _, key := range keys {
				out = append(out, mention{Key: key, kind: kind, at: r.Modified})
			}
		}
	}
	return out, nil
}

// before reports whether a record surely changed before a time by the shop's
// clock: what changes within one second has one time.
func before(modified, than time.Time, margin time.Duration) bool {
	return !modified.IsZero() && modified.Before(than.Add(-margin))
}

// told reports whether a record was read since it changed last.
func (u *update) told(ctx context.Context, k Kind, s kindState, id string, modified time.Time) (bool, error) {
	margin := settled
	if at := u.prepared[k.Name]; !at.IsZero() && at.Equal(s.Cursor) {
		margin = settledAhead
	}
	if !before(modified, s.Cursor, margin) {
		return false, nil
	}
	at, err := u.m.stamp(ctx, k.Name, id)
	return at.Unix() == modified.Unix(), err // a shop may tell more of a second than is kept
}

// follow fetches what others mention, but for what the kind's own list has just
// told of.
func (u *update) follow(ctx context.Context, k Kind, s *kindState) error {
	all, err := u.m.mentioned(ctx, k.Name)
	if err != nil {
		return err
	}
	var keys []Key
	u.mu.Lock()
	for _, m := range all {
		swept := before(m.at, u.prepared[k.Name], settledAhead)
		if !swept && !u.listed[k.Name][m.ID] {
			keys = append(keys, m.Key)
		}
	}
	u.mu.Unlock()
	if _, err := u.fetch(ctx, k, s, keys); err != nil {
		return err
	}
	return u.m.followed(ctx, all)
}

// millis is a time in milliseconds, so that nothing of it is lost; 0 for zero.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func (m *mirror) mentioned(ctx context.Context, kind string) (out []mention, err error) {
	err = each(ctx, m.db, func(scan func(...any) error) error {
		r := mention{kind: kind}
		var at int64
		if err := scan(&r.ID, &r.Parent, &at); err != nil {
			return err
		}
		if at != 0 {
			r.at = time.UnixMilli(at).UTC()
		}
		out = append(out, r)
		return nil
	}, `SELECT id, parent, at FROM mention WHERE kind = ?`, kind)
	return out, err
}

func putMention(ctx context.Context, tx *sql.Tx, r mention) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO mention VALUES (?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET
		parent = excluded.parent, at = CASE WHEN at = 0 OR excluded.at = 0 THEN 0 ELSE max(at, excluded.at) END`, r.kind, r.ID, r.Parent, millis(r.at))
	return wrap("write mirror", err)
}

// followed forgets mentions, but for those that came again meanwhile.
func (m *mirror) followed(ctx context.Context, all []mention) error {
	if len(all) == 0 {
		return nil
	}
	return m.write(ctx, func(tx *sql.Tx) error {
		for _, r := range all {
			if _, err := tx.ExecContext(ctx, `DELETE FROM mention WHERE kind = ? AND id = ? AND at = ?`, r.kind, r.ID, millis(r.at)); err != nil {
				return wrap("write mirror", err)
			}
		}
		return nil
	})
}
