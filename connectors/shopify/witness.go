package shopify

import (
	"context"
	"iter"
	"slices"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

var _ rest.Witness = (*shop)(nil)

// createdSince is the search term for events since a time.
func createdSince(t time.Time) string { return "created_at:>='" + t.UTC().Format(time.RFC3339) + "'" }

// Events implements [rest.Witness]. In a quarter of an hour one look has told all
// there was; after longer, or in a shop where more happens than a look shows, it
// is who deleted what, which was asked for anyway.
func (s *shop) Events(ctx context.Context, since time.Time) iter.Seq2[rest.Event, error] {
	return func(yield func(rest.Event, error) bool) {
		s.mu.Lock()
		list := slices.Concat(s.deleted, s.told)
		s.mu.Unlock()
		for _, d := range list {
			ev, ok := s.event(d)
			if ok && !d.At.Before(since) && !yield(ev, nil) {
				return
			}
		}
	}
}

// event is what an event of the shop's says of a record.
func (s *shop) event(d deletion) (rest.Event, bool) {
	ev := rest.Event{At: d.At, By: d.Author, Action: app.ChangeChanged}
	if d.ByApp || ev.By == "" {
		ev.By = d.App
	}
	switch d.Action {
	case "destroy":
		ev.Action = app.ChangeRemoved
	case "create":
		ev.Action = app.ChangeAdded
	}
	for _, sp := range s.p.specs {
		if slices.Contains(sp.subjects, d.Type) {
			ev.Kind, ev.ID = sp.Name, s.discountNode(sp, d.Subject)
			return ev, ev.By != ""
		}
	}
	return ev, false
}
