package shopify

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// lists are the lists of the whole shop, by their field: the types in them.
func lists() map[string][]string {
	return map[string][]string{
		"products": {"Product"}, "productVariants": {"ProductVariant"}, "collections": {"Collection"}, "locations": {"Location"},
		"publications": {"Publication"}, "metaobjectDefinitions": {"MetaobjectDefinition"}, "customers": {"Customer"}, "companies": {"Company"},
		"orders": {"Order"}, "fulfillmentOrders": {"FulfillmentOrder"}, "draftOrders": {"DraftOrder"}, "discountNodes": {"DiscountNode"},
		"giftCards": {"GiftCard"}, "pages": {"Page"}, "blogs": {"Blog"}, "articles": {"Article"}, "menus": {"Menu"}, "urlRedirects": {"UrlRedirect"},
		"themes": {"OnlineStoreTheme"}, "markets": {"Market"}, "priceLists": {"PriceList"}, "deliveryProfiles": {"DeliveryProfile"},
		"catalogs": {"MarketCatalog", "CompanyLocationCatalog", "AppCatalog"},
		"files":    {"MediaImage", "Video", "ExternalVideo", "Model3d", "GenericFile"},
	}
}

// query finds what a field of the query itself asks for.
func (r *run) query(f *ast.Field) any {
	s, args := r.s, arguments(f, r.vars)
	if types, ok := lists()[f.Name]; ok {
		return s.list(types, args, nil)
	}
	switch f.Name {
	case "node", "bulkOperation", "theme", "product", "customer", "collection", "order":
		if op := s.bulkByID(text(args["id"])); op != nil {
			return s.advance(op)
		}
		return orNil(s.objects[text(args["id"])])
	case "nodes":
		var out []any
		for _, id := range list(args["ids"]) {
			out = append(out, orNil(s.objects[text(id)]))
		}
		return out
	case "productByIdentifier", "collectionByIdentifier", "customerByIdentifier":
		return s.byIdentifier(f.Name, object(args["identifier"]))
	case "bulkOperations":
		return s.operations(text(args["query"]))
	case "publicApiVersions", "currentAppInstallation", "shopLocales":
		return s.about(f.Name)
	}
	return s.special(f.Name, args)
}

// about answers what a shop tells of itself.
func (s *Shop) about(field string) any {
	switch field {
	case "publicApiVersions":
		return []any{Object{"handle": "2026-04", "supported": true}, Object{"handle": s.version, "supported": true}, Object{"handle": "unstable", "supported": false}}
	case "shopLocales":
		return s.locales
	}
	var scopes []any
	for sc := range s.scopes {
		scopes = append(scopes, Object{"handle": sc})
	}
	return Object{"__typename": "AppInstallation", "id": "gid://shopify/AppInstallation/1", "accessScopes": scopes}
}

// operations lists bulk operations, the newest first.
func (s *Shop) operations(query string) (out []any) {
	for _, op := range slices.Backward(s.bulks) {
		if typ, ok := strings.CutPrefix(query, "operation_type:"); !ok || strings.EqualFold(typ, text(op.object["type"])) {
			out = append(out, op.object)
		}
	}
	return out
}

// special answers the lists that need more than a type.
func (s *Shop) special(field string, args map[string]any) any {
	switch field {
	case "metafieldDefinitions":
		return s.list([]string{"MetafieldDefinition"}, args, func(o Object) bool { return o["ownerType"] == args["ownerType"] })
	case "metaobjects":
		return s.list([]string{"Metaobject"}, args, func(o Object) bool { return o["type"] == args["type"] })
	case "translatableResources":
		return s.translatable(text(args["resourceType"]))
	case "translatableResourcesByIds":
		var out []any
		for _, id := range list(args["resourceIds"]) {
			if s.objects[text(id)] != nil {
				out = append(out, s.resource(text(id)))
			}
		}
		return out
	case "events":
		return s.eventsFor(text(args["query"]))
	}
	return orNil(s.roots[field])
}

func orNil(o Object) any {
	if o == nil {
		return nil
	}
	return o
}

func (s *Shop) byIdentifier(field string, id map[string]any) any {
	typ := strings.ToUpper(field[:1]) + strings.TrimSuffix(field[1:], "ByIdentifier")
	for _, k := range s.byType[typ] {
		o := s.objects[k]
		if id["handle"] != nil && o["handle"] == id["handle"] || id["id"] == k {
			return o
		}
		if mail := object(map[string]any(asObject(o["defaultEmailAddress"]))); id["emailAddress"] != nil && mail["emailAddress"] == id["emailAddress"] {
			return o
		}
	}
	return nil
}

func asObject(v any) Object {
	o, _ := v.(Object)
	return o
}

var (
	sinceTerm   = regexp.MustCompile(`updated_at:>='([^']+)'`)
	createdTerm = regexp.MustCompile(`created_at:>='([^']+)'`)
)

