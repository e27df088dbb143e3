package shopify

import (
	"context"
	"maps"
	"slices"

	"kvart/app"
)

// detailsAtOnce is of how many orders the details are asked for at once.
const detailsAtOnce = 20

// orderDetails adds what hangs on the refunds and returns of orders.
func (s *shop) orderDetails(ctx context.Context, orders []map[string]any) error {
	var refunded, returned []map[string]any
	for _, o := range orders {
		o["returns"] = []any{}
		if refunds, _ := o["refunds"].([]any); len(refunds) > 0 {
			refunded = append(refunded, o)
		}
		if st, _ := o["returnStatus"].(string); st != "" && st != "NO_RETURN" {
			returned = append(returned, o)
		}
	}
	if err := s.details(ctx, "order_details", refunded, func(o, more map[string]any) {
		byID := map[string]map[string]any{}
		for _, r := range listOf(more["refunds"]) {
			id, _ := r["id"].(string)
			byID[id] = r
		}
		for _, r := range listOf(o["refunds"]) {
			id, _ := r["id"].(string)
			maps.Copy(r, byID[id])
		}
	}); err != nil {
		return err
	}
	return s.details(ctx, "order_returns", returned, func(o, more map[string]any) { o["returns"] = more["returns"] })
}

func (s *shop) details(ctx context.Context, name string, orders []map[string]any, merge func(o, more map[string]any)) error {
	for chunk := range slices.Chunk(orders, detailsAtOnce) {
		ids := make([]string, len(chunk))
		for i, o := range chunk {
			ids[i], _ = o["id"].(string)
		}
		found, err := s.nodes(ctx, s.l[name], ids)
		if err != nil {
			return err
		}
		for _, o := range chunk {
			id, _ := o["id"].(string)
			if found[id] == nil {
				return app.Errorf(app.CodeShopAnswer, "shopify: list orders", "%s went away meanwhile", id)
			}
			merge(o, found[id])
		}
	}
	return nil
}
