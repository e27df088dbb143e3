package shopify

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
)

// furnish puts one or two of everything that can be put back into the shop and
// returns their ids.
func furnish(f *fake.Shop) (ids []string) {
	add := func(o fake.Object) string {
		id := f.Add(o)
		ids = append(ids, id)
		return id
	}
	money := func(amount string) fake.Object {
		return fake.Object{"__typename": "MoneyV2", "amount": amount, "currencyCode": "SEK"}
	}
	bag := func(amount string) fake.Object {
		return fake.Object{"__typename": "MoneyBag", "shopMoney": money(amount), "presentmentMoney": money(amount)}
	}
	product, variants := f.AddProduct("sjal", 2)
	customer := f.AddCustomer("kim@example.com", "Kim", "Ek")
	ids = append(ids, product, customer)
	metaType := fake.Object{"__typename": "MetafieldDefinitionType", "name": "single_line_text_field"}
	add(fake.Object{"__typename": "MetafieldDefinition", "ownerType": "PRODUCT", "namespace": "custom", "key": "care", "name": "Skötsel", "type": metaType, "validations": []any{}})
	add(fake.Object{
		"__typename": "MetaobjectDefinition", "type": "designer", "name": "Formgivare",
		"fieldDefinitions": []any{
			fake.Object{"__typename": "MetaobjectFieldDefinition", "key": "name", "name": "Namn", "required": true, "type": metaType, "validations": []any{}},
			fake.Object{"__typename": "MetaobjectFieldDefinition", "key": "best", "name": "Bäst", "required": false, "type": fake.Object{"__typename": "MetafieldDefinitionType", "name": "list.product_reference"}, "validations": []any{}},
		},
	})
	add(fake.Object{
		"__typename": "Metaobject", "type": "designer", "handle": "astrid", "capabilities": fake.Object{},
		"fields": []any{
			fake.Object{"__typename": "MetaobjectField", "key": "name", "type": "single_line_text_field", "value": "Astrid"},
			fake.Object{"__typename": "MetaobjectField", "key": "best", "type": "list.product_reference", "value": fmt.Sprintf("[%q]", product)},
		},
	})
	collection := add(fake.Object{
		"__typename": "Collection", "handle": "garn", "title": "Garn", "sortOrder": "BEST_SELLING", "seo": fake.Object{"__typename": "SEO"},
		"ruleSet": fake.Object{"__typename": "CollectionRuleSet", "appliedDisjunctively": false, "rules": []any{
			fake.Object{"__typename": "CollectionRule", "column": "TAG", "relation": "EQUALS", "condition": "garn"},
		}},
	})
	code := fake.Object{"__typename": "DiscountRedeemCode", "id": "gid://shopify/DiscountRedeemCode/1", "code": "REA10"}
	add(fake.Object{"__typename": "DiscountNode", "discount": fake.Object{
		"__typename": "DiscountCodeBasic", "title": "Rea", "status": "ACTIVE", "startsAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z", "createdAt": "2026-01-01T00:00:00Z",
		"codes": []any{code}, "combinesWith": fake.Object{"__typename": "DiscountCombinesWith"}, "context": fake.Object{"__typename": "DiscountBuyerSelectionAll", "all": "ALL"}, "tags": []any{},
		"customerGets": fake.Object{
			"__typename": "DiscountCustomerGets", "items": fake.Object{"__typename": "DiscountCollections", "collections": []any{fake.Ref(collection)}},
			"value": fake.Object{"__typename": "DiscountPercentage", "percentage": 0.1},
		},
	}})
	add(fake.Object{
		"__typename": "Menu", "handle": "footer", "title": "Sidfot", "isDefault": false,
		"items": []any{fake.Object{"__typename": "MenuItem", "id": "gid://shopify/MenuItem/1", "title": "Garn", "type": "COLLECTION", "resourceId": collection, "tags": []any{}, "items": []any{
			fake.Object{"__typename": "MenuItem", "id": "gid://shopify/MenuItem/2", "title": "Hem", "type": "HTTP", "url": "https://example.com", "tags": []any{}, "items": []any{}},
		}}},
	})
	add(fake.Object{
		"__typename": "DraftOrder", "name": "#D1", "status": "OPEN", "email": "kim@example.com", "customer": fake.Ref(customer), "tags": []any{"offert"}, "currencyCode": "SEK",
		"lineItems": []any{fake.Object{"__typename": "DraftOrderLineItem", "id": "gid://shopify/DraftOrderLineItem/1", "uuid": "1", "title": "Vara sjal", "sku": "sjal-1", "quantity": 2, "product": fake.Ref(product), "variant": fake.Ref(variants[0]), "originalUnitPriceSet": bag("100.0")}},
	})
	add(fake.Object{"__typename": "GenericFile", "alt": "Mönster", "url": f.PutFile("cdn/monster.pdf", []byte("%PDF")), "fileStatus": "READY", "mimeType": "application/pdf"})
	return ids
}

