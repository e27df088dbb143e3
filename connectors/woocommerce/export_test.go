package woocommerce_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
)

// table exports, and returns each row by its columns.
func (b *bench) table(point fs.FS, what string) (rows []map[string]string, head []string) {
	b.t.Helper()
	var out bytes.Buffer
	if err := b.e.Export(b.t.Context(), point, what, &out); err != nil {
		b.t.Fatalf("export %s: %v", what, err)
	}
	text, marked := bytes.CutPrefix(out.Bytes(), []byte("\xef\xbb\xbf"))
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || !marked || len(all) == 0 {
		b.t.Fatalf("export %s: %v, marked %v, %d rows", what, err, marked, len(all))
	}
	for _, r := range all[1:] {
		row := map[string]string{}
		for i, c := range r {
			row[all[0][i]] = c
		}
		if len(row) != len(all[0]) {
			b.t.Errorf("columns of one name among %q", all[0])
		}
		rows = append(rows, row)
	}
	return rows, all[0]
}

func wantCells(t *testing.T, row, want map[string]string) {
	t.Helper()
	for c, w := range want {
		if got, ok := row[c]; !ok || got != w {
			t.Errorf("%s is %q, want %q", c, got, w)
		}
	}
}

func TestEngine_Export_products(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.shop
	clothes := s.Add("categories", woo.Record{"name": "Kläder, vuxna", "slug": "klader"})
	jumpers := s.Add("categories", woo.Record{"name": "Tröjor &amp; koftor", "slug": "trojor", "parent": float64(clothes)})
	s.Add("shipping_classes", woo.Record{"name": "Skrymmande", "slug": "skrymmande"})
	friend := s.Add("products", woo.Record{"name": "=HYPERLINK(\"http://ond.example\")", "slug": "van", "sku": "VAN,1", "regular_price": "10"})
	bare := s.Add("products", woo.Record{"name": "Utan nummer", "slug": "utan", "status": "draft"})
	mother := s.Add("products", woo.Record{
		"type": "variable", "name": "Tröja \"Åsa\", grå", "slug": "troja", "sku": "T", "description": "Rad ett\nRad två med \\n inuti", "short_description": "-10 % hela helgen",
		"categories": []any{woo.Record{"id": float64(jumpers)}}, "manage_stock": true, "stock_quantity": -3.0, "stock_status": "onbackorder", "backorders": "notify",
		"upsell_ids": []any{float64(friend), float64(bare)}, "shipping_class": "skrymmande", "weight": "0.5", "dimensions": woo.Record{"length": "10", "width": "20", "height": "3"},
		"attributes": []any{
			woo.Record{"id": 3.0, "name": "Storlek", "visible": true, "variation": true, "options": []any{"S", "M, lång"}},
			woo.Record{"id": 0.0, "name": "Skötsel", "visible": false, "variation": false, "options": []any{"30°"}},
		},
		"default_attributes": []any{woo.Record{"id": 3.0, "name": "Storlek", "option": "S"}},
	})
	s.Add("variations", woo.Record{
		"parent_id": float64(mother), "sku": "T-S", "regular_price": "299.00", "sale_price": "249.00", "manage_stock": "parent",
		"attributes": []any{woo.Record{"id": 3.0, "name": "Storlek", "option": "S"}},
	})
	s.Add("products", woo.Record{"name": "Import placeholder", "slug": "halv", "status": "importing"})
	point, _ := b.point()
	rows, head := b.table(point, "products")
	if len(rows) != 4 || head[0] != "ID" || !slices.Contains(head, "Weight (kg)") || !slices.Contains(head, "Attribute 2 default") || slices.Contains(head, "Attribute 3 name") {
		t.Fatalf("%d rows, columns %q", len(rows), head)
	}
	wantCells(t, rows[0], map[string]string{"Name": "'=HYPERLINK(\"http://ond.example\")", "SKU": "VAN,1", "Published": "1", "Stock": "", "Regular price": "10"})
	wantCells(t, rows[1], map[string]string{"Published": "-1", "SKU": ""})
	wantCells(t, rows[2], map[string]string{
		"Type": "variable", "Name": "Tröja \"Åsa\", grå", "Description": `Rad ett\nRad två med \\n inuti`, "Short description": "'-10 % hela helgen",
		"Categories": `Kläder\, vuxna > Tröjor & koftor`, "Stock": "-3", "In stock?": "backorder", "Backorders allowed?": "notify",
		"Upsells": `VAN\,1, id:` + rows[1]["ID"], "Shipping class": "Skrymmande", "Weight (kg)": "0.5", "Height (cm)": "3",
		"Attribute 1 name": "Storlek", "Attribute 1 value(s)": `S, M\, lång`, "Attribute 1 visible": "1", "Attribute 1 global": "1", "Attribute 1 default": "S",
		"Attribute 2 name": "Skötsel", "Attribute 2 visible": "0", "Attribute 2 global": "0", "Attribute 2 default": "",
	})
	wantCells(t, rows[3], map[string]string{
		"Type": "variation", "Parent": "T", "Name": "Tröja \"Åsa\", grå", "SKU": "T-S", "Regular price": "299.00", "Sale price": "249.00", "Stock": "parent",
		"Attribute 1 value(s)": "S", "Attribute 1 visible": "", "Attribute 1 global": "1",
	})
}

