package rest

import (
	"context"
	"database/sql"
	"slices"
	"time"
)

// remade returns which records were made again, and as what: by kind and id in
// the point; what was taken out of the trash is itself. An empty id means that
// it was begun and that nobody knows how it ended.
func (m *mirror) remade(ctx context.Context) (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	err := each(ctx, m.db, func(scan func(...any) error) error {
		var kind, was, id string
		if err := scan(&kind, &was, &id); err != nil {
			return err
		}
		if out[kind] == nil {
			out[kind] = map[string]string{}
		}
		out[kind][was] = id
		return nil
	}, `SELECT kind, was, id FROM remade`)
	return out, err
}

func setRemade(ctx context.Context, x execer, kind, was, id string) error {
	_, err := x.ExecContext(ctx, `INSERT OR REPLACE INTO remade VALUES (?, ?, ?)`, kind, was, id)
	return wrap("write mirror", err)
}

// remember notes that a record of the point is another one in the shop.
func (s *restore) remember(ctx context.Context, k Kind, was, id string) error {
	if s.remade[k.Name] == nil {
		s.remade[k.Name] = map[string]string{}
	}
	s.remade[k.Name][was] = id
	return setRemade(ctx, s.m.db, k.Name, was, id)
}

// announce notes what is about to be made, so that a restore that is cut off
// in between looks for it before it makes it again.
func (s *restore) announce(ctx context.Context, k Kind, ops []Op) error {
	if !slices.ContainsFunc(ops, func(op Op) bool { return op.Do == DoCreate }) {
		return nil
	}
	now := timeNow().Add(s.shop.Skew()).UTC().Format(time.RFC3339)
	return s.m.write(ctx, func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO meta VALUES (?, ?)`, announcedMeta, now); err != nil {
			return wrap("write mirror", err)
		}
		for _, op := range ops {
			if op.Do != DoCreate {
				continue
			}
			if err := setRemade(ctx, tx, k.Name, op.Was, ""); err != nil {
				return err
			}
		}
		return nil
	})
}

// began reports whether the making of a record of the kind was cut off.
func (s *restore) began(k Kind) bool {
	for _, id := range s.remade[k.Name] {
		if id == "" {
			return true
		}
	}
	return false
}

// forget drops what is noted of records that are gone again.
func (s *restore) forget(ctx context.Context, k Kind, was string) error {
	delete(s.remade[k.Name], was)
	_, err := s.m.db.ExecContext(ctx, `DELETE FROM remade WHERE kind = ? AND was = ?`, k.Name, was)
	return wrap("write mirror", err)
}
