package connectortest

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"kvart/app"
)

func testPlan(t *testing.T, b *bench) {
	point, stats, _ := b.point(t)
	b.Change(t, b.source)
	before := Tree(t, b.dir)
	r := app.Restore{Access: b.access(), From: os.DirFS(point), Stats: stats}
	plan, err := b.restorer(t).Plan(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if after := Tree(t, b.dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if !plan.Exists || plan.Where != b.path() || plan.Bytes <= 0 || plan.Files <= 0 || plan.Overwrite <= 0 || len(plan.Blockers) != 0 {
		t.Errorf("plan %+v", plan)
	}
	r.Target.Dir = filepath.Join(b.dir, "other", "place")
	if plan, err = b.restorer(t).Plan(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if plan.Exists || plan.Overwrite != 0 || plan.Create <= 0 || len(plan.Blockers) != 0 {
		t.Errorf("plan elsewhere %+v", plan)
	}
	if after := Tree(t, b.dir); after != before {
		t.Error("planning elsewhere changed something")
	}
}

func testRestore(t *testing.T, b *bench) {
	want := b.Content(t, b.path())
	point, stats, _ := b.point(t)
	b.Change(t, b.source)
	if b.Content(t, b.path()) == want {
		t.Fatal("the change changed nothing")
	}
	b.restore(t, app.Restore{From: os.DirFS(point), Stats: stats})
	if got := b.Content(t, b.path()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if n := OpenBelow(t, b.dir); n != 0 {
		t.Errorf("%d files left open", n)
	}
}

func testRestoreTwice(t *testing.T, b *bench) {
	want := b.Content(t, b.path())
	point, stats, _ := b.point(t)
	b.Change(t, b.source)
	for range 2 {
		b.restore(t, app.Restore{From: os.DirFS(point), Stats: stats})
		if got := b.Content(t, b.path()); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

func testElsewhere(t *testing.T, b *bench) {
	want := b.Content(t, b.path())
	point, stats, _ := b.point(t)
	b.Change(t, b.source)
	changed := b.Content(t, b.path())
	other := filepath.Join(t.TempDir(), "new", "place")
	r := app.Restore{From: os.DirFS(point), Stats: stats, Target: app.Target{Dir: other}}
	b.restore(t, r)
	r.Access = b.access()
	b.apply(t, r) // again, as after a crash
	if got := b.Content(t, b.inPoint(other)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if b.Content(t, b.path()) != changed {
		t.Error("the source was touched")
	}
	// What is already there and different is nobody's to overwrite.
	b.Change(t, b.moved(other))
	plan, err := b.restorer(t).Plan(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if len(plan.Blockers) == 0 || plan.Blockers[0].Code != app.CodeTargetExists {
		t.Errorf("blockers %v", plan.Blockers)
	}
	if err := b.restorer(t).Apply(t.Context(), r, Silent{}); app.CodeOf(err) != app.CodeTargetExists {
		t.Errorf("apply over a file: %v", err)
	}
}

// moved returns the source as if it lay in dir.
func (b *bench) moved(dir string) app.Source {
	s := b.source
	s.Settings = map[string]string{"path": b.inPoint(dir)}
	return s
}

func testLost(t *testing.T, b *bench) {
	want := b.Content(t, b.path())
	point, stats, _ := b.point(t)
	if err := os.RemoveAll(filepath.Dir(b.path())); err != nil {
		t.Fatal(err)
	}
	b.restore(t, app.Restore{From: os.DirFS(point), Stats: stats})
	if got := b.Content(t, b.path()); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// present collects a safety point.
func (b *bench) present(t *testing.T) string {
	t.Helper()
	c, err := b.restorer(t).Present(t.Context(), b.access())
	if err != nil {
		t.Fatalf("present: %v", err)
	}
	dir, problems := Collect(t, c)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return dir
}

// created lists what a restore of point over safety makes, as the agent tells
// an undo.
func created(t *testing.T, point, safety string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(point, func(p string, _ fs.DirEntry, err error) error {
		if err != nil || p == point {
			return err
		}
		rel, err := filepath.Rel(point, p)
		if err != nil {
			return err
		}
		if _, err := os.Lstat(filepath.Join(safety, rel)); os.IsNotExist(err) {
			names = append(names, filepath.ToSlash(rel))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func testUndo(t *testing.T, b *bench) {
	point, stats, _ := b.point(t)
	b.Change(t, b.source)
	want := b.Content(t, b.path())
	safety := b.present(t)
	b.restore(t, app.Restore{From: os.DirFS(point), Stats: stats})
	for range 2 {
		b.restore(t, app.Restore{From: os.DirFS(safety), Raw: true, Remove: created(t, point, safety)})
		if got := b.Content(t, b.path()); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

func testUndoToNothing(t *testing.T, b *bench) {
	point, stats, _ := b.point(t)
	if err := os.RemoveAll(b.path()); err != nil {
		t.Fatal(err)
	}
	safety := b.present(t)
	b.restore(t, app.Restore{From: os.DirFS(point), Stats: stats})
	for range 2 {
		b.restore(t, app.Restore{From: os.DirFS(safety), Raw: true, Remove: created(t, point, safety)})
		if _, err := os.Lstat(b.path()); !os.IsNotExist(err) {
			t.Errorf("something is still there: %v", err)
		}
	}
}

func testDiff(t *testing.T, b *bench) {
	d, ok := b.c.(app.Differ)
	if !ok {
		t.Fatal("the connector compares nothing")
	}
	point, _, _ := b.point(t)
	for _, changed := range []bool{false, true} {
		if changed {
			b.Change(t, b.source)
		}
		live, err := d.Live(t.Context(), b.access(), t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		changes, err := d.Diff(t.Context(), os.DirFS(point), live, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		if (len(changes) > 0) != changed {
			t.Errorf("changed %v, found %s", changed, describe(changes))
		}
		if err := live.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := OpenBelow(t, b.dir); n != 0 {
		t.Errorf("%d files left open", n)
	}
}
