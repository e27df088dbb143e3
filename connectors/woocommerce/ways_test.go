package woocommerce_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
	"kvart/connectors/rest"
	"kvart/connectors/woocommerce"
)

// Every way in that a shop offers is taken.
func TestPlatform_Open_ways(t *testing.T) {
	t.Parallel()
	password := app.Secrets{"password": app.NewSecret(woo.Password)}
	keys := app.Secrets{"consumer_key": app.NewSecret(woo.Key), "consumer_secret": app.NewSecret(woo.Secret)}
	tests := map[string]struct {
		tls     bool
		user    string
		secrets app.Secrets
		pages   int
	}{
		"application password, encrypted": {tls: true, user: woo.User, secrets: password, pages: 1},
		"application password, plain":     {user: woo.User, secrets: password, pages: 1},
		"keys, encrypted":                 {tls: true, secrets: keys},
		"keys, plain: signed":             {secrets: keys},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			var transport http.RoundTripper
			if tt.tls {
				shop, client := woo.NewTLS(t)
				b.shop, transport = shop, client.Transport
				b.shop.Now = b.clock.Now
			}
			b.e = rest.New(&woocommerce.Platform{Speed: 1e6, Transport: transport}, rest.Options{Dir: b.dir, Now: b.clock.Now})
			b.access.Source.Settings = map[string]string{"url": b.shop.URL, "user": tt.user}
			b.access.Secrets = tt.secrets
			prods, _ := stock(b.shop, 3, 0, 0)
			b.shop.Add("pages", woo.Record{"slug": "om"})
			info, err := b.e.Check(t.Context(), b.access)
			if err != nil || info.Details["version"] != "11.0.1" || info.Details["missing"] != "" {
				t.Fatalf("info %+v: %v", info, err)
			}
			point, problems := b.point()
			if in(point, "products") != 3 || in(point, "pages") != tt.pages || len(problems) > 0 {
				t.Errorf("%d products, %d pages, problems %v", in(point, "products"), in(point, "pages"), problems)
			}
			b.clock.pass(15 * time.Minute)
			b.shop.Change("products", prods[0], woo.Record{"regular_price": "1"})
			b.restore(point, "products")
			if got := b.shop.Get("products", prods[0])["regular_price"]; got != "129.00" {
				t.Errorf("it costs %v", got)
			}
		})
	}
}

// A shop without pretty addresses and an old one work too.
func TestShop_oldAndPlain(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.shop.Do(func() { b.shop.Old, b.shop.Plain = true, true })
	stock(b.shop, 3, 2, 1)
	mother, sizes := variable(b.shop, "S", "M")
	order := b.shop.IDs("orders")[0]
	refund := b.shop.Add("refunds", woo.Record{"parent_id": float64(order)})
	b.shop.Change("orders", order, woo.Record{"refunds": []any{woo.Record{"id": float64(refund)}}})
	b.shop.Add("order_notes", woo.Record{"_parent": float64(order), "note": "Kund ringde"})
	point, problems := b.point()
	if in(point, "variations") != 2 || in(point, "refunds") != 1 || in(point, "order_notes") != 1 || len(problems) > 0 {
		t.Errorf("%d variations, %d refunds, %d notes, problems %v", in(point, "variations"), in(point, "refunds"), in(point, "order_notes"), problems)
	}
	b.clock.pass(time.Hour)
	b.shop.Change("variations", sizes[1], woo.Record{"regular_price": "1"})
	now, _ := b.point()
	if got := record(t, now, "variations", sizes[1])["regular_price"]; got != "1" {
		t.Errorf("the variation costs %v", got)
	}
	b.shop.Trash("products", mother)
	b.restore(point, path(t, point, "products", mother))
	if got := b.shop.Get("variations", sizes[1]); got["status"] != "publish" || got["regular_price"] != "299.00" {
		t.Errorf("the variation is %v and costs %v", got["status"], got["regular_price"])
	}
}

// Check tells which rights are missing.
func TestEngine_Check_rights(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.shop.Do(func() { b.shop.Denied = []string{"wc/v3/orders", "wc/v3/settings", "wp/v2/menus"} })
	info, err := b.e.Check(t.Context(), b.access)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"orders", "settings", "menus"} {
		if !strings.Contains(info.Details["missing"], kind) {
			t.Errorf("%s is not among %q", kind, info.Details["missing"])
		}
	}
	if !strings.Contains(info.Details["rights"], "read_private_shop_orders") || strings.Contains(info.Details["missing"], "products") {
		t.Errorf("details %v", info.Details)
	}
	_, problems := b.point()
	for _, kind := range []string{"orders", "settings", "menus", "refunds", "order_notes"} {
		want := app.CodeShopScope
		if kind == "refunds" {
			want = ""
		}
		if problems[kind+".missing"] != want {
			t.Errorf("%s: problem %q", kind, problems[kind+".missing"])
		}
	}
}

