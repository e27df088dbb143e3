package shopify

import (
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
	"kvart/connectors/rest"
)

// cable is a network that can be unplugged.
type cable struct{ out atomic.Bool }

func (c *cable) RoundTrip(r *http.Request) (*http.Response, error) {
	if c.out.Load() {
		return nil, errors.New("network is unreachable")
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestCapture_offlineInBulk loses the network while the shop writes the result of
// a bulk operation: nothing is believed, and the next capture goes on with the
// operation that is still under way.
func TestCapture_offlineInBulk(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, fake.Options{Pace: fake.Pace{Objects: 1}})
	id := ""
	for range 30 {
		id = w.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	}
	w.clock.add(time.Hour)
	var net cable
	o := w.platform.o
	o.transport = &net
	o.nap = w.clock.nap
	w.platform = NewPlatform(o)
	g := &guarded{w, rest.New(w.platform, rest.Options{Dir: t.TempDir(), Now: w.clock.now})}
	g.fake.Fail(fake.Fault{Operation: "BulkState", After: 3, Times: 1, Cut: true, Then: func() { net.out.Store(true) }})
	if _, err := g.engine.Capture(t.Context(), g.access, ""); app.CodeOf(err) != app.CodeSourceOffline {
		t.Fatalf("error %v", err)
	}
	begun := g.fake.Bulks()
	if begun == 0 {
		t.Fatal("nothing was under way")
	}
	net.out.Store(false)
	g.clock.add(time.Minute)
	g.fake.Change(id, fake.Object{"lastName": "Ny"})
	g.clock.add(time.Hour)
	point := g.point(t).(pointFS)
	records := 0
	for p := range point.MapFS {
		if len(p) > 10 && p[:10] == "customers/" {
			records++
		}
	}
	if records != 30 {
		t.Errorf("%d customers", records)
	}
	times := 0
	for _, q := range g.fake.BulkQueries() {
		if strings.Contains(q, "{ customers") || strings.HasPrefix(q, "{\n  customers") {
			times++
		}
	}
	if times != 1 {
		t.Errorf("what was under way was begun %d times", times)
	}
	// What was under way tells of the shop as it was when that was begun.
	g.clock.add(15 * time.Minute)
	again := g.point(t)
	if body := read(t, again, g.path(t, again, kindCustomers, id)); !strings.Contains(string(body), `"Ny"`) {
		t.Errorf("what changed meanwhile is lost: %s", body)
	}
}

// TestCapture_tokenEnds has the token end in the middle of a first capture.
func TestCapture_tokenEnds(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	id := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	before := g.fake.Tokens()
	g.fake.Fail(fake.Fault{Operation: "BulkState", After: 2, Times: 1, Then: g.fake.EndTokens})
	g.path(t, g.point(t), kindCustomers, id)
	if n := g.fake.Tokens() - before; n != 2 {
		t.Errorf("%d tokens", n)
	}
}

// TestSweep_changedMeanwhile changes a record when the shop has written what it
// was: the sweep, which was begun before, does not bring that back.
func TestSweep_changedMeanwhile(t *testing.T) {
	t.Parallel()
	g := newGuardedOf(t, fake.Options{Pace: fake.Pace{Objects: 0.001}}) // a quarter of an hour at the least
	id := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	product, variants := g.fake.AddProduct("sjal", 1)
	g.clock.add(time.Hour)
	g.point(t)
	g.clock.add(20 * time.Minute)
	change := func() {
		g.fake.Change(id, fake.Object{"lastName": "Ny"})
		g.fake.Change(variants[0], fake.Object{"price": "7.00"})
		g.fake.SetStock(variants[0], g.fake.All("Location")[0]["id"].(string), 77)
	}
	g.fake.Fail(fake.Fault{Operation: "BulkState", After: 15, Times: 1, Then: change})
	c, err := g.engine.Present(t.Context(), g.access)
	if err != nil {
		t.Fatal(err)
	}
	now := collectAll(t, c)
	for kind, want := range map[string]string{kindCustomers: `"Ny"`, kindProducts: `"7.00"`, kindInventory: `77`} {
		of := map[string]string{kindCustomers: id, kindProducts: product, kindInventory: variants[0]}[kind]
		if body := string(now.MapFS[g.path(t, now, kind, of)].Data); !strings.Contains(body, want) {
			t.Errorf("%s is as it was: %s", kind, body)
		}
	}
}
