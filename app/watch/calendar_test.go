package watch

import (
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
)

func TestPeakDays(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	days := func(country string, own ...app.OwnDay) map[string]string {
		got, err := w.PeakDays(country, own, time.Date(2026, 1, 1, 0, 0, 0, 0, time.Local), time.Date(2027, 1, 1, 0, 0, 0, 0, time.Local))
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, p := range got {
			if name := p.Code + p.Name; out[name] == "" || p.From.Year() == 2026 {
				out[name] = p.From.Format(time.DateOnly) + " " + p.To.AddDate(0, 0, -1).Format(time.DateOnly)
			}
		}
		return out
	}
	for country, want := range map[string]map[string]string{
		"se": {
			"easter": "2026-03-30 2026-04-04", "mothers_day": "2026-05-28 2026-05-31", "fathers_day": "2026-11-05 2026-11-08", "midsummer": "2026-06-16 2026-06-19",
			"black_week": "2026-11-23 2026-11-30", "singles_day": "2026-11-11 2026-11-11", "christmas": "2026-12-10 2026-12-23", "sales": "2026-12-25 2026-12-31",
		},
		"no": {"mothers_day": "2026-02-05 2026-02-08"},
		"dk": {"mothers_day": "2026-05-07 2026-05-10", "fathers_day": "2026-06-03 2026-06-05"},
		"fi": {"midsummer": "2026-06-16 2026-06-19"},
	} {
		got := days(country)
		for name, span := range want {
			if got[name] != span {
				t.Errorf("%s: %s is %q, want %q", country, name, got[name], span)
			}
		}
	}
	got := days("se", app.OwnDay{Name: "Öppningen", From: "2026-05-02"}, app.OwnDay{Name: "Rea", From: "12-27", To: "01-06"})
	if got["Öppningen"] != "2026-05-02 2026-05-02" || got["Rea"] != "2026-12-27 2027-01-06" {
		t.Errorf("own days: %v", got)
	}
}

func TestCheckDays(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	for _, bad := range []app.OwnDay{{Name: "", From: "05-02"}, {Name: "x", From: "tomorrow"}, {Name: "x", From: "2026-05-02", To: "2026-05-01"}, {Name: "x", From: "02-01", To: "11-01"}} {
		if err := w.CheckDays("se", []app.OwnDay{bad}); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := w.CheckDays("atlantis", nil); app.AsError(err).Args["choices"] != "dk, fi, is, no, se" {
		t.Errorf("got %v", err)
	}
}

func TestWords_everyRuleAndDayHasOne(t *testing.T) {
	t.Parallel()
	rules, err := assets.PeakRules()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range assets.Languages() {
		words, err := assets.NewWords(l)
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for _, c := range app.UnusualCodes() {
			keys = append(keys, "unusual."+string(c))
		}
		for _, r := range rules {
			keys = append(keys, "peak."+r.Code)
		}
		for _, p := range []app.Proof{"none", app.ProofNever, app.ProofProven, app.ProofFailed, app.ProofOld, app.ProofChanged} {
			keys = append(keys, "proof."+string(p))
		}
		for _, cause := range []string{"unusual", "storefront", "expires", "solved", "again", "test"} {
			keys = append(keys, "notice."+cause+".title", "notice."+cause+".text")
		}
		for _, k := range keys {
			if !words.Has(k) {
				t.Errorf("%s: no text for %s", l, k)
			}
		}
	}
}
