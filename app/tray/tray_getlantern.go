package tray

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/getlantern/systray"

	"kvart/app"
	"kvart/assets"
)

const (
	frameTime = 250 * time.Millisecond // between two pictures of the working icon
	lookTime  = time.Minute            // the menu's times move on without news
	retryTime = time.Second            // before watching again
)

// Run shows the tray until ctx ends or the owner quits. It has to be called on
// the main goroutine, and only once in a process. It fails, and shows nothing,
// when there is no desktop. On macOS it does not return; see [Options].
//
// A left click opens the menu as a right click does: the library does not tell
// them apart.
func Run(ctx context.Context, o Options) error {
	if !Available() {
		return errors.New("show tray: there is no desktop")
	}
	if ctx.Err() != nil {
		return nil // asked to end before it began
	}
	if err := openDisplay(); err != nil {
		return fmt.Errorf("show tray: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &tray{
		o: o, cancel: cancel,
		news:  make(chan struct{}, 1),
		calls: make(chan func(), 4),
		shows: make(chan func(), 4),
	}
	systray.Run(func() { t.start(ctx) }, func() {
		cancel()
		if o.Exit != nil {
			o.Exit()
		}
	})
	t.stop()
	return nil
}

type tray struct {
	o      Options
	cancel context.CancelFunc
	news   chan struct{} // the status changed; readers look it up
	calls  chan func()   // to the guard
	shows  chan func()   // to the window, which must open while the guard is slow

	mu     sync.Mutex
	status app.Status
	ended  bool // no goroutine starts any more
	wg     sync.WaitGroup
}

// start runs once the desktop is ready, on a goroutine of the library's.
func (t *tray) start(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return
	}
	if runtime.GOOS == "linux" { // elsewhere it is text beside the icon
		systray.SetTitle(app.Name)
	}
	v := newView(Model(app.Status{}, t.o.Words(), time.Now()), t.o.Icons)
	t.wg.Go(func() { t.paint(ctx, v) })
	t.wg.Go(func() { t.listen(ctx, v) })
	t.wg.Go(func() { t.watch(ctx) })
	t.wg.Go(func() { work(ctx, t.calls) })
	t.wg.Go(func() { work(ctx, t.shows) })
}

// stop waits for everything that start began.
func (t *tray) stop() {
	t.cancel()
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.wg.Wait()
}

// watch keeps the status. While the guard can't be watched, nothing is known.
func (t *tray) watch(ctx context.Context) {
	for {
		err := t.o.Service.Watch(ctx, func(st app.Status) error {
			t.set(st)
			return ctx.Err()
		})
		if ctx.Err() != nil {
			return
		}
		t.o.Log.Warn("The tray can't see the guard", "error", err)
		t.set(app.Status{})
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryTime):
		}
	}
}

func (t *tray) set(st app.Status) {
	t.mu.Lock()
	t.status = st
	t.mu.Unlock()
	select {
	case t.news <- struct{}{}:
	default:
	}
}

// paint is the only one who changes icon and menu. It ends the library's loop
// when it is done, so that no icon is set after that: its file would stay.
func (t *tray) paint(ctx context.Context, v *view) {
	defer systray.Quit()
	look := time.NewTicker(lookTime)
	defer look.Stop()
	frames := time.NewTicker(frameTime)
	frames.Stop() // until there is something to turn
	defer frames.Stop()
	turn, turning := 0, false
	for {
		t.mu.Lock()
		st := t.status
		t.mu.Unlock()
		m := Model(st, t.o.Words(), time.Now())
		if working := m.Icon == assets.MarkWorking; working != turning {
			if turning = working; turning {
				frames.Reset(frameTime)
			} else {
				frames.Stop()
			}
			turn = 0
		}
		v.show(m, turn)
		for news := false; !news; {
			select {
			case <-ctx.Done():
				return
			case <-t.news:
				news = true
			case <-look.C:
				news = true
			case <-frames.C:
				turn++
				v.showIcon(m.Icon, turn)
			}
		}
	}
}

// listen always receives: the library drops a click that nobody waits for.
func (t *tray) listen(ctx context.Context, v *view) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-v.backup.ClickedCh:
			t.call("back up", func() error {
				_, err := t.o.Service.StartBackup(ctx, nil)
				return err
			})
		case <-v.pauseHour.ClickedCh:
			t.pause(ctx, time.Now().Add(time.Hour))
		case <-v.pauseTomorrow.ClickedCh:
			t.pause(ctx, tomorrow(time.Now()))
		case <-v.resume.ClickedCh:
			t.pause(ctx, time.Time{})
		case <-v.login.ClickedCh:
			t.login(ctx)
		case <-v.wrong.ClickedCh:
			t.queue(t.shows, func() { t.o.Open(ScreenRecover) })
		case <-v.open.ClickedCh:
			t.queue(t.shows, func() { t.o.Open(ScreenHome) })
		case <-v.quit.ClickedCh:
			t.queue(t.shows, func() {
				t.o.Quit()
				t.cancel()
			})
		}
	}
}

func (t *tray) pause(ctx context.Context, until time.Time) {
	t.call("pause", func() error { return t.o.Service.Pause(ctx, until) })
}

// login turns start at login on, or off where the menu says that it is on. Where
// the system does not let it the owner is shown the settings, which say why.
func (t *tray) login(ctx context.Context) {
	t.mu.Lock()
	on := !t.status.Autostart
	t.mu.Unlock()
	t.call("start at login", func() error {
		s, err := t.o.Service.Settings(ctx)
		if err == nil && s.Autostart != on {
			s.Autostart = on
			err = t.o.Service.SetSettings(ctx, s)
		}
		if err != nil {
			t.queue(t.shows, func() { t.o.Open(ScreenSettings) })
		}
		return err
	})
}

// call asks the guard for something. What becomes of it shows in the status.
func (t *tray) call(what string, fn func() error) {
	t.queue(t.calls, func() {
		if err := fn(); err != nil {
			t.o.Log.Warn("The guard refused a click in the tray", "what", what, "error", err)
		}
	})
}

// queue passes a click on, and drops it when many wait already.
func (t *tray) queue(to chan func(), fn func()) {
	select {
	case to <- fn:
	default:
		t.o.Log.Warn("A click in the tray was dropped, others still wait")
	}
}

func work(ctx context.Context, jobs chan func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case job := <-jobs:
			job()
		}
	}
}
