package shopify

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kvart/connectors/rest"
)

// doSetting writes what a shop has once: policies, languages, fixed prices.
func (s *shop) doSetting(kind string) doer {
	return func(ctx context.Context, op rest.Op) (rest.Result, error) {
		res := rest.Result{ID: op.ID}
		switch {
		case op.Do == rest.DoDelete:
			return res, refuse("it is not taken away again")
		case kind == kindPolicies:
			_, err := s.mutate(ctx, "policy_update", map[string]any{"policy": pick(op.Record, "type", "body")})
			return res, err
		case kind == kindLocales:
			if op.Do == rest.DoUpdate {
				return res, refuse("whether a language is published is for people")
			}
			_, err := s.mutate(ctx, "locale_enable", map[string]any{"locale": op.Record["locale"]})
			if err != nil {
				return res, err
			}
			return rest.Result{ID: fmt.Sprint(op.Record["locale"])}, nil
		}
		var prices []any
		for _, p := range listOf(op.Record["prices"]) {
			in := map[string]any{"variantId": field(p, "variant")["id"], "price": money(field(p, "price"))}
			if c := field(p, "compareAtPrice"); c != nil {
				in["compareAtPrice"] = money(c)
			}
			prices = append(prices, in)
		}
		for chunk := range slices.Chunk(prices, 250) {
			if _, err := s.mutate(ctx, "price_list_prices", map[string]any{"id": op.ID, "prices": chunk}); err != nil {
				return res, err
			}
		}
		return res, nil
	}
}

func (s *shop) doMetaobject(ctx context.Context, op rest.Op) (rest.Result, error) {
	if op.Do == rest.DoDelete {
		return s.remove(ctx, "metaobject_delete", op)
	}
	var fields []any
	for _, f := range listOf(op.Record["fields"]) {
		if v := f["value"]; v != nil {
			fields = append(fields, map[string]any{"key": f["key"], "value": v})
		} else {
			fields = append(fields, map[string]any{"key": f["key"], "value": ""})
		}
	}
	in := map[string]any{"fields": fields}
	if p := field(field(op.Record, "capabilities"), "publishable"); p != nil {
		in["capabilities"] = map[string]any{"publishable": pick(p, "status")}
	}
	answer, err := s.mutate(ctx, "metaobject_upsert", map[string]any{"handle": pick(op.Record, "type", "handle"), "metaobject": in})
	return rest.Result{ID: madeID(answer, "metaobject")}, err
}

// doDefinition writes definitions of metafields and metaobjects. Of one that is
// there the type stays: the shop changes none.
func (s *shop) doDefinition(kind string) doer {
	word, made, changed := "metafield_definition", "createdDefinition", "updatedDefinition"
	if kind == kindMetaobjDefs {
		word, made, changed = "metaobject_definition", "metaobjectDefinition", "metaobjectDefinition"
	}
	return func(ctx context.Context, op rest.Op) (rest.Result, error) {
		if op.Do == rest.DoDelete {
			return s.remove(ctx, word+"_delete", op)
		}
		in := definition(kind, op.Record, op.Do == rest.DoCreate)
		if op.Do == rest.DoCreate {
			answer, err := s.mutate(ctx, word+"_create", map[string]any{"definition": in})
			return rest.Result{ID: madeID(answer, made)}, err
		}
		vars := map[string]any{"definition": in}
		if kind == kindMetaobjDefs {
			vars["id"] = op.ID
		}
		answer, err := s.mutate(ctx, word+"_update", vars)
		return rest.Result{ID: madeID(answer, changed)}, err
	}
}

func definition(kind string, r map[string]any, create bool) map[string]any {
	if kind == kindMetafieldDefs {
		in := pick(r, "namespace", "key", "name", "description", "ownerType")
		in["validations"] = validations(r["validations"])
		if create {
			in["type"] = field(r, "type")["name"]
			in["pin"] = r["pinnedPosition"] != nil
		}
		return in
	}
	in := pick(r, "name", "description", "displayNameKey")
	if !create {
		return in
	}
	in["type"] = r["type"]
	var fields []any
	for _, f := range listOf(r["fieldDefinitions"]) {
		def := pick(f, "key", "name", "description", "required")
		def["type"] = field(f, "type")["name"]
		def["validations"] = validations(f["validations"])
		fields = append(fields, def)
	}
	in["fieldDefinitions"] = fields
	return in
}

func validations(v any) []any {
	out := []any{}
	for _, x := range listOf(v) {
		out = append(out, pick(x, "name", "value"))
	}
	return out
}

