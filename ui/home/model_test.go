package home

import (
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

func TestModel_stagesAndMarks(t *testing.T) {
	t.Parallel()
	w := english(t)
	for name, want := range map[string]struct {
		stage stage
		mark  assets.MarkState
	}{
		"safe": {stageRunning, assets.MarkSafe}, "empty": {stageEmpty, assets.MarkUnknown}, "nosources": {stageNoSources, assets.MarkUnknown},
		"first": {stageFirst, assets.MarkUnknown}, "late": {stageRunning, assets.MarkLate}, "failed": {stageRunning, assets.MarkAlarm},
		"unproven": {stageRunning, assets.MarkLate}, "paused": {stageRunning, assets.MarkPaused}, "backup": {stageRunning, assets.MarkWorking},
	} {
		m := model(w, uitest.Statuses()[name], facts{}, uitest.Now())
		if m.Stage != want.stage || m.Mark.State != want.mark {
			t.Errorf("%s: %s with mark %s, want %+v", name, m.Stage, m.Mark.State, want)
		}
	}
}

func TestModel_markFillsTowardsTheNextBackup(t *testing.T) {
	t.Parallel()
	s := uitest.Safe()
	for left, want := range map[time.Duration]float64{15 * time.Minute: 0, 15*time.Minute - time.Second: 0, 5 * time.Minute: 2.0 / 3, 0: 1, -time.Hour: 1, time.Hour: 0} {
		s.NextBackup = uitest.Now().Add(left)
		if got := markOf(s, uitest.Now()).Fill; got < want-0.001 || got > want+0.001 {
			t.Errorf("%v left: filled %v, want %v", left, got, want)
		}
	}
}

// TestModel_neverSafeWithoutTheGuardSayingSo: whatever else a status holds, the
// safe headline comes from the verdict alone.
func TestModel_neverSafeWithoutTheGuardSayingSo(t *testing.T) {
	t.Parallel()
	w := english(t)
	for _, v := range []app.Verdict{app.VerdictUnproven, app.VerdictLate, app.VerdictSuspicious, app.VerdictFailed, app.VerdictUnknown} {
		s := uitest.Safe()
		s.Verdict = v
		m := model(w, s, facts{}, uitest.Now())
		if m.Headline == w.T("verdict.safe") || m.Mark.State == assets.MarkSafe {
			t.Errorf("%s looks safe", v)
		}
	}
}

func TestBackIn_isANumberOnlyWhenProven(t *testing.T) {
	t.Parallel()
	w := english(t)
	for name, tt := range map[string]struct {
		change func(*app.Status)
		want   string
		proven bool
	}{
		"proven":             {func(*app.Status) {}, "back in 27 s", true},
		"no drill":           {func(s *app.Status) { s.LastDrill = nil }, "not proven yet", false},
		"one changed since":  {func(s *app.Status) { s.Sources[1].Proof = app.ProofChanged }, "not proven yet", false},
		"one failed":         {func(s *app.Status) { s.Sources[2].Proof = app.ProofFailed }, "not proven yet", false},
		"one long ago":       {func(s *app.Status) { s.Sources[0].Proof = app.ProofOld }, "not proven yet", false},
		"one source without": {func(s *app.Status) { s.Sources[1].RestoreSeconds = 0 }, "not proven yet", false},
		"failed":             {func(s *app.Status) { s.LastDrill.OK = false }, "not proven yet", false},
		"too old":            {func(s *app.Status) { s.LastDrill.At = s.Now.AddDate(0, 0, -31) }, "not proven yet", false},
	} {
		s := uitest.Safe()
		tt.change(&s)
		f := backIn(w, s, s.Now)
		if f.Value != tt.want || (f.Button == "") != tt.proven {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestLoseAtMost(t *testing.T) {
	t.Parallel()
	w := english(t)
	for name, tt := range map[string]struct {
		last time.Time
		want string
		tone widgets.Tone
	}{
		"fresh":  {uitest.Now().Add(-4 * time.Minute), "4 minutes of work", widgets.ToneNeutral},
		"late":   {uitest.Now().Add(-49 * time.Minute), "49 minutes of work", widgets.ToneWarn},
		"never":  {time.Time{}, "everything", widgets.ToneDanger},
		"future": {uitest.Now().Add(time.Hour), "not known", widgets.ToneWarn},
	} {
		s := uitest.Safe()
		s.LastBackup = tt.last
		if f := loseAtMost(w, s, s.Now); f.Value != tt.want || f.Tone != tt.tone {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestUnprotected(t *testing.T) {
	t.Parallel()
	w := english(t)
	for _, tt := range []struct {
		offSite, locked bool
		want            string
	}{{false, false, "fire and hackers"}, {false, true, "fire and theft"}, {true, false, "deletion"}, {true, true, "nothing we know of"}} {
		s := uitest.Safe()
		s.Vault.OffSite = tt.offSite
		if tt.locked {
			s.LockProof = &app.LockProof{At: s.Now, State: app.LockHeld}
		}
		if f := unprotected(w, s); f.Value != tt.want {
			t.Errorf("%+v: %q", tt, f.Value)
		}
	}
}

func TestModel_countsQuarters(t *testing.T) {
	t.Parallel()
	m := model(english(t), uitest.Safe(), facts{}, uitest.Now())
	if len(m.Strip) != 96 || m.StripSum != "51 of 53 on time" {
		t.Errorf("%d bars, %q", len(m.Strip), m.StripSum)
	}
	if m.Strip[12].Hour != "03" || m.Strip[13].Hour != "" {
		t.Errorf("hours are %q, %q", m.Strip[12].Hour, m.Strip[13].Hour)
	}
}

// TestModel_rehearsalIsNoAlarm: while a bad day is practised the shop is as safe
// as it is.
func TestModel_rehearsalIsNoAlarm(t *testing.T) {
	t.Parallel()
	w := english(t)
	for code, want := range map[app.PlaybookCode]state{app.PlaybookRehearsal: stateSafe, app.PlaybookHacked: stateIncident} {
		s := uitest.Safe()
		s.Incident = &app.IncidentBrief{Playbook: code}
		m := model(w, s, facts{}, uitest.Now())
		if m.State != want || (m.Mark.State == assets.MarkAlarm) != (want == stateIncident) {
			t.Errorf("%s: %s with mark %s", code, m.State, m.Mark.State)
		}
	}
}
