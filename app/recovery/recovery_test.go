package recovery

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
)

func TestPlaybooks_areSound(t *testing.T) {
	t.Parallel()
	books, err := assets.Playbooks()
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(books); err != nil {
		t.Fatal(err)
	}
}

func TestCheck_refuses(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(b *app.Playbook){
		"a step nobody knows":       func(b *app.Playbook) { b.Steps[3].After = []app.StepCode{"unheard-of"} },
		"a circle":                  func(b *app.Playbook) { b.Steps[0].After = []app.StepCode{b.Steps[4].Code} },
		"itself":                    func(b *app.Playbook) { b.Steps[2].After = []app.StepCode{b.Steps[2].Code} },
		"an action nobody knows":    func(b *app.Playbook) { b.Steps[1].Action = "dance" },
		"a probe nobody knows":      func(b *app.Playbook) { b.Steps[0].Probe = "feel" },
		"an actor nobody knows":     func(b *app.Playbook) { b.Steps[0].Actor = "cat" },
		"a step twice":              func(b *app.Playbook) { b.Steps[1].Code = b.Steps[0].Code },
		"no end of the clock":       func(b *app.Playbook) { b.Steps[7].Stops = false },
		"touching without consent":  func(b *app.Playbook) { b.Steps[5].Consent = "" },
		"a deadline for nothing":    func(b *app.Playbook) { b.Deadline = &app.Deadline{Step: "x", Hours: 1} },
		"a message nobody wrote":    func(b *app.Playbook) { b.Steps[0].Message = "poem" },
		"a suspicion without a way": func(b *app.Playbook) { b.Infected = true },
	} {
		books, err := assets.Playbooks()
		if err != nil {
			t.Fatal(err)
		}
		spoil(&books[0])
		if Check(books) == nil {
			t.Errorf("%s is let through", name)
		}
	}
	books, err := assets.Playbooks()
	if err != nil {
		t.Fatal(err)
	}
	if Check(books[1:]) == nil {
		t.Error("a missing playbook is let through")
	}
}

// Every playbook can be followed to its end, and the clock stops.
func TestEngine_everyPlaybookToItsEnd(t *testing.T) {
	t.Parallel()
	for _, code := range app.PlaybookCodes() {
		t.Run(string(code), func(t *testing.T) {
			t.Parallel()
			e, h := newTest(t)
			i := h.open(e, code)
			for range 60 {
				h.clock = h.clock.Add(20 * time.Second)
				b := e.Brief(i)
				if b.Next == "" {
					break
				}
				if h.did(app.ActionRestore) > 0 && i.Step("confirm").State != app.StepDone {
					t.Fatal("restored before the owner said yes")
				}
				i = h.tick(e, b.Next)
			}
			for _, s := range i.Steps {
				if s.State != app.StepDone {
					t.Errorf("%s ends %s", s.Code, s.State)
				}
			}
			if i.Back.IsZero() || i.Seconds <= 0 || i.Seconds > i.Lasted {
				t.Errorf("away %v of %v s, back %v", i.Seconds, i.Lasted, i.Back)
			}
			for _, a := range []app.Action{app.ActionRestore, app.ActionRehearse, app.ActionPin} {
				if h.did(a) > 1 {
					t.Errorf("%s done %d times", a, h.did(a))
				}
			}
			closed, err := e.Close(t.Context())
			if err != nil || closed.Closed.IsZero() {
				t.Fatal(err)
			}
			if _, err := e.Current(t.Context()); app.CodeOf(err) != app.CodeIncidentNone {
				t.Errorf("after closing: %v", err)
			}
		})
	}
}

func TestEngine_oneAtATime(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.open(e, app.PlaybookCrashed)
	if _, err := e.Open(t.Context(), app.IncidentRequest{Playbook: app.PlaybookHacked}); app.CodeOf(err) != app.CodeIncidentOpen {
		t.Errorf("second: %v", err)
	}
	if _, err := e.Open(t.Context(), app.IncidentRequest{Playbook: "flood"}); app.CodeOf(err) != app.CodeUsage || !strings.Contains(app.AsError(err).Args["choices"], "hacked") {
		t.Errorf("unknown: %v", err)
	}
}

