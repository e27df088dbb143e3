package vendure_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
)

// A shop that no one here wrote is captured, wrecked, and put back.
func TestVendure_RoundTrip(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	s := stock(t, p, 14)
	b := newBench(t, p.url(), owner, password)
	point, problems := b.point()
	if len(problems) > 0 {
		t.Errorf("problems %v", problems)
	}
	want := map[string]int{
		"settings": 1, "countries": 1, "zones": 1, "tax_categories": 1, "taxes": 1, "channels": 2, "locations": 2, "customer_groups": 1, "files": 3, "facets": 1,
		"facet_values": 2, "option_groups": 1, "options": 2, "products": 15, "variants": 16, "inventory": 32, "collections": 4, "shipping_methods": 1, "payment_methods": 1,
		"promotions": 1, "customers": 6, "orders": 1, "draft_orders": 0, "administrators": 1,
	}
	for kind, n := range want {
		if got := len(in(t, point, kind)); got != n {
			t.Errorf("%s: %d records, want %d", kind, got, n)
		}
	}
	pictures := 0
	for name, f := range point {
		if strings.HasSuffix(name, ".png") {
			pictures++
		}
		if strings.Contains(string(f.Data), password) {
			t.Errorf("%s holds the password", name)
		}
	}
	if pictures != 3 {
		t.Errorf("%d pictures", pictures)
	}
	b.clock.pass(15 * time.Minute)
	if !b.idle() {
		t.Error("not idle though nothing moved")
	}
	t.Run("changed", func(t *testing.T) { b.t = t; testChanged(t, b, p, s, point) })
	t.Run("deleted", func(t *testing.T) { b.t = t; testDeleted(t, b, p, s, point) })
	t.Run("keys", func(t *testing.T) { b.t = t; testKeys(t, b, p, point) })
}

// testChanged: what is wrong is put right in place, and nothing else is touched.
func testChanged(t *testing.T, b *bench, p *peer, s *stocked, point fstest.MapFS) {
	var cheap []any
	for _, id := range s.singles[:8] {
		cheap = append(cheap, record{"id": id, "prices": []any{record{"currencyCode": "USD", "price": 1}}, "stockLevels": []any{record{"stockLocationId": "2", "stockOnHand": 0}}})
	}
	p.ask(t, `mutation($in: [UpdateProductVariantInput!]!) { updateProductVariants(input: $in) { id } }`, record{"in": cheap})
	p.do(t, "updateProduct", "UpdateProductInput!", record{
		"id": s.products[0], "enabled": false, "assetIds": []any{s.pictures[2], s.pictures[1]}, "facetValueIds": []any{},
		"translations": []any{record{"languageCode": "sv", "name": "Fel", "slug": "fel", "description": ""}}, "customFields": record{"origin": "Fel"},
	})
	p.do(t, "updateCollection", "UpdateCollectionInput!", record{"id": s.leaf, "filters": []any{}})
	p.do(t, "moveCollection", "MoveCollectionInput!", record{"collectionId": s.roots[2], "parentId": "1", "index": 0})
	p.do(t, "updateCustomer", "UpdateCustomerInput!", record{"id": s.customers[2], "lastName": "Fel", "customFields": record{"points": 0}})
	p.ask(t, `mutation { updateGlobalSettings(input: { outOfStockThreshold: 99 }) { __typename } }`, nil)
	p.ask(t, `mutation($g: ID!, $in: [ID!]!, $out: [ID!]!) { addCustomersToGroup(customerGroupId: $g, customerIds: $in) { id } removeCustomersFromGroup(customerGroupId: $g, customerIds: $out) { id } }`,
		record{"g": s.group, "in": []any{s.customers[3]}, "out": []any{s.customers[0]}})
	p.ask(t, `mutation { updateCustomerAddress(input: { id: "1", city: "Fel" }) { id } deleteCustomerAddress(id: "4") { success } }`, nil)
	p.do(t, "updatePromotion", "UpdatePromotionInput!", record{"id": s.promotion, "enabled": false, "couponCode": "FEL"})
	p.quiet(t)
	b.clock.pass(15 * time.Minute)
	if b.idle() {
		t.Error("idle though everything is wrong")
	}
	plan := b.plan(point)
	// 8 variants and their stock, a product, collections, 4 customers, settings, a promotion
	if plan.Create != 0 || plan.Overwrite < 25 || plan.Overwrite > 29 {
		t.Errorf("plan %+v", plan)
	}
	b.apply(point)
	same(t, point, b.present(), "orders")
	b.line.set(nil, nil)
	b.apply(point)
	if n := b.line.writes(); n != 0 {
		t.Errorf("%d mutations when all was well", n)
	}
}

