package recovery

import (
	"context"
	"errors"
	"testing"

	"kvart/app"
)

// through follows a playbook to its end.
func (h *host) through(e *Engine, code app.PlaybookCode) app.Incident {
	h.t.Helper()
	i := h.open(e, code)
	for range 60 {
		next := e.Brief(i).Next
		if next == "" {
			return i
		}
		i = h.tick(e, next)
	}
	h.t.Fatalf("no end: %s", states(i))
	return i
}

// restoring answers as a guard that restores as r1.
func restoring(_ context.Context, _ app.Incident, a app.Action) app.StepResult {
	res := app.StepResult{State: app.StepDone}
	if a == app.ActionRestore {
		res.Change = func(i *app.Incident) { i.Restore = "r1" }
	}
	return res
}

// A restore that was taken back used to leave the shop "back", its checks passed
// and its page down.
func TestUndone_takesChecklistAndPageAlong(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.act = restoring
	i := h.through(e, app.PlaybookShopDown)
	if i.Back.IsZero() {
		t.Fatal("not back")
	}
	if err := e.Undone(t.Context(), "another", true, nil); err != nil {
		t.Fatal(err)
	}
	if i, _ = e.Current(t.Context()); i.Back.IsZero() {
		t.Error("another restore's undo counts")
	}
	if err := e.Undone(t.Context(), "r1", true, nil); err != nil {
		t.Fatal(err)
	}
	i = h.advance(e)
	for _, code := range []app.StepCode{"confirm", "restore", "check", "open-again", "withdraw", "storefront", "gap", "put-page", "publish", "report"} {
		want(t, i, code, app.StepOpen)
	}
	for _, code := range []app.StepCode{"look-shop", "page", "point", "new-host"} {
		want(t, i, code, app.StepDone)
	}
	if !i.Back.IsZero() || i.Restore != "" || h.did(app.ActionRestore) != 1 || h.did(app.ActionPublish) != 1 {
		t.Errorf("back %v, restore %q, acted %v", i.Back, i.Restore, h.acted)
	}
	h.tick(e, "put-page")
	i = h.tick(e, "confirm")
	want(t, i, "publish", app.StepDone)
	want(t, i, "restore", app.StepDone)
	if h.did(app.ActionRestore) != 2 || h.did(app.ActionPublish) != 2 {
		t.Errorf("acted %v", h.acted)
	}
}

func TestUndone_thatFailedIsTold(t *testing.T) {
	t.Parallel()
	full := app.Errorf(app.CodeTargetFull, "undo", "full")
	for name, touched := range map[string]bool{"half way": true, "before anything was changed": false} {
		e, h := newTest(t)
		h.act = restoring
		h.through(e, app.PlaybookCrashed)
		if err := e.Undone(t.Context(), "r1", touched, full); err != nil {
			t.Fatal(err)
		}
		i := h.advance(e)
		if touched != i.Back.IsZero() {
			t.Errorf("%s: back %v", name, i.Back)
		}
		l := i.Log[len(i.Log)-1]
		if l.Event != app.LogFailed || l.Step != "restore" || app.CodeOf(l.Error) != app.CodeTargetFull {
			t.Errorf("%s: the log ends %+v", name, l)
		}
		if !touched {
			want(t, i, "restore", app.StepDone)
			continue
		}
		want(t, i, "restore", app.StepFailed)
		want(t, i, "test-sale", app.StepOpen)
		if e.Brief(i).Failed != "restore" {
			t.Errorf("%+v", e.Brief(i))
		}
		i = h.tick(e, "restore") // asked for once more
		want(t, i, "check", app.StepDone)
	}
	e, _ := newTest(t)
	if err := e.Undone(t.Context(), "r1", true, errors.New("no")); err != nil {
		t.Errorf("without an incident: %v", err)
	}
}

// Taking a tick back, or ticking that it failed after all, opens what rests on it:
// a shop is not back while what it rests on is open.
func TestTick_takenBackOpensWhatRestsOnIt(t *testing.T) {
	t.Parallel()
	for _, r := range []app.TickRequest{{Step: "start-till", Tick: app.TickUndo}, {Step: "start-till", Tick: app.TickFailed, Reason: "No"}} {
		e, h := newTest(t)
		h.act = restoring
		h.through(e, app.PlaybookCrashed)
		i, err := e.Tick(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		want(t, i, "test-sale", app.StepOpen)
		want(t, i, "enter-sales", app.StepOpen)
		want(t, i, "restore", app.StepDone)
		want(t, i, "confirm", app.StepDone)
		if !i.Back.IsZero() {
			t.Errorf("%s: back", r.Tick)
		}
	}
	// under a restore everything is open again, and nothing is restored by itself
	e, h := newTest(t)
	h.act = restoring
	h.through(e, app.PlaybookCrashed)
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "stop-till", Tick: app.TickUndo}); err != nil {
		t.Fatal(err)
	}
	i := h.advance(e)
	want(t, i, "confirm", app.StepOpen)
	want(t, i, "restore", app.StepOpen)
	i = h.tick(e, "stop-till")
	want(t, i, "restore", app.StepOpen)
	if h.did(app.ActionRestore) != 1 {
		t.Error("restored without a new yes")
	}
}

// A point that was chosen by an older choice, and found only after the owner had
// changed it, is not what comes back.
func TestChoice_changedWhileThePointIsChosen(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	in, out := make(chan struct{}), make(chan struct{})
	first := true
	h.act = func(_ context.Context, i app.Incident, a app.Action) app.StepResult {
		res := app.StepResult{State: app.StepDone}
		if a != app.ActionPoint {
			return res
		}
		if first {
			first = false
			close(in)
			<-out
		}
		at := i.Choice.Before
		res.Change = func(i *app.Incident) {
			i.Points = map[app.SourceID]app.ChosenPoint{"kassan": {Source: "Kassan", Point: "p", Time: at}}
		}
		return res
	}
	if _, err := e.Open(t.Context(), app.IncidentRequest{Playbook: app.PlaybookCrashed}); err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- e.Advance(t.Context()) }()
	<-in
	before := h.clock.AddDate(0, 0, -1)
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "stop-till", Choice: &app.Choice{Before: before}}); err != nil {
		t.Fatal(err)
	}
	close(out)
	if err := <-end; err != nil {
		t.Fatal(err)
	}
	i := h.advance(e)
	want(t, i, "point", app.StepDone)
	if got := i.Points["kassan"].Time; !got.Equal(before) || h.did(app.ActionPoint) != 2 {
		t.Errorf("chosen as of %v, looked %d times", got, h.did(app.ActionPoint))
	}
}

// What a restore that is under way rests on can't be taken away from under it.
func TestTick_takenBackFromUnderARestore(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	in, out := make(chan struct{}), make(chan struct{})
	h.act = func(_ context.Context, _ app.Incident, a app.Action) app.StepResult {
		if a == app.ActionRestore {
			close(in)
			<-out
		}
		return app.StepResult{State: app.StepDone}
	}
	h.open(e, app.PlaybookCrashed)
	h.tick(e, "stop-till")
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "confirm"}); err != nil {
		t.Fatal(err)
	}
	end := make(chan error, 1)
	go func() { end <- e.Advance(t.Context()) }()
	<-in
	for _, tick := range []app.Tick{app.TickUndo, app.TickFailed} {
		if _, err := e.Tick(t.Context(), app.TickRequest{Step: "stop-till", Tick: tick}); app.CodeOf(err) != app.CodeBusy {
			t.Errorf("%s: %v", tick, err)
		}
	}
	close(out)
	if err := <-end; err != nil {
		t.Fatal(err)
	}
}
