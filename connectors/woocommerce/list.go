package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// perPage is the most WooCommerce gives at once.
const perPage = 100

// entry is one element of a list.
type entry struct {
	id   int64
	text json.RawMessage
	seen int // entries of the list up to this one
	left int // entries still to come, this one among them; 0 when that isn't told
}

// pages reads a list by rising id. Each page begins with the last entry of the
// one before: when that is not there, something was deleted meanwhile and all
// after it moved up, and the page is read again from further back. What is made
// meanwhile has a higher id and comes at the end. A list that ends before the
// count its own headers tell is no list. resume is the [entry.resume] of the
// entry to go on after, "" to begin: what was deleted since then has moved the
// rest up too.
//
// Some pages are asked for ahead, and may be answered in any order: each is the
// list as it was at one moment from its first entry to its last, so that nothing
// lies between two that meet.
func (s *shop) pages(ctx context.Context, kind, path string, q url.Values, resume string) iter.Seq2[entry, error] {
	return func(yield func(entry, error) bool) {
		q.Set("orderby", "id")
		q.Set("order", "asc")
		q.Set("per_page", strconv.Itoa(perPage))
		from, last := resumed(resume)
		l := &lookahead{shop: s, ctx: ctx, kind: kind, path: path, query: q}
		defer l.drop()
		l.ask(max(0, from-perPage))
		for {
			p, err := l.next()
			if err != nil {
				yield(entry{}, err)
				return
			}
			if last > 0 && p.offset > 0 && (len(p.ids) == 0 || p.ids[0] > last) {
				l.drop() // what was asked for ahead lies too far on as well
				l.ask(max(0, p.offset-perPage))
				continue
			}
			more := l.further(p) // it comes while this one is worked on
			for i, id := range p.ids {
				if id <= last {
					continue
				}
				last = id
				if !yield(entry{id: id, text: p.list[i], seen: p.offset + i + 1, left: max(0, p.total-p.offset-i)}, nil) {
					return
				}
			}
			if !more {
				return
			}
		}
	}
}

// resume is where a list goes on after this entry.
func (e entry) resume() string { return fmt.Sprintf("%d:%d", e.seen, e.id) }

// resumed reads what [entry.resume] wrote. What can't be read begins at the start.
func resumed(text string) (seen int, last int64) {
	before, id, _ := strings.Cut(text, ":")
	seen, err := strconv.Atoi(before)
	if err != nil {
		return 0, 0
	}
	if last, err = strconv.ParseInt(id, 10, 64); err != nil {
		return 0, 0
	}
	return seen, last
}

// page is one answer of a list.
type page struct {
	offset int // of its first entry in the list
	list   []json.RawMessage
	ids    []int64
	total  int // of the whole list; -1 when it isn't told
}

// end is the offset after its last entry.
func (p page) end() int { return p.offset + len(p.list) }

func (s *shop) page(ctx context.Context, kind, path string, q url.Values, offset int) (p page, err error) {
	p.offset = offset
	q.Set("offset", strconv.Itoa(offset))
	a, err := s.get(ctx, path, q, &p.list)
	if err != nil {
		return p, s.about(kind, err)
	}
	if p.ids, err = idsOf(kind, p.list); err != nil {
		return p, err
	}
	p.total, err = strconv.Atoi(a.Header.Get("X-WP-Total"))
	switch {
	case err != nil && len(p.list) == 0:
		return p, broken(kind, "an empty list without a count")
	case err != nil:
		p.total = -1
	case len(p.list) < perPage && p.end() < p.total:
		return p, broken(kind, fmt.Sprintf("%d of %d", p.end(), p.total))
	}
	return p, nil
}

func broken(kind, what string) *app.Error {
	return app.Errorf(app.CodeShopAnswer, "woocommerce: list", "%s: %s", kind, what).With("kind", kind)
}

// idsOf reads the ids of a page, which rise.
func idsOf(kind string, list []json.RawMessage) ([]int64, error) {
	ids := make([]int64, len(list))
	for i, text := range list {
		var e struct {
			ID int64 `json:"id"`
		}
		if err := json.Unmarshal(text, &e); err != nil || e.ID == 0 {
			return nil, broken(kind, "an entry without an id")
		}
		if i > 0 && e.ID <= ids[i-1] {
			return nil, broken(kind, "the list is not in order")
		}
		ids[i] = e.ID
	}
	return ids, nil
}

