package agent

import (
	"context"
	"time"

	"kvart/app"
)

// maxNap bounds one wait: timers stand still while a computer sleeps and know
// nothing of a clock that was set, so the wall clock is looked at this often.
const maxNap = 15 * time.Second

// schedule says when quarters are due by the wall clock.
type schedule struct {
	offset time.Duration    // into each quarter, below a quarter
	now    func() time.Time // wall clock; time.Now but in tests of clock jumps
}

// wall returns the time without its monotonic reading, which does not count
// the time a computer slept.
func (s schedule) wall() time.Time { return s.now().Round(0) }

// quarter returns the start of the quarter t lies in. Quarters are the same in
// every time zone in use, whose offsets are multiples of a quarter.
func quarter(t time.Time) time.Time { return t.Truncate(app.QuarterLength).Local() }

// next returns the first due time after t.
func (s schedule) next(t time.Time) time.Time {
	due := quarter(t).Add(s.offset)
	if !due.After(t) {
		due = due.Add(app.QuarterLength)
	}
	return due
}

// serve calls run whenever a quarter is due, with the start of that quarter,
// until ctx ends. However many were missed, asleep or during a long run, they
// are made up for by one. With catchUp it begins with one at once.
func (s schedule) serve(ctx context.Context, catchUp bool, run func(ctx context.Context, quarter time.Time)) error {
	due := s.next(s.wall())
	if catchUp {
		due = s.wall()
	}
	for {
		now := s.wall()
		switch {
		case !now.Before(due):
			// what falls due during the run is made up for right after it
			due = s.next(now)
			run(ctx, quarter(now))
			now = s.wall()
		case due.Sub(now) > app.QuarterLength:
			// the clock went back: what is due is due by the new time
			due = s.next(now)
		}
		t := time.NewTimer(min(maxNap, max(due.Sub(now), 0)))
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}
