package woocommerce_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
)

// variable adds a product with variations.
func variable(s *woo.Shop, sizes ...string) (mother int64, variations []int64) {
	mother = s.Add("products", woo.Record{"type": "variable", "name": "Tröja", "slug": "troja", "sku": "T"})
	for _, size := range sizes {
		variations = append(variations, s.Add("variations", woo.Record{"parent_id": float64(mother), "sku": "T-" + size, "regular_price": "299.00"}))
	}
	return mother, variations
}

func TestEngine_Apply_trashed(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 30, 0, 0)
	mother, sizes := variable(b.shop, "S", "M")
	point, _ := b.point()
	b.clock.pass(15 * time.Minute)
	b.shop.Trash("products", mother)
	if after, _ := b.point(); in(after, "products") != 30 || in(after, "variations") != 0 {
		t.Fatalf("%d products, %d variations", in(after, "products"), in(after, "variations"))
	}
	before := b.safety()

	plan := b.restore(point, path(t, point, "products", mother))
	if plan.Republish != 3 || plan.Create != 0 || plan.Overwrite != 0 || plan.Manual != 0 || !plan.Exists {
		t.Errorf("plan %+v", plan)
	}
	for _, id := range sizes {
		if got := b.shop.Get("variations", id); got["status"] != "publish" {
			t.Errorf("variation %d is %v", id, got["status"])
		}
	}
	if got := b.shop.Get("products", mother); got["status"] != "publish" || got["slug"] != "troja" {
		t.Errorf("product is %v, %v", got["status"], got["slug"])
	}
	if b.shop.Mails() != 0 {
		t.Error("mails were sent")
	}
	b.undo(point, before)
	if got := b.shop.Get("products", mother); got["status"] != "trash" {
		t.Errorf("after the undo the product is %v", got["status"])
	}
}

func TestEngine_Apply_deletedForGood(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 30, 0, 0)
	mother, _ := variable(b.shop, "S", "M")
	friend := b.shop.Add("products", woo.Record{"slug": "van", "sku": "VAN", "upsell_ids": []any{float64(mother)}})
	b.shop.Change("products", mother, woo.Record{
		"date_created_gmt": "2024-01-02T03:04:05", "meta_data": []any{woo.Record{"id": 7.0, "key": "_hidden", "value": "x"}}, "cross_sell_ids": []any{float64(friend)},
	})
	point, _ := b.point()
	b.clock.pass(14 * time.Hour)
	b.shop.Purge("products", mother)
	b.shop.Change("products", friend, woo.Record{"upsell_ids": []any{}})
	b.point()
	before := b.safety()

	plan := b.restore(point, path(t, point, "products", mother))
	if plan.Create != 3 || plan.Republish != 0 || !hasCode(plan.Warnings, app.CodeEffectNumbers) {
		t.Errorf("plan %+v", plan)
	}
	var made woo.Record
	for _, id := range b.shop.IDs("products") {
		if r := b.shop.Get("products", id); r["slug"] == "troja" {
			made = r
		}
	}
	if made == nil || made["sku"] != "T" || made["date_created_gmt"] != "2024-01-02T03:04:05" {
		t.Fatalf("made %v", made)
	}
	meta := fmt.Sprint(made["meta_data"])
	if !strings.Contains(meta, fmt.Sprintf("key:_kvart_original_id value:%d", mother)) || !strings.Contains(meta, "_hidden") {
		t.Errorf("meta data %s", meta)
	}
	if n := len(b.shop.IDs("variations")); n != 2 {
		t.Errorf("%d variations", n)
	}
	if got := fmt.Sprint(b.shop.Get("products", friend)["upsell_ids"]); got != fmt.Sprintf("[%v]", made["id"]) {
		t.Errorf("the friend's link is %s, the product %v", got, made["id"])
	}
	// a second time, and a second time without the memory of the first
	for range 2 {
		count := len(b.shop.IDs("products"))
		b.restore(point, path(t, point, "products", mother))
		if n := len(b.shop.IDs("products")); n != count {
			t.Errorf("%d products, were %d", n, count)
		}
		b.forget()
	}
	b.point()
	b.undo(point, before)
	if got := b.shop.Get("products", int64(made["id"].(float64))); got != nil && got["status"] != "trash" {
		t.Errorf("after the undo there is still %v", got)
	}
}

