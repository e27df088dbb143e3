package agent

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// pass lets time go by in minutes, as the guard looks once a minute, and backs
// up each quarter what is due.
func (w *watchTest) pass(d, step time.Duration) {
	w.t.Helper()
	for end := w.Now().Add(d); w.Now().Before(end); {
		w.quarterDue(w.t.Context(), quarter(w.Now()))
		w.tellOwner(w.t.Context())
		if err := w.deliver(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
		w.later(step)
	}
}

// Pausing a source that can't be backed up used to be told as "solved".
func TestPause_ofAFailingSourceSolvesNothing(t *testing.T) {
	t.Parallel()
	for name, sch := range map[string]app.Schedule{"open": {Paused: true}, "for an hour": {PausedUntil: time.Now().Add(72 * time.Hour)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAlertTest(t)
			w.shop.failCapture = app.Errorf(app.CodeSourceMissing, "capture", "gone")
			w.pass(2*time.Minute, time.Minute)
			w.backup("Lager")
			w.pass(2*time.Minute, time.Minute)
			w.wantTold("raised failed")
			w.shop.failCapture = nil
			w.backup("Kassan")
			w.arrange("Lager", sch)
			w.pass(10*time.Minute, time.Minute)
			w.wantTold("raised failed")
			w.crash()
			w.pass(10*time.Minute, time.Minute)
			w.wantTold("raised failed")
			if slices.Contains(w.notices.log, "-failed") {
				t.Errorf("shown %v", w.notices.log)
			}
			w.backup("Lager") // by name, and it goes well: that solves it
			w.pass(10*time.Minute, time.Minute)
			w.wantTold("raised failed, solved failed")
		})
	}
}

// Nor does pausing what is late already, be it one source or all of them.
func TestPause_ofWhatIsLateSolvesNothing(t *testing.T) {
	t.Parallel()
	for name, pause := range map[string]func(w *watchTest){
		"a source": func(w *watchTest) { w.arrange("Lager", app.Schedule{Paused: true}) },
		"everything": func(w *watchTest) {
			if err := w.Pause(w.t.Context(), w.Now().Add(5*time.Hour)); err != nil {
				w.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAlertTest(t)
			w.later(50 * time.Minute)
			w.tellOwner(t.Context())
			if err := w.deliver(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.wantTold("raised late")
			pause(w)
			w.backup("Kassan")
			for range 20 {
				w.tellOwner(t.Context())
				if err := w.deliver(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.later(time.Minute)
			}
			w.wantTold("raised late")
			if st := w.status(); name == "everything" && st.Sources[1].State != app.SourceLate {
				t.Errorf("late before the pause, and now %s", st.Sources[1].State)
			}
		})
	}
}

// A pause that lasts is told of after a day, and once a day from then on; nobody
// hears that all is well meanwhile.
func TestPause_thatLastsIsToldOfEachDay(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{
		Settings: app.WatchSettings{Channels: w.Store.Document().Watch.Channels},
		Secrets:  app.Secrets{app.HeartbeatKey: app.NewSecret("https://hc.example.com/hemlig")},
	}); err != nil {
		t.Fatal(err)
	}
	w.arrange("Lager", app.Schedule{Paused: true})
	w.pass(23*time.Hour, time.Hour)
	w.wantTold("")
	beats := w.lamp.beats
	if beats == 0 {
		t.Error("a pause of some hours silences the heartbeat")
	}
	w.pass(2*time.Hour, time.Hour)
	w.wantTold("raised paused.lager")
	beats = w.lamp.beats
	w.pass(74*time.Hour, 2*time.Hour)
	w.wantTold("raised paused.lager, again paused.lager, again paused.lager, again paused.lager")
	if w.lamp.beats != beats {
		t.Error("a heartbeat although a source has been paused for days")
	}
	shown := strings.Count(strings.Join(w.notices.log, " "), "+paused.lager")
	if shown < 4 {
		t.Errorf("shown %d times", shown)
	}
	if st := w.status(); st.Verdict == app.VerdictSafe {
		t.Errorf("verdict %s", st.Verdict)
	}
	w.arrange("Lager", app.Schedule{})
	w.pass(12*time.Minute, time.Minute)
	if !strings.Contains(w.lamp.told(), "solved paused.lager") {
		t.Errorf("taken up again: %s", w.lamp.told())
	}
	if w.lamp.beats == beats {
		t.Error("no heartbeat after the source was taken up again")
	}
}

// A pause of everything that lasts is told of as well.
func TestPause_ofEverythingIsToldOf(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	if err := w.Pause(t.Context(), w.Now().Add(app.LongestPause)); err != nil {
		t.Fatal(err)
	}
	w.pass(50*time.Hour, 2*time.Hour)
	w.wantTold("raised paused, again paused")
	st := w.status()
	for _, s := range st.Sources {
		if s.State != app.SourcePaused || s.Error != nil {
			t.Errorf("%s is %s, %v: it is paused, not late", s.Source.Name, s.State, s.Error)
		}
	}
	if st.Verdict != app.VerdictLate || len(st.Problems) != 0 {
		t.Errorf("verdict %s, problems %+v", st.Verdict, st.Problems)
	}
	w.later(6 * 24 * time.Hour) // it is over, and nothing was backed up since
	if st := w.status(); st.Sources[0].State != app.SourceLate {
		t.Errorf("after it: %s", st.Sources[0].State)
	}
}

func TestArrange_pauseHasAnEnd(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	for until, ok := range map[time.Duration]bool{time.Hour: true, app.LongestPause - time.Minute: true, app.LongestPause + time.Minute: false, 400 * 24 * time.Hour: false} {
		sch := app.Schedule{PausedUntil: s.Now().Add(until)}
		if _, err := s.ArrangeSource(t.Context(), app.ArrangeRequest{Source: "Lager", Schedule: &sch}); (err == nil) != ok || !ok && app.CodeOf(err) != app.CodeUsage {
			t.Errorf("for %s: %v", until, err)
		}
	}
}

// A drill that failed stands until one passes, whatever settings are changed.
func TestNotices_aChangeOfSettingsProvesNothing(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "rotten")
	s.backup()
	s.job(s.StartDrill(t.Context(), []string{"Kassan"}))
	if got := s.told(); !slices.Contains(got, "+drill") {
		t.Fatalf("told %v", got)
	}
	s.clock.set(time.Minute)
	s.noteChange(t.Context(), "kassan")
	if got := s.told(); slices.Contains(got, "-drill") {
		t.Error("changed settings take it away")
	}
	s.shop.set("kassan", "k2")
	s.backup()
	s.clock.set(2 * time.Minute)
	s.job(s.StartDrill(t.Context(), []string{"Kassan"}))
	if got := s.told(); !slices.Contains(got, "-drill") {
		t.Errorf("it passes again: told %v", got)
	}
}

// A source that was never backed up keeps no pace.
func TestReady_paceOfWhatWasNeverBackedUpIsNotKnown(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	pace := func() app.ReadyState {
		t.Helper()
		r, err := w.Readiness(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return r.Item(app.ReadyPace).State
	}
	if got := pace(); got != app.ReadyYes {
		t.Errorf("with everything backed up: %s", got)
	}
	w.shop.set("ny", "n1")
	if _, err := w.AddSource(t.Context(), app.AddSourceRequest{Kind: "fake", Name: "Ny", Settings: map[string]string{"path": "ny"}}); err != nil {
		t.Fatal(err)
	}
	if got := pace(); got != app.ReadyUnknown {
		t.Errorf("with a new source: %s", got)
	}
}