// Credentials go to the shop and to nobody else.
func TestClient_redirect(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard <- r.Header.Get("Authorization") }))
	t.Cleanup(thief.Close)
	b := newBench(t)
	b.shop.Do(func() {
		b.shop.Fault = func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusFound)
			return true
		}
	})
	if _, err := b.e.Check(t.Context(), b.access); app.CodeOf(err) != app.CodeSourceGone {
		t.Errorf("check: %v", err)
	}
	if len(heard) > 0 {
		t.Errorf("somebody else heard %q", <-heard)
	}
	b.shop.Do(func() { b.shop.Fault = nil })
	b.access.Source.Settings["url"] = "http://127.0.0.1:1"
	_, err := b.e.Check(t.Context(), b.access)
	if app.CodeOf(err) != app.CodeSourceOffline || strings.Contains(err.Error(), woo.Password) {
		t.Errorf("offline: %v", err)
	}
}

// With the mirror lost and a kind refused, what the newest backup holds of it
// stays in the next.
func TestEngine_Capture_seeded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 20, 15, 9)
	url := b.shop.AddFile("mugg.jpg", []byte("en bild"))
	b.shop.Add("media", woo.Record{"slug": "mugg", "source_url": url})
	point, _ := b.point()
	b.forget()
	b.clock.pass(time.Hour)
	b.shop.Do(func() { b.shop.Denied = []string{"wc/v3/orders"} })
	b.access.Newest = nil
	closed := 0
	b.access.Newest = newest(point, &closed)
	after, problems := b.point()
	if in(after, "orders") != 15 || problems["orders.missing"] != app.CodeShopScope || closed != 1 {
		t.Errorf("%d orders, problems %v, closed %d times", in(after, "orders"), problems, closed)
	}
	if b.opened > 3 || in(after, "media") != in(point, "media") {
		t.Errorf("%d items opened, %d media of %d", b.opened, in(after, "media"), in(point, "media"))
	}
}

// Every kind and way has words in every language.
func TestPlatform_words(t *testing.T) {
	t.Parallel()
	for _, l := range []string{"sv", "en"} {
		words := map[string]string{}
		for _, area := range []string{"shop", "woocommerce"} {
			text, err := os.ReadFile(fmt.Sprintf("../../assets/lang/%s.%s.json", area, l))
			if err == nil {
				err = json.Unmarshal(text, &words)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		p := &woocommerce.Platform{}
		seen := map[string]bool{"media": true}
		for _, k := range p.Kinds() {
			for _, key := range []string{"shop.kind." + k.Name, "shop.changes." + string(k.Changes), "shop.restore." + string(k.Restore)} {
				if words[key] == "" {
					t.Errorf("%s has no words for %s", l, key)
				}
			}
			if seen[k.Name] {
				t.Errorf("%s comes twice, or may not be", k.Name)
			}
			if seen[k.Name] = true; k.Parent != "" && !seen[k.Parent] {
				t.Errorf("%s comes before its parent", k.Name)
			}
			for _, f := range append(append([]string{}, k.Keys...), k.Loose...) {
				if f == "" {
					t.Errorf("%s has an empty field", k.Name)
				}
			}
		}
		for _, f := range p.Spec().Fields {
			if words["source.woocommerce.field."+f.Key] == "" || words["source.woocommerce.field."+f.Key+".hint"] == "" {
				t.Errorf("%s has no words for the field %s", l, f.Key)
			}
		}
	}
}

// What a drill does: everything to a folder, and counted.
func TestEngine_Apply_toFolder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 20, 5, 5)
	c, err := b.e.Capture(t.Context(), b.access, "")
	if err != nil {
		t.Fatal(err)
	}
	point, _ := b.store(c)
	r := app.Restore{Access: b.access, From: point, Stats: c.Stats(), Target: app.Target{Dir: t.TempDir()}}
	b.shop.Requests()
	plan, err := b.e.Plan(t.Context(), r)
	if err != nil || plan.Create != int64(len(point)) || len(plan.Blockers) > 0 {
		t.Fatalf("plan %+v: %v", plan, err)
	}
	for range 2 {
		if err := b.e.Apply(t.Context(), r, silent{}); err != nil {
			t.Fatal(err)
		}
		b.verify(r)
	}
	if asked := b.shop.Requests(); len(asked) > 0 {
		t.Errorf("the shop was asked %v", asked)
	}
	r.Stats["kind.orders"]++
	checks, err := b.e.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	bad := errors.New("all is well")
	for _, c := range checks {
		if !c.OK {
			bad = nil
		}
	}
	if bad != nil {
		t.Error("a missing order was not noticed")
	}
}
