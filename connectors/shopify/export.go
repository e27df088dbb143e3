package shopify

import (
	"slices"
	"strings"

	"kvart/connectors/rest"
)

var _ rest.Exporter = (*Platform)(nil)

// Tables implements [rest.Exporter]. Products and customers are as Shopify's own
// admin writes them and takes them in (Products, Import; Customers, Import). It
// takes no orders: those are for people.
func (p *Platform) Tables() []rest.Table {
	return []rest.Table{
		{Name: "products", Write: productTable, Kinds: []string{kindProducts, kindInventory, kindPublications}},
		{Name: "orders", Mark: true, Write: orderTable, Kinds: []string{kindOrders}},
		{Name: "customers", Write: customerTable, Kinds: []string{kindCustomers}},
	}
}

// plainID is a global id as people know it: "gid://shopify/Order/8053" is 8053.
func plainID(gid string) string { return gid[strings.LastIndex(gid, "/")+1:] }

// listed is a list of texts in one cell.
func listed(m map[string]any, field string) string {
	elems, _ := m[field].([]any)
	out := make([]string, 0, len(elems))
	for _, e := range elems {
		out = append(out, rest.Cell(e))
	}
	return strings.Join(out, ", ")
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func customerTable(from *rest.Reading, to *rest.Rows) error {
	err := to.Add(
		"Customer ID", "First Name", "Last Name", "Email", "Accepts Email Marketing", "Default Address Company", "Default Address Address1", "Default Address Address2",
		"Default Address City", "Default Address Province Code", "Default Address Country Code", "Default Address Zip", "Default Address Phone",
		"Phone", "Accepts SMS Marketing", "Total Spent", "Total Orders", "Note", "Tax Exempt", "Tags",
	)
	if err != nil {
		return err
	}
	return from.Each(kindCustomers, func(c map[string]any) error {
		f := func(path string) string { return rest.At(c, path) }
		home := homeOf(c)
		h := func(field string) string { return rest.At(home, field) }
		return to.Add(
			plainID(f("id")), f("firstName"), f("lastName"), f("defaultEmailAddress.emailAddress"), yesNo(f("defaultEmailAddress.marketingState") == "SUBSCRIBED"),
			h("company"), h("address1"), h("address2"), h("city"), h("provinceCode"), h("countryCodeV2"), h("zip"), h("phone"),
			f("defaultPhoneNumber.phoneNumber"), yesNo(f("defaultPhoneNumber.marketingState") == "SUBSCRIBED"),
			f("amountSpent.amount"), f("numberOfOrders"), f("note"), yesNo(f("taxExempt") == "1"), listed(c, "tags"),
		)
	})
}

// homeOf is a customer's own address, the first where none was chosen.
func homeOf(c map[string]any) map[string]any {
	all := rest.ListAt(c, "addressesV2")
	own := rest.At(c, "defaultAddress.id")
	if i := slices.IndexFunc(all, func(a map[string]any) bool { return rest.At(a, "id") == own }); i >= 0 {
		return all[i]
	}
	if len(all) > 0 {
		return all[0]
	}
	return nil
}

func orderTable(from *rest.Reading, to *rest.Rows) error {
	if err := to.Add(rest.OrderColumns()...); err != nil {
		return err
	}
	return from.Each(kindOrders, func(o map[string]any) error { return to.Add(orderRow(o).Cells()...) })
}

func orderRow(o map[string]any) rest.OrderRow {
	f := func(path string) string { return rest.At(o, path) }
	sum := func(set string) string { return f(set + ".shopMoney.amount") }
	row := rest.OrderRow{
		Number: f("name"), Date: f("processedAt"), Status: "open", Payment: said(f("displayFinancialStatus")), Delivery: said(f("displayFulfillmentStatus")),
		Email: f("email"), Phone: f("phone"), Billing: addressOf(o, "billingAddress."), Shipping: addressOf(o, "shippingAddress."),
		Discount: sum("totalDiscountsSet"), Freight: sum("totalShippingPriceSet"), Tax: sum("totalTaxSet"), Total: sum("totalPriceSet"),
		Refunded: sum("totalRefundedSet"), Currency: f("currencyCode"), Method: listed(o, "paymentGatewayNames"),
		Note: f("note"), ID: plainID(f("id")), Customer: plainID(f("customer.id")),
	}
	switch {
	case f("cancelledAt") != "":
		row.Status = "cancelled"
	case f("closedAt") != "":
		row.Status = "closed"
	}
	for _, l := range rest.ListAt(o, "lineItems") {
		name := rest.At(l, "name")
		if name == "" {
			name = rest.At(l, "title")
		}
		row.Items = append(row.Items, rest.ItemCells{Quantity: rest.At(l, "quantity"), Name: name, SKU: rest.At(l, "sku")})
	}
	if codes := listed(o, "discountCodes"); codes != "" {
		row.Coupons = []string{codes}
	}
	for _, t := range rest.ListAt(o, "transactions") {
		if rest.At(t, "status") == "SUCCESS" && row.Transaction == "" {
			row.Transaction = rest.At(t, "paymentId")
		}
	}
	return row
}

// said is a state as people read it: "PARTIALLY_REFUNDED" is partially refunded.
func said(state string) string { return strings.ToLower(strings.ReplaceAll(state, "_", " ")) }

func addressOf(o map[string]any, at string) rest.AddressCells {
	f := func(name string) string { return rest.At(o, at+name) }
	return rest.AddressCells{
		Name: strings.TrimSpace(f("firstName") + " " + f("lastName")), Company: f("company"), Street: f("address1"), More: f("address2"),
		Zip: f("zip"), City: f("city"), Region: f("province"), Country: f("countryCodeV2"),
	}
}
