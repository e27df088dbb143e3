package woocommerce_test

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"kvart/connectors/fakeshop/woo"
	"kvart/connectors/rest"
	"kvart/connectors/woocommerce"
)

// A list that is cut off goes on behind the last record that was kept, however
// many of those before it have been deleted since.
func TestShop_List_resumedAfterDeletions(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"orders", "order_notes"} {
		b := newBench(t)
		stock(b.shop, 0, 450, 0)
		orders := b.shop.IDs("orders")
		slices.Sort(orders)
		for _, id := range orders {
			b.shop.Add("order_notes", woo.Record{"_parent": float64(id), "note": "Kund ringde"})
		}
		nap := func(context.Context, time.Duration) error { return nil }
		p := &woocommerce.Platform{Speed: 1e6, Nap: nap}
		k := p.Kinds()[slices.IndexFunc(p.Kinds(), func(k rest.Kind) bool { return k.Name == kind })]
		list := func(resume string, upTo int) (resumed string, seen map[string]bool) {
			s, err := p.Open(t.Context(), b.access, false)
			if err != nil {
				t.Fatal(err)
			}
			seen = map[string]bool{}
			for r, err := range s.List(t.Context(), k, rest.Query{Resume: resume}) {
				if err != nil {
					t.Fatal(err)
				}
				id := r.ID
				if kind == "order_notes" {
					id = r.Parent
				}
				if seen[id] = true; r.Resume != "" {
					resumed = r.Resume
				}
				if len(seen) > upTo {
					break
				}
			}
			return resumed, seen
		}
		at, first := list("", 300)
		b.shop.Purge("orders", orders[:250]...)
		_, rest := list(at, 1000)
		for _, id := range b.shop.IDs("orders") {
			if id := strconv.FormatInt(id, 10); !first[id] && !rest[id] {
				t.Errorf("%s: %s was passed over", kind, id)
			}
		}
		if len(rest) > 200 {
			t.Errorf("%s: %d read again", kind, len(rest))
		}
	}
}
