// Package connectortest holds the suites that every connector of local data, and
// every one of hosted shops, has to pass: what [app.Connector] and [app.Restorer] promise, tried on a source the
// connector's own test makes. It knows no connector.
package connectortest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kvart/app"
)

// Harness is what the suite needs to know of a connector.
type Harness struct {
	// New returns a connector.
	New func(t *testing.T) app.Connector
	// Source makes a source with something in it below dir, which is empty,
	// and returns how it is set up.
	Source func(t *testing.T, dir string) app.Source
	// Path returns the file or folder the source is.
	Path func(s app.Source) string
	// Change changes the source the way a program that owns it would.
	Change func(t *testing.T, s app.Source)
	// Content describes what the file or folder at path holds, so that equal
	// descriptions mean equal data.
	Content func(t *testing.T, path string) string
}

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	tests := []struct {
		name string
		fn   func(*testing.T, *bench)
	}{
		{"the form names the settings", testSpec},
		{"check changes nothing", testCheck},
		{"check and capture name a missing source", testMissing},
		{"capturing twice gives the same", testTwice},
		{"nothing moved is idle", testIdle},
		{"a change moves the marker", testMarker},
		{"a capture closes everything", testCloses},
		{"a canceled capture stops", testCanceled},
		{"stats count what was captured", testStats},
		{"a plan changes nothing", testPlan},
		{"restoring brings the captured state back", testRestore},
		{"restoring twice is restoring once", testRestoreTwice},
		{"restoring to another folder leaves the source alone", testElsewhere},
		{"a missing original is made again", testLost},
		{"a restore can be taken back", testUndo},
		{"a restore over nothing can be taken back", testUndoToNothing},
		{"comparing finds the change and nothing else", testDiff},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			tt.fn(t, &bench{Harness: h, c: h.New(t), dir: dir, source: h.Source(t, dir)})
		})
	}
}

// bench is one test's connector and source.
type bench struct {
	Harness
	c      app.Connector
	dir    string
	source app.Source
}

func (b *bench) access() app.Access { return app.Access{Source: b.source} }
func (b *bench) path() string       { return b.Path(b.source) }

func (b *bench) capture(t *testing.T, since app.Marker) *app.Capture {
	t.Helper()
	c, err := b.c.Capture(t.Context(), b.access(), since)
	if err != nil {
		t.Fatalf("capture: %v", err)
	}
	return c
}

// point captures the source into a folder.
func (b *bench) point(t *testing.T) (dir string, stats app.Stats, next app.Marker) {
	t.Helper()
	c := b.capture(t, "")
	dir, problems := Collect(t, c)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return dir, c.Stats(), c.Next
}

func (b *bench) restorer(t *testing.T) app.Restorer {
	t.Helper()
	r, ok := b.c.(app.Restorer)
	if !ok {
		t.Fatal("the connector restores nothing")
	}
	return r
}

func (b *bench) restore(t *testing.T, r app.Restore) {
	t.Helper()
	r.Access = b.access()
	plan, err := b.restorer(t).Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		t.Fatalf("plan: %v, blockers %v", err, plan.Blockers)
	}
	b.apply(t, r)
}

func (b *bench) apply(t *testing.T, r app.Restore) {
	t.Helper()
	if err := b.restorer(t).Apply(t.Context(), r, Silent{}); err != nil {
		t.Fatalf("apply: %v", err)
	}
	checks, err := b.restorer(t).Verify(t.Context(), r)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	if len(checks) == 0 {
		t.Error("nothing was checked")
	}
	for _, c := range checks {
		if !c.OK || c.Source != b.source.Name {
			t.Errorf("check %+v", c)
		}
	}
}

func testSpec(t *testing.T, b *bench) {
	spec := b.c.Spec()
	if err := spec.CheckSettings(b.source.Settings, nil); err != nil {
		t.Error(err)
	}
	if spec.Kind != b.source.Kind {
		t.Errorf("kind %q, source of %q", spec.Kind, b.source.Kind)
	}
}

