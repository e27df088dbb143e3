package woocommerce_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
)

func TestEngine_Capture_first(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, custs := stock(b.shop, 230, 120, 105)
	picture := b.shop.AddFile("mugg.jpg", []byte("en bild"))
	media := b.shop.Add("media", woo.Record{"slug": "mugg", "source_url": picture})
	b.shop.Change("products", prods[0], woo.Record{"images": []any{woo.Record{"id": float64(media), "src": picture, "name": "mugg", "alt": ""}}})
	mother := b.shop.Add("products", woo.Record{"type": "variable", "name": "Tröja", "slug": "troja"})
	v := b.shop.Add("variations", woo.Record{"parent_id": float64(mother), "sku": "T-S"})
	b.shop.Add("pages", woo.Record{"slug": "om", "title": woo.Record{"raw": "Om oss", "rendered": "Om oss"}})

	point, problems := b.point()
	if len(problems) > 0 {
		t.Errorf("problems %v", problems)
	}
	want := map[string]int{
		"products": 231, "orders": 120, "customers": 105, "variations": 1, "pages": 1, "library": 1, "media": 2, "settings": 2, "tax_classes": 3,
		"shipping_zones": 1, "shipping_zone_locations": 1, "shipping_zone_methods": 1, "payment_gateways": 1, "users": 1, "system_status": 1, "categories": 2,
	}
	for kind, n := range want {
		if got := in(point, kind); got != n {
			t.Errorf("%s: %d records, want %d", kind, got, n)
		}
	}
	if r := record(t, point, "variations", v); r["_parent"] != fmt.Sprint(mother) {
		t.Errorf("the variation's parent is %v", r["_parent"])
	}
	for at, f := range point {
		if strings.HasPrefix(at, "media/") && strings.HasSuffix(at, ".jpg") && string(f.Data) != "en bild" {
			t.Errorf("picture %q", f.Data)
		}
		if s := string(f.Data); strings.Contains(s, "_links") || strings.Contains(s, woo.Password) {
			t.Errorf("%s holds what it should not:\n%s", at, s)
		}
	}
	_ = custs

	b.clock.pass(15 * time.Minute)
	c, err := b.e.Capture(t.Context(), b.access, b.marker)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Idle {
		t.Error("not idle though nothing moved")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// A quarter of trade in a large shop asks little and has the vault read little.
func TestEngine_Capture_quarter(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, _ := stock(b.shop, 600, 300, 250)
	b.clock.pass(time.Hour) // what is new is old by now
	b.point()
	b.clock.pass(15 * time.Minute)
	orders := b.shop.IDs("orders")
	for i := range 100 {
		b.shop.Change("orders", orders[i*3], woo.Record{"status": "completed"})
		b.shop.Change("products", prods[i*6], woo.Record{"regular_price": "99.00"})
	}
	b.shop.Requests()
	c, err := b.e.Capture(t.Context(), b.access, b.marker)
	if err != nil || c.Idle {
		t.Fatal(c, err)
	}
	if err := c.Close(); err != nil { // the agent only looks
		t.Fatal(err)
	}
	point, problems := b.point()
	asked := b.shop.Requests()
	if len(asked) > 25 {
		t.Errorf("%d requests:\n%s", len(asked), strings.Join(asked, "\n"))
	}
	if b.opened < 200 || b.opened > 205 || len(problems) > 0 {
		t.Errorf("%d of %d items opened, problems %v", b.opened, len(point), problems)
	}
	if got := record(t, point, "products", prods[6])["regular_price"]; got != "99.00" {
		t.Errorf("price %v", got)
	}
	t.Logf("%d requests, %d of %d items opened", len(asked), b.opened, len(point))

	// the mirror is disposable: without it the vault still reads nothing twice
	b.forget()
	point, _ = b.point()
	if b.opened > 2 || in(point, "products") != 600 {
		t.Errorf("%d items opened after the mirror was lost", b.opened)
	}
}

// What is put into the trash is gone at once, what is deleted for good with
// the next sweep, and never more than a fifth at once.
func TestEngine_Capture_deletions(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, _ := stock(b.shop, 100, 0, 0)
	b.point()
	b.clock.pass(15 * time.Minute)
	b.shop.Trash("products", prods[0])
	b.shop.Purge("products", prods[1])
	point, problems := b.point()
	if n := in(point, "products"); n != 99 || len(problems) > 0 {
		t.Errorf("%d products, problems %v", n, problems)
	}
	b.clock.pass(14 * time.Hour) // two in the morning
	if point, _ = b.point(); in(point, "products") != 98 {
		t.Errorf("%d products after the sweep", in(point, "products"))
	}

	b.clock.pass(24 * time.Hour)
	b.shop.Purge("products", prods[10:40]...)
	point, problems = b.point()
	if in(point, "products") != 98 || problems["products.missing"] != app.CodeShopShrunk {
		t.Errorf("%d products, problems %v", in(point, "products"), problems)
	}
	if safety := b.safety(); in(safety, "products") != 68 {
		t.Errorf("the present state has %d products", in(safety, "products"))
	}
	// it stays so until the owner has answered
	b.clock.pass(15 * time.Minute)
	if point, problems = b.point(); in(point, "products") != 98 || len(problems) != 1 {
		t.Errorf("%d products, problems %v", in(point, "products"), problems)
	}
	if err := b.e.AcceptGone(t.Context(), b.access, ""); err != nil {
		t.Fatal(err)
	}
	if point, problems = b.point(); in(point, "products") != 68 || len(problems) > 0 {
		t.Errorf("%d products, problems %v", in(point, "products"), problems)
	}
}

// An answer that is none is never a deletion: the kind is not captured, what
// was known of it stays, and the reason is told.
func TestEngine_Capture_truth(t *testing.T) {
	t.Parallel()
	answer := func(status int, typ, body string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", typ)
			w.WriteHeader(status)
			_, _ = w.Write([]byte(body))
		}
	}
	const refusal = `{"code":"woocommerce_rest_cannot_view","message":"Sorry","data":{"status":401}}`
	tests := map[string]struct {
		with   func(http.ResponseWriter)
		tamper func(h http.Header, body []byte) []byte
		want   app.Code
	}{
		"401":               {with: answer(401, "application/json", refusal), want: app.CodeShopScope},
		"403":               {with: answer(403, "application/json", refusal), want: app.CodeShopScope},
		"403 of a firewall": {with: answer(403, "text/html", "<html>Blocked</html>"), want: app.CodeShopAnswer},
		"500":               {with: answer(500, "text/html", "<html>Fel</html>"), want: app.CodeShopAnswer},
		"502":               {with: answer(502, "text/plain", ""), want: app.CodeShopAnswer},
		"a page":            {with: answer(200, "text/html", "<!DOCTYPE html><html>Underhåll</html>"), want: app.CodeShopAnswer},
		"nothing":           {with: answer(200, "application/json", ""), want: app.CodeShopAnswer},
		"an object":         {with: answer(200, "application/json", `{"ok":true}`), want: app.CodeShopAnswer},
		"no such route":     {with: answer(404, "application/json", `{"code":"rest_no_route","message":"","data":{"status":404}}`), want: app.CodeKindMissing},
		"an empty list":     {with: answer(200, "application/json", `[]`), want: app.CodeShopAnswer},
		"cut off": {tamper: func(h http.Header, body []byte) []byte {
			return body[:len(body)/2]
		}, want: app.CodeShopAnswer},
		"a short list": {tamper: func(h http.Header, body []byte) []byte {
			h.Set("X-WP-Total", "500")
			return body
		}, want: app.CodeShopAnswer},
		"a count of none": {tamper: func(h http.Header, body []byte) []byte {
			h.Set("X-WP-Total", "0")
			return []byte(`[]`)
		}, want: app.CodeShopShrunk},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			stock(b.shop, 12, 30, 8)
			b.point()
			bad := func(r *http.Request) bool {
				return r.URL.Path == "/wp-json/wc/v3/products/categories" || r.URL.Path == "/wp-json/wc/v3/customers"
			}
			for range 3 {
				b.shop.Add("categories", woo.Record{"name": "Ny", "slug": fmt.Sprint("ny-", len(b.shop.IDs("categories")))})
			}
			before, _ := b.point()
			b.clock.pass(14 * time.Hour)
			b.shop.Do(func() {
				if tt.with != nil {
					b.shop.Fault = func(w http.ResponseWriter, r *http.Request) bool {
						if bad(r) {
							tt.with(w)
						}
						return bad(r)
					}
				}
				if tt.tamper != nil {
					b.shop.Tamper = func(r *http.Request, _ int, h http.Header, body []byte) []byte {
						if bad(r) {
							return tt.tamper(h, body)
						}
						return body
					}
				}
			})
			after, problems := b.point()
			for _, kind := range []string{"categories", "customers"} {
				if in(after, kind) != in(before, kind) || problems[kind+".missing"] != tt.want {
					t.Errorf("%s: %d records of %d, problem %q, want %q", kind, in(after, kind), in(before, kind), problems[kind+".missing"], tt.want)
				}
			}
			if len(problems) != 2 {
				t.Errorf("problems %v", problems)
			}
			c, err := b.e.Capture(t.Context(), b.access, b.marker)
			if err != nil || c.Idle {
				t.Errorf("a capture that lacks something is idle: %v", err)
			} else if err := c.Close(); err != nil {
				t.Error(err)
			}
			b.shop.Do(func() { b.shop.Fault, b.shop.Tamper = nil, nil })
			b.clock.pass(24 * time.Hour)
			if after, problems = b.point(); len(problems) > 0 || in(after, "customers") != 8 {
				t.Errorf("not well again: %v", problems)
			}
		})
	}
}

