package safety

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

func swedish(t *testing.T) *assets.Words {
	t.Helper()
	w, err := assets.NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestModelReady(t *testing.T) {
	t.Parallel()
	w := swedish(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	midnight := time.Date(2026, 11, 24, 0, 0, 0, 0, time.Local)
	peak := &app.PeakDay{Code: "black_week", From: midnight, To: midnight.AddDate(0, 0, 8)}
	v := modelReady(w, app.Readiness{Peak: peak, Days: 2, State: app.ReadyNo, Items: []app.ReadyItem{
		{Code: app.ReadyKit, State: app.ReadyYes, Fact: app.ReadyFact{Code: "kit_good", Count: 2, Time: now}},
		{Code: app.ReadyCopy, State: app.ReadyNo, Fact: app.ReadyFact{Code: "copy_none"}, Do: app.DoAddCopy},
		{Code: app.ReadyFront, State: app.ReadyUnknown, Fact: app.ReadyFact{Code: "front_unknown"}, Do: app.DoLook, Error: &app.Error{Code: app.CodeStorefrontUnsure}},
		{Code: app.ReadyDomain, State: app.ReadyNo, Fact: app.ReadyFact{Code: "domain_short", Time: now}, Do: app.DoDomain},
		{Code: app.ReadyCapacity, State: app.ReadyNeedless, Fact: app.ReadyFact{Code: "capacity_never"}, Do: app.DoProve},
		{Code: app.ReadyPlatform, State: app.ReadyUnknown, Fact: app.ReadyFact{Code: "platform_ask", Name: "Shopify"}, Do: app.DoAsk, Asks: []string{"visitors"}},
		{Code: "newer", State: app.ReadyUnknown, Fact: app.ReadyFact{Code: "newer_still"}, Do: "new"},
	}}, now)
	if !strings.Contains(v.Next, "Black Week börjar om 2 dagar: tisdag 24 november till tisdag 1 december") || v.Good != 1 || v.Tone != widgets.ToneWarn {
		t.Errorf("%q, %d good, %s", v.Next, v.Good, v.Tone)
	}
	for i, want := range []struct {
		open, button bool
		tone         widgets.Tone
	}{
		{false, false, widgets.ToneGood},
		{true, true, widgets.ToneWarn},
		{true, true, widgets.ToneNeutral},
		{true, false, widgets.ToneWarn}, // renewed elsewhere
		{false, true, widgets.ToneNeutral},
		{true, true, widgets.ToneNeutral},
		{true, false, widgets.ToneNeutral}, // of a newer guard: said, without a button
	} {
		r := v.Rows[i]
		if r.Open != want.open || (r.Button != "") != want.button || r.Tone != want.tone || r.Title == "" || r.Text == "" {
			t.Errorf("row %d is %+v", i, r)
		}
	}
	if v.Rows[2].Wrong == "" || v.Rows[3].Outside == "" || len(v.Rows[5].Asks) != 1 {
		t.Errorf("%+v", v.Rows)
	}
	for name, r := range map[string]app.Readiness{
		"pågår nu, till och med":    {Peak: &app.PeakDay{Name: "Marknaden", From: now.Add(-time.Hour), To: now.Add(40 * time.Hour)}},
		"börjar i morgon":           {Peak: &app.PeakDay{Name: "Marknaden", From: now.Add(time.Hour), To: now.Add(25 * time.Hour)}},
		"Ingen toppdag kommer inom": {},
	} {
		if got := modelReady(w, r, now).Next; !strings.Contains(got, name) {
			t.Errorf("%q lacks %q", got, name)
		}
	}
}

func TestOwnDay_parse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   ownDay
		want app.OwnDay
		lack string
	}{
		{ownDay{" Marknad ", "2027-05-02", "", false}, app.OwnDay{Name: "Marknad", From: "2027-05-02"}, ""},
		{ownDay{"Marknad", "2027-05-02", "2027-05-04", false}, app.OwnDay{Name: "Marknad", From: "2027-05-02", To: "2027-05-04"}, ""},
		{ownDay{"Marknad", "2027-05-02", "2027-05-04", true}, app.OwnDay{Name: "Marknad", From: "05-02", To: "05-04"}, ""},
		{ownDay{"Marknad", "05-02", "", false}, app.OwnDay{Name: "Marknad", From: "05-02"}, ""},
		{ownDay{"", "2027-05-02", "", false}, app.OwnDay{}, "peaks.own.lack.name"},
		{ownDay{"Marknad", "2027-02-30", "", false}, app.OwnDay{}, "peaks.own.lack.from"},
		{ownDay{"Marknad", "2 maj", "", false}, app.OwnDay{}, "peaks.own.lack.from"},
		{ownDay{"Marknad", "2027-05-02", "05-04", false}, app.OwnDay{}, "peaks.own.lack.to"},
		{ownDay{"Marknad", "2027-05-02", "x", false}, app.OwnDay{}, "peaks.own.lack.to"},
		{ownDay{"Marknad", "2027-05-02", "2027-05-01", false}, app.OwnDay{}, "peaks.own.lack.order"},
	} {
		got, lack := tt.in.parse()
		if lack != tt.lack || lack == "" && got != tt.want {
			t.Errorf("%+v: %+v, %q", tt.in, got, lack)
		}
	}
}

