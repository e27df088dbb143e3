package connectortest

import (
	"cmp"
	"context"
	"os"
	"slices"
	"testing"

	"kvart/app"
)

// Hosted is a shop behind a network that the suite for hosted shops is run on.
type Hosted struct {
	Connector app.Connector
	Access    app.Access
	// Change changes the shop as its owner does: a few records, none of them made
	// or deleted, in ways that a restore takes back. Some time passes.
	Change func(t *testing.T)
	// Content describes the shop, so that equal descriptions mean equal data. What
	// a shop counts or dates by itself is left out.
	Content func(t *testing.T) string
	// Cut has no answer come from the shop any more.
	Cut func()
}

// RunHosted runs the suite for hosted shops; open opens a new shop with something
// in it.
func RunHosted(t *testing.T, open func(t *testing.T) Hosted) {
	for _, tt := range []struct {
		name string
		fn   func(*testing.T, Hosted)
	}{
		{"the form names the settings", hostedSpec},
		{"check, capture and plan change nothing", hostedReadsOnly},
		{"capturing twice gives the same", hostedTwice},
		{"nothing moved is idle, a change is not", hostedMarker},
		{"a canceled capture stops", hostedCanceled},
		{"a shop out of reach is no empty shop", hostedCut},
		{"restoring brings the captured state back, twice as once", hostedRestore},
		{"a restore can be taken back", hostedUndo},
		{"comparing finds the change and nothing else", hostedDiff},
		{"a forgotten shop is captured anew", hostedForget},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.fn(t, open(t))
		})
	}
}

// point captures the shop into a folder.
func (h Hosted) point(t *testing.T, since app.Marker) (dir string, c *app.Capture) {
	t.Helper()
	c, err := h.Connector.Capture(t.Context(), h.Access, since)
	if err != nil {
		t.Fatalf("capture: %v", err)
	}
	dir, problems := collect(t, c, true)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return dir, c
}

func (h Hosted) restorer(t *testing.T) app.Restorer {
	t.Helper()
	r, ok := h.Connector.(app.Restorer)
	if !ok {
		t.Fatal("the connector restores nothing")
	}
	return r
}

func (h Hosted) restore(t *testing.T, r app.Restore) {
	t.Helper()
	r.Access = h.Access
	plan, err := h.restorer(t).Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		t.Fatalf("plan: %v, blockers %v", err, plan.Blockers)
	}
	if err := h.restorer(t).Apply(t.Context(), r, Silent{}); err != nil {
		t.Fatalf("apply: %v", err)
	}
	checks, err := h.restorer(t).Verify(t.Context(), r)
	if err != nil || len(checks) == 0 {
		t.Errorf("verify: %v, %d checks", err, len(checks))
	}
	for _, c := range checks {
		if !c.OK {
			t.Errorf("check %+v", c)
		}
	}
}

func hostedSpec(t *testing.T, h Hosted) {
	if err := h.Connector.Spec().CheckSettings(h.Access.Source.Settings, h.Access.Secrets); err != nil {
		t.Error(err)
	}
	if kind := h.Connector.Spec().Kind; kind != h.Access.Source.Kind {
		t.Errorf("kind %q, source of %q", kind, h.Access.Source.Kind)
	}
}

func hostedReadsOnly(t *testing.T, h Hosted) {
	before := h.Content(t)
	if info, err := h.Connector.Check(t.Context(), h.Access); err != nil || info.Changed.IsZero() {
		t.Errorf("check: %+v, %v", info, err)
	}
	point, c := h.point(t, "")
	if s := c.Stats(); s["files"] <= 0 || s["bytes"] <= 0 {
		t.Errorf("stats %v", s)
	}
	if _, err := h.restorer(t).Plan(t.Context(), app.Restore{Access: h.Access, From: os.DirFS(point), Stats: c.Stats()}); err != nil {
		t.Errorf("plan: %v", err)
	}
	if after := h.Content(t); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func hostedTwice(t *testing.T, h Hosted) {
	one, _ := h.point(t, "")
	two, _ := h.point(t, "")
	if a, z := Tree(t, one), Tree(t, two); a != z {
		t.Errorf("first:\n%s\nsecond:\n%s", a, z)
	}
}

func hostedMarker(t *testing.T, h Hosted) {
	_, c := h.point(t, "")
	again, err := h.Connector.Capture(t.Context(), h.Access, c.Next)
	if err != nil || !again.Idle {
		t.Fatalf("nothing moved: %+v, %v", again, err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
	h.Change(t)
	if _, moved := h.point(t, c.Next); moved.Next == c.Next {
		t.Error("a change left the marker where it was")
	}
}

func hostedCanceled(t *testing.T, h Hosted) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.Connector.Capture(ctx, h.Access, ""); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("capture: %v", err)
	}
}

func hostedCut(t *testing.T, h Hosted) {
	_, c := h.point(t, "")
	h.Cut()
	for _, since := range []app.Marker{"", c.Next} {
		if got, err := h.Connector.Capture(t.Context(), h.Access, since); app.CodeOf(err) != app.CodeSourceOffline {
			t.Errorf("capture: %+v, %v", got, err)
		}
	}
}

func hostedRestore(t *testing.T, h Hosted) {
	want := h.Content(t)
	point, c := h.point(t, "")
	h.Change(t)
	if h.Content(t) == want {
		t.Fatal("the change changed nothing")
	}
	for range 2 {
		h.restore(t, app.Restore{From: os.DirFS(point), Stats: c.Stats()})
		if got := h.Content(t); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

func hostedUndo(t *testing.T, h Hosted) {
	point, c := h.point(t, "")
	h.Change(t)
	want := h.Content(t)
	present, err := h.restorer(t).Present(t.Context(), h.Access)
	if err != nil {
		t.Fatalf("present: %v", err)
	}
	safety, _ := collect(t, present, true)
	h.restore(t, app.Restore{From: os.DirFS(point), Stats: c.Stats()})
	h.restore(t, app.Restore{From: os.DirFS(safety), Raw: true})
	if got := h.Content(t); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func hostedDiff(t *testing.T, h Hosted) {
	d, ok := h.Connector.(app.Differ)
	if !ok {
		t.Fatal("the connector compares nothing")
	}
	point, _ := h.point(t, "")
	for _, changed := range []bool{false, true} {
		if changed {
			h.Change(t)
		}
		live, err := d.Live(t.Context(), h.Access, t.TempDir())
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
		if !slices.IsSortedFunc(changes, func(a, b app.Change) int { return cmp.Compare(a.Path, b.Path) }) {
			t.Errorf("not sorted: %s", describe(changes))
		}
		if err := live.Close(); err != nil {
			t.Error(err)
		}
	}
}

func hostedForget(t *testing.T, h Hosted) {
	f, ok := h.Connector.(app.Forgetter)
	if !ok {
		t.Fatal("the connector forgets nothing")
	}
	one, _ := h.point(t, "")
	for range 2 {
		if err := f.Forget(t.Context(), h.Access.Source); err != nil {
			t.Fatal(err)
		}
	}
	two, _ := h.point(t, "")
	if a, z := Tree(t, one), Tree(t, two); a != z {
		t.Errorf("before:\n%s\nafter:\n%s", a, z)
	}
}
