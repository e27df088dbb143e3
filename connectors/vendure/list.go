package vendure

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kvart/connectors/rest"
)

// longAgo is a time that no record of the engine's has: a stamp with it makes
// the engine read the record again.
var longAgo = time.Unix(1, 0).UTC()

// settled is how old a dated record has to be for its date to be believed: what
// is written into an order's history doesn't move it.
const settled = 60 * 24 * time.Hour

// options are those of one page of a list.
func (so sort) options(q rest.Query, skip, take int) map[string]any {
	filter := maps.Clone(so.filter)
	if filter == nil {
		filter = map[string]any{}
	}
	if !q.Since.IsZero() {
		filter["updatedAt"] = map[string]any{"after": q.Since.UTC().Format(time.RFC3339)}
	}
	return map[string]any{"skip": skip, "take": take, "sort": map[string]any{"id": "ASC"}, "filter": filter}
}

// page asks for one page. The count is that of the whole list.
func (s *shop) page(ctx context.Context, so sort, options map[string]any) (items []map[string]any, total int, err error) {
	text := fmt.Sprintf("query List($options: %sListOptions) { %s(options: $options) { totalItems items { id updatedAt createdAt %s } } }",
		so.entity, so.list, s.selection(so.fields))
	var got map[string]struct {
		Items []map[string]any `json:"items"`
		Total *int             `json:"totalItems"`
	}
	if err := s.c.query(ctx, text, map[string]any{"options": options}, &got); err != nil {
		return nil, 0, s.about(so.Name, err)
	}
	list, ok := got[so.list]
	if !ok || list.Items == nil || list.Total == nil {
		return nil, 0, broken(so.Name, "no list, or none that tells its length")
	}
	for _, m := range list.Items {
		if id, _ := m["id"].(string); id == "" {
			return nil, 0, broken(so.Name, "a record without an id")
		}
	}
	return list.Items, *list.Total, nil
}

// element is one record of a list.
type element struct {
	m    map[string]any
	seen int // records of the list up to this one
	left int // still to come, this one among them
}

// resume is where a list goes on after this element.
func (e element) resume() string { return strconv.Itoa(e.seen) + ":" + id(e.m) }

// resumed reads what [element.resume] wrote. What can't be read begins at the
// start.
func resumed(text string) (seen int, last string) {
	before, last, _ := strings.Cut(text, ":")
	seen, err := strconv.Atoi(before)
	if err != nil || last == "" {
		return 0, ""
	}
	return seen, last
}

// all reads a list page by page. A page begins with the last record of the one
// before: when it holds none of those known, something was deleted meanwhile
// and the rest moved up, and the page is read again from further back. What is
// made meanwhile moves the rest down, and is told twice at the most: what was
// seen is left out.
func (s *shop) all(ctx context.Context, so sort, q rest.Query) iter.Seq2[element, error] {
	return func(yield func(element, error) bool) {
		take := so.page
		if take == 0 {
			take = usualPage
		}
		from, last := resumed(q.Resume)
		skip := max(0, from-1)
		seen := map[string]bool{}
		if last != "" {
			seen[last] = true
		}
		for {
			items, total, err := s.page(ctx, so, so.options(q, skip, take))
			if err == nil && len(items) < take && skip+len(items) < total {
				err = broken(so.Name, fmt.Sprintf("%d of %d", skip+len(items), total))
			}
			if err != nil {
				yield(element{}, err)
				return
			}
			if len(seen) > 0 && skip > 0 && !slices.ContainsFunc(items, func(m map[string]any) bool { return seen[id(m)] }) {
				skip = max(0, skip-take)
				continue
			}
			for i, m := range items {
				if seen[id(m)] {
					continue
				}
				seen[id(m)] = true
				if !yield(element{m: m, seen: skip + i + 1, left: max(0, total-skip-i)}, nil) {
					return
				}
			}
			end := skip + len(items)
			if end >= total || len(items) == 0 {
				return
			}
			skip = max(end-1, skip+1)
		}
	}
}

func id(m map[string]any) string {
	text, _ := m["id"].(string)
	return text
}

