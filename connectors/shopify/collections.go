package shopify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"kvart/connectors/rest"
)

// productsAtOnce is how many members a mutation takes.
const productsAtOnce = 250

func (s *shop) doCollection(ctx context.Context, op rest.Op) (rest.Result, error) {
	if op.Do == rest.DoDelete {
		return s.remove(ctx, "collection_delete", op)
	}
	live := s.state(op.ID)
	create := op.Do == rest.DoCreate
	if !create && live == nil {
		return rest.Result{}, refuse("%s is not there any more", op.ID)
	}
	in, err := s.collectionInput(ctx, op)
	if err != nil {
		return rest.Result{}, err
	}
	res := rest.Result{ID: op.ID}
	switch {
	case create:
		answer, err := s.mutate(ctx, "collection_create", map[string]any{"input": in})
		res.ID = madeID(answer, "collection")
		if err != nil {
			return res, err
		}
	case len(in) > 0:
		in["id"] = op.ID
		if _, err := s.mutate(ctx, "collection_update", map[string]any{"input": in}); err != nil {
			return res, err
		}
	}
	if op.Record["ruleSet"] == nil && wanted(op, "products") {
		if err := s.members(ctx, res.ID, op.Record, live); err != nil {
			return res, err
		}
	}
	if wanted(op, "resourcePublicationsV2") {
		return res, s.publishAs(ctx, res.ID, op.Full, live)
	}
	return res, nil
}

