package home

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

// TestModel_everyStateHasItsWordsAndOneButton walks every state Home can be in.
func TestModel_everyStateHasItsWordsAndOneButton(t *testing.T) {
	t.Parallel()
	draft := facts{Draft: true}
	all, more := uitest.Statuses(), uitest.HomeStates()
	failing := uitest.Failed()
	failing.Problems = []app.Problemed{{Source: "Lager", Error: &app.Error{Code: app.CodeSourceMissing}}}
	failingPaused := failing
	failingPaused.PausedUntil = uitest.Now().Add(time.Hour)
	safeHacked := more["incident"]
	until := uitest.SourcePaused()
	until.Sources[1].Source.Schedule = app.Schedule{PausedUntil: uitest.Now().Add(2 * time.Hour), PausedFrom: uitest.Now().Add(-time.Hour)}
	two := uitest.SourcePaused()
	two.Sources[0].State, two.Sources[0].Source.Schedule.Paused = app.SourcePaused, true
	long, lateBefore := uitest.Paused(), uitest.Paused()
	long.Verdict, lateBefore.Verdict = app.VerdictLate, app.VerdictLate
	for i := range long.Sources {
		long.Sources[i].State = app.SourcePaused
	}
	lateBefore.Sources[0].State = app.SourceLate
	lateToo := uitest.SourcePaused()
	lateToo.Sources[0].State = app.SourceLate
	for name, tt := range map[string]struct {
		st      app.Status
		more    facts
		state   state
		head    string
		primary string
		act     act
	}{
		"empty":                 {all["empty"], facts{}, stateEmpty, "Your shop isn't protected yet", "Set up Kvart", actSetup},
		"empty, begun":          {all["empty"], draft, stateGoOn, "The setup isn't finished", "Go on with the setup", actSetup},
		"no sources":            {all["nosources"], facts{}, stateNoSources, "Nothing is protected yet", "Choose what to protect", actSetup},
		"no sources, begun":     {all["nosources"], draft, stateGoOn, "The setup isn't finished", "Go on with the setup", actSetup},
		"first day":             {all["first"], facts{}, stateFirst, "The first backup isn't done yet", "Back up now", actBackUp},
		"safe":                  {all["safe"], facts{}, stateSafe, "Your shop is safe", "Back up now", actBackUp},
		"safe, setup begun":     {all["safe"], draft, stateSafe, "Your shop is safe", "Back up now", actBackUp},
		"backing up":            {all["backup"], facts{}, stateSafe, "Your shop is safe", "", actBackUp},
		"late":                  {all["late"], facts{}, stateLate, "Your backups are late", "Back up now", actBackUp},
		"failed":                {failing, facts{}, stateFailed, "Your shop isn't being backed up", "Look at the sources", actRemedy},
		"failed and paused":     {failingPaused, facts{}, stateFailed, "Your shop isn't being backed up", "Look at the sources", actRemedy},
		"disk gone":             {all["failed"], facts{}, stateStorage, "Kvart can't reach your storage", "Try again", actRemedy},
		"storage offline":       {more["offline"], facts{}, stateStorage, "Kvart can't reach your storage", "Try again", actRemedy},
		"suspicious":            {more["suspicious"], facts{}, stateSuspicious, "Something looks wrong", "See what changed", actLook},
		"paused":                {all["paused"], facts{}, statePaused, "Backups are paused", "Resume backups", actResume},
		"paused for long":       {long, facts{}, statePaused, "Backups are paused", "Resume backups", actResume},
		"late, then paused":     {lateBefore, facts{}, statePaused, "Your backups are late", "Resume backups", actResume},
		"on battery":            {more["waiting"], facts{}, stateWaiting, "Backups wait while the computer runs on battery", "Back up now", actBackUp},
		"a source paused":       {more["source"], facts{}, stateSource, "Lager is paused", "Resume", actTakeUp},
		"a source, until":       {until, facts{}, stateSource, "Lager is paused", "Resume", actTakeUp},
		"two sources paused":    {two, facts{}, stateSource, "2 sources are paused", "Resume", actTakeUp},
		"paused and late":       {lateToo, facts{}, stateLate, "Your backups are late", "Look at the sources", actRemedy},
		"quiet hours":           {more["quiet"], facts{}, stateQuiet, "Lager is left alone", "Back up now", actBackUp},
		"shown as it was":       {all["past"], facts{}, statePast, "Your backups, as they were yesterday 12:34", "Restore my shop", actRecover},
		"incident, though safe": {safeHacked, facts{}, stateIncident, "Something has happened to your shop", "", actNone},
		"no kit":                {all["kitless"], facts{}, stateKit, "One step left: your recovery kit", "Make the kit", actKit},
		"not proven":            {all["unproven"], facts{}, stateUnproven, "Backed up, but not proven yet", "Back up now", actBackUp},
		"clock":                 {more["unknown"], facts{}, stateUnknown, "Kvart can't vouch for your shop yet", "Back up now", actBackUp},
		"damaged":               {all["damaged"], facts{}, stateFailed, "Your shop isn't being backed up", "Look at Safety", actRemedy},
		"replaced":              {all["replaced"], facts{}, stateLate, "Your backups are late", "Use this computer", actRemedy},
		"password missing":      {all["secret"], facts{}, stateLate, "Your backups are late", "Enter the password", actRemedy},
	} {
		m := model(english(t), tt.st, tt.more, uitest.Now())
		if m.State != tt.state || m.Headline != tt.head || m.Primary != tt.primary || m.Act != tt.act {
			t.Errorf("%s: %s %q, %q does %q", name, m.State, m.Headline, m.Primary, m.Act)
		}
		safe := tt.state == stateSafe
		if got := m.Mark.State == assets.MarkSafe || m.Mark.State == assets.MarkWorking; got != safe {
			t.Errorf("%s: mark %s", name, m.Mark.State)
		}
		if m.Resume != (name == "failed and paused") {
			t.Errorf("%s: resume beside is %t", name, m.Resume)
		}
		if m.GoOn != (name == "safe, setup begun") {
			t.Errorf("%s: going on beside is %t", name, m.GoOn)
		}
		sv, err := assets.NewWords("sv")
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []*assets.Words{english(t), sv} {
			m := model(w, tt.st, tt.more, uitest.Now())
			for _, text := range []string{m.Headline, m.Sentence, m.Primary} {
				if strings.ContainsAny(text, "⟦<{") || m.Sentence == "" || m.Headline == "" {
					t.Errorf("%s in %s reads %q", name, w.Language(), text)
				}
			}
		}
	}
}

