package agent

import (
	"slices"
	"testing"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// A quarter is one of rest only if every source rested in it, and a good one only
// if none was missed: half a shop is not a shop.
func TestStrip_ofAllSources(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		rests  map[app.SourceID]app.QuarterState
		ran    map[app.SourceID]app.RunState
		before time.Duration // how far into the quarter the run before it lasted
		later  app.SourceID  // was backed up in the quarter after it
		want   app.QuarterState
	}{
		"both rest":              {rests: map[app.SourceID]app.QuarterState{"kassan": app.QuarterRest, "lager": app.QuarterRest}, want: app.QuarterRest},
		"one rests, one missed":  {rests: map[app.SourceID]app.QuarterState{"lager": app.QuarterRest}, want: app.QuarterNone},
		"one rests, one ran":     {rests: map[app.SourceID]app.QuarterState{"lager": app.QuarterRest}, ran: map[app.SourceID]app.RunState{"kassan": app.RunDone}, want: app.QuarterDone},
		"one paused, one ran":    {rests: map[app.SourceID]app.QuarterState{"lager": app.QuarterPaused}, ran: map[app.SourceID]app.RunState{"kassan": app.RunDone}, want: app.QuarterPaused},
		"one missed, one ran":    {ran: map[app.SourceID]app.RunState{"kassan": app.RunDone}, want: app.QuarterNone},
		"one made good, one ran": {ran: map[app.SourceID]app.RunState{"kassan": app.RunIdle}, later: "lager", want: app.QuarterLate},
		"both ran":               {ran: map[app.SourceID]app.RunState{"kassan": app.RunIdle, "lager": app.RunDone}, want: app.QuarterDone},
		"the run before it lasted, both rest": {
			rests: map[app.SourceID]app.QuarterState{"kassan": app.QuarterRest, "lager": app.QuarterRest}, before: 3 * time.Minute, want: app.QuarterLate,
		},
		"the run before it lasted": {before: 3 * time.Minute, want: app.QuarterLate},
		"neither":                  {want: app.QuarterNone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShopTest(t)
			s.clock.set(48 * time.Hour)
			noon := time.Date(s.Now().Year(), s.Now().Month(), s.Now().Day(), 12, 0, 0, 0, time.Local)
			s.clock.set(time.Until(noon.Add(6 * time.Hour)))
			run := func(id app.SourceID, at time.Time, took time.Duration, state app.RunState) {
				r := journal.Run{Source: id, Quarter: quarter(at), Started: at, Ended: at.Add(took), Result: app.RunResult{Source: string(id), State: state}}
				if err := s.Journal.AddRun(t.Context(), r, nil, nil); err != nil {
					t.Fatal(err)
				}
			}
			for id, state := range tt.rests {
				if err := s.Journal.AddRest(t.Context(), id, noon, state); err != nil {
					t.Fatal(err)
				}
			}
			for id, state := range tt.ran {
				run(id, noon.Add(time.Minute), time.Minute, state)
			}
			if tt.before > 0 {
				run("kassan", noon.Add(-time.Minute), time.Minute+tt.before, app.RunDone)
			}
			if tt.later != "" {
				run(tt.later, noon.Add(16*time.Minute), time.Minute, app.RunDone)
			}
			day, err := s.Day(t.Context(), app.DayRequest{Day: noon})
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(day, func(q app.Quarter) bool { return q.Start.Equal(noon) })
			if day[i].State != tt.want {
				t.Errorf("%s, want %s", day[i].State, tt.want)
			}
		})
	}
}

// While one source rests and another is due the quarter is not over: it is due.
func TestStrip_dueWhileAnotherRests(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.clock.set(time.Until(quarter(s.Now().Add(24 * time.Hour)).Add(time.Minute)))
	if err := s.Journal.AddRest(t.Context(), "lager", quarter(s.Now()), app.QuarterRest); err != nil {
		t.Fatal(err)
	}
	for _, q := range s.status().Today {
		if q.Start.Equal(quarter(s.Now())) && q.State != app.QuarterDue {
			t.Errorf("%s", q.State)
		}
	}
}

// What was stored at a denser pace is kept as far back as ever: whosever pace it
// was, and also once the pace is another.
func TestRetention_keepsWhatWasStoredOften(t *testing.T) {
	t.Parallel()
	k := app.Retention{Latest: 4, Daily: 7}
	for name, tt := range map[string]struct {
		every   time.Duration
		peak    bool
		changed bool // before retention is reckoned
		least   int
	}{
		"ordinary pace":               {0, false, false, 4},
		"every 5 minutes":             {app.PeakLength, false, false, 12},
		"every 5 minutes until now":   {app.PeakLength, false, true, 11},
		"a peak day":                  {0, true, false, 12},
		"a peak day, pace turned off": {0, true, true, 12},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFrontTest(t)
			w.schedule.offset = 0
			noon := time.Date(w.Now().Year(), w.Now().Month(), w.Now().Day()+1, 12, 0, 0, 0, time.Local)
			w.later(time.Until(noon))
			settings := w.Store.Document().Settings
			settings.Keep = k
			if err := w.SetSettings(t.Context(), settings); err != nil {
				t.Fatal(err)
			}
			if tt.peak {
				w.peakFrom(0)
			}
			w.arrange("Kassan", app.Schedule{Every: tt.every})
			for begin := w.Now(); w.Now().Sub(begin) < time.Hour; w.later(5 * time.Minute) {
				w.shop.set("kassan", w.Now().Format(time.RFC3339Nano))
				if w.Now().Sub(begin)%w.schedule.every(w.Now()) < time.Minute {
					w.quarterDue(t.Context(), quarter(w.Now()))
				}
			}
			made := len(w.runsOf("kassan"))
			if tt.changed {
				w.arrange("Kassan", app.Schedule{})
				set := w.Store.Document().Watch
				set.NoPeakPace = true
				if _, err := w.SetWatch(t.Context(), app.WatchRequest{Settings: set}); err != nil {
					t.Fatal(err)
				}
			}
			v, err := w.openVault(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.retention(t.Context(), v)
			if err != nil || got.Latest < tt.least || got.Daily != 7 || tt.least == 4 && got.Latest > 6 {
				t.Errorf("of %d backups the newest %d are kept, %v", made, got.Latest, err)
			}
		})
	}
}
