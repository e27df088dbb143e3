package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
	"kvart/backup/storage"
)

// indexPrefix begins the names of all blobs of Kopia's index.
const indexPrefix = "x"

var _ app.KitSource = (*Vault)(nil)

// formatBlobs are the blobs without which no passphrase opens a vault: its
// master key under the passphrase, and how it locks.
func formatBlobs() []blob.ID {
	return []blob.ID{format.KopiaRepositoryBlobID, format.KopiaBlobCfgBlobID}
}

// KitBlobs implements [app.KitSource].
func (v *Vault) KitBlobs(ctx context.Context) (map[string][]byte, error) {
	ctx = withLog(ctx, v.log)
	blobs := map[string][]byte{}
	for _, id := range formatBlobs() {
		b, err := storage.ReadBlob(ctx, v.loc.Base, id)
		switch {
		case err == nil:
			blobs[string(id)] = b
		case id == format.KopiaRepositoryBlobID || !errors.Is(err, blob.ErrBlobNotFound):
			return nil, storage.Translate("read format blob", err)
		}
	}
	return blobs, nil
}

// keepFormat keeps a copy of the format blobs on this computer, encrypted as
// they are.
func (v *Vault) keepFormat(ctx context.Context) error {
	blobs, err := v.KitBlobs(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for id, b := range blobs {
		errs = append(errs, writeFile(filepath.Join(v.dir, id), b))
	}
	return errors.Join(errs...)
}

// keptFormat returns the copies that an earlier opening of a vault kept.
func keptFormat(root, id string) (map[string][]byte, error) {
	if len(id) < 2*shopIDBytes {
		return nil, nil
	}
	dir, err := stateDir(root, id)
	if err != nil {
		return nil, err
	}
	blobs := map[string][]byte{}
	for _, name := range formatBlobs() {
		b, err := os.ReadFile(filepath.Join(dir, string(name)))
		switch {
		case err == nil:
			blobs[string(name)] = b
		case !errors.Is(err, os.ErrNotExist):
			return nil, stateDirError(err)
		}
	}
	return blobs, nil
}

// putBack puts back format blobs that are missing from a storage that still
// holds the rest, from the kit or from this computer's own copy, and reports
// whether a vault lies there afterwards. Whether they are the vault's is proven
// before anything is written: with them and the passphrase its index opens.
func (p *Provider) putBack(ctx context.Context, loc *storage.Location, s app.VaultSetup, found app.LocationState) (whole bool, err error) {
	is := found == app.LocationVault
	kept, err := keptFormat(s.StateDir, s.ExpectID)
	if err != nil {
		p.log.WarnContext(ctx, "Kept copy of the format blob not read", "err", err)
	}
	if len(s.Blobs) == 0 && len(kept) == 0 {
		return is, nil
	}
	missing, err := missingFrom(ctx, loc, is)
	if err != nil || len(missing) == 0 {
		return is, err
	}
	for i, from := range []map[string][]byte{s.Blobs, kept} {
		have := map[blob.ID][]byte{}
		for _, id := range missing {
			if b := from[string(id)]; len(b) > 0 {
				have[id] = b
			}
		}
		if len(have) == 0 || !is && have[format.KopiaRepositoryBlobID] == nil {
			continue
		}
		lock, err := p.tryBlobs(ctx, loc, s, have)
		if err != nil {
			p.log.WarnContext(ctx, "Copy of the format blob does not fit", "err", err)
			if i == 0 && !is && errors.Is(err, repo.ErrInvalidPassword) {
				return false, err // the kit's, and not its passphrase
			}
			continue
		}
		return true, p.putMissing(ctx, loc, have, lock)
	}
	return is, nil
}

// putMissing puts blobs where none are, the format blob last: it makes the vault.
func (p *Provider) putMissing(ctx context.Context, loc *storage.Location, blobs map[blob.ID][]byte, lock format.BlobStorageConfiguration) error {
	for _, id := range []blob.ID{format.KopiaBlobCfgBlobID, format.KopiaRepositoryBlobID} {
		b := blobs[id]
		if b == nil {
			continue
		}
		_, err := loc.Base.GetMetadata(ctx, id)
		if err == nil {
			return app.Errorf(app.CodeBusy, "put back "+string(id), "it appeared meanwhile")
		}
		if errors.Is(err, blob.ErrBlobNotFound) {
			err = loc.Store.PutBlob(ctx, id, storage.Bytes(b), blob.PutOptions{RetentionMode: lock.RetentionMode, RetentionPeriod: lock.RetentionPeriod})
		}
		if err != nil {
			return fmt.Errorf("put back %s: %w", id, err)
		}
		p.log.WarnContext(ctx, "Put back what opens the vault", "blob", id, "where", loc.Where)
	}
	return nil
}

// tryBlobs opens the vault as if blobs lay in the storage, and returns how it
// locks. It writes nothing there.
func (p *Provider) tryBlobs(ctx context.Context, loc *storage.Location, s app.VaultSetup, blobs map[blob.ID][]byte) (lock format.BlobStorageConfiguration, err error) {
	base := loc.Store.Storage
	loc.Store.Storage = &overlaid{base, blobs}
	defer func() { loc.Store.Storage = base }()
	v, err := p.vaultIn(ctx, loc, s)
	if err != nil {
		return lock, err
	}
	v.asOf = p.now() // only for reading
	if err := v.moveToOwnDir(); err != nil {
		return lock, err
	}
	if v.rep, err = v.openRepository(ctx, v.dir, content.CachingOptions{}); err != nil {
		return lock, errors.Join(err, v.leaveDir())
	}
	defer func() { err = errors.Join(err, v.leave(ctx)) }()
	state, err := v.state(ctx)
	if err != nil {
		return lock, err
	}
	if state != stateFinished || v.marker.ShopID != v.host {
		return lock, errors.New("another vault's")
	}
	return v.rep.FormatManager().BlobCfgBlob(ctx)
}

// missingFrom returns the format blobs that are not there, of a location that
// holds what looks like a repository's packs and index.
func missingFrom(ctx context.Context, loc *storage.Location, is bool) ([]blob.ID, error) {
	if !is && loc.Root != "" {
		// Kopia's provider leaves a file in any folder it looks into.
		if names, err := filepath.Glob(filepath.Join(loc.Root, indexPrefix+"*")); err != nil || len(names) == 0 {
			return nil, err
		}
	}
	var missing []blob.ID
	for _, id := range formatBlobs() {
		_, err := loc.Base.GetMetadata(ctx, id)
		switch {
		case errors.Is(err, blob.ErrBlobNotFound):
			missing = append(missing, id)
		case err != nil:
			return nil, fmt.Errorf("look for %s: %w", id, err)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	found := errors.New("found")
	for _, prefix := range []blob.ID{content.PackBlobIDPrefixSpecial, indexPrefix} {
		err := loc.Base.ListBlobs(ctx, prefix, func(blob.Metadata) error { return found })
		switch {
		case err == nil:
			return nil, nil
		case !errors.Is(err, found):
			return nil, fmt.Errorf("look for data: %w", err)
		}
	}
	return missing, nil
}

// overlaid is a storage in which some blobs seem to lie.
type overlaid struct {
	blob.Storage

	blobs map[blob.ID][]byte
}

// GetBlob implements [blob.Storage]. The format blobs are read whole.
func (o *overlaid) GetBlob(ctx context.Context, id blob.ID, offset, length int64, out blob.OutputBuffer) error {
	b, ok := o.blobs[id]
	if !ok {
		return o.Storage.GetBlob(ctx, id, offset, length, out)
	}
	out.Reset()
	if _, err := out.Write(b); err != nil {
		return fmt.Errorf("copy %s: %w", id, err)
	}
	return nil
}
