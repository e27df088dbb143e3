package shopify

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
)

func (s *Shop) customerSet(a map[string]any) Object {
	ident, input := object(a["identifier"]), object(a["input"])
	var c Object
	switch {
	case ident["id"] != nil:
		if c = s.objects[text(ident["id"])]; c == nil {
			return refused("identifier", "ID_NOT_ALLOWED", "Customer does not exist")
		}
	case ident["email"] != nil:
		c = asObject(s.byIdentifier("customerByIdentifier", map[string]any{"emailAddress": ident["email"]}))
	}
	if c == nil {
		c = Object{"__typename": "Customer", "state": "DISABLED", "tags": []any{}, "addressesV2": []any{}}
	}
	for k, v := range fromInput(input) {
		switch k {
		case "email":
			if asObject(c["defaultEmailAddress"])["emailAddress"] == v {
				continue // and whether its owner may be written to stays
			}
			c["defaultEmailAddress"] = Object{"__typename": "CustomerEmailAddress", "emailAddress": v, "marketingState": "NOT_SUBSCRIBED"}
		case "phone":
			c["defaultPhoneNumber"] = Object{"__typename": "CustomerPhoneNumber", "phoneNumber": v, "marketingState": "NOT_SUBSCRIBED"}
		case "addresses":
			var out []any
			for _, ad := range list(v) {
				o := asObject(ad)
				s.serial++
				o["__typename"], o["id"] = "MailingAddress", fmt.Sprintf("gid://shopify/MailingAddress/%d", s.serial)
				o["countryCodeV2"] = o["countryCode"]
				out = append(out, o)
			}
			c["addressesV2"] = out
		case "id":
		default:
			c[k] = v
		}
	}
	return took("customer", s.keepLocked(c))
}

func (s *Shop) consent(a map[string]any) Object {
	in := object(a["input"])
	c := s.objects[text(in["customerId"])]
	if c == nil {
		return refused("customerId", "INVALID", "Customer does not exist")
	}
	mail := asObject(c["defaultEmailAddress"])
	mail["marketingState"] = object(in["emailMarketingConsent"])["marketingState"]
	mail["marketingOptInLevel"] = object(in["emailMarketingConsent"])["marketingOptInLevel"]
	return took("customer", Ref(text(c["id"])))
}

func (s *Shop) stage(a map[string]any) Object {
	var out []any
	for _, u := range list(a["input"]) {
		in := object(u)
		s.serial++
		name := strconv.FormatInt(s.serial, 10) + "/" + text(in["filename"])
		s.staged[name] = text(in["resource"])
		out = append(out, Object{
			"__typename": "StagedMediaUploadTarget", "url": s.at + "/upload/" + name, "resourceUrl": s.at + "/files/up/" + name,
			"parameters": []any{Object{"__typename": "StagedUploadParameter", "name": "key", "value": name}},
		})
	}
	return took("stagedTargets", out)
}

// newFile makes a file of what was uploaded.
func (s *Shop) newFile(in map[string]any) string {
	typ := map[string]string{"VIDEO": "Video", "FILE": "GenericFile", "MODEL_3D": "Model3d", "EXTERNAL_VIDEO": "ExternalVideo"}[text(in["contentType"])]
	source := text(in["originalSource"])
	o := Object{"alt": in["alt"], "fileStatus": "READY", "status": "READY", "mediaContentType": in["contentType"]}
	switch typ {
	case "":
		o["__typename"], o["mediaContentType"] = "MediaImage", "IMAGE"
		s.serial++
		name := fmt.Sprintf("cdn/%d/%s", s.serial, source[strings.LastIndex(source, "/")+1:])
		s.uploads[name] = s.uploads[strings.TrimPrefix(source, s.at+"/files/")]
		o["image"] = Object{"__typename": "Image", "url": s.at + "/files/" + name}
	case "GenericFile":
		o["__typename"], o["url"] = typ, source
	default:
		o["__typename"], o["originUrl"], o["sources"] = typ, source, []any{Object{"url": source}}
	}
	return s.addLocked(o)
}

func (s *Shop) fileCreate(a map[string]any) Object {
	var out []any
	for _, f := range list(a["files"]) {
		out = append(out, Ref(s.newFile(object(f))))
	}
	return took("files", out)
}

func (s *Shop) fileUpdate(a map[string]any) Object {
	var out []any
	for _, f := range list(a["files"]) {
		in := object(f)
		o := s.objects[text(in["id"])]
		if o == nil {
			return refused("files", "FILE_DOES_NOT_EXIST", "File does not exist.")
		}
		if in["alt"] != nil {
			o["alt"] = in["alt"]
		}
		s.touchLocked(text(in["id"]))
		out = append(out, Ref(text(in["id"])))
	}
	return took("files", out)
}

func (s *Shop) fileDelete(a map[string]any) Object {
	for _, id := range list(a["fileIds"]) {
		s.deleteLocked(text(id))
	}
	return took("deletedFileIds", list(a["fileIds"]))
}

