package watch

import (
	"context"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"kvart/app"
)

const (
	// firstStep is how many visitors a minute a rehearsal begins with, and
	// stepGrowth by how much each step is more than the one before.
	firstStep  = 20
	stepGrowth = 1.5
	// stepTime is how long a step lasts, and stepVisitors how many there are in
	// it at the least: fewer say nothing of 95 of 100.
	stepTime     = 30 * time.Second
	stepVisitors = 20
	// patience is how long a visitor waits before it counts as an error.
	patience = 10 * time.Second
	// lookOften is how often a step is judged while it runs.
	lookOften = 250 * time.Millisecond
	// fewErrors are no reason to stop, whatever their share.
	fewErrors = 3
)

// visitorAgent is what a rehearsal calls itself, for the host's log.
func visitorAgent() string {
	return "Kvart/" + app.Version + " (capacity rehearsal of the shop's owner, stops by itself)"
}

// VisitorAgent is what the visitors of a rehearsal call themselves.
func (w *Watch) VisitorAgent() string { return visitorAgent() }

// levels are how many visitors a minute each step sends, up to a ceiling.
func levels(ceiling int) (out []int) {
	for n := min(firstStep, ceiling); n < ceiling; n = int(math.Ceil(float64(n) * stepGrowth)) {
		out = append(out, n)
	}
	return append(out, ceiling)
}

// Rehearse sends visitors to the shop's page in steps, and returns what that
// showed. Whoever calls has made sure that the shop is the owner's. It ends by
// itself, and at once when ctx does; the result holds what was seen until then.
// An error means that no visitor was sent.
func (w *Watch) Rehearse(ctx context.Context, r app.CapacityRun) (app.CapacityResult, error) {
	res := app.CapacityResult{URL: r.Storefront.URL, Started: time.Now(), Ceiling: r.Ceiling}
	page, err := w.ownPage(ctx, r.Storefront)
	if err != nil {
		return res, err
	}
	all := levels(r.Ceiling)
	for _, n := range all {
		r.Progress.Expect(int64(visitorsOf(n)), 0)
	}
	pace := &pace{}
	for _, n := range all {
		if time.Since(res.Started)+timeOf(n) > app.CapacityTime {
			res.End = app.CapacityEndTime
			break
		}
		s := newStep(w, page, n, r, pace)
		if res.End = s.run(ctx); res.End == app.CapacityEndLine {
			break // what was seen of it tells nothing of the shop
		}
		went := s.result()
		if s.asked > 0 {
			res.Steps = append(res.Steps, went)
			r.Stepped(went)
		}
		if res.End == app.CapacityEndSlow {
			res.Slow = went.Visitors
		}
		if res.End != "" {
			break
		}
		res.Stood = max(res.Stood, went.Visitors)
	}
	if res.End == "" {
		res.End = app.CapacityEndCeiling
	}
	res.Ended = time.Now()
	return res, nil
}

// visitorsOf is how many visitors a step sends, and timeOf how long that takes.
func visitorsOf(perMinute int) int {
	return max(stepVisitors, int(math.Ceil(float64(perMinute)*stepTime.Minutes())))
}

func timeOf(perMinute int) time.Duration {
	return time.Duration(visitorsOf(perMinute)) * time.Minute / time.Duration(perMinute)
}

// ownPage returns the page that visitors end up at, and refuses one that is not
// the owner's to put to the test.
func (w *Watch) ownPage(ctx context.Context, s app.StorefrontSettings) (*url.URL, error) {
	const op = "rehearse capacity"
	u, err := pageURL(s.URL)
	if err != nil {
		return nil, err
	}
	if p := platformOf(u.Hostname(), nil); p != "" {
		return nil, app.Errorf(app.CodeCapacityHosted, op, "by its address").With("where", u.Hostname()).With("platform", p)
	}
	res, page, err := w.stay(ctx, u, pageBound)
	if err != nil {
		return nil, err
	}
	if p := platformOf(u.Hostname(), res.Header); p != "" {
		return nil, app.Errorf(app.CodeCapacityHosted, op, "by its answer").With("where", u.Hostname()).With("platform", p)
	}
	if e := judgePage(s, u, res, page); e != nil {
		return nil, e
	}
	if res.StatusCode != http.StatusOK {
		return nil, app.Errorf(app.CodeStorefrontStatus, op, "status %d", res.StatusCode).With("where", u.Hostname()).With("status", strconv.Itoa(res.StatusCode))
	}
	return res.Request.URL, nil
}

// percentile returns the value that a share of all are at most, in milliseconds.
func percentile(sorted []time.Duration, share float64) int64 {
	if len(sorted) == 0 {
		return 0
	}
	at := int(math.Ceil(share*float64(len(sorted)))) - 1
	return sorted[min(max(at, 0), len(sorted)-1)].Milliseconds()
}

// slowest is how many of a step's visitors may wait too long: one more, and the
// 95th percentile has passed.
func slowest(planned int) int { return planned - int(math.Ceil(0.95*float64(planned))) }

// spread returns how long visitors took, the shortest first, with those still
// waiting as long as they have been.
func spread(done []time.Duration, waiting []time.Time, now time.Time) []time.Duration {
	out := slices.Clone(done)
	for _, since := range waiting {
		out = append(out, now.Sub(since))
	}
	slices.Sort(out)
	return out
}
