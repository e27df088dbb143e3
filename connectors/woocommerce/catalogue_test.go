package woocommerce_test

import (
	"testing"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
)

// A shop's goods are known by name, price and picture, its orders by number, its
// customers by name; and one record is asked for by itself.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	picture := b.shop.AddFile("kopp.jpg", []byte("en kopp"))
	cup := b.shop.Add("products", woo.Record{"name": "Blå kopp &amp; fat", "sku": "KOPP-1", "regular_price": "129.00", "images": []any{woo.Record{"id": float64(1), "src": picture}}})
	order := b.shop.Add("orders", woo.Record{"total": "49.00"})
	b.shop.Add("customers", woo.Record{"email": "asa@example.com", "username": "asa", "first_name": "Åsa", "last_name": "Öst"})
	point, _ := b.point()
	c, err := b.e.Catalogue(t.Context(), point, t.TempDir())
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
	if r := one("products", "kopp-1"); r.Title != "Blå kopp & fat" || r.Under != "129.00 · KOPP-1" || r.Picture == "" || string(point[r.Picture].Data) != "en kopp" {
		t.Errorf("product %+v", r)
	}
	if r := one("orders", "sjöström"); r.Under != "Åsa Sjöström · 49.00 SEK" || r.Title[0] != '#' {
		t.Errorf("order %+v", r)
	}
	if r := one("customers", "ASA@"); r.Title != "Åsa Öst" || r.Under != "asa@example.com" {
		t.Errorf("customer %+v", r)
	}
	for _, shelf := range []string{"products", "orders", "customers"} {
		path := one(shelf, "").Path
		_, fields, err := c.Record(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		_, live, err := b.e.LiveRecord(t.Context(), b.access, point, path)
		if err != nil || len(live) != len(fields) {
			t.Fatalf("%s: live %+v, %v", shelf, live, err)
		}
		for i, f := range live {
			if f != fields[i] {
				t.Errorf("nothing changed, and %s is %q, not %q", f.Name, f.Raw, fields[i].Raw)
			}
		}
	}
	product, gone := one("products", "").Path, one("orders", "").Path
	b.shop.Trash("products", cup)
	b.shop.Purge("orders", order)
	for _, path := range []string{product, gone} {
		if _, _, err := b.e.LiveRecord(t.Context(), b.access, point, path); app.CodeOf(err) != app.CodePathUnknown {
			t.Errorf("%s is not there: %v", path, err)
		}
	}
}
