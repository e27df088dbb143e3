package shopify

import (
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
)

// A shop's goods are known by name, price and picture, its orders by number, its
// customers by name; and one record is asked for by itself.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, variants := g.fake.AddProduct("sjal", 1)
	g.fake.Change(product, fake.Object{"title": "Sjal, blå", "descriptionHtml": "<p>Varm &amp; skön</p>"})
	customer := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	order := g.fake.AddOrder("#1001", customer, product, variants[0], time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	g.clock.add(time.Hour)
	point := g.point(t)
	c, err := g.engine.Catalogue(t.Context(), point, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	one := func(shelf, text string) app.Record {
		t.Helper()
		p, err := c.Records(t.Context(), shelf, text, 0, 9)
		if err != nil || len(p.Records) != 1 {
			t.Fatalf("%s %q: %+v, %v", shelf, text, p, err)
		}
		return p.Records[0]
	}
	if r := one("products", "SJAL-1"); r.Title != "Sjal, blå" || r.Under != "100.00 SEK · sjal-1" || r.Picture == "" || r.Path != g.path(t, point, kindProducts, product) {
		t.Errorf("product %+v", r)
	}
	if r := one("orders", "1001"); r.Title != "#1001" || r.Under != "Kim Ek · 100.00 SEK" || r.Path != g.path(t, point, kindOrders, order) {
		t.Errorf("order %+v", r)
	}
	if r := one("customers", "ek"); r.Title != "Kim Ek" || r.Under != "kim@example.com" {
		t.Errorf("customer %+v", r)
	}
	path := one("products", "").Path
	_, fields, err := c.Record(t.Context(), path)
	if err != nil || fields[0].Name != "title" || fields[0].Value != "Sjal, blå" {
		t.Errorf("%+v, %v", fields, err)
	}
	for _, f := range fields {
		if f.Name == "descriptionHtml" && f.Value != "Varm & skön" {
			t.Errorf("description %q", f.Value)
		}
	}
	_, live, err := g.engine.LiveRecord(t.Context(), g.access, point, path)
	if err != nil || len(live) != len(fields) {
		t.Fatalf("live %+v, %v", live, err)
	}
	for i, f := range live {
		if f != fields[i] {
			t.Errorf("nothing changed, and %s is %q, not %q", f.Name, f.Raw, fields[i].Raw)
		}
	}
	g.fake.Delete(product, "Robin")
	if _, _, err := g.engine.LiveRecord(t.Context(), g.access, point, path); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("deleted: %v", err)
	}
}
