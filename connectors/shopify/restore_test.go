package shopify

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
	"kvart/connectors/rest"
)

// guarded is a world looked after by the engine.
type guarded struct {
	*world
	engine *rest.Engine
}

func newGuarded(t *testing.T) *guarded {
	t.Helper()
	return newGuardedOf(t, fake.Options{})
}

func newGuardedOf(t *testing.T, o fake.Options) *guarded {
	t.Helper()
	w := newWorldOf(t, o)
	return &guarded{w, rest.New(w.platform, rest.Options{Dir: t.TempDir(), Now: w.clock.now})}
}

// point captures the shop into a folder.
func (g *guarded) point(t *testing.T) fs.FS {
	t.Helper()
	c, err := g.engine.Capture(t.Context(), g.access, "")
	if err != nil {
		t.Fatalf("capture: %v", err)
	}
	point := collectAll(t, c)
	for p := range point.problems {
		t.Errorf("%s: %v", p, point.problems[p])
	}
	return point
}

// pointFS is what a capture held, with what could not be captured.
type pointFS struct {
	fstest.MapFS
	problems map[string]error
}

// collectAll reads a capture to its end.
func collectAll(t *testing.T, c *app.Capture) pointFS {
	t.Helper()
	point := pointFS{fstest.MapFS{}, map[string]error{}}
	for item, err := range c.Items {
		if err != nil {
			t.Fatalf("items: %v", err)
		}
		from, err := item.Open(t.Context())
		if err != nil {
			if point.problems[item.Path] = err; !item.Optional {
				t.Errorf("%s: %v", item.Path, err)
			}
			continue
		}
		body, err := io.ReadAll(from)
		if err := errors.Join(err, from.Close()); err != nil {
			t.Fatal(err)
		}
		point.MapFS[item.Path] = &fstest.MapFile{Data: body, ModTime: item.ModTime, Mode: 0o600}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	return point
}

// restore puts paths of a point back, all when none is named, and checks it.
func (g *guarded) restore(t *testing.T, point fs.FS, paths ...string) app.TargetPlan {
	t.Helper()
	r := app.Restore{Access: g.access, From: point, Paths: paths}
	plan, err := g.engine.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		t.Fatalf("plan: %v, blockers %v", err, plan.Blockers)
	}
	g.apply(t, r)
	g.verify(t, r)
	return plan
}

// path is where a record lies in a point.
func (g *guarded) path(t *testing.T, point fs.FS, kind, id string) (at string) {
	t.Helper()
	err := fs.WalkDir(point, kind, func(p string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(p, "/"+id[strings.LastIndex(id, "/")+1:]+".json") {
			at = p
		}
		return err
	})
	if err != nil || at == "" {
		t.Fatalf("the file of %s: %q, %v", id, at, err)
	}
	return at
}

// apply saves the present state, as every restore does first, and puts back.
func (g *guarded) apply(t *testing.T, r app.Restore) (present fs.FS) {
	t.Helper()
	c, err := g.engine.Present(t.Context(), g.access)
	if err != nil {
		t.Fatalf("present: %v", err)
	}
	present = collectAll(t, c)
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatalf("apply: %v", err)
	}
	return present
}

func (g *guarded) verify(t *testing.T, r app.Restore) {
	t.Helper()
	checks, err := g.engine.Verify(t.Context(), r)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	for _, c := range checks {
		if !c.OK {
			t.Errorf("check %+v", c)
		}
	}
}

type silent struct{}

func (silent) Expect(int64, int64) {}
func (silent) Done(int64, int64)   {}

