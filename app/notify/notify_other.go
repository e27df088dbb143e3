//go:build !linux

package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/gen2brain/beeep"

	"kvart/app"
	"kvart/assets"
)

// Notifier implements [app.Notifier]. It is safe for concurrent use.
type Notifier struct {
	log  *slog.Logger
	busy chan struct{} // one notice at a time: the library's calls can't be ended

	mu   sync.Mutex
	last map[string]app.Notice // shown and not resolved, by cause
}

var _ app.Notifier = (*Notifier)(nil)

// New returns a notifier.
func New(log *slog.Logger) *Notifier {
	beeep.AppName = app.Name
	return &Notifier{log: log, busy: make(chan struct{}, 1), last: map[string]app.Notice{}}
}

// Notify implements [app.Notifier]. These systems can't replace a notice, so
// one that says the same as the last of its cause is not shown again. It fails
// when the system does not answer within two seconds.
func (n *Notifier) Notify(ctx context.Context, notice app.Notice) error {
	n.mu.Lock()
	same := n.last[notice.Cause] == notice
	n.mu.Unlock()
	if same {
		return nil
	}
	state, show := assets.MarkSafe, beeep.Notify
	if notice.Alarm {
		state, show = assets.MarkAlarm, beeep.Alert
	}
	m := assets.NewMark(state)
	m.Plate = true
	icon, err := m.PNG(96)
	if err != nil {
		return fmt.Errorf("show notice: %w", err)
	}
	if err := n.call(ctx, func() error { return show(notice.Title, notice.Text, icon) }); err != nil {
		return fmt.Errorf("show notice: %w", err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.last[notice.Cause] = notice
	return nil
}

// Resolve implements [app.Notifier]. These systems take notices away by
// themselves; a later notice of the cause is shown again.
func (n *Notifier) Resolve(_ context.Context, cause string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.last, cause)
	return nil
}

// Close lets go of what the notifier holds, which is nothing here.
func (n *Notifier) Close() error { return nil }

// call runs fn, and leaves it behind when it takes too long.
func (n *Notifier) call(ctx context.Context, fn func() error) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	select {
	case n.busy <- struct{}{}:
	case <-ctx.Done():
		return errors.New("the desktop does not answer")
	}
	done := make(chan error, 1)
	go func() {
		defer func() { <-n.busy }()
		done <- fn()
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}
