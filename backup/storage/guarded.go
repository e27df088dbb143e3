package storage

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

// Guarded is a storage as Kopia sees it. It hides the storage's secrets from
// repository.config, refuses to write where the vault has gone, and remembers
// the typed error of the last failed write: Kopia often passes only its text
// on, and a storage that fails must never look like a source that fails.
type Guarded struct {
	blob.Storage
	steady  *steady
	id      string
	loc     *Location
	listing *listing
	// settled is set once a vault lies here; from then on writing needs it.
	settled atomic.Bool

	mu      sync.Mutex
	lastErr error
}

func guard(loc *Location, base *steady) *Guarded {
	g := &Guarded{Storage: base, steady: base, listing: newListing(), loc: loc}
	g.id = storages.add(g)
	return g
}

// Settle says that a vault lies here: from now on writing needs it.
func (g *Guarded) Settle() { g.settled.Store(true) }

func (g *Guarded) release() { storages.remove(g.id) }

// ConnectionInfo implements [blob.Storage].
func (g *Guarded) ConnectionInfo() blob.ConnectionInfo {
	return blob.ConnectionInfo{Type: storageType, Config: &storageRef{ID: g.id}}
}

// Trying returns why the storage is being waited for, with a code, and nil while
// all goes well. It may be asked at any time.
func (g *Guarded) Trying() error { return Translate("try again", g.steady.trying()) }

// PutBlob implements [blob.Storage].
func (g *Guarded) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, opts blob.PutOptions) error {
	if err := g.writable(ctx); err != nil {
		return g.note(ctx, err)
	}
	if err := g.Storage.PutBlob(ctx, id, data, opts); err != nil {
		return g.note(ctx, fmt.Errorf("write blob %s: %w", id, err))
	}
	return nil
}

// DeleteBlob implements [blob.Storage].
func (g *Guarded) DeleteBlob(ctx context.Context, id blob.ID) error {
	if err := g.past(); err != nil {
		return g.note(ctx, err)
	}
	return g.Storage.DeleteBlob(ctx, id)
}

// ExtendBlobRetention implements [blob.Storage].
func (g *Guarded) ExtendBlobRetention(ctx context.Context, id blob.ID, opts blob.ExtendOptions) error {
	if err := g.past(); err != nil {
		return g.note(ctx, err)
	}
	return g.Storage.ExtendBlobRetention(ctx, id, opts)
}

// writable returns an error where nothing may be stored.
func (g *Guarded) writable(ctx context.Context) error {
	if err := g.past(); err != nil {
		return err
	}
	if g.settled.Load() && g.loc.Root != "" {
		// A disk that was pulled in mid-session leaves its mount point: nothing
		// may grow there.
		return g.loc.Present(ctx)
	}
	return nil
}

// past returns an error where the past is shown.
func (g *Guarded) past() error {
	if g.loc.AsOf.IsZero() {
		return nil
	}
	return app.Errorf(app.CodeVaultPast, "write to storage", "it is shown as it was at %s", g.loc.AsOf).With("where", g.loc.Where)
}

// Close implements [blob.Storage]. Several connections share the storage, so
// it is closed with the vault.
func (g *Guarded) Close(context.Context) error { return nil }

func (g *Guarded) note(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lastErr = err
	return err
}

// TakeError returns the error of the last failed write and forgets it.
func (g *Guarded) TakeError() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.lastErr
	g.lastErr = nil
	return err
}
