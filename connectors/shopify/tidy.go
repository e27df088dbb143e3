package shopify

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"kvart/app"
)

// tidy brings a record into the one form that it has however it was asked for,
// and refuses what was blotted out.
func tidy(sp spec, m map[string]any) error {
	order(m, "metafields", "namespace", "key")
	order(m, "resourcePublicationsV2", "publication", "")
	switch sp.Name {
	case kindProducts:
		tidyProduct(m)
	case kindFiles:
		oneFile(m)
		address, _ := m["file"].(string)
		m["identifier"] = nameOf(address)
	case kindDiscounts:
		d := field(m, "discount")
		m["identifier"] = fmt.Sprint("title ", d["title"])
		if codes := listOf(d["codes"]); len(codes) > 0 {
			m["identifier"] = fmt.Sprint("code ", codes[0]["code"])
		}
	case kindDraftOrders:
		m["identifier"] = draftIdentity(m)
	case kindInventory:
		tidyInventory(m)
	case kindCollections:
		tidyCollection(m)
	case kindMetafieldDefs:
		m["identifier"] = fmt.Sprint(m["ownerType"], "/", m["namespace"], "/", m["key"])
	case kindMetaobjects:
		m["identifier"] = fmt.Sprint(m["type"], "/", m["handle"])
	}
	return blotted(sp, m)
}

// blotted refuses a record of a person whose name and address are held back.
func blotted(sp spec, m map[string]any) error {
	switch sp.Name {
	case kindCustomers:
		if blank(m, "firstName", "lastName", "defaultEmailAddress", "defaultPhoneNumber") {
			return redacted(sp.Name, m)
		}
	case kindOrders:
		for _, f := range []string{"billingAddress", "shippingAddress"} {
			// An address that is there but says nothing about anybody.
			if a, ok := m[f].(map[string]any); ok && blank(a, "firstName", "lastName", "company", "address1", "address2", "zip", "phone") && !blank(a, "countryCodeV2", "city", "province") {
				return redacted(sp.Name, m)
			}
		}
	}
	return nil
}

// draftIdentity tells draft orders apart by what is in them: their numbers and
// names are the shop's.
func draftIdentity(m map[string]any) string {
	parts := []any{m["email"], m["phone"], m["note2"]}
	for _, l := range listOf(m["lineItems"]) {
		parts = append(parts, l["title"], l["variantTitle"], l["sku"], l["quantity"])
	}
	text := fmt.Sprintf("%v", parts)
	return fmt.Sprintf("%x", sha256.Sum256([]byte(text)))[:32]
}

func redacted(kind string, m map[string]any) error {
	return app.Errorf(app.CodeShopRedacted, "shopify: read record", "%v is blotted out", m["id"]).
		With("kind", kind).With("right", "protected customer data")
}

// blank reports whether all these fields are null. One is enough for a real
// customer: Shopify takes none without a name, an e-mail address or a number.
func blank(m map[string]any, fields ...string) bool {
	for _, f := range fields {
		if v := m[f]; v != nil && v != "" {
			return false
		}
	}
	return true
}

func tidyProduct(m map[string]any) {
	for _, medium := range listOf(m["media"]) {
		oneFile(medium)
	}
	for _, v := range listOf(m["variants"]) {
		order(v, "metafields", "namespace", "key")
	}
	elems, _ := m["variants"].([]any)
	slices.SortStableFunc(elems, func(a, b any) int {
		return cmp.Compare(number(a, "position"), number(b, "position"))
	})
}

func tidyInventory(m map[string]any) {
	item, _ := m["inventoryItem"].(map[string]any)
	order(item, "inventoryLevels", "location", "")
	for _, l := range listOf(item["inventoryLevels"]) {
		other := map[string]any{}
		for _, q := range listOf(l["quantities"]) {
			if name, _ := q["name"].(string); name == "available" {
				l["available"] = q["quantity"]
			} else {
				other[name] = q["quantity"]
			}
		}
		l["other"] = other
		delete(l, "quantities")
	}
}

// tidyCollection keeps the order of products only where the owner chose it. What
// a rule takes in is told, and not put back: the rule does that.
func tidyCollection(m map[string]any) {
	if m["ruleSet"] != nil {
		m["members"] = m["products"]
		order(m, "members", "id", "")
		delete(m, "products")
	} else if m["sortOrder"] != "MANUAL" {
		order(m, "products", "id", "")
	}
}

// order sorts a list of objects by one or two of their fields; by its id where
// a field is an object.
func order(m map[string]any, list, first, second string) {
	elems, ok := m[list].([]any)
	if !ok {
		return
	}
	key := func(v any) string {
		o, _ := v.(map[string]any)
		a := o[first]
		if inner, ok := a.(map[string]any); ok {
			a = inner["id"]
		}
		return fmt.Sprint(a, "\x00", o[second])
	}
	slices.SortStableFunc(elems, func(a, b any) int { return cmp.Compare(key(a), key(b)) })
}

func number(v any, field string) float64 {
	m, _ := v.(map[string]any)
	n, _ := m[field].(json.Number)
	f, err := n.Float64()
	if err != nil {
		return 0
	}
	return f
}

// oneFile gives a file or medium the address it is fetched from as "file": of
// a film or a model, of which the shop keeps several sizes, the largest.
func oneFile(m map[string]any) {
	if image, ok := m["image"].(map[string]any); ok && image["url"] != nil {
		m["file"] = image["url"]
		delete(image, "url")
	}
	if url, ok := m["url"]; ok {
		m["file"] = url
		delete(m, "url")
	}
	best := -1.0
	for _, src := range listOf(m["sources"]) {
		if size := number(src, "width") * number(src, "height"); size > best && src["url"] != nil {
			m["file"], best = src["url"], size
		}
	}
	delete(m, "sources")
}