func TestEngine_Export_orders(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	line := func(name, sku string, n float64) woo.Record {
		return woo.Record{"id": n, "name": name, "sku": sku, "product_id": 1.0, "variation_id": 0.0, "quantity": n, "subtotal": "1.00", "total": "1.00"}
	}
	b.shop.Add("orders", woo.Record{
		"number": "1001", "currency": "SEK", "total": "-12.50", "status": "refunded", "customer_note": "@SUM(1)\nRing först",
		"billing":    woo.Record{"first_name": "+Åsa", "last_name": "=A1", "company": "@Garn & \"Co\"", "phone": "+46 33-12 34 56", "email": "asa@example.com"},
		"line_items": []any{line("Mugg; blå", "M-1", 2), line("Kanna", "", 1)},
		"refunds":    []any{woo.Record{"id": 9.0, "reason": "", "total": "-0.10"}, woo.Record{"id": 10.0, "reason": "", "total": "-0.20"}},
	})
	point, _ := b.point()
	rows, head := b.table(point, "orders")
	if len(rows) != 1 || head[0] != "Order" {
		t.Fatalf("%d rows", len(rows))
	}
	wantCells(t, rows[0], map[string]string{
		"Order": "1001", "Total": "-12.50", "Refunded": "-0.30", "Billing name": "'+Åsa =A1", "Billing company": "'@Garn & \"Co\"", "Phone": "+46 33-12 34 56",
		"Items": "2 × Mugg; blå (M-1); 1 × Kanna", "Note": "'@SUM(1)\nRing först", "Currency": "SEK",
	})
}

func TestEngine_Export_customers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.shop.Add("customers", woo.Record{"email": "asa@example.com", "username": "-asa", "first_name": "Åsa", "billing": woo.Record{"city": "Borås", "postcode": "503 30"}})
	point, _ := b.point()
	rows, _ := b.table(point, "customers")
	if len(rows) != 1 {
		t.Fatalf("%d rows", len(rows))
	}
	wantCells(t, rows[0], map[string]string{"user_login": "'-asa", "user_email": "asa@example.com", "billing_city": "Borås", "billing_postcode": "503 30", "shipping_city": ""})
	if !slices.Equal(b.e.Exports(), []string{"products", "orders", "customers"}) {
		t.Errorf("exports %v", b.e.Exports())
	}
}

