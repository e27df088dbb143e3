package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/blob/sharded"
	"github.com/kopia/kopia/repo/content"

	"kvart/app"
	"kvart/backup/mirror"
	"kvart/backup/storage"
)

const (
	// copyWorkers objects are on their way at once to a place with round trips.
	// Each of them may be a whole pack in memory.
	copyWorkers = 3
	// copyMarkerFile is the marker's file in a folder.
	copyMarkerFile = string(mirror.Marker) + sharded.CompleteBlobSuffix
)

var _ app.Copier = (*Vault)(nil)

// Copy implements [app.Copier]. It goes on beside everything else: what a Save
// adds meanwhile is for the next time.
func (v *Vault) Copy(ctx context.Context, to app.StorageSpec, share float64, p app.Progress) (app.CopyReport, error) {
	ctx = withLog(ctx, v.log)
	if p == nil {
		p = noProgress{}
	}
	switch {
	case !to.AsOf.IsZero():
		return app.CopyReport{}, app.Errorf(app.CodeUsage, "copy vault", "a copy can't be made in the past")
	case !v.asOf.IsZero():
		return app.CopyReport{}, app.Errorf(app.CodeVaultPast, "copy vault", "what came since would count as let go")
	}
	rep, err := v.copyTo(ctx, to, share, p)
	if err != nil {
		return app.CopyReport{}, stopped(ctx, "copy vault", err)
	}
	return rep, nil
}

func (v *Vault) copyTo(ctx context.Context, to app.StorageSpec, share float64, p app.Progress) (rep app.CopyReport, err error) {
	from, err := v.mirrored(ctx)
	if err != nil {
		return rep, err
	}
	known := v.knowsCopy(to)
	// Only a copy that was never made may make its folder: that of an unplugged
	// disk must not grow where the disk was mounted.
	loc, err := storage.Open(ctx, to, !known)
	if err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, loc.Close(ctx)) }()
	place, err := v.place(ctx, loc, known)
	if err != nil {
		return rep, err
	}
	if from.Instead, err = v.copyLock(ctx, loc, place.Lock); err != nil {
		return rep, err
	}
	rep, err = mirror.Sync(ctx, from, place, share, p)
	if loc.Root != "" && copyPresent(loc.Root) == nil {
		err = errors.Join(err, v.rememberCopy(to)) // half-made or not
	}
	return rep, err
}

// place describes a location to copy to, and refuses one that can't be one.
func (v *Vault) place(ctx context.Context, loc *storage.Location, known bool) (mirror.Place, error) {
	state, err := loc.Survey(ctx)
	if err != nil {
		return mirror.Place{}, fmt.Errorf("look at %s: %w", loc.Where, err)
	}
	lock, err := retentionFor(loc.Lock)
	if err != nil {
		return mirror.Place{}, err
	}
	p := mirror.Place{
		Store: loc.Store, Where: loc.Where, Begin: state == app.LocationEmpty, Free: loc.Free, Workers: 1,
		Lock:    blob.PutOptions{RetentionMode: lock.RetentionMode, RetentionPeriod: lock.RetentionPeriod},
		Present: func(context.Context) error { return nil },
		Refused: func(err error) bool {
			code := app.CodeOf(storage.Translate("delete", err))
			return code == app.CodeStorageDenied || code == app.CodeStorageRight
		},
	}
	if loc.Remote {
		p.Workers = copyWorkers
	}
	if loc.Root == "" {
		return p, nil
	}
	if err := v.apart(loc.Root); err != nil {
		return mirror.Place{}, err
	}
	p.Present = func(context.Context) error { return copyPresent(loc.Root) }
	switch {
	case state == app.LocationForeign && copyPresent(loc.Root) != nil:
		return mirror.Place{}, app.Errorf(app.CodeStorageForeign, "copy vault", "%s holds other data", loc.Root).With("where", loc.Root)
	case state == app.LocationEmpty && known && sameDisk(loc.Root, v.dir):
		// The folder a disk is mounted at, without the disk.
		return mirror.Place{}, copyPresent(loc.Root)
	}
	return p, nil
}

