package shopify

import (
	"context"
	"io/fs"
	"testing"
	"time"

	"kvart/app"
	fake "kvart/connectors/fakeshop/shopify"
)

// TestDiff_who compares two points, and a point with the shop as it is, and is
// told who did what, as far as Shopify tells.
func TestDiff_who(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	changed, gone := g.fake.AddCustomer("kim@example.com", "Kim", "Ek"), g.fake.AddCustomer("bo@example.com", "Bo", "Al")
	quiet := g.fake.AddCustomer("li@example.com", "Li", "Ek")
	g.clock.add(time.Hour)
	before := g.point(t)
	g.clock.add(20 * time.Minute)
	when := g.clock.now()
	g.fake.ChangeBy(changed, "Robin", fake.Object{"lastName": "Ny"})
	g.fake.Change(quiet, fake.Object{"lastName": "Ny"})
	g.fake.Delete(gone, "Sam")
	g.clock.add(time.Minute)
	after := g.point(t)
	live, err := g.engine.Live(t.Context(), g.access, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	for name, with := range map[string]fs.FS{"the next point": after, "the shop": live} {
		changes, err := g.engine.Diff(t.Context(), before, with, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		by := map[string]app.Change{}
		for _, c := range changes {
			by[c.Path] = c
		}
		for id, want := range map[string]string{changed: "Robin", gone: "Sam", quiet: ""} {
			c := by[g.path(t, before, kindCustomers, id)]
			if c.By != want || (c.At != nil) != (want != "") || c.At != nil && !c.At.Equal(when.Truncate(time.Second)) {
				t.Errorf("%s: %s of %s by %q at %v, want %q at %s", name, c.Kind, id, c.By, c.At, want, when)
			}
			for _, f := range c.Fields {
				if f.By != want {
					t.Errorf("%s: field %s by %q", name, f.Name, f.By)
				}
			}
		}
	}
	// nothing of it is told of the next quarter
	g.clock.add(20 * time.Minute)
	g.fake.Change(changed, fake.Object{"lastName": "Nyare"})
	changes, err := g.engine.Diff(t.Context(), after, g.point(t), t.TempDir())
	if err != nil || len(changes) != 1 || changes[0].By != "" {
		t.Errorf("%+v, %v", changes, err)
	}
}

// TestDiff_whoAfterLoss keeps who did what when the mirror is lost.
func TestDiff_whoAfterLoss(t *testing.T) {
	t.Parallel()
	g := newGuarded(t)
	id := g.fake.AddCustomer("kim@example.com", "Kim", "Ek")
	g.clock.add(time.Hour)
	before := g.point(t)
	g.clock.add(20 * time.Minute)
	g.fake.ChangeBy(id, "Robin", fake.Object{"lastName": "Ny"})
	g.clock.add(time.Minute)
	newest := g.point(t).(pointFS)
	if err := g.engine.Forget(t.Context(), g.access.Source); err != nil {
		t.Fatal(err)
	}
	g.access.Newest = newestOf(newest)
	g.clock.add(48 * time.Hour)
	changes, err := g.engine.Diff(t.Context(), before, g.point(t), t.TempDir())
	if err != nil || len(changes) != 1 || changes[0].By != "Robin" {
		t.Errorf("%+v, %v", changes, err)
	}
}

// opened is a point that has nothing to close.
type opened struct{ fs.FS }

func (opened) Close() error { return nil }

func newestOf(point fs.FS) func(context.Context) (app.PointFS, error) {
	return func(context.Context) (app.PointFS, error) { return opened{point}, nil }
}
