package shopify

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"kvart/connectors/rest"
)

// learnStates reads what has to be known of products and collections that are
// to be changed: the ids of what lies in them.
func (s *shop) learnStates(ctx context.Context, k rest.Kind, ops []rest.Op) error {
	doc, size := "product_state", 20
	if k.Name == kindCollections {
		doc = "collection_state"
	}
	var ids []string
	states := map[string]map[string]any{}
	for _, op := range ops {
		if op.Do != rest.DoUpdate || op.ID == "" {
			continue
		}
		known, err := stateAtHand(ctx, k, op)
		if err != nil {
			return err
		}
		if known == nil {
			ids = append(ids, op.ID)
		} else {
			states[op.ID] = known
		}
	}
	for len(ids) > 0 {
		n := min(size, len(ids))
		found, err := s.nodes(ctx, s.l[doc], ids[:n])
		if tooCostly(err) && n > 1 {
			size = n / 2
			continue
		}
		if err != nil {
			return err
		}
		for id, m := range found {
			states[id] = m
		}
		ids = ids[n:]
	}
	s.mu.Lock()
	s.states = states
	s.mu.Unlock()
	return nil
}

// stateAtHand is what is known of a product from comparing it, where no more is
// needed: its lists stay as they are, and only what lies in them is written, by its
// ids. The shop refuses an id that is gone meanwhile. It is nil elsewhere: before
// lists are written whole the shop is asked, since it deletes what is left out.
func stateAtHand(ctx context.Context, k rest.Kind, op rest.Op) (map[string]any, error) {
	if k.Name != kindProducts || op.Live == nil || op.Fields == nil || wanted(op, "options", "media", "resourcePublicationsV2") {
		return nil, nil
	}
	live, err := op.Live(ctx)
	if err != nil || live == nil {
		return nil, err
	}
	state := map[string]any{"id": live["id"], "variants": live["variants"]}
	if wanted(op, "variants") && !sameVariants(op.Record, state) {
		return nil, nil
	}
	return state, nil
}

func (s *shop) state(id string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[id]
}

// productFields are the fields of a product that its input takes as they are.
func productFields() []string {
	return []string{
		"handle", "title", "descriptionHtml", "vendor", "productType", "tags", "status", "templateSuffix", "requiresSellingPlan",
		"giftCardTemplateSuffix", "combinedListingRole",
	}
}

func (s *shop) doProduct(ctx context.Context, op rest.Op) (rest.Result, error) {
	switch op.Do {
	case rest.DoDelete:
		return s.remove(ctx, "product_delete", op)
	case rest.DoUpdate:
		return s.updateProduct(ctx, op)
	}
	in := pick(op.Record, productFields()...)
	s.productRest(op.Record, in)
	if gift, _ := op.Record["isGiftCard"].(bool); gift {
		in["giftCard"] = true
	}
	in["metafields"] = metafieldInputs(op.Record["metafields"])
	if err := s.productLists(ctx, op, in, nil); err != nil {
		return rest.Result{}, err
	}
	return s.setProduct(ctx, op, map[string]any{"handle": op.Record["handle"]}, in)
}

// productRest adds the fields that inputs take in another form.
func (s *shop) productRest(record, in map[string]any) {
	if seo, ok := record["seo"].(map[string]any); ok {
		in["seo"] = pickNull(seo, "title", "description")
	}
	if c, ok := record["category"].(map[string]any); ok {
		in["category"] = c["id"]
	}
}

// updateProduct writes what differs, in the way that touches least: variants
// alone where only they differ and none is missing; lists whole where they have
// to be, since the shop deletes what is left out of one.
func (s *shop) updateProduct(ctx context.Context, op rest.Op) (rest.Result, error) {
	live := s.state(op.ID)
	if live == nil {
		return rest.Result{}, refuse("%s is not there any more", op.ID)
	}
	res := rest.Result{ID: op.ID}
	lists := wanted(op, "options", "media") || wanted(op, "variants") && !sameVariants(op.Record, live)
	if wanted(op, "variants") && !lists {
		if err := s.updateVariants(ctx, op, live); err != nil {
			return res, err
		}
	}
	in := pickNull(op.Record, slices.DeleteFunc(productFields(), func(f string) bool { return !wanted(op, f) })...)
	if wanted(op, "seo", "category") {
		s.productRest(op.Record, in)
	}
	if lists {
		if err := s.productLists(ctx, op, in, live); err != nil {
			return res, err
		}
	}
	if len(in) > 0 {
		var err error
		if res, err = s.setProduct(ctx, op, map[string]any{"id": op.ID}, in); err != nil {
			return res, err
		}
	} else if wanted(op, "resourcePublicationsV2") {
		if err := s.publishAs(ctx, op.ID, op.Full, live); err != nil {
			return res, err
		}
	}
	if wanted(op, "metafields") {
		return res, s.setMetafields(ctx, op.ID, op.Record["metafields"])
	}
	return res, nil
}

