package rest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"html"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"kvart/app"
)

const (
	longValue = 4000 // runes
	manyParts = 50   // of a list
	deepest   = 3    // objects within objects that are looked into
)

// fields lists what a record says, the most telling first. Fields that hold
// nothing are left out, and those that say the same as another.
func (k Kind) fields(m map[string]any, coin money) []app.RecordField {
	coin = coin.of(m)
	out := []app.RecordField{}
	for name, v := range spoken(m) {
		_, again := m[name+"_gmt"]
		if again || name == parentField || name == "__typename" || hollow(v) {
			continue
		}
		out = append(out, app.RecordField{Name: name, Value: short(k.fieldValue(name, v, coin), longValue), Raw: raw(v)})
	}
	slices.SortFunc(out, func(a, b app.RecordField) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

func (k Kind) fieldValue(name string, v any, coin money) string {
	if list, ok := v.([]any); ok && slices.ContainsFunc(k.Media, func(f string) bool { return strings.HasPrefix(f, name+"[]") }) {
		return strconv.Itoa(len(list)) // of pictures, how many
	}
	return strings.TrimSpace(coin.value(name, v))
}

// spoken is a record with its texts as fields of their own, in the first of its
// languages, where they lie in a list of translations.
func spoken(m map[string]any) map[string]any {
	list, _ := m["translations"].([]any)
	if len(list) == 0 {
		return m
	}
	one, ok := list[0].(map[string]any)
	if !ok || Cell(one["languageCode"]) == "" {
		return m
	}
	out := maps.Clone(m)
	for f, v := range one {
		if _, own := m[f]; !own && f != "languageCode" {
			out[f] = v
		}
	}
	if len(list) == 1 {
		delete(out, "translations")
	}
	return out
}

// hollow reports whether there is nothing in a value, however deep.
func hollow(v any) bool {
	switch x := v.(type) {
	case []any:
		return !slices.ContainsFunc(x, func(el any) bool { return !hollow(el) })
	case map[string]any:
		for _, el := range x {
			if !hollow(el) {
				return false
			}
		}
		return true
	}
	return empty(v)
}

// telling are the fields people look for, in this order.
func telling() []string {
	return []string{
		"number", "name", "title", "code", "firstName", "first_name", "lastName", "last_name", "reviewer", "email", "emailAddress", "defaultEmailAddress", "phone", "phoneNumber",
		"sku", "status", "price", "regular_price", "sale_price", "priceWithTax", "total", "totalPriceSet", "totalWithTax", "currency", "currencyCode",
		"stock_quantity", "stock_status", "stockOnHand", "review", "rating", "note",
		"billing", "billingAddress", "shipping", "shippingAddress", "line_items", "lineItems", "lines", "description", "descriptionHtml", "short_description", "content", "body",
		"images", "image", "media", "assets", "categories", "collections", "tags", "brands", "vendor", "productType", "variants", "variations", "weight", "dimensions",
	}
}

// rank is where a field stands: what people look for, everything else, what is
// off, dates, and at last what only programs ask for.
func rank(f app.RecordField) int {
	if i := slices.Index(telling(), f.Name); i >= 0 {
		return i
	}
	switch {
	case f.Name == "id" || f.Name == "identifier" || strings.HasPrefix(f.Name, "_"):
		return 500
	case f.Name == "meta_data" || f.Name == "metafields" || f.Name == "customFields":
		return 400
	case strings.HasPrefix(f.Name, "date") || strings.HasSuffix(f.Name, "At") || strings.HasSuffix(f.Name, "_gmt"):
		return 200
	case f.Raw == "false" || f.Raw == "0" || f.Raw == "-1":
		return 300
	}
	return 100
}

// raw is a value for comparing: numbers as they are meant, and nothing where
// there is nothing.
func raw(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(meant(v)); err != nil {
		return "" // what was decoded can be encoded
	}
	return strings.TrimSpace(b.String())
}

func meant(v any) any {
	switch x := v.(type) {
	case json.Number:
		return plain(x)
	case []any:
		out := make([]any, len(x))
		for i, el := range x {
			out[i] = meant(el)
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for f, el := range x {
			if !hollow(el) {
				out[f] = meant(el)
			}
		}
		return out
	}
	return v
}

// value is a value for people.
func (c money) value(name string, v any) string { return c.valueAt(name, v, 0) }

func (c money) valueAt(name string, v any, depth int) string {
	switch x := v.(type) {
	case string:
		return c.words(name, x)
	case json.Number:
		if isMoney(name) {
			return c.amount(x.String())
		}
		return x.String()
	case bool:
		if x {
			return "true"
		}
		return "false"
	case []any:
		return c.list(name, x, depth)
	case map[string]any:
		return c.object(x, depth)
	}
	return ""
}

// clock is a time without a zone, as WordPress writes it.
var clock = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$`)

func (c money) words(name, s string) string {
	switch {
	case strings.HasSuffix(name, "_gmt") && clock.MatchString(s):
		return s + "Z"
	case strings.HasPrefix(s, "gid://"):
		return plainID(s)
	case isMoney(name) && amount.MatchString(s):
		return c.amount(s)
	}
	return clean(s)
}

func (c money) list(name string, list []any, depth int) string {
	var parts []string
	sep := ", "
	for i, el := range list {
		if i == manyParts {
			parts = append(parts, "…")
			break
		}
		if _, ok := el.(map[string]any); ok {
			sep = "; "
		}
		if s := oneLine(c.valueAt(name, el, depth+1)); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, sep)
}

// object says an object in short: an amount with its currency, something that
// has a name by it, an address as it is written, and others field by field.
func (c money) object(m map[string]any, depth int) string {
	if inner, ok := m["shopMoney"].(map[string]any); ok {
		return c.object(inner, depth)
	}
	c = c.of(m)
	if m["currencyCode"] != nil {
		if s := Cell(m["amount"]); s != "" {
			return money{currency: c.currency}.amount(s) // such objects are never in pence
		}
		if s, ok := m["price"].(json.Number); ok {
			return c.amount(s.String())
		}
	}
	if depth > deepest {
		return ""
	}
	for _, of := range []any{m, m["productVariant"], m["variant"], m["product"]} {
		if named, ok := of.(map[string]any); ok {
			if name := firstCell(named, "name", "title", "key", "code", "label"); name != "" {
				return c.named(clean(name), m, depth)
			}
		}
	}
	if s := c.address(m); s != "" {
		return s
	}
	return c.eachField(m, depth)
}

// eachField says an object field by field.
func (c money) eachField(m map[string]any, depth int) string {
	var parts []string
	for _, f := range slices.Sorted(maps.Keys(m)) {
		v := m[f]
		if f == "id" && len(m) > 1 || f == "__typename" || empty(v) {
			continue
		}
		s := oneLine(c.valueAt(f, v, depth+1))
		switch {
		case s == "":
		case f == "id":
			parts = append(parts, s)
		default:
			parts = append(parts, f+": "+s)
		}
	}
	return strings.Join(parts, ", ")
}

// named says a line of an order, an option, a piece of meta data.
func (c money) named(name string, m map[string]any, depth int) string {
	if n := Cell(m["quantity"]); n != "" {
		name = n + " × " + name
	}
	for _, f := range []string{"value", "option", "options", "total", "linePriceWithTax", "price"} {
		if v := m[f]; !empty(v) {
			if s := oneLine(c.valueAt(f, v, depth+1)); s != "" {
				return name + ": " + s
			}
		}
	}
	return name
}

// address is a person or an address on one line, "" where m is none.
func (c money) address(m map[string]any) string {
	if firstCell(m, "address_1", "address1", "streetLine1", "city", "postcode", "zip", "postalCode", "first_name", "firstName", "fullName") == "" {
		return ""
	}
	var parts []string
	for _, fields := range [][]string{
		{"company"},
		{"fullName"},
		{"first_name", "last_name"},
		{"firstName", "lastName"},
		{"address_1", "address1", "streetLine1"},
		{"address_2", "address2", "streetLine2"},
		{"postcode", "zip", "postalCode", "city"},
		{"state", "province"},
		{"country"},
		{"email"},
		{"phone", "phoneNumber"},
	} {
		var line []string
		for _, f := range fields {
			if s := clean(Cell(m[f])); s != "" {
				line = append(line, s)
			}
		}
		if len(line) > 0 {
			parts = append(parts, strings.Join(line, " "))
		}
	}
	return oneLine(strings.Join(parts, ", "))
}

func firstCell(m map[string]any, fields ...string) string {
	for _, f := range fields {
		if s, ok := m[f].(string); ok && s != "" {
			return s
		}
	}
	return ""
}

// amount is a number as shops write an amount.
var amount = regexp.MustCompile(`^-?\d+(\.\d+)?$`)

// isMoney reports whether fields of a name hold amounts. "amount" does not: of a
// coupon it may be a percentage.
func isMoney(name string) bool {
	switch name {
	case "price", "regular_price", "sale_price", "compareAtPrice", "priceWithTax", "listPrice", "listPriceWithTax", "unitPrice", "unitPriceWithTax", "linePrice", "linePriceWithTax",
		"total", "totalWithTax", "total_tax", "subtotal", "subTotal", "subTotalWithTax", "subtotal_tax", "discount_total", "discount_tax", "shipping_total", "shipping_tax", "cart_tax",
		"minimum_amount", "maximum_amount", "shippingWithTax", "proratedUnitPrice", "discountedUnitPrice", "discountedLinePrice":
		return true
	}
	return false
}

// amount writes an amount with its currency.
func (c money) amount(s string) string {
	if c.minor && !strings.Contains(s, ".") {
		s = inHundreds(s)
	}
	if i := strings.IndexByte(s, '.'); i >= 0 && len(s)-i == 2 {
		s += "0" // some write 129.0
	}
	if c.currency == "" || s == "" {
		return s
	}
	return s + " " + c.currency
}

// inHundreds writes so many of the smallest coin: "12900" is "129.00".
func inHundreds(s string) string {
	sign := ""
	if d, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = "-", d
	}
	for len(s) < 3 {
		s = "0" + s
	}
	return sign + s[:len(s)-2] + "." + s[len(s)-2:]
}

var (
	breaks   = regexp.MustCompile(`(?i)<\s*(br|/p|/div|/li|/h[1-6]|/tr)\b[^>]*>`)
	unseen   = regexp.MustCompile(`(?is)<(script|style)\b.*?(</(script|style)\s*>|$)|<!--.*?(-->|$)`)
	tags     = regexp.MustCompile(`</?[a-zA-Z][^>]*>`)
	blanks   = regexp.MustCompile(`[ \t]*\n\s*`)
	entities = regexp.MustCompile(`&(#\d+|#x[0-9a-fA-F]+|[a-zA-Z]+);`)
)

// clean is a text of the shop's as people read it: without markup, and without
// signs that would make it look like another.
func clean(s string) string {
	if strings.Contains(s, "<") {
		s = unseen.ReplaceAllString(s, "")
		s = breaks.ReplaceAllString(s, "\n")
		s = tags.ReplaceAllString(s, "")
	}
	if entities.MatchString(s) {
		s = html.UnescapeString(s)
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(blanks.ReplaceAllString(s, "\n"))
}
