//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"kvart/connectors/fakeshop/woo"
)

// The limits of a web hotel, as WooCommerce names none itself: so many questions
// a second from one address, more at once for a moment, and of what is written
// in batches what was measured of WooCommerce 11 on two cores.
const (
	wooASecond     = 10
	wooAtOnce      = 20
	wooCreates     = 6.4 // a second
	wooUpdates     = 16.
	wooBatches     = 2 // at once
	wooNotes       = 1 // of an order
	wooOrdersAPage = 100
)

// fakeWoo is a WooCommerce shop.
type fakeWoo struct {
	shop     *woo.Shop
	host     *rate.Limiter
	workers  chan struct{}
	products []int64
	orders   []int64
	people   []int64
	changed  int

	mu       sync.Mutex
	requests int
	refused  int
	kinds    map[string]int
}

func newFakeWoo(scale float64) (*fakeWoo, error) {
	f := &fakeWoo{shop: woo.Start(), host: rate.NewLimiter(wooASecond, wooAtOnce), workers: make(chan struct{}, wooBatches), kinds: map[string]int{}}
	now := time.Now()
	f.shop.Now = func() time.Time { return now.Add(-240 * time.Hour) } // while it is filled
	for i := range int(onlineProducts * scale) {
		r := woo.Record{"name": fmt.Sprint("Vara ", i), "slug": fmt.Sprint("vara-", i), "sku": fmt.Sprintf("V%05d", i), "regular_price": "100.00", "categories": []any{}}
		if i%pictured == 0 {
			name := fmt.Sprintf("2026/11/vara-%d.jpg", i)
			r["images"] = []any{woo.Record{"id": float64(0), "src": "/wp-content/uploads/" + name, "name": name, "alt": ""}}
		}
		if i%manyVariants == 0 {
			r["type"] = "variable"
		}
		id := f.shop.Add("products", r)
		for v := range 5 {
			if i%manyVariants == 0 {
				f.shop.Add("variations", woo.Record{"parent_id": float64(id), "sku": fmt.Sprintf("V%05d-%d", i, v), "regular_price": "100.00", "attributes": []any{}})
			}
		}
		f.products = append(f.products, id)
	}
	for i := range int(onlineCustomers * scale) {
		f.people = append(f.people, f.customer(fmt.Sprint("kund", i)))
	}
	for i := range int(onlineOrders * scale) {
		f.orders = append(f.orders, f.order(i))
	}
	f.shop.Now = time.Now
	return f, nil
}

func (f *fakeWoo) customer(name string) int64 {
	return f.shop.Add("customers", woo.Record{"email": name + "@example.com", "username": name, "first_name": "Kim", "last_name": "Ek"})
}

// order adds an order of two things by somebody.
func (f *fakeWoo) order(i int) int64 {
	var lines []any
	for j := range 2 {
		lines = append(lines, woo.Record{
			"id": float64(2*i + j + 1), "name": "Vara", "product_id": float64(f.products[(i*7+j)%len(f.products)]), "variation_id": float64(0), "quantity": float64(1),
			"subtotal": "100.00", "total": "100.00", "sku": "V", "price": 100.0, "taxes": []any{}, "meta_data": []any{},
		})
	}
	id := f.shop.Add("orders", woo.Record{"customer_id": float64(f.people[i%len(f.people)]), "line_items": lines, "total": "249.00"})
	for range wooNotes {
		f.shop.Add("order_notes", woo.Record{"_parent": float64(id), "note": "Betald"})
	}
	return id
}

func (f *fakeWoo) listen(string) (where, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return where{}, fmt.Errorf("listen: %w", err)
	}
	f.shop.URL = "http://" + l.Addr().String()
	server := &http.Server{Handler: f.limited(), ReadHeaderTimeout: time.Minute}
	var serving sync.WaitGroup // until the process ends
	serving.Go(func() { _ = server.Serve(l) })
	return where{URL: f.shop.URL}, nil
}

