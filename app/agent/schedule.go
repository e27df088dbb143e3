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
	// pace is the time between two due times at a moment, a whole part of a
	// quarter and above offset; nil means a quarter always.
	pace func(time.Time) time.Duration
}

// wall returns the time without its monotonic reading, which does not count
// the time a computer slept.
func (s schedule) wall() time.Time { return s.now().Round(0) }

// quarter returns the start of the quarter t lies in. Quarters are the same in
// every time zone in use, whose offsets are multiples of a quarter.
func quarter(t time.Time) time.Time { return t.Truncate(app.QuarterLength).Local() }

// every returns the time between two due times at t.
func (s schedule) every(t time.Time) time.Duration {
	if s.pace == nil {
		return app.QuarterLength
	}
	return s.pace(t)
}

// next returns the first due time after t.
func (s schedule) next(t time.Time) time.Time {
	every := s.every(t)
	due := t.Truncate(every).Local().Add(s.offset)
	if !due.After(t) {
		due = due.Add(every)
	}
	return due
}

// serve calls run whenever a quarter is due, with the start of that quarter,
// until ctx ends. However many were missed, asleep or during a long run, they
// are made up for by one; at a denser pace those missed during a run are not
// made up for, but come with the next. With catchUp it begins with one at once.
func (s schedule) serve(ctx context.Context, catchUp bool, run func(ctx context.Context, quarter time.Time)) error {
	due := s.next(s.wall())
	if catchUp {
		due = s.wall()
	}
	for {
		now := s.wall()
		overdue := !now.Before(due)
		// also where it is not: the clock may have gone back, or the pace changed
		due = s.next(now)
		if overdue {
			// what falls due during the run is made up for right after it
			run(ctx, quarter(now))
			now = s.wall()
			if s.every(now) < app.QuarterLength {
				due = s.next(now) // so that a shop that takes longer to fetch is left a rest
			}
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
