package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
)

// wholeShop is a shop with everything that a shop may have: a till, two
// databases on servers, pictures, an online shop, and a page for customers.
type wholeShop struct {
	*shop
	maria, pg         *dbServer
	mariaAsk, pgAsk   func(statements string) string
	mariaDump, pgDump func() string
	mariaGone, pgGone string // statements that lose everything
	web               *woo.Shop
	front             *front
	guarded           *guardProcess
	kills             int
	incident          app.IncidentID
	sound             map[string]string
	webWrecked        string
}

// moreRows makes the databases big enough to be killed in.
const (
	moreMariaDB  = "INSERT INTO rental (film_id, note) SELECT 1 + seq % 2, repeat(md5(seq), 6) FROM seq_1_to_30000;"
	morePostgres = "INSERT INTO rental (film_id, note) SELECT 1 + i % 2, repeat(md5(i::text), 6) FROM generate_series(1, 30000) i;"
)

const wreckedTill = "this was a database once"

func newWholeShop(t *testing.T) *wholeShop {
	t.Helper()
	s := newShop(t)
	w := &wholeShop{shop: s, web: woo.New(t)}
	w.startMariaDB()
	w.startPostgres()
	s.sql(s.db, "CREATE TABLE sale (id INTEGER PRIMARY KEY, gen INTEGER, page BLOB)")
	s.sql(s.db, fmt.Sprintf("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) INSERT INTO sale SELECT i, 0, randomblob(%d) FROM n", pageBytes))
	for i := range 150 {
		s.write(fmt.Sprintf("shop/Bilder/%d/Vara %03d.jpg", i%7, i), []byte(strings.Repeat(strconv.Itoa(i), 3000)))
	}
	for i := range 120 {
		w.web.Add("products", woo.Record{"name": fmt.Sprintf("Kaffe %d", i), "slug": fmt.Sprintf("kaffe-%d", i), "sku": fmt.Sprintf("K-%d", i), "regular_price": "129.00", "status": "publish"})
	}
	for i := range 4 {
		w.web.Add("coupons", woo.Record{"code": fmt.Sprintf("VÅR%d", i), "amount": "10.00"})
		w.web.Add("pages", woo.Record{"slug": fmt.Sprintf("sida-%d", i)})
	}
	for range 15 {
		w.web.Add("orders", woo.Record{})
	}
	w.front = newFront(t)
	s.set("SSL_CERT_FILE", w.front.authority(s))
	return w
}

func (w *wholeShop) startMariaDB() {
	w.Helper()
	d := newDBServer(w.shop, "")
	dump := d.program("mariadb-dump")
	client, connect := d.mariadb()
	d.ask(smallMariaDB+moreMariaDB, client, connect...)
	w.maria, w.mariaGone = d, "DROP DATABASE sakila;"
	w.mariaAsk = func(statements string) string { return d.ask(statements, client, connect...) }
	w.mariaDump = func() string {
		return d.ask("", dump, append(connect, "--routines", "--events", "--skip-dump-date", "--order-by-primary", "--hex-blob", "sakila")...)
	}
}

func (w *wholeShop) startPostgres() {
	w.Helper()
	d := newDBServer(w.shop, "postgres")
	dump := d.program(postgresPrograms+"pg_dump", "pg_dump")
	client, connect := d.postgresql()
	d.ask("CREATE DATABASE lager;", client, connect("postgres")...)
	d.ask(smallPostgres+morePostgres, client, connect("lager")...)
	w.pg, w.pgGone = d, "DROP DATABASE lager WITH (FORCE);"
	w.pgAsk = func(statements string) string { return d.ask(statements, client, connect("postgres")...) }
	w.pgDump = func() string {
		return sortedDump(d.ask("", dump, "--no-owner", "--no-privileges", connect("lager")[3]))
	}
}

// protect makes the vault, protects everything, tells the guard where the
// customers' page is, and backs up.
func (w *wholeShop) protect() {
	w.Helper()
	w.shop.protect()
	word, key := w.write("admin-word", []byte(adminWord+"\n")), w.write("key", []byte(woo.Password))
	w.must([]string{
		"source", "add", "mysql", "--name", "Butiken", "--set", "host=127.0.0.1", "--set", "port=" + strconv.Itoa(w.maria.port),
		"--set", "database=sakila", "--set", "user=root", "--secret", "password=" + word,
	})
	w.must([]string{
		"source", "add", "postgres", "--name", "Lagret", "--set", "host=127.0.0.1", "--set", "port=" + strconv.Itoa(w.pg.port),
		"--set", "database=lager", "--set", "user=postgres", "--secret", "password=" + word,
	})
	w.must([]string{"source", "add", "woocommerce", "--name", "Webben", "--set", "url=" + w.web.URL, "--set", "user=" + woo.User, "--secret", "password=" + key})
	w.must([]string{"watch", "set", "--shop", w.front.url, "--word", "kaffe", "--channel", "larm", "--kind", "webhook", "--secret", "url=" + w.write("hook", []byte(w.front.witness))})
	r := w.must([]string{"backup"}, "runs.len", "5")
	for i := range 5 {
		if st := w.dig(r, fmt.Sprintf("runs.%d.state", i)); st != "done" {
			w.Fatalf("backup: %s", r.out)
		}
	}
}

// state is all there is in the shop, by source.
func (w *wholeShop) state() map[string]string {
	w.Helper()
	files := w.files(w.pics)
	var pics strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&pics, "%s=%s\n", name, files[name])
	}
	return map[string]string{
		"Kassan": w.contents(w.db), "Bilder": pics.String(), "Butiken": w.mariaDump(), "Lagret": w.pgDump(), "Webben": w.webState(),
	}
}

// webState tells the online shop's records by what the owner knows them by:
// what was deleted for good has another number once it is made again.
func (w *wholeShop) webState() string {
	w.Helper()
	var lines []string
	for kind, fields := range map[string][]string{
		"products": {"sku", "name", "slug", "regular_price", "status"}, "coupons": {"code", "amount", "status"}, "pages": {"slug", "status"}, "orders": {"id", "status"},
	} {
		for _, id := range w.web.IDs(kind) {
			line := kind
			for _, f := range fields {
				line += fmt.Sprintf(" %v", w.web.Get(kind, id)[f])
			}
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// destroy destroys everything at once, as somebody does who got in.
func (w *wholeShop) destroy() {
	w.Helper()
	w.write("shop/kassa.db", []byte(wreckedTill))
	if err := os.RemoveAll(w.pics); err != nil {
		w.Fatal(err)
	}
	w.mariaAsk(w.mariaGone)
	w.pgAsk(w.pgGone)
	for n, id := range w.web.IDs("products") {
		switch {
		case n%10 == 0:
			w.web.Trash("products", id)
		case n%10 == 5:
			w.web.Purge("products", id)
		default:
			w.web.Change("products", id, woo.Record{"regular_price": "1.00", "name": "HACKED"})
		}
	}
	for _, kind := range []string{"coupons", "pages"} {
		for _, id := range w.web.IDs(kind) {
			w.web.Trash(kind, id)
		}
	}
	w.webWrecked = w.webState()
	w.front.be(frontWrong)
}
