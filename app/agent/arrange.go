package agent

import (
	"context"
	"slices"
	"strings"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// lookahead bounds how many looks ahead the next backup of a source is searched
// for: two days of the densest.
const lookahead = int(48 * time.Hour / app.PeakLength)

// tick returns the time between two looks at which of the sources are due: the
// pace of the one that is backed up most often, and never above a quarter.
func (a *Agent) tick(t time.Time) time.Duration {
	between := a.pace(t)
	sources := a.Store.Document().Sources
	if len(sources) == 0 {
		return between
	}
	every := app.QuarterLength
	for _, s := range sources {
		if !s.Schedule.Paused {
			every = min(every, s.Schedule.Pace(between))
		}
	}
	return every
}

// dueAt reports whether a source is to be backed up at a look at t.
func (a *Agent) dueAt(s app.Source, t time.Time, last *journal.Run) bool {
	if s.Schedule.PausedAt(t) || s.Schedule.Quiet(t) {
		return false
	}
	return s.Schedule.Pace(a.pace(t)) <= a.schedule.every(t) || a.missed(s, t, last)
}

// missed reports whether a source was not looked at since it was due last. A
// look that failed counts for no more than a quarter.
func (a *Agent) missed(s app.Source, t time.Time, last *journal.Run) bool {
	if s.Schedule.PausedAt(t) || s.Schedule.Quiet(t) {
		return false
	}
	if last == nil || last.Started.After(t.Add(clockSlack)) {
		return true // never, or by a clock that was set back since
	}
	every := s.Schedule.Pace(a.pace(t))
	if last.Result.State == app.RunFailed {
		every = min(every, app.QuarterLength)
	}
	due := t.Add(-a.schedule.offset).Truncate(every).Add(a.schedule.offset)
	return last.Started.Before(due)
}

// dueSources returns the sources that are due at t, and remembers why the others
// are not, so that their quarters are not taken for missed ones.
func (a *Agent) dueSources(ctx context.Context, d Document, t, quarter time.Time) ([]app.Source, error) {
	var due []app.Source
	for _, s := range d.Sources {
		last, _, err := a.Journal.LastRun(ctx, s.ID)
		if err != nil {
			return nil, err
		}
		if a.dueAt(s, t, last) {
			due = append(due, s)
			continue
		}
		state := app.QuarterRest
		if s.Schedule.PausedAt(t) {
			state = app.QuarterPaused
		}
		if err := a.Journal.AddRest(ctx, s.ID, quarter, state); err != nil {
			return nil, err
		}
	}
	return due, nil
}

// nextRun returns when a source is backed up next, from a time on; zero while it
// is paused without an end.
func (a *Agent) nextRun(s app.Source, last *journal.Run, from time.Time) time.Time {
	if s.Schedule.Paused {
		return time.Time{}
	}
	if s.Schedule.PausedAt(from) {
		from = s.Schedule.PausedUntil
	}
	t := a.schedule.next(from)
	for range lookahead {
		switch {
		case s.Schedule.Quiet(t):
			t = a.schedule.next(quietEnd(s.Schedule, t).Add(-time.Second))
		case a.dueAt(s, t, last):
			return t
		default:
			t = a.schedule.next(t)
		}
	}
	return time.Time{}
}

// quietEnd returns when the quiet hours that t lies in end.
func quietEnd(s app.Schedule, t time.Time) time.Time {
	t = t.Local()
	end := time.Date(t.Year(), t.Month(), t.Day(), s.QuietTo, 0, 0, 0, time.Local)
	if !end.After(t) {
		end = time.Date(t.Year(), t.Month(), t.Day()+1, s.QuietTo, 0, 0, 0, time.Local)
	}
	return end
}

// lateAfter returns how old the last safe state of a source may be: two of its
// own times between backups, of a quarter at least, and a few minutes for the
// run itself.
func lateAfter(s app.Schedule) time.Duration {
	return 2*max(s.Pace(app.QuarterLength), app.QuarterLength) + 5*time.Minute
}

// active returns the sources that are not paused; [app.CodeSourcePaused] when
// all of them are.
func active(sources []app.Source, now time.Time) ([]app.Source, error) {
	out := slices.DeleteFunc(slices.Clone(sources), func(s app.Source) bool { return s.Schedule.PausedAt(now) })
	if len(out) == 0 && len(sources) > 0 {
		return nil, app.Errorf(app.CodeSourcePaused, "back up", "every source is paused")
	}
	return out, nil
}

// unharmed reports whether no source that a run left out stands badly.
func (a *Agent) unharmed(ctx context.Context, but []app.Source) bool {
	st, err := a.Status(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "Status not made for the heartbeat", "error", err)
		return false
	}
	return !slices.ContainsFunc(st.Sources, func(s app.SourceStatus) bool {
		in := slices.ContainsFunc(but, func(o app.Source) bool { return o.ID == s.Source.ID })
		return !in && !leftWell(s, st.Now)
	})
}