// TestRestore_deletedProduct brings back a product that somebody deleted, with
// everything that hung on it.
func TestRestore_deletedProduct(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, variants := g.fake.AddProduct("sjal", 3)
	other, _ := g.fake.AddProduct("vante", 1)
	collection := g.fake.Add(fake.Object{
		"__typename": "Collection", "handle": "vinter", "title": "Vinter", "descriptionHtml": "<p>Kallt</p>", "sortOrder": "MANUAL",
		"seo": fake.Object{"__typename": "SEO"}, "products": []any{fake.Ref(other), fake.Ref(product)},
	})
	menu := g.fake.Add(fake.Object{
		"__typename": "Menu", "handle": "main-menu", "title": "Meny", "isDefault": true,
		"items": []any{fake.Object{"__typename": "MenuItem", "id": "gid://shopify/MenuItem/1", "title": "Sjal", "type": "PRODUCT", "resourceId": product, "tags": []any{}, "items": []any{}}},
	})
	g.fake.SetStock(variants[1], g.fake.All("Location")[1]["id"].(string), 7)
	point := g.point(t)

	g.clock.add(20 * time.Minute)
	g.fake.Delete(product, "Robin")
	g.fake.Lose(g.fake.All("MediaImage")[0]["id"].(string))
	g.restore(t, point)

	again := find(t, g.fake, "Product", "handle", "sjal")
	if again["id"] == product {
		t.Fatal("the fake gave the old id out again")
	}
	var prices []string
	for _, v := range again["variants"].([]any) {
		o := g.fake.Get(string(v.(fake.Ref)))
		prices = append(prices, fmt.Sprint(o["price"], " ", o["sku"], " ", len(o["metafields"].([]any))))
	}
	if got := strings.Join(prices, ", "); got != "100.00 sjal-1 1, 101.00 sjal-2 1, 102.00 sjal-3 1" {
		t.Errorf("variants: %s", got)
	}
	if media := again["media"].([]any); len(media) != 1 {
		t.Errorf("media: %v", media)
	}
	if pubs := again["resourcePublicationsV2"].([]any); len(pubs) != 1 {
		t.Errorf("publications: %v", pubs)
	}
	members := g.fake.Get(collection)["products"].([]any)
	if len(members) != 2 || members[1] != fake.Ref(again["id"].(string)) {
		t.Errorf("members of the collection: %v", members)
	}
	item := g.fake.Get(menu)["items"].([]any)[0].(fake.Object)
	if item["resourceId"] != again["id"] {
		t.Errorf("the menu names %v", item["resourceId"])
	}
	if got := stockOf(g.fake, again); got != "10/0 11/7 12/0" {
		t.Errorf("stock: %s", got)
	}
	g.restore(t, point) // once more does nothing
	if n := len(g.fake.All("Product")); n != 2 {
		t.Errorf("%d products after restoring twice", n)
	}
}

// stockOf writes what is available of each variant of a product, by location.
func stockOf(s *fake.Shop, product fake.Object) string {
	var out []string
	for _, v := range product["variants"].([]any) {
		item := s.Get(string(v.(fake.Ref)))["inventoryItem"]
		var at []string
		for _, loc := range s.All("Location") {
			for _, l := range s.All("InventoryLevel") {
				if l["item"] == item && l["location"] == fake.Ref(loc["id"].(string)) {
					at = append(at, fmt.Sprint(l["stock"].(map[string]int)["available"]))
				}
			}
		}
		out = append(out, strings.Join(at, "/"))
	}
	return strings.Join(out, " ")
}

// TestRestore_oneProduct brings back one product and nothing else: its picture
// comes from the point though no file was picked.
func TestRestore_oneProduct(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	product, _ := g.fake.AddProduct("sjal", 2)
	other, _ := g.fake.AddProduct("vante", 1)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.Delete(product, "Robin")
	g.fake.Lose(find(t, g.fake, "MediaImage", "alt", "sjal")["id"].(string))
	g.fake.Change(other, fake.Object{"title": "Nytt namn"})

	g.restore(t, point, g.path(t, point, kindProducts, product))

	again := find(t, g.fake, "Product", "handle", "sjal")
	if len(again["media"].([]any)) != 1 {
		t.Errorf("media: %v", again["media"])
	}
	if got := g.fake.Get(other)["title"]; got != "Nytt namn" {
		t.Errorf("a product that was not picked is called %v", got)
	}
}

// TestRestore_wrongPrices takes back an import that spoilt the prices of 1,000
// products, and touches nothing else. The clock is the shop's own limit.
func TestRestore_wrongPrices(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	const products = spoilt
	var variants []string
	for i := range products {
		p, ids := g.fake.AddProduct(fmt.Sprintf("vara-%d", i), 1)
		g.fake.Lose(string(g.fake.Get(p)["media"].([]any)[0].(fake.Ref)))
		g.fake.ChangeQuietly(p, fake.Object{"media": []any{}})
		variants = append(variants, ids...)
	}
	g.clock.add(time.Hour)
	untouched, _ := g.fake.AddProduct("lika", 1)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	for _, v := range variants {
		g.fake.Change(v, fake.Object{"price": "1.00"})
	}
	g.clock.add(time.Minute)
	began, before := g.clock.now(), g.fake.Get(untouched)["updatedAt"]
	spent, rate := g.fake.Spent()
	g.fake.Forget()
	r := app.Restore{Access: g.access, From: point}
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	took := g.clock.now().Sub(began)
	now, _ := g.fake.Spent()
	points, writes := now-spent, 0
	for _, c := range g.fake.Log() {
		if c.Operation == "VariantsUpdate" {
			writes++
		}
	}
	g.verify(t, r)
	for _, v := range variants {
		if got := g.fake.Get(v)["price"]; got != "100.00" {
			t.Fatalf("price %v", got)
		}
	}
	if writes != products {
		t.Errorf("%d writes for %d products", writes, products)
	}
	if got := g.fake.Get(untouched)["updatedAt"]; got != before {
		t.Error("a product that was right was written")
	}
	least := time.Duration(points / rate * float64(time.Second))
	t.Logf("%d writes and all that was read cost %.0f points: %s at %.0f points a second; waited %s in all", writes, points, least.Round(time.Second), rate, took.Round(time.Second))
	if took > 15*time.Minute {
		t.Errorf("took %s", took)
	}
}

