package storage

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

// listPatience is how long listing may fail before whoever waits for it is told.
// Kopia reads its index anew until that works or its context ends: with a
// storage that went away in between, a backup would stand still for ever.
const listPatience = 45 * time.Second

// listing ends what waits for a storage that can't be listed any more.
type listing struct {
	patience time.Duration

	mu    sync.Mutex
	since time.Time // of the first failure after the last success
	ends  map[*context.CancelCauseFunc]struct{}
}

func newListing() *listing {
	return &listing{patience: listPatience, ends: map[*context.CancelCauseFunc]struct{}{}}
}

// Bound returns a context that also ends when the storage can't be listed any
// more, and what has to be called when that is to be no longer so; the context
// itself goes on, for Kopia keeps some. The storage's error is then the
// context's cause, and what TakeError returns.
func (g *Guarded) Bound(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	l := g.listing
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[&cancel] = struct{}{}
	return ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.ends, &cancel)
	}
}

// ListBlobs implements [blob.Storage].
func (g *Guarded) ListBlobs(ctx context.Context, prefix blob.ID, found func(blob.Metadata) error) error {
	var stopped error // by the caller, not by the storage
	err := g.Storage.ListBlobs(ctx, prefix, func(m blob.Metadata) error {
		stopped = found(m)
		return stopped
	})
	switch {
	case err == nil, stopped != nil && errors.Is(err, stopped):
		g.listing.worked()
	case ctx.Err() == nil:
		err = fmt.Errorf("list blobs: %w", err)
		if g.listing.failed(err) {
			return g.note(context.WithoutCancel(ctx), err)
		}
	}
	return err
}

func (l *listing) worked() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since = time.Time{}
}

// failed notes a failure, and reports whether patience has come to its end: then
// everything that is bound ends.
func (l *listing) failed(err error) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since.IsZero() {
		l.since = time.Now()
	}
	if time.Since(l.since) < l.patience {
		return false
	}
	for end := range l.ends {
		(*end)(app.Errorf(app.CodeStorageOffline, "list blobs", "failing since %s: %w", l.since.Format(time.TimeOnly), err))
	}
	return true
}
