//go:build unix

package main

import (
	"testing"

	"kvart/connectors/fakeshop/woo"
)

// A backup is looked at as the owner thinks of it: the shop's products by name
// and its orders by number, one of them held against the shop as it is now, and
// a till's tables by their rows.
func TestBrowse(t *testing.T) {
	t.Parallel()
	web := woo.New(t)
	mug := web.Add("products", woo.Record{"name": "Mugg, blå", "slug": "mugg", "sku": "M-1", "regular_price": "129.00", "price": "129.00"})
	web.Add("products", woo.Record{"name": "Kanna", "slug": "kanna", "sku": "K-1"})
	web.Add("orders", woo.Record{})
	s := newShop(t)
	s.small()
	s.write("key", []byte(woo.Password))
	s.protect()
	s.must([]string{"source", "add", "woocommerce", "--name", "Webben", "--set", "url=" + web.URL, "--set", "user=" + woo.User, "--secret", "password=key"})
	s.must([]string{"backup"})
	old := s.dig(s.must([]string{"points", "--source", "Webben"}), "0.point")
	g := s.guard()
	defer s.end(g)
	s.must([]string{"browse", "--source", "Webben"}, "0.code", "products", "0.count", "2", "0.known", "true", "0.export", "products", "0.path", "products", "1.code", "orders")
	s.must([]string{"browse", "--source", "Webben", "products"}, "total", "2", "records.0.title", "Kanna", "records.1.under", "129.00 · M-1")
	found := s.must([]string{"browse", "--source", "Webben", "products", "MUGG"}, "total", "1", "records.0.title", "Mugg, blå")
	path := s.dig(found, "records.0.path")
	s.must([]string{"browse", "--source", "Webben", "orders"}, "records.0.under", "Åsa Sjöström · 49.00 SEK")

	web.Change("products", mug, woo.Record{"regular_price": "1.00", "price": "1.00"})
	s.must([]string{"browse", "--source", "Webben", "--point", old, "--record", path, "--with", "live"},
		"record.title", "Mugg, blå", "fields.0.name", "name", "fields.3.name", "price", "fields.3.value", "129.00", "fields.4.name", "regular_price", "fields.4.with", "1.00", "fields.4.differs", "true")
	web.Trash("products", mug)
	s.must([]string{"browse", "--source", "Webben", "--point", old, "--record", path, "--with", "live"}, "gone", "true")
	s.must([]string{"backup"})
	s.must([]string{"browse", "--source", "Webben", "--point", old, "--record", path}, "record.title", "Mugg, blå")
	s.fails("path_unknown", []string{"browse", "--source", "Webben", "--record", path})
	// "when was this deleted?"
	s.must([]string{"find", "mugg", "--source", "Webben"}, "hits.0.title", "Mugg, blå", "hits.0.shelf", "products", "hits.0.path", path, "hits.0.point", old, "hits.0.now", "false", "all", "true")

	s.must([]string{"browse", "--source", "Kassan"}, "0.code", "sale", "0.count", "2", "0.columns.1", "gen")
	s.must([]string{"browse", "--source", "Kassan", "sale", "ÅRE"}, "total", "1", "records.0.cells.2", "Åre")
	s.must([]string{"browse", "--source", "Bilder"})
	s.fails("path_unknown", []string{"browse", "--source", "Bilder", "products"})
	s.fails("path_unknown", []string{"browse", "--source", "Webben", "--record", "../../etc/passwd"})
	s.fails("path_unknown", []string{"browse", "--source", "Webben", "hyllan"})
	s.fails("source_unknown", []string{"browse", "--source", "Ingen"})
	s.fails("point_unknown", []string{"browse", "--source", "Webben", "--point", "p0"})
	s.expect(exitUsage, []string{"browse", "--source", "Webben", "products", "--with", "live"}, "error.code", "usage")
	s.expect(exitUsage, []string{"browse", "--source", "Webben", "products", "--limit", "5000"}, "error.code", "usage")
}