// productLists adds the lists of a product: options, variants and media, with
// the ids of those that are there.
func (s *shop) productLists(ctx context.Context, op rest.Op, in, live map[string]any) error {
	var options []any
	for _, o := range listOf(op.Record["options"]) {
		var values []any
		for _, v := range listOf(o["optionValues"]) {
			values = append(values, map[string]any{"name": v["name"]})
		}
		options = append(options, map[string]any{"name": o["name"], "position": o["position"], "values": values})
	}
	files, err := s.productFiles(ctx, op)
	if err != nil {
		return err
	}
	ids := map[string]string{}
	for _, v := range listOf(live["variants"]) {
		ids[optionsOf(v)], _ = v["id"].(string)
	}
	var variants []any
	for _, v := range listOf(op.Record["variants"]) {
		vin := variantInput(v)
		if id := ids[optionsOf(v)]; id != "" {
			vin["id"] = id
		}
		if m := listOf(v["media"]); len(m) > 0 && files.known[fmt.Sprint(m[0]["id"])] {
			vin["file"] = map[string]any{"id": m[0]["id"]}
		}
		if p := v["position"]; p != nil {
			vin["position"] = p
		}
		variants = append(variants, vin)
	}
	in["productOptions"], in["variants"], in["files"] = options, variants, files.inputs
	return nil
}

// variantInput is a variant as inputs take it.
func variantInput(v map[string]any) map[string]any {
	in := pick(v, "price", "taxable", "inventoryPolicy", "requiresComponents", "showUnitPrice")
	in["compareAtPrice"], in["barcode"] = v["compareAtPrice"], v["barcode"]
	var values []any
	for _, o := range listOf(v["selectedOptions"]) {
		values = append(values, map[string]any{"optionName": o["name"], "name": o["value"]})
	}
	in["optionValues"] = values
	item, _ := v["inventoryItem"].(map[string]any)
	inv := pick(item, "tracked", "requiresShipping", "countryCodeOfOrigin", "provinceCodeOfOrigin", "harmonizedSystemCode")
	if sku := v["sku"]; sku != nil {
		inv["sku"] = sku
	}
	if cost, ok := item["unitCost"].(map[string]any); ok {
		inv["cost"] = cost["amount"]
	}
	if m, ok := item["measurement"].(map[string]any); ok {
		if w, ok := m["weight"].(map[string]any); ok {
			inv["measurement"] = map[string]any{"weight": pick(w, "unit", "value")}
		}
	}
	if len(inv) > 0 {
		in["inventoryItem"] = inv
	}
	if u, ok := v["unitPriceMeasurement"].(map[string]any); ok {
		in["unitPriceMeasurement"] = pick(u, "quantityUnit", "quantityValue", "referenceUnit", "referenceValue")
	}
	if m := metafieldInputs(v["metafields"]); len(m) > 0 {
		in["metafields"] = m
	}
	return in
}

// optionsOf names a variant within its product.
func optionsOf(v map[string]any) string {
	var parts []string
	for _, o := range listOf(v["selectedOptions"]) {
		parts = append(parts, fmt.Sprint(o["name"], "\x00", o["value"]))
	}
	slices.Sort(parts)
	return strings.Join(parts, "\x01")
}

