package shopify

import (
	"context"

	"kvart/connectors/rest"
)

func (s *shop) doCustomer(ctx context.Context, op rest.Op) (rest.Result, error) {
	if op.Do == rest.DoDelete {
		return s.remove(ctx, "customer_delete", op)
	}
	in := pickNull(op.Record, "firstName", "lastName", "note", "locale", "tags", "taxExempt", "taxExemptions")
	mail, phone := field(op.Record, "defaultEmailAddress"), field(op.Record, "defaultPhoneNumber")
	if mail != nil {
		in["email"] = mail["emailAddress"]
	}
	if phone != nil {
		in["phone"] = phone["phoneNumber"]
	}
	if wanted(op, "addressesV2") {
		addresses := []any{}
		for _, a := range listOf(op.Record["addressesV2"]) {
			addresses = append(addresses, address(a))
		}
		in["addresses"] = addresses
	}
	vars := map[string]any{"input": in}
	if op.Do == rest.DoUpdate {
		onlyWanted(op, in)
		vars["identifier"] = map[string]any{"id": op.ID}
	} else if mail != nil {
		vars["identifier"] = map[string]any{"email": mail["emailAddress"]}
	}
	answer, err := s.mutate(ctx, "customer_set", vars)
	res := rest.Result{ID: madeID(answer, "customer")}
	if err != nil {
		return res, err
	}
	if wanted(op, "defaultEmailAddress") {
		if err := s.consent(ctx, res.ID, mail); err != nil {
			return res, err
		}
	}
	if wanted(op, "metafields") {
		return res, s.setMetafields(ctx, res.ID, op.Record["metafields"])
	}
	return res, nil
}

// consent says whether a customer agreed to be written to. Nobody is subscribed
// who was not.
func (s *shop) consent(ctx context.Context, id string, mail map[string]any) error {
	state, _ := mail["marketingState"].(string)
	if state != "SUBSCRIBED" && state != "UNSUBSCRIBED" && state != "PENDING" {
		return nil
	}
	consent := pick(map[string]any{"marketingState": state, "marketingOptInLevel": mail["marketingOptInLevel"], "consentUpdatedAt": mail["marketingUpdatedAt"]},
		"marketingState", "marketingOptInLevel", "consentUpdatedAt")
	_, err := s.mutate(ctx, "customer_consent", map[string]any{"input": map[string]any{"customerId": id, "emailMarketingConsent": consent}})
	return err
}

// address is a postal address as inputs take it.
func address(a map[string]any) map[string]any {
	if a == nil {
		return nil
	}
	in := pick(a, "firstName", "lastName", "company", "address1", "address2", "city", "provinceCode", "zip", "phone")
	if c := a["countryCodeV2"]; c != nil {
		in["countryCode"] = c
	}
	return in
}

// money is an amount as inputs take it.
func money(m map[string]any) map[string]any { return pick(m, "amount", "currencyCode") }

// bag is an amount in both of an order's currencies.
func bag(m map[string]any) map[string]any {
	out := map[string]any{"shopMoney": money(field(m, "shopMoney"))}
	if p := field(m, "presentmentMoney"); p != nil {
		out["presentmentMoney"] = money(p)
	}
	return out
}

func draftFields() []string {
	return []string{
		"email", "phone", "tags", "taxExempt", "poNumber", "reserveInventoryUntil", "customAttributes", "discountCodes",
		"acceptAutomaticDiscounts", "presentmentCurrencyCode",
	}
}

