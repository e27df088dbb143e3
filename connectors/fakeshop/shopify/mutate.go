package shopify

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// refused is the answer of a mutation that didn't take its input.
func refused(field, code, message string) Object {
	return Object{"userErrors": []any{Object{"field": []any{field}, "code": code, "message": message}}}
}

// took is the answer of one that did.
func took(field string, o any) Object { return Object{field: o, "userErrors": []any{}} }

// mutate carries out one mutation. Those that need a key for being sent twice
// without harm answer a second time what they did the first.
func (s *Shop) mutate(name string, args map[string]any, key string) any {
	if name == "inventorySetQuantities" || name == "inventoryActivate" {
		if key == "" && name == "inventorySetQuantities" {
			return refused("input", "INVALID", "The @idempotent directive is required for this mutation but was not provided.")
		}
		if key != "" && s.done[key] != nil {
			return s.done[key]
		}
	}
	fn, ok := mutations()[name]
	if !ok {
		return refused("base", "NOT_IMPLEMENTED", "the fake knows no "+name)
	}
	out := fn(s, args)
	if key != "" {
		s.done[key] = out
	}
	return out
}

type mutation func(*Shop, map[string]any) Object

func mutations() map[string]mutation {
	all := map[string]mutation{
		"bulkOperationRunQuery":     func(s *Shop, a map[string]any) Object { return s.startBulk(text(a["query"])) },
		"bulkOperationRunMutation":  (*Shop).startMutations,
		"productVariantsBulkUpdate": (*Shop).variantsUpdate,
		"productSet":                (*Shop).productSet, "productDelete": deleteOf("deletedProductId"),
		"publishablePublish": (*Shop).publish, "publishableUnpublish": (*Shop).unpublish,
		"collectionCreate": (*Shop).collectionSet, "collectionUpdate": (*Shop).collectionSet, "collectionDelete": deleteOf("deletedCollectionId"),
		"collectionAddProductsV2": (*Shop).collectionAdd, "collectionRemoveProducts": (*Shop).collectionRemove,
		"collectionReorderProducts": (*Shop).collectionReorder,
		"inventorySetQuantities":    (*Shop).setQuantities, "inventoryActivate": (*Shop).activate,
		"metafieldsSet": (*Shop).metafieldsSet, "metaobjectUpsert": (*Shop).metaobjectUpsert,
		"customerSet": (*Shop).customerSet, "customerEmailMarketingConsentUpdate": (*Shop).consent,
		"shopPolicyUpdate": (*Shop).policyUpdate, "shopLocaleEnable": (*Shop).localeEnable, "translationsRegister": (*Shop).translate,
		"stagedUploadsCreate": (*Shop).stage, "fileCreate": (*Shop).fileCreate, "fileUpdate": (*Shop).fileUpdate, "fileDelete": (*Shop).fileDelete,
		"orderCreate": (*Shop).orderCreate, "priceListFixedPricesAdd": (*Shop).fixedPrices,
		"metafieldDefinitionCreate":  defined("MetafieldDefinition", "createdDefinition", "ownerType", "namespace", "key"),
		"metafieldDefinitionUpdate":  defined("MetafieldDefinition", "updatedDefinition", "ownerType", "namespace", "key"),
		"metaobjectDefinitionCreate": defined("MetaobjectDefinition", "metaobjectDefinition", "type"),
		"metaobjectDefinitionUpdate": defined("MetaobjectDefinition", "metaobjectDefinition", "id"),
	}
	for field, typ := range map[string]string{"page": "Page", "blog": "Blog", "article": "Article"} {
		all[field+"Create"], all[field+"Update"] = made(typ, field, field, "handle"), made(typ, field, field, "handle")
		all[field+"Delete"] = deleteOf("deleted" + typ + "Id")
	}
	all["urlRedirectCreate"], all["urlRedirectUpdate"] = made("UrlRedirect", "urlRedirect", "urlRedirect", "path"), made("UrlRedirect", "urlRedirect", "urlRedirect", "path")
	all["menuCreate"], all["menuUpdate"] = made("Menu", "", "menu", "handle"), made("Menu", "", "menu", "handle")
	all["draftOrderCreate"], all["draftOrderUpdate"] = made("DraftOrder", "input", "draftOrder", ""), made("DraftOrder", "input", "draftOrder", "")
	for _, n := range []string{"customer", "draftOrder", "menu", "urlRedirect", "metaobject", "metafieldDefinition", "metaobjectDefinition", "discountCode", "discountAutomatic"} {
		all[n+"Delete"] = deleteOf("deleted" + strings.ToUpper(n[:1]) + n[1:] + "Id")
	}
	for _, n := range []string{"CodeBasic", "CodeBxgy", "CodeFreeShipping", "AutomaticBasic", "AutomaticBxgy", "AutomaticFreeShipping"} {
		all["discount"+n+"Create"], all["discount"+n+"Update"] = discounted(n), discounted(n)
	}
	return all
}

