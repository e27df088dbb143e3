package agent

import (
	"context"
	"slices"
	"strconv"
	"time"

	"kvart/app"
)

// How long an answer waits for a run to end.
const (
	answerYes = 20 * time.Second
	answerNo  = time.Second
)

// unanswered reports whether the owner has yet to answer about anything, or has
// just said that it was not theirs and the incident's own freeze is about to
// begin: until then nothing expires.
func (a *Agent) unanswered(ctx context.Context) (bool, error) {
	all, err := a.Journal.Unusuals(ctx, false)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(all, func(u app.Unusual) bool {
		return u.Open() || !u.Yes && a.Now().Sub(u.Answered).Abs() < time.Hour
	}), nil
}

// Unusuals implements [app.WatchService].
func (a *Agent) Unusuals(ctx context.Context) ([]app.Unusual, error) {
	return a.Journal.Unusuals(ctx, false)
}

// AnswerUnusual implements [app.WatchService]. A source that was removed since
// can be answered about all the same.
func (a *Agent) AnswerUnusual(ctx context.Context, r app.AnswerRequest) (app.Unusual, error) {
	// A run that is under way would write over what is learned from the answer.
	// A no does not wait for that: there is nothing to learn from it.
	patience := answerNo
	if r.Yes {
		patience = answerYes
	}
	held := a.lockWithin(ctx, patience)
	if held {
		defer a.unlock()
	}
	if r.Yes && !held {
		return app.Unusual{}, app.Errorf(app.CodeBusy, "answer", "a run is under way")
	}
	u, err := a.answer(ctx, r, held)
	a.tellOwner(ctx)
	a.bus.poke()
	return u, err
}

// lockWithin takes the right to use vault and sources, if it is free soon.
func (a *Agent) lockWithin(ctx context.Context, patience time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return a.lock(ctx) == nil
}

func (a *Agent) answer(ctx context.Context, r app.AnswerRequest, held bool) (app.Unusual, error) {
	open, err := a.Journal.Unusuals(ctx, true)
	if err != nil {
		return app.Unusual{}, err
	}
	i := slices.IndexFunc(open, func(u app.Unusual) bool { return u.Source == r.Source || string(u.SourceID) == r.Source })
	if i < 0 || a.Lookout == nil {
		if _, err := a.Store.Document().source(r.Source); err != nil {
			return app.Unusual{}, err
		}
		return app.Unusual{}, app.Errorf(app.CodeNothingAsked, "answer", "nothing is asked about %s", r.Source).With("source", r.Source)
	}
	u := open[i]
	s, gone := a.Store.Document().source(string(u.SourceID))
	switch {
	case !r.Yes:
		err = a.openHacked(ctx, u)
	case gone == nil:
		err = a.acceptGone(ctx, s, u)
	}
	if err != nil {
		return u, err
	}
	if gone == nil && held {
		a.teach(ctx, s, u, r.Yes)
	}
	u.Answered, u.Yes = a.Now(), r.Yes
	return u, a.Journal.PutUnusual(ctx, &u)
}

// teach has what is learned of a source take in the answer, and puts back the
// canary that was touched. What fails here leads to another question, which is
// better than an answer that does not count.
func (a *Agent) teach(ctx context.Context, s app.Source, u app.Unusual, yes bool) {
	learned, at, err := a.Journal.Learned(ctx, s.ID)
	if err == nil {
		learned, err = a.Lookout.Teach(learned, u, yes, a.Now())
	}
	if err == nil {
		err = a.Journal.SetLearned(ctx, s.ID, learned, at)
	}
	if err != nil {
		a.Log.WarnContext(ctx, "Answer not learned", "source", s.ID, "error", err)
	}
	if slices.ContainsFunc(u.Reasons, func(r app.UnusualReason) bool { return r.Code == app.UnusualCanary }) {
		if err := a.Lookout.PlantCanary(a.folderOf(s)); err != nil {
			a.Log.WarnContext(ctx, "Canary not planted again", "source", s.ID, "error", err)
		}
	}
}

// acceptGone has a shop's connector let go what the owner deleted.
func (a *Agent) acceptGone(ctx context.Context, s app.Source, u app.Unusual) error {
	for _, r := range u.Reasons {
		if r.Code != app.UnusualShrunk {
			continue
		}
		c, access, err := a.access(ctx, s)
		if err != nil {
			return err
		}
		if g, ok := c.(app.GoneAccepter); ok {
			if err := g.AcceptGone(ctx, access, r.Kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// openHacked opens the playbook for somebody having got in, unless an incident
// is open already. Nothing from the first sign on is chosen.
func (a *Agent) openHacked(ctx context.Context, u app.Unusual) error {
	_, err := a.StartIncident(ctx, app.IncidentRequest{
		Playbook: app.PlaybookHacked, Choice: app.Choice{Before: u.At.Add(-time.Second)}, Note: u.Source,
	})
	if app.CodeOf(err) == app.CodeIncidentOpen {
		return nil
	}
	return err
}

// unusualError says in short what is asked.
func unusualError(u app.Unusual) *app.Error {
	e := (&app.Error{Code: app.CodeUnusual, Op: "look at change"}).With("source", u.Source)
	if len(u.Reasons) > 0 {
		r := u.Reasons[0]
		e = e.With("rule", string(r.Code)).With("kind", r.Kind).With("count", strconv.FormatInt(r.Count, 10)).With("of", strconv.FormatInt(r.Of, 10))
	}
	return e
}

// marks returns the points of a source that hold an unusual change which was
// not, or not yet, said to be the owner's.
func (a *Agent) marks(ctx context.Context, id app.SourceID) (func(app.Point) app.Code, error) {
	all, err := a.Journal.Unusuals(ctx, false)
	if err != nil {
		return nil, err
	}
	recs, err := a.Journal.Restores(ctx)
	if err != nil {
		return nil, err
	}
	return func(p app.Point) app.Code {
		for _, u := range all {
			if u.SourceID != id || u.Yes || p.Time.Before(u.At) && p.ID != u.Point {
				continue
			}
			mended := slices.ContainsFunc(recs, func(r app.RestoreRecord) bool {
				return r.State == app.RestoreDone && r.Target.Original() && r.Ended.After(u.At) && p.Time.After(r.Ended) &&
					slices.ContainsFunc(r.Sources, func(part app.RestoredPart) bool { return part.ID == id && part.Time.Before(u.At) })
			})
			if !mended {
				return app.CodeUnusual
			}
		}
		return ""
	}, nil
}