func testCheck(t *testing.T, b *bench) {
	before := Tree(t, b.dir)
	info, err := b.c.Check(t.Context(), b.access())
	if err != nil {
		t.Fatal(err)
	}
	if info.Bytes <= 0 || info.Changed.IsZero() {
		t.Errorf("info %+v", info)
	}
	if after := Tree(t, b.dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	if n := OpenBelow(t, b.dir); n != 0 {
		t.Errorf("%d files left open", n)
	}
}

func testMissing(t *testing.T, b *bench) {
	if err := os.RemoveAll(b.path()); err != nil {
		t.Fatal(err)
	}
	b.expectCode(t, app.CodeSourceMissing)
	if err := os.RemoveAll(filepath.Dir(b.path())); err != nil {
		t.Fatal(err)
	}
	b.expectCode(t, app.CodeSourceShareGone)
}

func (b *bench) expectCode(t *testing.T, want app.Code) {
	t.Helper()
	_, err := b.c.Check(t.Context(), b.access())
	if got := app.CodeOf(err); got != want {
		t.Errorf("check: %q, want %q: %v", got, want, err)
	}
	_, err = b.c.Capture(t.Context(), b.access(), "")
	if got := app.CodeOf(err); got != want {
		t.Errorf("capture: %q, want %q: %v", got, want, err)
	}
}

func testTwice(t *testing.T, b *bench) {
	first, _, _ := b.point(t)
	second, _, _ := b.point(t)
	if a, z := b.Content(t, b.inPoint(first)), b.Content(t, b.inPoint(second)); a != z {
		t.Errorf("first:\n%s\nsecond:\n%s", a, z)
	}
	if a, z := b.Content(t, b.path()), b.Content(t, b.inPoint(first)); a != z {
		t.Errorf("source:\n%s\ncaptured:\n%s", a, z)
	}
}

// inPoint returns where in a collected point the source's own path is.
func (b *bench) inPoint(dir string) string {
	if fi, err := os.Stat(b.path()); err == nil && fi.IsDir() {
		return dir
	}
	return filepath.Join(dir, filepath.Base(b.path()))
}

func testIdle(t *testing.T, b *bench) {
	_, _, next := b.point(t)
	c := b.capture(t, next)
	if !c.Idle {
		t.Fatal("not idle")
	}
	if c.Items != nil || c.Next != "" || c.Stats != nil {
		t.Errorf("an idle capture holds %+v", c)
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
}

func testMarker(t *testing.T, b *bench) {
	markers := []app.Marker{}
	for range 3 {
		point, _, next := b.point(t)
		if slices.Contains(markers, next) {
			t.Fatal("the marker did not move")
		}
		if got, want := b.Content(t, b.inPoint(point)), b.Content(t, b.path()); got != want {
			t.Errorf("captured:\n%s\nsource:\n%s", got, want)
		}
		markers = append(markers, next)
		b.Change(t, b.source)
		c := b.capture(t, next)
		if c.Idle {
			t.Fatal("idle after a change")
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}

func testCloses(t *testing.T, b *bench) {
	c := b.capture(t, "")
	for item, err := range c.Items {
		if err != nil {
			t.Fatal(err)
		}
		if item.Open == nil {
			continue
		}
		r, err := item.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Left in the middle, as by a canceled session.
		if _, err := r.Read(make([]byte, 10)); err != nil && err != io.EOF {
			t.Fatal(err)
		}
		if err := errors.Join(r.Close(), r.Close()); err != nil {
			t.Errorf("close %s: %v", item.Path, err)
		}
	}
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	if n := OpenBelow(t, b.dir); n != 0 {
		t.Errorf("%d files left open", n)
	}
}

func testCanceled(t *testing.T, b *bench) {
	ctx, cancel := context.WithCancel(t.Context())
	c, err := b.c.Capture(ctx, b.access(), "")
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for item, err := range c.Items {
		if err != nil {
			break
		}
		if item.Open == nil {
			continue
		}
		if r, err := item.Open(ctx); err == nil {
			t.Errorf("%s opened", item.Path)
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		} else if app.CodeOf(err) != app.CodeCanceled {
			t.Errorf("open %s: %v", item.Path, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if _, err := b.c.Capture(ctx, b.access(), ""); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("capture: %v", err)
	}
	if n := OpenBelow(t, b.dir); n != 0 {
		t.Errorf("%d files left open", n)
	}
}

func testStats(t *testing.T, b *bench) {
	_, stats, next := b.point(t)
	if stats["bytes"] <= 0 {
		t.Errorf("stats %v", stats)
	}
	if next == "" {
		t.Error("no marker")
	}
}

func describe(changes []app.Change) string { return fmt.Sprintf("%+v", changes) }
