package woocommerce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"kvart/connectors/rest"
)

// Fetch implements [rest.Shop].
func (s *shop) Fetch(ctx context.Context, k rest.Kind, keys []rest.Key) ([]rest.Record, error) {
	so := s.sorts[k.Name]
	switch {
	case len(keys) == 0:
		return nil, nil
	case k.Name == "variations":
		return s.fetchVariations(ctx, so, keys)
	case k.Name == "order_notes":
		return nil, nil // only their orders know them
	case k.Name == "shipping_zone_locations":
		return s.fetchPlaces(ctx, so, keys)
	case strings.Contains(so.path, "%s"):
		return s.fetchBelow(ctx, so, keys)
	case so.paging != byID || k.Name == "refunds":
		return s.fetchListed(ctx, k, keys)
	}
	there, err := s.include(ctx, so, so.path, "", so.params(), keys)
	if err != nil || !so.trash {
		return there, err
	}
	missing := without(keys, there)
	if len(missing) == 0 {
		return there, nil
	}
	q := so.params()
	q.Set("status", "trash")
	trashed, err := s.include(ctx, so, so.path, "", q, missing)
	for i := range trashed {
		trashed[i].Trashed = true
	}
	return append(there, trashed...), err
}

// include fetches records by their ids, a page at a time.
func (s *shop) include(ctx context.Context, so sort, path, parent string, q url.Values, keys []rest.Key) (out []rest.Record, err error) {
	for chunk := range slices.Chunk(keys, perPage) {
		ids := make([]string, len(chunk))
		for i, key := range chunk {
			ids[i] = key.ID
		}
		q.Set("include", strings.Join(ids, ","))
		q.Set("per_page", fmt.Sprint(perPage))
		var list []json.RawMessage
		if _, err := s.get(ctx, path, q, &list); err != nil {
			return nil, s.about(so.Name, err)
		}
		for _, text := range list {
			r, err := so.record(parent, text)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
	}
	return out, nil
}

// without returns the keys that no record has.
func without(keys []rest.Key, have []rest.Record) (out []rest.Key) {
	for _, key := range keys {
		if !slices.ContainsFunc(have, func(r rest.Record) bool { return r.ID == key.ID }) {
			out = append(out, key)
		}
	}
	return out
}

// gone reports whether an error says that what lies above is not there.
func gone(err error) bool {
	var st *rest.StatusError
	var why refusal
	return errors.As(err, &st) && st.Status == http.StatusNotFound && json.Unmarshal(st.Body, &why) == nil && why.Code != "rest_no_route"
}

func byParent(keys []rest.Key) map[string][]rest.Key {
	out := map[string][]rest.Key{}
	for _, key := range keys {
		out[key.Parent] = append(out[key.Parent], key)
	}
	return out
}

// fetchVariations asks for all at once where it can, and the products of those
// that were not found: only they know what lies in the trash.
func (s *shop) fetchVariations(ctx context.Context, so sort, keys []rest.Key) ([]rest.Record, error) {
	there, err := s.include(ctx, so, everyVariation, "", so.params(), keys)
	if err != nil && !noRoute(err) {
		return nil, err
	}
	for parent, some := range byParent(without(keys, there)) {
		if parent == "" {
			continue
		}
		for _, status := range []string{"any", "trash"} {
			q := so.params()
			q.Set("status", status)
			path := fmt.Sprintf(so.path, parent)
			list, err := s.includeOf(ctx, so, path, parent, q, some)
			if err != nil {
				return nil, err
			}
			for _, r := range list {
				r.Trashed = status == "trash"
				there = append(there, r)
			}
			some = without(some, list)
		}
	}
	return there, nil
}

// includeOf is include below a parent that may be gone.
func (s *shop) includeOf(ctx context.Context, so sort, path, parent string, q url.Values, keys []rest.Key) ([]rest.Record, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	list, err := s.include(ctx, so, path, parent, q, keys)
	if gone(err) {
		return nil, nil
	}
	return list, err
}

// fetchBelow lists what lies below each parent.
func (s *shop) fetchBelow(ctx context.Context, so sort, keys []rest.Key) (out []rest.Record, err error) {
	for parent, some := range byParent(keys) {
		if parent == "" {
			continue
		}
		for r, err := range s.below(ctx, so, parent, so.params()) {
			if gone(err) {
				break
			}
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(some, func(k rest.Key) bool { return k.ID == r.ID }) {
				out = append(out, r)
			}
		}
	}
	return out, nil
}

func (s *shop) fetchPlaces(ctx context.Context, so sort, keys []rest.Key) (out []rest.Record, err error) {
	for _, key := range keys {
		r, err := s.places(ctx, so, key.Parent)
		if gone(err) {
			continue
		}
		if err != nil {
			return nil, s.about(so.Name, err)
		}
		out = append(out, r)
	}
	return out, nil
}

// fetchListed picks from the whole list, of kinds that have no other way.
func (s *shop) fetchListed(ctx context.Context, k rest.Kind, keys []rest.Key) (out []rest.Record, err error) {
	for r, err := range s.List(ctx, k, rest.Query{}) {
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(keys, func(key rest.Key) bool { return key.ID == r.ID }) {
			out = append(out, r)
		}
	}
	return out, nil
}
