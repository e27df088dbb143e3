package shopify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
	"kvart/connectors/rest"
)

func TestNormalShop(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"myshop": "myshop", "MyShop ": "myshop", "my-shop.myshopify.com": "my-shop", "https://myshop.myshopify.com/admin": "myshop",
		"myshop.myshopify.com/admin": "myshop", "https://admin.shopify.com/store/myshop/products": "myshop",
		"": "", "myshop.se": "", "https://myshop.se": "", "https://evil.example/myshop.myshopify.com": "", "myshop.myshopify.com.evil.example": "",
		"https://x@evil.example": "", "https://myshop.myshopify.com:8443/": "", "my shop": "", "127.0.0.1": "", "../x": "", "a.b.myshopify.com": "", "ftp://myshop.myshopify.com": "",
	} {
		got, err := normalShop(typed)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", typed, got, err)
		}
		if err != nil && app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%q: %v", typed, err)
		}
	}
}

func TestReadConfig_onlyLoopbackStandsIn(t *testing.T) {
	t.Parallel()
	a := app.Access{Source: app.Source{Settings: map[string]string{fieldShop: "x"}}, Secrets: app.Secrets{fieldToken: app.NewSecret("shpat_x")}}
	if _, err := readConfig(a, "http://192.0.2.1"); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("another computer stands in: %v", err)
	}
	cfg, err := readConfig(a, "")
	if err != nil || cfg.base != "https://x.myshopify.com" {
		t.Errorf("%q, %v", cfg.base, err)
	}
	if _, err := readConfig(app.Access{Source: a.Source}, ""); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("without a key: %v", err)
	}
}

// TestToken is asked for once, again before it ends, and again when the shop
// refuses it; an older token is used as it is.
func TestToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.open(t)
	probe := func() {
		t.Helper()
		if _, err := s.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	probe()
	probe()
	if n := w.fake.Tokens(); n != 1 {
		t.Errorf("%d tokens for two requests", n)
	}
	w.clock.add(23*time.Hour + 55*time.Minute)
	probe()
	if n := w.fake.Tokens(); n != 2 {
		t.Errorf("%d tokens after a day", n)
	}
	w.fake.EndTokens()
	probe()
	if n := w.fake.Tokens(); n != 3 {
		t.Errorf("%d tokens after one was refused", n)
	}

	w.access.Secrets = app.Secrets{fieldClientSecret: app.NewSecret("wrong")}
	_, err := w.open(t).Probe(t.Context())
	if app.CodeOf(err) != app.CodeSourceDenied || strings.Contains(err.Error(), "wrong") {
		t.Errorf("a wrong secret: %v", err)
	}
}

func TestToken_older(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, _, token := w.fake.Key()
	w.access.Secrets = app.Secrets{fieldToken: app.NewSecret(token)}
	if _, err := w.open(t).Probe(t.Context()); err != nil || w.fake.Tokens() != 0 {
		t.Errorf("%v, %d tokens", err, w.fake.Tokens())
	}
	w.fake.EndTokens()
	if _, err := w.open(t).Probe(t.Context()); app.CodeOf(err) != app.CodeSourceDenied {
		t.Errorf("a token that was taken back: %v", err)
	}
}

// TestThrottle waits as long as the shop's bucket needs, and no request is lost.
func TestThrottle(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.AddProduct("sjal", 1)
	s := w.open(t)
	if got := w.mustList(t, s, kindPages, rest.Query{}); len(got) != 0 {
		t.Fatal("pages from nowhere")
	}
	w.fake.Drain()
	began := w.clock.now()
	if got := w.mustList(t, s, kindProducts, rest.Query{Since: began.Add(-time.Hour)}); len(got) != 1 {
		t.Errorf("%d products", len(got))
	}
	if waited := w.clock.now().Sub(began); waited < time.Second || waited > 30*time.Second {
		t.Errorf("waited %s for a drained bucket", waited)
	}
	w.fake.Fail(fake.Fault{Operation: "ProductsIDs", Status: 429, Header: map[string]string{"Retry-After": "7"}, Body: `{"errors":"Exceeded"}`, Times: 1})
	began = w.clock.now()
	w.mustList(t, s, kindProducts, rest.Query{Since: began.Add(-time.Hour)})
	if waited := w.clock.now().Sub(began); waited < 7*time.Second {
		t.Errorf("waited %s of the 7 s the shop asked for", waited)
	}
}

