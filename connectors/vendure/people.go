package vendure

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"

	"kvart/connectors/rest"
)

// person writes a customer's groups and addresses.
func (s *shop) person(ctx context.Context, so sort, id string, op rest.Op) error {
	groups, addresses := changed(op, "groups"), changed(op, "addresses")
	if !groups && !addresses {
		return nil
	}
	now, err := s.present(ctx, so, id)
	if err != nil {
		return err
	}
	if groups {
		add, drop := difference(idsOf(op.Record["groups"]), idsOf(now["groups"]))
		for verb, list := range map[string][]any{"addCustomersToGroup": add, "removeCustomersFromGroup": drop} {
			for _, group := range list {
				text := "mutation Group($id: ID!, $group: ID!) { " + verb + "(customerGroupId: $group, customerIds: [$id]) { id } }"
				if err := s.c.mutate(ctx, text, map[string]any{"id": id, "group": group}, &struct{}{}); err != nil {
					return err
				}
			}
		}
	}
	if addresses {
		return s.addresses(ctx, id, op, listOf(now["addresses"]))
	}
	return nil
}

// addresses brings a customer's addresses to those wanted: one that is there in
// other words is changed, one that is gone is made, and none is taken away.
func (s *shop) addresses(ctx context.Context, customer string, op rest.Op, have []any) error {
	there := map[string]bool{}
	for _, el := range have {
		m, _ := el.(map[string]any)
		there[id(m)] = true
	}
	full := listOf(op.Full["addresses"]) // as long as the record's, and in its order
	for i, el := range listOf(op.Record["addresses"]) {
		want, _ := el.(map[string]any)
		if slices.ContainsFunc(have, func(v any) bool { return sameAddress(v, want) }) {
			continue
		}
		input := map[string]any{}
		for f, v := range want {
			switch f {
			case "country":
				country, _ := v.(map[string]any)
				input["countryCode"] = country["code"]
			case "customFields":
				fields, _ := v.(map[string]any)
				input[f] = s.written("Address", fields)
			default:
				input[f] = v
			}
		}
		text := "mutation Address($id: ID!, $input: CreateAddressInput!) { createCustomerAddress(customerId: $id, input: $input) { id } }"
		vars := map[string]any{"id": customer, "input": input}
		if i < len(full) {
			if was, _ := full[i].(map[string]any); there[id(was)] {
				text = "mutation Address($input: UpdateAddressInput!) { updateCustomerAddress(input: $input) { id } }"
				input["id"] = id(was)
				vars = map[string]any{"input": input}
			}
		}
		if err := s.c.mutate(ctx, text, vars, &struct{}{}); err != nil {
			return err
		}
	}
	return nil
}

func sameAddress(v any, want map[string]any) bool {
	have, _ := v.(map[string]any)
	for f, w := range want {
		a, err := json.Marshal(w)
		b, bad := json.Marshal(have[f])
		if err != nil || bad != nil || !bytes.Equal(a, b) {
			return false
		}
	}
	return true
}
