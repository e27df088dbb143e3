package shopify

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"kvart/app"
	"kvart/connectors/rest"
)

// typesAtOnce is of how many types of metaobjects are asked in one request.
const typesAtOnce = 10

// metaobjects reads the metaobjects of every type there is: several types in
// one request, and page by page those of which there are more.
func (s *shop) metaobjects(ctx context.Context, sp spec, q rest.Query, yield func(rest.Record) error) error {
	var types []string
	err := s.paged(ctx, s.p.spec(kindMetaobjDefs), rest.Query{}, nil, func(r rest.Record) error {
		m := map[string]any{}
		if err := decode(r.JSON, &m); err != nil {
			return err
		}
		t, _ := m["type"].(string)
		types = append(types, t)
		return nil
	})
	if err != nil {
		return err
	}
	for chunk := range slices.Chunk(types, typesAtOnce) {
		if err := s.metaobjectsOf(ctx, sp, chunk, q, yield); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) metaobjectsOf(ctx context.Context, sp spec, types []string, q rest.Query, yield func(rest.Record) error) error {
	d, vars := together(s.l[sp.list], types), map[string]any{"first": s.p.pageSize(sp)}
	if !q.Since.IsZero() {
		vars["query"] = changedSince(q.Since)
	}
	var got map[string]any
	err := s.c.run(ctx, d, vars, &got)
	if tooCostly(err) && len(types) > 1 {
		half := len(types) / 2
		if err := s.metaobjectsOf(ctx, sp, types[:half], q, yield); err != nil {
			return err
		}
		return s.metaobjectsOf(ctx, sp, types[half:], q, yield)
	}
	if err != nil {
		return err
	}
	for i, typ := range types {
		conn, _ := got["t"+strconv.Itoa(i)].(map[string]any)
		elements, follows, cursor, err := pageOf(conn)
		if err != nil {
			return err
		}
		records, err := s.finish(ctx, sp, elements, d.root[i].nodes().sel)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := yield(r); err != nil {
				return err
			}
		}
		if follows {
			next := rest.Query{Since: q.Since, Resume: resumePage + cursor}
			if err := s.paged(ctx, sp, next, map[string]any{"type": typ}, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

// together asks for the metaobjects of several types at once.
func together(list document, types []string) document {
	d := document{kind: "query", name: "MetaobjectsTogether" + strconv.Itoa(len(types)), vars: map[string]string{"first": "Int!", "query": "String"}}
	for i, t := range types {
		root := *list.root[0]
		root.alias = "t" + strconv.Itoa(i)
		root.args = fmt.Sprintf("first: $first query: $query sortKey: \"id\" type: %q", t)
		d.root = append(d.root, &root)
	}
	return d
}

// translatable are the types of texts that are translated.
func translatable() []string {
	return []string{
		"PRODUCT", "PRODUCT_OPTION", "PRODUCT_OPTION_VALUE", "COLLECTION", "PAGE", "BLOG", "ARTICLE", "MENU", "LINK",
		"SHOP", "SHOP_POLICY", "METAFIELD", "METAOBJECT", "FILTER", "DELIVERY_METHOD_DEFINITION", "EMAIL_TEMPLATE",
		"ONLINE_STORE_THEME", "ONLINE_STORE_THEME_JSON_TEMPLATE", "ONLINE_STORE_THEME_SECTION_GROUP",
		"ONLINE_STORE_THEME_LOCALE_CONTENT", "ONLINE_STORE_THEME_SETTINGS_CATEGORY", "PACKING_SLIP_TEMPLATE",
		"PAYMENT_GATEWAY", "SELLING_PLAN", "SELLING_PLAN_GROUP",
	}
}

// translations reads the texts in every language but the shop's own. A resource
// without any is no record.
func (s *shop) translations(ctx context.Context, sp spec, yield func(rest.Record) error) error {
	var locales []string
	err := s.single(ctx, s.p.spec(kindLocales), func(r rest.Record) error {
		m := map[string]any{}
		if err := decode(r.JSON, &m); err != nil {
			return err
		}
		if own, _ := m["primary"].(bool); !own {
			locales = append(locales, r.ID)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, locale := range locales {
		for _, typ := range translatable() {
			if err := s.translationsOf(ctx, sp, typ, locale, yield); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shop) translationsOf(ctx context.Context, sp spec, typ, locale string, yield func(rest.Record) error) error {
	d, vars := s.l[sp.list], map[string]any{"type": typ, "locale": locale}
	for {
		conn, err := s.pageOfList(ctx, sp, d, vars)
		if err != nil {
			return err
		}
		elements, follows, cursor, err := pageOf(conn)
		if err != nil {
			return err
		}
		for _, m := range elements {
			r, err := s.translation(sp, m, locale)
			if err != nil {
				return err
			}
			if r == nil {
				continue
			}
			if err := yield(*r); err != nil {
				return err
			}
		}
		if !follows {
			return nil
		}
		if cursor == vars["after"] {
			return app.Errorf(app.CodeShopAnswer, "shopify: list translations", "a page follows itself")
		}
		vars["after"] = cursor
	}
}
