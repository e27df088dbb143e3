package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"kvart/connectors/rest"
)

// listSettings reads every group's settings. Two groups may have settings of
// one name, so the group is part of the id.
func (s *shop) listSettings(ctx context.Context, so sort) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		var groups []struct {
			ID string `json:"id"`
		}
		if _, err := s.get(ctx, so.path, nil, &groups); err != nil {
			yield(rest.Record{}, s.about(so.Name, err))
			return
		}
		if len(groups) == 0 {
			yield(rest.Record{}, broken(so.Name, "no groups"))
			return
		}
		for _, g := range groups {
			var list []json.RawMessage
			if _, err := s.get(ctx, so.path+"/"+url.PathEscape(g.ID), nil, &list); err != nil {
				yield(rest.Record{}, s.about(so.Name, err))
				return
			}
			for _, text := range list {
				r, err := so.record("", text)
				if err == nil {
					r.ID = g.ID + "." + r.ID
					r.JSON, err = with(text, "group_id", g.ID)
				}
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// with adds a field to a record.
func with(text json.RawMessage, field string, value any) (json.RawMessage, error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("read record: %w", err)
	}
	v, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("write record: %w", err)
	}
	m[field] = v
	return json.Marshal(m)
}

// parents lists the ids of a kind that is listed in one go or in pages.
func (s *shop) parents(ctx context.Context, of sort, q url.Values) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if of.paging == byID {
			q.Set("_fields", "id")
			for e, err := range s.pages(ctx, of.Name, of.path, q, "") {
				if !yield(strconv.FormatInt(e.id, 10), err) || err != nil {
					return
				}
			}
			return
		}
		for r, err := range s.inOne(ctx, of, of.path, "") {
			if !yield(r.ID, err) || err != nil {
				return
			}
		}
	}
}

// listBelow lists what belongs to each of some parents.
func (s *shop) listBelow(ctx context.Context, so, parent sort) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		for id, err := range s.parents(ctx, parent, parent.params()) {
			if err != nil {
				yield(rest.Record{}, s.about(so.Name, err))
				return
			}
			for r, err := range s.below(ctx, so, id, so.params()) {
				if !yield(r, err) || err != nil {
					return
				}
			}
		}
	}
}

// below lists what belongs to one parent.
func (s *shop) below(ctx context.Context, so sort, parent string, q url.Values) iter.Seq2[rest.Record, error] {
	path := fmt.Sprintf(so.path, parent)
	if so.paging == byID {
		return s.listPages(ctx, so, path, parent, q, "")
	}
	return s.inOne(ctx, so, path, parent)
}

