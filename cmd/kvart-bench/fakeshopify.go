//go:build unix

package main

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	fake "kvart/connectors/fakeshop/shopify"
)

// The shop measured.
const (
	shopHost        = "lillas-garn.myshopify.com"
	onlineProducts  = 10_000
	onlineOrders    = 30_000
	onlineCustomers = 20_000
	pictured        = 10 // one product in so many has a picture
	manyVariants    = 10 // one in so many has five variants
)

// The limits of Shopify's smallest plan, and how fast its bulk operations are
// taken to be: it tells nothing of that, and these are quick.
const (
	pointsASecond = 100
	bucketSize    = 2000
	bulkObjects   = 1000 // a second that one operation writes
	bulkMutations = 12   // a second that one operation carries out
	bulkLanes     = 5    // operations at once
)

// schemaFile is Shopify's own description of the API, where it is at hand.
const schemaFile = "../shared/fixtures/shopify/admin_2026-07.graphql.gz"

// fakeShopify is a Shopify shop.
type fakeShopify struct {
	shop     *fake.Shop
	products []string
	variants [][]string
	people   []string
	orders   []string
	changed  int

	mu       sync.Mutex
	requests int
	spent    float64 // at the last forget
}

func newFakeShopify(scale float64) (*fakeShopify, error) {
	reader, err := officialReader()
	if err != nil {
		return nil, err
	}
	var trading atomic.Bool // what it is filled with is older than any overlap
	now := func() time.Time {
		if trading.Load() {
			return time.Now()
		}
		return time.Now().Add(-240 * time.Hour)
	}
	shop, err := fake.Start(fake.Options{
		Now: now, Reader: reader, URL: "https://" + shopHost, Rate: pointsASecond, Bucket: bucketSize, Pace: fake.Pace{Objects: bulkObjects, Mutations: bulkMutations},
	})
	if err != nil {
		return nil, err
	}
	shop.GrantAll()
	f := &fakeShopify{shop: shop}
	for i := range int(onlineProducts * scale) {
		n := 1
		if i%manyVariants == 0 {
			n = 5
		}
		p, vs := shop.AddProduct(fmt.Sprintf("vara-%05d", i), n)
		if i%pictured != 0 {
			shop.Lose(string(shop.Get(p)["media"].([]any)[0].(fake.Ref)))
			shop.ChangeQuietly(p, fake.Object{"media": []any{}})
		}
		f.products, f.variants = append(f.products, p), append(f.variants, vs)
	}
	for i := range int(onlineCustomers * scale) {
		f.people = append(f.people, shop.AddCustomer(fmt.Sprintf("kund%d@example.com", i), "Kim", fmt.Sprint("Ek ", i)))
	}
	for i := range int(onlineOrders * scale) {
		f.orders = append(f.orders, f.order(i, now()))
	}
	trading.Store(true)
	return f, nil
}

// order adds an order by somebody of something.
func (f *fakeShopify) order(i int, at time.Time) string {
	p := (i * 7) % len(f.products)
	return f.shop.AddOrder(fmt.Sprint("#", 1000+i), f.people[i%len(f.people)], f.products[p], f.variants[p][0], at)
}

func officialReader() (_ *fake.Reader, err error) {
	file, err := os.Open(schemaFile)
	if os.IsNotExist(err) {
		return nil, fmt.Errorf("the fake shop needs %s, see docs/performance.md: %w", schemaFile, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open schema: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	z, err := gzip.NewReader(file)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	s, err := gqlparser.LoadSchema(&ast.Source{Name: schemaFile, Input: string(text)})
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	return fake.NewReader(s), nil
}

func (f *fakeShopify) listen(dir string) (where, error) {
	return tunnel(dir, shopHost, later(f.shop.Handler(), func(r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/files/cdn/") {
			return // pictures lie elsewhere
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.requests++
	}))
}

func (f *fakeShopify) forget() {
	points, _ := f.shop.Spent()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests, f.spent = 0, points
	f.shop.Forget()
}

func (f *fakeShopify) tally() tally {
	points, rate := f.shop.Spent()
	longest, all := f.shop.BulkTime()
	f.mu.Lock()
	defer f.mu.Unlock()
	t := tally{Requests: f.requests, Points: points - f.spent, Rate: rate, Bucket: bucketSize, Records: len(f.products) + len(f.people) + len(f.orders)}
	for _, v := range f.variants {
		t.Records += len(v)
	}
	t.Forced = max(longest.Seconds(), all.Seconds()/bulkLanes)
	counts := map[string]int{}
	for _, c := range f.shop.Log() {
		if c.Kind != "line" {
			counts[c.Operation]++
		}
	}
	t.Detail = fmt.Sprint(counts)
	return t
}

// quarter is a quarter of an hour of trade: orders placed and changed, products
// changed, customers that are new.
func (f *fakeShopify) quarter(changes int) error {
	for i := range changes {
		f.changed++
		switch n := f.changed * 31; i % 10 {
		case 0, 1, 2:
			f.orders = append(f.orders, f.order(len(f.orders), time.Now()))
		case 3, 4:
			f.shop.Change(f.orders[n%len(f.orders)], fake.Object{"displayFulfillmentStatus": "FULFILLED"})
		case 5, 6, 7:
			f.shop.Change(f.products[n%len(f.products)], fake.Object{"vendor": fmt.Sprint("Lilla ", f.changed)})
		default:
			f.people = append(f.people, f.shop.AddCustomer(fmt.Sprintf("ny%d@example.com", f.changed), "Kim", "Ny"))
		}
	}
	return nil
}

// spoil sets wrong prices, as an import gone wrong.
func (f *fakeShopify) spoil(products int) error {
	if products*2 > len(f.products) {
		return fmt.Errorf("the shop has only %d products", len(f.products))
	}
	for i := range products {
		for _, v := range f.variants[2*i+1] {
			f.shop.Change(v, fake.Object{"price": "1.00"})
		}
	}
	return nil
}

// remove deletes products of five variants.
func (f *fakeShopify) remove(products int) error {
	if products*manyVariants > len(f.products) {
		return fmt.Errorf("the shop has only %d products", len(f.products))
	}
	for i := range products {
		f.shop.Delete(f.products[i*manyVariants], "Robin")
	}
	return nil
}

func (f *fakeShopify) wrong() int {
	bad := len(f.products)
	for _, p := range f.shop.All("Product") {
		good := true
		for _, v := range p["variants"].([]any) {
			good = good && f.shop.Get(string(v.(fake.Ref)))["price"] != "1.00"
		}
		if good {
			bad--
		}
	}
	return bad
}

func (f *fakeShopify) settle(bool) {}