func TestEngine_Capture_redacted(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, custs := stock(b.shop, 1, 4, 4)
	b.point()
	b.clock.pass(14 * time.Hour)
	b.shop.Change("customers", custs[0], woo.Record{"email": "k***@example.com"})
	point, problems := b.point()
	if problems["customers.missing"] != app.CodeShopRedacted || record(t, point, "customers", custs[0])["email"] != "kund0@example.com" {
		t.Errorf("problems %v, customer %v", problems, record(t, point, "customers", custs[0]))
	}
}

// A shop that refuses everything fails as a whole, and says why.
func TestEngine_Capture_refused(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.access.Secrets["password"] = app.NewSecret("falskt")
	_, err := b.e.Capture(t.Context(), b.access, "")
	if app.CodeOf(err) != app.CodeSourceDenied {
		t.Errorf("wrong password: %v", err)
	}
	if _, err := b.e.Check(t.Context(), b.access); app.CodeOf(err) != app.CodeSourceDenied {
		t.Errorf("wrong password: %v", err)
	}
	b.access.Secrets = app.Secrets{}
	if _, err = b.e.Check(t.Context(), b.access); app.CodeOf(err) != app.CodeSecretMissing {
		t.Errorf("no password: %v", err)
	}
	b.access.Source.Settings["url"] = "http://butik.example"
	if _, err = b.e.Check(t.Context(), b.access); app.CodeOf(err) != app.CodeSourcePlain {
		t.Errorf("not encrypted: %v", err)
	}
}

