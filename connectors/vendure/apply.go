package vendure

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kvart/app"
	"kvart/connectors/rest"
)

// Apply implements [rest.Shop]: one record after the other, since the shop
// undoes a whole batch for one that it refuses.
func (s *shop) Apply(ctx context.Context, k rest.Kind, ops []rest.Op) ([]rest.Result, error) {
	so := s.sorts[k.Name]
	results := make([]rest.Result, 0, len(ops))
	if k.Name == kindCollections {
		// lower places first: putting one in its place moves those after it
		ops = slices.Clone(ops)
		byPlace := slices.Clone(ops)
		slices.SortStableFunc(byPlace, func(a, b rest.Op) int { return int(number(a.Record["position"]) - number(b.Record["position"])) })
		return s.inOrder(ctx, so, ops, byPlace)
	}
	for _, op := range ops {
		id, err := s.one(ctx, so, op)
		if !fatal(err) || halfMade(op, id) {
			results = append(results, rest.Result{ID: id, Err: err})
		}
		if fatal(err) {
			return results, err
		}
	}
	return results, nil
}

// halfMade reports whether a record was made although what followed failed: it is
// told, so that it is gone on with and not made again.
func halfMade(op rest.Op, id string) bool { return op.Do == rest.DoCreate && id != "" }

// inOrder carries out ops in another order than their results are told in.
func (s *shop) inOrder(ctx context.Context, so sort, ops, order []rest.Op) ([]rest.Result, error) {
	done := map[string]rest.Result{}
	for _, op := range order {
		id, err := s.one(ctx, so, op)
		if halfMade(op, id) {
			done[op.Was] = rest.Result{ID: id, Err: err}
		}
		if fatal(err) {
			var results []rest.Result
			for _, op := range ops {
				res, ok := done[op.Was]
				if !ok {
					break // what comes after is looked for when this is gone on with
				}
				results = append(results, res)
			}
			return results, err
		}
		done[op.Was] = rest.Result{ID: id, Err: err}
	}
	results := make([]rest.Result, len(ops))
	for i, op := range ops {
		results[i] = done[op.Was]
	}
	return results, nil
}

// fatal reports whether an error is about more than one record.
func fatal(err error) bool {
	var known *app.Error
	return errors.As(err, &known) && known.Code != app.CodeShopAnswer
}

// refused is an error of something written. A right that lacks is about more
// than the record.
func (s *shop) refused(so sort, err error) error {
	if err == nil {
		return nil
	}
	var r *refusal
	if errors.As(err, &r) && !r.has(codeForbidden) {
		return err
	}
	return s.about(so.Name, err)
}

// one carries out one op.
func (s *shop) one(ctx context.Context, so sort, op rest.Op) (id string, err error) {
	switch {
	case op.Do == rest.DoDelete:
		return op.ID, s.refused(so, s.remove(ctx, so, op.ID))
	case so.Name == kindStock:
		return s.setStock(ctx, so, op)
	case op.Do == rest.DoCreate && so.Name == kindFiles:
		id, err = s.upload(ctx, so, op)
	case op.Do == rest.DoCreate:
		id, err = s.create(ctx, so, op)
	default:
		id, err = op.ID, s.change(ctx, so, op)
	}
	if err == nil {
		err = s.complete(ctx, so, id, op)
	}
	return id, s.refused(so, err)
}

// changed reports whether a field is to be written.
func changed(op rest.Op, field string) bool {
	_, has := op.Record[field]
	return has && (op.Do == rest.DoCreate || op.Fields == nil || slices.Contains(op.Fields, field))
}

// result is what is asked for of what was written.
func (so sort) result() string {
	if so.union {
		return "{ __typename ... on " + so.entity + " { id } ... on ErrorResult { errorCode } }"
	}
	return "{ id }"
}

// plural kinds are written as lists of one.
func (so sort) plural() bool { return so.Name == kindVariants || so.Name == kindFacetValues }

// write runs the mutation that makes or changes a record, and returns its id.
func (s *shop) write(ctx context.Context, so sort, verb string, input map[string]any) (string, error) {
	typ, field, typed := "Input!", verb+so.entity, any(input)
	kind := strings.ToUpper(verb[:1]) + verb[1:] + so.entity
	if so.plural() {
		typ, field, typed = "Input!]!", field+"s", []any{input}
		kind = "[" + kind
	}
	text := fmt.Sprintf("mutation Write($input: %s%s) { done: %s(input: $input) %s }", kind, typ, field, so.result())
	vars := map[string]any{"input": typed}
	var single struct {
		Done outcome `json:"done"`
	}
	if !so.plural() {
		if err := s.c.mutate(ctx, text, vars, &single); err != nil {
			return "", err
		}
		return single.Done.settle(so)
	}
	var list struct {
		Done []outcome `json:"done"`
	}
	if err := s.c.mutate(ctx, text, vars, &list); err != nil {
		return "", err
	}
	if len(list.Done) != 1 {
		return "", broken(so.Name, "nothing came back of what was written")
	}
	return list.Done[0].settle(so)
}

