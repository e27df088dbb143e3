// Package storage reaches the places a vault can lie in: a folder, buckets,
// file servers. Every kind is data (fields, capabilities) and one function
// that opens it; what comes out is a [Location], proven or refused with a code.
// It knows Kopia's storages but nothing of vaults, points or sources.
package storage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
)

// kind is one kind of storage as data.
type kind struct {
	spec app.KindSpec
	// open reaches the storage without writing to it; create says that the
	// location may not be there yet. It leaves out Survey and Present where
	// blobs tell.
	open func(ctx context.Context, s app.StorageSpec, create bool) (*Location, error)
	// past says that it can be opened as it was: see [app.StorageSpec.AsOf].
	past bool
}

func kinds() []kind {
	return []kind{
		{spec: folderSpec(), open: openFolder},
		{spec: s3Spec(), open: openS3, past: true},
		{spec: b2Spec(), open: openB2},
		{spec: azureSpec(), open: openAzure, past: true},
		{spec: gcsSpec(), open: openGCS, past: true},
		{spec: sftpSpec(), open: openSFTP},
		{spec: webdavSpec(), open: openWebDAV},
		{spec: rcloneSpec(), open: openRclone},
	}
}

// Kinds describes every kind of storage.
func Kinds() []app.KindSpec {
	var specs []app.KindSpec
	for _, k := range kinds() {
		specs = append(specs, k.spec)
	}
	return specs
}

// Location is a place a vault lies in, or may come to lie in.
type Location struct {
	Kind    app.Kind
	Where   string // for the owner
	OffSite bool
	// Remote says that every request takes a round trip, so that caches and
	// prefetching pay.
	Remote bool
	Root   string       // of a folder
	Base   blob.Storage // as the storage is; a reader of the past where AsOf was asked
	Store  *Guarded     // Base as Kopia sees it
	Lock   app.LockSettings
	AsOf   time.Time // the moment of the past it is shown at; nothing can be stored there

	// Survey tells what lies here without leaving a trace.
	Survey func(ctx context.Context) (app.LocationState, error)
	// Present returns an error with a code unless the vault is still here.
	Present func(ctx context.Context) error
	// Free returns the bytes left, -1 when the storage does not tell.
	Free func(ctx context.Context) int64
	// Sweep removes what killed writers left behind, if they leave anything.
	Sweep func(ctx context.Context, olderThan time.Duration) error
	// Locks reports whether this very place can refuse deletion; nil where no
	// place of the kind can.
	Locks func(ctx context.Context) (bool, error)
	// ProveLock tries to delete a locked object of its own with the very key
	// that backs up, locked as lock says; nil where the storage can't lock.
	ProveLock func(ctx context.Context, lock app.LockSettings) (app.LockProof, error)
	// Hidden returns the last moment at which the vault's format blob was there
	// to be seen, for a location whose objects may have been deleted or hidden
	// while older versions are still kept; the zero time when there is no such
	// moment. It is nil where the storage keeps no versions.
	Hidden func(ctx context.Context) (time.Time, error)
	// Rewind makes everything here again as it was at a time, and returns how
	// many objects it brought back; nil where the storage can't.
	Rewind func(ctx context.Context, at time.Time) (int, error)
}

// Open reaches a storage without writing to it; create says that the location
// may not be there yet.
func Open(ctx context.Context, s app.StorageSpec, create bool) (*Location, error) {
	for _, k := range kinds() {
		if k.spec.Kind != s.Kind {
			continue
		}
		if err := k.spec.CheckSettings(s.Settings, s.Secrets); err != nil {
			return nil, err
		}
		if !s.AsOf.IsZero() && !k.past {
			return nil, app.Errorf(app.CodeUsage, "open storage", "%s keeps no versions", k.spec.Kind).With("field", "asOf")
		}
		loc, err := k.open(ctx, s, create)
		if err != nil {
			return nil, Translate("open storage", err)
		}
		loc.Kind, loc.AsOf = s.Kind, s.AsOf
		loc.settle()
		return loc, nil
	}
	return nil, app.Errorf(app.CodeUsage, "open storage", "no kind of storage %q", s.Kind).With("field", "kind")
}

// settle puts Kvart's own layers round what a kind has opened.
func (l *Location) settle() {
	base := steadied(l.Base)
	l.Base = base
	l.Store = guard(l, base)
	if l.Survey == nil {
		l.Survey = func(ctx context.Context) (app.LocationState, error) { return surveyBlobs(ctx, base) }
	}
	if l.Present == nil {
		l.Present = blobPresent(base, l.Where)
	}
	if present := l.Present; l.Hidden != nil {
		l.Present = func(ctx context.Context) error {
			err := present(ctx)
			if app.CodeOf(err) == app.CodeVaultMissing {
				return l.Missing(ctx)
			}
			return err
		}
	}
}

// Missing returns the error for a location that should hold a vault and whose
// format blob is not there: [app.CodeVaultHidden] when an older version of it
// is still kept, [app.CodeVaultMissing] otherwise.
func (l *Location) Missing(ctx context.Context) error {
	cause := errors.New("no format blob")
	if l.Hidden != nil && l.AsOf.IsZero() {
		at, err := l.Hidden(ctx)
		switch {
		case ctx.Err() != nil:
			return Translate("look for vault", ctx.Err())
		case app.CodeOf(err) == app.CodeStorageGone, app.CodeOf(err) == app.CodeStorageDenied:
			return err // to Kopia a missing bucket is a missing blob
		case err != nil:
			cause = fmt.Errorf("no format blob, and its versions: %w", terse{err})
		case !at.IsZero():
			return app.Errorf(app.CodeVaultHidden, "look for vault", "the format blob in %s was there until %s", l.Where, at).
				With("where", l.Where).With("at", moment(at))
		}
	}
	return app.Errorf(app.CodeVaultMissing, "look for vault", "%w in %s", cause, l.Where).With("where", l.Where)
}

// moment writes a time so that it can be asked for again without losing any of
// it.
func moment(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }

// Close lets the storage go.
func (l *Location) Close(ctx context.Context) error {
	l.Store.release()
	if err := l.Base.Close(ctx); err != nil {
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
		return Translate("look for vault", err)
	}
}

func noSweep(context.Context, time.Duration) error { return nil }

func freeUnknown(context.Context) int64 { return -1 }
