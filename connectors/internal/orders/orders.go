// Package orders finds where a shop's program keeps its orders, by the names of
// its tables alone. Only places that are certain are found: those of programs
// that are known, and tables that are called what orders, sales and receipts are
// called. Of these a number that rises with each order is read: not always the
// one that the customer sees.
package orders

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Place is where orders are numbered, by the primary key of a table: it has to
// be one column of whole numbers.
type Place struct {
	Table string
	// Type and Value narrow it to the rows in which that column has that value,
	// where they are not "". A table without that column is no such place.
	Type, Value string
}

// names are what tables of orders are called, surest first.
func names() []string {
	return []string{
		"orders", "order", "sales_order", "sales", "sale", "receipts", "receipt", "tickets", "ticket", "invoices", "invoice",
		"ordrar", "kvitton", "kvitto",
	}
}

// Newest asks the places among some tables that may number the orders for their
// highest number, and returns the highest of the surest that hold any; 0 where
// none does. highest returns 0 for a place that holds none, or is none. Of places
// that can't be asked the others count, and the error says why.
func Newest(tables []string, highest func(Place) (int64, error)) (n int64, err error) {
	for _, places := range find(tables) {
		for _, p := range places {
			m, failed := highest(p)
			if failed != nil {
				err = errors.Join(err, fmt.Errorf("newest order in %s: %w", p.Table, failed))
				continue
			}
			n = max(n, m)
		}
		if n > 0 {
			break
		}
	}
	return n, err
}

// find returns the places, surest first; those together are of one program, which
// numbers orders through all of them.
func find(tables []string) (found [][]Place) {
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
	var woo []Place // which may have moved from the second to the first, and back
	if t, ok := named("wc_orders", "wc_orders_meta"); ok {
		woo = append(woo, Place{t, "type", "shop_order"})
	}
	if t, ok := named("posts", "woocommerce_order_items"); ok {
		woo = append(woo, Place{t, "post_type", "shop_order"})
	}
	if len(woo) > 0 {
		found = append(found, woo)
	}
	if t, ok := named("orders", "order_detail"); ok { // PrestaShop
		found = append(found, []Place{{Table: t}})
	}
	if len(found) > 0 {
		return found
	}
	for _, name := range names() {
		if i := slices.IndexFunc(tables, func(t string) bool { return strings.EqualFold(t, name) }); i >= 0 {
			return [][]Place{{{Table: tables[i]}}}
		}
	}
	return nil
}

// Query is the SQL that asks a place for its highest number, given how the
// server quotes names, and its primary key.
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
