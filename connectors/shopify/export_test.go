package shopify

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
)

// table exports, and returns each row by its columns.
func (g *guarded) table(t *testing.T, point fs.FS, what string, marked bool) (rows []map[string]string) {
	t.Helper()
	var out bytes.Buffer
	if err := g.engine.Export(t.Context(), point, what, &out); err != nil {
		t.Fatalf("export %s: %v", what, err)
	}
	text, mark := bytes.CutPrefix(out.Bytes(), []byte("\xef\xbb\xbf"))
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || mark != marked || len(all) == 0 {
		t.Fatalf("export %s: %v, marked %v, %d rows", what, err, mark, len(all))
	}
	for _, r := range all[1:] {
		row := map[string]string{}
		for i, c := range r {
			row[all[0][i]] = c
		}
		if len(row) != len(all[0]) {
			t.Errorf("columns of one name among %q", all[0])
		}
		rows = append(rows, row)
	}
	return rows
}

func wantCells(t *testing.T, row, want map[string]string) {
	t.Helper()
	for c, w := range want {
		if got, ok := row[c]; !ok || got != w {
			t.Errorf("%s is %q, want %q", c, got, w)
		}
	}
}

func TestExport_products(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, variants := g.fake.AddProduct("sjal", 2)
	g.fake.Change(product, fake.Object{"title": "=cmd|' /C calc'!A0", "descriptionHtml": "<p>\"Garn\", rad\nett</p>", "tags": []any{"garn", "-rea"}, "status": "DRAFT"})
	g.fake.Change(variants[0], fake.Object{"compareAtPrice": "149.00", "barcode": "-7350"})
	g.fake.SetStock(variants[1], g.fake.All("Location")[1]["id"].(string), -4)
	g.fake.AddProduct("mossa", 1)
	g.clock.add(time.Hour)
	rows := g.table(t, g.point(t), "products", false)
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	slices.SortStableFunc(rows, func(a, b map[string]string) int { return strings.Compare(b["Handle"], a["Handle"]) })
	wantCells(t, rows[0], map[string]string{
		"Handle": "sjal", "Title": "'=cmd|' /C calc'!A0", "Body (HTML)": "<p>\"Garn\", rad\nett</p>", "Tags": "garn, -rea", "Status": "draft", "Published": "TRUE",
		"Option1 Name": "Storlek", "Option1 Value": "1", "Option2 Name": "", "Variant SKU": "sjal-1", "Variant Price": "100.00", "Variant Compare At Price": "149.00",
		"Variant Barcode": "-7350", "Variant Inventory Tracker": "shopify", "Variant Inventory Qty": "10", "Variant Inventory Policy": "deny", "Variant Requires Shipping": "TRUE",
		"Image Position": "1", "Image Alt Text": "sjal",
	})
	if !strings.HasSuffix(rows[0]["Image Src"], "/files/cdn/sjal.png") {
		t.Errorf("picture %q", rows[0]["Image Src"])
	}
	wantCells(t, rows[1], map[string]string{
		"Handle": "sjal", "Title": "", "Option1 Name": "", "Option1 Value": "2", "Variant SKU": "sjal-2", "Variant Inventory Qty": "7", "Image Src": "", "Status": "",
	})
	wantCells(t, rows[2], map[string]string{"Handle": "mossa", "Title": "Vara mossa", "Variant SKU": "mossa-1", "Status": "active"})
}

func TestExport_people(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, variants := g.fake.AddProduct("sjal", 1)
	customer := g.fake.AddCustomer("kim@example.com", "@Kim", "Ek, \"Ekan\"")
	g.fake.Change(customer, fake.Object{"note": "-1+2=3", "tags": []any{"vip", "garn"}, "defaultPhoneNumber": fake.Object{"__typename": "CustomerPhoneNumber", "phoneNumber": "+46701234567", "marketingState": "NOT_SUBSCRIBED"}})
	order := g.fake.AddOrder("#1001", customer, product, variants[0], time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	g.fake.Change(order, fake.Object{"note": "+SUM(A1)\nrad två"})
	g.clock.add(time.Hour)
	point := g.point(t)
	rows := g.table(t, point, "customers", false)
	if len(rows) != 1 {
		t.Fatalf("%d customers", len(rows))
	}
	wantCells(t, rows[0], map[string]string{
		"Customer ID": plainID(customer), "First Name": "'@Kim", "Last Name": "Ek, \"Ekan\"", "Email": "kim@example.com", "Accepts Email Marketing": "yes", "Accepts SMS Marketing": "no",
		"Phone": "+46701234567", "Note": "'-1+2=3", "Tags": "vip, garn", "Default Address Address1": "Storgatan 1", "Default Address Country Code": "SE", "Tax Exempt": "no",
	})
	rows = g.table(t, point, "orders", true)
	if len(rows) != 1 {
		t.Fatalf("%d orders", len(rows))
	}
	wantCells(t, rows[0], map[string]string{
		"Order": "#1001", "Date": "2026-11-01T00:00:00Z", "Status": "open", "Payment": "paid", "Delivery": "unfulfilled", "Total": "100.0", "Currency": "SEK",
		"Billing name": "Kim Ek", "Items": "1 × Garn", "Note": "'+SUM(A1)\nrad två", "Order ID": plainID(order), "Customer ID": plainID(customer),
	})
}

// An order that went on in the shop after the backup is never taken back, nor
// are new ones removed, also where orders may be made again.
func TestRestore_keepsNewerOrders(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, variants := g.fake.AddProduct("sjal", 1)
	customer := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	changed := g.fake.AddOrder("#1001", customer, product, variants[0], g.clock.now().Add(-48*time.Hour))
	g.access.Source.Settings[fieldRestoreOrders] = "true"
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.Change(changed, fake.Object{"note": "Lämnad till grannen", "displayFulfillmentStatus": "FULFILLED"})
	g.fake.Delete(product, "Robin") // made again, with a new id that orders name
	later := g.fake.AddOrder("#1002", customer, product, variants[0], g.clock.now())
	for _, paths := range [][]string{nil, {"orders"}, {g.path(t, point, kindOrders, changed)}} {
		plan := g.restore(t, point, paths...)
		kept := slices.IndexFunc(plan.Warnings, func(e *app.Error) bool { return e.Code == app.CodeEffectKept && e.Args["count"] == "1" })
		if plan.Overwrite != 0 || plan.Remove != 0 || kept < 0 {
			t.Errorf("%q: plan %+v", paths, plan)
		}
		o := g.fake.Get(changed)
		if len(g.fake.All("Order")) != 2 || o["note"] != "Lämnad till grannen" || o["displayFulfillmentStatus"] != "FULFILLED" || g.fake.Get(later) == nil {
			t.Errorf("%q: %d orders, the first %v", paths, len(g.fake.All("Order")), fmt.Sprint(o["note"]))
		}
	}
}