// limited is the shop behind its host's limits.
func (f *fakeWoo) limited() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/wp-content/") {
			time.Sleep(latency)
			f.shop.ServeHTTP(w, r)
			return
		}
		f.count(r)
		if !f.host.Allow() {
			f.mu.Lock()
			f.refused++
			f.mu.Unlock()
			w.Header().Set("Retry-After", "1")
			http.Error(w, "<html>Too many requests</html>", http.StatusTooManyRequests)
			return
		}
		time.Sleep(latency)
		if strings.HasSuffix(r.URL.Path, "/batch") {
			f.work(r)
		}
		f.shop.ServeHTTP(w, r)
	})
}

func (f *fakeWoo) count(r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/wp-json/")
	if strings.HasSuffix(path, "/notes") {
		path = "notes"
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	f.kinds[r.Method+" "+path]++
}

// work takes the time that a shop takes to write what a batch says.
func (f *fakeWoo) work(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the shop will notice
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var batch struct{ Create, Update []json.RawMessage }
	if json.Unmarshal(body, &batch) != nil {
		return
	}
	f.workers <- struct{}{}
	defer func() { <-f.workers }()
	time.Sleep(time.Duration((float64(len(batch.Create))/wooCreates + float64(len(batch.Update))/wooUpdates) * float64(time.Second)))
}

func (f *fakeWoo) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests, f.refused, f.kinds = 0, 0, map[string]int{}
	f.shop.Requests()
}

// tally counts as forced what pages of a hundred the records make at the host's
// pace, but for notes of orders, which WooCommerce gives out order by order, and
// which the guard fetches over the first days.
func (f *fakeWoo) tally() tally {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := tally{Requests: f.requests, Refused: f.refused}
	pages := 0
	for _, kind := range []string{"products", "variations", "orders", "customers"} {
		n := len(f.shop.IDs(kind))
		t.Records += n
		pages += (n + wooOrdersAPage - 1) / wooOrdersAPage
	}
	t.Forced = float64(max(0, pages-wooAtOnce)) / wooASecond
	t.Detail = fmt.Sprint(f.kinds)
	return t
}

func (f *fakeWoo) quarter(changes int) error {
	for i := range changes {
		f.changed++
		switch n := f.changed * 31; i % 10 {
		case 0, 1, 2:
			f.orders = append(f.orders, f.order(len(f.orders)))
		case 3, 4:
			f.shop.Change("orders", f.orders[n%len(f.orders)], woo.Record{"status": "completed"})
		case 5, 6, 7:
			f.shop.Change("products", f.products[n%len(f.products)], woo.Record{"description": fmt.Sprint("Ny text ", f.changed)})
		default:
			f.people = append(f.people, f.customer(fmt.Sprint("ny", f.changed)))
		}
	}
	return nil
}

func (f *fakeWoo) spoil(products int) error {
	if products*2 > len(f.products) {
		return fmt.Errorf("the shop has only %d products", len(f.products))
	}
	for i := range products {
		f.shop.Change("products", f.products[2*i+1], woo.Record{"regular_price": "1.00"})
	}
	return nil
}

func (f *fakeWoo) remove(products int) error {
	for i := range products {
		f.shop.Purge("products", f.products[i])
	}
	return nil
}

func (f *fakeWoo) wrong() (bad int) {
	for _, id := range f.products {
		if r := f.shop.Get("products", id); r == nil || r["regular_price"] != "100.00" {
			bad++
		}
	}
	return bad
}

// settle has the notes of old orders count as read: fetching all of them, as the
// guard does over the first days, would take an hour.
func (f *fakeWoo) settle(done bool) {
	f.shop.Do(func() {
		f.shop.Tamper = nil
		if done {
			f.shop.Tamper = noOldNotes
		}
	})
}

// noOldNotes answers who asks for the numbers of all orders, of whatever age, as
// only the reading of notes does, that there are none.
func noOldNotes(r *http.Request, _ int, h http.Header, body []byte) []byte {
	q := r.URL.Query()
	if !strings.HasSuffix(r.URL.Path, "/wc/v3/orders") || q.Get("_fields") != "id" || q.Get("modified_after") != "" || q.Get("per_page") == "1" {
		return body
	}
	h.Set("X-WP-Total", "0")
	h.Set("X-WP-TotalPages", "0")
	return []byte("[]")
}
