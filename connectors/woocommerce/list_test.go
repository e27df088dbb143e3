package woocommerce_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Records deleted while a list is read shift those after them: none is missed,
// whichever of the pages asked for together is answered first.
func TestEngine_Capture_shifting(t *testing.T) {
	t.Parallel()
	for _, late := range []string{"", "99", "198"} { // a page that is read from the shop last
		b := newBench(t)
		prods, _ := stock(b.shop, 450, 0, 0)
		var mu sync.Mutex
		pages := 0
		b.shop.Do(func() {
			b.shop.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
				if q := r.URL.Query(); strings.HasSuffix(r.URL.Path, "/products") && q.Get("_fields") == "" && q.Get("offset") == late {
					time.Sleep(50 * time.Millisecond)
				}
				return false
			}
			b.shop.Tamper = func(r *http.Request, _ int, _ http.Header, body []byte) []byte {
				if strings.HasSuffix(r.URL.Path, "/products") && r.URL.Query().Get("orderby") == "id" && r.URL.Query().Get("_fields") == "" {
					mu.Lock()
					defer mu.Unlock()
					if pages*10+10 < len(prods) {
						b.shop.Purge("products", prods[pages*10:pages*10+10]...)
					}
					pages++
				}
				return body
			}
		})
		point, problems := b.point()
		if len(problems) > 0 || pages < 5 {
			t.Errorf("problems %v, %d pages", problems, pages)
		}
		for _, id := range b.shop.IDs("products") {
			path(t, point, "products", id)
		}
	}
}

// A long list is asked for some pages ahead, so that the shop's pace says how
// fast it is read; never more at once than is polite, and none behind its end.
func TestEngine_Capture_ahead(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 0, 950, 0)
	var mu sync.Mutex
	var now, most, pages int
	b.shop.Do(func() {
		b.shop.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
			q := r.URL.Query()
			if !strings.HasSuffix(r.URL.Path, "/wc/v3/orders") || q.Get("_fields") != "" {
				return false
			}
			mu.Lock()
			now++
			pages++
			most = max(most, now)
			mu.Unlock()
			time.Sleep(30 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			return false
		}
	})
	point, _ := b.point()
	if in(point, "orders") != 950 || most < 2 || most > 3 || pages != 10 {
		t.Errorf("%d orders, %d pages at once, %d in all", in(point, "orders"), most, pages)
	}
}

// The first time what there is most of is read first and by itself: the vault
// stores it while the rest is read.
func TestEngine_Capture_manyFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stock(b.shop, 210, 210, 210)
	b.point()
	var lists []string
	for _, line := range b.shop.Requests() {
		path, query, _ := strings.Cut(strings.TrimPrefix(line, "GET "), "?")
		if q, err := url.ParseQuery(query); err != nil || q.Get("_fields") != "" || q.Get("orderby") != "id" {
			continue
		}
		if lists = append(lists, path); len(lists) == 10 {
			break
		}
	}
	want := slices.Concat(slices.Repeat([]string{"wc/v3/orders"}, 3), slices.Repeat([]string{"wc/v3/customers"}, 3), slices.Repeat([]string{"wc/v3/products"}, 3))
	if len(lists) < 10 || !slices.Equal(lists[:9], want) || slices.Contains(want, lists[9]) {
		t.Errorf("read in the order %v", lists)
	}
}
