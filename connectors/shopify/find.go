package shopify

import (
	"context"
	"regexp"

	"kvart/connectors/rest"
)

// Origin implements [rest.Origin]: an order that was made again says for which.
func (s *shop) Origin(k rest.Kind, record map[string]any) string {
	was, _ := record["sourceIdentifier"].(string)
	if k.Name != kindOrders || typeOf(was) != "Order" {
		return ""
	}
	return was
}

// Find implements [rest.Finder]: the stock of a variant by its product and
// options, translations by what they translate.
func (s *shop) Find(ctx context.Context, k rest.Kind, want map[string]any) (*rest.Record, error) {
	r, err := s.find(ctx, s.p.spec(k.Name), want)
	return r, about(k, s.c.coded(ctx, err))
}

func (s *shop) find(ctx context.Context, sp spec, want map[string]any) (*rest.Record, error) {
	var id string
	switch sp.Name {
	case kindInventory:
		product, _ := field(want, "product")["id"].(string)
		if product == "" {
			return nil, nil
		}
		variants, err := s.variantsOf(ctx, product)
		if err != nil {
			return nil, err
		}
		id = variants[optionsOf(want)]
	case kindTranslations:
		resource, _ := want["resourceId"].(string)
		locale, _ := want["locale"].(string)
		if resource != "" {
			id = resource + "#" + locale
		}
	}
	if id == "" {
		return nil, nil
	}
	found, err := s.fetch(ctx, sp, []rest.Key{{ID: id}})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// variantsOf lists the variants of a product by their options.
func (s *shop) variantsOf(ctx context.Context, product string) (map[string]string, error) {
	s.mu.Lock()
	known, ok := s.variants[product]
	s.mu.Unlock()
	if ok {
		return known, nil
	}
	found, err := s.nodes(ctx, s.l["product_state"], []string{product})
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for _, v := range listOf(found[product]["variants"]) {
		out[optionsOf(v)], _ = v["id"].(string)
	}
	if len(out) == 0 {
		return out, nil // it may be made in a moment
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.variants == nil {
		s.variants = map[string]map[string]string{}
	}
	s.variants[product] = out
	return out, nil
}

var gidInText = regexp.MustCompile(`gid://shopify/[A-Za-z0-9]+/[0-9]+`)

// Rewrite implements [rest.Rewriter]: metafields and metaobjects name records by
// global ids in the middle of texts, and such an id tells what it is of.
func (s *shop) Rewrite(_ rest.Kind, record map[string]any, now func(kind, id string) string) {
	for f, v := range record {
		record[f] = s.rewritten(f, v, now)
	}
}

func (s *shop) rewritten(name string, v any, now func(kind, id string) string) any {
	switch x := v.(type) {
	case map[string]any:
		for f, e := range x {
			x[f] = s.rewritten(f, e, now)
		}
	case []any:
		for i, e := range x {
			x[i] = s.rewritten(name, e, now)
		}
	case string:
		if name == "id" {
			return x // what the record is, not what it names
		}
		return gidInText.ReplaceAllStringFunc(x, func(gid string) string {
			kind := s.p.kindOf(typeOf(gid))
			if kind == "" {
				return gid
			}
			return now(kind, gid)
		})
	}
	return v
}
