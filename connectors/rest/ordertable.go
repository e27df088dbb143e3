package rest

import (
	"math/big"
	"strings"
)

// OrderRow is an order as a row for people and their accounts: one row an order,
// so that its sums can be added up. No platform takes orders in from a file.
type OrderRow struct {
	Number, Date, Status, Payment, Delivery string
	Email, Phone                            string
	Billing, Shipping                       AddressCells
	Items                                   []ItemCells
	Coupons                                 []string
	// sums, in Currency
	Discount, Freight, Tax, Total, Refunded, Currency string
	Method, Transaction                               string
	Note, ID, Customer                                string
}

// AddressCells is an address.
type AddressCells struct {
	Name, Company, Street, More, Zip, City, Region, Country string
}

func (a AddressCells) cells() []string {
	return []string{a.Name, a.Company, a.Street, a.More, a.Zip, a.City, a.Region, a.Country}
}

// ItemCells is what was ordered.
type ItemCells struct{ Quantity, Name, SKU string }

// OrderColumns are the names of the columns of orders.
func OrderColumns() []string {
	head := []string{"Order", "Date", "Status", "Payment", "Delivery", "Email", "Phone"}
	for _, of := range []string{"Billing ", "Shipping "} {
		for _, f := range []string{"name", "company", "address 1", "address 2", "zip", "city", "region", "country"} {
			head = append(head, of+f)
		}
	}
	return append(head, "Items", "Coupons", "Discount", "Shipping", "Tax", "Total", "Refunded", "Currency", "Payment method", "Transaction", "Note", "Order ID", "Customer ID")
}

// Cells are those of [OrderColumns].
func (o OrderRow) Cells() []string {
	row := []string{o.Number, o.Date, o.Status, o.Payment, o.Delivery, o.Email, o.Phone}
	row = append(append(row, o.Billing.cells()...), o.Shipping.cells()...)
	items := make([]string, len(o.Items))
	for i, it := range o.Items {
		items[i] = it.Quantity + " × " + it.Name
		if it.SKU != "" {
			items[i] += " (" + it.SKU + ")"
		}
	}
	return append(row, strings.Join(items, "; "), strings.Join(o.Coupons, "; "),
		o.Discount, o.Freight, o.Tax, o.Total, o.Refunded, o.Currency, o.Method, o.Transaction, o.Note, o.ID, o.Customer)
}

// Sum adds amounts exactly, with as many decimals as the finest of them has. What
// is no amount counts as nothing.
func Sum(amounts ...string) string {
	total, decimals := new(big.Rat), 0
	for _, a := range amounts {
		n, ok := new(big.Rat).SetString(a)
		if !ok {
			continue
		}
		total.Add(total, n)
		if _, d, ok := strings.Cut(a, "."); ok {
			decimals = max(decimals, len(d))
		}
	}
	return total.FloatString(decimals)
}