// TestRestore_manyDeleted makes products of five variants again, and works out
// how long a thousand of them take on the smallest plan.
func TestRestore_manyDeleted(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	const products = 50
	var ids []string
	for i := range products {
		p, _ := g.fake.AddProduct(fmt.Sprintf("vara-%d", i), 5)
		ids = append(ids, p)
	}
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	for _, id := range ids {
		g.fake.Delete(id, "Robin")
	}
	r := app.Restore{Access: g.access, From: point}
	before, rate := g.fake.Spent()
	g.apply(t, r)
	after, _ := g.fake.Spent()
	g.verify(t, r)
	each := (after - before) / products
	took := time.Duration(1000 * each / rate * float64(time.Second))
	t.Logf("%.0f points a product: %s for a thousand at %.0f points a second", each, took.Round(time.Second), rate)
	if took > 15*time.Minute {
		t.Errorf("a thousand would take %s", took)
	}
	for i := range products {
		p := find(t, g.fake, "Product", "handle", fmt.Sprintf("vara-%d", i))
		if got := stockOf(g.fake, p); got != "10/0 11/0 12/0 13/0 14/0" {
			t.Fatalf("stock: %s", got)
		}
	}
}

// TestRestore_pagesAndRedirects brings back what was deleted of them.
func TestRestore_pagesAndRedirects(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	page := g.fake.Add(fake.Object{"__typename": "Page", "handle": "om-oss", "title": "Om oss", "body": "<p>Hej</p>", "isPublished": true, "publishedAt": "2026-01-01T00:00:00Z"})
	hidden := g.fake.Add(fake.Object{"__typename": "Page", "handle": "utkast", "title": "Utkast", "body": "", "isPublished": false})
	redirect := g.fake.Add(fake.Object{"__typename": "UrlRedirect", "path": "/gammal", "target": "/ny"})
	blog := g.fake.Add(fake.Object{"__typename": "Blog", "handle": "nytt", "title": "Nytt", "commentPolicy": "CLOSED"})
	article := g.fake.Add(fake.Object{
		"__typename": "Article", "handle": "rea", "title": "Rea", "body": "<p>Nu</p>", "blog": fake.Ref(blog), "tags": []any{"rea"},
		"author": fake.Object{"__typename": "ArticleAuthor", "name": "Robin"}, "isPublished": true, "publishedAt": "2026-02-01T00:00:00Z",
	})
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	for _, id := range []string{page, hidden, article, blog} {
		g.fake.Delete(id, "Robin")
	}
	g.fake.Lose(redirect)
	plan := g.restore(t, point)
	if plan.Create != 5 || plan.Overwrite != 0 {
		t.Errorf("plan: %+v", plan)
	}
	if got := find(t, g.fake, "Page", "handle", "om-oss"); got["publishedAt"] != "2026-01-01T00:00:00Z" || got["body"] != "<p>Hej</p>" {
		t.Errorf("page: %v", got)
	}
	if got := find(t, g.fake, "Page", "handle", "utkast"); got["isPublished"] != false {
		t.Errorf("hidden page: %v", got)
	}
	if got := find(t, g.fake, "UrlRedirect", "path", "/gammal"); got["target"] != "/ny" {
		t.Errorf("redirect: %v", got)
	}
	newBlog := find(t, g.fake, "Blog", "handle", "nytt")
	if got := find(t, g.fake, "Article", "handle", "rea"); got["blog"] != fake.Ref(newBlog["id"].(string)) {
		t.Errorf("article: %v", got)
	}
}

func find(t *testing.T, s *fake.Shop, typ, field string, value any) fake.Object {
	t.Helper()
	for _, o := range s.All(typ) {
		if o[field] == value {
			return o
		}
	}
	t.Fatalf("no %s has %s %v", typ, field, value)
	return nil
}