// leftWell reports whether a source that was left out of a run may be: a pause
// is its owner's choice, but nobody calls a shop well for ever because of it.
func leftWell(s app.SourceStatus, now time.Time) bool {
	switch s.State {
	case app.SourceSafe, app.SourceQuiet:
		return true
	case app.SourcePaused:
		return !long(s.Source.Schedule.PausedFrom, now) && !long(s.SafeUntil, now)
	}
	return false
}

// ArrangeSource implements [app.ArrangeService].
func (a *Agent) ArrangeSource(_ context.Context, r app.ArrangeRequest) (app.Source, error) {
	const op = "arrange source"
	s, err := a.Store.Document().source(r.Source)
	if err != nil {
		return app.Source{}, err
	}
	was := s.Name
	if name := strings.TrimSpace(r.Name); name != "" {
		s.Name = name
	}
	if r.Schedule != nil {
		if s.Schedule, err = a.scheduled(s.Schedule, *r.Schedule); err != nil {
			return app.Source{}, err
		}
	}
	err = a.Store.Update(func(d *Document) error {
		i := slices.IndexFunc(d.Sources, func(o app.Source) bool { return o.ID == s.ID })
		if i < 0 {
			return app.Errorf(app.CodeSourceUnknown, op, "%s is gone", s.ID).With("source", was)
		}
		if slices.ContainsFunc(d.Sources, func(o app.Source) bool { return o.ID != s.ID && (o.Name == s.Name || string(o.ID) == s.Name) }) {
			return app.Errorf(app.CodeSourceExists, op, "there is a source %q", s.Name).With("source", s.Name)
		}
		d.Sources = slices.Clone(d.Sources)
		d.Sources[i].Name, d.Sources[i].Schedule = s.Name, s.Schedule
		s = d.Sources[i]
		d.Watch.Canaries = slices.Clone(d.Watch.Canaries)
		for k, name := range d.Watch.Canaries {
			if name == was {
				d.Watch.Canaries[k] = s.Name
			}
		}
		return nil
	})
	if err != nil {
		return app.Source{}, err
	}
	a.bus.poke()
	return s, nil
}

// scheduled returns a schedule as it is to be kept.
func (a *Agent) scheduled(was, next app.Schedule) (app.Schedule, error) {
	if err := next.Check(); err != nil {
		return was, err
	}
	now := a.Now()
	if next.Paused {
		next.PausedUntil = time.Time{}
	}
	pauses := next.Paused || !next.PausedUntil.IsZero()
	if changed := !next.PausedUntil.Equal(was.PausedUntil) || next.Paused != was.Paused; pauses && changed && !next.Paused {
		switch {
		case !next.PausedUntil.After(now):
			return was, app.Errorf(app.CodeUsage, "pause source", "until %s, which is past", next.PausedUntil).With("field", "pausedUntil")
		case next.PausedUntil.Sub(now) > app.LongestPause:
			return was, app.Errorf(app.CodeUsage, "pause source", "a pause of more than a week leaves it unprotected").With("field", "pausedUntil")
		}
	}
	next.PausedFrom = time.Time{}
	switch {
	case pauses && was.PausedAt(now):
		next.PausedFrom = was.PausedFrom
	case pauses:
		next.PausedFrom = now.Round(0)
	}
	return next, nil
}