func hasCode(list []*app.Error, code app.Code) bool {
	return slices.ContainsFunc(list, func(e *app.Error) bool { return e.Code == code })
}

func TestEngine_Apply_wrongPrices(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, _ := stock(b.shop, 520, 20, 10)
	point, _ := b.point()
	b.clock.pass(15 * time.Minute)
	for _, id := range prods[:500] {
		b.shop.Change("products", id, woo.Record{"regular_price": "1.29"})
	}
	b.point()
	before := b.safety()
	b.shop.Change("products", prods[510], woo.Record{"description": "ny text"})
	r := app.Restore{Access: b.access, From: point, Paths: []string{"products"}}
	plan, err := b.e.Plan(t.Context(), r)
	if err != nil || plan.Overwrite != 501 || plan.Create != 0 || len(plan.Blockers) > 0 || len(plan.Warnings) > 0 {
		t.Fatalf("plan %+v: %v", plan, err)
	}
	b.shop.Requests()
	if err := b.e.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	var writes, all int
	for _, line := range b.shop.Requests() {
		all++
		if !strings.HasPrefix(line, "GET") {
			writes++
		}
	}
	t.Logf("%d requests, %d of them write", all, writes)
	if writes > 11+1 { // and one that proves the key
		t.Errorf("%d requests wrote", writes)
	}
	b.verify(r)
	for _, id := range prods {
		if got := b.shop.Get("products", id); got["regular_price"] != "129.00" || got["description"] != "" {
			t.Fatalf("product %d costs %v", id, got["regular_price"])
		}
	}
	b.undo(point, before)
	if got := b.shop.Get("products", prods[0])["regular_price"]; got != "1.29" {
		t.Errorf("after the undo it costs %v", got)
	}
}

func TestEngine_Apply_category(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, _ := stock(b.shop, 150, 0, 0)
	root := b.shop.Add("categories", woo.Record{"name": "Kök", "slug": "kok"})
	leaf := b.shop.Add("categories", woo.Record{"name": "Koppar", "slug": "koppar", "parent": float64(root)})
	for _, id := range prods[:40] {
		b.shop.Change("products", id, woo.Record{"categories": []any{woo.Record{"id": float64(leaf)}, woo.Record{"id": float64(root)}}})
	}
	point, _ := b.point()
	b.clock.pass(time.Hour)
	b.shop.Purge("categories", root, leaf)
	b.point()
	paths := []string{path(t, point, "categories", root), path(t, point, "categories", leaf)}
	plan := b.restore(point, paths...)
	if plan.Create != 2 {
		t.Errorf("plan %+v", plan)
	}
	bySlug := map[string]woo.Record{}
	for _, id := range b.shop.IDs("categories") {
		r := b.shop.Get("categories", id)
		bySlug[r["slug"].(string)] = r
	}
	if bySlug["koppar"] == nil || bySlug["koppar"]["parent"] != bySlug["kok"]["id"] {
		t.Fatalf("categories %v", bySlug)
	}
	for _, id := range prods[:40] {
		got := fmt.Sprint(b.shop.Get("products", id)["categories"])
		if !strings.Contains(got, fmt.Sprint(bySlug["koppar"]["id"])) || !strings.Contains(got, fmt.Sprint(bySlug["kok"]["id"])) {
			t.Fatalf("product %d is in %s", id, got)
		}
	}
	if got := fmt.Sprint(b.shop.Get("products", prods[60])["categories"]); strings.Contains(got, fmt.Sprint(bySlug["kok"]["id"])) {
		t.Errorf("a product that was not in it is: %s", got)
	}
	b.clock.pass(time.Hour)
	now, _ := b.point()
	if changes, err := b.e.Diff(t.Context(), point, now, t.TempDir()); err != nil || len(changes) < 4 {
		t.Errorf("%d changes: %v", len(changes), err)
	}
}

