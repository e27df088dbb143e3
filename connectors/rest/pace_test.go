package rest_test

import (
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"kvart/connectors/rest"
)

// A shop that refuses several questions of one moment has asked for patience
// once; one that goes on refusing has to be asked far more slowly.
func TestGentle_Slow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := rest.NewGentle(10)
		for range 5 {
			g.Slow()
		}
		if got := g.Speed(); got != 8 {
			t.Errorf("%v questions a second", got)
		}
		time.Sleep(5 * time.Second)
		if g.Slow(); g.Speed() != 4 {
			t.Errorf("%v questions a second when it goes on", g.Speed())
		}
		for at := time.Now(); g.Speed() < 10; time.Sleep(time.Second / 4) {
			if g.Learn(&rest.Answer{Status: http.StatusOK}); time.Since(at) > time.Minute {
				t.Fatalf("%v questions a second, a minute after all is well again", g.Speed())
			}
		}
	})
}

// host is a web hotel that gives out questions: so many a second, and some more at
// once.
type host struct {
	l             *rate.Limiter
	mu            sync.Mutex
	good, refused int
}

// ask asks it until a time, as one of several lists does.
func (h *host) ask(t *testing.T, g *rest.Gentle, slots chan struct{}, until time.Time) {
	for time.Now().Before(until) {
		slots <- struct{}{}
		if err := g.Wait(t.Context(), 1); err != nil {
			t.Error(err)
			return
		}
		ok := h.l.Allow()
		h.mu.Lock()
		if ok {
			h.good++
		} else {
			h.refused++
		}
		h.mu.Unlock()
		if ok {
			time.Sleep(80 * time.Millisecond)
			g.Learn(&rest.Answer{Status: http.StatusOK})
		} else {
			g.Slow()
		}
		<-slots
		if !ok {
			time.Sleep(time.Second) // as it asked for
		}
	}
}

// The pace settles at what a web hotel allows, whatever that is: nearly all of it
// is used, and the hotel is seldom made to refuse.
func TestGentle_settles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		perSecond float64
		atOnce    int
		refused   int // in ten minutes, at most
	}{
		{20, 20, 0}, {10, 20, 60}, {10, 5, 60}, {5, 20, 70}, {3, 5, 70},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &host{l: rate.NewLimiter(rate.Limit(tt.perSecond), tt.atOnce)}
			g, slots := rest.NewGentle(12), make(chan struct{}, 3)
			const long = 10 * time.Minute
			until := time.Now().Add(long)
			var asking sync.WaitGroup
			for range 9 {
				asking.Go(func() { h.ask(t, g, slots, until) })
			}
			asking.Wait()
			all := min(tt.perSecond, 12) * long.Seconds()
			t.Logf("%v a second, %d at once: %d answered of %.0f, %d refused", tt.perSecond, tt.atOnce, h.good, all, h.refused)
			if float64(h.good) < 0.95*all || h.refused > tt.refused {
				t.Errorf("%v a second, %d at once: %d answered of %.0f, %d refused", tt.perSecond, tt.atOnce, h.good, all, h.refused)
			}
		})
	}
}