// TestRestore_everyKind deletes everything and puts it back. Every input goes
// through Shopify's own description of what it takes.
func TestRestore_everyKind(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	ids := furnish(g.fake)
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	for _, id := range ids {
		g.fake.Delete(id, "Robin")
	}
	r := app.Restore{Access: g.access, From: point}
	if _, err := g.engine.Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	g.acceptGone(t)
	g.apply(t, r)
	for _, c := range g.checks(t, r) {
		// The fake puts no prices into draft orders.
		if !c.OK && !strings.HasPrefix(c.Detail, kindDraftOrders) {
			t.Errorf("check %+v", c)
		}
	}
	product := find(t, g.fake, "Product", "handle", "sjal")
	meta := find(t, g.fake, "Metaobject", "handle", "astrid")
	if got := meta["fields"].([]any)[1].(fake.Object)["value"]; got != fmt.Sprintf("[%q]", product["id"]) {
		t.Errorf("the metaobject names %v, the product is %v", got, product["id"])
	}
	collection := find(t, g.fake, "Collection", "handle", "garn")
	if got := find(t, g.fake, "Menu", "handle", "footer")["items"].([]any)[0].(fake.Object)["resourceId"]; got != collection["id"] {
		t.Errorf("the menu names %v, the collection is %v", got, collection["id"])
	}
	if got := find(t, g.fake, "Customer", "firstName", "Kim")["defaultEmailAddress"].(fake.Object); got["marketingState"] != "SUBSCRIBED" {
		t.Errorf("consent: %v", got)
	}
	if n := len(g.fake.All("DiscountNode")); n != 1 {
		t.Errorf("%d discounts", n)
	}
	if n := len(g.fake.All("DraftOrder")); n != 1 {
		t.Errorf("%d draft orders", n)
	}
}

// acceptGone is the owner who says that what is gone is gone.
func (g *guarded) acceptGone(t *testing.T) {
	t.Helper()
	if err := g.engine.AcceptGone(t.Context(), g.access, ""); err != nil {
		t.Fatal(err)
	}
}

func (g *guarded) checks(t *testing.T, r app.Restore) []app.Check {
	t.Helper()
	checks, err := g.engine.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return checks
}