// testDeleted: what is gone is made again, and what names it follows.
func testDeleted(t *testing.T, b *bench, p *peer, s *stocked, point fstest.MapFS) {
	for _, m := range []string{
		fmt.Sprintf(`deleteProducts(ids: ["%s", "%s", "%s"]) { result }`, s.shirt, s.products[1], s.products[2]),
		fmt.Sprintf(`deleteCollection(id: "%s") { result }`, s.roots[1]),
		fmt.Sprintf(`deleteCustomers(ids: ["%s", "%s"]) { result }`, s.customers[0], s.customers[4]),
		fmt.Sprintf(`deleteCustomerGroup(id: "%s") { result }`, s.group),
		fmt.Sprintf(`deleteAsset(input: { assetId: "%s", force: true }) { result }`, s.pictures[2]),
		`deleteProductOptionGroup(id: "1", force: true) { result }`, `deleteFacet(id: "1", force: true) { result }`, `deletePaymentMethod(id: "1") { result }`,
	} {
		p.ask(t, "mutation { "+m+" }", nil)
	}
	// the owner begins to make it good by hand: that is nobody's to take away
	hand := p.do(t, "createCustomer", "CreateCustomerInput!", record{"firstName": "Åsa", "lastName": "För hand", "emailAddress": "kund4@example.com"})
	p.quiet(t)
	b.clock.pass(14 * time.Hour) // a night in which all is read
	now, problems := b.point()
	// so much stock at once is unusual, and said to be
	if problems["inventory.missing"] != app.CodeShopShrunk || len(problems) != 1 || len(in(t, now, "products")) != 12 {
		t.Errorf("%d products, problems %v", len(in(t, now, "products")), problems)
	}
	before := b.present()
	plan := b.plan(point)
	if plan.Create < 15 || !hasCode(plan.Warnings, app.CodeEffectPasswords) || !hasCode(plan.Warnings, app.CodeEffectNumbers) {
		t.Errorf("plan %+v, warnings %v", plan, plan.Warnings)
	}
	b.apply(point)
	p.quiet(t)
	after := b.present()
	for _, k := range b.e.Table() {
		if got, want := len(in(t, after, k.Name)), len(in(t, point, k.Name)); got != want && k.Name != "orders" {
			t.Errorf("%s: %d, were %d", k.Name, got, want)
		}
	}
	shirt := by(t, after, "products", "slug", "shirt")
	if shirt == nil || shirt["id"] == s.shirt || len(shirt["channels"].([]any)) != 2 || len(shirt["assets"].([]any)) != 2 {
		t.Fatalf("shirt %v", shirt)
	}
	small := by(t, after, "variants", "sku", "T-s")
	if small["_parent"] != shirt["id"] || len(small["options"].([]any)) != 1 || fmt.Sprint(small["prices"]) != "[map[currencyCode:USD price:29900]]" {
		t.Errorf("small %v", small)
	}
	if m := in(t, after, "inventory")[small["id"].(string)+".2"]; m["stockOnHand"] != 7.0 {
		t.Errorf("stock %v", m)
	}
	if got := fmt.Sprint(by(t, after, "promotions", "id", s.promotion)["conditions"]); !strings.Contains(got, fmt.Sprintf("%q", small["id"])) {
		t.Errorf("the discount names %s", got)
	}
	coffee := by(t, after, "collections", "slug", "samling-1-en")
	if leaf := by(t, after, "collections", "slug", "mork-en"); leaf == nil || leaf["parentId"] != coffee["id"] || !strings.Contains(fmt.Sprint(leaf["filters"]), fmt.Sprintf("%q", by(t, after, "facet_values", "code", "mork")["id"])) {
		t.Errorf("leaf %v of %v", leaf, coffee["id"])
	}
	kund := by(t, after, "customers", "emailAddress", "kund0@example.com")
	if len(kund["groups"].([]any)) != 1 || len(kund["addresses"].([]any)) != 2 {
		t.Errorf("customer %v", kund)
	}
	again(t, b, point)
	undo(t, b, point, before)
	if m := in(t, b.present(), "customers")[hand]; m["lastName"] != "För hand" {
		t.Errorf("who was made by hand is %v", m)
	}
}

