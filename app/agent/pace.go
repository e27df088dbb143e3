package agent

import (
	"context"
	"slices"
	"time"

	"kvart/app"
)

const (
	// nightFrom and nightTo are the hours in which heavy work is done over peak
	// days, where the owner's own quiet hours hold them: people buy till late.
	nightFrom = 1
	nightTo   = 6
	// heavyOverdue is how long checks wait for these hours, for the sake of a
	// computer that is off at night.
	heavyOverdue = 3 * 24 * time.Hour
	// drillOverdue is how long the weekly drill does.
	drillOverdue = 3 * drillEvery
)

// peakUntil returns the end of the peak days that t lies in, which may follow
// one upon the other; zero on an ordinary day.
func (a *Agent) peakUntil(t time.Time) time.Time {
	days, err := a.peakDays(t, t.AddDate(0, 3, 0))
	if err != nil {
		return time.Time{} // the calendar is part of the program; a test reads it
	}
	var until time.Time
	for _, p := range days { // the earliest first
		if !p.From.After(t) || !until.IsZero() && !p.From.After(until) {
			if p.To.After(until) {
				until = p.To
			}
		}
	}
	return until
}

// denseUntil is peakUntil where the owner lets backups be made more often then.
func (a *Agent) denseUntil(t time.Time) time.Time {
	if a.Store.Document().Watch.NoPeakPace {
		return time.Time{}
	}
	return a.peakUntil(t)
}

// pace returns the time between two backups at a moment. Peak days begin and
// end at midnight, which is a due time at either pace.
func (a *Agent) pace(t time.Time) time.Duration {
	if a.denseUntil(t).IsZero() {
		return app.QuarterLength
	}
	return app.PeakLength
}

// reach is how far back the backups that are kept by count go on ordinary days.
func reach(k app.Retention) time.Duration { return time.Duration(k.Latest) * app.QuarterLength }

// keepDense makes a retention by count reach as far back as on ordinary days,
// while backups that were made more often are among the newest: over peak days,
// also where the owner keeps to quarters by now, or by a source's own pace.
func (a *Agent) keepDense(k app.Retention, now time.Time) app.Retention {
	days, err := a.peakDays(now.Add(-reach(k)), now)
	own := slices.ContainsFunc(a.Store.Document().Sources, func(s app.Source) bool {
		return s.Schedule.Pace(app.QuarterLength) < app.QuarterLength
	})
	if own || err == nil && len(days) > 0 {
		k.Latest *= int(app.QuarterLength / app.PeakLength)
	}
	return k
}

// keepStored makes a retention by count keep everything that was stored within
// its reach, at whatever pace, which may have been another computer's or have
// been changed since.
func keepStored(ctx context.Context, v app.Vault, k app.Retention, now time.Time) (app.Retention, error) {
	points, err := v.Points(ctx, app.PointFilter{Since: now.Add(-reach(k))})
	if err != nil {
		return k, err
	}
	stored := map[app.SourceID]int{}
	most := k.Latest
	for _, p := range points {
		stored[p.Source]++
		most = max(most, stored[p.Source])
	}
	k.Latest = most
	return k, nil
}

// heavyHours returns the hours of the day between which heavy work is done, on
// an ordinary or on a peak day.
func heavyHours(s app.Settings, peak bool) (from, to int) {
	from, to = s.QuietFrom, s.QuietTo
	if from == to {
		from, to = quietFrom, quietTo
	}
	if peak && betweenHours(nightFrom, from, to) && betweenHours(nightTo-1, from, to) {
		return nightFrom, nightTo
	}
	return from, to
}

// betweenHours reports whether an hour lies between two, which may have midnight
// between them.
func betweenHours(hour, from, to int) bool {
	if from < to {
		return from <= hour && hour < to
	}
	return hour >= from || hour < to
}

// calm reports whether heavy work is welcome now: always on ordinary days, for
// what may run beside the shop, and over peak days only at night.
func (a *Agent) calm(now time.Time) bool {
	return a.peakUntil(now).IsZero() || a.quiet(now)
}

// quiet reports whether now is within the hours for heavy work.
func (a *Agent) quiet(now time.Time) bool {
	from, to := heavyHours(a.Store.Document().Settings, !a.peakUntil(now).IsZero())
	return betweenHours(now.Local().Hour(), from, to)
}

// nextPeak returns the peak day that is on, or else the next one within a year;
// nil for none.
func (a *Agent) nextPeak(now time.Time) (*app.PeakDay, error) {
	days, err := a.peakDays(now, now.AddDate(1, 0, 0))
	if err != nil || len(days) == 0 {
		return nil, err
	}
	return &days[0], nil
}

// yearBefore returns the same peak day a year earlier, nil when there is none.
func (a *Agent) yearBefore(p app.PeakDay) (*app.PeakDay, error) {
	days, err := a.peakDays(p.From.AddDate(0, -14, 0), p.From.AddDate(0, -10, 0))
	i := slices.IndexFunc(days, func(o app.PeakDay) bool { return o.Code == p.Code && o.Name == p.Name })
	if err != nil || i < 0 {
		return nil, err
	}
	return &days[i], nil
}
