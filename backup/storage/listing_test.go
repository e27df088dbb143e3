package storage

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
)

// unlistable is a storage whose listings fail while broken.
type unlistable struct {
	blob.Storage
	broken error
}

func (u *unlistable) ListBlobs(_ context.Context, _ blob.ID, found func(blob.Metadata) error) error {
	if u.broken != nil {
		return u.broken
	}
	return found(blob.Metadata{BlobID: "x"})
}

// Kopia tries to read its index until its context ends; that has to end when
// the storage is gone.
func TestGuarded_ListingFailsForGood(t *testing.T) {
	t.Parallel()
	gone := app.Errorf(app.CodeStorageOffline, "list", "no network")
	st := &unlistable{broken: gone}
	g := &Guarded{Storage: st, listing: newListing(), loc: &Location{}}
	g.listing.patience = 50 * time.Millisecond
	ctx, done := g.Bound(t.Context())
	defer done()
	list := func() error { return g.ListBlobs(ctx, "x", func(blob.Metadata) error { return nil }) }
	for start := time.Now(); ctx.Err() == nil; time.Sleep(5 * time.Millisecond) {
		if time.Since(start) > time.Minute {
			t.Fatal("it goes on for ever")
		}
		if err := list(); err == nil {
			t.Fatal("it listed")
		}
	}
	if app.CodeOf(context.Cause(ctx)) != app.CodeStorageOffline || app.CodeOf(g.TakeError()) != app.CodeStorageOffline {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
	if t.Context().Err() != nil {
		t.Error("the caller's own context ended")
	}
}

func TestGuarded_ListingComesBack(t *testing.T) {
	t.Parallel()
	st := &unlistable{}
	g := &Guarded{Storage: st, listing: newListing(), loc: &Location{}}
	g.listing.patience = 50 * time.Millisecond
	ctx, done := g.Bound(t.Context())
	defer done()
	enough := errors.New("seen enough")
	for i := range 30 {
		st.broken = nil
		if i%3 == 2 {
			st.broken = errors.New("one bad moment")
		}
		if err := g.ListBlobs(ctx, "x", func(blob.Metadata) error { return enough }); err == nil {
			t.Fatal("the caller's own error was lost")
		}
		time.Sleep(5 * time.Millisecond)
	}
	if ctx.Err() != nil {
		t.Errorf("ended by %v", context.Cause(ctx))
	}
}
