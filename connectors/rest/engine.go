package rest

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kvart/app"
)

// Options are what every engine of a process shares.
type Options struct {
	// Dir is a folder for mirrors, which may be deleted at any time while Kvart
	// isn't running; "" means one among the system's own caches.
	Dir string
	Log *slog.Logger
	// Now is the clock; nil means the computer's.
	Now func() time.Time
	// Files fetches pictures, without credentials; nil means the usual way.
	Files *http.Client
}

// Engine is a connector for one make of shop. It is safe for concurrent use.
type Engine struct {
	platform Platform
	kinds    []Kind // in order of restoring
	byName   map[string]Kind
	o        Options
	slice    time.Duration // of a capture's time for what is promised for the night
	settles  time.Duration // that a restore waits for what an earlier one began

	mu     sync.Mutex
	shops  map[app.SourceID]chan struct{} // full while a mirror is written
	looked map[app.SourceID]look
	// saved is when the present state of a shop was read whole, for the safety
	// point of a restore that is about to begin.
	saved map[app.SourceID]time.Time
	// touched is what was written since then.
	touched map[app.SourceID]writing
}

var (
	_ app.Connector = (*Engine)(nil)
	_ app.Restorer  = (*Engine)(nil)
	_ app.Differ    = (*Engine)(nil)
	_ app.Forgetter = (*Engine)(nil)
)

// New returns a connector for the platform.
func New(p Platform, o Options) *Engine {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Files == nil {
		o.Files = &http.Client{Timeout: 5 * time.Minute}
	}
	e := &Engine{
		platform: p, kinds: inOrder(p.Kinds()), byName: map[string]Kind{}, o: o, slice: 30 * time.Second, settles: settleLasts,
		shops: map[app.SourceID]chan struct{}{}, looked: map[app.SourceID]look{}, saved: map[app.SourceID]time.Time{}, touched: map[app.SourceID]writing{},
	}
	for _, k := range e.kinds {
		e.byName[k.Name] = k
	}
	return e
}

// Spec implements [app.Connector].
func (e *Engine) Spec() app.KindSpec { return e.platform.Spec() }

// Table is what sorts of records there are and how each is handled, in order
// of restoring: for documents and the window.
func (e *Engine) Table() []Kind { return e.kinds }

// dir returns the folder of a source's mirror, which it makes.
func (e *Engine) dir(s app.Source) (string, error) {
	dir, err := e.place(s)
	if err != nil {
		return "", err
	}
	return dir, os.MkdirAll(dir, 0o700)
}

func (e *Engine) place(s app.Source) (string, error) {
	base := e.o.Dir
	if base == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return "", err
		}
		base = filepath.Join(cache, "kvart", "shops")
	}
	return filepath.Join(base, string(e.Spec().Kind)+"-"+string(s.ID)), nil
}

// Forget implements [app.Forgetter]: it deletes the mirror, which holds the
// shop's customers.
func (e *Engine) Forget(ctx context.Context, s app.Source) error {
	unlock, err := e.lock(ctx, s)
	if err != nil {
		return err
	}
	defer unlock()
	dir, err := e.place(s)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("delete the shop's mirror: %w", err)
	}
	return nil
}

// lock waits until nobody else writes the source's mirror.
func (e *Engine) lock(ctx context.Context, s app.Source) (unlock func(), err error) {
	e.mu.Lock()
	free := e.shops[s.ID]
	if free == nil {
		free = make(chan struct{}, 1)
		e.shops[s.ID] = free
	}
	e.mu.Unlock()
	select {
	case free <- struct{}{}:
		return func() { <-free }, nil
	case <-ctx.Done():
		return nil, &app.Error{Code: app.CodeCanceled, Op: "shop: wait", Err: ctx.Err()}
	}
}
