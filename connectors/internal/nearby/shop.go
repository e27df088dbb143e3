package nearby

import (
	"slices"
	"strings"
)

// shopWords are parts of table names that tell a shop's database, in the
// languages tills here are written in.
var shopWords = [...]string{
	"sale", "order", "product", "customer", "invoice", "receipt", "payment", "stock", "inventory", "article", "basket", "cart", "voucher", "woocommerce",
	"kvitto", "försälj", "forsalj", "artikel", "kund", "faktura", "lager", "betalning", "vara", "kassa", "bestallning", "beställning", "produkt",
}

// ShopLike reports whether at least two tables sound like a shop's.
func ShopLike(tables []string) bool {
	n := 0
	for _, table := range tables {
		table = strings.ToLower(table)
		if slices.ContainsFunc(shopWords[:], func(w string) bool { return strings.Contains(table, w) }) {
			n++
		}
	}
	return n >= 2
}