// again restores once more, also after a restart and without the mirror: nothing
// is made twice.
func again(t *testing.T, b *bench, point fstest.MapFS) {
	t.Helper()
	b.renew()
	b.line.set(nil, nil)
	b.apply(point)
	if n := b.line.writes(); n != 0 {
		t.Errorf("%d mutations the second time", n)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		t.Fatal(err)
	}
	// only a group of options can't be told from one that is new
	if plan := b.plan(point); plan.Create > 3 {
		t.Errorf("without the mirror: plan %+v", plan)
	}
}

// undo takes the restore back: what it made goes, nothing else does.
func undo(t *testing.T, b *bench, point, before fstest.MapFS) {
	t.Helper()
	var made []string
	for name := range point {
		if before[name] == nil {
			made = append(made, name)
		}
	}
	if err := b.e.Apply(t.Context(), app.Restore{Access: b.access, From: before, Raw: true, Remove: made}, silent{}); err != nil {
		t.Fatal(err)
	}
	now := b.present()
	for _, kind := range []string{"products", "customers", "collections", "facets"} {
		if got, want := len(in(t, now, kind)), len(in(t, before, kind)); got != want {
			t.Errorf("after the undo %d %s, were %d", got, kind, want)
		}
	}
}

// same compares two points record by record.
func same(t *testing.T, want, got fstest.MapFS, but ...string) {
	t.Helper()
	for name := range want {
		kind, _, _ := strings.Cut(name, "/")
		if kind == "media" || !strings.HasSuffix(name, ".json") || !strings.Contains(name, "/") || fmt.Sprint(but) == "["+kind+"]" {
			continue
		}
		a, z := in(t, fstest.MapFS{name: want[name]}, kind), map[string]map[string]any{}
		if got[name] != nil {
			z = in(t, fstest.MapFS{name: got[name]}, kind)
		}
		for id := range a {
			drop := func(m map[string]any) {
				delete(m, "updatedAt")
				list, _ := m["addresses"].([]any)
				for _, el := range list {
					delete(el.(map[string]any), "id")
				}
			}
			drop(a[id])
			drop(z[id])
			if !reflect.DeepEqual(a[id], z[id]) {
				t.Errorf("%s\n was %v\n  is %v", name, a[id], z[id])
			}
		}
	}
}

// testKeys: a key of the API is a way in, and one that only reads can't restore.
func testKeys(t *testing.T, b *bench, p *peer, point fstest.MapFS) {
	role := p.do(t, "createRole", "CreateRoleInput!", record{"code": "lasare", "description": "", "permissions": []any{"ReadCatalog", "ReadSettings", "ReadOrder"}, "channelIds": []any{"1"}})
	p.do(t, "createAdministrator", "CreateAdministratorInput!", record{"firstName": "K", "lastName": "Vart", "emailAddress": "kvart@example.com", "password": "läsa-bara", "roleIds": []any{role}})
	reader := newBench(t, p.url(), "kvart@example.com", "läsa-bara")
	got, problems := reader.point()
	if problems["customers.missing"] != app.CodeShopScope || problems["products.missing"] != "" || len(in(t, got, "products")) == 0 || len(in(t, got, "customers")) != 0 {
		t.Errorf("problems %v", problems)
	}
	info, err := reader.e.Check(t.Context(), reader.access)
	if err != nil || !strings.Contains(info.Details["missing"], "customers") || !strings.Contains(info.Details["rights"], "ReadCustomer") {
		t.Errorf("check %+v: %v", info, err)
	}
	plan, err := reader.e.Plan(t.Context(), app.Restore{Access: reader.access, From: point, Paths: []string{"products"}})
	if err != nil || !hasCode(plan.Blockers, app.CodeSecretMissing) || plan.Blockers[0].Args["field"] != "restore_password" {
		t.Errorf("plan %+v: %v", plan, err)
	}

	made := p.ask(t, `mutation { createApiKey(input: { roleIds: ["1"], translations: [{ languageCode: en, name: "Kvart" }] }) { apiKey entityId } }`, nil)["createApiKey"].(record)
	delete(b.access.Source.Settings, "user")
	b.access.Secrets = app.Secrets{"api_key": app.NewSecret(made["apiKey"].(string))}
	if info, err := b.e.Check(t.Context(), b.access); err != nil || info.Details["missing"] != "" {
		t.Errorf("with a key: %+v: %v", info, err)
	}
	p.ask(t, `mutation($id: ID!) { deleteApiKeys(ids: [$id]) { result } }`, record{"id": made["entityId"]})
	if _, err := b.e.Check(t.Context(), b.access); app.CodeOf(err) != app.CodeSourceDenied {
		t.Errorf("with a key that is gone: %v", err)
	}
}