// list is a sorted list of objects of some types.
func (s *Shop) list(types []string, args map[string]any, keep func(Object) bool) []any {
	since := ""
	if m := sinceTerm.FindStringSubmatch(text(args["query"])); m != nil {
		since = m[1]
	}
	var ids []string
	for _, t := range types {
		for _, id := range s.byType[t] {
			o := s.objects[id]
			if since != "" && timeOf(o) < since || keep != nil && !keep(o) {
				continue
			}
			ids = append(ids, id)
		}
	}
	byTime := text(args["sortKey"]) == "UPDATED_AT"
	slices.SortFunc(ids, func(a, b string) int {
		if byTime {
			if c := cmp.Compare(timeOf(s.objects[a]), timeOf(s.objects[b])); c != 0 {
				return c
			}
		}
		return cmp.Compare(numberIn(a), numberIn(b))
	})
	out := make([]any, len(ids))
	for i, id := range ids {
		out[i] = Ref(id)
	}
	return out
}

func timeOf(o Object) string {
	if d, ok := o["discount"].(Object); ok {
		return text(d["updatedAt"])
	}
	return text(o["updatedAt"])
}

// numberIn is the number an id ends with.
func numberIn(id string) int64 {
	n, err := strconv.ParseInt(id[strings.LastIndex(id, "/")+1:], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// cursor names an element of a list so that the next page begins after it
// whatever was made or deleted before it.
func (s *Shop) cursor(all []any, i int) string {
	at := strconv.Itoa(i)
	if ref, ok := all[i].(Ref); ok {
		at += "|" + string(ref)
	}
	return base64.StdEncoding.EncodeToString([]byte(at))
}

// after is where a list goes on after a cursor.
func (s *Shop) after(all []any, cursor string) int {
	raw, err := base64.StdEncoding.DecodeString(cursor)
	if err != nil {
		return 0
	}
	at, id, named := strings.Cut(string(raw), "|")
	n, err := strconv.Atoi(at)
	if err != nil {
		return 0
	}
	if !named {
		return n + 1
	}
	for i, e := range all {
		if e == Ref(id) {
			return i + 1
		}
	}
	// It is gone: go on with the next number.
	for i, e := range all {
		if ref, ok := e.(Ref); ok && numberIn(string(ref)) > numberIn(id) {
			return i
		}
	}
	return len(all)
}

func (s *Shop) eventsFor(query string) []any {
	since := ""
	if m := createdTerm.FindStringSubmatch(query); m != nil {
		since = m[1]
	}
	var out []any
	for _, e := range s.events {
		if text(e["createdAt"]) >= since && (!strings.HasPrefix(query, "action:destroy ") || e["action"] == "destroy") {
			out = append(out, e)
		}
	}
	return out
}

// field is the value of an object's field.
func (s *Shop) field(o Object, f *ast.Field, args map[string]any) any {
	switch text(o["__typename"]) + "." + f.Name {
	case "InventoryLevel.quantities":
		stock, _ := o["stock"].(map[string]int)
		var out []any
		for _, n := range list(args["names"]) {
			out = append(out, Object{"__typename": "InventoryQuantity", "name": n, "quantity": stock[text(n)]})
		}
		return out
	case "InventoryItem.inventoryLevels":
		return s.levelsOf(text(o["id"]))
	case "TranslatableResource.translations":
		return s.translationsOf(text(o["resourceId"]), text(args["locale"]))
	case "OnlineStoreTheme.files":
		return themeFiles(o, args)
	case "Collection.products":
		return s.members(o)
	}
	return o[f.Name]
}

func themeFiles(theme Object, args map[string]any) []any {
	all := list(theme["files"])
	names := list(args["filenames"])
	if len(names) == 0 {
		return all
	}
	var out []any
	for _, f := range all {
		if slices.Contains(names, asObject(f)["filename"]) {
			out = append(out, f)
		}
	}
	return out
}

// members are the products of a collection: those put into it, or those its
// rules take, of which the fake knows "TAG EQUALS" only.
func (s *Shop) members(c Object) []any {
	rules, ok := c["ruleSet"].(Object)
	if !ok {
		return list(c["products"])
	}
	var out []any
	for _, id := range s.byType["Product"] {
		for _, r := range list(rules["rules"]) {
			rule := asObject(r)
			if rule["column"] == "TAG" && slices.Contains(list(s.objects[id]["tags"]), rule["condition"]) {
				out = append(out, Ref(id))
			}
		}
	}
	return out
}

// translatable lists the resources of a type that have texts.
func (s *Shop) translatable(typ string) []any {
	var name strings.Builder
	for _, part := range strings.Split(strings.ToLower(typ), "_") {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	var out []any
	for _, id := range s.byType[name.String()] {
		out = append(out, s.resource(id))
	}
	return out
}

func (s *Shop) resource(id string) Object {
	o := s.objects[id]
	var content []any
	for _, k := range []string{"title", "descriptionHtml", "body", "name"} {
		if v, ok := o[k].(string); ok {
			key := map[string]string{"descriptionHtml": "body_html", "body": "body_html"}[k]
			if key == "" {
				key = k
			}
			content = append(content, Object{"key": key, "value": v, "digest": digest(v), "locale": "en"})
		}
	}
	return Object{"__typename": "TranslatableResource", "resourceId": id, "translatableContent": content}
}

func (s *Shop) translationsOf(id, locale string) []any {
	var out []any
	for _, t := range s.texts[id] {
		if t["locale"] == locale {
			out = append(out, t)
		}
	}
	return out
}

func digest(v string) string { return fmt.Sprintf("%x", []byte(v)) }
