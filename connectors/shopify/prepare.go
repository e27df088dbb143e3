package shopify

import (
	"context"
	"slices"

	"kvart/connectors/rest"
)

// mostAhead is how many bulk operations are begun before they are asked for: as
// many as a shop runs at once.
const mostAhead = 5

var _ rest.Preparer = (*shop)(nil)

// Prepare implements [rest.Preparer]: bulk operations are begun side by side, the
// longest first, which are those of the kinds that come last.
func (s *shop) Prepare(ctx context.Context, kinds []rest.Kind) {
	var texts []string
	for _, k := range slices.Backward(kinds) {
		sp := s.p.spec(k.Name)
		if !sp.bulk {
			continue
		}
		d, fields := s.l[sp.list], []string{}
		for _, f := range sp.lift {
			fields = append(fields, f.field)
		}
		texts = append(texts, bulk(d, "", fields...))
		for _, f := range sp.lift {
			text, _ := lifted(d, f.field, f.root, f.parent)
			texts = append(texts, text)
		}
	}
	if len(texts) < 2 {
		return // it is begun when it is asked for
	}
	begun := map[string]string{}
	for _, text := range texts[:min(len(texts), mostAhead)] {
		id, err := s.c.bulkAhead(ctx, s.l, text)
		if err != nil {
			s.log.DebugContext(ctx, "Bulk operation not begun ahead", "error", err)
			break
		}
		begun[text] = id
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun = begun
}

// bulkAhead begins a bulk operation, or finds one that runs for the same query.
func (c *client) bulkAhead(ctx context.Context, l library, text string) (string, error) {
	id, err := c.runningBulk(ctx, l, text)
	if id != "" || err != nil {
		return id, err
	}
	id, said, err := c.tryBulk(ctx, l, text)
	if err == nil && id == "" {
		err = userErrors(said)
	}
	return id, err
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