// TestModel_whatTheHeadlineSaysIsNotSaidAgain: a source that is paused needs no
// card beside the headline, but does beside another trouble.
func TestModel_whatTheHeadlineSaysIsNotSaidAgain(t *testing.T) {
	t.Parallel()
	if m := model(english(t), uitest.SourcePaused(), facts{}, uitest.Now()); len(m.Problems) != 0 {
		t.Errorf("%+v", m.Problems)
	}
	if m := model(english(t), uitest.OnBattery(), facts{}, uitest.Now()); len(m.Notes) != 0 {
		t.Errorf("%+v", m.Notes)
	}
	s := uitest.SourcePaused()
	s.Sources[0].State = app.SourceLate
	if m := model(english(t), s, facts{}, uitest.Now()); len(m.Problems) != 1 || m.Problems[0].Title != "Lager is paused" {
		t.Errorf("%+v", m.Problems)
	}
}

func TestMarkOf_fillsByThePaceOfNow(t *testing.T) {
	t.Parallel()
	s := uitest.Safe()
	s.NextBackup = uitest.Now().Add(2*time.Minute + 30*time.Second)
	for pace, want := range map[time.Duration]float64{app.PeakLength: 0.5, 0: 1 - 2.5/15, app.QuarterLength: 1 - 2.5/15} {
		s.Pace = pace
		if got := markOf(s, uitest.Now()).Fill; got < want-0.001 || got > want+0.001 {
			t.Errorf("at a pace of %v it is filled %v, want %v", pace, got, want)
		}
	}
}

func TestNextPeak(t *testing.T) {
	t.Parallel()
	w := english(t)
	ready, half := uitest.ReadyList(), uitest.ReadyList()
	ready.State = app.ReadyYes
	far := uitest.ReadyList()
	far.Soon = false
	for name, tt := range map[string]struct {
		from        time.Time
		r           *app.Readiness
		value, note string
		tone        widgets.Tone
		button      string
	}{
		"ready":     {uitest.Now().AddDate(0, 0, 5), &ready, "in 5 days: Black Week", "Ready", widgets.ToneNeutral, ""},
		"not ready": {uitest.Now().AddDate(0, 0, 1), &half, "tomorrow: Black Week", "3 of 11 checks are left before the shop is ready.", widgets.ToneWarn, "Get ready"},
		"far off":   {uitest.Now().AddDate(0, 0, 60), &far, "in 60 days: Black Week", "3 of 11 checks are left before the shop is ready.", widgets.ToneNeutral, ""},
		"on":        {uitest.Now().Add(-time.Hour), nil, "now: Black Week", w.T("home.peak.unknown"), widgets.ToneNeutral, ""},
	} {
		f := nextPeak(w, app.PeakDay{Code: "black_week", From: tt.from, To: tt.from.AddDate(0, 0, 4)}, tt.r, uitest.Now())
		if f.Value != tt.value || f.Note != tt.note || f.Tone != tt.tone || f.Button != tt.button {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// TestFigures_whatIsNotProtectedIsSaidWhateverTheCalendar: a peak day must not
// take its place.
func TestFigures_whatIsNotProtectedIsSaidWhateverTheCalendar(t *testing.T) {
	t.Parallel()
	figs, below := figures(english(t), uitest.Safe(), nil, uitest.Now())
	if len(figs) != 3 || figs[2].Value != "fire and hackers" || below != nil {
		t.Errorf("%+v, %+v", figs, below)
	}
	figs, below = figures(english(t), uitest.Peak(), nil, uitest.Now())
	if len(figs) != 3 || figs[2].Value != "in 5 days: Black Week" || below == nil || below.Value != "fire and hackers" {
		t.Errorf("%+v, %+v", figs, below)
	}
}

func TestLoseAtMost_goesByTheSlowestSource(t *testing.T) {
	t.Parallel()
	s := uitest.Safe()
	s.Sources[1].Source.Schedule.Every = time.Hour
	s.LastBackup = uitest.Now().Add(-50 * time.Minute)
	if f := loseAtMost(english(t), s, s.Now); f.Tone != widgets.ToneNeutral || f.Note != "A new backup is made every 60 minutes." && f.Note != "A new backup is made every 1 hour." {
		t.Errorf("%+v", f)
	}
	s.LastBackup = uitest.Now().Add(-3 * time.Hour)
	if f := loseAtMost(english(t), s, s.Now); f.Tone != widgets.ToneWarn {
		t.Errorf("%+v", f)
	}
}
