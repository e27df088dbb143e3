package agent

import (
	"slices"
	"strconv"
	"time"

	"kvart/app"
)

// clockSlack is how far a time may lie ahead of the clock before the clock is
// not believed.
const clockSlack = 5 * time.Minute

// sourceFacts are what a source's state is computed from: verified points and
// the clock, nothing else.
type sourceFacts struct {
	now        time.Time
	schedule   app.Schedule
	points     bool      // something was stored
	verified   bool      // there is a verified point
	taken      time.Time // when it was captured
	safeUntil  time.Time // up to when nothing had moved since
	unproven   bool      // there are points, none of them verified
	incomplete int       // files the newest point lacks
	damaged    bool      // the newest point holds a source that was damaged already
	lastErr    *app.Error
}

// awake returns the facts as they would be at a time if the source was not
// paused.
func (f sourceFacts) awake(at time.Time) sourceFacts {
	f.now, f.schedule.Paused, f.schedule.PausedUntil = at, false, time.Time{}
	return f
}

// state returns the source's state and why, where it is not safe.
func (f sourceFacts) state(err *app.Error) (app.SourceState, *app.Error) {
	ahead := f.taken.Sub(f.now)
	if d := f.safeUntil.Sub(f.now); d > ahead {
		ahead = d
	}
	switch {
	case f.verified && ahead > clockSlack:
		return app.SourceUnknown, app.Errorf(app.CodeClock, "look at source", "newest point lies %s ahead of the clock", ahead)
	case f.schedule.PausedAt(f.now) && !f.damaged:
		return app.SourcePaused, &app.Error{Code: app.CodeSourcePaused, Op: "look at source"}
	case f.lastErr != nil:
		return app.SourceFailed, err
	case !f.verified && f.unproven:
		return app.SourceUnproven, nil
	case !f.verified:
		return app.SourceWaiting, nil
	case f.now.Sub(f.safeUntil)-f.schedule.QuietBetween(f.safeUntil, f.now) > lateAfter(f.schedule):
		return app.SourceLate, &app.Error{Code: app.CodeLate, Op: "look at source"}
	case f.damaged:
		return app.SourceFailed, &app.Error{Code: app.CodeSourceDamaged, Op: "look at source"}
	case f.incomplete > 0:
		return app.SourceIncomplete, (&app.Error{Code: app.CodeSourceIncomplete, Op: "look at source"}).With("count", strconv.Itoa(f.incomplete))
	case f.now.Sub(f.safeUntil) > lateAfter(f.schedule):
		return app.SourceQuiet, &app.Error{Code: app.CodeSourceQuiet, Op: "look at source"}
	}
	return app.SourceSafe, nil
}

// verdictOf says what a source's state means for the shop.
func verdictOf(s app.SourceState) app.Verdict {
	switch s {
	case app.SourceSafe:
		return app.VerdictSafe
	case app.SourceUnproven:
		return app.VerdictUnproven
	case app.SourceLate, app.SourcePaused, app.SourceQuiet:
		return app.VerdictLate // what is new is not protected, whoever chose it so
	case app.SourceFailed, app.SourceIncomplete:
		return app.VerdictFailed
	}
	return app.VerdictUnknown
}

// severity orders verdicts from good to bad.
func severity(v app.Verdict) int {
	return slices.Index([]app.Verdict{
		app.VerdictSafe, app.VerdictUnknown, app.VerdictUnproven, app.VerdictLate, app.VerdictSuspicious, app.VerdictFailed,
	}, v)
}

// verdict is the worst of what the sources and the vault say. A shop without a
// vault or without sources is not safe: nothing is known.
func verdict(hasVault bool, sources []app.SourceStatus, vault []*app.Error) (app.Verdict, []app.Problemed) {
	worst := app.VerdictSafe
	if !hasVault || len(sources) == 0 {
		worst = app.VerdictUnknown
	}
	var problems []app.Problemed
	for _, e := range vault {
		worst = app.VerdictFailed
		problems = append(problems, app.Problemed{Error: e})
	}
	for _, s := range sources {
		if v := verdictOf(s.State); severity(v) > severity(worst) {
			worst = v
		}
		if s.Error != nil {
			s.Error = s.Error.With("source", s.Source.Name)
		}
		if s.Error != nil && !slices.ContainsFunc(vault, func(e *app.Error) bool { return e.Code == s.Error.Code }) {
			problems = append(problems, app.Problemed{Source: s.Source.Name, Error: s.Error})
		}
	}
	return worst, problems
}
