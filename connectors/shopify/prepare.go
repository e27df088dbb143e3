package shopify

import (
	"context"
	"slices"
	"time"

	"kvart/connectors/rest"
)

// mostAhead is how many bulk operations are begun before they are asked for: as
// many as a shop runs at once.
const mostAhead = 5

var _ rest.Preparer = (*shop)(nil)

// ahead is an operation to begin ahead.
type ahead struct {
	kind, text string
	fresh      bool // of a kind that nothing is known of yet
}

// Prepare implements [rest.Preparer]: bulk operations are begun side by side, the
// longest first, which are those of the kinds that come last. For a kind that is
// fresh one that still runs is gone on with: that of a capture that was cut off.
func (s *shop) Prepare(ctx context.Context, fresh, again []rest.Kind) map[string]time.Time {
	var all []ahead
	for _, sp := range slices.Backward(s.p.specs) {
		is := func(k rest.Kind) bool { return k.Name == sp.Name }
		first := slices.ContainsFunc(fresh, is)
		if !sp.bulk || !first && !slices.ContainsFunc(again, is) {
			continue
		}
		text, parts := s.bulkTexts(sp, "")
		for _, text := range slices.Concat([]string{text}, parts) {
			all = append(all, ahead{sp.Name, text, first})
		}
	}
	if len(all) < 2 {
		return nil // it is begun when it is asked for
	}
	recent, err := s.c.recentBulks(ctx, s.l)
	if err != nil {
		s.log.DebugContext(ctx, "Bulk operations not begun ahead", "error", err)
		return nil
	}
	begun, from := map[string]string{}, map[string]time.Time{}
	for _, a := range all[:min(len(all), mostAhead)] {
		op, err := s.bulkAhead(ctx, a, recent)
		if err != nil {
			s.log.DebugContext(ctx, "Bulk operation not begun ahead", "error", err)
			break
		}
		begun[a.text] = op.ID
		if at := from[a.kind]; op.CreatedAt.Before(s.came()) && (at.IsZero() || op.CreatedAt.Before(at)) {
			from[a.kind] = op.CreatedAt
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = begun
	return from
}

// bulkAhead begins a bulk operation, or finds one among recent ones that runs for
// the same query.
func (s *shop) bulkAhead(ctx context.Context, a ahead, recent []bulkState) (*bulkState, error) {
	since := s.came
	if a.fresh {
		since = nil
	}
	if op := runningAmong(recent, a.text, since); op != nil {
		return op, nil
	}
	op, said, err := s.c.tryBulk(ctx, s.l, a.text)
	if err == nil && op == nil {
		err = userErrors(said)
	}
	return op, err
}

// begunFor is the operation to go on with for a query: the one an earlier run
// began, or the one that was begun ahead, "" for none. It is given out once.
func (s *shop) begunFor(resume, text string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.begun[text]
	delete(s.begun, text)
	if resume != "" {
		return resume
	}
	return id
}
