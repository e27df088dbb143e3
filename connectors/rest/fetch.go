package rest

import (
	"context"
	"slices"
	"sync"
)

// fetch reads single records, and returns the ids of those that are there.
func (u *update) fetch(ctx context.Context, k Kind, s *kindState, keys []Key) (map[string]bool, error) {
	there := map[string]bool{}
	slices.SortFunc(keys, func(a, b Key) int { return compareID(a.ID, b.ID) })
	next := u.fetchAhead(ctx, k, keys)
	for len(keys) > 0 {
		keys = keys[min(perBatch, len(keys)):]
		part := next
		if part.work.Wait(); part.err != nil {
			return nil, part.err
		}
		next = u.fetchAhead(ctx, k, keys)
		for _, r := range part.records {
			there[r.ID] = !r.Trashed
		}
		if err := u.keep(ctx, k, s, part.records); err != nil {
			next.work.Wait()
			return nil, err
		}
		u.shown.Expect(int64(len(part.records)), 0)
		u.shown.Done(int64(len(part.records)), 0)
	}
	return there, nil
}

// fetching is the fetching of some records, while those before are written to the
// mirror.
type fetching struct {
	work    sync.WaitGroup
	records []Record
	err     error
}

// fetchAhead begins to fetch the first of keys.
func (u *update) fetchAhead(ctx context.Context, k Kind, keys []Key) *fetching {
	f := &fetching{}
	if keys = keys[:min(perBatch, len(keys))]; len(keys) > 0 {
		f.work.Go(func() { f.records, f.err = u.shop.Fetch(ctx, k, keys) })
	}
	return f
}

// compareID orders ids, numbers by their size.
func compareID(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
