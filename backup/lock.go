package backup

import (
	"context"
	"fmt"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
	"kvart/backup/storage"
)

const day = 24 * time.Hour

var _ app.LockProver = (*Vault)(nil)

// retentionFor is a lock as Kopia knows it.
func retentionFor(lock app.LockSettings) (format.BlobStorageConfiguration, error) {
	c := format.BlobStorageConfiguration{RetentionPeriod: time.Duration(lock.Days) * day}
	switch lock.Mode {
	case app.LockNone:
		return format.BlobStorageConfiguration{}, nil
	case app.LockGovernance:
		c.RetentionMode = blob.Governance
	case app.LockCompliance:
		c.RetentionMode = blob.Compliance
	default:
		return c, app.Errorf(app.CodeUsage, "read lock", "no mode %q", lock.Mode).With("field", "lock_mode")
	}
	if lock.Days < app.MinLockDays {
		return c, app.Errorf(app.CodeLockShort, "read lock", "%d days, %d are the least", lock.Days, app.MinLockDays)
	}
	return c, nil
}

// lockOf is the reverse of retentionFor.
func lockOf(c format.BlobStorageConfiguration) app.LockSettings {
	if !c.IsRetentionEnabled() {
		return app.LockSettings{}
	}
	lock := app.LockSettings{Mode: app.LockCompliance, Days: int(c.RetentionPeriod / day)}
	if c.RetentionMode == blob.Governance {
		lock.Mode = app.LockGovernance
	}
	return lock
}

// stronger returns the lock that a vault locked like have shall get when want is
// asked for: a lock where there is none, or a longer one. The mode of a lock
// stays: storages extend what is locked, but don't let it change over.
func stronger(have, want app.LockSettings) app.LockSettings {
	if have.Mode == app.LockNone {
		return want
	}
	if want.Mode != app.LockNone {
		have.Days = max(have.Days, want.Days)
	}
	return have
}

// lock returns how the vault was told to lock.
func (v *Vault) lock(ctx context.Context) (app.LockSettings, error) {
	c, err := v.rep.FormatManager().BlobCfgBlob(ctx)
	if err != nil {
		return app.LockSettings{}, fmt.Errorf("read lock: %w", err)
	}
	return lockOf(c), nil
}

// knownLock is lock for showing: where the storage does not answer just now, as
// it was when it last did.
func (v *Vault) knownLock(ctx context.Context) (app.LockSettings, error) {
	lock, err := v.lock(ctx)
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case err == nil:
		v.lastLock = lock
	case ctx.Err() != nil:
		return app.LockSettings{}, ctx.Err()
	default:
		v.log.WarnContext(ctx, "Lock not read", "err", err)
	}
	return v.lastLock, nil
}

// strengthenLock gives the vault the lock that the storage's settings ask for
// where it has none or a shorter one; a lock is never weakened. What lies there is
// locked by the next full maintenance, and what is stored from the vault's next
// opening on as it is written.
func (v *Vault) strengthenLock(ctx context.Context) (changed bool, err error) {
	have, err := v.lock(ctx)
	if err != nil {
		return false, err
	}
	want := stronger(have, v.loc.Lock)
	if want == have {
		return false, nil
	}
	retention, err := retentionFor(want)
	if err != nil {
		return false, err
	}
	err = repo.DirectWriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart lock"}, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		f := w.FormatManager()
		params, err := f.GetMutableParameters(ctx)
		if err != nil {
			return err
		}
		features, err := f.RequiredFeatures(ctx)
		if err != nil {
			return err
		}
		return f.SetParameters(ctx, params, retention, features)
	})
	if err != nil {
		return false, fmt.Errorf("set lock: %w", err)
	}
	v.log.InfoContext(ctx, "Lock strengthened", "mode", want.Mode, "days", want.Days)
	if err := v.keepFormat(ctx); err != nil {
		v.log.WarnContext(ctx, "Format blob not copied", "err", err)
	}
	return true, nil
}

// ProveLock implements [app.LockProver].
func (v *Vault) ProveLock(ctx context.Context) (app.LockProof, error) {
	ctx = withLog(ctx, v.log)
	end, err := v.beginWriting(ctx, "prove lock")
	if err != nil {
		return app.LockProof{}, err
	}
	defer end()
	lock, err := v.lock(ctx)
	if err != nil {
		return app.LockProof{}, storage.Translate("prove lock", err)
	}
	if lock.Mode == app.LockNone || v.loc.ProveLock == nil {
		return app.LockProof{}, app.Errorf(app.CodeLockNone, "prove lock", "nothing in %s is locked", v.loc.Where).With("where", v.loc.Where)
	}
	proof, err := v.loc.ProveLock(ctx, lock)
	if err != nil {
		return app.LockProof{}, storage.Translate("prove lock", err)
	}
	return proof, nil
}
