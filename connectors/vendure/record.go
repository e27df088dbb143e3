package vendure

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// between parts variant and location in the id of a stock level.
const between = "."

// variantOf is the variant whose stock an id names.
func variantOf(id string) string {
	variant, _, _ := strings.Cut(id, between)
	return variant
}

// records makes records of an element of a list: one, or one for each place
// where a variant lies in stock.
func (so sort) records(e element) ([]rest.Record, error) {
	if so.Name != kindStock {
		r, err := so.record(e.m)
		r.Resume, r.Left = e.resume(), e.left
		return []rest.Record{r}, err
	}
	variant := id(e.m)
	// One that lies nowhere still moves the list on.
	out := []rest.Record{{Resume: e.resume(), Left: e.left}}
	levels, ok := e.m["stockLevels"].([]any)
	if !ok {
		return nil, broken(so.Name, "a variant without stock levels")
	}
	for _, l := range levels {
		m, _ := l.(map[string]any)
		place, _ := m["stockLocationId"].(string)
		if place == "" {
			return nil, broken(so.Name, "a stock level without a place")
		}
		m["variantId"] = variant
		text, err := json.Marshal(m)
		if err != nil {
			return nil, broken(so.Name, err.Error())
		}
		out = append(out, rest.Record{Key: rest.Key{ID: variant + between + place, Parent: variant}, JSON: text, Resume: e.resume()})
	}
	return out, nil
}

// record makes one record, in a form that is the same for the same content.
func (so sort) record(m map[string]any) (rest.Record, error) {
	r := rest.Record{Key: rest.Key{ID: id(m)}, Modified: modified(m)}
	switch so.Name {
	case kindVariants:
		if r.Parent, _ = m["productId"].(string); r.Parent == "" {
			return r, broken(so.Name, "a variant without a product")
		}
		delete(m, "productId")
	case kindZones:
		splitMembers(m)
	case kindCustomers:
		sortByText(m["addresses"])
	case kindOrders:
		r.Mentions = mentioned(m)
	}
	if so.Personal && redacted(m) {
		return r, app.Errorf(app.CodeShopRedacted, "vendure: read", "%s %s is blotted out", so.Name, r.ID).With("kind", so.Name).With("right", so.Read[0])
	}
	so.tidy(m)
	text, err := json.Marshal(m)
	if err != nil {
		return r, broken(so.Name, err.Error())
	}
	r.JSON = text
	return r, nil
}

// tidy brings lists whose order means nothing into one order.
func (so sort) tidy(m map[string]any) {
	for _, f := range append([]string{"translations"}, so.sets...) {
		if list, ok := m[f].([]any); ok {
			slices.SortStableFunc(list, func(a, b any) int { return compare(nameOf(a), nameOf(b)) })
		}
	}
	partRelations(m)
}

// partRelations parts custom fields that name other records from the rest: they are
// kept, and not written.
func partRelations(m map[string]any) {
	fields, ok := m["customFields"].(map[string]any)
	if !ok {
		return
	}
	named := map[string]any{}
	for f, v := range fields {
		if was, ok := strings.CutPrefix(f, relationAlias); ok {
			named[was] = v
			delete(fields, f)
		}
	}
	if len(named) > 0 {
		m["customRelations"] = named
	}
}

// nameOf is what an element of a set is called.
func nameOf(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case map[string]any:
		for _, f := range []string{"id", "languageCode", "currencyCode", "value"} {
			if text, ok := x[f].(string); ok {
				return text
			}
		}
	}
	return ""
}

// compare orders ids, numbers by their size.
func compare(a, b string) int {
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// sortByText orders objects by what they say, less their ids: an address that
// is made again comes back to its place.
func sortByText(v any) {
	list, _ := v.([]any)
	said := func(v any) string {
		m, _ := v.(map[string]any)
		was := m["id"]
		delete(m, "id")
		text, err := json.Marshal(m)
		if was != nil {
			m["id"] = was
		}
		if err != nil {
			return ""
		}
		return string(text)
	}
	slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(said(a), said(b)) })
}

// splitMembers parts a zone's countries from its provinces, of which only the
// zone tells.
func splitMembers(m map[string]any) {
	list, _ := m["members"].([]any)
	delete(m, "members")
	countries, provinces := []any{}, []any{}
	for _, el := range list {
		member, _ := el.(map[string]any)
		if member["type"] == "province" {
			provinces = append(provinces, map[string]any{"id": member["id"], "code": member["code"]})
		} else {
			countries = append(countries, member["id"])
		}
	}
	m["countries"], m["provinces"] = countries, provinces
}

// mentioned are the customers that may have changed with an order.
func mentioned(m map[string]any) map[string][]rest.Key {
	customer, _ := m["customer"].(map[string]any)
	if id(customer) == "" {
		return nil
	}
	return map[string][]rest.Key{kindCustomers: {{ID: id(customer)}}}
}

// redacted reports whether something of a person was blotted out.
func redacted(m map[string]any) bool {
	for _, f := range []string{"emailAddress", "lastName", "phoneNumber"} {
		if text, _ := m[f].(string); strings.Contains(text, "***") {
			return true
		}
	}
	return false
}

func modified(m map[string]any) time.Time {
	text, _ := m["updatedAt"].(string)
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

func number(v any) int64 {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	i, err := n.Int64()
	if err != nil {
		return 0
	}
	return i
}
