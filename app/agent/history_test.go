package agent

import (
	"testing"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

func TestQuarterOf(t *testing.T) {
	t.Parallel()
	q := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	run := func(state app.RunState, start, end time.Duration) journal.Run {
		r := journal.Run{Quarter: quarter(q.Add(start)), Started: q.Add(start), Ended: q.Add(end), Result: app.RunResult{State: state}}
		if state == app.RunFailed {
			r.Result.Error = &app.Error{Code: app.CodeStorageFull}
		}
		return r
	}
	for name, tt := range map[string]struct {
		now    time.Duration // after the quarter's start
		runs   []journal.Run
		pauses []journal.Pause
		busy   bool
		want   app.QuarterState
	}{
		"in the clock's future":     {-time.Minute, nil, nil, false, app.QuarterUnknown},
		"under way, not run yet":    {time.Minute, nil, nil, false, app.QuarterDue},
		"running":                   {time.Minute, nil, nil, true, app.QuarterRunning},
		"done":                      {time.Hour, []journal.Run{run(app.RunDone, 0, time.Minute)}, nil, false, app.QuarterDone},
		"nothing new":               {time.Hour, []journal.Run{run(app.RunIdle, 0, time.Second)}, nil, false, app.QuarterIdle},
		"one of two done":           {time.Hour, []journal.Run{run(app.RunDone, 0, time.Minute), run(app.RunIdle, 0, time.Second)}, nil, false, app.QuarterDone},
		"one of two failed":         {time.Hour, []journal.Run{run(app.RunDone, 0, time.Minute), run(app.RunFailed, 0, time.Second)}, nil, false, app.QuarterFailed},
		"failed, then done by hand": {time.Hour, []journal.Run{run(app.RunFailed, 0, time.Minute), run(app.RunDone, 5*time.Minute, 6*time.Minute)}, nil, false, app.QuarterFailed},
		"three at a denser pace, the last past the end": {time.Hour, []journal.Run{
			run(app.RunDone, 0, time.Minute), run(app.RunIdle, 5*time.Minute, 6*time.Minute), run(app.RunDone, 10*time.Minute, 16*time.Minute),
		}, nil, false, app.QuarterDone},
		"failed, then too late":         {time.Hour, []journal.Run{run(app.RunFailed, 0, time.Minute), run(app.RunDone, 5*time.Minute, 20*time.Minute)}, nil, false, app.QuarterFailed},
		"done too late":                 {time.Hour, []journal.Run{run(app.RunDone, 0, 20*time.Minute)}, nil, false, app.QuarterLate},
		"covered by an earlier run":     {time.Hour, []journal.Run{run(app.RunDone, -15*time.Minute, 3*time.Minute)}, nil, false, app.QuarterLate},
		"the computer was off":          {time.Hour, nil, nil, false, app.QuarterNone},
		"paused":                        {time.Hour, nil, []journal.Pause{{From: q.Add(-time.Hour), To: q.Add(5 * time.Minute)}}, false, app.QuarterPaused},
		"paused, yet backed up by hand": {time.Hour, []journal.Run{run(app.RunDone, time.Minute, 2*time.Minute)}, []journal.Pause{{From: q, To: q.Add(time.Hour)}}, false, app.QuarterDone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := schedule{now: func() time.Time { return q.Add(tt.now) }}
			if got := quarterOf(q, s, tt.runs, tt.pauses, "", nil, true, tt.busy); got.State != tt.want {
				t.Errorf("got %s, want %s", got.State, tt.want)
			}
		})
	}
}

func TestNewSourceID(t *testing.T) {
	t.Parallel()
	taken := map[app.SourceID]bool{"kassan": true, "kassan-2": true}
	for name, want := range map[string]app.SourceID{
		"Kassan":                      "kassan-3",
		"Kafferosteriet i Gamla stan": "kafferosteriet-i-gamla-stan",
		"Åsas Öl & Märke":             "asas-ol-marke",
		"日本語":                         "source",
		"../../etc":                   "etc",
		"kvart":                       "source",
		"a name that is far too long to be an identifier": "a-name-that-is-far-too-long-to-be-an-ide",
	} {
		if got := newSourceID(name, "", func(id app.SourceID) bool { return taken[id] }); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
