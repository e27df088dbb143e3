package rest

import (
	"context"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Face is how people know the records of a kind. Paths of fields are as in
// [Ref]; several with a space between stand side by side: "first_name last_name".
// Each list is of alternatives: the first that a record has is shown.
type Face struct {
	Title []string
	// Under are the things said of it below its title.
	Under [][]string
	// Find are more fields that it is found by.
	Find []string
	// Newest puts the newest first; names come in their own order otherwise.
	Newest bool
}

// A Purse is a [Platform] that says how its amounts are written.
type Purse interface {
	// Currency is what amounts are in that don't say so themselves: "SEK"; ""
	// when the point doesn't tell.
	Currency(from *Reading) (string, error)
	// Minor reports whether amounts are whole numbers of the smallest coin.
	Minor() bool
}

// usual is the face of a kind that has none of its own: what shops call things.
func (k Kind) usual() Face {
	names := []string{"name", "title", "title.raw", "title.rendered", "label", "discount.title", "translations[].name", "slug"}
	money := []string{"price", "regular_price", "priceWithTax", "variants[].price", "variants[].priceWithTax", "prices[]"}
	person := []string{"firstName lastName", "first_name last_name", "billing.first_name billing.last_name"}
	email := []string{"email", "emailAddress", "defaultEmailAddress.emailAddress", "billing.email", "customer.emailAddress", "customer.email", "reviewer_email"}
	sku := []string{"sku", "variants[].sku"}
	switch {
	case strings.HasSuffix(k.Name, "orders"):
		return Face{
			Title: []string{"name", "number", "code"}, Newest: true,
			Under: [][]string{
				{
					"billing.first_name billing.last_name", "billingAddress.firstName billingAddress.lastName", "billingAddress.fullName", "customer.firstName customer.lastName",
					"shippingAddress.fullName", "customer.displayName", "billingAddress.name",
				},
				{"total", "totalPriceSet", "currentTotalPriceSet", "totalWithTax"},
			},
			Find: append(email, "billing.company", "billing.phone", "phone", "billingAddress.company", "transaction_id"),
		}
	case k.Personal && slices.Contains([]string{"customers", "users", "administrators"}, k.Name):
		return Face{Title: append(append(person, "displayName", "name"), append(email, "username")...), Under: [][]string{email}, Find: []string{"username", "phone", "billing.company", "billing.phone", "phoneNumber", "addresses[].company"}}
	case k.Name == "reviews" || k.Name == "order_notes" || k.Name == "refunds":
		return Face{Title: []string{"reviewer", "review", "note", "reason", "amount"}, Under: [][]string{{"review"}, email}, Newest: true}
	}
	return Face{
		Title: append(names, "code", "path", "key", "filename", "identifier", "email", "note"),
		Under: [][]string{money, {"sku", "variants[].sku", "code"}, email},
		Find:  append(sku, "slug", "handle", "barcode", "variants[].barcode", "global_unique_id", "id"),
	}
}

func (k Kind) face() Face {
	if len(k.Face.Title) > 0 {
		return k.Face
	}
	return k.usual()
}

const (
	longTitle = 200 // runes
	longUnder = 200
)

// entry is what is kept of a record; of one that can't be read, its id.
func (k Kind) entry(at string, m map[string]any, face Face, coin money) entry {
	id := plainID(k.idAt(at))
	e := entry{at: at, title: id}
	if m == nil {
		e.find = strings.ToLower(id)
		return e
	}
	if t := said(m, face.Title, coin); t != "" {
		e.title = t
	}
	if digits(e.title) && strings.HasSuffix(k.Name, "orders") {
		e.title = "#" + e.title
	}
	e.title = short(e.title, longTitle)
	var under []string
	for _, of := range face.Under {
		if s := said(m, of, coin); s != "" && s != e.title && !slices.Contains(under, s) {
			under = append(under, s)
		}
	}
	e.under = short(strings.Join(under, " · "), longUnder)
	words := []string{e.title, e.under}
	for _, f := range face.Find {
		for _, v := range values(m, f) {
			if s := Cell(v); s != "" && len(words) < 24 && !strings.Contains(e.title, s) && !strings.Contains(e.under, s) {
				words = append(words, short(plainID(s), longTitle))
			}
		}
	}
	e.find = strings.ToLower(strings.Join(words, "\n"))
	return e
}

// said is the first of the fields that a record has, as one line.
func said(m map[string]any, fields []string, coin money) string {
	coin = coin.of(m)
	for _, f := range fields {
		var parts []string
		for one := range strings.FieldsSeq(f) {
			for _, v := range values(m, one) {
				if s := oneLine(coin.value(lastOf(one), v)); s != "" {
					parts = append(parts, s)
					break
				}
			}
		}
		if len(parts) > 0 {
			return strings.Join(parts, " ")
		}
	}
	return ""
}

func lastOf(field string) string {
	return strings.TrimSuffix(field[strings.LastIndex(field, ".")+1:], "[]")
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// plainID is an id as people know it: "gid://shopify/Order/8053" is 8053.
func plainID(id string) string {
	if strings.HasPrefix(id, "gid://") {
		return path.Base(id)
	}
	return id
}

// oneLine is a text without line breaks.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// short cuts a text that is longer than so many runes.
func short(s string, most int) string {
	if len(s) <= most || utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimRightFunc(string([]rune(s)[:most-1]), unicode.IsSpace) + "…"
}

// money is how a shop's amounts are written.
type money struct {
	currency string
	minor    bool
}

// of is how a record writes them that names a currency itself.
func (c money) of(m map[string]any) money {
	for _, f := range []string{"currency", "currencyCode", "presentmentCurrencyCode"} {
		if s, ok := m[f].(string); ok && len(s) == 3 {
			c.currency = s
			break
		}
	}
	return c
}

// coin is how the point's shop writes amounts.
func (c *catalogue) coin(ctx context.Context) (money, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.money != nil {
		return *c.money, nil
	}
	var m money
	if p, ok := c.e.platform.(Purse); ok {
		var err error
		m.currency, err = p.Currency(&Reading{ctx: ctx, e: c.e, point: c.point})
		if err != nil && !garbled(err) { // an amount without its currency is an amount
			return m, canceled(ctx, err)
		}
		m.minor = p.Minor()
	}
	c.money = &m
	return m, nil
}