func (s *shop) doMenu(ctx context.Context, op rest.Op) (rest.Result, error) {
	switch op.Do {
	case rest.DoDelete:
		return s.remove(ctx, "menu_delete", op)
	case rest.DoUpdate:
		_, err := s.mutate(ctx, "menu_update", map[string]any{"id": op.ID, "title": op.Record["title"], "items": menuItems(op.Record["items"])})
		return rest.Result{ID: op.ID}, err
	}
	answer, err := s.mutate(ctx, "menu_create", map[string]any{
		"handle": op.Record["handle"], "title": op.Record["title"], "items": menuItems(op.Record["items"]),
	})
	return rest.Result{ID: madeID(answer, "menu")}, err
}

func menuItems(v any) []any {
	out := []any{}
	for _, i := range listOf(v) {
		in := pick(i, "title", "type", "url", "resourceId", "tags")
		if below := menuItems(i["items"]); len(below) > 0 {
			in["items"] = below
		}
		out = append(out, in)
	}
	return out
}

// doTranslation writes the texts of one resource in one language. Each is tied
// to the text it translates, as that is now.
func (s *shop) doTranslation(ctx context.Context, op rest.Op) (rest.Result, error) {
	resource, _ := op.Record["resourceId"].(string)
	locale, _ := op.Record["locale"].(string)
	if op.Do == rest.DoDelete {
		return rest.Result{ID: op.ID}, refuse("it goes with what it translates")
	}
	found, err := s.translatableByID(ctx, []string{resource}, locale)
	if err != nil {
		return rest.Result{ID: op.ID}, err
	}
	digests := map[any]any{}
	for _, c := range listOf(found[resource]["translatableContent"]) {
		digests[c["key"]] = c["digest"]
	}
	var texts []any
	for _, t := range listOf(op.Record["translations"]) {
		if digests[t["key"]] == nil || t["value"] == nil {
			continue // there is nothing to translate any more
		}
		in := pick(t, "key", "value", "locale")
		in["translatableContentDigest"] = digests[t["key"]]
		if m := field(t, "market"); m != nil {
			in["marketId"] = m["id"]
		}
		texts = append(texts, in)
	}
	if len(texts) == 0 {
		return rest.Result{ID: op.ID}, refuse("%s has none of the texts that were translated", resource)
	}
	if _, err = s.mutate(ctx, "translations_register", map[string]any{"id": resource, "translations": texts}); err != nil {
		return rest.Result{ID: op.ID}, err
	}
	return rest.Result{ID: resource + "#" + locale}, nil
}

// translatableByID reads texts and translations of resources.
func (s *shop) translatableByID(ctx context.Context, ids []string, locale string) (map[string]map[string]any, error) {
	d := s.l["translatable"]
	var got map[string]any
	if err := s.c.run(ctx, d, map[string]any{"ids": ids, "first": len(ids), "locale": locale}, &got); err != nil {
		return nil, err
	}
	elements, _, _, err := pageOf(field(got, d.root[0].key()))
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]any{}
	for _, m := range elements {
		id, _ := m["resourceId"].(string)
		out[id] = m
	}
	return out, nil
}

// fetchTranslations reads translations by their keys: resource and language.
func (s *shop) fetchTranslations(ctx context.Context, sp spec, keys []rest.Key) (out []rest.Record, err error) {
	byLocale := map[string][]string{}
	for _, k := range keys {
		resource, locale, _ := strings.Cut(k.ID, "#")
		byLocale[locale] = append(byLocale[locale], resource)
	}
	for locale, ids := range byLocale {
		for chunk := range slices.Chunk(ids, 50) {
			found, err := s.translatableByID(ctx, chunk, locale)
			if err != nil {
				return nil, err
			}
			for _, m := range found {
				delete(m, "translatableContent")
				r, err := s.translation(sp, m, locale)
				if err != nil {
					return nil, err
				}
				if r != nil {
					out = append(out, *r)
				}
			}
		}
	}
	return out, nil
}

// translation makes a record of a resource's texts in a language, nil when it
// has none.
func (s *shop) translation(sp spec, m map[string]any, locale string) (*rest.Record, error) {
	if texts, _ := m["translations"].([]any); len(texts) == 0 {
		return nil, nil
	}
	resource, _ := m["resourceId"].(string)
	m["id"], m["locale"] = resource+"#"+locale, locale
	order(m, "translations", "key", "market")
	r, err := s.record(sp, m)
	return &r, err
}