// deleteOf takes away what "id" or "input.id" names.
func deleteOf(answer string) mutation {
	return func(s *Shop, a map[string]any) Object {
		id := text(a["id"])
		if id == "" {
			id = text(object(a["input"])["id"])
		}
		if s.objects[id] == nil {
			return refused("id", "NOT_FOUND", "does not exist")
		}
		s.deleteLocked(id)
		s.eventLocked(id, "destroy", "Kvart Restore")
		return took(answer, id)
	}
}

// made makes or changes an object that looks as its input does. unique is the
// field that no two may share.
func made(typ, arg, answer, unique string) mutation {
	return func(s *Shop, a map[string]any) Object {
		input := a
		if arg != "" {
			input = object(a[arg])
		}
		o, problem := s.objectFor(typ, a, input)
		if problem != nil {
			return problem
		}
		fields := fromInput(input)
		if v := text(fields[unique]); unique != "" && v != "" {
			for _, id := range s.byType[typ] {
				if id != text(o["id"]) && s.objects[id][unique] == v && (typ != "Article" || s.objects[id]["blog"] == fields["blog"]) {
					return refused(unique, "TAKEN", strings.ToUpper(unique[:1])+unique[1:]+" has already been taken")
				}
			}
		}
		delete(fields, "id")
		maps.Copy(o, fields)
		if typ == "DraftOrder" {
			s.fillDraft(o, input)
		}
		s.ownMetafields(o, input)
		return took(answer, s.keepLocked(o))
	}
}

// objectFor is the object that arguments name, or a new one.
func (s *Shop) objectFor(typ string, a, input map[string]any) (Object, Object) {
	id := text(a["id"])
	if id == "" {
		id = text(input["id"])
	}
	if id == "" {
		return Object{"__typename": typ}, nil
	}
	if s.objects[id] == nil {
		return nil, refused("id", "NOT_FOUND", typ+" does not exist")
	}
	return s.objects[id], nil
}

// keepLocked puts a new object into the shop, and moves the time of an old one.
func (s *Shop) keepLocked(o Object) Ref {
	if id := text(o["id"]); id != "" && s.objects[id] != nil {
		s.touchLocked(id)
		return Ref(id)
	}
	return Ref(s.addLocked(o))
}

// fromInput turns an input into fields: "blogId" names a blog.
func fromInput(input map[string]any) Object {
	out := Object{}
	for k, v := range input {
		if name, ok := strings.CutSuffix(k, "Id"); ok && strings.HasPrefix(text(v), "gid:") && name != "resource" {
			out[name] = Ref(text(v))
			continue
		}
		switch k {
		case "metafields":
		case "publishDate":
			out["publishedAt"], out["isPublished"] = v, true
		default:
			out[k] = objects(v)
		}
	}
	return out
}

// objects turns maps into objects.
func objects(v any) any {
	switch x := v.(type) {
	case map[string]any:
		o := Object{}
		for k, e := range x {
			o[k] = objects(e)
		}
		return o
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = objects(e)
		}
		return out
	}
	return v
}

// ownMetafields gives an object the metafields of an input.
func (s *Shop) ownMetafields(o Object, input map[string]any) {
	for _, m := range list(input["metafields"]) {
		s.setMetafield(o, object(m))
	}
}

func (s *Shop) setMetafield(o Object, m map[string]any) Object {
	for _, e := range list(o["metafields"]) {
		f := asObject(e)
		if f["namespace"] == m["namespace"] && f["key"] == m["key"] {
			f["value"] = m["value"]
			return f
		}
	}
	s.serial++
	f := Object{
		"__typename": "Metafield", "id": "gid://shopify/Metafield/" + strconv.FormatInt(s.serial, 10),
		"namespace": m["namespace"], "key": m["key"], "type": m["type"], "value": m["value"],
	}
	o["metafields"] = append(list(o["metafields"]), f)
	return f
}

// defined makes or changes a definition, found by its keys.
func defined(typ, answer string, keys ...string) mutation {
	return func(s *Shop, a map[string]any) Object {
		input := object(a["definition"])
		o := s.definitionOf(typ, a, input, keys)
		create := answer == "createdDefinition" || a["id"] == nil && answer == "metaobjectDefinition"
		if create && o != nil {
			return refused("key", "TAKEN", "Key is in use")
		}
		if o == nil {
			if !create {
				return refused("definition", "NOT_FOUND", "Definition not found.")
			}
			o = Object{"__typename": typ}
		}
		for k, v := range fromInput(input) {
			if t, ok := v.(string); ok && k == "type" && typ == "MetafieldDefinition" {
				v = Object{"__typename": "MetafieldDefinitionType", "name": t}
			}
			o[k] = v
		}
		for _, f := range list(o["fieldDefinitions"]) {
			if def := asObject(f); text(def["type"]) != "" {
				def["type"] = Object{"__typename": "MetafieldDefinitionType", "name": def["type"]}
			}
		}
		return took(answer, s.keepLocked(o))
	}
}

