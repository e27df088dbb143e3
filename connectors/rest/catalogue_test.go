package rest_test

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// kiosk is a make of shop that says nothing of how its records are known but
// what they are called.
type kiosk struct {
	stall
	fetched []rest.Record
	asked   []rest.Key
}

func (k *kiosk) Kinds() []rest.Kind {
	return []rest.Kind{
		{Name: "settings", Order: 1, Layout: rest.Flat},
		{Name: "products", Order: 2, Media: []string{"images[].src"}},
		{Name: "customers", Order: 3, Personal: true},
		{Name: "orders", Order: 4, Personal: true, Fixed: true},
		{Name: "order_notes", Order: 5, Parent: "orders", Restore: rest.Manual},
		{Name: "pages", Order: 6},
	}
}

func (k *kiosk) Open(context.Context, app.Access, bool) (rest.Shop, error) { return k, nil }

func (k *kiosk) Fetch(_ context.Context, _ rest.Kind, keys []rest.Key) ([]rest.Record, error) {
	k.asked = append(k.asked, keys...)
	return k.fetched, nil
}

func (k *kiosk) Currency(from *rest.Reading) (string, error) {
	m, err := from.One("settings", "currency")
	if err != nil || m == nil {
		return "", err
	}
	return rest.At(m, "value"), nil
}

func (k *kiosk) Minor() bool { return false }

func newKiosk(t *testing.T) (*kiosk, *rest.Engine) {
	t.Helper()
	k := &kiosk{}
	return k, rest.New(k, rest.Options{Dir: t.TempDir()})
}

// at is the time of the nth version of a record.
func at(n int) time.Time { return time.Unix(1_700_000_000, int64(n)) }

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text), ModTime: at(0)} }

// kioskPoint is a point with something of everything, and something wrong.
func kioskPoint() fstest.MapFS {
	return fstest.MapFS{
		"kvart-shop.json":        file(`{"format":1,"kinds":{"settings":{"records":1},"products":{"records":4},"customers":{"records":1},"orders":{"records":3},"order_notes":{"records":1},"pages":{"records":0},"old":{"records":9}}}`),
		"settings/currency.json": file(`{"id":"currency","value":"SEK"}`),
		"products/0/0/1.json": file(`{"id":1,"name":"Blå kopp &amp; fat","price":"129.00","sku":"KOPP-1","stock_quantity":7,"description":"<p>Handdrejad<br>kopp</p><script>alert(1)</script>",
			"images":[{"id":5,"src":"https://kiosk.example/kopp.jpg"},{"id":6,"src":"https://kiosk.example/b.jpg"}],"date_created":"2026-11-19T13:00:00","date_created_gmt":"2026-11-19T12:00:00",
			"dimensions":{"length":"10","width":"","height":"8"},"categories":[{"id":3,"name":"Koppar"},{"id":4,"name":"Te &amp; kaffe"}],"meta_data":[{"id":9,"key":"_ean","value":"735"}],"upsell_ids":[2,3],"weight":null}`),
		"products/0/0/2.json":    file(`{"id":2,"name":"Ånglok \u202egpj.exe\u0000","price":"20.00","sku":"KOPP-2"}`),
		"products/0/0/3.json":    file(`{"id":3,"name":"Halv`),
		"products/0/0/4.json":    file(`[1,2]`),
		"customers/0/0/8.json":   file(`{"id":8,"first_name":"Åsa","last_name":"Öst","email":"asa@example.se","billing":{"address_1":"Storgatan 1","postcode":"702 10","city":"Örebro"}}`),
		"orders/0/0/10.json":     file(`{"id":10,"number":"1001","total":"49.00","currency":"EUR","billing":{"first_name":"Åsa","last_name":"Öst","email":"asa@example.se"},"line_items":[{"id":1,"name":"Kopp","quantity":2,"total":"40.00"}]}`),
		"orders/0/0/9.json":      file(`{"id":9,"number":"1000","total":"5.00","currency":"SEK","billing":{"first_name":"Bo"}}`),
		"orders/0/0/11.json":     file(`{"id":11,"number":"1002","total":"7.00","billing":{"first_name":"Cia"}}`),
		"order_notes/0/0/1.json": file(`{"_parent":"10","id":1,"note":"Ring först"}`),
		"media/4f/4f22.jpg":      file("picture"),
		"media/refs/a7.json":     file(`{"https://kiosk.example/kopp.jpg":{"file":"4f/4f22.jpg","size":7}}`),
		"media/refs/a8.json":     file(`{"https://kiosk.example/evil.jpg":{"file":"../../kvart-shop.json","size":7}}`),
	}
}