// TestList_insertsBetweenPages reads a list to which something is added, and from
// which something is taken, after every page.
func TestList_insertsBetweenPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	want := map[string]bool{}
	var ids []string
	for i := range 120 {
		id := w.fake.Add(fake.Object{"__typename": "Page", "handle": fmt.Sprint("sida-", i), "title": "Sida", "body": "", "isPublished": true})
		ids = append(ids, id)
		want[id] = true
	}
	n := 0
	w.fake.Fail(fake.Fault{Operation: "Pages", Then: func() {
		n++
		w.fake.Add(fake.Object{"__typename": "Page", "handle": fmt.Sprint("ny-", n), "title": "Ny", "body": "", "isPublished": true})
		w.fake.Lose(ids[n])
		w.clock.add(time.Second)
		w.fake.Change(ids[n+60], fake.Object{"title": "Ändrad"})
	}})
	for _, q := range []rest.Query{{}, {Since: w.clock.now().Add(-time.Hour)}} {
		n = 0
		seen := map[string]bool{}
		for _, r := range w.mustList(t, w.open(t), kindPages, q) {
			seen[r.ID] = true
		}
		for id := range want {
			if w.fake.Get(id) != nil && !seen[id] {
				t.Errorf("%s was passed over", id)
			}
		}
	}
}

// TestList_resumesPages goes on where a list was cut off.
func TestList_resumesPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 120 {
		w.fake.Add(fake.Object{"__typename": "Page", "handle": fmt.Sprint("sida-", i), "title": "Sida", "body": "", "isPublished": true})
	}
	w.fake.Fail(fake.Fault{Operation: "Pages", After: 1, Status: 500, Body: page, Times: 20})
	s := w.open(t)
	first, err := w.list(t, s, kindPages, rest.Query{})
	if app.CodeOf(err) != app.CodeShopAnswer || len(first) != 50 {
		t.Fatalf("%d pages, %v", len(first), err)
	}
	w = &world{w.fake, w.clock, w.platform, w.access}
	for range 20 {
		w.fake.Fail(fake.Fault{Operation: "nothing"})
	}
	var rest2 []rest.Record
	for range 10 { // the fault ends by itself
		if rest2, err = w.list(t, s, kindPages, rest.Query{Resume: first[49].Resume}); err == nil {
			break
		}
	}
	all := map[string]bool{}
	for _, r := range append(first, rest2...) {
		all[r.ID] = true
	}
	if err != nil || len(all) != 120 {
		t.Errorf("%d of 120, %v", len(all), err)
	}
}

// TestBulk reads 120 products with variants through every way in which a bulk
// operation comes to nothing the first time.
func TestBulk(t *testing.T) {
	t.Parallel()
	for name, break1 := range map[string]func(*fake.Shop){
		"well":     func(*fake.Shop) {},
		"failed":   func(s *fake.Shop) { s.FailBulk("FAILED", 1) },
		"expired":  func(s *fake.Shop) { s.FailBulk("EXPIRED", 1) },
		"canceled": func(s *fake.Shop) { s.FailBulk("CANCELED", 1) },
		"partial":  func(s *fake.Shop) { s.PutFile("partial.jsonl", []byte("{}\n")); s.FailBulk("PARTIAL", 1) },
		"cut file": func(s *fake.Shop) { s.Fail(fake.Fault{Operation: "file", Cut: true, Times: 1}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for i := range 120 {
				w.fake.AddProduct(fmt.Sprint("vara-", i), 2)
			}
			break1(w.fake)
			s := w.open(t)
			all := w.mustList(t, s, kindProducts, rest.Query{})
			if len(all) != 120 {
				t.Fatalf("%d products", len(all))
			}
			byID, err := s.Fetch(t.Context(), w.kind(kindProducts), []rest.Key{all[7].Key, all[99].Key})
			if err != nil || len(byID) != 2 {
				t.Fatal(len(byID), err)
			}
			for _, r := range byID {
				for _, b := range all {
					if b.ID == r.ID && string(b.JSON) != string(r.JSON) {
						t.Errorf("asked for in bulk and by id it differs:\n%s\n%s", b.JSON, r.JSON)
					}
				}
			}
		})
	}
}

