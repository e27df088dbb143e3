package home

import (
	"math"
	"slices"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
)

// state is what Home is about. Each has its own words and one primary button.
type state string

const (
	stateEmpty      state = "empty"      // nothing is set up
	stateGoOn       state = "goon"       // a setup was left in the middle
	stateNoSources  state = "nosources"  // nothing to back up
	statePast       state = "past"       // the storage is shown as it was
	stateFirst      state = "first"      // the first backup is not done
	stateIncident   state = "incident"   // something has happened, and is being seen to
	stateSuspicious state = "suspicious" // was this you?
	stateStorage    state = "storage"    // the storage can't be reached
	stateFailed     state = "failed"
	statePaused     state = "paused"  // by the owner, all of it
	stateWaiting    state = "waiting" // for mains, or for a connection that is free
	stateSource     state = "source"  // one or several sources are paused
	stateQuiet      state = "quiet"   // or in their quiet hours
	stateLate       state = "late"
	stateUnproven   state = "unproven"
	stateUnknown    state = "unknown"
	stateKit        state = "kit" // all is well but for the recovery kit
	stateSafe       state = "safe"
)

func (s state) resting() bool { return s == stateSource || s == stateQuiet }

// act is what the primary button does.
type act string

const (
	actNone    act = "" // a card has the button
	actSetup   act = "setup"
	actRecover act = "recover"
	actBackUp  act = "backup"
	actResume  act = "resume"
	actTakeUp  act = "takeup" // the sources that are paused
	actKit     act = "kit"
	actLook    act = "look" // at what changed
	actRemedy  act = "remedy"
)

// unreachable lists failures of the way to the storage rather than of anything
// that lies there.
func unreachable() []app.Code {
	return []app.Code{app.CodeStorageGone, app.CodeStorageOffline, app.CodeStorageBusy, app.CodePortal, app.CodeProxyAuth, app.CodeTunnelOffline}
}

func stateOf(s app.Status, st stage, more facts, now time.Time) state {
	switch {
	case st == stagePast:
		return statePast
	case s.Incident.Real():
		return stateIncident
	case (st == stageEmpty || st == stageNoSources) && more.Draft:
		return stateGoOn
	case st == stageEmpty:
		return stateEmpty
	case st == stageNoSources:
		return stateNoSources
	case len(s.Unusual) > 0 && s.Verdict != app.VerdictFailed, s.Verdict == app.VerdictSuspicious:
		return stateSuspicious
	case s.Verdict == app.VerdictFailed:
		if slices.ContainsFunc(s.Problems, func(p app.Problemed) bool {
			return p.Source == "" && slices.Contains(unreachable(), app.CodeOf(p.Error))
		}) {
			return stateStorage
		}
		return stateFailed
	case s.PausedUntil.After(now):
		return statePaused
	case st == stageFirst:
		return stateFirst
	case s.Waiting != nil:
		return stateWaiting
	}
	return restingOr(s)
}

// restingOr tells the states of a shop that is backed up.
func restingOr(s app.Status) state {
	if rest := s.Resting(); len(rest) > 0 {
		if slices.ContainsFunc(rest, func(s app.SourceStatus) bool { return s.State == app.SourcePaused }) {
			return stateSource
		}
		return stateQuiet
	}
	switch {
	case s.Verdict == app.VerdictLate:
		return stateLate
	case s.Verdict == app.VerdictUnproven:
		return stateUnproven
	case s.Verdict != app.VerdictSafe:
		return stateUnknown
	case !s.Kit.Good():
		return stateKit
	}
	return stateSafe
}

func headline(w *assets.Words, s app.Status, st state, now time.Time) (title, text string) {
	verdict := w.T("verdict." + string(s.Verdict))
	switch st {
	case statePast:
		when := assets.Args{"When": w.When(s.Vault.AsOf, now)}
		return w.T("home.head.past", when), w.T("home.text.past", when)
	case statePaused:
		late := slices.ContainsFunc(s.Sources, func(s app.SourceStatus) bool { return s.State == app.SourceLate })
		if s.Verdict == app.VerdictSafe || s.Verdict == app.VerdictLate && !late {
			verdict = w.T("home.head.paused")
		}
		return verdict, w.T("home.text.paused", assets.Args{"Until": w.When(s.PausedUntil, now)})
	case stateWaiting:
		cause := string(s.Waiting.Cause)
		return w.T("home.head." + cause), w.T("home.text." + cause)
	case stateSource:
		return sourcePaused(w, s, now)
	case stateQuiet:
		return quiet(w, s, now)
	case stateSafe:
		if s.LastBackup.IsZero() || s.LastBackup.After(now) {
			break
		}
		args := assets.Args{"Ago": w.Span(now.Sub(s.LastBackup)), "Where": s.Vault.Where, "Next": w.Span(s.NextBackup.Sub(now))}
		if s.NextBackup.After(now) {
			return verdict, w.T("home.text.safe", args)
		}
		return verdict, w.T("home.text.safe.soon", args)
	case stateEmpty, stateGoOn, stateNoSources, stateFirst, stateIncident, stateStorage, stateKit:
		return w.T("home.head." + string(st)), w.T("home.text." + string(st))
	}
	return verdict, w.T("home.text.verdict." + string(s.Verdict))
}

