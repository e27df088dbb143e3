package shopify

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
	"kvart/connectors/rest"
)

// manyGone is a shop whose products were all deleted after a point, so many that
// bulk operations make them again sooner than single calls.
func manyGone(t *testing.T, products, variants int) (*guarded, app.Restore) {
	t.Helper()
	g := newGuardedOf(t, fake.Options{Rate: 10, Bucket: 1000})
	var ids []string
	for i := range products {
		id, _ := g.fake.AddProduct(fmt.Sprintf("vara-%d", i), variants)
		ids = append(ids, id)
	}
	g.clock.add(time.Hour)
	point := g.point(t)
	g.clock.add(20 * time.Minute)
	for _, id := range ids {
		g.fake.Delete(id, "Robin")
	}
	g.clock.add(time.Minute)
	if _, err := g.engine.Present(t.Context(), g.access); err != nil {
		t.Fatal(err)
	}
	g.fake.Forget()
	return g, app.Restore{Access: g.access, From: point}
}

// made counts how often each handle was made.
func made(g *guarded) map[string]int {
	out := map[string]int{}
	for _, c := range g.fake.Log() {
		if c.Operation == "ProductSet" {
			in, _ := c.Variables["input"].(map[string]any)
			out[fmt.Sprint(in["handle"])]++
		}
	}
	return out
}

const fewBulk = 80 // products of which bulk operations pay, where points are few

// TestRestore_inBulk makes many products again, with their stock, pictures and
// places in sales channels, by bulk operations.
func TestRestore_inBulk(t *testing.T) {
	t.Parallel()
	g, r := manyGone(t, fewBulk, 2)
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	g.verify(t, r)
	calls := g.requests()
	if calls["BulkWrite"] == 0 || calls["ProductSet"] != fewBulk || calls["Publish"] != fewBulk {
		t.Errorf("calls %v", calls)
	}
	for _, p := range g.fake.All("Product") {
		if len(p["variants"].([]any)) != 2 || len(p["media"].([]any)) != 1 || len(p["resourcePublicationsV2"].([]any)) != 1 {
			t.Fatalf("product %v", p)
		}
		if got := stockOf(g.fake, p); got != "10/0 11/0" {
			t.Fatalf("stock of %s: %s", p["handle"], got)
		}
	}
	if plan, err := g.engine.Plan(t.Context(), r); err != nil || plan.Create+plan.Overwrite != 0 {
		t.Errorf("left to do: %+v, %v", plan, err)
	}
}

// TestRestore_inBulkLine has the shop refuse single lines of a file: those
// records fail, with the stock of them, and no other.
func TestRestore_inBulkLine(t *testing.T) {
	t.Parallel()
	g, r := manyGone(t, fewBulk, 1)
	g.fake.AddProduct("i vägen", 1)
	stop := g.fake.Fail(fake.Fault{Operation: "bulk line", After: 7, Times: 2, Code: "INVALID", Message: "no"})
	defer stop()
	err := g.engine.Apply(t.Context(), r, silent{})
	if app.CodeOf(err) != app.CodeCheckFailed || !strings.Contains(err.Error(), "4 records refused") {
		t.Errorf("error %v", err)
	}
	if n := len(g.fake.All("Product")); n != fewBulk+1 {
		t.Errorf("%d products", n)
	}
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
		t.Errorf("once more: %v", err)
	}
	if n := len(g.fake.All("Product")); n != fewBulk+1 {
		t.Errorf("%d products after the second try", n)
	}
}

// TestRestore_inBulkKilled ends while the shop carries out what it was handed,
// which goes on without anybody. The next try, with nothing left in memory, waits
// for that, and makes nothing twice.
func TestRestore_inBulkKilled(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"BulkWrite", "BulkState", "file"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			g, r := manyGone(t, fewBulk, 1)
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			g.fake.Fail(fake.Fault{Operation: operation, Times: 1, Cut: operation != "BulkState", Then: kill})
			first := g.engine.Apply(ctx, r, silent{})
			if first == nil {
				t.Fatal("nothing was cut off")
			}
			g.platform = NewPlatform(g.platform.o) // another process
			g.clock.add(time.Minute)
			if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
				t.Fatalf("the second try: %v, the first: %v", err, first)
			}
			if n := len(g.fake.All("Product")); n != fewBulk {
				t.Errorf("%d products", n)
			}
			for handle, n := range made(g) {
				if n != 1 {
					t.Fatalf("%s was made %d times", handle, n)
				}
			}
			for _, p := range g.fake.All("Product") {
				if got := stockOf(g.fake, p); got != "10/0" {
					t.Fatalf("stock of %s: %s", p["handle"], got)
				}
			}
		})
	}
}

// TestRestore_inBulkFailed is told that an operation failed in the middle: what
// it had done counts, the rest is looked for and made.
func TestRestore_inBulkFailed(t *testing.T) {
	t.Parallel()
	g, r := manyGone(t, fewBulk, 1)
	g.fake.Fail(fake.Fault{Operation: "bulk write FAILED", Times: 1})
	first := g.engine.Apply(t.Context(), r, silent{})
	if app.CodeOf(first) != app.CodeShopAnswer {
		t.Errorf("the first try: %v", first)
	}
	g.clock.add(time.Minute)
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	if n := len(g.fake.All("Product")); n != fewBulk {
		t.Errorf("%d products", n)
	}
}

