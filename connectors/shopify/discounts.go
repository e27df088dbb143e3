package shopify

import (
	"context"
	"slices"
	"strings"

	"kvart/connectors/rest"
)

// doDiscount writes a discount. How often it was used begins anew, and those of
// other programs only they can make.
func (s *shop) doDiscount(ctx context.Context, op rest.Op) (rest.Result, error) {
	d := field(op.Record, "discount")
	if d == nil {
		d = field(op.Full, "discount")
	}
	typ, _ := d["__typename"].(string)
	form, rest0, code := "automatic", strings.TrimPrefix(typ, "DiscountAutomatic"), strings.HasPrefix(typ, "DiscountCode")
	if code {
		form, rest0 = "code", strings.TrimPrefix(typ, "DiscountCode")
	}
	number := op.ID[strings.LastIndex(op.ID, "/")+1:]
	node := map[string]string{"code": "gid://shopify/DiscountCodeNode/", "automatic": "gid://shopify/DiscountAutomaticNode/"}[form] + number
	if op.Do == rest.DoDelete {
		return s.removeDiscount(ctx, op, number)
	}
	how := map[string]string{"Basic": "basic", "Bxgy": "bxgy", "FreeShipping": "free_shipping"}[rest0]
	if how == "" {
		return rest.Result{ID: op.ID}, refuse("%s is another program's", typ)
	}
	in := discountInput(d, code)
	codes := listOf(d["codes"])
	if len(codes) > 0 {
		in["code"] = codes[0]["code"]
	}
	if op.Do == rest.DoUpdate {
		delete(in, "code") // it has one
		if err := s.takeOut(ctx, op, in); err != nil {
			return rest.Result{ID: op.ID}, err
		}
		_, err := s.mutate(ctx, "discount_"+form+"_"+how+"_update", map[string]any{"id": node, "input": in})
		return rest.Result{ID: op.ID}, err
	}
	answer, err := s.mutate(ctx, "discount_"+form+"_"+how+"_create", map[string]any{"input": in})
	made := madeID(answer, form+"DiscountNode")
	if made == "" {
		return rest.Result{}, err
	}
	res := rest.Result{ID: "gid://shopify/DiscountNode/" + made[strings.LastIndex(made, "/")+1:]}
	if err != nil {
		return res, err
	}
	return res, s.moreCodes(ctx, made, codes)
}

// takeOut names in an input what a discount is for now and shall not be: an
// input adds to lists, and takes out what it names for that.
func (s *shop) takeOut(ctx context.Context, op rest.Op, in map[string]any) error {
	found, err := s.fetch(ctx, s.p.spec(kindDiscounts), []rest.Key{op.Key})
	if err != nil || len(found) == 0 {
		return err
	}
	var live map[string]any
	if err := decode(found[0].JSON, &live); err != nil {
		return err
	}
	for _, part := range []string{"customerGets", "customerBuys"} {
		have := field(field(field(live, "discount"), part), "items")
		want := field(field(in, part), "items")
		for _, list := range [][4]string{
			{"products", "productsToAdd", "productsToRemove", "products"},
			{"products", "productVariantsToAdd", "productVariantsToRemove", "productVariants"},
			{"collections", "add", "remove", "collections"},
		} {
			into := field(want, list[0])
			if into == nil {
				continue
			}
			add, _ := into[list[1]].([]string)
			var drop []string
			for _, id := range idsOf(have[list[3]]) {
				if !slices.Contains(add, id) {
					drop = append(drop, id)
				}
			}
			if len(drop) > 0 {
				into[list[2]] = drop
			}
		}
	}
	return nil
}

// codesAtOnce is how many codes one mutation takes.
const codesAtOnce = 250

