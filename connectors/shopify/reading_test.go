package shopify

import (
	"fmt"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
)

// wronged is a shop of which all prices were changed after a point, and whose
// safety point was just taken.
func wronged(t *testing.T, o fake.Options, products, variants int) (g *guarded, r app.Restore, ids [][]string) {
	t.Helper()
	g = newGuardedOf(t, o)
	for i := range products {
		_, vs := g.fake.AddProduct(fmt.Sprintf("vara-%d", i), variants)
		ids = append(ids, vs)
		for _, v := range vs {
			g.fake.Change(v, fake.Object{"price": "129.00"})
		}
	}
	g.clock.add(time.Hour)
	r = app.Restore{Access: g.access, From: g.point(t)}
	g.clock.add(20 * time.Minute)
	for _, vs := range ids {
		for _, v := range vs {
			g.fake.Change(v, fake.Object{"price": "1.00"})
		}
	}
	g.clock.add(time.Hour)
	return g, r, ids
}

// safety takes the safety point of a restore.
func (g *guarded) safety(t *testing.T) {
	t.Helper()
	c, err := g.engine.Present(t.Context(), g.access)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	g.clock.add(time.Minute)
	g.fake.Forget()
}

// TestRestore_prices puts prices back that were compared a moment ago: each
// product is written, and not read before it once more. One with another list of
// variants is read, since the shop deletes what a list leaves out.
func TestRestore_prices(t *testing.T) {
	t.Parallel()
	g, r, ids := wronged(t, fake.Options{}, 5, 3)
	for _, lists := range []int{0, 1} {
		if lists > 0 {
			g.fake.Delete(ids[4][2], "Robin")
			g.fake.Change(ids[3][0], fake.Object{"price": "1.00"})
			g.clock.add(time.Hour)
		}
		g.safety(t)
		if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
			t.Fatal(err)
		}
		if calls := g.requests(); calls["VariantsUpdate"] != 5-4*lists || calls["ProductState"] != lists || calls["ProductSet"] != lists {
			t.Errorf("calls %v", calls)
		}
	}
	for _, v := range g.fake.All("ProductVariant") {
		if v["price"] != "129.00" {
			t.Errorf("variant %v costs %v", v["id"], v["price"])
		}
	}
	if n := len(g.fake.All("ProductVariant")); n != 15 {
		t.Errorf("%d variants", n)
	}
	g.verify(t, r)
}

// TestRestore_gathered puts so much back that reading it again by ids would wait
// for points: it is checked by what a bulk operation reads, after the writing.
func TestRestore_gathered(t *testing.T) {
	t.Parallel()
	g, r, ids := wronged(t, fake.Options{Rate: 10, Bucket: 1000}, 210, 1)
	g.safety(t)
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	g.fake.Change(ids[7][0], fake.Object{"price": "2.00"})
	g.fake.Forget()
	checks, err := g.engine.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for _, c := range checks {
		if !c.OK {
			wrong++
		}
	}
	if calls := g.requests(); wrong != 1 || calls["ProductsByID"] > 0 || calls["BulkStart"] != 2 {
		t.Errorf("checks %+v, calls %v", checks, calls)
	}
}

// TestRestore_gatheredStock makes many variants again, whose stock is compared by
// what a bulk operation reads, and set without reading it once more.
func TestRestore_gatheredStock(t *testing.T) {
	t.Parallel()
	g, r := manyGone(t, fewBulk, 3)
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	if calls := g.requests(); calls["InventoryState"] > 0 || calls["BulkStart"] == 0 || calls["InventorySet"] == 0 {
		t.Errorf("calls %v", calls)
	}
	for _, p := range g.fake.All("Product") {
		if got := stockOf(g.fake, p); got != "10/0 11/0 12/0" {
			t.Fatalf("stock of %s: %s", p["handle"], got)
		}
	}
	g.verify(t, r)
}
