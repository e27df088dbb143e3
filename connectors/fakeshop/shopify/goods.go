package shopify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// productSet makes a product as it is described, or changes it to that: of lists
// that are named, what is left out is deleted.
func (s *Shop) productSet(a map[string]any) Object {
	ident, input := object(a["identifier"]), object(a["input"])
	var p Object
	switch {
	case ident["id"] != nil:
		if p = s.objects[text(ident["id"])]; p == nil {
			return refused("identifier", "PRODUCT_DOES_NOT_EXIST", "Product does not exist")
		}
	case ident["handle"] != nil:
		p = asObject(s.byIdentifier("productByIdentifier", ident))
	}
	if p == nil {
		p = Object{"__typename": "Product", "status": "ACTIVE", "tags": []any{}, "variants": []any{}, "media": []any{}}
		if h := text(input["handle"]); h != "" && s.byIdentifier("productByIdentifier", map[string]any{"handle": h}) != nil {
			return refused("handle", "HANDLE_NOT_UNIQUE", "Handle has already been taken")
		}
	}
	for k, v := range fromInput(input) {
		switch k {
		case "variants", "files", "productOptions", "collections", "category":
		case "giftCard":
			p["isGiftCard"] = v
		default:
			p[k] = v
		}
	}
	id := string(s.keepLocked(p))
	if opts, ok := input["productOptions"].([]any); ok {
		s.setOptions(p, opts)
	}
	if files, ok := input["files"].([]any); ok {
		if problem := s.setFiles(p, files); problem != nil {
			return problem
		}
	}
	if m, ok := input["metafields"].([]any); ok {
		p["metafields"] = []any{}
		s.ownMetafields(p, map[string]any{"metafields": m})
	}
	if vs, ok := input["variants"].([]any); ok {
		if problem := s.setVariants(p, vs); problem != nil {
			return problem
		}
	}
	return Object{"product": Ref(id), "productSetOperation": nil, "userErrors": []any{}}
}

func (s *Shop) setOptions(p Object, opts []any) {
	var out []any
	for i, o := range opts {
		in := object(o)
		var values []any
		for _, v := range list(in["values"]) {
			s.serial++
			values = append(values, Object{"__typename": "ProductOptionValue", "id": fmt.Sprintf("gid://shopify/ProductOptionValue/%d", s.serial), "name": object(v)["name"]})
		}
		s.serial++
		out = append(out, Object{"__typename": "ProductOption", "id": fmt.Sprintf("gid://shopify/ProductOption/%d", s.serial), "name": in["name"], "position": i + 1, "optionValues": values})
	}
	p["options"] = out
}

func (s *Shop) setFiles(p Object, files []any) Object {
	var out []any
	for _, f := range files {
		in := object(f)
		id := text(in["id"])
		if id == "" {
			id = s.newFile(in)
		}
		if s.objects[id] == nil {
			return refused("files", "FILE_NOT_FOUND", "file "+id+" does not exist")
		}
		if in["alt"] != nil {
			s.objects[id]["alt"] = in["alt"]
		}
		out = append(out, Ref(id))
	}
	p["media"] = out
	return nil
}

// setVariants makes a product's variants those described. One without an id is
// a new one.
func (s *Shop) setVariants(p Object, vs []any) Object {
	var kept []any
	for i, v := range vs {
		in := object(v)
		id := text(in["id"])
		o := s.objects[id]
		if id != "" && o == nil {
			return refused("variants", "PRODUCT_VARIANT_DOES_NOT_EXIST", id)
		}
		if o == nil {
			o = s.newVariant(text(p["id"]))
		}
		s.setVariant(o, in)
		o["position"] = i + 1
		kept = append(kept, Ref(text(o["id"])))
	}
	for _, old := range refs(p["variants"]) {
		if !slices.Contains(kept, any(Ref(old))) {
			s.deleteLocked(old)
		}
	}
	p["variants"] = kept
	return nil
}