// collectionInput is what differs of a collection as inputs take it.
func (s *shop) collectionInput(ctx context.Context, op rest.Op) (map[string]any, error) {
	in := pickNull(op.Record, slices.DeleteFunc([]string{"handle", "title", "descriptionHtml", "sortOrder", "templateSuffix"}, func(f string) bool { return !wanted(op, f) })...)
	if seo, ok := op.Record["seo"].(map[string]any); ok && wanted(op, "seo") {
		in["seo"] = pickNull(seo, "title", "description")
	}
	if rules, ok := op.Record["ruleSet"].(map[string]any); ok && wanted(op, "ruleSet") {
		in["ruleSet"] = ruleSet(rules)
	}
	if wanted(op, "metafields") {
		in["metafields"] = metafieldInputs(op.Record["metafields"])
	}
	if wanted(op, "image") {
		if err := s.collectionImage(ctx, op, in); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// ruleSet is the rules of a collection as inputs take them.
func ruleSet(rules map[string]any) map[string]any {
	var out []any
	for _, r := range listOf(rules["rules"]) {
		in := pick(r, "column", "relation", "condition")
		if o, ok := r["conditionObject"].(map[string]any); ok {
			if d, ok := o["metafieldDefinition"].(map[string]any); ok {
				in["conditionObjectId"] = d["id"]
			}
		}
		out = append(out, in)
	}
	return map[string]any{"appliedDisjunctively": rules["appliedDisjunctively"], "rules": out}
}

// collectionImage uploads the picture of a collection, where the point has it.
func (s *shop) collectionImage(ctx context.Context, op rest.Op, in map[string]any) error {
	image, _ := op.Full["image"].(map[string]any)
	address, _ := image["url"].(string)
	if address == "" || op.Media == nil {
		return nil
	}
	m := map[string]any{"__typename": "CollectionImage", "file": address}
	got := map[string]any{}
	if err := s.newMedium(ctx, op, m, got); err != nil {
		return err
	}
	in["image"] = pick(map[string]any{"src": got["originalSource"], "altText": image["altText"]}, "src", "altText")
	return nil
}

// articleImage uploads the picture of an article, where the point has it.
func (s *shop) articleImage(ctx context.Context, op rest.Op, in map[string]any) error {
	got := map[string]any{}
	if err := s.collectionImage(ctx, op, got); err != nil {
		return err
	}
	if image := field(got, "image"); image != nil {
		in["image"] = pick(map[string]any{"url": image["src"], "altText": image["altText"]}, "url", "altText")
	}
	return nil
}

// members makes the products of a collection those wanted, in their order where
// the owner chose one.
func (s *shop) members(ctx context.Context, id string, record, live map[string]any) error {
	want, have := idsOf(record["products"]), idsOf(live["products"])
	var add, drop []string
	for _, p := range want {
		if !slices.Contains(have, p) {
			add = append(add, p)
		}
	}
	for _, p := range have {
		if !slices.Contains(want, p) {
			drop = append(drop, p)
		}
	}
	for chunk := range slices.Chunk(add, productsAtOnce) {
		if _, err := s.mutate(ctx, "collection_add", map[string]any{"id": id, "products": chunk}); err != nil {
			return err
		}
	}
	for chunk := range slices.Chunk(drop, productsAtOnce) {
		if _, err := s.mutate(ctx, "collection_remove", map[string]any{"id": id, "products": chunk}); err != nil {
			return err
		}
	}
	if record["sortOrder"] != "MANUAL" || len(want) < 2 {
		return nil
	}
	now := append(slices.DeleteFunc(slices.Clone(have), func(p string) bool { return slices.Contains(drop, p) }), add...)
	if slices.Equal(now, want) {
		return nil
	}
	var moves []any
	for i, p := range want {
		moves = append(moves, map[string]any{"id": p, "newPosition": strconv.Itoa(i)})
	}
	for chunk := range slices.Chunk(moves, productsAtOnce) {
		if _, err := s.mutate(ctx, "collection_reorder", map[string]any{"id": id, "moves": chunk}); err != nil {
			return err
		}
	}
	return nil
}

func idsOf(v any) (out []string) {
	for _, m := range listOf(v) {
		id, _ := m["id"].(string)
		out = append(out, id)
	}
	return out
}

// quantitiesAtOnce is how many quantities one mutation takes.
const quantitiesAtOnce = 250

// applyInventory sets the stock of variants, many in one mutation. Of stock only
// what is available is written: the rest the shop counts itself.
func (s *shop) applyInventory(ctx context.Context, ops []rest.Op) ([]rest.Result, error) {
	results := make([]rest.Result, len(ops))
	items, err := s.inventoryItems(ctx, ops)
	if err != nil {
		return nil, err
	}
	var sets []any
	var of []int // the op of each of sets
	for i, op := range ops {
		results[i].ID = op.ID
		item, ok := items[op.ID]
		switch {
		case op.Do == rest.DoDelete:
			continue // it goes with its product
		case op.Do == rest.DoCreate || !ok:
			results[i].Err = refuse("its product is not there")
			continue
		}
		for _, l := range listOf(field(op.Record, "inventoryItem")["inventoryLevels"]) {
			at, _ := field(l, "location")["id"].(string)
			if !item.places[at] {
				err := s.activate(ctx, item.id, at, l["available"])
				if err != nil && !own(err) {
					return results[:i], err
				}
				results[i].Err = errors.Join(results[i].Err, err)
				continue
			}
			sets = append(sets, map[string]any{"inventoryItemId": item.id, "locationId": at, "quantity": l["available"]})
			of = append(of, i)
		}
	}
	for n := 0; n < len(sets); n += quantitiesAtOnce {
		end := min(n+quantitiesAtOnce, len(sets))
		if err := s.setStock(ctx, sets[n:end], of[n:end], results); err != nil {
			return results[:of[n]], err
		}
	}
	return results, nil
}

// setStock writes quantities together, and one by one where the shop refuses one
// of them.
func (s *shop) setStock(ctx context.Context, sets []any, of []int, results []rest.Result) error {
	set := func(q []any) error {
		_, err := s.mutate(ctx, "inventory_set", map[string]any{"key": once(), "input": map[string]any{
			"name": "available", "reason": "correction", "quantities": q,
		}})
		return err
	}
	err := set(sets)
	if err == nil || !own(err) {
		return err
	}
	for i, q := range sets {
		if err := set([]any{q}); err != nil && !own(err) {
			return err
		} else if err != nil {
			results[of[i]].Err = err
		}
	}
	return nil
}

func (s *shop) activate(ctx context.Context, item, location string, available any) error {
	_, err := s.mutate(ctx, "inventory_activate", map[string]any{"item": item, "location": location, "available": available, "key": once()})
	return err
}

// stockItem is what has to be known of a variant to set its stock.
type stockItem struct {
	id     string
	places map[string]bool
}

func (s *shop) inventoryItems(ctx context.Context, ops []rest.Op) (map[string]stockItem, error) {
	out := map[string]stockItem{}
	var ids []string
	for _, op := range ops {
		if op.Do != rest.DoUpdate {
			continue
		}
		if item, ok := s.knownItem(op.ID); ok {
			out[op.ID] = item
		} else {
			ids = append(ids, op.ID)
		}
	}
	for chunk := range slices.Chunk(ids, 50) {
		found, err := s.nodes(ctx, s.l["inventory_state"], chunk)
		if err != nil {
			return nil, err
		}
		for id, m := range found {
			out[id] = itemOf(m)
		}
	}
	return out, nil
}

// itemOf is what a variant's record tells of where its stock is.
func itemOf(m map[string]any) stockItem {
	item := field(m, "inventoryItem")
	st := stockItem{id: fmt.Sprint(item["id"]), places: map[string]bool{}}
	for _, l := range listOf(item["inventoryLevels"]) {
		st.places[fmt.Sprint(field(l, "location")["id"])] = true
	}
	return st
}

// knownItem is what was read of a variant in this piece of work, such as when it
// was compared a moment ago.
func (s *shop) knownItem(variant string) (stockItem, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	item, ok := s.items[variant]
	return item, ok
}

func (s *shop) knowItems(records []map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.items == nil {
		s.items = map[string]stockItem{}
	}
	for _, m := range records {
		id, _ := m["id"].(string)
		s.items[id] = itemOf(m)
	}
}

// field is an object inside an object.
func field(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}