// sameVariants reports whether the shop has just the variants wanted.
func sameVariants(record, live map[string]any) bool {
	names := func(m map[string]any) []string {
		var out []string
		for _, v := range listOf(m["variants"]) {
			out = append(out, optionsOf(v))
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(names(record), names(live))
}

// variantsAtOnce is how many variants one mutation takes.
const variantsAtOnce = 250

// updateVariants writes the variants of a product that are all there.
func (s *shop) updateVariants(ctx context.Context, op rest.Op, live map[string]any) error {
	ids := map[string]string{}
	for _, v := range listOf(live["variants"]) {
		ids[optionsOf(v)], _ = v["id"].(string)
	}
	var inputs []any
	for _, v := range listOf(op.Record["variants"]) {
		in := variantInput(v)
		in["id"] = ids[optionsOf(v)]
		inputs = append(inputs, in)
	}
	for chunk := range slices.Chunk(inputs, variantsAtOnce) {
		if _, err := s.mutate(ctx, "variants_update", map[string]any{"id": op.ID, "variants": chunk}); err != nil {
			return err
		}
	}
	return nil
}

// setProduct writes a product, publishes it as it was, and tells what became
// of what lies in it.
func (s *shop) setProduct(ctx context.Context, op rest.Op, identifier, in map[string]any) (rest.Result, error) {
	answer, err := s.mutate(ctx, "product_set", map[string]any{"identifier": identifier, "input": in})
	if err != nil {
		return rest.Result{ID: madeID(answer, "product")}, err
	}
	p, _ := answer["product"].(map[string]any)
	id := madeID(answer, "product")
	res := rest.Result{ID: id, Also: map[string]map[string]string{kindInventory: {}, kindFiles: {}}}
	now := map[string]string{}
	for _, v := range listOf(p["variants"]) {
		now[optionsOf(v)], _ = v["id"].(string)
	}
	for _, v := range listOf(op.Full["variants"]) {
		was, _ := v["id"].(string)
		if to := now[optionsOf(v)]; to != "" && was != "" && to != was {
			res.Also[kindInventory][was] = to
		}
	}
	if in["files"] != nil {
		media, err := s.mediaOf(ctx, id, p, in)
		if err != nil {
			return res, err
		}
		was := listOf(op.Full["media"])
		for i := range min(len(media), len(was)) {
			old, _ := was[i]["id"].(string)
			if to, _ := media[i]["id"].(string); len(media) == len(was) && to != old {
				res.Also[kindFiles][old] = to
			}
		}
	}
	if op.Do == rest.DoCreate || wanted(op, "resourcePublicationsV2") {
		return res, s.publishAs(ctx, id, op.Full, s.state(op.ID))
	}
	return res, nil
}

// mediaOf lists the media of a product that was just written. The answer of a bulk
// operation has them not, and they are asked for where some are new.
func (s *shop) mediaOf(ctx context.Context, id string, p, in map[string]any) ([]map[string]any, error) {
	files, _ := in["files"].([]any)
	if _, told := p["media"]; told || !slices.ContainsFunc(files, func(f any) bool { m, _ := f.(map[string]any); return m["id"] == nil }) {
		return listOf(p["media"]), nil
	}
	found, err := s.nodes(ctx, s.l["product_state"], []string{id})
	return listOf(found[id]["media"]), err
}

// publishAs puts a product or collection into the sales channels it was in, and
// takes it out of others.
func (s *shop) publishAs(ctx context.Context, id string, record, live map[string]any) error {
	in := func(m map[string]any) map[string]map[string]any {
		out := map[string]map[string]any{}
		for _, p := range listOf(m["resourcePublicationsV2"]) {
			pub, _ := p["publication"].(map[string]any)
			if pid, _ := pub["id"].(string); pid != "" {
				out[pid] = p
			}
		}
		return out
	}
	want, have := in(record), in(live)
	var publish, unpublish []any
	for pid, p := range want {
		if have[pid] != nil && have[pid]["isPublished"] == p["isPublished"] {
			continue
		}
		input := map[string]any{"publicationId": pid}
		if shown, _ := p["isPublished"].(bool); !shown && p["publishDate"] != nil {
			input["publishDate"] = p["publishDate"] // it was to appear later
		}
		publish = append(publish, input)
	}
	for pid := range have {
		if want[pid] == nil {
			unpublish = append(unpublish, map[string]any{"publicationId": pid})
		}
	}
	for name, input := range map[string][]any{"publish": publish, "unpublish": unpublish} {
		if len(input) == 0 {
			continue
		}
		slices.SortFunc(input, func(a, b any) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
		if _, err := s.mutate(ctx, name, map[string]any{"id": id, "input": input}); err != nil {
			return err
		}
	}
	return nil
}
