package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
)

// storageKind is one kind of storage as data.
type storageKind struct {
	spec app.KindSpec
	// open reaches the storage without writing to it; create says that the
	// location may not be there yet.
	open func(ctx context.Context, s app.StorageSpec, create bool) (*location, error)
}

func storageKinds() []storageKind {
	return []storageKind{
		{spec: folderSpec(), open: openFolder},
		{spec: s3Spec(), open: openS3},
	}
}

// location is a place a vault lies in, or may come to lie in.
type location struct {
	kind    app.Kind
	where   string // for the owner
	offSite bool
	// remote says that every request takes a round trip, so that caches and
	// prefetching pay.
	remote bool
	root   string // of a folder
	base   blob.Storage
	store  *guarded // base as Kopia sees it

	// survey tells what lies here without leaving a trace.
	survey func(ctx context.Context) (app.LocationState, error)
	// present returns an error with a code unless the vault is still here.
	present func(ctx context.Context) error
	// free returns the bytes left, -1 when the storage does not tell.
	free func() int64
	// sweep removes what killed writers left behind, if they leave anything.
	sweep func(ctx context.Context, olderThan time.Duration) error
}

func openLocation(ctx context.Context, s app.StorageSpec, create bool) (*location, error) {
	for _, k := range storageKinds() {
		if k.spec.Kind != s.Kind {
			continue
		}
		if err := k.spec.CheckSettings(s.Settings, s.Secrets); err != nil {
			return nil, err
		}
		loc, err := k.open(ctx, s, create)
		if err != nil {
			return nil, translate("open storage", err)
		}
		loc.kind = s.Kind
		loc.store = guard(loc)
		return loc, nil
	}
	return nil, app.Errorf(app.CodeUsage, "open storage", "no kind of storage %q", s.Kind).With("field", "kind")
}

func (l *location) close(ctx context.Context) error {
	l.store.release()
	if err := l.base.Close(ctx); err != nil {
		return fmt.Errorf("close storage: %w", err)
	}
	return nil
}

// blobPresent checks for the format blob through the storage itself.
func blobPresent(st blob.Storage, where string) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := st.GetMetadata(ctx, format.KopiaRepositoryBlobID)
		if errors.Is(err, blob.ErrBlobNotFound) {
			return app.Errorf(app.CodeVaultMissing, "look for vault", "no format blob in %s", where).With("where", where)
		}
		return translate("look for vault", err)
	}
}

func noSweep(context.Context, time.Duration) error { return nil }
