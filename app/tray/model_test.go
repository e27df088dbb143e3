package tray

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
)

func words(t *testing.T, lang string) *assets.Words {
	t.Helper()
	w, err := assets.NewWords(lang)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func clock(hour, minute int) time.Time {
	return time.Date(2026, 11, 19, hour, minute, 0, 0, time.Local)
}

// status is a shop that has been backed up at 14:30.
func status(v app.Verdict, change ...func(*app.Status)) app.Status {
	st := app.Status{Verdict: v, Vault: &app.VaultInfo{}, LastBackup: clock(14, 30), NextBackup: clock(14, 45)}
	for _, c := range change {
		c(&st)
	}
	return st
}

func working(k app.JobKind) func(*app.Status) {
	return func(st *app.Status) { st.Job = &app.Job{Kind: k, State: app.JobRunning} }
}

func pausedTo(until time.Time) func(*app.Status) {
	return func(st *app.Status) { st.PausedUntil = until }
}

func TestModel(t *testing.T) {
	none := func(st *app.Status) { st.Vault, st.LastBackup, st.NextBackup = nil, time.Time{}, time.Time{} }
	for _, tt := range []struct {
		name                       string
		st                         app.Status
		now                        time.Time
		icon                       assets.MarkState
		headline, last, next, busy string
		canBackUp, resume          bool
	}{
		{
			"safe", status(app.VerdictSafe), clock(14, 34), assets.MarkSafe,
			"Your shop is safe", "Last backup: today 14:30", "Next backup: today 14:45", "Back up now", true, false,
		},
		{
			"nothing is known yet",
			app.Status{},
			clock(14, 34), assets.MarkUnknown,
			"Kvart can't vouch for your shop yet", "No backup yet", "No backup is planned", "Back up now", false, false,
		},
		{
			"not set up", status(app.VerdictUnknown, none), clock(14, 34), assets.MarkUnknown,
			"Kvart can't vouch for your shop yet", "No backup yet", "No backup is planned", "Back up now", false, false,
		},
		{
			"a verdict of a newer guard", status("perfect"), clock(14, 34), assets.MarkUnknown,
			"Kvart can't vouch for your shop yet", "Last backup: today 14:30", "Next backup: today 14:45", "Back up now", true, false,
		},
		{
			"unproven is not shown as safe", status(app.VerdictUnproven), clock(14, 34), assets.MarkUnknown,
			"Backed up, but not proven yet", "Last backup: today 14:30", "Next backup: today 14:45", "Back up now", true, false,
		},
		{
			"late", status(app.VerdictLate), clock(14, 50), assets.MarkLate,
			"Your backups are late", "Last backup: today 14:30", "Next backup: any moment now", "Back up now", true, false,
		},
		{
			"failed", status(app.VerdictFailed), clock(14, 34), assets.MarkAlarm,
			"Your shop isn't being backed up", "Last backup: today 14:30", "Next backup: today 14:45", "Back up now", true, false,
		},
		{
			"suspicious", status(app.VerdictSuspicious), clock(14, 34), assets.MarkAlarm,
			"Something looks wrong", "Last backup: today 14:30", "Next backup: today 14:45", "Back up now", true, false,
		},
		{
			"backing up", status(app.VerdictSafe, working(app.JobBackup)), clock(14, 46), assets.MarkWorking,
			"Your shop is safe", "Last backup: today 14:30", "Next backup: any moment now", "Backing up…", false, false,
		},
		{
			"restoring", status(app.VerdictLate, working(app.JobRestore)), clock(14, 46), assets.MarkWorking,
			"Your backups are late", "Last backup: today 14:30", "Next backup: any moment now", "Restoring…", false, false,
		},
		{
			"work does not hide trouble", status(app.VerdictFailed, working(app.JobBackup)), clock(14, 46), assets.MarkAlarm,
			"Your shop isn't being backed up", "Last backup: today 14:30", "Next backup: any moment now", "Backing up…", false, false,
		},
		{
			"paused", status(app.VerdictSafe, pausedTo(clock(16, 0))), clock(15, 0), assets.MarkPaused,
			"Your shop is safe", "Last backup: today 14:30", "Paused until today 16:00", "Back up now", true, true,
		},
		{
			"paused until tomorrow", status(app.VerdictLate, pausedTo(clock(30, 0))), clock(23, 0), assets.MarkPaused,
			"Your backups are late", "Last backup: today 14:30", "Paused until tomorrow 06:00", "Back up now", true, true,
		},
		{
			"a pause does not hide trouble", status(app.VerdictFailed, pausedTo(clock(16, 0))), clock(15, 0), assets.MarkAlarm,
			"Your shop isn't being backed up", "Last backup: today 14:30", "Paused until today 16:00", "Back up now", true, true,
		},
		{
			"a pause that is over", status(app.VerdictSafe, pausedTo(clock(14, 40))), clock(14, 40), assets.MarkSafe,
			"Your shop is safe", "Last backup: today 14:30", "Next backup: today 14:45", "Back up now", true, false,
		},
		{
			"safe, but a quarter overdue", status(app.VerdictSafe), clock(15, 15), assets.MarkSafe,
			"Your shop is safe", "Last backup: today 14:30", "Next backup: any moment now", "Back up now", true, false,
		},
		{
			"safe, but nobody backs up any more", status(app.VerdictSafe), clock(15, 16), assets.MarkLate,
			"Your backups are late", "Last backup: today 14:30", "Next backup: any moment now", "Back up now", true, false,
		},
		{
			"the next morning", status(app.VerdictLate), clock(24+8, 0), assets.MarkLate,
			"Your backups are late", "Last backup: yesterday 14:30", "Next backup: any moment now", "Back up now", true, false,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := Model(tt.st, words(t, "en"), tt.now)
			if m.Icon != tt.icon {
				t.Errorf("icon %s, want %s", m.Icon, tt.icon)
			}
			for _, c := range []struct{ what, got, want string }{
				{"headline", m.Headline.Label, tt.headline},
				{"tooltip", m.Tooltip, "Kvart: " + tt.headline},
				{"last", m.Last.Label, tt.last},
				{"next", m.Next.Label, tt.next},
				{"backup", m.Backup.Label, tt.busy},
			} {
				if c.got != c.want {
					t.Errorf("%s %q, want %q", c.what, c.got, c.want)
				}
			}
			if m.Backup.Enabled != tt.canBackUp || m.Resume.Shown != tt.resume || m.PauseHour.Shown == tt.resume || m.PauseTomorrow.Shown == tt.resume {
				t.Errorf("menu %+v", m)
			}
			if m.Headline.Enabled || m.Last.Enabled || m.Next.Enabled {
				t.Error("a line that only tells can be clicked")
			}
			for _, i := range []Item{m.Wrong, m.Open, m.Quit} {
				if !i.Enabled || !i.Shown {
					t.Errorf("%q can't be clicked", i.Label)
				}
			}
		})
	}
}

