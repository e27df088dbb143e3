package watch

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

// step is one step of a rehearsal while it runs.
type step struct {
	client  *http.Client
	page    *url.URL
	plan    app.CapacityRun
	pace    *pace
	perMin  int
	planned int
	began   time.Time
	last    time.Time // when the last visitor was sent
	asked   int       // by the one goroutine that sends

	mu      sync.Mutex
	done    []time.Duration
	waiting map[int]time.Time // since when, by number
	errors  int
	end     app.CapacityEnd // what a visitor met that ends it at once
	ended   time.Time
	line    line
}

func newStep(w *Watch, page *url.URL, perMinute int, r app.CapacityRun, p *pace) *step {
	client := &http.Client{Transport: w.transport(), CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &step{client: client, page: page, plan: r, pace: p, perMin: perMinute, planned: visitorsOf(perMinute), waiting: map[int]time.Time{}}
}

// run sends the step's visitors, evenly spread, and waits for them; or stops,
// and says why.
func (s *step) run(ctx context.Context) app.CapacityEnd {
	visits, cancel := context.WithCancel(ctx)
	defer s.client.CloseIdleConnections()
	var g errgroup.Group
	end := s.send(visits, &g)
	s.mu.Lock()
	s.ended = time.Now()
	doubt := s.line.doubt(s.began, s.ended, s.longest())
	s.mu.Unlock()
	cancel()     // whoever still waits when it has ended waits for nothing
	_ = g.Wait() // visitors return no errors: what they met is counted
	if end != app.CapacityEndSlow && end != app.CapacityEndErrors {
		return end
	}
	if doubt == ownFault || doubt == noAnswer && (s.plan.Alive == nil || !s.plan.Alive(ctx)) {
		return app.CapacityEndLine
	}
	return end
}

// longest returns how long the visitor waits who has waited longest. The lock is
// held.
func (s *step) longest() (d time.Duration) {
	for _, since := range s.waiting {
		d = max(d, s.ended.Sub(since))
	}
	return d
}

func (s *step) send(ctx context.Context, g *errgroup.Group) app.CapacityEnd {
	s.began = time.Now()
	s.pace.begin(s.perMin, s.began)
	tick := time.NewTicker(lookOften)
	defer tick.Stop()
	next := time.NewTimer(time.Until(s.pace.due))
	defer next.Stop()
	looked := s.began
	for {
		select {
		case <-ctx.Done():
			return app.CapacityEndCanceled
		case <-tick.C:
		case <-next.C:
			if s.asked < s.planned {
				s.last = time.Now()
				s.visit(ctx, g)
				s.pace.went(s.last)
				next.Reset(time.Until(s.pace.due))
			}
		}
		if end, over := s.judge(time.Now()); end != "" || over {
			return end
		}
		if now := time.Now(); now.Sub(looked) >= time.Second {
			looked = now
			if end := s.plan.Stop(); end != "" {
				return end
			}
		}
	}
}

// visit sends one visitor.
func (s *step) visit(ctx context.Context, g *errgroup.Group) {
	n := s.asked
	s.asked++
	began := time.Now()
	s.mu.Lock()
	s.waiting[n] = began
	s.mu.Unlock()
	g.Go(func() error {
		failed, end, err := s.fetch(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		if ctx.Err() != nil {
			return nil // cut off with the step: it goes on counting as waiting
		}
		s.line.note(err, time.Now())
		delete(s.waiting, n)
		s.done = append(s.done, time.Since(began))
		if failed {
			s.errors++
		}
		if end != "" && s.end == "" {
			s.end = end
		}
		s.plan.Progress.Done(1, 0)
		return nil
	})
}

// fetch gets the page once. A host that asks for fewer visitors is heeded at
// once. err says why nobody answered, nil when somebody did.
func (s *step) fetch(ctx context.Context) (failed bool, end app.CapacityEnd, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.page.String(), nil)
	if err != nil {
		return true, "", err
	}
	r.Header.Set("User-Agent", visitorAgent())
	r.Header.Set("Accept", "text/html,*/*;q=0.5")
	res, err := s.client.Do(r)
	if err != nil {
		return true, "", err
	}
	_, cut := io.Copy(io.Discard, io.LimitReader(res.Body, pageBound))
	cut = errors.Join(cut, res.Body.Close())
	to, redirected := res.Location()
	switch {
	case res.StatusCode/100 == 3 && redirected == nil && !sameHost(to, s.page):
		return true, app.CapacityEndMoved, nil
	case res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusServiceUnavailable && res.Header.Get("Retry-After") != "":
		return true, app.CapacityEndErrors, nil
	}
	return cut != nil || res.StatusCode != http.StatusOK, "", cut
}

// judge says whether a step has to end, or is over.
func (s *step) judge(now time.Time) (end app.CapacityEnd, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slow := 0
	for _, d := range s.done {
		if d > app.CapacitySlow {
			slow++
		}
	}
	for _, since := range s.waiting {
		if now.Sub(since) > app.CapacitySlow {
			slow++
		}
	}
	switch {
	case s.end != "":
		return s.end, true
	case s.errors >= fewErrors && 20*s.errors > s.asked:
		return app.CapacityEndErrors, true
	case slow > slowest(s.planned):
		return app.CapacityEndSlow, true
	}
	return "", len(s.done) == s.planned
}

// result is how the step went, or is going.
func (s *step) result() app.CapacityStep {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := spread(s.done, slices.Collect(maps.Values(s.waiting)), s.ended)
	return app.CapacityStep{
		Visitors: rate(s.perMin, s.asked, s.last.Sub(s.began)+time.Minute/time.Duration(s.perMin)),
		Asked:    s.asked, Errors: s.errors, Median: percentile(took, 0.5), P95: percentile(took, 0.95),
		Seconds: s.ended.Sub(s.began).Seconds(),
	}
}
