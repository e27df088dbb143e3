package vendure

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"kvart/connectors/rest"
)

// claim notes option groups that are spoken for.
func (s *shop) claim(kind string, ids map[string]bool) {
	if kind != kindOptionGroups {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range ids {
		s.claimed[id] = true
	}
}

// Find implements [rest.Finder]: what has no name of its own is found by what
// it belongs to and its code, files by name, size and sort.
func (s *shop) Find(ctx context.Context, k rest.Kind, want map[string]any) (*rest.Record, error) {
	so := s.sorts[k.Name]
	text := func(f string) string { t, _ := want[f].(string); return t }
	is := func(v any) map[string]any { return map[string]any{"eq": v} }
	var filter map[string]any
	switch k.Name {
	case kindStock:
		return s.findStock(ctx, k, text("variantId"), text("stockLocationId"))
	case kindFacetValues:
		filter = map[string]any{"facetId": is(text("facetId")), "code": is(text("code"))}
	case kindOptions:
		filter = map[string]any{"groupId": is(text("groupId")), "code": is(text("code"))}
	case kindOptionGroups:
		filter = map[string]any{"code": is(text("code"))}
	case kindVariants:
		filter = map[string]any{"sku": is(text("sku"))}
	case kindFiles:
		filter = map[string]any{"name": is(text("name")), "mimeType": is(text("mimeType")), "fileSize": is(want["fileSize"])}
	default:
		return nil, nil
	}
	names := len(filter)
	for f, v := range filter {
		if m, _ := v.(map[string]any); m["eq"] == "" || m["eq"] == nil {
			delete(filter, f)
		}
	}
	if len(filter) < names {
		return nil, nil // a record without its names is none
	}
	return s.pick(ctx, so, filter, want)
}

// pick returns the one record that a filter finds and that may stand for want.
func (s *shop) pick(ctx context.Context, so sort, filter, want map[string]any) (*rest.Record, error) {
	options := so.options(rest.Query{}, 0, usualPage)
	options["filter"] = filter
	items, _, err := s.page(ctx, so, options)
	if err != nil {
		return nil, err
	}
	for _, m := range items {
		r, err := so.record(m)
		if err != nil {
			return nil, err
		}
		if so.Name == kindVariants && len(items) > 1 && !sameOptions(m, want) {
			continue
		}
		if so.Name == kindOptionGroups && (number(m["productCount"]) > 0 || !s.take(r.ID)) {
			continue
		}
		return &r, nil
	}
	return nil, nil
}

// take claims an option group, unless it is spoken for. Codes of groups are
// not unique: two products may each have a "size" of their own.
func (s *shop) take(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.claimed[id] {
		return false
	}
	s.claimed[id] = true
	return true
}

// sameOptions reports whether a variant is the one of these options, where
// several have one SKU.
func sameOptions(have, want map[string]any) bool {
	ids := func(m map[string]any) (out []string) {
		list, _ := m["options"].([]any)
		for _, el := range list {
			o, _ := el.(map[string]any)
			out = append(out, id(o))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(ids(have), ids(want))
}

func (s *shop) findStock(ctx context.Context, k rest.Kind, variant, place string) (*rest.Record, error) {
	if variant == "" || place == "" {
		return nil, nil
	}
	found, err := s.Fetch(ctx, k, []rest.Key{{ID: variant + between + place, Parent: variant}})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// arguments are the arguments of filters, conditions and actions that name
// records, as a text or as a list in a text.
var arguments = map[string]string{
	"facetValueIds": kindFacetValues, "facets": kindFacetValues,
	"productIds": kindProducts, "variantIds": kindVariants, "productVariantIds": kindVariants,
	"collectionId": kindCollections, "collectionIds": kindCollections, "customerGroupId": kindGroups,
}

// Rewrite implements [rest.Rewriter]: it takes what arguments name to what it is
// now, and brings sets back into order, which new ids may have left.
func (s *shop) Rewrite(k rest.Kind, record map[string]any, now func(kind, id string) string) {
	for _, f := range []string{"filters", "conditions", "actions", "checker", "calculator", "handler"} {
		list, ok := record[f].([]any)
		if !ok {
			list = []any{record[f]}
		}
		for _, el := range list {
			operation, _ := el.(map[string]any)
			args, _ := operation["args"].([]any)
			for _, a := range args {
				if arg, ok := a.(map[string]any); ok {
					rename(arg, now)
				}
			}
		}
	}
	s.sorts[k.Name].tidy(record)
}

func rename(arg map[string]any, now func(kind, id string) string) {
	called, _ := arg["name"].(string)
	value, _ := arg["value"].(string)
	kind := arguments[called]
	if kind == "" || value == "" {
		return
	}
	if !strings.HasPrefix(value, "[") {
		arg["value"] = now(kind, strings.Trim(value, `"`))
		return
	}
	var ids []json.RawMessage
	if json.Unmarshal([]byte(value), &ids) != nil {
		return
	}
	changed := false
	for i, raw := range ids {
		was := strings.Trim(string(raw), `"`)
		if to := now(kind, was); to != was {
			text, err := json.Marshal(to)
			if err != nil {
				continue
			}
			ids[i], changed = text, true
		}
	}
	if text, err := json.Marshal(ids); changed && err == nil {
		arg["value"] = string(text)
	}
}
