package agent

import (
	"context"
	"time"

	"kvart/app"
)

const (
	// drillSoon is how early before a week is over a drill may be made, for the
	// quiet hour's sake; drillLate when it no longer waits for one.
	drillSoon = 6*24*time.Hour + 12*time.Hour
	drillLate = 8 * 24 * time.Hour
	// drillRetry is how soon a drill that failed is made again.
	drillRetry = 24 * time.Hour
	// peakProof is how fresh a drill has to be when a peak day begins, and
	// peakLast when it no longer waits for a quiet hour before one.
	peakProof = 7 * 24 * time.Hour
	peakLast  = 2 * 24 * time.Hour
	// busySpan is over how long the quiet hour is learned, busyLeast how many
	// days of it are needed.
	busySpan  = 28 * 24 * time.Hour
	busyLeast = 5
)

// keyChanged is the journal's key of when settings or secrets of a source were
// changed, or with "" the vault's passphrase.
func keyChanged(id app.SourceID) string { return "changed." + string(id) }

// noteChange remembers that what was proven so far was something else.
func (a *Agent) noteChange(ctx context.Context, id app.SourceID) {
	if err := a.Journal.SetMetaTime(context.WithoutCancel(ctx), keyChanged(id), a.Now()); err != nil {
		a.Log.WarnContext(ctx, "Change not noted", "source", id, "error", err)
	}
}

// proofOf says what drills have shown of a source that has points or has not.
func (a *Agent) proofOf(ctx context.Context, d Document, s app.Source, drill *app.DrillResult, points bool, now time.Time) (app.Proof, error) {
	switch {
	case drill == nil && !points:
		return app.ProofNone, nil
	case drill == nil:
		return app.ProofNever, nil
	}
	changed := s.AddedAt
	if d.Vault != nil && d.Vault.Since.After(changed) {
		changed = d.Vault.Since
	}
	for _, key := range []string{keyChanged(s.ID), keyChanged("")} {
		t, err := a.Journal.MetaTime(ctx, key)
		if err != nil {
			return "", err
		}
		if t.After(changed) {
			changed = t
		}
	}
	switch {
	case drill.At.Before(changed.Truncate(time.Second)):
		return app.ProofChanged, nil
	case !drill.OK:
		return app.ProofFailed, nil
	case now.Sub(drill.At).Abs() > drillProof:
		return app.ProofOld, nil
	}
	return app.ProofProven, nil
}

// Drills implements [app.ProofService].
func (a *Agent) Drills(ctx context.Context, source string) ([]app.DrillResult, error) {
	if source == "" {
		return a.Journal.Drills(ctx, "")
	}
	s, err := a.Store.Document().source(source)
	if err != nil {
		return nil, err
	}
	return a.Journal.Drills(ctx, s.ID)
}

// drillDue starts the drill that is due: the week's at the shop's quietest hour,
// one before a peak day, and one as soon as what was proven is something else.
func (a *Agent) drillDue(ctx context.Context, d Document) error {
	now := a.Now()
	when := drillTimes{now: now}
	var names []string
	for _, s := range d.Sources {
		last, err := a.Journal.LastDrill(ctx, s.ID)
		if err != nil {
			return err
		}
		place, err := a.Journal.Place(ctx, s.ID)
		if err != nil {
			return err
		}
		if place.Point == "" {
			continue
		}
		proof, err := a.proofOf(ctx, d, s, last, true, now)
		if err != nil {
			return err
		}
		if last != nil && proof != app.ProofChanged && now.Sub(last.At).Abs() >= drillRetry {
			if err := a.fill(ctx, &when); err != nil {
				return err
			}
		}
		if when.due(last, proof) {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	_, err := a.StartDrill(ctx, names)
	return err
}

// drillTimes is what decides whether now is the time for a drill.
type drillTimes struct {
	now    time.Time
	filled bool
	// quiet reports that this is the shop's quietest hour; learned, that there
	// is one.
	quiet, learned bool
	peak           time.Time // when the next peak day begins; zero for none soon
	rush           bool      // a peak day is on, and it is not the night
}

func (a *Agent) fill(ctx context.Context, w *drillTimes) error {
	if w.filled {
		return nil
	}
	w.filled = true
	hour, known, err := a.quietHour(ctx, w.now)
	if err != nil {
		return err
	}
	w.rush = !a.calm(w.now)
	w.learned, w.quiet = known, known && w.now.Local().Hour() == hour
	peaks, err := a.peakDays(w.now, w.now.Add(peakProof))
	for _, p := range peaks {
		if p.From.After(w.now) && w.peak.IsZero() {
			w.peak = p.From
		}
	}
	return err
}

func (w drillTimes) due(last *app.DrillResult, proof app.Proof) bool {
	if last == nil || proof == app.ProofChanged {
		return true
	}
	age := w.now.Sub(last.At).Abs()
	calm := w.quiet || !w.learned
	switch {
	case w.rush && !w.quiet && age < drillOverdue:
		return false
	case age >= drillLate, age >= drillEvery && !w.learned, age >= drillSoon && w.quiet:
		return true
	case !last.OK && age >= drillRetry && calm:
		return true
	case !w.peak.IsZero() && last.At.Before(w.peak.Add(-peakProof)):
		return calm || w.peak.Sub(w.now) <= peakLast
	}
	return false
}

// quietHour returns the hour of the local day in which the fewest runs found
// anything new, among those in which this computer is usually on.
func (a *Agent) quietHour(ctx context.Context, now time.Time) (hour int, known bool, err error) {
	looked, moved, err := a.Journal.Busy(ctx, now.Add(-busySpan))
	if err != nil {
		return 0, false, err
	}
	most := 0
	for _, n := range looked {
		most = max(most, n)
	}
	if most < busyLeast {
		return 0, false, nil
	}
	hour = -1
	rate := func(h int) float64 { return float64(moved[h]) / float64(looked[h]) }
	for h := range looked {
		if 2*looked[h] < most {
			continue // too rarely on to wait for
		}
		if hour < 0 || rate(h) < rate(hour) {
			hour = h
		}
	}
	return hour, true, nil
}
