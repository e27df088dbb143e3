package rest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"kvart/app"
	"kvart/connectors/rest"
)

// A shop that keeps its texts by language, its prices in pence and its pictures
// as records of their own is shown as any other.
func TestCatalogue_otherWays(t *testing.T) {
	t.Parallel()
	e := rest.New(&market{}, rest.Options{Dir: t.TempDir()})
	c := openCatalogue(t, e, fstest.MapFS{
		"kvart-shop.json":     file(`{"kinds":{"files":{"records":1},"products":{"records":1},"variants":{"records":1},"orders":{"records":1}}}`),
		"files/0/0/5.json":    file(`{"id":"5","name":"kopp.jpg","source":"https://market.example/kopp.jpg"}`),
		"products/0/0/1.json": file(`{"id":"1","slug":"kopp","featuredAsset":{"id":"5"},"translations":[{"languageCode":"sv","name":"Blå kopp","description":"<b>Fin</b>"}]}`),
		"products/0/0/2.json": file(`{"id":"2","featuredAsset":{"id":"77"},"translations":[{"languageCode":"sv","name":"Kanna"},{"languageCode":"en","name":"Jug"}]}`),
		"variants/0/0/3.json": file(`{"id":"3","sku":"K-3","prices":[{"currencyCode":"SEK","price":12900}],"translations":[{"languageCode":"sv","name":"Blå kopp 25 cl"}]}`),
		"orders/0/0/4.json": file(`{"id":"4","code":"T9X","currencyCode":"SEK","totalWithTax":5,"billingAddress":{"fullName":"Åsa Öst","city":"Örebro"},
			"lines":[{"id":"1","quantity":2,"linePriceWithTax":25800,"productVariant":{"id":"3","sku":"K-3","name":"Blå kopp 25 cl"}}]}`),
		"media/4f/4f22.jpg":  file("picture"),
		"media/refs/a7.json": file(`{"https://market.example/kopp.jpg":{"file":"4f/4f22.jpg","size":7}}`),
	})
	for shelf, want := range map[string]string{
		"products": "Blå kopp//media/4f/4f22.jpg|Kanna//", "variants": "Blå kopp 25 cl/129.00 SEK · K-3/", "orders": "T9X/Åsa Öst · 0.05 SEK/",
	} {
		p, err := c.Records(t.Context(), shelf, "", 0, 9)
		var got []string
		for _, r := range p.Records {
			got = append(got, r.Title+"/"+r.Under+"/"+r.Picture)
		}
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%s: %q, want %q, %v", shelf, got, want, err)
		}
	}
	r, fields, err := c.Record(t.Context(), "products/0/0/1.json")
	var got []string
	for _, f := range fields {
		got = append(got, f.Name+"="+f.Value)
	}
	if err != nil || r.Picture == "" || strings.Join(got, "|") != "name=Blå kopp|description=Fin|featuredAsset=5|slug=kopp|id=1" {
		t.Errorf("%+v, %q, %v", r, got, err)
	}
	if _, fields, err = c.Record(t.Context(), "orders/0/0/4.json"); err != nil || fields[4].Value != "2 × Blå kopp 25 cl: 258.00 SEK" {
		t.Errorf("%+v, %v", fields, err)
	}
}

// market is a make of shop with other ways.
type market struct{ kiosk }

func (m *market) Kinds() []rest.Kind {
	return []rest.Kind{
		{Name: "files", Order: 1, File: true, Media: []string{"source"}},
		{Name: "products", Order: 2, Refs: []rest.Ref{{Field: "channel", Kind: "channels"}, {Field: "featuredAsset.id", Kind: "files"}}},
		{Name: "variants", Order: 3, Parent: "products"},
		{Name: "orders", Order: 4, Personal: true},
	}
}

func (m *market) Minor() bool { return true }

func (m *market) Currency(*rest.Reading) (string, error) { return "EUR", nil }

func TestEngine_LiveRecord(t *testing.T) {
	t.Parallel()
	k, e := newKiosk(t)
	a := app.Access{Source: app.Source{ID: "kiosk"}}
	k.fetched = []rest.Record{{Key: rest.Key{ID: "1"}, JSON: []byte(`{"id":1,"name":"Blå kopp","price":"1.00"}`)}}
	r, fields, err := e.LiveRecord(t.Context(), a, kioskPoint(), "products/0/0/1.json")
	if err != nil || r.Under != "1.00 SEK" || len(fields) != 3 || fields[1].Value != "1.00 SEK" {
		t.Fatalf("%+v %+v, %v", r, fields, err)
	}
	k.fetched[0].Trashed = true
	if _, _, err := e.LiveRecord(t.Context(), a, kioskPoint(), "products/0/0/1.json"); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("in the trash: %v", err)
	}
	k.fetched, k.asked = nil, nil
	if _, _, err := e.LiveRecord(t.Context(), a, kioskPoint(), "products/0/0/1.json"); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("gone: %v", err)
	}
	// a shop that doesn't hand them out one by one has not said that they are gone
	if _, _, err := e.LiveRecord(t.Context(), a, kioskPoint(), "order_notes/0/0/1.json"); err == nil || app.CodeOf(err) == app.CodePathUnknown {
		t.Errorf("a note: %v", err)
	}
	if len(k.asked) != 2 || k.asked[1] != (rest.Key{ID: "1", Parent: "10"}) {
		t.Errorf("asked for %+v", k.asked)
	}
	if _, _, err := e.LiveRecord(t.Context(), a, kioskPoint(), "../x.json"); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("no path: %v", err)
	}
}
