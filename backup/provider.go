// Package backup keeps points in an encrypted Kopia repository, in a folder or
// an S3 bucket, behind [app.Vault] and [app.VaultProvider]. It alone knows
// Kopia; it knows nothing of sources, schedules or windows.
//
// Whatever it stores can be listed and restored with stock Kopia and the
// passphrase. What it keeps on this computer is disposable: caches, hashes of
// what the last point held, a copy of the format blob.
package backup

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
	"kvart/backup/storage"
)

// minPassphrase is the fewest characters a vault's passphrase may have.
const minPassphrase = 12

// Provider makes and opens vaults. It is safe for concurrent use.
type Provider struct {
	log *slog.Logger
	// now is the computer's clock. Kopia is given the same one.
	now func() time.Time
}

var _ app.VaultProvider = (*Provider)(nil)

// New returns a provider whose vaults log to log.
func New(log *slog.Logger) *Provider {
	unpackWhole()
	return &Provider{log: log, now: time.Now}
}

// Storages implements [app.VaultProvider].
func (p *Provider) Storages() []app.KindSpec {
	return storage.Kinds()
}

// Probe implements [app.VaultProvider].
func (p *Provider) Probe(ctx context.Context, s app.StorageSpec) (app.StorageReport, error) {
	return storage.Probe(withLog(ctx, p.log), s)
}

// Create implements [app.VaultProvider].
func (p *Provider) Create(ctx context.Context, s app.VaultSetup) (app.Vault, error) {
	ctx = withLog(ctx, p.log)
	if !s.Storage.AsOf.IsZero() {
		return nil, app.Errorf(app.CodeUsage, "create vault", "nothing can be made in the past").With("field", "asOf")
	}
	if err := strongEnough("create vault", s.Passphrase); err != nil {
		return nil, err
	}
	loc, err := storage.Open(ctx, s.Storage, true)
	if err != nil {
		return nil, err
	}
	v, err := p.create(ctx, loc, s)
	if err != nil {
		return nil, errors.Join(storage.Translate("create vault", err), loc.Close(ctx))
	}
	return v, nil
}

// strongEnough refuses a passphrase that is too short.
func strongEnough(op string, passphrase app.Secret) error {
	if len([]rune(passphrase.Reveal())) < minPassphrase {
		return app.Errorf(app.CodeWeakPassphrase, op, "the passphrase has fewer than %d characters", minPassphrase)
	}
	return nil
}

func (p *Provider) create(ctx context.Context, loc *storage.Location, s app.VaultSetup) (*Vault, error) {
	found, err := loc.Survey(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", loc.Where, err)
	}
	switch found {
	case app.LocationForeign:
		return nil, app.Errorf(app.CodeStorageForeign, "create vault", "%s holds other data", loc.Where).With("where", loc.Where)
	case app.LocationEmpty:
		o, err := newRepository(loc.Lock)
		if err != nil {
			return nil, err
		}
		if err := repo.Initialize(ctx, loc.Store, o, s.Passphrase.Reveal()); err != nil {
			return nil, fmt.Errorf("initialize: %w", err)
		}
	}
	v, state, err := p.connect(ctx, loc, s)
	if errors.Is(err, repo.ErrInvalidPassword) {
		return nil, app.Errorf(app.CodeVaultExists, "create vault", "a vault with another passphrase: %w", err).With("where", loc.Where)
	}
	if err != nil {
		return nil, err
	}
	switch state {
	case stateFinished:
		err = app.Errorf(app.CodeVaultExists, "create vault", "a finished vault lies in %s", loc.Where).With("where", loc.Where)
	case stateForeign:
		err = app.Errorf(app.CodeStorageForeign, "create vault", "somebody else's repository lies in %s", loc.Where).With("where", loc.Where)
	case stateForgot:
		err = app.Errorf(app.CodeVaultDamaged, "create vault", "%s holds data but no index", loc.Where).With("where", loc.Where)
	case stateHalfMade:
		err = v.finish(ctx, s.Shop)
	}
	if err != nil {
		return nil, errors.Join(err, v.rep.Close(ctx))
	}
	return v, nil
}

// newRepository returns the options of a new repository: Kopia's own defaults,
// a passphrase that can be changed later, and the lock.
func newRepository(lock app.LockSettings) (*repo.NewRepositoryOptions, error) {
	retention, err := retentionFor(lock)
	if err != nil {
		return nil, err
	}
	return &repo.NewRepositoryOptions{
		BlockFormat:     format.ContentFormat{EnablePasswordChange: true},
		RetentionMode:   retention.RetentionMode,
		RetentionPeriod: retention.RetentionPeriod,
	}, nil
}

// Open implements [app.VaultProvider]. It writes nothing to a vault that is
// whole.
func (p *Provider) Open(ctx context.Context, s app.VaultSetup) (app.Vault, error) {
	ctx = withLog(ctx, p.log)
	loc, err := storage.Open(ctx, s.Storage, false)
	if err != nil {
		return nil, err
	}
	v, err := p.open(ctx, loc, s)
	if err != nil {
		return nil, errors.Join(storage.Translate("open vault", err), loc.Close(ctx))
	}
	return v, nil
}

func (p *Provider) open(ctx context.Context, loc *storage.Location, s app.VaultSetup) (*Vault, error) {
	found, err := loc.Survey(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", loc.Where, err)
	}
	if s.Storage.AsOf.IsZero() {
		whole, err := p.putBack(ctx, loc, s, found)
		if err != nil {
			return nil, err
		}
		if whole {
			found = app.LocationVault
		}
	}
	if found != app.LocationVault {
		return nil, absent(ctx, loc, s, found)
	}
	v, state, err := p.connect(ctx, loc, s)
	if err != nil {
		return nil, err
	}
	switch state {
	case stateFinished:
		return v, nil
	case stateForeign:
		err = app.Errorf(app.CodeStorageForeign, "open vault", "somebody else's repository lies in %s", loc.Where).With("where", loc.Where)
	case stateForgot:
		err = app.Errorf(app.CodeVaultDamaged, "open vault", "%s holds data but no index", loc.Where).With("where", loc.Where)
	case stateHalfMade:
		err = app.Errorf(app.CodeVaultNone, "open vault", "the vault in %s was never finished", loc.Where).With("where", loc.Where)
	}
	return nil, errors.Join(err, v.leave(ctx))
}

// absent says in which way there is no vault at a location.
func absent(ctx context.Context, loc *storage.Location, s app.VaultSetup, found app.LocationState) error {
	err := loc.Missing(ctx)
	if app.CodeOf(err) == app.CodeVaultMissing && found == app.LocationEmpty && s.ExpectID == "" {
		return app.Errorf(app.CodeVaultNone, "open vault", "nothing in %s", loc.Where).With("where", loc.Where)
	}
	return err
}