// List implements [rest.Shop].
func (s *shop) List(ctx context.Context, k rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	so := s.sorts[k.Name]
	switch k.Name {
	case "settings":
		return s.listSettings(ctx, so)
	case "shipping_zone_locations":
		return s.listPlaces(ctx, so)
	case "attribute_terms", "shipping_zone_methods":
		return s.listBelow(ctx, so, s.sorts[k.Parent])
	case "variations":
		return s.listVariations(ctx, so, q)
	case "refunds":
		return s.listRefunds(ctx, so, q)
	case "order_notes":
		return s.listNotes(ctx, so, q)
	case "customers":
		if !q.Since.IsZero() {
			return s.newCustomers(ctx, so, q.Since)
		}
	}
	if so.paging != byID {
		return s.inOne(ctx, so, so.path, "")
	}
	return s.listPages(ctx, so, so.path, "", so.since(so.params(), q.Since), q.Resume)
}

// since asks for what changed.
func (so sort) since(q url.Values, t time.Time) url.Values {
	if t.IsZero() {
		return q
	}
	name := "modified_after"
	if so.created {
		name = "after"
	}
	q.Set(name, t.UTC().Format("2006-01-02T15:04:05"))
	if isWC(so.path) {
		q.Set("dates_are_gmt", "true")
	}
	return q
}

func isWC(path string) bool { return len(path) > 3 && path[:3] == "wc/" }

func (s *shop) listPages(ctx context.Context, so sort, path, parent string, q url.Values, resume string) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		for e, err := range s.pages(ctx, so.Name, path, q, resume) {
			if err != nil {
				yield(rest.Record{}, err)
				return
			}
			r, err := so.record(parent, e.text)
			if err == nil {
				r.Resume, r.Left = e.resume(), e.left
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// inOne reads a list that comes in one answer.
func (s *shop) inOne(ctx context.Context, so sort, path, parent string) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		list, err := s.oneList(ctx, so, path)
		if err != nil {
			yield(rest.Record{}, err)
			return
		}
		for _, text := range list {
			r, err := so.record(parent, text)
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (s *shop) oneList(ctx context.Context, so sort, path string) ([]json.RawMessage, error) {
	var list []json.RawMessage
	if so.Name == "system_status" {
		var one json.RawMessage
		if _, err := s.get(ctx, path, so.params(), &one); err != nil {
			return nil, s.about(so.Name, err)
		}
		return []json.RawMessage{one}, nil
	}
	a, err := s.get(ctx, path, so.params(), &list)
	if err != nil {
		return nil, s.about(so.Name, err)
	}
	total, err := strconv.Atoi(a.Header.Get("X-WP-Total"))
	if err == nil && total > len(list) || err != nil && so.paging == counted && len(list) == 0 {
		return nil, broken(so.Name, fmt.Sprintf("%d of %s", len(list), a.Header.Get("X-WP-Total")))
	}
	return list, nil
}

// IDs implements [rest.Shop].
func (s *shop) IDs(ctx context.Context, k rest.Kind) iter.Seq2[rest.Stamp, error] {
	so := s.sorts[k.Name]
	stamps := func(yield func(rest.Stamp, error) bool) {
		q := so.params()
		q.Set("_fields", "id,parent_id,status,date_modified_gmt,modified_gmt")
		for e, err := range s.pages(ctx, so.Name, so.path, q, "") {
			if err != nil {
				yield(rest.Stamp{}, err)
				return
			}
			r, err := so.record("", e.text)
			if !yield(rest.Stamp{Key: r.Key, Modified: r.Modified}, err) || err != nil {
				return
			}
		}
	}
	if k.Name == "variations" {
		return s.variationIDs(ctx, so)
	}
	return stamps
}

// Gone implements [rest.Shop]: what was put into the trash.
func (s *shop) Gone(ctx context.Context, k rest.Kind, since time.Time) iter.Seq2[string, error] {
	so := s.sorts[k.Name]
	return func(yield func(string, error) bool) {
		q := so.since(so.params(), since)
		q.Set("status", "trash")
		q.Set("_fields", "id")
		for e, err := range s.pages(ctx, so.Name, so.path, q, "") {
			if err != nil {
				yield("", err)
				return
			}
			if !yield(strconv.FormatInt(e.id, 10), nil) {
				return
			}
		}
	}
}