func openCatalogue(t *testing.T, e *rest.Engine, point fs.FS) app.Catalogue {
	t.Helper()
	c, err := e.Catalogue(t.Context(), point, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// titles lists all that a shelf holds of a text.
func titles(t *testing.T, c app.Catalogue, shelf, text string) string {
	t.Helper()
	p, err := c.Records(t.Context(), shelf, text, 0, 100)
	if err != nil || p.Left != 0 || int(p.Total) != len(p.Records) {
		t.Fatalf("%+v, %v", p, err)
	}
	var out []string
	for _, r := range p.Records {
		out = append(out, r.Title)
	}
	return strings.Join(out, "|")
}

func TestCatalogue_Shelves(t *testing.T) {
	t.Parallel()
	_, e := newKiosk(t)
	shelves, err := openCatalogue(t, e, kioskPoint()).Shelves(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range shelves {
		got = append(got, fmt.Sprint(s.Code, s.Count, s.Known, s.Parent, s.Path))
	}
	if g := strings.Join(got, " "); g != "products4 trueproducts orders3 trueorders customers1 truecustomers settings1 truesettings order_notes1 trueordersorder_notes" {
		t.Errorf("shelves %s", g)
	}
}

func TestCatalogue_Records(t *testing.T) {
	t.Parallel()
	_, e := newKiosk(t)
	c := openCatalogue(t, e, kioskPoint())
	for _, q := range [][3]string{
		{"products", "", "3|4|Blå kopp & fat|Ånglok gpj.exe"}, // of damaged ones, the number
		{"products", "BLÅ KOPP", "Blå kopp & fat"},
		{"products", "kopp-", "Blå kopp & fat|Ånglok gpj.exe"},
		{"products", "finns inte", ""},
		{"orders", "", "#1002|#1001|#1000"},
		{"orders", "1001", "#1001"},
		{"orders", "asa@EXAMPLE", "#1001"},
		{"customers", "öst", "Åsa Öst"},
		{"order_notes", "", "Ring först"},
	} {
		if got := titles(t, c, q[0], q[1]); got != q[2] {
			t.Errorf("%s with %q: %s, want %s", q[0], q[1], got, q[2])
		}
	}
	p, err := c.Records(t.Context(), "orders", "", 1, 1)
	if err != nil || len(p.Records) != 1 || p.Total != 3 || p.Records[0].Title != "#1001" || p.Records[0].Under != "Åsa Öst · 49.00 EUR" || p.Records[0].Path != "orders/0/0/10.json" {
		t.Errorf("a part: %+v, %v", p, err)
	}
	if p, err = c.Records(t.Context(), "orders", "", 9, 5); err != nil || len(p.Records) != 0 || p.Total != 3 {
		t.Errorf("past the end: %+v, %v", p, err)
	}
	p, err = c.Records(t.Context(), "products", "blå", 0, 5)
	if err != nil || p.Records[0].Picture != "media/4f/4f22.jpg" || p.Records[0].Under != "129.00 SEK · KOPP-1" {
		t.Errorf("a product: %+v, %v", p, err)
	}
	for _, unknown := range []string{"", "old", "pages/..", "media", "hyllan"} {
		if _, err := c.Records(t.Context(), unknown, "", 0, 5); app.CodeOf(err) != app.CodePathUnknown {
			t.Errorf("shelf %q: %v", unknown, err)
		}
	}
}

func TestCatalogue_Record(t *testing.T) {
	t.Parallel()
	_, e := newKiosk(t)
	c := openCatalogue(t, e, kioskPoint())
	r, fields, err := c.Record(t.Context(), "products/0/0/1.json")
	if err != nil || r.Title != "Blå kopp & fat" || r.Picture == "" {
		t.Fatalf("%+v, %v", r, err)
	}
	var got []string
	for _, f := range fields {
		got = append(got, f.Name+"="+f.Value)
	}
	want := []string{
		"name=Blå kopp & fat", "sku=KOPP-1", "price=129.00 SEK", "stock_quantity=7", "description=Handdrejad\nkopp", "images=2", "categories=Koppar; Te & kaffe",
		"dimensions=height: 8, length: 10", "upsell_ids=2, 3", "date_created_gmt=2026-11-19T12:00:00Z", "meta_data=_ean: 735", "id=1",
	}
	if g := strings.Join(got, "\n"); g != strings.Join(want, "\n") {
		t.Errorf("fields\n%s\nwant\n%s", g, strings.Join(want, "\n"))
	}
	_, fields, err = c.Record(t.Context(), "orders/0/0/10.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range fields {
		switch f.Name {
		case "line_items":
			if f.Value != "2 × Kopp: 40.00 EUR" {
				t.Errorf("lines %q", f.Value)
			}
		case "billing":
			if f.Value != "Åsa Öst, asa@example.se" {
				t.Errorf("billing %q", f.Value)
			}
		}
	}
	if _, fields, err = c.Record(t.Context(), "customers/0/0/8.json"); err != nil || fields[3].Value != "Storgatan 1, 702 10 Örebro" {
		t.Errorf("an address: %+v, %v", fields, err)
	}
}

// Whatever a point holds or a path says, the answer is one the owner can be told.
func TestCatalogue_Record_bad(t *testing.T) {
	t.Parallel()
	_, e := newKiosk(t)
	c := openCatalogue(t, e, kioskPoint())
	for path, code := range map[string]app.Code{
		"products/0/0/3.json":               app.CodeItemUnreadable, // cut off
		"products/0/0/4.json":               app.CodeItemUnreadable, // no record
		"products/0/0/99.json":              app.CodePathUnknown,
		"products/0/0":                      app.CodePathUnknown,
		"products":                          app.CodePathUnknown,
		"":                                  app.CodePathUnknown,
		"kvart-shop.json":                   app.CodePathUnknown,
		"media/refs/a7.json":                app.CodePathUnknown,
		"products/../kvart-shop.json":       app.CodePathUnknown,
		"../etc/passwd":                     app.CodePathUnknown,
		"/products/0/0/1.json":              app.CodePathUnknown,
		"products/0/0/1.json\x00.json":      app.CodePathUnknown,
		strings.Repeat("products/", 400):    app.CodePathUnknown,
		"products/0/0/1.json/orders/1.json": app.CodePathUnknown,
	} {
		if _, _, err := c.Record(t.Context(), path); app.CodeOf(err) != code {
			t.Errorf("%.60q: %v, want %s", path, err, code)
		}
	}
	for _, manifest := range []string{"", "{", "[]", `{"kinds":7}`} {
		point := kioskPoint()
		point["kvart-shop.json"] = file(manifest)
		if _, err := e.Catalogue(t.Context(), point, ""); app.CodeOf(err) != app.CodeItemUnreadable {
			t.Errorf("manifest %q: %v", manifest, err)
		}
	}
	point := kioskPoint()
	point["settings/currency.json"], point["media/refs/a7.json"] = file(`{"val`), file(`{"`)
	if r, _, err := openCatalogue(t, e, point).Record(t.Context(), "products/0/0/1.json"); err != nil || r.Under != "129.00 · KOPP-1" || r.Picture != "" {
		t.Errorf("without currency and pictures: %+v, %v", r, err)
	}
}

// failing is a point of which some files can't be read just now.
type failing struct {
	fstest.MapFS
	bad   func(name string) error
	mu    sync.Mutex
	reads map[string]int
}

func (f *failing) Open(name string) (fs.File, error) {
	if f.bad != nil {
		if err := f.bad(name); err != nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
	if f.reads != nil && strings.HasSuffix(name, ".json") {
		f.mu.Lock()
		f.reads[name]++
		f.mu.Unlock()
	}
	return f.MapFS.Open(name)
}

// A storage that does not answer is no damaged record, and a later question
// goes on where the first one was cut off.
func TestCatalogue_Records_interrupted(t *testing.T) {
	t.Parallel()
	_, e := newKiosk(t)
	offline := app.Errorf(app.CodeStorageOffline, "read", "no answer")
	point := &failing{MapFS: kioskPoint(), bad: func(name string) error {
		if strings.HasSuffix(name, "products/0/0/2.json") {
			return offline
		}
		return nil
	}}
	c := openCatalogue(t, e, point)
	if _, err := c.Records(t.Context(), "products", "", 0, 9); app.CodeOf(err) != app.CodeStorageOffline {
		t.Fatalf("offline: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	point.bad = func(string) error { cancel(); return nil }
	if _, err := c.Records(ctx, "products", "", 0, 9); app.CodeOf(err) != app.CodeCanceled {
		t.Fatalf("canceled: %v", err)
	}
	point.bad = nil
	if got := titles(t, c, "products", ""); got != "3|4|Blå kopp & fat|Ånglok gpj.exe" {
		t.Errorf("afterwards: %s", got)
	}
}

// The next point of a shop is known as soon as what is different in it was read.
func TestCatalogue_Neighbour(t *testing.T) {
	t.Parallel()
	_, e := newKiosk(t)
	old := openCatalogue(t, e, kioskPoint())
	titles(t, old, "products", "")
	next := &failing{MapFS: kioskPoint(), reads: map[string]int{}}
	next.MapFS["products/0/0/2.json"] = &fstest.MapFile{Data: []byte(`{"id":2,"name":"Ny"}`), ModTime: at(1)}
	next.MapFS["products/0/0/5.json"] = file(`{"id":5,"name":"Femman"}`)
	delete(next.MapFS, "products/0/0/3.json")
	c, err := old.(app.NeighbourCatalogue).Neighbour(t.Context(), next, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	if got := titles(t, c, "products", ""); got != "4|Blå kopp & fat|Femman|Ny" {
		t.Errorf("%s", got)
	}
	if next.reads["products/0/0/1.json"] != 0 || next.reads["products/0/0/2.json"] != 1 {
		t.Errorf("read %v", next.reads)
	}
	if got := titles(t, c, "orders", ""); got != "#1002|#1001|#1000" {
		t.Errorf("a shelf that was not known: %s", got)
	}
}
