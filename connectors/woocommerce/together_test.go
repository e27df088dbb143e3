package woocommerce_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
)

// side counts what is written side by side, and makes what is written together
// wait for each other.
type side struct {
	mu             sync.Mutex
	now, most, all int
}

func (s *side) fault(_ http.ResponseWriter, r *http.Request) bool {
	if !strings.HasSuffix(r.URL.Path, "/products/batch") {
		return false
	}
	s.mu.Lock()
	s.all++
	s.now++
	s.most = max(s.most, s.now)
	s.mu.Unlock()
	time.Sleep(50 * time.Millisecond)
	s.mu.Lock()
	s.now--
	s.mu.Unlock()
	return false
}

// mispriced is a shop whose products cost 1.29 since it was captured, and the
// restore that gives them their prices back.
func mispriced(t *testing.T, products int) (b *bench, prods []int64, r app.Restore) {
	t.Helper()
	b = newBench(t)
	prods, _ = stock(b.shop, products, 0, 0)
	point, _ := b.point()
	b.clock.pass(15 * time.Minute)
	for _, id := range prods {
		b.shop.Change("products", id, woo.Record{"regular_price": "1.29"})
	}
	return b, prods, app.Restore{Access: b.access, From: point, Paths: []string{"products"}}
}

// Many changes are written by two requests at once and no more, and what is made
// by one at a time.
func TestShop_Apply_together(t *testing.T) {
	t.Parallel()
	b, prods, r := mispriced(t, 210)
	changed := &side{}
	b.shop.Do(func() { b.shop.Fault = changed.fault })
	if err := b.e.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	if changed.most != 2 {
		t.Errorf("%d requests changed records at once, of %d", changed.most, changed.all)
	}
	b.shop.Purge("products", prods[:150]...)
	made := &side{}
	b.shop.Do(func() { b.shop.Fault = made.fault })
	if err := b.e.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	if made.most != 1 || made.all > 2+1 { // and one that proves the key
		t.Errorf("%d requests made records at once, of %d", made.most, made.all)
	}
	b.shop.Do(func() { b.shop.Fault = nil })
	b.verify(r)
}

// A number that another record still has, which is to give it up in a request
// beside or after, is not refused for good: what came too soon is tried again.
func TestShop_Apply_numbersMoved(t *testing.T) {
	t.Parallel()
	b, prods, r := mispriced(t, 200)
	// Each has the number of one far after it, which so waits for it.
	const by = 60
	for i, id := range prods {
		sku := "ny-" + record(t, r.From.(fstest.MapFS), "products", id)["sku"].(string)
		if i+by < len(prods) {
			sku = record(t, r.From.(fstest.MapFS), "products", prods[i+by])["sku"].(string)
		}
		b.shop.Change("products", id, woo.Record{"sku": sku})
	}
	var n atomic.Int64
	b.shop.Do(func() {
		b.shop.Fault = func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/products/batch") && n.Add(1) == 2 { // the first proves the key
				time.Sleep(100 * time.Millisecond)
			}
			return false
		}
	})
	if err := b.e.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	b.verify(r)
}

// A request of several under way that fails ends the restore, which is gone on
// with afterwards.
func TestShop_Apply_togetherCutOff(t *testing.T) {
	t.Parallel()
	b, _, r := mispriced(t, 210)
	var mu sync.Mutex
	n := 0
	b.shop.Do(func() {
		b.shop.Fault = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/products/batch") {
				return false
			}
			mu.Lock()
			defer mu.Unlock()
			if n++; n != 4 { // the first proves the key
				return false
			}
			w.WriteHeader(http.StatusBadGateway)
			return true
		}
	})
	if err := b.e.Apply(t.Context(), r, silent{}); app.CodeOf(err) != app.CodeShopAnswer {
		t.Fatalf("apply: %v", err)
	}
	if n > 5 {
		t.Errorf("%d requests, the fourth of which failed", n)
	}
	b.renew()
	if err := b.e.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	b.verify(r)
}