func TestParseCeiling(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{"": app.CapacityUsual, " 90 ": 90, "1": 1, "3000": 3000, "0": -1, "3001": -1, "-4": -1, "many": -1, "2.5": -1} {
		if n, ok := parseCeiling(in); ok != (want > 0) || ok && n != want {
			t.Errorf("%q: %d, %v", in, n, ok)
		}
	}
}

func TestModelCapacity(t *testing.T) {
	t.Parallel()
	w := swedish(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	steps := []app.CapacityStep{{Visitors: 20, Asked: 20, Errors: 2, Median: 300, P95: 1900}}
	for want, r := range map[string]app.CapacityResult{
		"Vid 90 besökare i minuten väntade mer än 5 av 100": {Slow: 90, Stood: 68, End: app.CapacityEndSlow},
		"Fler skickades inte":         {Stood: 600, End: app.CapacityEndCeiling},
		"68 besökare i minuten":       {Stood: 68, End: app.CapacityEndTime},
		"möttes några av fel":         {End: app.CapacityEndErrors, Steps: steps},
		w.T("capacity.told_nothing"):  {End: app.CapacityEndCanceled},
		w.T("peaks.capacity.running"): {Steps: steps}, // still at it
	} {
		r.Started = now
		if v := modelCapacity(w, r, now); !strings.Contains(v.Result, want) || len(v.Steps) != len(r.Steps) || (v.End == "") != (r.End == "") {
			t.Errorf("%+v: %+v lacks %q", r, v, want)
		}
	}
}

func TestCountries(t *testing.T) {
	t.Parallel()
	w := swedish(t)
	for _, c := range countries() {
		if !w.Has("peaks.country." + c) {
			t.Errorf("%s has no name", c)
		}
	}
	if len(countries()) < 5 {
		t.Errorf("only %v", countries())
	}
}

// TestModelUse_peak: what the peak days are expected to add is told, and that
// there is too little room for it goes before how long the room lasts.
func TestModelUse_peak(t *testing.T) {
	t.Parallel()
	w := swedish(t)
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.Local)
	s := app.Status{Vault: &app.VaultInfo{}, Use: &app.StorageUse{Bytes: 4e9, Free: 1e9, PerDay: 1e6, FullAt: now.AddDate(2, 0, 0)}}
	for _, basis := range []app.ForecastBasis{app.BasisLastYear, app.BasisTrend} {
		s.Use.Peak = &app.PeakForecast{Basis: basis, Until: now.AddDate(0, 0, 9), Bytes: 5e8, Free: 1e9}
		v, _ := modelUse(w, s, now)
		if last := v.Lines[len(v.Lines)-1]; !strings.Contains(last, "500") || v.Tone != widgets.ToneNeutral {
			t.Errorf("%s: %+v", basis, v)
		}
		s.Use.Peak.Bytes = 2e9
		if v, _ := modelUse(w, s, now); v.Tone != widgets.ToneWarn || v.Pill != w.T("peaks.use.little") {
			t.Errorf("%s: %+v", basis, v)
		}
		s.Use.Peak.Free = -1 // a storage that does not tell
		if v, _ := modelUse(w, s, now); v.Tone == widgets.ToneWarn {
			t.Errorf("%s: %+v", basis, v)
		}
	}
}