// outcome is what became of a mutation.
type outcome struct {
	ID    string `json:"id"`
	Error string `json:"errorCode"`
}

func (o outcome) settle(so sort) (string, error) {
	switch {
	case o.Error != "":
		return "", fmt.Errorf("the shop refused it: %s", o.Error)
	case o.ID == "":
		return "", broken(so.Name, "what was written has no id")
	}
	return o.ID, nil
}

func (s *shop) create(ctx context.Context, so sort, op rest.Op) (string, error) {
	input := s.input(so, op)
	switch so.Name {
	case kindVariants:
		input["productId"] = op.Parent
		delete(input, "prices") // they are taken only afterwards
	case kindOptions:
		input["productOptionGroupId"] = op.Record["groupId"]
	case kindFacetValues:
		input["facetId"] = op.Record["facetId"]
	}
	for f, v := range input {
		if v == nil {
			delete(input, f)
		}
	}
	return s.write(ctx, so, "create", input)
}

// change writes the fields that differ.
func (s *shop) change(ctx context.Context, so sort, op rest.Op) error {
	input := s.input(so, op)
	if so.Name == kindVariants && changed(op, "prices") {
		prices, err := s.prices(ctx, op)
		if err != nil {
			return err
		}
		input["prices"] = prices
	}
	if len(input) == 0 {
		return nil
	}
	if so.Name == kindShipping {
		input["translations"] = op.Record["translations"] // it takes no change without
	}
	if so.Name != kindSettings {
		input["id"] = op.ID
	}
	_, err := s.write(ctx, so, "update", input)
	return err
}

// renamed are fields that are written under another name than they are read.
var renamed = map[string]string{"fulfillmentHandlerCode": "fulfillmentHandler"}

// apart are fields that are written by calls of their own.
var apart = []string{
	"optionGroups", "channels", "countries", "provinces", "groups", "addresses", "position", "groupId", "facetId", "customRelations", "fileSize", "mimeType",
}

// input is what is sent of a record.
func (s *shop) input(so sort, op rest.Op) map[string]any {
	in := map[string]any{}
	for f, v := range op.Record {
		if !changed(op, f) || slices.Contains(apart, f) {
			continue
		}
		s.put(so, in, f, v)
	}
	if _, ok := in["assetIds"]; ok && op.Do != rest.DoCreate {
		s.put(so, in, "featuredAsset", op.Record["featuredAsset"]) // it would be the first of them
	}
	return in
}

// put writes a field the way it is taken.
func (s *shop) put(so sort, in map[string]any, f string, v any) {
	switch f {
	case "featuredAsset", "taxCategory", "category", "zone", "customerGroup", "defaultTaxZone", "defaultShippingZone", "seller":
		m, _ := v.(map[string]any)
		if in[f+"Id"] = any(nil); id(m) != "" {
			in[f+"Id"] = id(m)
		}
	case "assets", "facetValues", "options":
		in[strings.TrimSuffix(f, "s")+"Ids"] = idsOf(v)
	case "checker", "calculator", "handler":
		if in[f] = any(nil); v != nil {
			in[f] = operationInput(v)
		}
	case "filters", "conditions", "actions":
		list := []any{}
		for _, el := range listOf(v) {
			list = append(list, operationInput(el))
		}
		in[f] = list
	case "tags":
		tags := []any{}
		for _, el := range listOf(v) {
			m, _ := el.(map[string]any)
			tags = append(tags, m["value"])
		}
		in[f] = tags
	case "customFields":
		fields, _ := v.(map[string]any)
		in[f] = s.written(so.custom(), fields)
	case "translations":
		in[f] = s.translations(so, v)
	default:
		if to := renamed[f]; to != "" {
			f = to
		}
		in[f] = v
	}
}

// custom is by which name the custom fields of a kind are known.
func (so sort) custom() string {
	if so.Name == kindCountries {
		return "Region"
	}
	return so.entity
}

// translations are the texts, less custom fields that can't be set.
func (s *shop) translations(so sort, v any) []any {
	out := []any{}
	for _, el := range listOf(v) {
		m, _ := el.(map[string]any)
		m = maps.Clone(m)
		if fields, ok := m["customFields"].(map[string]any); ok {
			m["customFields"] = s.written(so.custom(), fields)
		}
		out = append(out, m)
	}
	return out
}

func listOf(v any) []any {
	list, _ := v.([]any)
	return list
}

func idsOf(v any) []any {
	out := []any{}
	for _, el := range listOf(v) {
		if m, ok := el.(map[string]any); ok && id(m) != "" {
			out = append(out, id(m))
		} else if text, ok := el.(string); ok {
			out = append(out, text)
		}
	}
	return out
}

// operationInput takes something set up with a code and arguments from how it
// is read to how it is written.
func operationInput(v any) map[string]any {
	m, _ := v.(map[string]any)
	args := m["args"]
	if args == nil {
		args = []any{}
	}
	return map[string]any{"code": m["code"], "arguments": args}
}