// listPlaces makes one record of the places of each zone.
func (s *shop) listPlaces(ctx context.Context, so sort) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		for id, err := range s.parents(ctx, s.sorts[so.Parent], nil) {
			var r rest.Record
			if err == nil {
				r, err = s.places(ctx, so, id)
			}
			if err != nil {
				yield(r, s.about(so.Name, err))
				return
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *shop) places(ctx context.Context, so sort, zone string) (rest.Record, error) {
	r := rest.Record{Key: rest.Key{ID: zone, Parent: zone}}
	var list []struct {
		Code string `json:"code"`
		Type string `json:"type"`
	}
	if _, err := s.get(ctx, fmt.Sprintf(so.path, zone), nil, &list); err != nil {
		return r, err
	}
	text, err := json.Marshal(map[string]any{"id": number(zone), "locations": list})
	r.JSON = text
	return r, err
}

// everyVariation is the list of all variations at once, which WooCommerce has
// had only lately.
const everyVariation = "wc/v3/variations"

func (s *shop) listVariations(ctx context.Context, so sort, q rest.Query) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		began := false
		for r, err := range s.listPages(ctx, so, everyVariation, "", so.since(so.params(), q.Since), q.Resume) {
			if !began && noRoute(err) {
				s.variationsOf(ctx, so, q.Since, yield)
				return
			}
			began = true
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// variationsOf asks each product that can have variations, and that changed: a
// variation's change moves its product's date.
func (s *shop) variationsOf(ctx context.Context, so sort, since time.Time, yield func(rest.Record, error) bool) {
	of := s.sorts["products"]
	q := of.since(of.params(), since)
	q.Set("type", "variable")
	for id, err := range s.parents(ctx, of, q) {
		if err != nil {
			yield(rest.Record{}, err)
			return
		}
		for r, err := range s.below(ctx, so, id, so.params()) {
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (s *shop) variationIDs(ctx context.Context, so sort) iter.Seq2[rest.Stamp, error] {
	return func(yield func(rest.Stamp, error) bool) {
		stamp := func(r rest.Record, err error) bool {
			return yield(rest.Stamp{Key: r.Key, Modified: r.Modified}, err) && err == nil
		}
		q := so.params()
		q.Set("_fields", "id,parent_id,status,date_modified_gmt")
		began := false
		for r, err := range s.listPages(ctx, so, everyVariation, "", q, "") {
			if !began && noRoute(err) {
				s.variationsOf(ctx, so, time.Time{}, stamp)
				return
			}
			began = true
			if !stamp(r, err) {
				return
			}
		}
	}
}

// listRefunds lists refunds, by order where the shop has no list of all.
func (s *shop) listRefunds(ctx context.Context, so sort, q rest.Query) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		began := false
		for r, err := range s.listPages(ctx, so, so.path, "", so.since(so.params(), q.Since), q.Resume) {
			if !began && noRoute(err) {
				s.refundsOf(ctx, so, q.Since, yield)
				return
			}
			began = true
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// refundsOf looks at the orders that have refunds.
func (s *shop) refundsOf(ctx context.Context, so sort, since time.Time, yield func(rest.Record, error) bool) {
	of := s.sorts["orders"]
	q := of.since(of.params(), since)
	q.Set("_fields", "id,refunds")
	for e, err := range s.pages(ctx, of.Name, of.path, q, "") {
		if err != nil {
			yield(rest.Record{}, err)
			return
		}
		var o struct {
			Refunds []json.RawMessage `json:"refunds"`
		}
		if json.Unmarshal(e.text, &o) != nil || len(o.Refunds) == 0 {
			continue
		}
		id := strconv.FormatInt(e.id, 10)
		one := so
		one.path = "wc/v3/orders/" + id + "/refunds"
		for r, err := range s.listPages(ctx, one, one.path, id, one.params(), "") {
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

// listNotes asks each order that changed for its notes. A list that is cut off
// goes on with the orders after the last.
func (s *shop) listNotes(ctx context.Context, so sort, q rest.Query) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		of := s.sorts["orders"]
		oq := of.since(of.params(), q.Since)
		oq.Set("_fields", "id")
		for e, err := range s.pages(ctx, of.Name, of.path, oq, q.Resume) {
			if err != nil {
				yield(rest.Record{}, err)
				return
			}
			for r, err := range s.below(ctx, so, strconv.FormatInt(e.id, 10), so.params()) {
				r.Resume = "" // not in the middle of an order
				if !yield(r, err) || err != nil {
					return
				}
			}
			if !yield(rest.Record{Resume: e.resume()}, nil) {
				return
			}
		}
	}
}

// newCustomers lists those who came since a time, the newest first.
func (s *shop) newCustomers(ctx context.Context, so sort, since time.Time) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		q := so.params()
		q.Set("orderby", "registered_date")
		q.Set("order", "desc")
		q.Set("per_page", "20") // few come in a quarter of an hour
		for page := 1; ; page++ {
			q.Set("page", strconv.Itoa(page))
			var list []json.RawMessage
			if _, err := s.get(ctx, so.path, q, &list); err != nil {
				yield(rest.Record{}, s.about(so.Name, err))
				return
			}
			for _, text := range list {
				r, err := so.record("", text)
				var h head
				if err == nil {
					err = json.Unmarshal(text, &h)
				}
				if err != nil {
					yield(r, err)
					return
				}
				if firstDate(h.Created).Before(since) || !yield(r, nil) {
					return
				}
			}
			if len(list) < 20 {
				return
			}
		}
	}
}
