package agent

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"kvart/app"
)

// maxSkew is how far a storage's clock may be from this computer's: Kopia does
// no maintenance beyond five minutes.
const maxSkew = 5 * time.Minute

// Keys of the secret store.
const passphraseKey = "vault." + app.PassphraseKey

func storageKey(field string) string { return "vault.storage." + field }

func sourceKey(id app.SourceID, field string) string { return "source." + string(id) + "." + field }

// openVault returns the open vault, opening it when it is not.
func (a *Agent) openVault(ctx context.Context) (app.Vault, error) {
	a.vaultMu.Lock()
	defer a.vaultMu.Unlock()
	if a.vault != nil {
		return a.vault, nil
	}
	place := a.Store.Document().Vault
	if place == nil {
		return nil, app.Errorf(app.CodeVaultNone, "open vault", "none is set up")
	}
	setup, err := a.vaultSetup(ctx, *place)
	if err != nil {
		return nil, a.noteVault(err)
	}
	v, err := a.Vaults.Open(ctx, setup)
	if app.CodeOf(err) == app.CodeWrongPassphrase {
		v, err = a.openWithNewPassphrase(ctx, setup, err)
	}
	if err != nil {
		// damage stands until it is mended, also for a guard that starts later
		return nil, errors.Join(a.noteVault(err), a.distrust(ctx, "", err))
	}
	a.useVaultLocked(ctx, v)
	return v, nil
}

// useVaultLocked makes v the vault in use. vaultMu is held.
func (a *Agent) useVaultLocked(ctx context.Context, v app.Vault) {
	a.vault = v
	if t, ok := v.(app.Throttler); ok {
		if err := t.SetUploadLimit(a.Store.Document().Settings.UploadLimit); err != nil {
			a.Log.WarnContext(ctx, "Upload limit not set", "error", err)
		}
	}
	if err := a.noteVault(nil); err != nil {
		return
	}
	if d, ok := v.(app.VaultDescriber); ok {
		info, err := d.Describe(ctx)
		if err != nil {
			a.Log.WarnContext(ctx, "Vault not described", "error", err)
			return
		}
		a.mu.Lock()
		a.info = &info
		a.mu.Unlock()
	}
}

// noteVault remembers how the vault stands, for the verdict, and returns err.
func (a *Agent) noteVault(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if app.CodeOf(err) != app.CodeCanceled {
		a.vaultErr = app.AsError(err)
	}
	return err
}

func (a *Agent) vaultSetup(ctx context.Context, p VaultPlace) (app.VaultSetup, error) {
	s := app.VaultSetup{
		Storage:  app.StorageSpec{Kind: p.Kind, Settings: p.Settings, Secrets: app.Secrets{}},
		StateDir: a.vaultDir(), ExpectID: p.ID, Shop: p.Shop, Computer: a.computer(),
	}
	s.Storage.AsOf = p.AsOf
	var err error
	if s.Passphrase, err = a.Secrets.Secret(ctx, passphraseKey); err != nil {
		return s, err
	}
	s.Storage.Secrets, err = a.storageSecrets(ctx, p.Kind, storageKey)
	return s, err
}

// checkPlain refuses a new place for backups with a secret among its settings.
func (a *Agent) checkPlain(s app.StorageSpec) error {
	spec, err := storageSpec(a.Vaults.Storages(), s.Kind)
	if err != nil {
		return err
	}
	return spec.CheckPlain(s.Settings)
}

// computer is this computer as the vault knows it.
func (a *Agent) computer() app.Computer { return app.Computer{ID: a.self(), Name: a.Computer} }