// A restore that is killed anywhere goes on where it was, and makes nothing
// twice; a session that ends in the middle is opened anew.
func TestVendure_CutOff(t *testing.T) {
	t.Parallel()
	p := newPeer(t)
	s := stock(t, p, 6)
	b := newBench(t, p.url(), owner, password)

	// the session ends in the middle of the capture
	var ended atomic.Bool // several kinds are read at once
	b.line.set(func(r *http.Request, body []byte) error {
		if strings.Contains(string(body), "ProductVariantListOptions") && ended.CompareAndSwap(false, true) {
			p2 := &peer{port: p.port, token: strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")}
			p2.ask(t, `mutation { logout { success } }`, nil) // everywhere
		}
		return nil
	}, nil)
	point, problems := b.point()
	p.enter(t)
	if !ended.Load() || len(problems) > 0 || len(in(t, point, "variants")) != 8 {
		t.Errorf("ended %v, problems %v", ended.Load(), problems)
	}
	b.line.set(nil, nil)
	p.ask(t, fmt.Sprintf(`mutation { deleteProducts(ids: ["%s", "%s"]) { result } deleteProductOptionGroup(id: "1", force: true) { result } deleteCollection(id: "%s") { result } deleteCustomers(ids: ["%s"]) { result } }`,
		s.shirt, s.products[3], s.roots[1], s.customers[1]), nil)
	p.quiet(t)
	b.clock.pass(15 * time.Minute)
	r := app.Restore{Access: b.access, From: point}
	kills := 0
	for ; ; kills++ {
		// the answer to the second, third or fourth mutation never arrives
		ctx, cancel := context.WithCancel(t.Context())
		n := 0
		b.line.set(nil, func(text string) {
			if strings.Contains(text, "mutation ") && !strings.Contains(text, "mutation Login") && !strings.Contains(text, "mutation MayWrite") {
				if n++; n == 2+kills%3 {
					cancel()
				}
			}
		})
		err := b.e.Apply(ctx, r, silent{})
		cancel()
		b.line.set(nil, nil)
		if err == nil {
			break
		}
		if app.CodeOf(err) != app.CodeCanceled || kills > 60 {
			t.Fatalf("apply %d: %v", kills, err)
		}
		b.renew()
	}
	if kills < 5 {
		t.Errorf("only %d kills", kills)
	}
	b.verify(r)
	p.quiet(t)
	after := b.present()
	for _, k := range b.e.Table() {
		if got, want := len(in(t, after, k.Name)), len(in(t, point, k.Name)); got != want {
			t.Errorf("%s: %d after %d kills, were %d", k.Name, got, kills, want)
		}
	}
	if got := fmt.Sprint(by(t, after, "promotions", "id", s.promotion)["conditions"]); !strings.Contains(got, fmt.Sprintf("%q", by(t, after, "variants", "sku", "T-m")["id"])) {
		t.Errorf("the discount names %s", got)
	}
	t.Run("stops", func(t *testing.T) { testStops(t, p) })
}

// A shop that goes away in the middle is no deletion, and a wrong password is
// told as one.
func testStops(t *testing.T, p *peer) {
	b := newBench(t, p.url(), owner, "falskt")
	if _, err := b.e.Capture(t.Context(), b.access, ""); app.CodeOf(err) != app.CodeSourceDenied {
		t.Errorf("wrong password: %v", err)
	}
	b.access.Secrets["password"] = app.NewSecret(password)
	p.save(t)
	point, _ := b.point()
	b.clock.pass(14 * time.Hour)
	b.line.set(func(_ *http.Request, body []byte) error {
		if strings.Contains(string(body), "CustomerListOptions") {
			p.stop(t)
		}
		return nil
	}, nil)
	if _, err := b.e.Capture(t.Context(), b.access, b.marker); app.CodeOf(err) != app.CodeSourceOffline {
		t.Errorf("a shop that went away: %v", err)
	}
	if _, err := b.e.Check(t.Context(), b.access); app.CodeOf(err) != app.CodeSourceOffline {
		t.Errorf("a shop that is away: %v", err)
	}
	b.line.set(nil, nil)
	p.start(t, os.Getenv("KVART_TEST_VENDURE"))
	now, problems := b.point()
	if len(problems) > 0 {
		t.Errorf("problems %v", problems)
	}
	same(t, point, now)
}
