package agent

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
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
	if err != nil {
		return nil, a.noteVault(err)
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
		StateDir: a.vaultDir(), ExpectID: p.ID, Shop: p.Shop,
	}
	var err error
	if s.Passphrase, err = a.Secrets.Secret(ctx, passphraseKey); err != nil {
		return s, err
	}
	for _, spec := range a.Vaults.Storages() {
		if spec.Kind != p.Kind {
			continue
		}
		for _, f := range spec.Fields {
			if f.Type != app.FieldSecret {
				continue
			}
			sec, err := a.Secrets.Secret(ctx, storageKey(f.Key))
			if err != nil && (f.Required || app.CodeOf(err) != app.CodeSecretMissing) {
				return s, err
			}
			s.Storage.Secrets[f.Key] = sec
		}
	}
	return s, nil
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
	return errors.Join(a.views.close(), v.Close(ctx))
}

// Forms implements [app.VaultService].
func (a *Agent) Forms(context.Context) (app.Forms, error) {
	return app.Forms{Sources: a.Connectors.Specs(), Storages: a.Vaults.Storages()}, nil
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

// CreateVault implements [app.VaultService].
func (a *Agent) CreateVault(ctx context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	if d := a.Store.Document(); d.Vault != nil && len(d.Sources) > 0 {
		return app.VaultInfo{}, app.Errorf(app.CodeVaultExists, "set up vault", "this computer already uses one")
	}
	if _, err := a.ProbeStorage(ctx, storageOf(r)); err != nil {
		return app.VaultInfo{}, err
	}
	return a.setUpVault(ctx, r, "", a.Vaults.Create)
}

// OpenVault implements [app.VaultService]. Where sources are set up already it
// opens only the vault that holds their backups: it has moved, or its key or
// passphrase has changed.
func (a *Agent) OpenVault(ctx context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	var expect string
	if d := a.Store.Document(); d.Vault != nil && len(d.Sources) > 0 {
		expect = d.Vault.ID
	}
	info, err := a.setUpVault(ctx, r, expect, a.Vaults.Open)
	if err != nil {
		return info, err
	}
	if err := a.bringBackState(ctx); err != nil {
		return info, err
	}
	a.bus.poke()
	return info, nil
}

// storageOf returns where a request's vault lies, with the storage's secrets
// and without the passphrase, which storages don't get to see.
func storageOf(r app.VaultRequest) app.StorageSpec {
	s := app.StorageSpec{Kind: r.Storage.Kind, Settings: r.Storage.Settings, Secrets: maps.Clone(r.Secrets)}
	delete(s.Secrets, app.PassphraseKey)
	return s
}

// setUpVault makes or opens a vault and, only when that worked, keeps how to
// open it again.
func (a *Agent) setUpVault(ctx context.Context, r app.VaultRequest, expect string, get func(context.Context, app.VaultSetup) (app.Vault, error)) (app.VaultInfo, error) {
	spec, err := storageSpec(a.Vaults.Storages(), r.Storage.Kind)
	if err != nil {
		return app.VaultInfo{}, err
	}
	storage := storageOf(r)
	if err := spec.CheckSettings(storage.Settings, storage.Secrets); err != nil {
		return app.VaultInfo{}, err
	}
	if err := a.lock(ctx); err != nil {
		return app.VaultInfo{}, err
	}
	defer a.unlock()
	if err := a.closeVault(ctx); err != nil {
		a.Log.WarnContext(ctx, "Vault not closed", "error", err)
	}
	v, err := get(ctx, app.VaultSetup{
		Storage:    storage,
		Passphrase: r.Secrets[app.PassphraseKey], Shop: r.Shop, StateDir: a.vaultDir(), ExpectID: expect,
	})
	if err != nil {
		return app.VaultInfo{}, err
	}
	return a.keepVault(ctx, v, storage, r.Secrets[app.PassphraseKey])
}

func (a *Agent) keepVault(ctx context.Context, v app.Vault, storage app.StorageSpec, passphrase app.Secret) (app.VaultInfo, error) {
	fail := func(err error) (app.VaultInfo, error) {
		if closeErr := v.Close(ctx); closeErr != nil {
			a.Log.WarnContext(ctx, "Vault not closed", "error", closeErr)
		}
		return app.VaultInfo{}, err
	}
	d, ok := v.(app.VaultDescriber)
	if !ok {
		return fail(app.Errorf(app.CodeInternal, "set up vault", "%T does not describe itself", v))
	}
	info, err := d.Describe(ctx)
	if err != nil {
		return fail(err)
	}
	if err := a.Secrets.SetSecret(ctx, passphraseKey, passphrase); err != nil {
		return fail(err)
	}
	for k, s := range storage.Secrets {
		if err := a.Secrets.SetSecret(ctx, storageKey(k), s); err != nil {
			return fail(err)
		}
	}
	before := a.Store.Document().Vault
	err = a.Store.Update(func(d *Document) error {
		d.Vault = &VaultPlace{ID: info.ID, Shop: info.Shop, Kind: storage.Kind, Settings: storage.Settings, Where: info.Where, OffSite: info.OffSite, Locked: info.Locked}
		return nil
	})
	if err != nil {
		return fail(err)
	}
	if before == nil || before.ID != info.ID {
		// what was remembered is about another vault, if about any
		if err := a.Journal.ForgetVault(ctx); err != nil {
			return fail(err)
		}
	}
	a.vaultMu.Lock()
	a.useVaultLocked(ctx, v)
	a.vaultMu.Unlock()
	a.bus.poke()
	return info, nil
}
