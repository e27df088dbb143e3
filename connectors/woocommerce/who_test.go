package woocommerce_test

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
)

// Who set an order to completed is told by the note at the order.
func TestEngine_Diff_who(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	id := b.shop.Add("orders", woo.Record{"status": "processing"})
	before, _ := b.point()
	b.clock.pass(27 * time.Hour) // notes are read at night
	b.shop.Change("orders", id, woo.Record{"status": "completed"})
	b.shop.Add("order_notes", woo.Record{"_parent": float64(id), "note": "Order status changed from processing to completed.", "author": "Robin"})
	b.clock.pass(20 * time.Minute)
	after, _ := b.point()
	changes, err := b.e.Diff(t.Context(), before, after, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, c := range changes {
		if strings.HasPrefix(c.Path, "orders/") || strings.HasPrefix(c.Path, "order_notes/") {
			seen++
			if c.By != "Robin" || c.At == nil {
				t.Errorf("%s %s by %q at %v", c.Kind, c.Path, c.By, c.At)
			}
		} else if c.By != "" {
			t.Errorf("%s by %q", c.Path, c.By)
		}
		if c.Kind == app.ChangeChanged && len(c.Fields) > 0 && strings.HasPrefix(c.Path, "orders/") && c.Fields[0].By != "Robin" {
			t.Errorf("fields %+v", c.Fields)
		}
	}
	if seen != 2 {
		t.Errorf("changes %+v", changes)
	}
}