// moreCodes gives a discount the codes it had beside the first.
func (s *shop) moreCodes(ctx context.Context, id string, codes []map[string]any) error {
	var more []any
	for _, c := range codes[min(1, len(codes)):] {
		more = append(more, pick(c, "code"))
	}
	for chunk := range slices.Chunk(more, codesAtOnce) {
		if _, err := s.mutate(ctx, "discount_codes_add", map[string]any{"id": id, "codes": chunk}); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) removeDiscount(ctx context.Context, op rest.Op, number string) (rest.Result, error) {
	found, err := s.fetch(ctx, s.p.spec(kindDiscounts), []rest.Key{op.Key})
	if err != nil || len(found) == 0 {
		return rest.Result{ID: op.ID}, err
	}
	name, id := "discount_automatic_delete", "gid://shopify/DiscountAutomaticNode/"+number
	if strings.Contains(string(found[0].JSON), `"__typename":"DiscountCode`) {
		name, id = "discount_code_delete", "gid://shopify/DiscountCodeNode/"+number
	}
	_, err = s.mutate(ctx, name, map[string]any{"id": id})
	return rest.Result{ID: op.ID}, err
}

// discountInput is a discount as inputs take it.
func discountInput(d map[string]any, code bool) map[string]any {
	in := pick(d, "title", "startsAt", "endsAt", "tags", "usageLimit", "appliesOncePerCustomer", "usesPerOrderLimit", "appliesOnOneTimePurchase", "appliesOnSubscription")
	if c := field(d, "combinesWith"); c != nil {
		in["combinesWith"] = pick(c, "orderDiscounts", "productDiscounts", "shippingDiscounts")
	}
	if n := d["recurringCycleLimit"]; n != nil && code {
		in["recurringCycleLimit"] = n
	} else if n := d["automaticCycleLimit"]; n != nil {
		in["recurringCycleLimit"] = n
	}
	if c := field(d, "context"); c != nil {
		in["context"] = discountContext(c)
	}
	if g := field(d, "customerGets"); g != nil {
		in["customerGets"] = map[string]any{"items": discountItems(field(g, "items")), "value": getsValue(field(g, "value"))}
	}
	if b := field(d, "customerBuys"); b != nil {
		in["customerBuys"] = map[string]any{"items": discountItems(field(b, "items")), "value": pick(field(b, "value"), "quantity", "amount")}
	}
	if m := field(d, "minimumRequirement"); m != nil {
		if q := m["greaterThanOrEqualToQuantity"]; q != nil {
			in["minimumRequirement"] = map[string]any{"quantity": map[string]any{"greaterThanOrEqualToQuantity": q}}
		} else if t := field(m, "greaterThanOrEqualToSubtotal"); t != nil {
			in["minimumRequirement"] = map[string]any{"subtotal": map[string]any{"greaterThanOrEqualToSubtotal": t["amount"]}}
		}
	}
	if t := field(d, "destinationSelection"); t != nil {
		in["destination"] = destination(t)
	}
	if m := field(d, "maximumShippingPrice"); m != nil {
		in["maximumShippingPrice"] = m["amount"]
	}
	return in
}

func destination(t map[string]any) map[string]any {
	if c := t["countries"]; c != nil {
		return map[string]any{"countries": map[string]any{"add": c, "includeRestOfWorld": t["includeRestOfWorld"]}}
	}
	return map[string]any{"all": true}
}

func discountContext(c map[string]any) map[string]any {
	if people := c["customers"]; people != nil {
		return map[string]any{"customers": map[string]any{"add": idsOf(people)}}
	}
	if segments := c["segments"]; segments != nil {
		return map[string]any{"customerSegments": map[string]any{"add": idsOf(segments)}}
	}
	return map[string]any{"all": "ALL"}
}

func discountItems(i map[string]any) map[string]any {
	switch i["__typename"] {
	case "DiscountProducts":
		return map[string]any{"products": map[string]any{"productsToAdd": idsOf(i["products"]), "productVariantsToAdd": idsOf(i["productVariants"])}}
	case "DiscountCollections":
		return map[string]any{"collections": map[string]any{"add": idsOf(i["collections"])}}
	}
	return map[string]any{"all": true}
}

func getsValue(v map[string]any) map[string]any {
	switch v["__typename"] {
	case "DiscountAmount":
		return map[string]any{"discountAmount": map[string]any{"amount": field(v, "amount")["amount"], "appliesOnEachItem": v["appliesOnEachItem"]}}
	case "DiscountOnQuantity":
		effect := field(v, "effect")
		in := pick(effect, "percentage")
		if a := field(effect, "amount"); a != nil {
			in["amount"] = a["amount"]
		}
		return map[string]any{"discountOnQuantity": map[string]any{"quantity": field(v, "quantity")["quantity"], "effect": in}}
	}
	return pick(v, "percentage")
}
