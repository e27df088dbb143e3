package assets

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
)

func TestReadyWords_ofEverything(t *testing.T) {
	t.Parallel()
	var keys []string
	for _, c := range app.ReadyCodes() {
		keys = append(keys, "ready.item."+string(c))
	}
	for _, d := range app.ReadyDos() {
		keys = append(keys, "ready.do."+string(d))
	}
	for _, s := range []app.ReadyState{app.ReadyYes, app.ReadyNo, app.ReadyUnknown, app.ReadyNeedless} {
		keys = append(keys, "ready.state."+string(s))
	}
	for _, e := range app.CapacityEnds() {
		keys = append(keys, "capacity.end."+string(e))
	}
	keys = append(keys, "tray.busy."+string(app.JobCapacity), "step."+string(app.StepCapacity))
	for _, l := range Languages() {
		w, err := NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if !w.Has(k) {
				t.Errorf("%s: no text for %s", l, k)
			}
			checkSentence(t, l+": "+k, strings.TrimSuffix(w.T(k), "…"), false)
		}
		for _, a := range app.ReadyAsks() {
			if text := w.T("ready.ask." + a); !strings.HasSuffix(text, "?") {
				t.Errorf("%s: %s is no question: %q", l, a, text)
			}
		}
	}
}

func TestReadyWords_filledIn(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 19, 12, 0, 0, 0, time.Local)
	for _, tt := range []struct {
		lang, want string
		fact       app.ReadyFact
	}{
		{"en", "1.8 GB more is expected until Monday 30 November 00:00, and there is room for 400 GB", app.ReadyFact{Code: "room_enough", Bytes: 1.8e9, Room: 400e9, Time: time.Date(2026, 11, 30, 0, 0, 0, 0, time.Local)}},
		{"sv", "Butiken blev för långsam vid 345 besökare i minuten i går 09:00", app.ReadyFact{Code: "capacity_slow", Count: 345, Time: now.Add(-27 * time.Hour)}},
		{"sv", "Bara mellan 01:00 och 06:00 under toppdagarna", app.ReadyFact{Code: "upkeep_hours", From: 1, To: 6}},
		{"en", "kopp.se answered in 412 ms", app.ReadyFact{Code: "front_up", Name: "kopp.se", Millis: 412}},
		{"en", "kopp.se answered in 412 ms; this month it has taken 380 ms on average", app.ReadyFact{Code: "front_up", Name: "kopp.se", Millis: 412, UsualMillis: 380}},
		{"en", "of_a_newer_guard", app.ReadyFact{Code: "of_a_newer_guard"}},
	} {
		w, err := NewWords(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		_, got, _ := ReadyWords(w, app.ReadyItem{Code: app.ReadyRoom, Fact: tt.fact}, now)
		if got = strings.ReplaceAll(got, "\u00a0", " "); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
	w, err := NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	if title, _, do := ReadyWords(w, app.ReadyItem{Code: "newer", Do: "newer"}, now); title != "newer" || do != "" {
		t.Errorf("%q, %q", title, do)
	}
}

// A moment among an error's values is for the owner, not for a program.
func TestErrorWords_moments(t *testing.T) {
	t.Parallel()
	w, err := NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 19, 14, 30, 0, 0, time.Local)
	for _, code := range []app.Code{app.CodePointPassed, app.CodePointMarked, app.CodeVaultHidden} {
		_, meaning, _ := ErrorWords(w, (&app.Error{Code: code}).With("at", at.Format(time.RFC3339Nano)))
		if !strings.Contains(meaning, "torsdag 19 november 14:30") {
			t.Errorf("%s: %s", code, meaning)
		}
	}
}
