package agent

import (
	"context"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// clock is a wall clock that can be set; below it runs synctest's, which
// starts at 2000-01-01 00:00:00 UTC, the start of a quarter.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) set(ahead time.Duration) { c.ahead.Store(int64(ahead)) }

// trial is a schedule under way.
type trial struct {
	clock        clock
	at, quarters []string // of each run
	during       func(run int)
}

func (tr *trial) start(t *testing.T, offset time.Duration, catchUp bool) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_ = schedule{offset: offset, now: tr.clock.now}.serve(ctx, catchUp, func(_ context.Context, q time.Time) {
			tr.at = append(tr.at, tr.clock.now().UTC().Format("15:04:05"))
			tr.quarters = append(tr.quarters, q.UTC().Format("15:04"))
			if tr.during != nil {
				tr.during(len(tr.at))
			}
		})
	}()
	return func() {
		cancel()
		synctest.Wait()
	}
}

func (tr *trial) want(t *testing.T, at ...string) {
	t.Helper()
	if !slices.Equal(tr.at, at) {
		t.Errorf("ran at %v, want %v", tr.at, at)
	}
}

func TestSchedule_everyQuarterOfTheWallClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		stop := tr.start(t, 40*time.Second, false)
		time.Sleep(61 * time.Minute)
		stop()
		tr.want(t, "00:00:40", "00:15:40", "00:30:40", "00:45:40", "01:00:40")
		if want := []string{"00:00", "00:15", "00:30", "00:45", "01:00"}; !slices.Equal(tr.quarters, want) {
			t.Errorf("for %v, want %v", tr.quarters, want)
		}
	})
}

func TestSchedule_catchesUpAtOnceAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		tr.clock.set(7 * time.Minute)
		stop := tr.start(t, 40*time.Second, true)
		time.Sleep(10 * time.Minute)
		stop()
		tr.want(t, "00:07:00", "00:15:40")
	})
}

func TestSchedule_sleepIsMadeUpForByOneRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		stop := tr.start(t, 0, false)
		time.Sleep(16*time.Minute + 5*time.Second)
		tr.clock.set(5 * time.Hour) // the computer slept: timers stood still
		time.Sleep(15 * time.Minute)
		stop()
		tr.want(t, "00:15:00", "05:16:15", "05:30:00")
	})
}

func TestSchedule_clockSetAheadRunsOnceAndGoesByTheNewTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		stop := tr.start(t, 0, false)
		time.Sleep(20*time.Minute + 5*time.Second)
		tr.clock.set(400 * 24 * time.Hour)
		time.Sleep(11 * time.Minute)
		stop()
		tr.want(t, "00:15:00", "00:20:15", "00:30:00")
	})
}

func TestSchedule_clockSetBackDoesNotWaitForTheOldTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		tr.clock.set(10 * time.Hour)
		stop := tr.start(t, 0, false)
		time.Sleep(16*time.Minute + 5*time.Second)
		tr.clock.set(0)
		time.Sleep(30 * time.Minute)
		stop()
		tr.want(t, "10:15:00", "00:30:00", "00:45:00")
	})
}

func TestSchedule_longRunDelaysButNeverDoubles(t *testing.T) {
	for name, tt := range map[string]struct {
		first time.Duration
		want  []string
	}{
		"past one quarter":    {20 * time.Minute, []string{"00:15:00", "00:35:00", "00:45:00"}},
		"past three quarters": {50 * time.Minute, []string{"00:15:00", "01:05:00", "01:15:00"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tr := trial{during: func(run int) {
					if run == 1 {
						time.Sleep(tt.first)
					}
				}}
				stop := tr.start(t, 0, false)
				time.Sleep(15*time.Minute + tt.first + 11*time.Minute)
				stop()
				tr.want(t, tt.want...)
			})
		})
	}
}

func TestQuarter_inATimeZoneOfHalfHours(t *testing.T) {
	india := time.FixedZone("IST", 5*3600+1800)
	got := quarter(time.Date(2026, 11, 22, 14, 44, 59, 0, india))
	if want := time.Date(2026, 11, 22, 14, 30, 0, 0, india); !got.Equal(want) {
		t.Errorf("got %v, want %v", got.In(india), want)
	}
}
