package woocommerce_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kvart/connectors/connectortest"
	"kvart/connectors/fakeshop/woo"
)

// TestHosted runs the suite of hosted shops.
func TestHosted(t *testing.T) {
	t.Parallel()
	connectortest.RunHosted(t, func(t *testing.T) connectortest.Hosted {
		b := newBench(t)
		product := b.shop.Add("products", woo.Record{"name": "Kaffe", "slug": "kaffe", "sku": "K1", "regular_price": "89.00"})
		customer := b.shop.Add("customers", woo.Record{"email": "kim@example.com", "username": "kim", "first_name": "Kim"})
		page := b.shop.Add("pages", woo.Record{"slug": "om", "title": map[string]any{"raw": "Om oss", "rendered": "Om oss"}})
		b.clock.pass(time.Hour)
		var out atomic.Bool
		b.shop.Fault = func(w http.ResponseWriter, _ *http.Request) bool {
			if !out.Load() {
				return false
			}
			conn, _, err := http.NewResponseController(w).Hijack()
			if err == nil {
				err = conn.Close()
			}
			if err != nil {
				t.Error(err)
			}
			return true
		}
		return connectortest.Hosted{
			Connector: b.e, Access: b.access,
			Change: func(*testing.T) {
				b.clock.pass(20 * time.Minute)
				b.shop.Change("products", product, woo.Record{"regular_price": "1.00", "name": "Fel"})
				b.shop.Change("pages", page, woo.Record{"title": map[string]any{"raw": "Fel", "rendered": "Fel"}})
				b.clock.pass(time.Minute)
			},
			Content: func(*testing.T) string {
				var lines []string
				for kind, id := range map[string]int64{"products": product, "customers": customer, "pages": page} {
					r := b.shop.Get(kind, id)
					line := fmt.Sprint(kind, len(b.shop.IDs(kind)))
					for _, f := range []string{"name", "slug", "sku", "regular_price", "email", "first_name", "status"} {
						line += fmt.Sprint(" ", f, "=", r[f])
					}
					if title, ok := r["title"].(map[string]any); ok {
						line += fmt.Sprint(" title=", title["raw"])
					}
					lines = append(lines, line)
				}
				slices.Sort(lines)
				return strings.Join(lines, "\n")
			},
			Cut: func() { out.Store(true) },
		}
	})
}
