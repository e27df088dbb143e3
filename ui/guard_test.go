package ui

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/uitest"
)

func offline() error { return app.Errorf(app.CodeGuardOffline, "dial", "no socket") }

func TestWindow_guardGoneAndBack(t *testing.T) {
	started := 0
	r := newRig(t, uitest.Safe(), func(o *Options) {
		o.StartGuard = func(context.Context) error { started++; return nil }
	})
	r.press("Settings")
	r.lost(offline())
	r.sees("Kvart's guard is not running", "Kvart isn't guarding")
	r.lacks("Limit the upload")
	r.shoot("offline")
	r.press("Home") // moving about does not help
	r.sees("Kvart's guard is not running")
	uitest.Key(r.c, fyne.KeyReturn)
	if started != 1 {
		t.Fatalf("the guard was started %d times", started)
	}
	if len(r.poke) != 1 {
		t.Error("the window does not look for the guard at once")
	}
	if uitest.Enabled(r.c, "Start the guard") {
		t.Error("the button can be pressed again while the guard starts")
	}
	r.lost(offline())
	if !uitest.Enabled(r.c, "Start the guard") {
		t.Error("the button cannot be pressed after another failure")
	}
	r.seen(uitest.Safe())
	r.sees("Your shop is safe", "Guarding")
	r.lacks("not running")
}

func TestWindow_guardOfAnotherVersion(t *testing.T) {
	restarted := 0
	r := newRig(t, uitest.Safe(), func(o *Options) {
		o.StartGuard = func(context.Context) error { restarted++; return nil }
	})
	r.lost(app.Errorf(app.CodeGuardVersion, "hello", "1.0 is not 1.1"))
	r.sees("Kvart has been updated")
	r.press("Restart the guard")
	if restarted != 1 {
		t.Errorf("restarted %d times", restarted)
	}
}

func TestWindow_guardThatDoesNotStartSaysWhy(t *testing.T) {
	r := newRig(t, uitest.Safe(), func(o *Options) {
		o.StartGuard = func(context.Context) error { return app.Errorf(app.CodeHomeReadOnly, "start", "read-only") }
	})
	r.lost(offline())
	r.press("Start the guard")
	r.sees("Kvart can't save anything on this computer")
	if !uitest.Enabled(r.c, "Start the guard") {
		t.Error("the guard cannot be started again")
	}
}

func TestWindow_nothingHappensInAClosedWindow(t *testing.T) {
	r := newRig(t, uitest.Safe())
	closed := false
	r.OnClosed(func() { closed = true })
	ran := false
	r.Close()
	r.async(func(context.Context) func() { return func() { ran = true } })
	if ran || !closed {
		t.Errorf("ran %v, closed %v", ran, closed)
	}
}

// flaky is a guard that answers only now and then.
type flaky struct {
	at     []time.Duration
	start  time.Time
	answer map[int]bool // attempts that bring a status before they end
}

func (f *flaky) Status(context.Context) (app.Status, error) { return app.Status{}, nil }

func (f *flaky) Watch(_ context.Context, fn func(app.Status) error) error {
	f.at = append(f.at, time.Since(f.start))
	if f.answer[len(f.at)] {
		if err := fn(app.Status{}); err != nil {
			return err
		}
	}
	return errors.New("gone")
}

func TestFollow_triesMoreAndMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		f := &flaky{start: time.Now(), answer: map[int]bool{4: true}}
		poke := make(chan struct{}, 1)
		var seen, lost int
		follow(ctx, f, poke, func(app.Status) { seen++ }, func(error) { lost++ })
		ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
		// After the answer the waits begin anew.
		want := []time.Duration{0, ms(250), ms(750), ms(1750), ms(2000), ms(2500), ms(3500), ms(5500), ms(9500), ms(14500), ms(19500)}
		if !slices.Equal(f.at, want) {
			t.Errorf("tried at %v, want %v", f.at, want)
		}
		if seen != 1 || lost != len(want) {
			t.Errorf("seen %d, lost %d", seen, lost)
		}
	})
}

func TestFollow_triesAtOnceWhenPoked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		f := &flaky{start: time.Now()}
		poke := make(chan struct{}, 1)
		poke <- struct{}{}
		follow(ctx, f, poke, func(app.Status) {}, func(error) {})
		if len(f.at) < 2 || f.at[1] != 0 {
			t.Errorf("tried at %v", f.at)
		}
	})
}

func TestWindow_followsTheGuardUntilClosed(t *testing.T) {
	r := newRig(t, uitest.Safe())
	got := make(chan app.Status, 1)
	r.run = runner{background: r.wg.Go, inside: func(f func()) {
		select {
		case got <- app.Status{}:
		default:
		}
	}}
	r.start()
	<-got
	r.Close()
	r.Wait()
}
