package vendure

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"kvart/connectors/rest"
)

// removals are the mutations that don't delete by one id alone.
var removals = map[string]string{
	kindFiles:        "mutation Remove($id: ID!) { done: deleteAsset(input: { assetId: $id, force: true }) { result } }",
	kindLocations:    "mutation Remove($id: ID!) { done: deleteStockLocation(input: { id: $id }) { result } }",
	kindFacets:       "mutation Remove($id: ID!) { done: deleteFacet(id: $id, force: true) { result } }",
	kindFacetValues:  "mutation Remove($id: ID!) { many: deleteFacetValues(ids: [$id], force: true) { result } }",
	kindOptionGroups: "mutation Remove($id: ID!) { done: deleteProductOptionGroup(id: $id, force: true) { result } }",
}

// remove deletes a record. One that is gone already is no error.
func (s *shop) remove(ctx context.Context, so sort, id string) error {
	text := removals[so.Name]
	if so.Name == kindStock {
		return nil // it goes with its variant or its place
	}
	if text == "" {
		text = fmt.Sprintf("mutation Remove($id: ID!) { done: delete%s(id: $id) { result } }", so.entity)
	}
	var got struct {
		Done *deletion  `json:"done"`
		Many []deletion `json:"many"`
	}
	if err := s.c.mutate(ctx, text, map[string]any{"id": id}, &got); err != nil {
		if refusedWith(err, codeNotFound) {
			return nil
		}
		return err
	}
	if got.Done != nil {
		got.Many = append(got.Many, *got.Done)
	}
	for _, d := range got.Many {
		if d.Result != "DELETED" {
			return errors.New("the shop refused it: it is in use")
		}
	}
	return nil
}

type deletion struct {
	Result string `json:"result"`
}

// complete writes what takes calls of its own.
func (s *shop) complete(ctx context.Context, so sort, id string, op rest.Op) error {
	switch so.Name {
	case kindZones:
		return s.members(ctx, so, id, op)
	case kindProducts:
		if changed(op, "optionGroups") {
			if err := s.optionGroups(ctx, so, id, idsOf(op.Record["optionGroups"])); err != nil {
				return err
			}
		}
		if changed(op, "channels") {
			return s.channels(ctx, so, id, idsOf(op.Record["channels"]))
		}
	case kindVariants:
		if op.Do == rest.DoCreate {
			priced := op
			priced.Do, priced.ID, priced.Fields = rest.DoUpdate, id, []string{"prices"}
			if err := s.change(ctx, so, priced); err != nil {
				return err
			}
			return s.followProduct(ctx, op.Parent)
		}
	case kindCollections:
		return s.place(ctx, so, id, op)
	case kindCustomers:
		return s.person(ctx, so, id, op)
	}
	return nil
}

// present reads a record as it is now.
func (s *shop) present(ctx context.Context, so sort, id string) (map[string]any, error) {
	options := so.options(rest.Query{}, 0, 1)
	options["filter"].(map[string]any)["id"] = map[string]any{"eq": id}
	items, _, err := s.page(ctx, so, options)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, broken(so.Name, "what was written is not there")
	}
	if so.Name == kindZones {
		splitMembers(items[0])
	}
	return items[0], nil
}

// difference splits two lists of ids into what is to come and what is to go.
func difference(want, have []any) (add, drop []any) {
	for _, v := range want {
		if !slices.Contains(have, v) {
			add = append(add, v)
		}
	}
	for _, v := range have {
		if !slices.Contains(want, v) {
			drop = append(drop, v)
		}
	}
	return add, drop
}

// members brings a zone's countries to those wanted. Provinces are put into a
// zone that is made again, where they still are; elsewhere they stay as they are.
func (s *shop) members(ctx context.Context, so sort, id string, op rest.Op) error {
	if !changed(op, "countries") {
		return nil
	}
	now, err := s.present(ctx, so, id)
	if err != nil {
		return err
	}
	add, drop := difference(idsOf(op.Record["countries"]), idsOf(now["countries"]))
	if op.Do == rest.DoCreate {
		add = append(add, idsOf(op.Full["provinces"])...)
	}
	for text, list := range map[string][]any{
		"mutation Add($id: ID!, $list: [ID!]!) { addMembersToZone(zoneId: $id, memberIds: $list) { id } }":         add,
		"mutation Remove($id: ID!, $list: [ID!]!) { removeMembersFromZone(zoneId: $id, memberIds: $list) { id } }": drop,
	} {
		if len(list) == 0 {
			continue
		}
		if err := s.c.mutate(ctx, text, map[string]any{"id": id, "list": list}, &struct{}{}); err != nil {
			return err
		}
	}
	return nil
}