// TestBulk_neverPartly gives up rather than take what an operation had when it
// failed.
func TestBulk_neverPartly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.AddProduct("sjal", 1)
	w.fake.PutFile("partial.jsonl", []byte(`{"__typename":"Product","id":"gid://shopify/Product/1"}`+"\n"))
	w.fake.FailBulk("PARTIAL", 0)
	got, err := w.list(t, w.open(t), kindProducts, rest.Query{})
	if app.CodeOf(err) != app.CodeShopAnswer || len(got) != 0 {
		t.Errorf("%d products, %v", len(got), err)
	}
}

// TestBulk_resumed goes on with the operations of a run that was killed while it
// read their results.
func TestBulk_resumed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range 250 {
		w.fake.AddProduct(fmt.Sprint("vara-", i), 1)
	}
	all := w.mustList(t, w.open(t), kindProducts, rest.Query{})
	if n := w.fake.Bulks(); n != 2 || len(all) != 250 {
		t.Errorf("%d operations, %d products", n, len(all))
	}
	w.clock.add(time.Hour)
	left := w.mustList(t, w.open(t), kindProducts, rest.Query{Resume: all[150].Resume})
	if n := w.fake.Bulks(); n != 2 || len(left) != 150 {
		t.Errorf("%d operations, %d products left", n, len(left))
	}
	// An operation that was for something else is not what the list goes on with.
	other := w.mustList(t, w.open(t), kindCollections, rest.Query{Resume: all[150].Resume})
	if n := w.fake.Bulks(); n != 3 || len(other) != 0 {
		t.Errorf("%d operations, %d collections", n, len(other))
	}
}

// TestBulk_takenOver reads the result of an operation that another computer has
// just begun for the same query, and of none that was begun before: it tells of
// the shop as it was.
func TestBulk_takenOver(t *testing.T) {
	t.Parallel()
	for age, want := range map[time.Duration]int{0: 2, 10 * time.Second: 4} {
		w := newWorld(t)
		p, _ := w.fake.AddProduct("sjal", 1)
		d := w.platform.l["products"]
		text, _ := lifted(d, "", "variants", "productVariants", "product")
		for _, q := range []string{bulk(d, "", "variants"), text} {
			if _, err := w.open(t).c.startBulk(t.Context(), w.platform.l, q); err != nil {
				t.Fatal(err)
			}
		}
		w.fake.WriteBulks() // what they write is of now
		w.clock.add(age)
		if age > 0 {
			w.fake.Change(p, fake.Object{"title": "Nytt namn"})
		}
		all := w.mustList(t, w.open(t), kindProducts, rest.Query{})
		if n := w.fake.Bulks(); n != want || len(all) != 1 || age > 0 && !strings.Contains(string(all[0].JSON), "Nytt namn") {
			t.Errorf("begun %s before: %d operations, %s", age, n, all[0].JSON)
		}
	}
}

// TestSweep finds what no time tells of: a changed metafield of a variant.
func TestSweep(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, variants := g.fake.AddProduct("sjal", 1)
	before := g.point(t)
	at := g.path(t, before, kindProducts, product)
	g.clock.add(30 * time.Hour)
	g.fake.ChangeQuietly(variants[0], fake.Object{"barcode": "7310000000001"})
	after := g.point(t)
	if string(read(t, after, at)) == string(read(t, before, at)) {
		t.Error("the sweep saw nothing")
	}
}