// TestRestore_changedKinds spoils a field of everything and takes it back in
// place: nothing gets a new id.
func TestRestore_changedKinds(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	ids := furnish(g.fake)
	blog := g.fake.Add(fake.Object{"__typename": "Blog", "handle": "nytt", "title": "Nytt", "commentPolicy": "CLOSED"})
	pageID := g.fake.Add(fake.Object{"__typename": "Page", "handle": "om", "title": "Om", "body": "<p>x</p>", "isPublished": true, "publishedAt": "2026-01-01T00:00:00Z"})
	redirect := g.fake.Add(fake.Object{"__typename": "UrlRedirect", "path": "/a", "target": "/b"})
	ids = append(ids, blog, pageID, redirect)
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	for _, id := range ids {
		field := map[string]string{"Customer": "lastName", "UrlRedirect": "target", "GenericFile": "alt", "MetafieldDefinition": "name", "MetaobjectDefinition": "name"}[typeOf(id)]
		if field == "" {
			field = "title"
		}
		switch typeOf(id) {
		case "Metaobject":
			g.fake.Change(id, fake.Object{"fields": []any{fake.Object{"__typename": "MetaobjectField", "key": "name", "type": "single_line_text_field", "value": "Fel"}}})
		case "DiscountNode":
			d := g.fake.Get(id)["discount"].(fake.Object)
			d["title"], d["updatedAt"] = "Fel", g.clock.now().Format(time.RFC3339)
		case "DraftOrder":
			g.fake.Change(id, fake.Object{"tags": []any{"fel"}})
		default:
			g.fake.Change(id, fake.Object{field: "Fel"})
		}
	}
	r := app.Restore{Access: g.access, From: point}
	plan, err := g.engine.Plan(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Create != 0 {
		t.Errorf("plan makes %d again: %+v", plan.Create, plan)
	}
	g.apply(t, r)
	g.verify(t, r)
	for _, id := range ids {
		if g.fake.Get(id) == nil {
			t.Errorf("%s is gone", id)
		}
	}
}

// TestRestore_orders makes an order again only when asked to, as a record of
// the past that writes to nobody and takes no stock.
func TestRestore_orders(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, variants := g.fake.AddProduct("sjal", 1)
	customer := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	order := g.fake.AddOrder("#1001", customer, product, variants[0], g.clock.now().Add(-48*time.Hour))
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.Delete(order, "Robin")
	r := app.Restore{Access: g.access, From: point}
	g.apply(t, r)
	if n := len(g.fake.All("Order")); n != 0 {
		t.Fatalf("%d orders though nobody asked", n)
	}
	g.access.Source.Settings[fieldRestoreOrders] = "true"
	r.Access = g.access
	g.apply(t, r)
	again := find(t, g.fake, "Order", "name", "#1001")
	if again["id"] == order || !strings.HasPrefix(fmt.Sprint(again["processedAt"]), "2026-11-20") {
		t.Errorf("order %v of %v", again["id"], again["processedAt"])
	}
	if stock, mails := g.fake.SideEffects(); stock != 0 || mails != 0 {
		t.Errorf("took stock %d times, wrote %d mails", stock, mails)
	}
}

// TestRestore_needsAKeyOfItsOwn refuses to write with the daily key.
func TestRestore_needsAKeyOfItsOwn(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	id := g.fake.Add(fake.Object{"__typename": "UrlRedirect", "path": "/a", "target": "/b"})
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.Lose(id)
	delete(g.access.Secrets, fieldRestoreSecret)
	r := app.Restore{Access: g.access, From: point}
	plan, err := g.engine.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeSecretMissing || plan.Blockers[0].Args["field"] != fieldRestoreSecret {
		t.Errorf("%+v, %v", plan.Blockers, err)
	}
	if err := g.engine.Apply(t.Context(), r, silent{}); app.CodeOf(err) != app.CodeSecretMissing {
		t.Errorf("apply: %v", err)
	}
}

// TestRestore_undone takes a restore back: what it made goes, what it changed is
// as it was before.
func TestRestore_undone(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	gone := g.fake.Add(fake.Object{"__typename": "Page", "handle": "om", "title": "Om", "body": "", "isPublished": false})
	kept, _ := g.fake.AddProduct("sjal", 1)
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.Delete(gone, "Robin")
	g.fake.Change(kept, fake.Object{"title": "Nytt namn"})
	r := app.Restore{Access: g.access, From: point}
	present := g.apply(t, r)
	g.verify(t, r)
	g.clock.add(20 * time.Minute)
	var remove []string
	err := fs.WalkDir(point, ".", func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".json") {
			if _, serr := fs.Stat(present, p); serr != nil {
				remove = append(remove, p)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	g.apply(t, app.Restore{Access: g.access, From: present, Raw: true, Remove: remove})
	if n := len(g.fake.All("Page")); n != 0 {
		t.Errorf("%d pages after the undo", n)
	}
	if got := g.fake.Get(kept)["title"]; got != "Nytt namn" {
		t.Errorf("after the undo it is called %v", got)
	}
}
