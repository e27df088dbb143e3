// Package doze lets the window's loop sleep while nothing happens. Fyne looks
// for events sixty times a second, whether there are any or not, which on a
// laptop that stands open all day costs more than all of Kvart's own work; it
// has no switch for that. So the loop is given something to do that takes long:
// to wait for the next event.
package doze

import (
	"context"
	"sync"
	"time"
)

const (
	// longest is how long one nap may take. What Fyne's own goroutines put into
	// the loop can wait that long; what comes through [Dozer.Do] doesn't.
	longest = 2 * time.Second
	// glance is how long the loop is left alone between two naps, to draw what
	// has changed: two of its own rounds.
	glance = 40 * time.Millisecond
	// afterWork is how long the loop stays awake after something was put into
	// it: what a new text does to the size of its neighbours takes some rounds.
	afterWork = 150 * time.Millisecond
	// afterHand is how long it stays awake after the mouse or the keyboard were
	// used: buttons fade, and a second click may follow.
	afterHand = time.Second
)

// Events is the window system.
type Events interface {
	// Wait handles what has happened to the windows, and if nothing has, waits
	// until something does, at most that long. It is called in the loop.
	Wait(atMost time.Duration)
	// Wake ends a Wait. It may be called from any goroutine.
	Wake()
}

// Dozer makes a loop sleep.
type Dozer struct {
	events Events
	inside func(func())
	calm   func() bool

	mu      sync.Mutex
	handing bool // a nap is being put into the loop, which has not begun it
	asleep  bool
	woken   bool      // by Do, during this nap
	until   time.Time // the loop stays awake that long
}

// New returns a dozer for the loop that inside puts functions into. In the loop
// calm reports whether nothing moves on the screen by itself.
func New(events Events, inside func(func()), calm func() bool) *Dozer {
	return &Dozer{events: events, inside: inside, calm: calm}
}

// Do puts f into the loop and wakes it. It does not wait for f.
func (d *Dozer) Do(f func()) {
	d.inside(f)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stay(afterWork)
	if d.asleep && !d.woken {
		// with the lock held, so that the loop can't end meanwhile
		d.woken = true
		d.events.Wake()
	}
}

// stay keeps the loop awake, from now on. The lock is held.
func (d *Dozer) stay(long time.Duration) {
	if t := time.Now().Add(long); t.After(d.until) {
		d.until = t
	}
}

// Run lets the loop sleep whenever nothing happens, until ctx ends.
func (d *Dozer) Run(ctx context.Context) {
	wait := time.NewTimer(afterHand)
	defer wait.Stop()
	over := make(chan struct{}, 1)
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		d.mu.Lock()
		awake := time.Until(d.until)
		d.handing = awake <= 0
		d.mu.Unlock()
		if awake > 0 {
			wait.Reset(awake)
			continue
		}
		d.inside(func() {
			d.nap()
			over <- struct{}{}
		})
		d.mu.Lock()
		d.handing = false
		d.mu.Unlock()
		select {
		case <-ctx.Done():
			return // a loop that has ended begins nothing
		case <-over:
		}
		wait.Reset(glance)
	}
}

// nap waits for events, in the loop.
func (d *Dozer) nap() {
	calm := d.calm()
	d.mu.Lock()
	if !calm {
		d.stay(afterWork)
	}
	// Where the loop has ended Fyne runs what is put into it at once, on the
	// goroutine that does: then there is nothing to wait for.
	rest := calm && !d.handing && !time.Now().Before(d.until)
	d.asleep, d.woken = rest, false
	d.mu.Unlock()
	if !rest {
		return
	}
	began := time.Now()
	d.events.Wait(longest)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asleep = false
	if !d.woken && time.Since(began) < longest-glance {
		d.stay(afterHand)
	}
}
