package woo_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kvart/connectors/fakeshop/woo"
)

// recorded is one request to a real shop, and what it answered.
type recorded struct {
	Request struct {
		Method string          `json:"method"`
		Path   string          `json:"path"`
		Body   json.RawMessage `json:"body"`
	} `json:"request"`
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
}

const records = "../../../../shared/fixtures/woocommerce"

func load(t *testing.T, name string) recorded {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(records, name+".json"))
	if os.IsNotExist(err) {
		t.Skip("the recorded responses are not here")
	}
	var r recorded
	if err == nil {
		err = json.Unmarshal(body, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// ask sends a recorded request to the fake.
func ask(t *testing.T, s *woo.Shop, client *http.Client, r recorded, user, password string) (status int, h http.Header, body any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), r.Request.Method, s.URL+r.Request.Path, bytes.NewReader(r.Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err == nil {
		err = resp.Body.Close()
	}
	if err == nil {
		err = json.Unmarshal(text, &body)
	}
	if err != nil {
		t.Fatalf("%s: %v in %s", r.Request.Path, err, text)
	}
	return resp.StatusCode, resp.Header, body
}

// What was recorded as a list is answered as that list.
func TestShop_lists(t *testing.T) {
	t.Parallel()
	lists := map[string]string{
		"list-products": "products", "list-orders": "orders", "list-customers": "customers", "list-coupons": "coupons", "list-products-categories": "categories",
		"list-products-tags": "tags", "list-products-brands": "brands", "list-products-attributes": "attributes", "list-products-shipping_classes": "shipping_classes",
		"list-products-reviews": "reviews", "list-taxes": "taxes", "list-refunds": "refunds", "list-webhooks": "webhooks", "wp-media": "media", "wp-pages": "pages", "wp-posts": "posts",
		"list-products-variable": "products", "orders-trash": "orders",
	}
	for name, kind := range lists {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := load(t, name)
			s, client := woo.NewTLS(t)
			s.Purge(kind, s.IDs(kind)...)
			list, _ := want.Body.([]any)
			for _, el := range list {
				row := maps.Clone(el.(map[string]any))
				row["id"] = int(row["id"].(float64))
				s.Add(kind, row)
				for _, rel := range []string{"categories", "tags", "brands"} {
					some, _ := row[rel].([]any)
					for _, c := range some {
						if c, ok := c.(map[string]any); ok && !slices.Contains(s.IDs(rel), int64(c["id"].(float64))) {
							s.Add(rel, woo.Record{"id": int(c["id"].(float64)), "name": c["name"], "slug": c["slug"]})
						}
					}
				}
			}
			status, h, got := ask(t, s, client, want, woo.Key, woo.Secret)
			if status != want.Status || (h.Get("X-WP-Total") != "") != (want.Headers["x-wp-total"] != "") {
				t.Fatalf("status %d, want %d; count %q, want %q", status, want.Status, h.Get("X-WP-Total"), want.Headers["x-wp-total"])
			}
			have, wanted := comparable(got), comparable(want.Body)
			if len(have) != len(wanted) {
				t.Errorf("%d records, want %d", len(have), len(wanted))
			}
			for id, w := range wanted {
				h := have[id]
				for f := range union(h, w) {
					if !reflect.DeepEqual(h[f], w[f]) {
						t.Errorf("%s of %s is %v, want %v", f, id, h[f], w[f])
					}
				}
			}
		})
	}
}

// comparable drops what a shop draws or counts by itself, and takes the order
// out of a list.
func comparable(v any) map[string]map[string]any {
	list, _ := v.([]any)
	out := map[string]map[string]any{}
	for _, el := range list {
		m := maps.Clone(el.(map[string]any))
		for _, f := range []string{"_links", "related_ids", "count", "price"} {
			delete(m, f)
		}
		out[fmt.Sprint(m["id"])] = m
	}
	return out
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, b)
	return all
}

// What was recorded as refused is refused with the same status and code.
func TestShop_refusals(t *testing.T) {
	t.Parallel()
	names := []string{
		"no-auth", "unauthorized", "not-found-product", "no-such-route", "create-product-duplicate-sku", "create-product-with-id", "get-deleted-product",
		"update-deleted-product", "batch-too-many", "create-order", "create-customer-duplicate-email", "orders-per-page-too-large", "wp-pages-edit-context",
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := load(t, name)
			s, client := woo.NewTLS(t)
			s.Add("products", woo.Record{"id": 319, "sku": "TEST-MUGG"})
			s.Add("customers", woo.Record{"email": "kund1@example.com"})
			user, password := woo.Key, woo.Secret
			if want.Status == http.StatusUnauthorized && !strings.HasPrefix(name, "wp-") {
				user, password = "", ""
			}
			status, _, got := ask(t, s, client, want, user, password)
			if status != want.Status || codes(got) != codes(want.Body) {
				t.Errorf("status %d, %s; want %d, %s", status, codes(got), want.Status, codes(want.Body))
			}
		})
	}
}

func codes(v any) string {
	m, _ := v.(map[string]any)
	data, _ := m["data"].(map[string]any)
	return fmt.Sprint(m["code"], data["status"])
}

// The life of a product as it was recorded.
func TestShop_trash(t *testing.T) {
	t.Parallel()
	s, client := woo.NewTLS(t)
	do := func(name string) map[string]any {
		t.Helper()
		want := load(t, name)
		if ids := s.IDs("products"); len(ids) > 0 {
			want.Request.Path = strings.Replace(want.Request.Path, "/318", fmt.Sprint("/", ids[0]), 1)
		}
		status, _, body := ask(t, s, client, want, woo.Key, woo.Secret)
		if status != want.Status {
			t.Errorf("%s: status %d, want %d", name, status, want.Status)
		}
		m, recorded := body.(map[string]any), want.Body.(map[string]any)
		for _, f := range []string{"status", "slug", "sku", "name"} {
			if m[f] != recorded[f] {
				t.Errorf("%s: %s is %v, want %v", name, f, m[f], recorded[f])
			}
		}
		return m
	}
	do("create-product")
	do("delete-product-to-trash")
	do("get-trashed-product")
	do("restore-trashed-product")
	do("delete-product-forever")
	if n := len(s.IDs("products")); n != 0 {
		t.Errorf("%d products", n)
	}
}

func TestShop_batch(t *testing.T) {
	t.Parallel()
	s, client := woo.NewTLS(t)
	want := load(t, "batch-partial-failure")
	status, _, body := ask(t, s, client, want, woo.Key, woo.Secret)
	if status != want.Status {
		t.Fatalf("status %d", status)
	}
	for _, do := range []string{"create", "update", "delete"} {
		got, recorded := body.(map[string]any)[do].([]any), want.Body.(map[string]any)[do].([]any)
		if len(got) != len(recorded) {
			t.Fatalf("%s: %d results, want %d", do, len(got), len(recorded))
		}
		for i := range got {
			a, z := got[i].(map[string]any)["error"], recorded[i].(map[string]any)["error"]
			if codes(a) != codes(z) {
				t.Errorf("%s %d: %s, want %s", do, i, codes(a), codes(z))
			}
		}
	}
}
