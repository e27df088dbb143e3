package rest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"kvart/app"
)

// sweep compares the mirror with all ids there are.
func (u *update) sweep(ctx context.Context, k Kind, s *kindState) error {
	have, err := u.m.stamps(ctx, k.Name)
	if err != nil {
		return err
	}
	var stale []Key
	seen := 0
	for st, err := range u.shop.IDs(ctx, k) {
		if err != nil {
			return err
		}
		seen++
		at, ok := have[st.ID]
		if !ok || !st.Modified.IsZero() && at.Unix() != st.Modified.Unix() {
			stale = append(stale, st.Key)
		}
		delete(have, st.ID)
	}
	if _, err := u.fetch(ctx, k, s, stale); err != nil {
		return err
	}
	if at := u.prepared[k.Name]; len(stale) == seen && at.After(s.Cursor) {
		s.Cursor = at // all was read as of then, whatever its times tell
	}
	if s.Held > 0 {
		if err := u.m.release(ctx, k, have); err != nil {
			return err
		}
	}
	gone := slices.Sorted(maps.Keys(have))
	if k.Archive {
		gone = nil
	}
	if len(gone) > 0 && len(gone) <= recheck {
		if gone, err = u.really(ctx, k, s, gone); err != nil {
			return err
		}
	}
	s.Swept = u.now
	return u.gone(ctx, k, s, gone, false)
}

// really returns those that are gone when asked for by name.
func (u *update) really(ctx context.Context, k Kind, s *kindState, ids []string) (gone []string, err error) {
	keys := make([]Key, len(ids))
	for i, id := range ids {
		p, err := u.m.parentOf(ctx, k.Name, id)
		if err != nil {
			return nil, err
		}
		keys[i] = Key{ID: id, Parent: p}
	}
	there, err := u.fetch(ctx, k, s, keys)
	for _, id := range ids {
		if !there[id] {
			gone = append(gone, id)
		}
	}
	return gone, err
}

// gone takes deleted records out of the mirror, unless it is so many that the
// owner is to be asked first.
func (u *update) gone(ctx context.Context, k Kind, s *kindState, ids []string, archive bool) error {
	if archive {
		ids = nil
	}
	held, err := u.m.held(ctx, k.Name)
	if err != nil {
		return err
	}
	ids = append(ids, held...)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	total, err := u.m.count(ctx, u.m.db, k.Name)
	if err != nil {
		return err
	}
	ids, err = u.known(ctx, k, ids)
	if err != nil {
		return err
	}
	if n := len(ids); n*unusual > total && n > fewEnough || n == total && n > 2 {
		if s.Code != app.CodeShopShrunk {
			s.Failed = u.now
		}
		s.Held, s.Code = n, app.CodeShopShrunk
		s.Args = map[string]string{"kind": k.Name, "count": strconv.Itoa(n)}
		return u.m.hold(ctx, k, ids)
	}
	s.Held = 0
	if len(ids) == 0 {
		return nil
	}
	return u.m.delete(ctx, k, ids, u.e.below(k))
}

// known narrows ids to records the mirror has.
func (u *update) known(ctx context.Context, k Kind, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	have, err := u.m.stamps(ctx, k.Name)
	return slices.DeleteFunc(ids, func(id string) bool { _, ok := have[id]; return !ok }), err
}

// below lists the kinds whose records belong to records of k.
func (e *Engine) below(k Kind) (out []Kind) {
	for _, b := range e.kinds {
		if b.Parent == k.Name {
			out = append(out, b)
		}
	}
	return out
}

// AcceptGone is the owner's answer that what is gone from the shop is meant to
// be gone: the records held of a kind, "" for all kinds, leave the backup.
func (e *Engine) AcceptGone(ctx context.Context, a app.Access, kind string) (err error) {
	unlock, err := e.lock(ctx, a.Source)
	if err != nil {
		return err
	}
	defer unlock()
	dir, err := e.dir(a.Source)
	if err != nil {
		return fmt.Errorf("find mirror: %w", err)
	}
	m, err := openMirror(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, m.close()) }()
	for _, k := range e.kinds {
		if kind != "" && kind != k.Name {
			continue
		}
		held, err := m.held(ctx, k.Name)
		if err != nil {
			return err
		}
		if len(held) == 0 {
			continue
		}
		s, err := m.state(ctx, k.Name)
		if err != nil {
			return err
		}
		if err := m.delete(ctx, k, held, e.below(k)); err != nil {
			return err
		}
		s.Held = 0
		if s.Code == app.CodeShopShrunk {
			s.Code, s.Args, s.Failed = "", nil, time.Time{}
		}
		if err := setState(ctx, m.db, k.Name, s); err != nil {
			return err
		}
	}
	return nil
}