// sourcePaused tells of the sources that are paused, the others going on.
func sourcePaused(w *assets.Words, s app.Status, now time.Time) (title, text string) {
	paused := pausedSources(s)
	n, args := int64(len(paused)), assets.Args{"Source": paused[0].Name}
	if until := paused[0].Schedule.PausedUntil; n == 1 && !paused[0].Schedule.Paused && until.After(now) {
		args["Until"] = w.When(until, now)
		return w.N("home.head.source", n, args), w.T("home.text.source.until", args)
	}
	return w.N("home.head.source", n, args), w.N("home.text.source", n, args)
}

// pausedSources returns the sources that are paused by themselves.
func pausedSources(s app.Status) (out []app.Source) {
	for _, src := range s.Sources {
		if src.State == app.SourcePaused {
			out = append(out, src.Source)
		}
	}
	return out
}

func quiet(w *assets.Words, s app.Status, now time.Time) (title, text string) {
	rest := s.Resting()
	n, args := int64(len(rest)), assets.Args{"Source": rest[0].Source.Name}
	if next := rest[0].NextRun; n == 1 && next.After(now) {
		args["Until"] = w.When(next, now)
		return w.N("home.head.quiet", n, args), w.T("home.text.quiet.until", args)
	}
	return w.N("home.head.quiet", n, args), w.N("home.text.quiet", n, args)
}

// oneStepLeft reports whether all is well but that nobody could open the
// backups if this computer were lost.
func oneStepLeft(s app.Status) bool { return s.Verdict == app.VerdictSafe && !s.Kit.Good() }

// fillSteps is into how many parts of a turn the fill is told: a quarter of an
// hour goes by in steps of half a minute. Every step has the window painted,
// which without a graphics card takes as long as all else that it does then.
const fillSteps = 30

// markOf draws the state; while all is well its fill shows how much of the time
// between two backups has passed.
func markOf(s app.Status, now time.Time) assets.Mark {
	switch {
	case s.Vault != nil && !s.Vault.AsOf.IsZero():
		return assets.NewMark(assets.MarkUnknown)
	case s.Incident.Real():
		return assets.NewMark(assets.MarkAlarm)
	case s.PausedUntil.After(now):
		return assets.NewMark(assets.MarkPaused)
	case s.Job != nil && s.Job.State == app.JobRunning:
		m := assets.NewMark(assets.MarkWorking)
		m.Turn = float64(now.Second()%assets.Turns) / assets.Turns
		return m
	case s.Waiting != nil, len(s.Resting()) > 0:
		return assets.NewMark(assets.MarkPaused)
	case oneStepLeft(s):
		return assets.NewMark(assets.MarkLate)
	}
	switch s.Verdict {
	case app.VerdictSafe:
		m := assets.NewMark(assets.MarkSafe)
		left := s.NextBackup.Sub(now).Seconds() / pace(s).Seconds()
		m.Fill = math.Round((1-min(max(left, 0), 1))*fillSteps) / fillSteps
		return m
	case app.VerdictLate, app.VerdictUnproven:
		return assets.NewMark(assets.MarkLate)
	case app.VerdictFailed, app.VerdictSuspicious:
		return assets.NewMark(assets.MarkAlarm)
	}
	return assets.NewMark(assets.MarkUnknown)
}

// decide says what the one primary button is, and which others stand beside it.
func (m *viewModel) decide(w *assets.Words, s app.Status, more facts, now time.Time) {
	m.Act, m.Primary = actBackUp, w.T("home.button.running")
	m.act(w, s)
	again := m.Act == actBackUp || m.Act == actRemedy && m.Help.Remedy == screen.RemedyRetry
	running := m.Stage == stageFirst || m.Stage == stageRunning
	m.BackUp = running && !again && m.Job == nil
	m.Resume = running && s.PausedUntil.After(now) && m.Act != actResume
	m.GoOn = running && more.Draft
	if again && m.Job != nil {
		m.Primary = "" // it is being done
	}
}

// act makes what helps most in a state the primary button, where that is another
// than to back up.
func (m *viewModel) act(w *assets.Words, s app.Status) {
	switch m.State {
	case stateEmpty, stateGoOn, stateNoSources:
		m.Act, m.Primary = actSetup, w.T("home.button."+string(m.State))
	case statePast:
		m.Act, m.Primary = actRecover, w.T("home.button.past")
	case stateIncident:
		m.Act, m.Primary = actNone, ""
	case stateSuspicious:
		if len(s.Unusual) > 0 {
			m.Act, m.Primary = actLook, w.T("home.button.look")
		}
	case statePaused:
		m.Act, m.Primary = actResume, w.T("home.resume")
	case stateSource:
		m.Act, m.Primary = actTakeUp, w.N("home.button.takeup", int64(len(pausedSources(s))))
	case stateKit:
		m.Act, m.Primary = actKit, w.T("home.kit.button."+string(m.Kit))
	case stateFailed, stateStorage, stateLate:
		m.remedy()
	}
}

// remedy makes what helps against the worst problem the primary button.
func (m *viewModel) remedy() {
	if len(m.Problems) == 0 || m.State == stateLate && m.Problems[0].Remedy == screen.RemedyRetry {
		return
	}
	m.Act, m.Help, m.Primary = actRemedy, m.Problems[0], m.Problems[0].Button
}