func TestEngine_Apply_customer(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	_, custs := stock(b.shop, 2, 12, 12)
	point, _ := b.point()
	b.clock.pass(14 * time.Hour)
	b.shop.Purge("customers", custs[3])
	b.shop.Change("customers", custs[4], woo.Record{"first_name": "Fel"})
	b.point()
	plan := b.restore(point, "customers")
	if plan.Create != 1 || plan.Overwrite != 1 || !hasCode(plan.Warnings, app.CodeEffectPasswords) {
		t.Errorf("plan %+v", plan)
	}
	found := false
	for _, id := range b.shop.IDs("customers") {
		r := b.shop.Get("customers", id)
		found = found || r["email"] == "kund3@example.com" && r["first_name"] == "Åsa"
	}
	if !found || b.shop.Get("customers", custs[4])["first_name"] != "Åsa" {
		t.Error("the customers are not as they were")
	}
}

// Whatever request a restore is killed in, going on does nothing twice.
func TestEngine_Apply_killed(t *testing.T) {
	t.Parallel()
	for _, answered := range []bool{false, true} {
		t.Run(fmt.Sprint("answered ", answered), func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			prods, _ := stock(b.shop, 260, 0, 0)
			for _, id := range prods { // made long ago: what is made again is dated back
				b.shop.Change("products", id, woo.Record{"date_created_gmt": "2024-01-02T03:04:05"})
			}
			point, _ := b.point()
			b.clock.pass(14 * time.Hour)
			b.shop.Purge("products", prods[:30]...)
			b.shop.Purge("products", prods[100:110]...)
			b.point()
			ctx, cancel := context.WithCancel(t.Context())
			writes := 0
			stop := func(r *http.Request) bool {
				if strings.HasSuffix(r.URL.Path, "/products/batch") {
					writes++
				}
				return writes == 2
			}
			b.shop.Do(func() {
				if answered {
					b.shop.Tamper = func(r *http.Request, _ int, _ http.Header, body []byte) []byte {
						if stop(r) {
							cancel() // it is done, and nobody hears of it
							return nil
						}
						return body
					}
				} else {
					b.shop.Fault = func(w http.ResponseWriter, r *http.Request) bool {
						now := stop(r)
						if now {
							cancel()
						}
						return now
					}
				}
			})
			r := app.Restore{Access: b.access, From: point}
			if err := b.e.Apply(ctx, r, silent{}); app.CodeOf(err) != app.CodeCanceled {
				t.Fatalf("apply: %v", err)
			}
			b.shop.Do(func() { b.shop.Fault, b.shop.Tamper = nil, nil })
			b.renew()
			if err := b.e.Apply(t.Context(), r, silent{}); err != nil {
				t.Fatal(err)
			}
			b.verify(r)
			skus := map[any]int{}
			for _, id := range b.shop.IDs("products") {
				skus[b.shop.Get("products", id)["sku"]]++
			}
			if len(skus) != 260 || len(b.shop.IDs("products")) != 260 {
				t.Errorf("%d products with %d skus", len(b.shop.IDs("products")), len(skus))
			}
		})
	}
}

// A key that only reads backs up, and a restore asks for another.
func TestEngine_Plan_readOnlyKey(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	delete(b.access.Source.Settings, "user")
	b.access.Secrets = app.Secrets{"consumer_key": app.NewSecret(woo.ReadKey), "consumer_secret": app.NewSecret(woo.ReadSign)}
	prods, _ := stock(b.shop, 5, 0, 0)
	point, problems := b.point()
	if len(problems) > 0 || in(point, "products") != 5 || in(point, "pages") != 0 {
		t.Errorf("problems %v", problems)
	}
	b.clock.pass(15 * time.Minute)
	b.shop.Change("products", prods[0], woo.Record{"regular_price": "1"})
	r := app.Restore{Access: b.access, From: point}
	plan, err := b.e.Plan(t.Context(), r)
	if err != nil || !hasCode(plan.Blockers, app.CodeSecretMissing) || plan.Blockers[0].Args["field"] != "restore_password" {
		t.Fatalf("plan %+v: %v", plan, err)
	}
	if err := b.e.Apply(t.Context(), r, silent{}); app.CodeOf(err) != app.CodeSecretMissing {
		t.Errorf("apply: %v", err)
	}
	b.access.Secrets["restore_consumer_key"] = app.NewSecret(woo.Key)
	b.access.Secrets["restore_consumer_secret"] = app.NewSecret(woo.Secret)
	b.restore(point)
	if got := b.shop.Get("products", prods[0])["regular_price"]; got != "129.00" {
		t.Errorf("it costs %v", got)
	}
}
