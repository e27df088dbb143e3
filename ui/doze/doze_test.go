package doze_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kvart/ui/doze"
)

// loop stands in for Fyne's: it runs what is put into it, and looks for events
// sixty times a second.
type loop struct {
	queue chan func()
	event chan struct{} // a mouse that moves

	mu    sync.Mutex
	looks int
	naps  int
}

func newLoop() *loop {
	return &loop{queue: make(chan func(), 100), event: make(chan struct{}, 100)}
}

func (l *loop) inside(f func()) { l.queue <- f }

func (l *loop) run(ctx context.Context) {
	tick := time.NewTicker(time.Second / 60)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-l.queue:
			f()
		case <-tick.C:
			l.mu.Lock()
			l.looks++
			l.mu.Unlock()
		}
	}
}

func (l *loop) Wait(atMost time.Duration) {
	l.mu.Lock()
	l.naps++
	l.mu.Unlock()
	select {
	case <-l.event:
	case <-time.After(atMost):
	}
}

func (l *loop) Wake() { l.event <- struct{}{} }

// during returns how often the loop looked for events, and how often it slept,
// in a while.
func (l *loop) during(d time.Duration) (looks, naps int) {
	l.mu.Lock()
	looks, naps = l.looks, l.naps
	l.mu.Unlock()
	time.Sleep(d)
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.looks - looks, l.naps - naps
}

// sleepy runs a loop with a dozer until the test ends.
func sleepy(t *testing.T, calm func() bool, test func(l *loop, d *doze.Dozer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newLoop()
		d := doze.New(l, l.inside, calm)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { l.run(ctx) })
		wg.Go(func() { d.Run(ctx) })
		test(l, d)
		cancel()
		wg.Wait()
	})
}

func calm() bool { return true }

func TestDozer_sleepsWhileNothingHappens(t *testing.T) {
	t.Parallel()
	sleepy(t, calm, func(l *loop, _ *doze.Dozer) {
		time.Sleep(3 * time.Second)
		if looks, naps := l.during(time.Minute); looks > 150 || looks < 25 || naps < 25 {
			t.Errorf("looked %d times for events in a minute, slept %d times", looks, naps)
		}
	})
}

// What is put into the loop is run at once, and drawn: the loop goes round a few
// times before it sleeps again.
func TestDozer_Do_wakes(t *testing.T) {
	t.Parallel()
	sleepy(t, calm, func(l *loop, d *doze.Dozer) {
		time.Sleep(10*time.Second + 700*time.Millisecond)
		began, ran := time.Now(), make(chan time.Duration, 1)
		d.Do(func() { ran <- time.Since(began) })
		if took := <-ran; took > 20*time.Millisecond {
			t.Errorf("ran after %s", took)
		}
		if looks, _ := l.during(150 * time.Millisecond); looks < 6 {
			t.Errorf("looked %d times afterwards", looks)
		}
	})
}

// After the owner's hand moved the loop is awake, and sleeps again.
func TestDozer_eventKeepsAwake(t *testing.T) {
	t.Parallel()
	sleepy(t, calm, func(l *loop, _ *doze.Dozer) {
		time.Sleep(10*time.Second + 700*time.Millisecond)
		l.event <- struct{}{}
		if looks, naps := l.during(900 * time.Millisecond); looks < 45 || naps > 0 {
			t.Errorf("looked %d times, slept %d times", looks, naps)
		}
		if _, naps := l.during(5 * time.Second); naps == 0 {
			t.Error("slept no more")
		}
	})
}

// While something on the screen moves by itself the loop doesn't sleep.
func TestDozer_awakeWhileSomethingMoves(t *testing.T) {
	t.Parallel()
	sleepy(t, func() bool { return false }, func(l *loop, _ *doze.Dozer) {
		time.Sleep(3 * time.Second)
		if looks, naps := l.during(10 * time.Second); looks < 590 || naps > 0 {
			t.Errorf("looked %d times, slept %d times", looks, naps)
		}
	})
}

// Where the loop has ended, what is put into it runs on the goroutine that does:
// nothing is waited for there, since there are no windows any more.
func TestDozer_loopThatEnded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLoop()
		d := doze.New(l, func(f func()) { f() }, calm)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		d.Run(ctx)
		ran := false
		d.Do(func() { ran = true })
		if _, naps := l.during(0); naps != 0 || l.naps != 0 || !ran {
			t.Errorf("waited %d times, ran %t", l.naps, ran)
		}
	})
}