func TestModel_everyTextExists(t *testing.T) {
	for _, lang := range assets.Languages() {
		w := words(t, lang)
		for _, v := range []app.Verdict{app.VerdictSafe, app.VerdictUnproven, app.VerdictLate, app.VerdictSuspicious, app.VerdictFailed, app.VerdictUnknown} {
			for _, k := range []app.JobKind{"", app.JobBackup, app.JobRestore, app.JobUndo, app.JobDrill, app.JobVerify, app.JobMaintain} {
				st := status(v, pausedTo(clock(16, 0)))
				if k != "" {
					working(k)(&st)
				}
				m := Model(st, w, clock(15, 0))
				for _, i := range []Item{m.Headline, m.Last, m.Next, m.Backup, m.Wrong, m.PauseHour, m.PauseTomorrow, m.Resume, m.Login, m.Open, m.Quit} {
					if i.Label == "" || strings.ContainsAny(i.Label+m.Tooltip, "⟦<") {
						t.Errorf("%s, %s, %s: %q", lang, v, k, i.Label)
					}
				}
			}
		}
	}
}

// TestModel_whatTheOwnerChoseAndWhatHappened: backups that wait by the owner's
// choice are neither safe nor late, and an incident is never hidden by a good
// verdict.
func TestModel_whatTheOwnerChoseAndWhatHappened(t *testing.T) {
	t.Parallel()
	rest := func(states ...app.SourceState) func(*app.Status) {
		return func(st *app.Status) {
			for _, s := range states {
				st.Sources = append(st.Sources, app.SourceStatus{Source: app.Source{Name: "Lager"}, State: s})
			}
		}
	}
	waits := func(st *app.Status) { st.Waiting = &app.Waiting{Cause: app.CauseBattery} }
	hacked := func(st *app.Status) { st.Incident = &app.IncidentBrief{} }
	practised := func(st *app.Status) { st.Incident = &app.IncidentBrief{Playbook: app.PlaybookRehearsal} }
	for name, tt := range map[string]struct {
		st       app.Status
		icon     assets.MarkState
		headline string
	}{
		"a source paused":        {status(app.VerdictLate, rest(app.SourceSafe, app.SourcePaused)), assets.MarkPaused, "Lager is paused"},
		"two paused":             {status(app.VerdictLate, rest(app.SourcePaused, app.SourcePaused)), assets.MarkPaused, "2 sources are paused"},
		"quiet hours":            {status(app.VerdictLate, rest(app.SourceSafe, app.SourceQuiet)), assets.MarkPaused, "Lager is left alone"},
		"paused, another late":   {status(app.VerdictLate, rest(app.SourceLate, app.SourcePaused)), assets.MarkLate, "Your backups are late"},
		"paused, another failed": {status(app.VerdictFailed, rest(app.SourceFailed, app.SourcePaused)), assets.MarkAlarm, "Your shop isn't being backed up"},
		"on battery":             {status(app.VerdictSafe, waits), assets.MarkPaused, "Backups wait while the computer runs on battery"},
		"on battery, failed":     {status(app.VerdictFailed, waits), assets.MarkAlarm, "Your shop isn't being backed up"},
		"incident, though safe":  {status(app.VerdictSafe, hacked), assets.MarkAlarm, "Something has happened to your shop"},
		"only practised":         {status(app.VerdictSafe, practised), assets.MarkSafe, "Your shop is safe"},
		"incident, working":      {status(app.VerdictSafe, hacked, working(app.JobRestore)), assets.MarkAlarm, "Something has happened to your shop"},
	} {
		m := Model(tt.st, words(t, "en"), clock(14, 34))
		if m.Icon != tt.icon || m.Headline.Label != tt.headline || m.Tooltip != "Kvart: "+tt.headline {
			t.Errorf("%s: %s %q", name, m.Icon, m.Headline.Label)
		}
		if sv := Model(tt.st, words(t, "sv"), clock(14, 34)).Headline.Label; strings.ContainsAny(sv, "⟦<") {
			t.Errorf("%s: %q", name, sv)
		}
	}
}

func TestTomorrow(t *testing.T) {
	for now, want := range map[time.Time]time.Time{
		clock(14, 30): clock(30, 0),
		clock(0, 30):  clock(6, 0),
		clock(6, 0):   clock(30, 0),
	} {
		if got := tomorrow(now); !got.Equal(want) {
			t.Errorf("at %v: %v, want %v", now, got, want)
		}
	}
}
