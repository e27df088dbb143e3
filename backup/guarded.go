package backup

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/kopia/kopia/repo/blob"
)

// guarded is a storage as Kopia sees it. It hides the storage's secrets from
// repository.config, refuses to write where the vault has gone, and remembers
// the typed error of the last failed write: Kopia often passes only its text
// on, and a storage that fails must never look like a source that fails.
type guarded struct {
	blob.Storage
	id  string
	loc *location
	// settled is set once a vault lies here; from then on writing needs it.
	settled atomic.Bool

	mu      sync.Mutex
	lastErr error
}

func guard(loc *location) *guarded {
	g := &guarded{Storage: loc.base, loc: loc}
	g.id = storages.add(g)
	return g
}

func (g *guarded) release() { storages.remove(g.id) }

// ConnectionInfo implements [blob.Storage].
func (g *guarded) ConnectionInfo() blob.ConnectionInfo {
	return blob.ConnectionInfo{Type: storageType, Config: &storageRef{ID: g.id}}
}

// PutBlob implements [blob.Storage].
func (g *guarded) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, opts blob.PutOptions) error {
	if g.settled.Load() && g.loc.root != "" {
		// A disk that was pulled in mid-session leaves its mount point: nothing
		// may grow there.
		if err := g.loc.present(ctx); err != nil {
			return g.note(ctx, err)
		}
	}
	if err := g.Storage.PutBlob(ctx, id, data, opts); err != nil {
		return g.note(ctx, fmt.Errorf("write blob %s: %w", id, err))
	}
	return nil
}

// Close implements [blob.Storage]. Several connections share the storage, so
// it is closed with the vault.
func (g *guarded) Close(context.Context) error { return nil }

func (g *guarded) note(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lastErr = err
	return err
}

// takeError returns the error of the last failed write and forgets it.
func (g *guarded) takeError() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	err := g.lastErr
	g.lastErr = nil
	return err
}