// definitionOf finds a definition by its keys, nil when there is none.
func (s *Shop) definitionOf(typ string, a, input map[string]any, keys []string) Object {
	for _, id := range s.byType[typ] {
		same := true
		for _, k := range keys {
			want := input[k]
			if k == "id" {
				want = a["id"]
			}
			same = same && s.objects[id][k] == want
		}
		if same {
			return s.objects[id]
		}
	}
	return nil
}

func (s *Shop) publish(a map[string]any) Object {
	o := s.objects[text(a["id"])]
	if o == nil {
		return refused("id", "NOT_FOUND", "does not exist")
	}
	for _, p := range list(a["input"]) {
		id := text(object(p)["publicationId"])
		o["resourcePublicationsV2"] = slices.DeleteFunc(list(o["resourcePublicationsV2"]), func(e any) bool { return asObject(e)["publication"] == Ref(id) })
		o["resourcePublicationsV2"] = append(list(o["resourcePublicationsV2"]), Object{
			"__typename": "ResourcePublicationV2", "isPublished": true, "publishDate": object(p)["publishDate"], "publication": Ref(id),
		})
	}
	return took("publishable", Ref(text(a["id"])))
}

func (s *Shop) unpublish(a map[string]any) Object {
	o := s.objects[text(a["id"])]
	if o == nil {
		return refused("id", "NOT_FOUND", "does not exist")
	}
	for _, p := range list(a["input"]) {
		id := text(object(p)["publicationId"])
		o["resourcePublicationsV2"] = slices.DeleteFunc(list(o["resourcePublicationsV2"]), func(e any) bool { return asObject(e)["publication"] == Ref(id) })
	}
	return took("publishable", Ref(text(a["id"])))
}

func (s *Shop) metafieldsSet(a map[string]any) Object {
	all := list(a["metafields"])
	if len(all) > 25 {
		return refused("metafields", "LESS_THAN_OR_EQUAL_TO", "too many")
	}
	var out []any
	for _, m := range all {
		o := s.objects[text(object(m)["ownerId"])]
		if o == nil {
			return refused("ownerId", "INVALID", "Owner does not exist.")
		}
		out = append(out, s.setMetafield(o, object(m)))
		s.touchLocked(text(o["id"]))
	}
	return took("metafields", out)
}

func (s *Shop) metaobjectUpsert(a map[string]any) Object {
	handle, input := object(a["handle"]), object(a["metaobject"])
	var o Object
	for _, id := range s.byType["Metaobject"] {
		if s.objects[id]["type"] == handle["type"] && s.objects[id]["handle"] == handle["handle"] {
			o = s.objects[id]
		}
	}
	if o == nil {
		o = Object{"__typename": "Metaobject", "type": handle["type"], "handle": handle["handle"], "capabilities": Object{}}
	}
	if all := list(input["fields"]); all != nil {
		var out []any
		for _, f := range all {
			in := object(f)
			out = append(out, Object{"__typename": "MetaobjectField", "key": in["key"], "value": in["value"], "type": s.fieldType(text(o["type"]), text(in["key"]))})
		}
		o["fields"] = out
	}
	if c := object(input["capabilities"]); c != nil {
		o["capabilities"] = objects(c)
	}
	return took("metaobject", s.keepLocked(o))
}

// fieldType is the type that a definition gives a field.
func (s *Shop) fieldType(metaobject, key string) any {
	for _, id := range s.byType["MetaobjectDefinition"] {
		if s.objects[id]["type"] != metaobject {
			continue
		}
		for _, f := range list(s.objects[id]["fieldDefinitions"]) {
			if def := asObject(f); def["key"] == key {
				return asObject(def["type"])["name"]
			}
		}
	}
	return "single_line_text_field"
}

func (s *Shop) policyUpdate(a map[string]any) Object {
	in := object(a["shopPolicy"])
	for _, p := range list(s.roots["shop"]["shopPolicies"]) {
		if o := asObject(p); o["type"] == in["type"] {
			o["body"], o["updatedAt"] = in["body"], s.now()
			return took("shopPolicy", o)
		}
	}
	return refused("type", "NOT_FOUND", fmt.Sprintf("no policy %v", in["type"]))
}

func (s *Shop) localeEnable(a map[string]any) Object {
	l := Object{"__typename": "ShopLocale", "locale": a["locale"], "name": a["locale"], "primary": false, "published": false}
	s.locales = append(s.locales, l)
	return took("shopLocale", l)
}

func (s *Shop) translate(a map[string]any) Object {
	id := text(a["resourceId"])
	content := list(s.resource(id)["translatableContent"])
	for _, t := range list(a["translations"]) {
		in := object(t)
		if !slices.ContainsFunc(content, func(c any) bool {
			return asObject(c)["key"] == in["key"] && asObject(c)["digest"] == in["translatableContentDigest"]
		}) {
			return refused("translations", "INVALID_TRANSLATABLE_CONTENT", "Translatable content hash is invalid")
		}
		s.setText(id, text(in["locale"]), text(in["key"]), text(in["value"]))
	}
	return took("translations", []any{})
}
