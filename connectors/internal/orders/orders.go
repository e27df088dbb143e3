// Package orders finds where a shop's program keeps its orders, by the names of
// its tables alone. Only places that are certain are found: those of programs
// that are known, and tables that are called what orders, sales and receipts are
// called. Of these a number that rises with each order is read: not always the
// one that the customer sees.
package orders

import (
	"slices"
	"strings"
)

// Place is where orders are numbered.
type Place struct {
	Table string
	// Column holds the number; "" for the table's primary key, which has to be one
	// column of whole numbers.
	Column string
	// Type and Value narrow it to the rows in which that column has that value,
	// where they are not "".
	Type, Value string
}

// names are what tables of orders are called, surest first.
func names() []string {
	return []string{
		"orders", "order", "sales_order", "sales", "sale", "receipts", "receipt", "tickets", "ticket", "invoices", "invoice",
		"ordrar", "kvitton", "kvitto",
	}
}

// Find returns the places among some tables that may number the orders, surest
// first: the first that holds any counts.
func Find(tables []string) (found []Place) {
	// named finds a table whose name is a prefix and an end, and that has a
	// sibling with the same prefix.
	named := func(end, sibling string) (string, bool) {
		for _, t := range tables {
			prefix, ok := strings.CutSuffix(strings.ToLower(t), end)
			if ok && slices.ContainsFunc(tables, func(o string) bool { return strings.EqualFold(o, prefix+sibling) }) {
				return t, true
			}
		}
		return "", false
	}
	if t, ok := named("wc_orders", "wc_orders_meta"); ok {
		found = append(found, Place{t, "id", "type", "shop_order"})
	}
	if t, ok := named("posts", "woocommerce_order_items"); ok {
		found = append(found, Place{t, "ID", "post_type", "shop_order"})
	}
	if t, ok := named("orders", "order_detail"); ok {
		found = append(found, Place{Table: t, Column: "id_order"})
	}
	if len(found) > 0 {
		return found
	}
	for _, name := range names() {
		if i := slices.IndexFunc(tables, func(t string) bool { return strings.EqualFold(t, name) }); i >= 0 {
			return []Place{{Table: tables[i]}}
		}
	}
	return nil
}

// Query is the SQL that asks a place for its highest number, given how the
// server quotes names. The column is that of the place, or the primary key.
func (p Place) Query(quote func(string) string, column string) string {
	return p.QueryOf(quote(p.Table), quote, column)
}

// QueryOf is Query with the table's name as SQL spells it, such as with its
// schema.
func (p Place) QueryOf(table string, quote func(string) string, column string) string {
	q := "SELECT max(" + quote(column) + ") FROM " + table
	if p.Type != "" {
		q += " WHERE " + quote(p.Type) + " = '" + p.Value + "'"
	}
	return q
}
