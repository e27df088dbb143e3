package ui

import (
	"context"
	"sync"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/doze"
)

// Waits between attempts to reach the guard.
const (
	firstWait = 250 * time.Millisecond
	longWait  = 5 * time.Second
)

// runner is what the window's work runs on. Outside tests, background is a
// goroutine the window waits for, and inside puts a function into Fyne's loop.
// Nothing ever waits for Fyne's loop: it stands still while a menu is open on
// a Mac.
type runner struct {
	background func(func())
	inside     func(func())
}

// fyneRunner returns the real runner.
func fyneRunner(wg *sync.WaitGroup) runner {
	return runner{background: wg.Go, inside: fyne.Do}
}

// calm reports whether nothing on the screen moves by itself: no clock, no
// progress, no cursor.
func (w *Window) calm() bool {
	if w.status == nil || w.trouble != nil || w.Busy() || w.ticking() {
		return false
	}
	_, cursor := w.win.Canvas().Focused().(interface{ SelectedText() string })
	return !cursor
}

// Do runs f in the window's loop. It may be called from any goroutine and does
// not wait.
func (w *Window) Do(f func()) { w.run.inside(f) }

// async runs work in the background and what it returns in the window, unless
// the window was closed meanwhile.
func (w *Window) async(work func(ctx context.Context) (then func())) {
	w.asked.Add(1)
	w.run.background(func() {
		then := work(w.ctx)
		if then == nil || w.ctx.Err() != nil {
			w.asked.Add(-1)
			return
		}
		w.run.inside(func() {
			w.asked.Add(-1)
			if w.ctx.Err() == nil {
				then()
			}
		})
	})
}

// start begins to follow the guard, and the time.
func (w *Window) start() {
	open := func(put func(func())) func(func()) {
		return func(f func()) {
			put(func() {
				if w.ctx.Err() == nil {
					f()
				}
			})
		}
	}
	later := open(w.run.inside) // does not wake a loop that sleeps: then nothing ticks
	if w.opts.Events != nil {
		d := doze.New(w.opts.Events, w.run.inside, w.calm)
		w.run.inside = d.Do
		w.run.background(func() { d.Run(w.ctx) })
	}
	inside := open(w.run.inside)
	w.run.background(func() {
		follow(w.ctx, w.opts.Service, w.poke,
			func(s app.Status) { inside(func() { w.seen(s) }) },
			func(err error) { inside(func() { w.lost(err) }) })
	})
	w.run.background(func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-w.ctx.Done():
				return
			case <-tick.C:
				later(w.tick)
			}
		}
	})
}

// follow watches the guard until ctx ends. It calls seen with every status and
// lost whenever the guard stops answering, and then tries again, more and more
// seldom, or at once when poked.
func follow(ctx context.Context, svc app.StatusService, poke <-chan struct{}, seen func(app.Status), lost func(error)) {
	wait := firstWait
	for {
		err := svc.Watch(ctx, func(s app.Status) error {
			wait = firstWait
			seen(s)
			return nil
		})
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = app.Errorf(app.CodeGuardOffline, "watch", "the guard ended the watch")
		}
		lost(err)
		select {
		case <-ctx.Done():
			return
		case <-poke:
			wait = firstWait
		case <-time.After(wait):
			wait = min(2*wait, longWait)
		}
	}
}
