package safety

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func english(t *testing.T) *assets.Words {
	t.Helper()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestModelRule changes one fact at a time: its part no longer holds, the
// others do, and the whole rule is not met.
func TestModelRule(t *testing.T) {
	t.Parallel()
	w := english(t)
	if rows, met := modelRule(w, uitest.Sheltered(), uitest.Now()); !met || len(rows) != 5 {
		t.Fatalf("%+v", rows)
	}
	for name, tt := range map[string]struct {
		change func(*app.Status)
		broken int
	}{
		"copies":        {func(s *app.Status) { s.Rule.Copies = 2 }, 0},
		"media":         {func(s *app.Status) { s.Rule.Media = 1 }, 1},
		"off-site":      {func(s *app.Status) { s.Rule.OffSite = false }, 2},
		"lock":          {func(s *app.Status) { s.Rule.Immutable = false }, 3},
		"errors":        {func(s *app.Status) { s.Rule.Errors = 1 }, 4},
		"not proven":    {func(s *app.Status) { s.Rule.Proved = false }, 4},
		"errors proven": {func(s *app.Status) { s.Rule.Errors, s.Rule.Proved = 1, false }, 4},
	} {
		s := uitest.Sheltered()
		tt.change(&s)
		rows, met := modelRule(w, s, uitest.Now())
		if met {
			t.Errorf("%s: met", name)
		}
		for i, r := range rows {
			if ok := r.Tone == widgets.ToneGood && r.Todo == ""; ok == (i == tt.broken) {
				t.Errorf("%s: %+v", name, r)
			}
			if strings.Contains(r.Title+r.Text+r.Todo+r.Pill, "⟦") {
				t.Errorf("%s: no words in %+v", name, r)
			}
		}
	}
	s := uitest.Sheltered()
	s.Rule = nil
	rows, met := modelRule(w, s, uitest.Now())
	for _, r := range rows {
		if r.Tone == widgets.ToneGood || met {
			t.Errorf("what is not known holds: %+v", r)
		}
	}
}

func TestModelLock(t *testing.T) {
	t.Parallel()
	w := english(t)
	at := uitest.Now().Add(-time.Hour)
	for name, tt := range map[string]struct {
		mode  app.LockMode
		proof *app.LockProof
		pill  string
		tone  widgets.Tone
		can   bool
	}{
		"none":       {app.LockNone, nil, "No lock", widgets.ToneWarn, false},
		"untried":    {app.LockGovernance, nil, "Not tried", widgets.ToneWarn, true},
		"held":       {app.LockGovernance, &app.LockProof{At: at, State: app.LockHeld}, "Holds", widgets.ToneGood, true},
		"compliance": {app.LockCompliance, &app.LockProof{At: at, State: app.LockHeld}, "Holds", widgets.ToneGood, true},
		"lifted":     {app.LockGovernance, &app.LockProof{At: at, State: app.LockLifted}, "Can be lifted", widgets.ToneWarn, true},
		"open":       {app.LockGovernance, &app.LockProof{At: at, State: app.LockOpen}, "Doesn't hold", widgets.ToneDanger, true},
		"old":        {app.LockGovernance, &app.LockProof{At: at.Add(-app.LockProofAge), State: app.LockHeld}, "Tried too long ago", widgets.ToneWarn, true},
		"old open":   {app.LockGovernance, &app.LockProof{At: at.Add(-app.LockProofAge), State: app.LockOpen}, "Doesn't hold", widgets.ToneDanger, true},
	} {
		s := uitest.Sheltered()
		s.Vault.Lock.Mode, s.LockProof = tt.mode, tt.proof
		if v := modelLock(w, s, uitest.Now()); v.Pill != tt.pill || v.Tone != tt.tone || v.Can != tt.can || len(v.Lines) == 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

func TestModelCheck(t *testing.T) {
	t.Parallel()
	w := english(t)
	for name, tt := range map[string]struct {
		change  func(*app.Status)
		pill    string
		tone    widgets.Tone
		damaged string
	}{
		"all":          {func(*app.Status) {}, "All read", widgets.ToneGood, ""},
		"never":        {func(s *app.Status) { s.Check = nil }, "Not yet", widgets.ToneNeutral, ""},
		"part":         {func(s *app.Status) { s.Check.Unread = 1 }, "On its way", widgets.ToneNeutral, ""},
		"part by date": {func(s *app.Status) { s.Check.Oldest = time.Time{} }, "On its way", widgets.ToneNeutral, ""},
		"old":          {func(s *app.Status) { s.Check.Oldest = s.Now.AddDate(0, 0, -31) }, "Long ago", widgets.ToneWarn, ""},
		"damaged":      {func(s *app.Status) { s.Check.Damaged = []string{"p"} }, "Damage found", widgets.ToneDanger, "1 stored piece is damaged"},
		"known otherwise": {func(s *app.Status) {
			s.Problems = []app.Problemed{{Error: &app.Error{Code: app.CodeVaultDamaged}}}
		}, "Damage found", widgets.ToneDanger, "Some of what is stored is damaged"},
	} {
		s := uitest.Sheltered()
		tt.change(&s)
		if v, damaged := modelCheck(w, s, s.Now); v.Pill != tt.pill || v.Tone != tt.tone || damaged != tt.damaged {
			t.Errorf("%s: %+v, %q", name, v, damaged)
		}
	}
}

func TestForecast(t *testing.T) {
	t.Parallel()
	w := english(t)
	const day = 24 * time.Hour
	for left, want := range map[time.Duration]string{
		-day:      "Full any day now",
		3 * day:   "Full in about 3 days at this pace",
		21 * day:  "Full in about 3 weeks at this pace",
		151 * day: "Full in about 5 months at this pace",
		900 * day: "Full in about 2 years at this pace",
	} {
		if got, _ := forecast(w, left); got != want {
			t.Errorf("%v: %q, want %q", left, got, want)
		}
	}
}

func TestModelUse(t *testing.T) {
	t.Parallel()
	w := english(t)
	s := uitest.Sheltered()
	if v, share := modelUse(w, s, s.Now); share < 0.41 || share > 0.42 || len(v.Lines) != 4 || v.Pill == "" {
		t.Errorf("%+v, %v", v, share)
	}
	s.Use = &app.StorageUse{Bytes: 1000, Free: -1}
	if v, share := modelUse(w, s, s.Now); share != 0 || len(v.Lines) != 1 || v.Pill != "" {
		t.Errorf("what is not known is told: %+v, %v", v, share)
	}
	s.Use, s.Vault.Bytes = nil, -1
	if v, _ := modelUse(w, s, s.Now); v.Lines[0] != w.T("safety.use.unknown") {
		t.Errorf("%+v", v)
	}
}

func TestModelComputers(t *testing.T) {
	t.Parallel()
	rows := modelComputers(english(t), uitest.Computers(), "c1", uitest.Now())
	for i, want := range []string{"Replaced by Kassan", "Tidies up for all", "Silent for days"} {
		if rows[i].Pill != want {
			t.Errorf("%+v, want %q", rows[i], want)
		}
	}
	if rows[1].Name != "Kassan (this computer)" || rows[2].Name != "Kontoret" {
		t.Errorf("%q, %q", rows[1].Name, rows[2].Name)
	}
}

func TestModelResult(t *testing.T) {
	t.Parallel()
	w := english(t)
	for name, tt := range map[string]struct {
		j    app.Job
		want string
	}{
		"whole":   {app.Job{Repair: &app.RepairReport{}}, "Everything was read, and nothing was damaged."},
		"mended":  {app.Job{Repair: &app.RepairReport{Damaged: 3, Restored: 3}}, "3 of 3 damaged pieces came back whole from a copy."},
		"lost":    {app.Job{Repair: &app.RepairReport{Damaged: 1, Points: []app.PointID{"a"}}}, "0 of 1 damaged pieces came back whole from a copy.|1 earlier backup can't be restored in full just now."},
		"checked": {app.Job{Check: &app.CheckReport{Bytes: 5000}}, "5.0 kB read back, and all of it was whole."},
		"damage":  {app.Job{Check: &app.CheckReport{Bytes: 5000, Damaged: []string{"p"}}}, "1 stored piece is damaged"},
		"copied":  {app.Job{Copies: []app.CopyStatus{{Name: "A", State: app.CopyInStep, Last: &app.CopyReport{Sent: 1}}, {Name: "B", State: app.CopyFailed}}}, "A is in step. 1 B were sent."},
		"nothing": {app.Job{}, ""},
	} {
		if got := strings.ReplaceAll(strings.Join(modelResult(w, tt.j), "|"), "\u00a0", " "); got != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestPassLack(t *testing.T) {
	t.Parallel()
	for _, tt := range [][3]string{{"short", "short", "short"}, {"a long enough one", "a long enough two", "differ"}, {"a long enough one", "a long enough one", ""}} {
		if got := passLack(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%v: %q", tt, got)
		}
	}
}
