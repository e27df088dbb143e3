package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"

	"kvart/backup/storage"
)

// copyLock returns what says in the copy how it locks, where that is not what
// the vault says: a storage that can't lock refuses every write of a repository
// that is told to, and one that can must go on locking when the copy has become
// the vault.
func (v *Vault) copyLock(ctx context.Context, loc *storage.Location, lock blob.PutOptions) (map[blob.ID][]byte, error) {
	want := format.BlobStorageConfiguration{RetentionMode: lock.RetentionMode, RetentionPeriod: lock.RetentionPeriod}
	cfg, err := v.rep.FormatManager().BlobCfgBlob(ctx)
	if err != nil {
		return nil, fmt.Errorf("read lock settings: %w", err)
	}
	if cfg == want {
		return nil, nil
	}
	formatBlob, err := storage.ReadBlob(ctx, v.loc.Store, format.KopiaRepositoryBlobID)
	if err != nil {
		return nil, fmt.Errorf("read format blob: %w", err)
	}
	there, err := v.copyLockThere(ctx, loc, formatBlob, want)
	if err == nil && there == nil {
		there, err = v.newCopyLock(ctx, formatBlob, want)
	}
	return map[blob.ID][]byte{format.KopiaBlobCfgBlobID: there}, err
}

// copyLockThere returns what the copy says already if that is what it should
// say, else nil.
func (v *Vault) copyLockThere(ctx context.Context, loc *storage.Location, formatBlob []byte, want format.BlobStorageConfiguration) ([]byte, error) {
	if loc.Root != "" && copyPresent(loc.Root) != nil {
		return nil, nil // Kopia's provider leaves a file in any folder it looks into
	}
	b, err := storage.ReadBlob(ctx, loc.Store, format.KopiaBlobCfgBlobID)
	switch {
	case errors.Is(err, blob.ErrBlobNotFound):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read lock settings of the copy: %w", err)
	}
	seeming := &overlaid{v.loc.Store, map[blob.ID][]byte{format.KopiaRepositoryBlobID: formatBlob, format.KopiaBlobCfgBlobID: b}}
	fm, err := format.NewManager(ctx, seeming, "", -1, v.passphrase().Reveal(), v.now)
	if err != nil {
		return nil, nil //nolint:nilerr // under an older passphrase, or damaged: it is written anew
	}
	if cfg, err := fm.BlobCfgBlob(ctx); err != nil || cfg != want {
		return nil, nil //nolint:nilerr // as above
	}
	return b, nil
}

// newCopyLock makes the object that says how a repository locks.
func (v *Vault) newCopyLock(ctx context.Context, formatBlob []byte, want format.BlobStorageConfiguration) ([]byte, error) {
	j, err := format.ParseKopiaRepositoryJSON(formatBlob)
	if err != nil {
		return nil, fmt.Errorf("read format blob: %w", err)
	}
	key, err := j.DeriveFormatEncryptionKeyFromPassword(v.passphrase().Reveal())
	if err != nil {
		return nil, fmt.Errorf("derive key: %w", err)
	}
	c := &caught{Storage: v.loc.Store}
	if err := j.WriteBlobCfgBlob(ctx, c, want, key); err != nil {
		return nil, fmt.Errorf("write lock settings: %w", err)
	}
	return c.Bytes(), nil
}

// caught is a storage that keeps what is put to itself.
type caught struct {
	blob.Storage
	bytes.Buffer
}

// PutBlob implements [blob.Storage].
func (c *caught) PutBlob(_ context.Context, id blob.ID, data blob.Bytes, _ blob.PutOptions) error {
	if _, err := data.WriteTo(io.Writer(&c.Buffer)); err != nil {
		return fmt.Errorf("catch %s: %w", id, err)
	}
	return nil
}
