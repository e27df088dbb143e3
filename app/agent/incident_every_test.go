package agent

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
)

func TestRestoreEverything_leavesOutWhatHasNoBackup(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("ny", "n1")
	if _, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: "fake", Name: "Ny", Settings: map[string]string{"path": "ny"}}); err != nil {
		t.Fatal(err)
	}
	s.shop.set("kassan", "wrecked")
	plan, err := s.PlanRestore(t.Context(), app.RestoreRequest{})
	if err != nil || len(plan.Sources) != 2 || len(plan.Left) != 1 || plan.Left[0].Source != "Ny" {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{}))
	if j.State != app.JobDone || len(j.Restore.Left) != 1 || j.Restore.Took() <= 0 || j.Restore.Asked.After(j.Restore.Started) {
		t.Fatalf("restore %+v, %v", j.Restore, j.Error)
	}
	s.wantText("kassan", "k1")
	s.wantText("ny", "n1")
	// named, it is an error
	if _, err := s.PlanRestore(t.Context(), app.RestoreRequest{Sources: []string{"Ny"}}); app.CodeOf(err) != app.CodePointUnknown {
		t.Errorf("named: %v", err)
	}
}

// order is a registry in which two kinds of the same fake have an order.
type orderedKinds struct{ *fakeShop }

func (k orderedKinds) Connector(app.Kind) (app.Connector, error) { return k.fakeShop, nil }
func (k orderedKinds) Specs() []app.KindSpec {
	first, then := k.Spec(), k.Spec()
	first.Order = 1
	then.Kind, then.Order = "later", 2
	return []app.KindSpec{first, then}
}
func (k orderedKinds) Discover(context.Context) ([]app.Found, error) { return nil, nil }

func TestRestoreEverything_inOrderAndSideBySide(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.Agent.Connectors = orderedKinds{s.shop}
	s.shop.set("bilder", "b1")
	s.shop.set("tredje", "t1")
	for name, kind := range map[string]app.Kind{"Bilder": "later", "Tredje": "fake"} {
		if _, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: kind, Name: name, Settings: map[string]string{"path": strings.ToLower(name)}}); err != nil {
			t.Fatal(err)
		}
	}
	s.backup()
	var busy, most, finished atomic.Int32
	two := make(chan struct{})
	var once sync.Once
	s.shop.failApply = func(path string) error {
		now := busy.Add(1)
		defer busy.Add(-1)
		if now > most.Load() {
			most.Store(now)
		}
		if path == "bilder" {
			if finished.Load() != 3 {
				t.Errorf("files came after %d of 3 databases", finished.Load())
			}
			return nil
		}
		if now == 2 {
			once.Do(func() { close(two) })
		}
		select {
		case <-two: // both are under way
		case <-time.After(10 * time.Second):
			t.Error("one waits for the other")
		}
		finished.Add(1)
		return nil
	}
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{}))
	if j.State != app.JobDone || most.Load() != 2 {
		t.Errorf("%s (%v), %d at once", j.State, j.Error, most.Load())
	}
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Errorf("undo: %v", j.Error)
	}
}

func TestRestoreEverything_aFailureLetsTheOtherEnd(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked k")
	s.shop.set("lager", "wrecked l")
	begun, failed := make(chan struct{}), make(chan struct{})
	s.shop.failApply = func(path string) error {
		if path == "kassan" {
			<-begun
			defer close(failed)
			return app.Errorf(app.CodeTargetFull, "apply", "full")
		}
		close(begun)
		<-failed
		return nil
	}
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{}))
	if j.State != app.JobFailed || j.Error.Code != app.CodeTargetFull {
		t.Fatalf("%s, %v", j.State, j.Error)
	}
	s.wantText("lager", "l1")
	if !j.Restore.Sources[1].Done || j.Restore.Sources[0].Done {
		t.Errorf("record %+v", j.Restore.Sources)
	}
	s.shop.failApply = nil
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("lager", "wrecked l")
}

func TestNested(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		inner, outer string
		want         bool
	}{
		{"/shop/bilder", "/shop", true},
		{"/shop", "/shop", true},
		{"/shop2", "/shop", false},
		{"/shop", "/shop/bilder", false},
		{"/..shop", "/", true},
		{"", "/shop", false},
	} {
		if got := nested(filepath.FromSlash(tt.inner), filepath.FromSlash(tt.outer)); got != tt.want {
			t.Errorf("%q in %q: %v", tt.inner, tt.outer, got)
		}
	}
}
