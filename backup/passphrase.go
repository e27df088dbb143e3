package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
	"kvart/backup/storage"
)

var _ app.PassphraseChanger = (*Vault)(nil)

// ChangePassphrase implements [app.PassphraseChanger].
func (v *Vault) ChangePassphrase(ctx context.Context, passphrase app.Secret) error {
	ctx = withLog(ctx, v.log)
	if err := strongEnough("change passphrase", passphrase); err != nil {
		return err
	}
	end, err := v.beginWriting(ctx, "change passphrase")
	if err != nil {
		return err
	}
	defer end()
	return v.failed(ctx, "change passphrase", v.changePassphrase(ctx, passphrase))
}

func (v *Vault) changePassphrase(ctx context.Context, next app.Secret) error {
	if err := rekey(ctx, v.loc.Store, v.passphrase(), next, v.now); err != nil {
		return err
	}
	v.mu.Lock()
	v.pass = next
	v.mu.Unlock()
	// From here on the passphrase is changed; what follows only makes the open
	// connection know it. Kopia takes the new key before it writes, and both
	// blobs are under it already.
	ctx = context.WithoutCancel(ctx)
	if err := v.rep.FormatManager().ChangePassword(ctx, next.Reveal()); err != nil {
		v.log.WarnContext(ctx, "Format blobs not written again", "err", err)
	}
	if err := errors.Join(v.dropCachedFormat(), v.keepFormat(ctx)); err != nil {
		v.log.WarnContext(ctx, "Format blob not copied", "err", err)
	}
	return nil
}

// dropCachedFormat removes the format blobs under the old key from Kopia's
// cache.
func (v *Vault) dropCachedFormat() error {
	cache := v.usualCache().CacheDirectory
	if cache == "" {
		return nil
	}
	var errs []error
	for _, id := range formatBlobs() {
		if err := os.Remove(filepath.Join(cache, string(id))); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, stateDirError(err))
		}
	}
	return errors.Join(errs...)
}

// rekey puts the format blobs in st under another passphrase, and proves that
// it opens them.
func rekey(ctx context.Context, st blob.Storage, old, next app.Secret, now func() time.Time) error {
	r := &rekeying{Storage: st}
	m, err := format.NewManager(ctx, r, "", 0, old.Reveal(), now)
	if err != nil {
		return fmt.Errorf("read format blob: %w", err)
	}
	if r.before, err = storage.ReadBlob(ctx, st, format.KopiaRepositoryBlobID); err != nil {
		return err
	}
	if r.config, err = storage.ReadBlob(ctx, st, format.KopiaBlobCfgBlobID); err != nil && !errors.Is(err, blob.ErrBlobNotFound) {
		return err
	}
	if err := m.ChangePassword(ctx, next.Reveal()); err != nil {
		return fmt.Errorf("change password: %w", err)
	}
	return r.prove(ctx, next, now)
}

// rekeying is a storage through which Kopia changes the passphrase. Kopia
// writes the lock's blob first and then the format blob. Cut off in between, it
// leaves two blobs under two keys, which no passphrase opens. Here the lock's
// blob is taken away first and comes back last: a vault without it opens.
type rekeying struct {
	blob.Storage

	before  []byte // the format blob under the old key
	config  []byte // the lock's blob under the old key
	after   []byte // both under the new one
	locking []byte
	opts    blob.PutOptions
}

// PutBlob implements [blob.Storage].
func (r *rekeying) PutBlob(ctx context.Context, id blob.ID, data blob.Bytes, opts blob.PutOptions) error {
	b, err := io.ReadAll(data.Reader())
	if err != nil {
		return fmt.Errorf("read %s: %w", id, err)
	}
	if id == format.KopiaBlobCfgBlobID {
		r.locking, r.opts = b, opts
		return nil
	}
	r.after = b
	return r.swap(context.WithoutCancel(ctx), opts)
}

func (r *rekeying) swap(ctx context.Context, opts blob.PutOptions) error {
	if err := r.DeleteBlob(ctx, format.KopiaBlobCfgBlobID); err != nil && !errors.Is(err, blob.ErrBlobNotFound) {
		return fmt.Errorf("take away %s: %w", format.KopiaBlobCfgBlobID, err)
	}
	if err := r.Storage.PutBlob(ctx, format.KopiaRepositoryBlobID, storage.Bytes(r.after), opts); err != nil {
		// An answer that was lost is no write that was lost.
		there, unread := storage.ReadBlob(ctx, r.Storage, format.KopiaRepositoryBlobID)
		switch {
		case unread != nil:
			return errors.Join(err, unread)
		case bytes.Equal(there, r.before) && r.config != nil:
			return errors.Join(err, r.Storage.PutBlob(ctx, format.KopiaBlobCfgBlobID, storage.Bytes(r.config), opts))
		case !bytes.Equal(there, r.after):
			return err
		}
	}
	return nil
}

// prove writes the lock's blob and opens both. When another computer changed
// the passphrase at the same time, its format blob stands, and what is under
// this one's key goes.
func (r *rekeying) prove(ctx context.Context, next app.Secret, now func() time.Time) error {
	ctx = context.WithoutCancel(ctx)
	// Failing to write it is no failure: the vault opens without it, and the
	// open connection writes it once more.
	_ = r.Storage.PutBlob(ctx, format.KopiaBlobCfgBlobID, storage.Bytes(r.locking), r.opts)
	there, err := storage.ReadBlob(ctx, r.Storage, format.KopiaRepositoryBlobID)
	if err != nil {
		return nil // the storage said that it was written
	}
	if !bytes.Equal(there, r.after) {
		err := app.Errorf(app.CodeBusy, "change passphrase", "another computer changed it at the same time")
		if config, unread := storage.ReadBlob(ctx, r.Storage, format.KopiaBlobCfgBlobID); unread != nil || !bytes.Equal(config, r.locking) {
			return err
		}
		return errors.Join(err, r.DeleteBlob(ctx, format.KopiaBlobCfgBlobID))
	}
	if _, err := format.NewManager(ctx, r.Storage, "", 0, next.Reveal(), now); err != nil {
		return fmt.Errorf("open with the new passphrase: %w", err)
	}
	return nil
}