// optionGroups gives a product the groups it lacks.
func (s *shop) optionGroups(ctx context.Context, so sort, id string, want []any) error {
	now, err := s.present(ctx, so, id)
	if err != nil {
		return err
	}
	add, _ := difference(want, idsOf(now["optionGroups"]))
	for _, group := range add {
		const text = "mutation Add($id: ID!, $group: ID!) { addOptionGroupToProduct(productId: $id, optionGroupId: $group) { id } }"
		if err := s.c.mutate(ctx, text, map[string]any{"id": id, "group": group}, &struct{}{}); err != nil {
			return err
		}
	}
	return nil
}

// channels gives a product the channels it lacks, with its variants.
func (s *shop) channels(ctx context.Context, so sort, id string, want []any) error {
	now, err := s.present(ctx, so, id)
	if err != nil {
		return err
	}
	add, _ := difference(want, idsOf(now["channels"]))
	for _, channel := range add {
		if err := s.assign(ctx, id, channel); err != nil {
			return err
		}
	}
	return nil
}

func (s *shop) assign(ctx context.Context, product string, channel any) error {
	const text = "mutation Assign($id: ID!, $channel: ID!) { assignProductsToChannel(input: { productIds: [$id], channelId: $channel }) { id } }"
	return s.c.mutate(ctx, text, map[string]any{"id": product, "channel": channel}, &struct{}{})
}

// followProduct puts a new variant into the channels of its product: it is made
// in the default one.
func (s *shop) followProduct(ctx context.Context, product string) error {
	now, err := s.present(ctx, s.sorts[kindProducts], product)
	if err != nil {
		return err
	}
	channels := idsOf(now["channels"])
	if len(channels) < 2 {
		return nil
	}
	for _, channel := range channels {
		if err := s.assign(ctx, product, channel); err != nil {
			return err
		}
	}
	return nil
}

// prices are those wanted, and the word to delete those of other currencies.
func (s *shop) prices(ctx context.Context, op rest.Op) ([]any, error) {
	now, err := s.present(ctx, s.sorts[kindVariants], op.ID)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(listOf(op.Record["prices"]))
	for _, el := range listOf(now["prices"]) {
		have, _ := el.(map[string]any)
		if !slices.ContainsFunc(out, func(v any) bool { m, _ := v.(map[string]any); return m["currencyCode"] == have["currencyCode"] }) {
			out = append(out, map[string]any{"currencyCode": have["currencyCode"], "price": have["price"], "delete": true})
		}
	}
	return out, nil
}

// setStock sets how many of a variant lie in one place.
func (s *shop) setStock(ctx context.Context, so sort, op rest.Op) (string, error) {
	variant, _ := op.Record["variantId"].(string)
	place, _ := op.Record["stockLocationId"].(string)
	const text = "mutation Stock($input: [UpdateProductVariantInput!]!) { updateProductVariants(input: $input) { id } }"
	level := map[string]any{"stockLocationId": place, "stockOnHand": op.Record["stockOnHand"]}
	err := s.c.mutate(ctx, text, map[string]any{"input": []any{map[string]any{"id": variant, "stockLevels": []any{level}}}}, &struct{}{})
	return variant + between + place, s.refused(so, err)
}

// place moves a collection below its parent, and to its rank there.
func (s *shop) place(ctx context.Context, so sort, id string, op rest.Op) error {
	if !changed(op, "position") && !(op.Do != rest.DoCreate && changed(op, "parentId")) {
		return nil
	}
	parent, _ := op.Record["parentId"].(string)
	if parent == "" {
		now, err := s.present(ctx, so, id)
		if err != nil {
			return err
		}
		root, _ := listOf(now["breadcrumbs"])[0].(map[string]any)
		parent, _ = root["id"].(string)
	}
	const text = "mutation Move($input: MoveCollectionInput!) { moveCollection(input: $input) { id } }"
	input := map[string]any{"collectionId": id, "parentId": parent, "index": op.Record["position"]}
	return s.c.mutate(ctx, text, map[string]any{"input": input}, &struct{}{})
}
