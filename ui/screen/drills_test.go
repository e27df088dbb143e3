package screen

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

func TestTrend(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	run := func(ok bool, seconds float64) app.DrillResult { return app.DrillResult{OK: ok, Seconds: seconds} }
	for _, tt := range []struct {
		drills       []app.DrillResult
		words, times string
	}{
		{nil, "", ""},
		{[]app.DrillResult{run(true, 20)}, "", ""},
		{[]app.DrillResult{run(true, 20), run(true, 30)}, "10 s faster than the time before.", "The last ones: 20 s · 30 s"},
		{[]app.DrillResult{run(true, 90), run(false, 3), run(true, 30)}, "1 min 0 s slower than the time before.", "The last ones: 1 min 30 s · failed · 30 s"},
		{[]app.DrillResult{run(true, 20.4), run(true, 20)}, "As fast as the time before.", "The last ones: 20 s · 20 s"},
	} {
		if words, times := trend(w, tt.drills); words != tt.words || times != tt.times {
			t.Errorf("%v: %q, %q", tt.drills, words, times)
		}
	}
}

func TestModelDrills_everyProofHasWords(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	for _, p := range []app.Proof{app.ProofNone, app.ProofNever, app.ProofProven, app.ProofFailed, app.ProofOld, app.ProofChanged} {
		st := app.Status{Sources: []app.SourceStatus{{Source: app.Source{Name: "Kassan"}, Proof: p}}}
		r := ModelDrills(w, st, []app.DrillResult{{Source: "Kassan", At: now.Add(-time.Hour)}}, now)[0]
		if r.State == "" || r.State[0] == '\xe2' || r.Last == "" || r.Last == w.T("recover.drills.never") {
			t.Errorf("%s: %+v", p, r)
		}
	}
}

func TestModelDrills(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	st := app.Status{Sources: []app.SourceStatus{
		{Source: app.Source{ID: "k", Name: "Kassan"}, Point: &app.Point{}, Proof: app.ProofFailed},
		{Source: app.Source{ID: "l", Name: "Lager"}, Proof: app.ProofNone},
	}}
	rows := ModelDrills(w, st, []app.DrillResult{{Source: "k", At: now, Seconds: 4}, {Source: "Kassan", At: now.Add(-time.Hour), OK: true, Seconds: 9}}, now)
	if len(rows) != 2 || !rows[0].Can || rows[1].Can || rows[0].Tone != widgets.ToneDanger {
		t.Fatalf("%+v", rows)
	}
	// The newest one counts, whatever came before.
	if !strings.Contains(rows[0].Last, "4 s") || strings.Contains(rows[0].Last, "9 s") {
		t.Errorf("%q", rows[0].Last)
	}
}

// TestModelDrills_notes: what the last drill found wrong is told, and that one that
// went well restored nothing; what an earlier one found is past.
func TestModelDrills_notes(t *testing.T) {
	t.Parallel()
	rows := app.Check{Code: "rows", Detail: "3 tables, 12 rows; kvitto: 9 rows, 12 expected"}
	rows.See(app.RowsOff("kvitto", 9, 12))
	old := app.Check{Code: "files", Detail: "lager.db differs"}
	tried := func(where app.SeenCode) app.Check {
		return app.Check{Code: "rehearsed", OK: true, Detail: "noted", Seen: []app.Seen{{Code: where}}}
	}
	many := []app.Check{rows, old, rows, old, rows, old}
	for name, tt := range map[string]struct {
		checks []app.Check
		en, sv string
	}{
		"wrong": {
			[]app.Check{tried(app.SeenTriedBeside), rows, old},
			"The check “All the rows are there” failed. 3 rows are missing, in kvitto.|The check “All the files are there” failed. It isn't as in the backup.",
			"Kontrollen ”Alla rader finns på plats” blev underkänd. 3 rader saknas, i kvitto.|Kontrollen ”Alla filer finns på plats” blev underkänd. Det är inte som i säkerhetskopian.",
		},
		"only read": {
			[]app.Check{tried(app.SeenTriedReading), {Code: "rows", OK: true}},
			"There was no server to restore into, so the backup was read through and counted.",
			"Det fanns ingen server att återställa till, så säkerhetskopian lästes igenom och räknades.",
		},
		"restored": {[]app.Check{tried(app.SeenTriedHere)}, "", ""},
	} {
		for lang, want := range map[string]string{"en": tt.en, "sv": tt.sv} {
			w, err := assets.NewWords(lang)
			if err != nil {
				t.Fatal(err)
			}
			st := app.Status{Sources: []app.SourceStatus{{Source: app.Source{Name: "Kassan"}}}}
			got := ModelDrills(w, st, []app.DrillResult{{Source: "Kassan", Checks: tt.checks}, {Source: "Kassan", Checks: many}}, time.Now())[0]
			if text := strings.Join(got.Notes, "|"); text != want {
				t.Errorf("%s, %s: %q, want %q", name, lang, text, want)
			}
			got = ModelDrills(w, st, []app.DrillResult{{Source: "Kassan", Checks: many}}, time.Now())[0]
			if len(got.Notes) != shownNotes+1 || got.Notes[shownNotes] != w.N("checks.others", 2) {
				t.Errorf("%s: of many %q", lang, got.Notes)
			}
		}
	}
}

// TestHand: a key that is held down repeats, and one that is pressed once too
// often on the way comes soon after the page.
func TestHand(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	fired := 0
	h := NewHand(Env{Now: func() time.Time { return now }})
	strike := func(after time.Duration) {
		now = now.Add(after)
		h.Struck()
		h.Fire(func() { fired++ })
	}
	h.Appeared()
	strike(300 * time.Millisecond)
	for range 200 { // held down for six seconds
		strike(30 * time.Millisecond)
	}
	if fired != 0 {
		t.Fatalf("a key held down fired %d times", fired)
	}
	strike(2 * time.Second)
	if fired != 1 {
		t.Error("a stroke that is meant does nothing")
	}
	h.Appeared() // another page
	strike(900 * time.Millisecond)
	if fired != 1 {
		t.Error("it fires what nobody has seen")
	}
	strike(1100 * time.Millisecond)
	if fired != 2 {
		t.Error("it stays shut")
	}
}
