package watch

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"kvart/app"
)

// TestRehearse_ownLineDown: a shop was called too weak, or failing, when it was
// the own connection that broke in the middle.
func TestRehearse_ownLineDown(t *testing.T) {
	t.Parallel()
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	says := func(err error) func(context.Context) error {
		return func(context.Context) error {
			return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
		}
	}
	yes, no := func(context.Context) bool { return true }, func(context.Context) bool { return false }
	for name, c := range map[string]struct {
		broken func(context.Context) error
		alive  func(context.Context) bool
		want   app.CapacityEnd
	}{
		"nothing comes back":              {hangs, no, app.CapacityEndLine},
		"and nobody can be asked":         {hangs, nil, app.CapacityEndLine},
		"but others answer":               {hangs, yes, app.CapacityEndSlow},
		"no network":                      {says(syscall.ENETUNREACH), no, app.CapacityEndLine},
		"no network, which is back":       {says(syscall.ENETUNREACH), yes, app.CapacityEndLine},
		"no name server":                  {func(context.Context) error { return &net.DNSError{Err: "no such host", Name: "kopp.example"} }, yes, app.CapacityEndLine},
		"no way there":                    {says(syscall.EHOSTUNREACH), no, app.CapacityEndLine},
		"no way there, but to others":     {says(syscall.EHOSTUNREACH), yes, app.CapacityEndErrors},
		"the shop's host refuses":         {says(syscall.ECONNREFUSED), no, app.CapacityEndErrors},
		"the shop hangs up in the middle": {func(context.Context) error { return io.ErrUnexpectedEOF }, no, app.CapacityEndErrors},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var first sync.Once
			var began time.Time
			s := &slowShop{}
			s.line = func(ctx context.Context) error {
				first.Do(func() { began = time.Now() })
				if time.Since(began) < 100*time.Second {
					return nil
				}
				return c.broken(ctx)
			}
			res := result(t, s, 50, 200*time.Millisecond, app.CapacityRun{Ceiling: 600, Alive: c.alive})
			if res.End != c.want || res.Stood < 20 {
				t.Errorf("%+v", res)
			}
			if last := res.Steps[len(res.Steps)-1]; c.want == app.CapacityEndLine && (res.Slow != 0 || last.Errors != 0 || last.P95 > 3000) {
				t.Errorf("held against the shop: %+v", res)
			}
		})
	}
}

// TestRehearse_veryFirstVisitors: where nothing ever came back nothing is told.
func TestRehearse_veryFirstVisitors(t *testing.T) {
	t.Parallel()
	s := &slowShop{}
	var n atomic.Int64
	s.line = func(ctx context.Context) error {
		if n.Add(1) == 1 {
			return nil // the look before it
		}
		<-ctx.Done()
		return ctx.Err()
	}
	res := result(t, s, 50, 200*time.Millisecond, app.CapacityRun{Ceiling: 600})
	if res.End != app.CapacityEndLine || res.Told() || len(res.Steps) > 0 {
		t.Errorf("%+v", res)
	}
}

// TestRehearse_errorsOfTheShop: what the shop says is the shop's, however dead
// everything else is.
func TestRehearse_errorsOfTheShop(t *testing.T) {
	t.Parallel()
	s := &slowShop{answer: func(w http.ResponseWriter, n int) bool {
		if n > 60 {
			http.Error(w, "", http.StatusBadGateway)
		}
		return n > 60
	}}
	res := result(t, s, 50, 50*time.Millisecond, app.CapacityRun{Ceiling: 600, Alive: func(context.Context) bool { return false }})
	if res.End != app.CapacityEndErrors || !res.Told() {
		t.Errorf("%+v", res)
	}
}

// TestRehearse_noBurst: visitors that a busy computer was late with came all at
// once after it; at no time more come than the step's rate, in any second.
func TestRehearse_noBurst(t *testing.T) {
	t.Parallel()
	for name, stall := range map[string]time.Duration{"never": 0, "a moment": 300 * time.Millisecond, "long": 7 * time.Second} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, asked := &slowShop{}, 0
			res := result(t, s, 500, 100*time.Millisecond, app.CapacityRun{Ceiling: 600, Stop: func() app.CapacityEnd {
				if asked++; asked%17 == 0 {
					time.Sleep(stall)
				}
				return ""
			}})
			if res.End != app.CapacityEndCeiling || len(s.came) < 500 {
				t.Fatalf("%s after %d visitors", res.End, len(s.came))
			}
			visitors := s.came[1:] // after the look before them
			for i, first := range visitors {
				n := 0
				for _, at := range visitors[i:] {
					if at.Sub(first) < time.Second {
						n++
					}
				}
				if n > 10 {
					t.Fatalf("%d visitors within a second, %s after the first", n, first.Sub(visitors[0]))
				}
			}
			if most := res.Steps[len(res.Steps)-1].Visitors; stall < time.Second && most != 600 || stall > time.Second && most >= 600 {
				t.Errorf("with a stall of %s %d a minute are said to have been sent", stall, most)
			}
			if last := res.Steps[len(res.Steps)-1]; res.Stood < last.Visitors {
				t.Errorf("stood %d of %+v", res.Stood, res.Steps)
			}
		})
	}
}