// A first capture that is killed goes on where it was.
func TestEngine_Capture_killed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 40, 1200, 30)
	killed := errors.New("killed")
	ctx, cancel := context.WithCancelCause(t.Context())
	b.shop.Do(func() {
		b.shop.Tamper = func(r *http.Request, _ int, _ http.Header, body []byte) []byte {
			if q := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/orders") && q.Get("_fields") == "" && q.Get("offset") == "990" {
				cancel(killed)
			}
			return body
		}
	})
	if _, err := b.e.Capture(ctx, b.access, ""); app.CodeOf(err) != app.CodeCanceled {
		t.Fatalf("capture: %v", err)
	}
	b.shop.Do(func() { b.shop.Tamper = nil })
	b.shop.Requests()
	b.renew()
	point, problems := b.point()
	if in(point, "orders") != 1200 || in(point, "products") != 40 || in(point, "customers") != 30 || len(problems) > 0 {
		t.Errorf("%d orders, problems %v", in(point, "orders"), problems)
	}
	var again int
	for _, r := range b.shop.Requests() {
		if strings.HasPrefix(r, "GET wc/v3/orders?") && !strings.Contains(r, "_fields") {
			again++
		}
	}
	if again == 0 || again > 8 { // of 13, as some more were under way
		t.Errorf("%d pages of orders were asked for again", again)
	}
}

// A shop that asks for patience gets it.
func TestEngine_Capture_patience(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 300, 0, 0)
	var n atomic.Int64 // several are asked at once
	b.shop.Do(func() {
		b.shop.Fault = func(w http.ResponseWriter, r *http.Request) bool {
			if n.Add(1)%3 != 0 {
				return false
			}
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
	})
	point, problems := b.point()
	if in(point, "products") != 300 || len(problems) > 0 {
		t.Errorf("%d products, problems %v", in(point, "products"), problems)
	}
	b.shop.Do(func() {
		b.shop.Fault = func(w http.ResponseWriter, r *http.Request) bool {
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
	})
	if _, err := b.e.Capture(t.Context(), b.access, ""); app.CodeOf(err) != app.CodeSourceBusy {
		t.Errorf("a shop that is always busy: %v", err)
	}
}

// The newest order's number, as the customer knows it, comes with each point.
func TestEngine_Capture_newestOrder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 1, 12, 1)
	c, err := b.e.Capture(t.Context(), b.access, "")
	if err != nil {
		t.Fatal(err)
	}
	b.store(c)
	ids := b.shop.IDs("orders")
	if got, want := c.Stats()[app.StatNewestOrder], ids[len(ids)-1]; got != want {
		t.Errorf("newest %d, want %d", got, want)
	}
}
