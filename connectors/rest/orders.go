package rest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"strconv"
	"strings"
)

// kindOrders is what every platform calls the orders of its shops.
const kindOrders = "orders"

// newerID reports whether a record of one id was made after that of another, in
// shops that count: "9" before "10", and the same with anything before it.
func newerID(a, b string) bool {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b)) > 0
}

// numberOf returns the number of an order in the mirror; 0 for "".
func numberOf(ctx context.Context, conn *sql.Conn, id string) (int64, error) {
	if id == "" {
		return 0, nil
	}
	text, err := record(ctx, conn, kindOrders, id)
	return orderNumber(text), err
}

// orderNumber returns the number that an order's customer knows it by, 0 where it
// has none: "number" in WooCommerce, "name" with a sign before it in Shopify.
func orderNumber(record []byte) int64 {
	var o struct {
		Number any    `json:"number"`
		Name   string `json:"name"`
	}
	if json.Unmarshal(record, &o) != nil {
		return 0
	}
	text := o.Name
	switch n := o.Number.(type) {
	case string:
		text = cmp.Or(n, o.Name)
	case float64:
		return int64(max(n, 0))
	}
	n, err := strconv.ParseInt(strings.TrimLeft(text, "#"), 10, 64)
	if err != nil || n < 0 {
		return 0 // with letters in it: not a number
	}
	return n
}
