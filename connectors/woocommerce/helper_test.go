package woocommerce_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/fakeshop/woo"
	"kvart/connectors/rest"
	"kvart/connectors/woocommerce"
)

// noon is when tests begin: an hour at which nothing nightly is due.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)

// clock is one that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a shop and what backs it up.
type bench struct {
	t      *testing.T
	shop   *woo.Shop
	e      *rest.Engine
	dir    string
	clock  *clock
	access app.Access
	last   map[string]*fstest.MapFile // of the point before: what the vault has
	opened int
	marker app.Marker
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, shop: woo.New(t), dir: t.TempDir(), clock: &clock{now: noon}}
	b.shop.Now = b.clock.Now
	b.access = app.Access{
		Source:  app.Source{ID: "butik", Name: "Butiken", Kind: woocommerce.Kind, Settings: map[string]string{"url": b.shop.URL, "user": woo.User}},
		Secrets: app.Secrets{"password": app.NewSecret(woo.Password)},
	}
	b.renew()
	return b
}

// renew makes a new engine, as after a restart.
func (b *bench) renew() {
	nap := func(context.Context, time.Duration) error { return nil }
	b.e = rest.New(&woocommerce.Platform{Speed: 1e6, Nap: nap}, rest.Options{Dir: b.dir, Now: b.clock.Now, Log: slog.New(slog.DiscardHandler)})
}

// forget loses the mirror.
func (b *bench) forget() {
	b.t.Helper()
	if err := os.RemoveAll(b.dir); err != nil {
		b.t.Fatal(err)
	}
	b.renew()
}

// point captures as the vault does: what has the size and time it had is taken
// over unread.
func (b *bench) point() (fstest.MapFS, map[string]app.Code) {
	b.t.Helper()
	c, err := b.e.Capture(b.t.Context(), b.access, "")
	if err != nil {
		b.t.Fatalf("capture: %v", err)
	}
	return b.store(c)
}

func (b *bench) store(c *app.Capture) (fstest.MapFS, map[string]app.Code) {
	b.t.Helper()
	point, problems := fstest.MapFS{}, map[string]app.Code{}
	b.opened = 0
	for it, err := range c.Items {
		if err != nil {
			b.t.Fatalf("items: %v", err)
		}
		if !fs.ValidPath(it.Path) || point[it.Path] != nil {
			b.t.Fatalf("path %q", it.Path)
		}
		if old := b.last[it.Path]; old != nil && int64(len(old.Data)) == it.Size && old.ModTime.Equal(it.ModTime) {
			point[it.Path] = old
			continue
		}
		body, err := read(b.t.Context(), it)
		if err != nil {
			if !it.Optional {
				b.t.Fatalf("item %s: %v", it.Path, err)
			}
			problems[it.Path] = app.CodeOf(err)
			continue
		}
		b.opened++
		point[it.Path] = &fstest.MapFile{Data: body, ModTime: it.ModTime, Mode: it.Mode}
	}
	b.marker = c.Next
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		b.t.Fatal(err)
	}
	b.last = point
	return point, problems
}

func read(ctx context.Context, it app.Item) ([]byte, error) {
	r, err := it.Open(ctx)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r)
	return body, errors.Join(err, r.Close())
}

// safety captures the present state, as before a restore.
func (b *bench) safety() fstest.MapFS {
	b.t.Helper()
	last := b.last
	b.last = nil
	c, err := b.e.Present(b.t.Context(), b.access)
	if err != nil {
		b.t.Fatalf("present: %v", err)
	}
	point, problems := b.store(c)
	if len(problems) > 0 {
		b.t.Fatalf("problems of a safety point: %v", problems)
	}
	b.last = last
	return point
}

// restore plans, applies and verifies, and returns the plan.
func (b *bench) restore(from fs.FS, paths ...string) app.TargetPlan {
	b.t.Helper()
	r := app.Restore{Access: b.access, From: from, Paths: paths}
	plan, err := b.e.Plan(b.t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		b.t.Fatalf("plan: %v, blockers %v", err, plan.Blockers)
	}
	if err := b.e.Apply(b.t.Context(), r, silent{}); err != nil {
		b.t.Fatalf("apply: %v", err)
	}
	b.verify(r)
	return plan
}

func (b *bench) verify(r app.Restore) {
	b.t.Helper()
	checks, err := b.e.Verify(b.t.Context(), r)
	if err != nil || len(checks) == 0 {
		b.t.Fatalf("verify: %v, %d checks", err, len(checks))
	}
	for _, c := range checks {
		if !c.OK {
			b.t.Errorf("check %+v", c)
		}
	}
}

// undo takes a restore of point back, as the agent does.
func (b *bench) undo(point, before fstest.MapFS) {
	b.t.Helper()
	var made []string
	for at := range point {
		if before[at] == nil {
			made = append(made, at)
		}
	}
	r := app.Restore{Access: b.access, From: before, Raw: true, Remove: made}
	if err := b.e.Apply(b.t.Context(), r, silent{}); err != nil {
		b.t.Fatalf("undo: %v", err)
	}
}

type silent struct{}

func (silent) Expect(int64, int64) {}
func (silent) Done(int64, int64)   {}

// in counts the records of a kind.
func in(point fstest.MapFS, kind string) (n int) {
	for at := range point {
		if strings.HasPrefix(at, kind+"/") {
			n++
		}
	}
	return n
}

// path finds a record by its id.
func path(t *testing.T, point fstest.MapFS, kind string, id int64) string {
	t.Helper()
	for at := range point {
		if strings.HasPrefix(at, kind+"/") && filepath.Base(at) == fmt.Sprintf("%d.json", id) {
			return at
		}
	}
	t.Fatalf("no %s %d among %d", kind, id, in(point, kind))
	return ""
}

func record(t *testing.T, point fstest.MapFS, kind string, id int64) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(point[path(t, point, kind, id)].Data, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// stock fills a shop.
func stock(s *woo.Shop, products, orders, customers int) (prods, custs []int64) {
	cat := s.Add("categories", woo.Record{"name": "Muggar", "slug": "muggar"})
	for i := range products {
		prods = append(prods, s.Add("products", woo.Record{
			"name": fmt.Sprintf("Mugg %d", i), "slug": fmt.Sprintf("mugg-%d", i), "sku": fmt.Sprintf("M-%d", i), "regular_price": "129.00",
			"categories": []any{woo.Record{"id": float64(cat)}},
		}))
	}
	for i := range customers {
		custs = append(custs, s.Add("customers", woo.Record{"email": fmt.Sprintf("kund%d@example.com", i), "username": fmt.Sprintf("kund%d", i), "first_name": "Åsa"}))
	}
	for i := range orders {
		o := woo.Record{"line_items": []any{}}
		if len(custs) > 0 {
			o["customer_id"] = float64(custs[i%len(custs)])
		}
		s.Add("orders", o)
	}
	return prods, custs
}

// pointFS is a point as the vault opens it.
type pointFS struct {
	fstest.MapFS
	closed *int
}

func (p pointFS) Close() error { *p.closed++; return nil }

func newest(point fstest.MapFS, closed *int) func(context.Context) (app.PointFS, error) {
	return func(context.Context) (app.PointFS, error) { return pointFS{point, closed}, nil }
}
