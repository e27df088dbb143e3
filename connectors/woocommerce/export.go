package woocommerce

import (
	"fmt"
	"html"
	"strings"

	"kvart/connectors/rest"
)

var _ rest.Exporter = (*Platform)(nil)

// Tables implements [rest.Exporter]. Products are as WooCommerce's own importer
// takes them in (Products, Import). It has none for customers and orders: those
// are for people, and customers' columns are named as in WordPress, which is
// what plug-ins that import users ask for.
func (p *Platform) Tables() []rest.Table {
	return []rest.Table{
		{Name: "products", Mark: true, Write: productTable, Kinds: []string{"products", "variations", "categories", "brands", "shipping_classes", "settings"}},
		{Name: "orders", Mark: true, Write: orderTable, Kinds: []string{"orders"}},
		{Name: "customers", Mark: true, Write: customerTable, Kinds: []string{"customers"}},
	}
}

func orderTable(from *rest.Reading, to *rest.Rows) error {
	if err := to.Add(rest.OrderColumns()...); err != nil {
		return err
	}
	return from.Each("orders", func(o map[string]any) error { return to.Add(orderRow(o).Cells()...) })
}

func orderRow(o map[string]any) rest.OrderRow {
	row := rest.OrderRow{
		Number: rest.At(o, "number"), Date: moment(rest.At(o, "date_created")), Status: rest.At(o, "status"),
		Payment: moment(rest.At(o, "date_paid")), Delivery: moment(rest.At(o, "date_completed")),
		Email: rest.At(o, "billing.email"), Phone: rest.At(o, "billing.phone"),
		Billing: address(o, "billing."), Shipping: address(o, "shipping."),
		Discount: rest.At(o, "discount_total"), Freight: rest.At(o, "shipping_total"), Tax: rest.At(o, "total_tax"),
		Total: rest.At(o, "total"), Currency: rest.At(o, "currency"),
		Method: rest.At(o, "payment_method_title"), Transaction: rest.At(o, "transaction_id"),
		Note: rest.At(o, "customer_note"), ID: rest.At(o, "id"), Customer: rest.At(o, "customer_id"),
	}
	for _, l := range rest.ListAt(o, "line_items") {
		row.Items = append(row.Items, rest.ItemCells{Quantity: rest.At(l, "quantity"), Name: rest.At(l, "name"), SKU: rest.At(l, "sku")})
	}
	for _, c := range rest.ListAt(o, "coupon_lines") {
		row.Coupons = append(row.Coupons, rest.At(c, "code"))
	}
	var back []string
	for _, r := range rest.ListAt(o, "refunds") {
		back = append(back, rest.At(r, "total"))
	}
	if len(back) > 0 {
		row.Refunded = rest.Sum(back...)
	}
	return row
}

func address(o map[string]any, at string) rest.AddressCells {
	f := func(name string) string { return rest.At(o, at+name) }
	return rest.AddressCells{
		Name: strings.TrimSpace(f("first_name") + " " + f("last_name")), Company: f("company"), Street: f("address_1"), More: f("address_2"),
		Zip: f("postcode"), City: f("city"), Region: f("state"), Country: f("country"),
	}
}

// moment is a time as WooCommerce's files write it, in the shop's own zone.
func moment(t string) string { return strings.Replace(t, "T", " ", 1) }

// customerFields are columns by the fields they come from.
func customerFields() (columns, fields []string) {
	columns = []string{"ID", "user_login", "user_email", "first_name", "last_name", "role", "user_registered"}
	fields = []string{"id", "username", "email", "first_name", "last_name", "role", "date_created"}
	for _, of := range []string{"billing", "shipping"} {
		for _, f := range []string{"first_name", "last_name", "company", "address_1", "address_2", "city", "postcode", "country", "state", "phone"} {
			columns, fields = append(columns, of+"_"+f), append(fields, of+"."+f)
		}
	}
	return append(columns, "billing_email"), append(fields, "billing.email")
}

func customerTable(from *rest.Reading, to *rest.Rows) error {
	columns, fields := customerFields()
	if err := to.Add(columns...); err != nil {
		return err
	}
	return from.Each("customers", func(c map[string]any) error {
		row := make([]string, len(fields))
		for i, f := range fields {
			row[i] = rest.At(c, f)
		}
		row[6] = moment(row[6])
		return to.Add(row...)
	})
}

// term is a category or a brand.
type term struct{ name, parent string }

// terms reads the names of a kind that lies in a tree: there are few.
func terms(from *rest.Reading, kind string) (map[string]term, error) {
	all := map[string]term{}
	err := from.Each(kind, func(m map[string]any) error {
		all[rest.At(m, "id")] = term{rest.At(m, "name"), rest.At(m, "parent")}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", kind, err)
	}
	return all, nil
}

// way is where a term lies: "Clothes > Jumpers".
func way(all map[string]term, id, otherwise string) string {
	t, ok := all[id]
	if !ok {
		return otherwise
	}
	names := []string{t.name}
	for seen := map[string]bool{id: true}; !seen[t.parent]; {
		seen[t.parent] = true
		if t, ok = all[t.parent]; !ok {
			break
		}
		names = append([]string{t.name}, names...)
	}
	return strings.Join(names, " > ")
}

// joined is a list in one cell: a comma inside an element is marked.
func joined(elements []string) string {
	out := make([]string, len(elements))
	for i, e := range elements {
		out[i] = strings.ReplaceAll(html.UnescapeString(e), ",", `\,`)
	}
	return strings.Join(out, ", ")
}

// oneLine is a description as the importer wants it: "\n" for a new line, and
// one more stroke for a "\n" that was there.
func oneLine(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\n`, `\\n`), "\n", `\n`)
}