// storageSecrets returns what opens a storage, kept under key(field).
func (a *Agent) storageSecrets(ctx context.Context, kind app.Kind, key func(string) string) (app.Secrets, error) {
	spec, err := storageSpec(a.Vaults.Storages(), kind)
	if err != nil {
		return nil, err
	}
	out := app.Secrets{}
	for _, f := range spec.Fields {
		if f.Type != app.FieldSecret {
			continue
		}
		sec, err := a.Secrets.Secret(ctx, key(f.Key))
		if err != nil && (f.Required || app.CodeOf(err) != app.CodeSecretMissing) {
			return nil, err
		}
		if !sec.IsZero() {
			out[f.Key] = sec
		}
	}
	return out, nil
}

func (a *Agent) vaultDir() string { return filepath.Join(a.Dir, "vault") }

// closeVault lets the vault go, so that the next use opens it afresh.
func (a *Agent) closeVault(ctx context.Context) error {
	a.vaultMu.Lock()
	defer a.vaultMu.Unlock()
	if a.vault == nil {
		return nil
	}
	v := a.vault
	a.vault = nil
	// what was opened for browsing reads through the vault
	return errors.Join(a.views.close(), a.catalogues.close(), v.Close(ctx))
}

// Forms implements [app.VaultService].
func (a *Agent) Forms(context.Context) (app.Forms, error) {
	sources := slices.Clone(a.Connectors.Specs())
	for n := range sources {
		c, err := a.Connectors.Connector(sources[n].Kind)
		if err != nil {
			return app.Forms{}, err
		}
		_, sources[n].Pages = c.(app.Publisher)
	}
	return app.Forms{Sources: sources, Storages: a.Vaults.Storages()}, nil
}

// ProbeStorage implements [app.VaultService].
func (a *Agent) ProbeStorage(ctx context.Context, s app.StorageSpec) (app.StorageReport, error) {
	spec, err := storageSpec(a.Vaults.Storages(), s.Kind)
	if err != nil {
		return app.StorageReport{}, err
	}
	if err := spec.CheckSettings(s.Settings, s.Secrets); err != nil {
		return app.StorageReport{}, err
	}
	rep, err := a.Vaults.Probe(ctx, s)
	if err == nil && rep.ClockSkew.Abs() > maxSkew {
		// maintenance would refuse, and old backups pile up unnoticed
		return rep, app.Errorf(app.CodeStorageClock, "probe storage", "its clock is %s ahead", rep.ClockSkew).
			With("skew", rep.ClockSkew.Abs().Round(time.Minute).String())
	}
	return rep, err
}

func storageSpec(specs []app.KindSpec, kind app.Kind) (app.KindSpec, error) {
	var choices string
	for i, s := range specs {
		if s.Kind == kind {
			return s, nil
		}
		if i > 0 {
			choices += ", "
		}
		choices += string(s.Kind)
	}
	return app.KindSpec{}, app.Errorf(app.CodeUsage, "find storage", "no storage kind %q; there are: %s", kind, choices).With("choices", choices)
}

// lockAccepted refuses a lock that nobody can lift, unless the owner has read
// what it means.
func lockAccepted(s app.StorageSpec, accepted bool) error {
	if s.Settings["lock_mode"] == string(app.LockCompliance) && !accepted {
		return app.Errorf(app.CodeLockForEver, "set up vault", "a compliance lock has not been accepted")
	}
	return nil
}

// CreateVault implements [app.VaultService].
func (a *Agent) CreateVault(ctx context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	if d := a.Store.Document(); d.Vault != nil && len(d.Sources) > 0 {
		return app.VaultInfo{}, app.Errorf(app.CodeVaultExists, "set up vault", "this computer already uses one")
	}
	if err := lockAccepted(r.Storage, r.AcceptCompliance); err != nil {
		return app.VaultInfo{}, err
	}
	if err := a.checkPlain(r.Storage); err != nil {
		return app.VaultInfo{}, err
	}
	if _, err := a.ProbeStorage(ctx, storageOf(r)); err != nil {
		return app.VaultInfo{}, err
	}
	return a.setUpVault(ctx, vaultEntry{request: r, get: a.Vaults.Create})
}
