package recovery

import (
	"context"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

func (h *host) report(e *Engine, language string) string {
	h.t.Helper()
	p, err := e.Report(h.t.Context(), "", language)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(e.Markdown(p))
}

func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in:\n%s", p, text)
		}
	}
	for _, bad := range []string{"⟦", "<no value>", "{{"} {
		if strings.Contains(text, bad) {
			t.Errorf("%q in:\n%s", bad, text)
		}
	}
}

func TestReport_wholeStory(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	trouble := h.clock.Add(-10 * time.Minute)
	if _, err := e.Open(t.Context(), app.IncidentRequest{Playbook: app.PlaybookCrashed, Note: "Kassan | startar *inte*", Choice: app.Choice{Before: trouble}}); err != nil {
		t.Fatal(err)
	}
	fail := true
	h.act = func(_ context.Context, i app.Incident, a app.Action) app.StepResult {
		switch {
		case a == app.ActionRestore && fail:
			return app.StepResult{State: app.StepFailed, Error: app.Errorf(app.CodeTargetInUse, "plan", "open").With("program", "KassaPos")}
		case a == app.ActionRestore:
			return app.StepResult{State: app.StepDone, Change: func(i *app.Incident) { i.Restore = "r1" }}
		case a == app.ActionPoint:
			return app.StepResult{State: app.StepDone, Change: func(i *app.Incident) {
				i.Points = map[app.SourceID]app.ChosenPoint{"kassan": {Source: "Kassan", Time: trouble.Add(-time.Hour)}}
			}}
		case a == app.ActionGap:
			return app.StepResult{State: app.StepDone, Facts: []app.Fact{{Code: "gap", Source: "Kassan", Count: 12}, {Code: "gap_orders", Source: "Kassan", Count: 3}}}
		case a == app.ActionCheck:
			return app.StepResult{State: app.StepDone, Facts: []app.Fact{{Code: "rows", Source: "Kassan", Count: 1234}, {Code: "newest_order", Source: "Kassan", Args: map[string]string{"order": "1042"}}}}
		}
		return app.StepResult{State: app.StepDone}
	}
	h.advance(e)
	h.tick(e, "stop-till")
	h.clock = h.clock.Add(16 * time.Minute)
	h.tick(e, "confirm")
	fail = false
	h.tick(e, "restore")
	h.tick(e, "start-till")
	h.tick(e, "test-sale")
	if _, err := e.Tick(t.Context(), app.TickRequest{Step: "enter-sales", Tick: app.TickSkip, Reason: "Tomorrow"}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := h.report(e, "en")
	wants(t, text,
		"Björnbär & Co", `Kassan \| startar \*inte\*`, "16 min 0 s", "The goal is 15 min 0 s",
		"Kassan: the backup of", "1 check passed", "4 min 0 s", // restored
		"saved first: that took 1 min 0 s", "in 1 min 1 s", "afterwards took 5 s",
		"1,234 rows or records", "the newest order is 1042",
		"12 minutes lie between", "at least 3 orders have to be entered again",
		"Close KassaPos first",                                              // in the timeline and with its step
		"Tomorrow",                                                          // why it was skipped
		"It took longer than", "“Bring it back” didn't work the first time", // to improve
		"A backup that had not been proven was used", "“Save the report” was never", // ditto
		"Incident closed (You)",
	)
	wants(t, h.report(e, "sv"), "Händelserapport", "12 minuter ligger mellan", "minst 3 beställningar", "Stäng KassaPos först", "Tidslinje")
}

func TestReport_hackedWithoutARestore(t *testing.T) {
	t.Parallel()
	e, h := newTest(t)
	h.act = func(_ context.Context, _ app.Incident, a app.Action) app.StepResult {
		if a == app.ActionStorage {
			return app.StepResult{State: app.StepFailed, Error: app.Errorf(app.CodeStorageGone, "open", "gone")}
		}
		return app.StepResult{State: app.StepDone}
	}
	h.open(e, app.PlaybookHacked)
	wants(t, h.report(e, "en"), "not yet", "still open", "To be reported by", "Nothing was brought back", "Nothing is known to be missing")
	h.clock = h.clock.Add(80 * time.Hour)
	wants(t, h.report(e, "sv"), "Skulle ha varit anmält", "De 72 timmarna för anmälan gick ut")
	h.tick(e, "imy")
	wants(t, h.report(e, "en"), "Reported or not needed")
}

func TestReport_ofNothing(t *testing.T) {
	t.Parallel()
	e, _ := newTest(t)
	if _, err := e.Report(t.Context(), "", "en"); app.CodeOf(err) != app.CodeIncidentNone {
		t.Errorf("got %v", err)
	}
}
