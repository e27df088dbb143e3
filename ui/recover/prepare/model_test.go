package prepare

import (
	"image/color"
	"slices"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
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
	for _, p := range []app.Proof{app.ProofNone, app.ProofNever, app.ProofProven, app.ProofFailed, app.ProofOld, app.ProofChanged} {
		st := uitest.Safe()
		st.Sources[0].Proof = p
		r := modelDrills(w, st, []app.DrillResult{{Source: "Kassan", At: uitest.Now().Add(-time.Hour)}}, uitest.Now())[0]
		if r.State == "" || r.State[0] == '\xe2' || r.Last == "" || r.Last == w.T("recover.drills.never") {
			t.Errorf("%s: %+v", p, r)
		}
	}
}

func TestContacts_roles(t *testing.T) {
	t.Parallel()
	list := []app.Contact{{Role: "Maria", Phone: "1"}, {Role: "bank", Phone: "2"}, {Role: "bank", Name: "Giro"}}
	all := withRoles(list)
	if len(all) != len(assets.Roles())+2 || all[0].Role != "host" || all[len(all)-1].Role != "Maria" {
		t.Errorf("%+v", all)
	}
	if got := filled(append(all, app.Contact{Role: "  "}, app.Contact{Role: "x", Name: " "})); !slices.Equal(got, []app.Contact{list[1], list[2], list[0]}) {
		t.Errorf("%+v", got)
	}
}

func TestColorOf(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]color.NRGBA{
		"#1F4E79": {0x1F, 0x4E, 0x79, 255}, "": {0x0E, 0x6B, 0x58, 255}, "#": {0x0E, 0x6B, 0x58, 255}, "#12345": {0x0E, 0x6B, 0x58, 255}, "#zzzzzz": {0x0E, 0x6B, 0x58, 255},
	} {
		if got := colorOf(s); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
}