// orderCreate makes an order, and sends receipts and takes stock unless told not
// to.
func (s *Shop) orderCreate(a map[string]any) Object {
	in, options := object(a["order"]), object(a["options"])
	o := Object{"__typename": "Order"}
	maps.Copy(o, fromInput(in))
	var items []any
	for _, li := range list(in["lineItems"]) {
		item := fromInput(object(li))
		item["__typename"] = "LineItem"
		items = append(items, Ref(s.addLocked(item)))
		if text(options["inventoryBehaviour"]) != "BYPASS" {
			s.roots["counters"]["stock"] = s.roots["counters"]["stock"].(int) + 1
		}
	}
	o["lineItems"], o["transactions"] = items, []any{}
	if receipt, _ := options["sendReceipt"].(bool); receipt {
		s.roots["counters"]["mails"] = s.roots["counters"]["mails"].(int) + 1
	}
	return took("order", s.keepLocked(o))
}

// fillDraft gives the lines of a draft order what their variants say.
func (s *Shop) fillDraft(o Object, input map[string]any) {
	if note, ok := input["note"]; ok {
		o["note2"] = note
	}
	if c := text(asObject(o["purchasingEntity"])["customerId"]); c != "" {
		o["customer"] = Ref(c)
	}
	if _, ok := input["lineItems"]; !ok {
		return
	}
	for _, l := range list(o["lineItems"]) {
		line := asObject(l)
		s.serial++
		line["__typename"], line["id"] = "DraftOrderLineItem", fmt.Sprintf("gid://shopify/DraftOrderLineItem/%d", s.serial)
		if v := text(line["variantId"]); v != "" {
			variant := s.objects[v]
			product, _ := variant["product"].(Ref)
			line["variant"], line["product"], line["sku"], line["title"] = Ref(v), product, variant["sku"], s.objects[string(product)]["title"]
		}
	}
}

// SideEffects tells how often making orders took stock and wrote to customers.
func (s *Shop) SideEffects() (stock, mails int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.roots["counters"]["stock"].(int), s.roots["counters"]["mails"].(int)
}

// discounted makes or changes a discount of a type.
func discounted(typ string) mutation {
	code := strings.HasPrefix(typ, "Code")
	answer, deletePrefix := "automaticDiscountNode", "DiscountAutomatic"
	if code {
		answer, deletePrefix = "codeDiscountNode", "DiscountCode"
	}
	return func(s *Shop, a map[string]any) Object {
		var input map[string]any
		for k, v := range a {
			if k != "id" {
				input = object(v)
			}
		}
		id := strings.Replace(text(a["id"]), "/"+deletePrefix+"Node/", "/DiscountNode/", 1)
		node, problem := s.objectFor("DiscountNode", map[string]any{"id": id}, nil)
		if problem != nil {
			return problem
		}
		d := asObject(node["discount"])
		if d == nil {
			d = Object{"__typename": "Discount" + typ, "status": "ACTIVE", "createdAt": s.now(), "codes": []any{}}
			node["discount"] = d
		}
		for k, v := range fromInput(input) {
			switch k {
			case "code":
				s.serial++
				d["codes"] = []any{Object{"__typename": "DiscountRedeemCode", "id": fmt.Sprintf("gid://shopify/DiscountRedeemCode/%d", s.serial), "code": v}}
			case "customerGets", "customerBuys":
				g := asObject(v)
				d[k] = Object{"__typename": "DiscountCustomerGets", "items": discountItems(asObject(g["items"])), "value": discountValue(asObject(g["value"]))}
			case "context":
				d[k] = Object{"__typename": "DiscountBuyerSelectionAll", "all": "ALL"}
			default:
				d[k] = v
			}
		}
		d["updatedAt"] = s.now()
		kept := string(s.keepLocked(node))
		return took(answer, Object{"__typename": deletePrefix + "Node", "id": strings.Replace(kept, "/DiscountNode/", "/"+deletePrefix+"Node/", 1)})
	}
}

// discountItems turns an input into what a discount says it is for. It knows no
// taking out, since what is added is all there is.
func discountItems(in Object) Object {
	named := func(v any) []any {
		var out []any
		for _, id := range list(v) {
			out = append(out, Ref(text(id)))
		}
		return out
	}
	if c := asObject(in["collections"]); c != nil {
		return Object{"__typename": "DiscountCollections", "collections": named(c["add"])}
	}
	if p := asObject(in["products"]); p != nil {
		return Object{"__typename": "DiscountProducts", "products": named(p["productsToAdd"]), "productVariants": named(p["productVariantsToAdd"])}
	}
	return Object{"__typename": "AllDiscountItems", "allItems": true}
}

func discountValue(in Object) Object {
	if a := asObject(in["discountAmount"]); a != nil {
		return Object{
			"__typename": "DiscountAmount", "appliesOnEachItem": a["appliesOnEachItem"],
			"amount": Object{"__typename": "MoneyV2", "amount": a["amount"], "currencyCode": "SEK"},
		}
	}
	return Object{"__typename": "DiscountPercentage", "percentage": in["percentage"]}
}