// List implements [rest.Shop].
func (s *shop) List(ctx context.Context, k rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	so := s.sorts[k.Name]
	return func(yield func(rest.Record, error) bool) {
		switch k.Name {
		case kindSettings:
			r, err := s.settings(ctx, so)
			yield(r, err)
			return
		case kindCollections:
			records, err := s.collections(ctx, so)
			if err != nil {
				yield(rest.Record{}, err)
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
			return
		}
		for e, err := range s.all(ctx, so, q) {
			if err != nil {
				yield(rest.Record{}, err)
				return
			}
			records, err := so.records(e)
			if err != nil {
				yield(rest.Record{}, err)
				return
			}
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
		}
	}
}

// settings reads the one record that all channels share.
func (s *shop) settings(ctx context.Context, so sort) (rest.Record, error) {
	var got struct {
		Settings map[string]any `json:"globalSettings"`
	}
	if err := s.c.query(ctx, "query Settings { globalSettings { id updatedAt "+s.selection(so.fields)+" } }", nil, &got); err != nil {
		return rest.Record{}, s.about(so.Name, err)
	}
	if id(got.Settings) == "" {
		return rest.Record{}, broken(so.Name, "no settings")
	}
	return so.record(got.Settings)
}

// collections reads all of them, and takes their positions to their ranks among
// those that lie below the same one: deleting one leaves a gap that the shop
// closes at another time.
func (s *shop) collections(ctx context.Context, so sort) ([]rest.Record, error) {
	below := map[string][]map[string]any{}
	for e, err := range s.all(ctx, so, rest.Query{}) {
		if err != nil {
			return nil, err
		}
		parent, _ := e.m["parentId"].(string)
		if crumbs, _ := e.m["breadcrumbs"].([]any); len(crumbs) == 2 {
			e.m["parentId"] = nil // the root of all, which no list tells
		}
		delete(e.m, "breadcrumbs")
		below[parent] = append(below[parent], e.m)
	}
	var out []rest.Record
	for _, parent := range slices.Sorted(maps.Keys(below)) {
		list := below[parent]
		slices.SortStableFunc(list, func(a, b map[string]any) int { return int(number(a["position"]) - number(b["position"])) })
		for rank, m := range list {
			m["position"] = rank
			r, err := so.record(m)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// IDs implements [rest.Shop]. A date that doesn't tell of every change is given
// out as one that no record has, so that the engine reads the record again.
func (s *shop) IDs(ctx context.Context, k rest.Kind) iter.Seq2[rest.Stamp, error] {
	so := s.sorts[k.Name]
	so.page = largePage
	if so.fields = ""; k.Parent == kindProducts {
		so.fields = "productId"
	}
	return func(yield func(rest.Stamp, error) bool) {
		for e, err := range s.all(ctx, so, rest.Query{}) {
			if err != nil {
				yield(rest.Stamp{}, err)
				return
			}
			st := rest.Stamp{Key: rest.Key{ID: id(e.m)}, Modified: modified(e.m)}
			st.Parent, _ = e.m["productId"].(string)
			if !so.dated || time.Since(st.Modified) < settled {
				st.Modified = longAgo
			}
			if !yield(st, nil) {
				return
			}
		}
	}
}

// Fetch implements [rest.Shop].
func (s *shop) Fetch(ctx context.Context, k rest.Kind, keys []rest.Key) (out []rest.Record, err error) {
	so := s.sorts[k.Name]
	if len(keys) == 0 {
		return nil, nil
	}
	wanted, ids := map[string]bool{}, map[string]bool{}
	for _, key := range keys {
		wanted[key.ID] = true
		if k.Name == kindStock {
			ids[variantOf(key.ID)] = true
		} else {
			ids[key.ID] = true
		}
	}
	s.claim(k.Name, ids)
	if k.Name == kindSettings || k.Name == kindCollections {
		for r, err := range s.List(ctx, k, rest.Query{}) {
			if err != nil {
				return nil, err
			}
			if wanted[r.ID] {
				out = append(out, r)
			}
		}
		return out, nil
	}
	for chunk := range slices.Chunk(slices.Sorted(maps.Keys(ids)), usualPage) {
		options := so.options(rest.Query{}, 0, len(chunk))
		options["filter"].(map[string]any)["id"] = map[string]any{"in": chunk}
		items, total, err := s.page(ctx, so, options)
		if err != nil {
			return nil, err
		}
		if len(items) < total {
			return nil, broken(so.Name, fmt.Sprintf("%d of %d asked for by id", len(items), total))
		}
		for _, m := range items {
			records, err := so.records(element{m: m})
			if err != nil {
				return nil, err
			}
			for _, r := range records {
				if wanted[r.ID] {
					out = append(out, r)
				}
			}
		}
	}
	return out, nil
}