// TestShop_AtOnce weighs what bulk operations are worth.
func TestShop_AtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ops := func(n, variants int, do rest.Action) []rest.Op {
		list := make([]any, variants)
		for i := range list {
			list[i] = map[string]any{}
		}
		out := make([]rest.Op, n)
		for i := range out {
			out[i] = rest.Op{Do: do, Record: map[string]any{"variants": list}, Fields: []string{"variants"}}
		}
		return out
	}
	for _, c := range []struct {
		name string
		kind string
		rate float64
		ops  []rest.Op
		want int
	}{
		{"few are done sooner one by one", kindProducts, 100, ops(100, 5, rest.DoCreate), 0},
		{"a thousand on the smallest plan", kindProducts, 100, ops(1000, 5, rest.DoCreate), 1000},
		{"a thousand on a large plan", kindProducts, 1000, ops(1000, 5, rest.DoCreate), 0},
		{"wrong prices of four hundred", kindProducts, 100, ops(400, 5, rest.DoUpdate), 0},
		{"no more than are held in memory", kindCustomers, 100, ops(5000, 0, rest.DoCreate), mostWholesale},
		{"deletions are done one by one", kindProducts, 100, ops(5000, 0, rest.DoDelete), 0},
		{"a kind without", kindPages, 100, ops(5000, 0, rest.DoCreate), 0},
	} {
		s := w.open(t)
		s.c.meter.rate, s.c.meter.max, s.c.meter.available = c.rate, 20*c.rate, 20*c.rate
		if got := s.AtOnce(w.kind(c.kind), c.ops); got != c.want {
			t.Errorf("%s: %d", c.name, got)
		}
	}
}

// TestRestore_inBulkNameless ends while the shop makes customers again of whom it
// knows neither a mail address nor a number. The next try finds them by what is
// known of them, and makes nobody twice.
func TestRestore_inBulkNameless(t *testing.T) {
	t.Parallel()
	for _, operation := range []string{"BulkWrite", "file"} {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			g := newGuardedOf(t, fake.Options{Rate: 10, Bucket: 1000})
			const people = 120
			var ids []string
			for i := range people {
				ids = append(ids, g.fake.Add(fake.Object{
					"__typename": "Customer", "firstName": "Kim", "lastName": fmt.Sprint("Ek ", i/2), "state": "ENABLED", "tags": []any{"kassa"}, "locale": "sv", "note": "köpte i butiken", "addressesV2": []any{},
				}))
			}
			g.clock.add(time.Hour)
			point := g.point(t)
			g.clock.add(20 * time.Minute)
			for _, id := range ids {
				g.fake.Delete(id, "Robin")
			}
			g.clock.add(time.Minute)
			if _, err := g.engine.Present(t.Context(), g.access); err != nil {
				t.Fatal(err)
			}
			ctx, kill := context.WithCancel(t.Context())
			defer kill()
			g.fake.Fail(fake.Fault{Operation: operation, Times: 1, Cut: true, Then: kill})
			r := app.Restore{Access: g.access, From: point}
			if err := g.engine.Apply(ctx, r, silent{}); err == nil {
				t.Fatal("nothing was cut off")
			}
			g.platform = NewPlatform(g.platform.o) // another process
			g.clock.add(time.Minute)
			if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
				t.Fatal(err)
			}
			count := map[string]int{}
			for _, c := range g.fake.All("Customer") {
				count[fmt.Sprint(c["lastName"])]++
			}
			for name, n := range count {
				if n != 2 {
					t.Errorf("%d of %s", n, name)
				}
			}
			if len(count) != people/2 {
				t.Errorf("%d names", len(count))
			}
		})
	}
}

// counted is a point that counts how many of its pictures are open at once.
type counted struct {
	fs.FS
	now, most atomic.Int64
}

func (o *counted) Open(name string) (fs.File, error) {
	f, err := o.FS.Open(name)
	if err != nil || !strings.HasPrefix(name, "media/") || strings.HasPrefix(name, "media/refs/") || strings.Count(name, "/") != 2 {
		return f, err
	}
	n := o.now.Add(1)
	for m := o.most.Load(); n > m && !o.most.CompareAndSwap(m, n); m = o.most.Load() {
	}
	return &countedFile{File: f, of: o}, nil
}

type countedFile struct {
	fs.File
	of *counted
}

func (f *countedFile) Close() error {
	f.of.now.Add(-1)
	return f.File.Close()
}

// TestRestore_inBulkPictures makes many products again together, and uploads
// their pictures a few at a time.
func TestRestore_inBulkPictures(t *testing.T) {
	t.Parallel()
	g, r := manyGone(t, fewBulk, 1)
	for _, m := range g.fake.All("MediaImage") {
		g.fake.Delete(fmt.Sprint(m["id"]), "Robin")
	}
	point := &counted{FS: r.From}
	r.From = point
	if err := g.engine.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	if n := g.requests()["StagedUpload"]; n < fewBulk {
		t.Errorf("%d uploads", n)
	}
	if n := point.most.Load(); n == 0 || n > parallel {
		t.Errorf("%d pictures were open at once", n)
	}
}
