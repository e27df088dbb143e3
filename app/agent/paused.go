package agent

import (
	"context"
	"strings"
	"time"

	"kvart/app"
)

// long reports whether something began so long ago that a pause since then is
// told of; what lies in the clock's future did, for nobody knows.
func long(since, now time.Time) bool { return now.Sub(since).Abs() >= app.PauseReminded }

// daily reports whether the owner is told of a cause again each day, however
// often that was.
func daily(cause string) bool {
	base, _, _ := strings.Cut(cause, ".")
	return base == causePaused
}

// amidPauses adds what is told although, or because, the owner paused: a pause
// that lasts, and what had failed or was late when it began. Leaving a source
// alone solves nothing; a good backup does.
func (a *Agent) amidPauses(ctx context.Context, st app.Status, causes map[string]*app.Error) error {
	d, all := a.Store.Document(), !st.PausedUntil.IsZero()
	if all && long(d.PausedFrom, st.Now) {
		causes[causePaused] = &app.Error{Code: app.CodeSourcePaused, Op: "look at pause"}
	}
	if err := a.unpractised(ctx, st, causes); err != nil {
		return err
	}
	for _, src := range st.Sources {
		from, own := d.PausedFrom, src.Source.Schedule.PausedAt(st.Now)
		if own {
			from = src.Source.Schedule.PausedFrom
		}
		if own && long(from, st.Now) {
			causes[causePaused+"."+string(src.Source.ID)] = (&app.Error{Code: app.CodeSourcePaused, Op: "look at pause"}).With("source", src.Source.Name)
		}
		if src.State != app.SourcePaused && (!all || src.State != app.SourceLate) {
			continue
		}
		cause, e, err := a.unsolved(ctx, src.Source, from)
		if err != nil {
			return err
		}
		if cause == "" || causes[cause] != nil {
			continue
		}
		if stands, err := a.stands(ctx, cause); err != nil {
			return err
		} else if stands {
			causes[cause] = e
		}
	}
	return nil
}

// unpractised keeps a drill that failed standing until one passes: that settings
// were changed since shows nothing.
func (a *Agent) unpractised(ctx context.Context, st app.Status, causes map[string]*app.Error) error {
	if causes[causeDrill] != nil {
		return nil
	}
	for _, src := range st.Sources {
		if src.Proof != app.ProofChanged {
			continue
		}
		last, err := a.Journal.LastDrill(ctx, src.Source.ID)
		if err != nil {
			return err
		}
		if last == nil || last.OK {
			continue
		}
		if stands, err := a.stands(ctx, causeDrill); err != nil || !stands {
			return err
		}
		causes[causeDrill] = (&app.Error{Code: app.CodeCheckFailed, Op: "drill"}).With("source", src.Source.Name)
		return nil
	}
	return nil
}

// unsolved returns what stood against a source when its pause began and was not
// made good since; "" for nothing.
func (a *Agent) unsolved(ctx context.Context, s app.Source, from time.Time) (cause string, e *app.Error, err error) {
	verified, err := a.Journal.Verified(ctx)
	if err != nil {
		return "", nil, err
	}
	f, _, _, err := a.factsOf(ctx, s, verified, from)
	if err != nil {
		return "", nil, err
	}
	state, e := f.awake(from).state(f.lastErr)
	switch state {
	case app.SourceLate:
		cause = causeLate
	case app.SourceFailed, app.SourceIncomplete:
		cause = causeFailed
	}
	if e == nil || cause == "" {
		return "", nil, nil
	}
	return cause, e.With("source", s.Name), nil
}

// stands reports whether the owner was told of a cause and not yet that it is
// solved.
func (a *Agent) stands(ctx context.Context, cause string) (bool, error) {
	a.mu.Lock()
	shown := a.lastState[cause]
	a.mu.Unlock()
	if shown {
		return true, nil
	}
	stood, err := a.Journal.Standings(ctx)
	s, ok := stood[cause]
	return ok && s.Closed.IsZero(), err
}
