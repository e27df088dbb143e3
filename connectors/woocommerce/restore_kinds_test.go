package woocommerce_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
)

// Orders are an archive: they are made again only for owners who ask, and then
// the stock is set right.
func TestEngine_Apply_orders(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, _ := stock(b.shop, 3, 0, 0)
	b.shop.Change("products", prods[0], woo.Record{"manage_stock": true, "stock_quantity": 10.0})
	line := woo.Record{"id": 1.0, "name": "Mugg", "product_id": float64(prods[0]), "variation_id": 0.0, "quantity": 2.0, "subtotal": "258.00", "total": "258.00"}
	order := b.shop.Add("orders", woo.Record{"line_items": []any{line}, "number": "1001"})
	point, _ := b.point()
	b.clock.pass(14 * time.Hour)
	b.shop.Purge("orders", order)
	b.point()
	plan := b.restore(point)
	if plan.Create != 0 || plan.Manual == 0 || !hasCode(plan.Warnings, app.CodeEffectManual) || len(b.shop.IDs("orders")) != 0 {
		t.Errorf("plan %+v, %d orders", plan, len(b.shop.IDs("orders")))
	}
	b.access.Source.Settings["restore_orders"] = "true"
	plan = b.restore(point)
	if plan.Create != 1 || !hasCode(plan.Warnings, app.CodeEffectMails) || !hasCode(plan.Warnings, app.CodeEffectStock) || len(b.shop.IDs("orders")) != 1 {
		t.Errorf("plan %+v, %d orders", plan, len(b.shop.IDs("orders")))
	}
	if got := b.shop.Get("products", prods[0])["stock_quantity"]; got != 10.0 {
		t.Errorf("the stock is %v", got)
	}
}

// A picture that is gone is sent again, and shown where it was shown.
func TestEngine_Apply_media(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, _ := stock(b.shop, 10, 0, 0)
	url := b.shop.AddFile("mugg.jpg", []byte("en bild"))
	media := b.shop.Add("media", woo.Record{"slug": "mugg", "source_url": url, "alt_text": "En mugg"})
	b.shop.Change("products", prods[0], woo.Record{"images": []any{woo.Record{"id": float64(media), "src": url, "name": "mugg", "alt": ""}}})
	point, _ := b.point()
	b.clock.pass(14 * time.Hour)
	b.shop.Purge("media", media)
	b.shop.RemoveFile("mugg.jpg")
	b.shop.Change("products", prods[0], woo.Record{"images": []any{}})
	b.point()
	b.restore(point)
	images, _ := b.shop.Get("products", prods[0])["images"].([]any)
	if len(images) != 1 || images[0].(woo.Record)["id"] == float64(media) {
		t.Fatalf("images %v", images)
	}
	made := b.shop.Get("media", int64(images[0].(woo.Record)["id"].(float64)))
	if made["alt_text"] != "En mugg" || !strings.HasSuffix(made["source_url"].(string), "mugg.jpg") {
		t.Errorf("picture %v", made)
	}
}

// Everything that is configured goes back too.
func TestEngine_Apply_configuration(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 3, 0, 0)
	attr := b.shop.Add("attributes", woo.Record{"name": "Färg", "slug": "pa_farg"})
	term := b.shop.Add("attribute_terms", woo.Record{"_parent": float64(attr), "name": "Blå", "slug": "bla"})
	tax := b.shop.Add("taxes", woo.Record{"name": "Moms"})
	page := b.shop.Add("pages", woo.Record{"slug": "om", "title": woo.Record{"raw": "Om", "rendered": "<p>Om</p>"}})
	coupon := b.shop.Add("coupons", woo.Record{"code": "host20", "amount": "20.00"})
	point, _ := b.point()
	b.clock.pass(14 * time.Hour)
	zone := b.shop.IDs("shipping_zones")[0]
	b.shop.Purge("shipping_zone_methods", b.shop.IDs("shipping_zone_methods")...)
	b.shop.Purge("shipping_zones", zone)
	b.shop.Purge("attribute_terms", term)
	b.shop.Purge("taxes", tax)
	b.shop.Trash("pages", page)
	b.shop.Trash("coupons", coupon)
	b.point()
	plan := b.restore(point)
	if plan.Create != 5 || plan.Republish != 2 {
		t.Errorf("plan %+v", plan)
	}
	now, _ := b.point()
	for kind, n := range map[string]int{"shipping_zones": 1, "shipping_zone_methods": 1, "shipping_zone_locations": 1, "attribute_terms": 1, "taxes": 1, "pages": 1, "coupons": 1} {
		if in(now, kind) != n {
			t.Errorf("%d %s", in(now, kind), kind)
		}
	}
}

// A way of shipping that was made, and could not be set up then, is gone on with
// and made no second time, and an undo takes it away.
func TestEngine_Apply_halfMade(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	before := b.shop.IDs("shipping_zone_methods")
	b.shop.Change("shipping_zone_methods", before[0], woo.Record{"enabled": false})
	point, _ := b.point()
	b.clock.pass(14 * time.Hour)
	b.shop.Purge("shipping_zone_methods", before...)
	without := b.safety()
	b.shop.Fault = func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut || !strings.Contains(r.URL.Path, "/methods/") {
			return false
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"code":"woocommerce_rest_cannot_edit","message":"no","data":{"status":403}}`))
		return true
	}
	r := app.Restore{Access: b.access, From: point}
	if err := b.e.Apply(t.Context(), r, silent{}); err == nil {
		t.Fatal("the shop refused nothing")
	}
	b.shop.Fault = nil
	if err := b.e.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	if n := len(b.shop.IDs("shipping_zone_methods")); n != 1 {
		t.Errorf("%d ways of shipping", n)
	}
	b.verify(r)
	b.undo(point, without)
	if n := len(b.shop.IDs("shipping_zone_methods")); n != 0 {
		t.Errorf("%d ways of shipping after the undo", n)
	}
}
