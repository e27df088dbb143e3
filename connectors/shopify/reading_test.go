package shopify

import (
	"fmt"
	"strings"
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
// for points: it is checked by what bulk operations read after the writing, of what
// changed since it began. What these searches miss is asked for.
func TestRestore_gathered(t *testing.T) {
	t.Parallel()
	for name, missed := range map[string]string{"": "", "a product": "Product", "a variant": "ProductVariant"} {
		g, r, ids := wronged(t, fake.Options{Rate: 10, Bucket: 1000}, 210, 1)
		g.safety(t)
		if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
			t.Fatal(err)
		}
		g.fake.Change(ids[7][0], fake.Object{"price": "2.00"})
		for _, typ := range []string{"Product", "ProductVariant"} {
			if o := g.fake.All(typ)[7]; typ == missed { // its time is as if it hadn't changed
				g.fake.ChangeQuietly(o["id"].(string), fake.Object{"updatedAt": "2026-11-01T00:00:00Z"})
			}
		}
		g.fake.Forget()
		before := len(g.fake.BulkQueries())
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
		alone := 0
		if missed != "" {
			alone = 1
		}
		calls, began := g.requests(), g.fake.BulkQueries()[before:]
		if wrong != 1 || calls["ProductsByID"] != alone || calls["InventoryByID"] > 0 || len(began) != 3 {
			t.Errorf("without %s: checks %+v, calls %v, bulk operations %q", name, checks, calls, began)
		}
		for _, q := range began {
			if !strings.Contains(q, "updated_at:>=") {
				t.Errorf("all is read: %s", q)
			}
		}
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

// TestCapture_manyChanged reads many records that changed together, by what changed
// and at no points, where the shop has room for that; what such a search does not
// tell whole is asked for.
func TestCapture_manyChanged(t *testing.T) {
	t.Parallel()
	for name, wrong := range map[string]fake.Object{"prices": {"price": "1.00"}, "titles": {"title": "Nytt namn"}, "busy": {"price": "1.00"}} {
		g := newGuardedOf(t, fake.Options{Rate: 10, Bucket: 1000})
		var changing []string
		for i := range 220 {
			p, vs := g.fake.AddProduct(fmt.Sprintf("vara-%d", i), 2)
			if i < 210 {
				if name == "titles" {
					vs = []string{p}
				}
				changing = append(changing, vs...)
			}
		}
		g.clock.add(time.Hour)
		g.point(t)
		g.clock.add(time.Hour)
		for _, id := range changing {
			g.fake.Change(id, wrong)
		}
		if name == "busy" {
			for i := range mostAhead {
				s := g.open(t)
				if op, said, err := s.c.tryBulk(t.Context(), s.l, fmt.Sprintf("{ pages(query: \"%d\") { edges { node { id } } } }", i)); op == nil || err != nil {
					t.Fatal(said, err)
				}
			}
		}
		g.fake.Forget()
		before := len(g.fake.BulkQueries())
		point := g.point(t)
		calls, began := g.requests(), g.fake.BulkQueries()[before:]
		for _, q := range began {
			if !strings.Contains(q, "updated_at:>=") {
				t.Errorf("%s: all is read: %s", name, q)
			}
		}
		if together := calls["ProductsByID"] == 0; together != (name == "prices") || name == "prices" && len(began) < 2 {
			t.Errorf("%s: calls %v, bulk operations %q", name, calls, began)
		}
		for i := 0; i < len(changing); i += 19 {
			id := changing[i]
			o := g.fake.Get(id)
			if p, ok := o["product"].(fake.Ref); ok {
				o = g.fake.Get(string(p))
			}
			body := string(read(t, point, g.path(t, point, kindProducts, o["id"].(string))))
			if !strings.Contains(body, "1.00") && !strings.Contains(body, "Nytt namn") || strings.Count(body, `"position"`) < 2 {
				t.Fatalf("%s: a change was missed: %s", name, body)
			}
		}
	}
}
