package agent

import (
	"context"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

const (
	// forecastMargin is what is added to every forecast: a tenth.
	forecastMargin = 1.1
	// measuredNear is how near to the beginning and the end of last year's days
	// the vault must have been measured.
	measuredNear = 2 * 24 * time.Hour
)

// forecast says how much more is expected to be stored until a peak day has
// passed, as [app.PeakForecast] has it; nil while nothing is known.
func (a *Agent) forecast(ctx context.Context, p app.PeakDay, info *app.VaultInfo, now time.Time) (*app.PeakForecast, error) {
	if info == nil || info.Bytes < 0 {
		return nil, nil
	}
	lately, err := a.Journal.Uses(ctx, now.Add(-useSpan))
	if err != nil {
		return nil, err
	}
	ordinary, known := slopeOf(lately)
	f := app.PeakForecast{Basis: app.BasisTrend, Until: p.To, Ordinary: ordinary, Peak: app.PeakFactor * ordinary, Free: info.Free}
	then, base, measured, err := a.lastYear(ctx, p)
	switch {
	case err != nil:
		return nil, err
	case measured:
		f.Basis, f.Peak = app.BasisLastYear, max(then, ordinary)
		if base > 0 {
			f.Peak = max(f.Peak, int64(float64(ordinary)*float64(then)/float64(base)))
		}
	case !known:
		return nil, nil
	}
	before := max(p.From.Sub(now), 0).Hours() / 24
	during := p.To.Sub(later(p.From, now)).Hours() / 24
	f.Bytes = int64(forecastMargin * (before*float64(f.Ordinary) + during*float64(f.Peak)))
	return &f, nil
}

func later(x, y time.Time) time.Time {
	if x.After(y) {
		return x
	}
	return y
}

// lastYear returns what the vault grew by a day over the same days a year ago,
// and over the four weeks before them: 0 where that is not known.
func (a *Agent) lastYear(ctx context.Context, p app.PeakDay) (perDay, before int64, known bool, err error) {
	was, err := a.yearBefore(p)
	if err != nil || was == nil {
		return 0, 0, false, err
	}
	uses, err := a.Journal.Uses(ctx, was.From.Add(-useSpan))
	if err != nil {
		return 0, 0, false, err
	}
	begin, ok := nearest(uses, was.From)
	end, ok2 := nearest(uses, was.To)
	days := end.At.Sub(begin.At).Hours() / 24
	if !ok || !ok2 || days < 1 {
		return 0, 0, false, nil
	}
	var past []journal.Use
	for _, u := range uses {
		if !u.At.After(begin.At) {
			past = append(past, u)
		}
	}
	return max(int64(float64(end.Bytes-begin.Bytes)/days), 0), growth(past), true, nil
}

// nearest returns the measurement that lies closest to a time, if any is near.
func nearest(uses []journal.Use, at time.Time) (best journal.Use, ok bool) {
	for _, u := range uses {
		if d := u.At.Sub(at).Abs(); d <= measuredNear && (!ok || d < best.At.Sub(at).Abs()) {
			best, ok = u, true
		}
	}
	return best, ok
}
