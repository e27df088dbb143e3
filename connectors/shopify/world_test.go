package shopify

import (
	"context"
	"sync"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
	"kvart/connectors/rest"
)

// clock is a clock that moves only when somebody waits.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *clock) nap(ctx context.Context, d time.Duration) error {
	c.add(d)
	return ctx.Err()
}

// world is a fake shop and the platform that looks at it.
type world struct {
	fake     *fake.Shop
	clock    *clock
	platform *Platform
	access   app.Access
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, fake.Options{})
}

// newWorldOf is a world with a shop of some kind.
func newWorldOf(t *testing.T, o fake.Options) *world {
	t.Helper()
	c := newClock()
	o.Reader, o.Now = reader(t), c.now
	s, err := fake.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	s.GrantAll()
	p := NewPlatform(Options{Temp: t.TempDir(), loopback: s.URL(), nap: c.nap, now: c.now})
	id, secret, _ := s.Key()
	return &world{fake: s, clock: c, platform: p, access: app.Access{
		Source: app.Source{ID: "butik", Name: "Butiken", Kind: Kind, Settings: map[string]string{
			fieldShop: "lillas-garn", fieldClientID: id, fieldRestoreID: id,
		}},
		Secrets: app.Secrets{fieldClientSecret: app.NewSecret(secret), fieldRestoreSecret: app.NewSecret(secret)},
	}}
}

func (w *world) open(t *testing.T) *shop {
	t.Helper()
	s, err := w.platform.Open(t.Context(), w.access, false)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*shop)
}

func (w *world) kind(name string) rest.Kind { return w.platform.spec(name).Kind }

// list collects what a list yields.
func (w *world) list(t *testing.T, s *shop, kind string, q rest.Query) ([]rest.Record, error) {
	t.Helper()
	var out []rest.Record
	for r, err := range s.List(t.Context(), w.kind(kind), q) {
		if err != nil {
			return out, err
		}
		if r.Fields != nil {
			if r, err = written(r); err != nil {
				return out, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func (w *world) mustList(t *testing.T, s *shop, kind string, q rest.Query) []rest.Record {
	t.Helper()
	out, err := w.list(t, s, kind, q)
	if err != nil {
		t.Fatalf("list %s: %v", kind, err)
	}
	return out
}

// requests counts what reached the shop, by operation.
func (w *world) requests() map[string]int {
	out := map[string]int{}
	for _, c := range w.fake.Log() {
		out[c.Operation]++
	}
	return out
}