func draftOrder(r, in map[string]any) {
	in["note"] = r["note2"]
	in["customAttributes"] = attributes(r["customAttributes"])
	if c := field(r, "customer"); c != nil {
		in["purchasingEntity"] = map[string]any{"customerId": c["id"]}
	}
	for _, f := range []string{"billingAddress", "shippingAddress"} {
		if a := field(r, f); a != nil {
			in[f] = address(a)
		}
	}
	if d := field(r, "appliedDiscount"); d != nil {
		in["appliedDiscount"] = appliedDiscount(d)
	}
	if l := field(r, "shippingLine"); l != nil {
		line := pick(l, "title", "shippingRateHandle")
		if p := field(field(l, "originalPriceSet"), "shopMoney"); p != nil {
			line["priceWithCurrency"] = money(p)
		}
		in["shippingLine"] = line
	}
	var items []any
	for _, li := range listOf(r["lineItems"]) {
		item := pick(li, "quantity")
		if v := field(li, "variant"); v != nil {
			item["variantId"] = v["id"]
		} else {
			item = pick(li, "quantity", "title", "sku", "requiresShipping", "taxable")
			item["originalUnitPriceWithCurrency"] = money(field(field(li, "originalUnitPriceSet"), "shopMoney"))
			if w := field(li, "weight"); w != nil {
				item["weight"] = pick(w, "unit", "value")
			}
		}
		item["customAttributes"] = attributes(li["customAttributes"])
		if d := field(li, "appliedDiscount"); d != nil {
			item["appliedDiscount"] = appliedDiscount(d)
		}
		items = append(items, item)
	}
	in["lineItems"] = items
}

func appliedDiscount(d map[string]any) map[string]any {
	return pick(d, "title", "description", "value", "valueType")
}

func attributes(v any) []any {
	out := []any{}
	for _, a := range listOf(v) {
		out = append(out, pick(a, "key", "value"))
	}
	return out
}

// doOrder makes an order again as a record of the past: nobody is written to,
// no stock is taken, and it keeps its name and its day. Orders that are there
// are never changed.
func (s *shop) doOrder(ctx context.Context, op rest.Op) (rest.Result, error) {
	if op.Do != rest.DoCreate {
		return rest.Result{ID: op.ID}, refuse("an order that is there is not changed")
	}
	r := op.Record
	in := pick(r, "name", "email", "phone", "note", "tags", "test", "poNumber", "processedAt", "closedAt", "sourceName", "taxesIncluded")
	in["currency"] = r["currencyCode"]
	in["sourceIdentifier"] = op.Was
	in["customAttributes"] = attributes(r["customAttributes"])
	for _, f := range []string{"billingAddress", "shippingAddress"} {
		if a := field(r, f); a != nil {
			in[f] = address(a)
		}
	}
	if c := field(r, "customer"); c != nil {
		in["customer"] = map[string]any{"toAssociate": map[string]any{"id": c["id"]}}
	}
	var items []any
	for _, li := range listOf(r["lineItems"]) {
		item := pick(li, "quantity", "title", "variantTitle", "sku", "vendor", "requiresShipping", "taxable")
		if v := field(li, "variant"); v != nil {
			item["variantId"] = v["id"]
		}
		item["priceSet"] = bag(field(li, "originalUnitPriceSet"))
		items = append(items, item)
	}
	in["lineItems"] = items
	var paid []any
	for _, t := range listOf(r["transactions"]) {
		if t["status"] != "SUCCESS" || t["kind"] == "REFUND" || t["kind"] == "VOID" {
			continue
		}
		tr := pick(t, "kind", "status", "gateway", "processedAt", "test")
		tr["amountSet"] = bag(field(t, "amountSet"))
		paid = append(paid, tr)
	}
	in["transactions"] = paid
	var shipping []any
	for _, l := range listOf(r["shippingLines"]) {
		if gone, _ := l["isRemoved"].(bool); !gone {
			line := pick(l, "title", "code", "source")
			line["priceSet"] = bag(field(l, "originalPriceSet"))
			shipping = append(shipping, line)
		}
	}
	in["shippingLines"] = shipping
	answer, err := s.mutate(ctx, "order_create", map[string]any{"order": in, "options": map[string]any{
		"inventoryBehaviour": "BYPASS", "sendReceipt": false, "sendFulfillmentReceipt": false,
	}})
	return rest.Result{ID: madeID(answer, "order")}, err
}
