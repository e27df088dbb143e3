package shopify

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// deletion is one event of the shop's about something that was deleted.
type deletion struct {
	Subject string    `json:"subjectId"`
	Type    string    `json:"subjectType"`
	At      time.Time `json:"createdAt"`
	Author  string    `json:"author"`
	App     string    `json:"appTitle"`
	Action  string    `json:"action"`
	ByApp   bool      `json:"attributeToApp"`
}

// Gone implements [rest.Shop].
func (s *shop) Gone(ctx context.Context, k rest.Kind, since time.Time) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		list, err := s.deletions(ctx, since)
		if err != nil {
			yield("", about(k, s.c.coded(ctx, err)))
			return
		}
		sp := s.p.spec(k.Name)
		for _, d := range list {
			if !slices.Contains(sp.subjects, d.Type) || d.At.Before(since) {
				continue
			}
			s.log.InfoContext(ctx, "Record deleted in the shop", "kind", k.Name, "id", d.Subject, "by", d.Author, "program", d.App)
			if !yield(s.discountNode(sp, d.Subject), nil) {
				return
			}
		}
	}
}

// discountNode is the id by which a discount is listed: the shop's events speak
// of it by several types.
func (s *shop) discountNode(sp spec, id string) string {
	if sp.Name != kindDiscounts {
		return id
	}
	return "gid://shopify/DiscountNode/" + id[strings.LastIndex(id, "/")+1:]
}

// deletedSince is the search term for what was deleted since a time.
func deletedSince(t time.Time) string {
	return "action:destroy AND created_at:>='" + t.UTC().Format(time.RFC3339) + "'"
}

// deletions reads the shop's events once for all kinds.
func (s *shop) deletions(ctx context.Context, since time.Time) ([]deletion, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.since.IsZero() && !since.Before(s.since) {
		return s.deleted, nil
	}
	since = since.Add(-margin)
	var all []deletion
	vars := map[string]any{"first": 250, "query": deletedSince(since)}
	for {
		var got map[string]any
		if err := s.c.run(ctx, s.l["deletions"], vars, &got); err != nil {
			return nil, err
		}
		list, more, err := deletionsIn(field(got, "events"))
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		_, _, cursor, _ := pageOf(field(got, "events")) // read just before
		if !more {
			break
		}
		if cursor == vars["after"] {
			return nil, app.Errorf(app.CodeShopAnswer, "shopify: list events", "a page follows itself")
		}
		vars["after"] = cursor
	}
	s.deleted, s.since = all, since
	return all, nil
}