// copyPresent returns an error unless a copy lies in the folder.
func copyPresent(root string) error {
	_, err := os.Stat(filepath.Join(root, copyMarkerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return app.Errorf(app.CodeStorageGone, "look for copy", "%w", err).With("where", root)
	}
	return storage.Translate("look for copy", err)
}

// apart makes sure that neither of copy and vault lies in the other.
func (v *Vault) apart(root string) error {
	if v.loc.Root == "" {
		return nil
	}
	mine, err := filepath.EvalSymlinks(v.loc.Root)
	if err != nil {
		return fmt.Errorf("resolve vault's folder: %w", err)
	}
	theirs, err := filepath.EvalSymlinks(root)
	if err != nil {
		return fmt.Errorf("resolve copy's folder: %w", err)
	}
	if within(mine, theirs) || within(theirs, mine) {
		return app.Errorf(app.CodeStorageUnsafe, "copy vault", "%s and %s overlap", mine, theirs).With("where", root)
	}
	return nil
}

// within reports whether path is dir or lies in it.
func within(dir, path string) bool {
	rel, err := filepath.Rel(dir, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// mirrored describes the vault to copy from, after making sure that what would
// be copied opens.
func (v *Vault) mirrored(ctx context.Context) (mirror.Vault, error) {
	if v.closed() {
		return mirror.Vault{}, app.Errorf(app.CodeInternal, "use vault", "it is closed")
	}
	if err := v.loc.Present(ctx); err != nil {
		return mirror.Vault{}, err
	}
	bad, err := v.badFormat(ctx)
	if err != nil {
		return mirror.Vault{}, err
	}
	if bad != "" {
		return mirror.Vault{}, app.Errorf(app.CodeVaultDamaged, "copy vault", "%s can't be read", bad)
	}
	if err := v.refresh(ctx); err != nil {
		return mirror.Vault{}, err
	}
	objects, err := needed(ctx, v.rep)
	if err != nil {
		return mirror.Vault{}, err
	}
	j := &judge{v: v, open: openerOf(v.rep.ContentReader().ContentFormat()), needed: objects}
	from := mirror.Vault{
		ID: v.id, Store: whileOpen{v.loc.Store, v}, Prepare: j.prepare, Sound: j.sound,
		Needed: func(id blob.ID) bool { return objects[id] != nil },
	}
	for _, o := range objects {
		from.Live += o.used
	}
	return from, nil
}

// judge tells whether objects of the vault are sound.
type judge struct {
	v      *Vault
	open   opener
	needed map[blob.ID]*storedObject

	mu     sync.Mutex // guards what follows
	pieces map[blob.ID][]content.Info
}

// prepare looks up what lies in some packs, in the newest index.
func (j *judge) prepare(ctx context.Context, ids []blob.ID) error {
	packs := map[blob.ID]bool{}
	for _, id := range ids {
		if isPack(id) {
			packs[id] = true
		}
	}
	if len(packs) == 0 {
		return nil
	}
	if err := j.v.refresh(ctx); err != nil {
		return err
	}
	pieces, err := piecesOf(ctx, j.v.rep, packs)
	if err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.pieces = pieces
	return nil
}

func (j *judge) sound(id blob.ID, b []byte) error {
	if !isPack(id) {
		if j.needed[id] == nil {
			return nil
		}
		return j.open.openIndex(id, b)
	}
	j.mu.Lock()
	pieces := j.pieces[id]
	j.mu.Unlock()
	if bad := j.open.badPieces(pieces, b); len(bad) > 0 {
		return fmt.Errorf("%d of %d pieces in %s can't be read", len(bad), len(pieces), id)
	}
	return nil
}

// whileOpen reads from the vault's storage until the vault is closed.
type whileOpen struct {
	blob.Reader
	v *Vault
}

func (w whileOpen) ListBlobs(ctx context.Context, prefix blob.ID, fn func(blob.Metadata) error) error {
	if err := w.Reader.ListBlobs(ctx, prefix, fn); err != nil {
		return err //nolint:wrapcheck // of the storage, as it is
	}
	if w.v.loc.Root == "" {
		return nil
	}
	return w.v.loc.Present(ctx) // an empty mount point lists without a word
}

func (w whileOpen) GetBlob(ctx context.Context, id blob.ID, offset, length int64, out blob.OutputBuffer) error {
	if w.v.closed() {
		return app.Errorf(app.CodeCanceled, "read vault", "it was closed")
	}
	if err := w.Reader.GetBlob(ctx, id, offset, length, out); err != nil {
		// A disk that was pulled looks as if all had been deleted.
		if errors.Is(err, blob.ErrBlobNotFound) && id != mirror.Marker {
			if gone := w.v.loc.Present(ctx); gone != nil {
				return gone
			}
		}
		return err //nolint:wrapcheck // of the storage, as it is
	}
	return nil
}
