package shopify

import (
	"fmt"
	"strings"
	"testing"
	"time"

	fake "kvart/connectors/fakeshop/shopify"
	"kvart/connectors/rest"
)

// TestList_everyKind reads every kind of a shop that has something of most.
func TestList_everyKind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, vs := w.fake.AddProduct("sjal", 3)
	c := w.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	w.fake.AddOrder("#1001", c, p, vs[0], time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC))
	s := w.open(t)
	if _, err := s.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, k := range w.platform.Kinds() {
		all, err := w.list(t, s, k.Name, rest.Query{})
		if err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
		t.Log(k.Name, len(all))
		if len(all) > 0 && (k.Name == kindProducts || k.Name == kindInventory) {
			t.Logf("%s", all[0].JSON)
		}
		if _, err := w.list(t, s, k.Name, rest.Query{Since: w.clock.now().Add(-time.Hour)}); err != nil {
			t.Errorf("%s since: %v", k.Name, err)
		}
	}
	t.Log(w.fake.Spent())
	t.Log(w.requests())
}

// TestCapture_quarter counts what a quarter costs: one in which nothing
// happened, and one with 200 changes.
func TestCapture_quarter(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	var products, variants, customers []string
	for i := range 150 {
		p, vs := g.fake.AddProduct(fmt.Sprint("vara-", i), 2)
		products, variants = append(products, p), append(variants, vs...)
		customers = append(customers, g.fake.AddCustomer(fmt.Sprintf("kund%d@example.com", i), "Kim", fmt.Sprint("Ek ", i)))
	}
	g.clock.add(time.Hour)
	g.point(t)
	g.clock.add(15 * time.Minute)
	g.fake.Forget()
	g.point(t)
	idle := len(g.fake.Log())
	t.Log("nothing happened:", g.requests())

	g.clock.add(15 * time.Minute)
	for i := range 90 {
		g.fake.Change(products[i], fake.Object{"title": "Nytt namn"})
	}
	for i := range 50 {
		g.fake.AddOrder(fmt.Sprint("#", 2000+i), customers[i], products[i], variants[2*i], g.clock.now())
		g.fake.Change(customers[i], fake.Object{"note": "köpte"})
	}
	for i := range 10 {
		g.fake.Add(fake.Object{"__typename": "Page", "handle": fmt.Sprint("sida-", i), "title": "Sida", "body": "", "isPublished": true})
	}
	g.fake.Forget()
	began := g.clock.now()
	point := g.point(t)
	busy := len(g.fake.Log())
	t.Log("200 changes:", g.requests(), "in", g.clock.now().Sub(began))
	if idle > 3 || busy > 11 {
		t.Errorf("%d requests for nothing, %d for 200 changes", idle, busy)
	}
	if !strings.Contains(string(read(t, point, g.path(t, point, kindProducts, products[89]))), "Nytt namn") {
		t.Error("a change was missed")
	}
}