func (s *Shop) newVariant(product string) Object {
	item := s.addLocked(Object{"__typename": "InventoryItem", "tracked": true, "requiresShipping": true, "measurement": Object{"__typename": "InventoryItemMeasurement"}})
	o := Object{"__typename": "ProductVariant", "product": Ref(product), "inventoryItem": Ref(item), "taxable": true, "inventoryPolicy": "DENY", "price": "0.00"}
	s.variant[item] = s.addLocked(o)
	for _, loc := range s.byType["Location"] {
		s.stockLocked(item, loc, "available", 0)
	}
	return o
}

func (s *Shop) setVariant(o Object, in map[string]any) {
	for k, v := range fromInput(in) {
		switch k {
		case "inventoryItem":
			item := s.objects[s.itemOf(text(o["id"]))]
			for f, x := range asObject(v) {
				switch f {
				case "cost":
					item["unitCost"] = Object{"__typename": "MoneyV2", "amount": fmt.Sprint(x), "currencyCode": "SEK"}
				default:
					item[f] = x
				}
				if f == "sku" {
					o["sku"] = x
				}
			}
		case "optionValues":
			var sel []any
			var title []string
			for _, ov := range list(in["optionValues"]) {
				sel = append(sel, Object{"__typename": "SelectedOption", "name": object(ov)["optionName"], "value": object(ov)["name"]})
				title = append(title, text(object(ov)["name"]))
			}
			o["selectedOptions"], o["title"] = sel, strings.Join(title, " / ")
		case "file":
			id := text(asObject(v)["id"])
			o["media"] = []any{Ref(id)}
		case "id", "position", "inventoryQuantities":
		default:
			o[k] = v
		}
	}
	if m, ok := in["metafields"].([]any); ok {
		o["metafields"] = []any{}
		s.ownMetafields(o, map[string]any{"metafields": m})
	}
	s.touchLocked(text(o["id"]))
}

// variantsUpdate changes variants of a product and leaves the others alone.
func (s *Shop) variantsUpdate(a map[string]any) Object {
	p := s.objects[text(a["productId"])]
	if p == nil {
		return refused("productId", "PRODUCT_DOES_NOT_EXIST", "Product does not exist")
	}
	for _, v := range list(a["variants"]) {
		in := object(v)
		o := s.objects[text(in["id"])]
		if o == nil || o["product"] != Ref(text(p["id"])) {
			return refused("variants", "PRODUCT_VARIANT_DOES_NOT_EXIST", "Product variant does not exist")
		}
		s.setVariant(o, in)
	}
	return took("product", Ref(text(p["id"])))
}

// itemOf is the id of a variant's inventory item.
func (s *Shop) itemOf(variant string) string {
	r, _ := s.objects[variant]["inventoryItem"].(Ref)
	return string(r)
}

// levelsOf lists the stock of an item at every place that has it.
func (s *Shop) levelsOf(item string) []any {
	return s.levels[item]
}

func (s *Shop) stockLocked(item, location, name string, quantity int) {
	level := "gid://shopify/InventoryLevel/" + strconv.FormatInt(numberIn(item), 10) + strconv.FormatInt(numberIn(location), 10)
	o := s.objects[level]
	if o == nil {
		o = Object{"__typename": "InventoryLevel", "id": level, "item": Ref(item), "location": Ref(location), "isActive": true, "stock": map[string]int{}}
		s.addLocked(o)
		s.levels[item] = append(s.levels[item], Ref(level))
	}
	stock, _ := o["stock"].(map[string]int)
	stock["on_hand"] += quantity - stock[name]
	stock[name] = quantity
	s.touchLocked(s.variant[item])
}