// Records as a real shop answered are exported, each in a row of its own.
func TestEngine_Export_recorded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	point := fstest.MapFS{"kvart-shop.json": {Data: []byte(`{"kinds": {"products": {}, "orders": {}, "customers": {}}}`)}}
	want := map[string]map[string]bool{}
	for _, kind := range []string{"products", "orders", "customers"} {
		body, err := os.ReadFile("../../../shared/fixtures/woocommerce/list-" + kind + ".json")
		if errors.Is(err, fs.ErrNotExist) {
			t.Skip("the recorded responses are not here")
		}
		var r struct {
			Body []map[string]any
		}
		if err = errors.Join(err, json.Unmarshal(body, &r)); err != nil || len(r.Body) == 0 {
			t.Fatalf("%s: %v, %d records", kind, err, len(r.Body))
		}
		want[kind] = map[string]bool{}
		for i, m := range r.Body {
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			point[kind+"/0/0/"+string(rune('1'+i))+".json"] = &fstest.MapFile{Data: text}
			if m["status"] != "importing" {
				want[kind][strings.TrimSpace(string(jsonOf(t, m["id"])))] = true
			}
		}
	}
	for kind, ids := range want {
		rows, head := b.table(point, kind)
		got := map[string]bool{}
		for _, r := range rows {
			if kind == "orders" {
				got[r["Order ID"]] = true
				wantCells(t, r, map[string]string{"Currency": "USD"})
				continue
			}
			got[r["ID"]] = true
		}
		if !maps.Equal(got, ids) || len(head) < 20 {
			t.Errorf("%s: %v, want %v", kind, got, ids)
		}
	}
}

func jsonOf(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// An order that went on in the shop after the backup is never taken back, nor
// are new ones removed, whatever is restored, also where orders may be made
// again and products they name get new ids; the plan tells of it.
func TestEngine_Apply_keepsNewerOrders(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	prods, _ := stock(b.shop, 10, 0, 0)
	line := woo.Record{"id": 1.0, "name": "Mugg", "product_id": float64(prods[0]), "variation_id": 0.0, "quantity": 2.0, "subtotal": "258.00", "total": "258.00"}
	var orders []int64
	for range 3 {
		orders = append(orders, b.shop.Add("orders", woo.Record{"status": "processing", "line_items": []any{line}}))
	}
	b.access.Source.Settings["restore_orders"] = "true"
	point, _ := b.point()
	b.clock.pass(14 * time.Hour)
	b.shop.Change("orders", orders[0], woo.Record{"status": "completed", "customer_note": "Lämnad till grannen"})
	b.shop.Change("orders", orders[1], woo.Record{"customer_note": "Ändrad innan den slängdes"})
	b.shop.Trash("orders", orders[1])
	b.shop.Purge("products", prods[0]) // made again, with a new id that orders name
	later := b.shop.Add("orders", woo.Record{"status": "pending", "line_items": []any{line}})
	b.point()
	before := b.safety()
	mails := b.shop.Mails()

	plan := b.restore(point)
	if plan.Republish != 1 || plan.Create != 1 || plan.Overwrite != 0 || plan.Remove != 0 || !hasCode(plan.Warnings, app.CodeEffectKept) {
		t.Errorf("plan %+v", plan)
	}
	check := func(when string) {
		t.Helper()
		for id, want := range map[int64]string{orders[0]: "completed", orders[2]: "processing", later: "pending"} {
			o := b.shop.Get("orders", id)
			if o["status"] != want || len(o["line_items"].([]any)) != 1 {
				t.Errorf("%s order %d is %v with %v", when, id, o["status"], o["line_items"])
			}
		}
		if got := b.shop.Get("orders", orders[0])["customer_note"]; got != "Lämnad till grannen" {
			t.Errorf("%s the note is %v", when, got)
		}
	}
	check("after the restore")
	if got := b.shop.Get("orders", orders[1]); got["status"] != "processing" || got["customer_note"] != "Ändrad innan den slängdes" || len(got["line_items"].([]any)) != 1 {
		t.Errorf("out of the trash came %v", got)
	}
	if b.shop.Mails() != mails {
		t.Error("mails were sent")
	}
	b.restore(point, "orders")
	check("after orders alone")
	b.shop.Change("orders", orders[2], woo.Record{"status": "cancelled"})
	b.undo(point, before)
	if got := b.shop.Get("orders", orders[2])["status"]; got != "cancelled" {
		t.Errorf("the undo took an order back to %v", got)
	}
	if got := b.shop.Get("orders", orders[0])["status"]; got != "completed" {
		t.Errorf("the undo took an order back to %v", got)
	}
}
