package shopify

import (
	"fmt"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
)

// TestRestore_errorInside is told by the shop that something went wrong inside
// it, after it had done what was asked.
func TestRestore_errorInside(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	id := g.fake.Add(fake.Object{"__typename": "DraftOrder", "status": "OPEN", "email": "andra@example.com", "tags": []any{}, "lineItems": []any{}})
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.Delete(id, "Robin")
	g.fake.Fail(fake.Fault{Operation: "DraftOrderCreate", Times: 1, Code: "INTERNAL_SERVER_ERROR", Message: "Internal error. Looks like something went wrong on our end."})
	r := app.Restore{Access: g.access, From: point}
	first := g.engine.Apply(t.Context(), r, silent{})
	g.clock.add(time.Minute)
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil || first == nil {
		t.Errorf("the first try: %v, the second: %v", first, err)
	}
	if n := len(g.fake.All("DraftOrder")); n != 1 {
		t.Errorf("%d draft orders", n)
	}
}

// TestRestore_cutOff loses the shop's answer in the middle of making things
// again: the shop has done it, and nobody knows. The next try finds it done.
func TestRestore_cutOff(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"ProductSet", "PageCreate", "RedirectCreate", "CollectionCreate", "CustomerSet", "InventorySet", "MenuCreate", "DraftOrderCreate", "DiscountCodeBasicCreate", "FileCreate", "OrderCreate"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			g := newGuarded(t)
			ids := furnish(g.fake)
			g.fake.Add(fake.Object{"__typename": "DraftOrder", "status": "OPEN", "email": "andra@example.com", "tags": []any{}, "lineItems": []any{}})
			g.access.Source.Settings[fieldRestoreOrders] = "true"
			for i := range 2 {
				p, vs := g.fake.AddProduct(fmt.Sprint("vara-", i), 2)
				c := g.fake.AddCustomer(fmt.Sprintf("order%d@example.com", i), "Al", fmt.Sprint("Bo ", i))
				ids = append(
					ids, p, c, g.fake.AddOrder(fmt.Sprint("#", 100+i), c, p, vs[0], g.clock.now()), g.fake.AddCustomer(fmt.Sprintf("kund%d@example.com", i), "Kim", fmt.Sprint("Ek ", i)),
					g.fake.Add(fake.Object{"__typename": "Page", "handle": fmt.Sprint("sida-", i), "title": "Sida", "body": "", "isPublished": false}),
					g.fake.Add(fake.Object{"__typename": "UrlRedirect", "path": fmt.Sprint("/", i), "target": "/"}),
					g.fake.Add(fake.Object{"__typename": "Menu", "handle": fmt.Sprint("meny-", i), "title": "Meny", "items": []any{}}),
					g.fake.Add(fake.Object{
						"__typename": "Collection", "handle": fmt.Sprint("samling-", i), "title": "Samling", "sortOrder": "MANUAL", "seo": fake.Object{"__typename": "SEO"},
						"products": []any{fake.Ref(p)},
					}),
				)
			}
			g.clock.add(time.Hour)
			point := g.point(t)
			g.clock.add(20 * time.Minute)
			for _, id := range ids {
				g.fake.Delete(id, "Robin")
			}
			r := app.Restore{Access: g.access, From: point}
			if _, err := g.engine.Present(t.Context(), g.access); err != nil {
				t.Fatal(err)
			}
			after := 1
			switch operation {
			case "InventorySet", "DraftOrderCreate", "DiscountCodeBasicCreate", "FileCreate":
				after = 0
			}
			g.fake.Fail(fake.Fault{Operation: operation, After: after, Times: 1, Cut: true})
			first := g.engine.Apply(t.Context(), r, silent{})
			g.clock.add(time.Minute)
			if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
				t.Fatalf("the second try: %v, the first: %v", err, first)
			}
			for typ, want := range map[string]int{
				"Product": 3, "Customer": 5, "Page": 2, "UrlRedirect": 2, "Menu": 3, "Collection": 3, "ProductVariant": 6,
				"DraftOrder": 2, "DiscountNode": 1, "GenericFile": 1, "Order": 2,
			} {
				if n := len(g.fake.All(typ)); n != want {
					t.Errorf("%d of %s, want %d (the first try ended with %v)", n, typ, want, first)
				}
			}
			for i := range 2 {
				if got := stockOf(g.fake, find(t, g.fake, "Product", "handle", fmt.Sprint("vara-", i))); got != "10/0 11/0" {
					t.Errorf("stock: %s", got)
				}
			}
		})
	}
}
