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

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
)

// minPassphrase is the fewest characters a vault's passphrase may have.
const minPassphrase = 12

// Provider makes and opens vaults. It is safe for concurrent use.
type Provider struct {
	log *slog.Logger
}

var _ app.VaultProvider = (*Provider)(nil)

// New returns a provider whose vaults log to log.
func New(log *slog.Logger) *Provider {
	return &Provider{log: log}
}

// Storages implements [app.VaultProvider].
func (p *Provider) Storages() []app.KindSpec {
	var specs []app.KindSpec
	for _, k := range storageKinds() {
		specs = append(specs, k.spec)
	}
	return specs
}

// Create implements [app.VaultProvider].
func (p *Provider) Create(ctx context.Context, s app.VaultSetup) (app.Vault, error) {
	ctx = withLog(ctx, p.log)
	if len([]rune(s.Passphrase.Reveal())) < minPassphrase {
		return nil, app.Errorf(app.CodeWeakPassphrase, "create vault", "the passphrase has fewer than %d characters", minPassphrase)
	}
	loc, err := openLocation(ctx, s.Storage, true)
	if err != nil {
		return nil, err
	}
	v, err := p.create(ctx, loc, s)
	if err != nil {
		return nil, errors.Join(translate("create vault", err), loc.close(ctx))
	}
	return v, nil
}

func (p *Provider) create(ctx context.Context, loc *location, s app.VaultSetup) (*Vault, error) {
	found, err := loc.survey(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", loc.where, err)
	}
	switch found {
	case app.LocationForeign:
		return nil, app.Errorf(app.CodeStorageForeign, "create vault", "%s holds other data", loc.where).With("where", loc.where)
	case app.LocationEmpty:
		if err := repo.Initialize(ctx, loc.store, newRepository(), s.Passphrase.Reveal()); err != nil {
			return nil, fmt.Errorf("initialize: %w", err)
		}
	}
	v, state, err := p.connect(ctx, loc, s)
	if errors.Is(err, repo.ErrInvalidPassword) {
		return nil, app.Errorf(app.CodeVaultExists, "create vault", "a vault with another passphrase: %w", err).With("where", loc.where)
	}
	if err != nil {
		return nil, err
	}
	switch state {
	case stateFinished:
		err = app.Errorf(app.CodeVaultExists, "create vault", "a finished vault lies in %s", loc.where).With("where", loc.where)
	case stateForeign:
		err = app.Errorf(app.CodeStorageForeign, "create vault", "somebody else's repository lies in %s", loc.where).With("where", loc.where)
	case stateForgot:
		err = app.Errorf(app.CodeVaultDamaged, "create vault", "%s holds data but no index", loc.where).With("where", loc.where)
	case stateHalfMade:
		err = v.finish(ctx, s.Shop)
	}
	if err != nil {
		return nil, errors.Join(err, v.rep.Close(ctx))
	}
	return v, nil
}

// newRepository returns the options of a new repository: Kopia's own defaults,
// and a passphrase that can be changed later.
func newRepository() *repo.NewRepositoryOptions {
	return &repo.NewRepositoryOptions{BlockFormat: format.ContentFormat{EnablePasswordChange: true}}
}

// Open implements [app.VaultProvider].
func (p *Provider) Open(ctx context.Context, s app.VaultSetup) (app.Vault, error) {
	ctx = withLog(ctx, p.log)
	loc, err := openLocation(ctx, s.Storage, false)
	if err != nil {
		return nil, err
	}
	v, err := p.open(ctx, loc, s)
	if err != nil {
		return nil, errors.Join(translate("open vault", err), loc.close(ctx))
	}
	return v, nil
}

func (p *Provider) open(ctx context.Context, loc *location, s app.VaultSetup) (*Vault, error) {
	found, err := loc.survey(ctx)
	if err != nil {
		return nil, fmt.Errorf("look at %s: %w", loc.where, err)
	}
	switch {
	case found == app.LocationForeign || found == app.LocationEmpty && s.ExpectID != "":
		return nil, app.Errorf(app.CodeVaultMissing, "open vault", "no format blob in %s", loc.where).With("where", loc.where)
	case found == app.LocationEmpty:
		return nil, app.Errorf(app.CodeVaultNone, "open vault", "nothing in %s", loc.where).With("where", loc.where)
	}
	v, state, err := p.connect(ctx, loc, s)
	if err != nil {
		return nil, err
	}
	switch state {
	case stateFinished:
		v.claimMaintenance(ctx)
		return v, nil
	case stateForeign:
		err = app.Errorf(app.CodeStorageForeign, "open vault", "somebody else's repository lies in %s", loc.where).With("where", loc.where)
	case stateForgot:
		err = app.Errorf(app.CodeVaultDamaged, "open vault", "%s holds data but no index", loc.where).With("where", loc.where)
	case stateHalfMade:
		err = app.Errorf(app.CodeVaultNone, "open vault", "the vault in %s was never finished", loc.where).With("where", loc.where)
	}
	return nil, errors.Join(err, v.rep.Close(ctx))
}