func TestTick_rules(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	i := h.open(e, app.PlaybookCrashed)
	want(t, i, "point", app.StepDone)
	want(t, i, "restore", app.StepOpen)
	for _, tt := range []struct {
		r    app.TickRequest
		code app.Code
	}{
		{app.TickRequest{Step: "nonsense"}, app.CodeUsage},
		{app.TickRequest{Step: "confirm"}, app.CodeStepBlocked},
		{app.TickRequest{Step: "restore"}, app.CodeStepBlocked},
		{app.TickRequest{Step: "stop-till", Tick: app.TickSkip}, app.CodeUsage},
		{app.TickRequest{Step: "stop-till", Tick: "maybe"}, app.CodeUsage},
		{app.TickRequest{Step: "point", Tick: app.TickFailed}, app.CodeUsage},
		{app.TickRequest{Step: "stop-till", Choice: &app.Choice{Paths: []string{"x"}}}, app.CodeUsage},
	} {
		if _, err := e.Tick(t.Context(), tt.r); app.CodeOf(err) != tt.code {
			t.Errorf("%+v: %v, want %s", tt.r, err, tt.code)
		}
	}
	if h.did(app.ActionRestore) != 0 {
		t.Error("restored")
	}
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "stop-till", Tick: app.TickSkip, Reason: "It is off"}); err != nil {
		t.Fatal(err)
	}
	i = h.tick(e, "confirm")
	want(t, i, "restore", app.StepDone)
	if s := i.Step("stop-till"); s.Reason != "It is off" || s.State != app.StepSkipped {
		t.Errorf("skipped: %+v", s)
	}
	// a test sale that fails holds the clock; a new try ends it
	i = h.tick(e, "start-till")
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "test-sale", Tick: app.TickFailed, Reason: "No receipt"}); err != nil {
		t.Fatal(err)
	}
	if i, _ = e.Current(t.Context()); !i.Back.IsZero() || e.Brief(i).Failed != "test-sale" {
		t.Errorf("failed sale: %+v", e.Brief(i))
	}
	i = h.tick(e, "test-sale")
	if i.Back.IsZero() {
		t.Error("not back")
	}
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "test-sale", Tick: app.TickUndo}); err != nil {
		t.Fatal(err)
	}
	if i, _ = e.Current(t.Context()); !i.Back.IsZero() {
		t.Error("back although the tick was taken away")
	}
}

func TestConsent_refusedMeansNothingIsTouched(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.open(e, app.PlaybookShopDown)
	for _, code := range []app.StepCode{"put-page", "new-host", "confirm"} {
		if _, err := e.Tick(t.Context(), app.TickRequest{Step: code, Tick: app.TickSkip, Reason: "The host is back"}); err != nil {
			t.Fatal(err)
		}
	}
	i := h.advance(e)
	want(t, i, "restore", app.StepSkipped)
	want(t, i, "publish", app.StepSkipped)
	if h.did(app.ActionRestore)+h.did(app.ActionPublish) != 0 {
		t.Error("touched")
	}
}

func TestChoice_changedIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.open(e, app.PlaybookCrashed)
	h.tick(e, "stop-till")
	h.tick(e, "confirm")
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "confirm", Choice: &app.Choice{Before: h.clock.Add(-time.Hour)}}); err != nil {
		t.Fatal(err)
	}
	i := h.advance(e)
	want(t, i, "confirm", app.StepOpen)
	want(t, i, "restore", app.StepOpen)
	want(t, i, "stop-till", app.StepDone)
	if h.did(app.ActionPoint) != 2 || h.did(app.ActionRestore) != 1 {
		t.Errorf("acted %v", h.acted)
	}
	h.tick(e, "confirm")
	if h.did(app.ActionRestore) != 2 {
		t.Error("not restored from the new choice")
	}
}
