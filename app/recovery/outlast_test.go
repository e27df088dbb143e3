package recovery

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

// A step that was under way when the guard was killed is done again by the
// next, once.
func TestEngine_survivesAKill(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.open(e, app.PlaybookCrashed)
	h.tick(e, "stop-till")
	ctx, kill := context.WithCancel(t.Context())
	h.act = func(context.Context, app.Incident, app.Action) app.StepResult {
		kill()
		return app.StepResult{State: app.StepFailed} // what a dying guard says is not heard
	}
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "confirm"}); err != nil {
		t.Fatal(err)
	}
	if err := e.Advance(ctx); err != nil {
		t.Fatal(err)
	}
	if i, _ := e.Current(t.Context()); i.Step("restore").State != app.StepRunning {
		t.Fatalf("killed: %s", states(i))
	}
	h.act = nil
	h.clock = h.clock.Add(3 * time.Minute)
	e = h.engine()
	i := h.advance(e)
	want(t, i, "restore", app.StepDone)
	if i.Step("restore").Tries != 1 {
		t.Errorf("%d tries", i.Step("restore").Tries)
	}
	if !slices.ContainsFunc(i.Log, func(l app.LogLine) bool { return l.Event == app.LogResumed && l.Step == "restore" }) {
		t.Error("the log does not say that it went on")
	}
	if i.Seconds < 180 {
		t.Errorf("clock at %v s", i.Seconds)
	}
}

func TestClock_setInMidIncident(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	i := h.open(e, app.PlaybookCrashed)
	h.clock = h.clock.Add(5 * time.Minute)
	if err := e.Beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.clock = h.clock.Add(-48 * time.Hour)
	e = h.engine() // started again with the clock two days back
	h.tick(e, "stop-till")
	h.clock = h.clock.Add(time.Minute)
	i = h.tick(e, "confirm")
	if i.Seconds < 300 || i.Seconds > 420 {
		t.Errorf("clock at %v s", i.Seconds)
	}
	if !slices.ContainsFunc(i.Log, func(l app.LogLine) bool { return l.Event == app.LogClock }) {
		t.Error("the log does not say that the clock moved")
	}
	last := 0.0
	for _, l := range i.Log {
		if l.Seconds < last {
			t.Errorf("%s at %v s, after %v s", l.Event, l.Seconds, last)
		}
		last = l.Seconds
	}
}

// The clock counts every minute once, however many steps are ticked and done on
// the way, and nobody set it.
func TestClock_countsOnce(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.open(e, app.PlaybookCrashed)
	for _, step := range []app.StepCode{"stop-till", "confirm", "start-till"} {
		h.clock = h.clock.Add(5 * time.Minute)
		if _, err := e.Current(t.Context()); err != nil { // as the window asks
			t.Fatal(err)
		}
		h.clock = h.clock.Add(time.Minute)
		h.tick(e, step)
	}
	h.clock = h.clock.Add(10 * time.Minute)
	i := h.tick(e, "test-sale")
	if want := (28 * time.Minute).Seconds(); i.Seconds != want || i.Lasted != want || i.Back.IsZero() {
		t.Errorf("clock at %v s of %v s, want %v s", i.Seconds, i.Lasted, want)
	}
	for _, l := range i.Log {
		if l.Event == app.LogClock || l.Seconds != l.At.Sub(i.Started).Seconds() {
			t.Errorf("%s at %v s, %v after the start", l.Event, l.Seconds, l.At.Sub(i.Started))
		}
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	i := h.open(e, app.PlaybookHacked)
	if i.Deadline == nil || !i.Deadline.Until.Equal(h.clock.Add(72*time.Hour)) || len(i.Infected) != 1 {
		t.Fatalf("deadline %+v, infected %v", i.Deadline, i.Infected)
	}
	if i = h.tick(e, "imy"); i.Deadline.Met.IsZero() {
		t.Error("not met")
	}
	h.tick(e, "unplug")
	if i = h.tick(e, "clean"); len(i.Infected) != 0 {
		t.Error("still infected")
	}
}

func TestProbe_theOwnersWordCounts(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.open(e, app.PlaybookComputer)
	h.tick(e, "install")
	h.probe = func(context.Context, app.Probe) app.StepResult {
		return app.StepResult{State: app.StepFailed, Error: app.Errorf(app.CodeVaultNone, "probe", "none")}
	}
	i := h.tick(e, "open-kit")
	want(t, i, "open-kit", app.StepFailed)
	if i.Step("open-kit").Error.Code != app.CodeVaultNone {
		t.Errorf("why: %v", i.Step("open-kit").Error)
	}
	h.probe = nil // it can't be known
	want(t, h.tick(e, "open-kit"), "open-kit", app.StepDone)
}

func TestKvart_canNotKnow(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.act = func(_ context.Context, _ app.Incident, a app.Action) app.StepResult {
		if a == app.ActionPublish {
			return app.StepResult{State: app.StepOpen, Facts: []app.Fact{{Code: "no_publisher"}}}
		}
		return app.StepResult{State: app.StepDone}
	}
	h.open(e, app.PlaybookShopDown)
	i := h.tick(e, "put-page")
	if s := i.Step("publish"); s.State != app.StepOpen || !s.Look {
		t.Fatalf("publish %+v", s)
	}
	want(t, h.tick(e, "publish"), "publish", app.StepDone)
	if h.did(app.ActionPublish) != 1 {
		t.Error("tried again although the owner had done it")
	}
}

// What nobody waits for gives way to what the owner does.
func TestAdvance_urgentGoesFirst(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	pinning := make(chan struct{})
	var once sync.Once
	h.act = func(ctx context.Context, _ app.Incident, a app.Action) app.StepResult {
		if a == app.ActionPin {
			first := false
			once.Do(func() { first = true; close(pinning) })
			if first {
				<-ctx.Done()
				return app.StepResult{State: app.StepFailed, Error: app.AsError(ctx.Err())}
			}
		}
		return app.StepResult{State: app.StepDone}
	}
	if _, err := e.Open(t.Context(), app.IncidentRequest{Playbook: app.PlaybookHacked}); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- e.Advance(t.Context()) }()
	<-pinning
	for _, code := range []app.StepCode{"unplug", "clean", "other-device"} {
		if _, err := e.Tick(t.Context(), app.TickRequest{Step: code}); err != nil {
			t.Fatal(err)
		}
	}
	// the comparison comes after pinning; the owner does not care for it
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "compare", Tick: app.TickSkip, Reason: "No time"}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "confirm"}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	i := h.advance(e)
	want(t, i, "restore", app.StepDone)
	want(t, i, "pin", app.StepDone)
	if h.did(app.ActionPin) != 2 {
		t.Errorf("acted %v", h.acted)
	}
}
