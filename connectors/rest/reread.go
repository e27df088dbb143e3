package rest

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// reread brings the mirror up to date where a restore has just ended that was
// begun with all of the shop read for its safety point. What it wrote is asked for
// by name then, so that nothing is swept for that; lists are read afresh, and of
// the rest is read what the shop tells has changed, with the restore or beside it.
// Several kinds are read at once, those first that the shop needs long for.
func (s *restore) reread(ctx context.Context) (err error) {
	s.wrote = true // the mirror is believed of nothing that is asked for
	if s.shop, err = s.e.platform.Open(ctx, s.r.Access, false); err != nil {
		return err
	}
	probe, err := s.shop.Probe(ctx)
	if err != nil {
		return err
	}
	if s.remade, err = s.m.remade(ctx); err != nil {
		return err
	}
	u := s.updating()
	u.probe = probe
	var many, few []Kind
	for _, k := range s.e.kinds {
		switch {
		case !s.sel.mayTouch(k) || !s.allowed(k) || k.Every == Night:
			// what takes a night to read is compared where it was written
		case len(s.touched[k.Name]) > fresh:
			many = append(many, k)
		default:
			few = append(few, k)
		}
	}
	var mu sync.Mutex
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for _, k := range slices.Concat(many, few) {
		g.Go(func() error {
			release, ok, err := s.rereadKind(ctx, u, k)
			mu.Lock()
			defer mu.Unlock()
			if ok {
				s.gathered[k.Name] = true
				s.release = append(s.release, release)
			}
			return err
		})
	}
	return g.Wait()
}

// rereadKind is reread of one kind. ok reports that what was written of it has
// been read together, and is given out until release is called.
func (s *restore) rereadKind(ctx context.Context, u *update, k Kind) (release func(), ok bool, err error) {
	st, err := s.m.state(ctx, k.Name)
	if err != nil {
		return nil, false, err
	}
	if refused := u.probe.Kinds[k.Name]; refused != nil {
		return nil, false, u.settle(ctx, k, st, refused)
	}
	ours := map[string]bool{} // ids in the shop of what was written
	var keys []Key
	for was := range s.touched[k.Name] {
		id := s.now(k.Name, was)
		ours[id] = true
		keys = append(keys, Key{ID: id})
	}
	if k.Parent == "" {
		release, ok, err = s.gather(ctx, k, keys)
		if ok || err != nil {
			return release, ok, err // what changed is what was written
		}
	}
	err = u.again(ctx, k, &st, func(id string) bool { return ours[id] })
	return nil, false, u.settle(ctx, k, st, err)
}

// ungather ends what reread began.
func (s *restore) ungather() {
	for _, release := range s.release {
		release()
	}
}

// again reads a list afresh, and of other kinds what changed but for what is asked
// for by name. The next capture begins where it would have.
func (u *update) again(ctx context.Context, k Kind, st *kindState, named func(id string) bool) error {
	if k.Changes == ByList || st.Listed.IsZero() || st.Listing {
		return u.list(ctx, k, st)
	}
	since := st.Cursor.Add(-overlap)
	known := u.knownOf(ctx, k, *st)
	q := Query{Since: since, Known: func(id string, modified time.Time) bool {
		return named(id) || known != nil && known(id, modified)
	}}
	if err := u.take(ctx, k, st, q, time.Time{}); err != nil || k.Deletions != ByFeed {
		return err
	}
	var gone []string
	for id, err := range u.shop.Gone(ctx, k, since) {
		if err != nil {
			return err
		}
		gone = append(gone, id)
	}
	return u.gone(ctx, k, st, gone, false)
}