func (s *Shop) setQuantities(a map[string]any) Object {
	in := object(a["input"])
	name := text(in["name"])
	if name != "available" && name != "on_hand" {
		return refused("name", "INVALID_NAME", "The quantity name must be either 'available' or 'on_hand'.")
	}
	for _, q := range list(in["quantities"]) {
		o := object(q)
		if s.objects[text(o["inventoryItemId"])] == nil || s.objects[text(o["locationId"])] == nil {
			return refused("quantities", "INVALID_INVENTORY_ITEM", "The specified inventory item could not be found.")
		}
		n, _ := o["quantity"].(int64)
		s.stockLocked(text(o["inventoryItemId"]), text(o["locationId"]), name, int(n))
	}
	return took("inventoryAdjustmentGroup", Object{"__typename": "InventoryAdjustmentGroup", "id": "gid://shopify/InventoryAdjustmentGroup/1"})
}

func (s *Shop) activate(a map[string]any) Object {
	n, _ := a["available"].(int64)
	s.stockLocked(text(a["inventoryItemId"]), text(a["locationId"]), "available", int(n))
	return took("inventoryLevel", nil)
}

func (s *Shop) collectionSet(a map[string]any) Object {
	input := object(a["input"])
	c, problem := s.objectFor("Collection", a, input)
	if problem != nil {
		return problem
	}
	fields := fromInput(input)
	if p, ok := input["products"].([]any); ok {
		var in []any
		for _, id := range p {
			if s.objects[text(id)] == nil {
				return refused("products", "INVALID", "Product does not exist")
			}
			in = append(in, Ref(text(id)))
		}
		fields["products"] = in
	}
	for k, v := range fields {
		switch k {
		case "id", "redirectNewHandle":
		case "image":
			img := asObject(v)
			c["image"] = Object{"__typename": "Image", "url": img["src"], "altText": img["altText"]}
		default:
			c[k] = v
		}
	}
	s.ownMetafields(c, input)
	return took("collection", s.keepLocked(c))
}

func (s *Shop) collectionAdd(a map[string]any) Object {
	c := s.objects[text(a["id"])]
	if c == nil {
		return refused("id", "COLLECTION_DOES_NOT_EXIST", "Collection does not exist")
	}
	if c["ruleSet"] != nil {
		return refused("id", "CANT_ADD_TO_SMART_COLLECTION", "Can't manually add products to a smart collection")
	}
	for _, p := range list(a["productIds"]) {
		if s.objects[text(p)] != nil && !slices.Contains(list(c["products"]), any(Ref(text(p)))) {
			c["products"] = append(list(c["products"]), Ref(text(p)))
		}
	}
	return took("job", Object{"__typename": "Job", "id": "gid://shopify/Job/1", "done": true})
}

func (s *Shop) collectionRemove(a map[string]any) Object {
	c := s.objects[text(a["id"])]
	for _, p := range list(a["productIds"]) {
		c["products"] = without(refs(c["products"]), text(p))
	}
	return took("job", Object{"__typename": "Job", "id": "gid://shopify/Job/1", "done": true})
}

func (s *Shop) collectionReorder(a map[string]any) Object {
	c := s.objects[text(a["id"])]
	for _, m := range list(a["moves"]) {
		id, at := text(object(m)["id"]), 0
		if n, err := strconv.Atoi(text(object(m)["newPosition"])); err == nil {
			at = n
		}
		rest := without(refs(c["products"]), id)
		at = min(at, len(rest))
		c["products"] = slices.Insert(rest, at, any(Ref(id)))
	}
	return took("job", Object{"__typename": "Job", "id": "gid://shopify/Job/1", "done": true})
}

func (s *Shop) fixedPrices(a map[string]any) Object {
	l := s.objects[text(a["priceListId"])]
	for _, p := range list(a["prices"]) {
		in := object(p)
		variant := Ref(text(in["variantId"]))
		l["prices"] = slices.DeleteFunc(list(l["prices"]), func(e any) bool { return asObject(e)["variant"] == variant })
		l["prices"] = append(list(l["prices"]), Object{
			"__typename": "PriceListPrice", "variant": variant, "price": objects(in["price"]), "compareAtPrice": objects(in["compareAtPrice"]),
		})
	}
	return took("prices", []any{})
}
