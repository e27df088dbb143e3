package agent

import (
	"context"
	"maps"
	"time"

	"kvart/app"
)

// invitationLife is how long an invitation is good for.
const invitationLife = 24 * time.Hour

// vaultEntry is one way into a vault: by making it, with keys and passphrase,
// with a recovery kit or an invitation.
type vaultEntry struct {
	request app.VaultRequest
	get     func(context.Context, app.VaultSetup) (app.Vault, error)
	expect  string            // the vault's ID, when only this one will do
	blobs   map[string][]byte // of a kit
	kit     *app.Kit          // it was opened with
	// settle is asked before the vault is kept in use, and once it is.
	settle func(ctx context.Context, v app.Vault) (after func(context.Context) error, err error)
}

// OpenVault implements [app.VaultService]. Where sources are set up already it
// opens only the vault that holds their backups: it has moved, or its key or
// passphrase has changed.
func (a *Agent) OpenVault(ctx context.Context, r app.VaultRequest) (app.VaultInfo, error) {
	e := vaultEntry{request: r, get: a.Vaults.Open}
	if err := a.unpackKit(&e); err != nil {
		return app.VaultInfo{}, err
	}
	d := a.Store.Document()
	again := d.Vault != nil && len(d.Sources) > 0
	switch {
	case again && e.expect != "" && e.expect != d.Vault.ID:
		return app.VaultInfo{}, app.Errorf(app.CodeVaultOther, "open vault", "the kit is of vault %s, this computer uses %s", e.expect, d.Vault.ID)
	case again:
		e.expect = d.Vault.ID
	default:
		e.settle = a.settleIn(e.request)
	}
	info, err := a.setUpVault(ctx, e)
	if err == nil && e.kit != nil {
		err = a.kitProved(ctx, *e.kit)
	}
	a.bus.poke()
	return info, err
}

// settleIn decides whose place this computer takes in a vault it opens for the
// first time, and then takes it: first the other one is told to stop, so that
// at no time two back up the same sources.
func (a *Agent) settleIn(r app.VaultRequest) func(context.Context, app.Vault) (func(context.Context) error, error) {
	return func(ctx context.Context, v app.Vault) (func(context.Context) error, error) {
		old, err := a.whom(ctx, v, r.Replaces)
		if err != nil {
			return nil, err
		}
		return func(ctx context.Context) error {
			if old == app.NoComputer {
				return a.Store.Update(func(d *Document) error { d.Vault.Joined = true; return nil })
			}
			if ro, ok := v.(app.Roster); ok && r.Storage.AsOf.IsZero() {
				if err := ro.Replace(ctx, old); err != nil {
					return err
				}
			}
			return a.takeOver(ctx, v, old)
		}, nil
	}
}

// unpackKit fills in the way into the vault from a kit or an invitation, where
// one was given.
func (a *Agent) unpackKit(e *vaultEntry) error {
	r := &e.request
	var (
		k   app.Kit
		err error
	)
	switch {
	case len(r.Invitation) > 0:
		k, err = a.Press.Unseal(r.Invitation, r.Secrets[app.InvitationKey], a.Now())
		if r.Replaces == "" || r.Replaces == app.AskComputer {
			r.Replaces = app.NoComputer // who is invited joins
		}
	case !r.Secrets[app.KitKey].IsZero():
		k, err = a.Press.Parse(r.Secrets[app.KitKey])
		e.kit = &k
	default:
		return nil
	}
	if err != nil {
		return err
	}
	asOf := r.Storage.AsOf
	r.Storage = app.StorageSpec{Kind: k.Storage.Kind, Settings: k.Storage.Settings, AsOf: asOf}
	r.Secrets = maps.Clone(k.Storage.Secrets)
	if r.Secrets == nil {
		r.Secrets = app.Secrets{}
	}
	r.Secrets[app.PassphraseKey] = k.Passphrase
	e.expect, e.blobs = k.VaultID, k.Blobs
	return nil
}

// storageOf returns where a request's vault lies, with the storage's secrets
// and without the passphrase, which storages don't get to see.
func storageOf(r app.VaultRequest) app.StorageSpec {
	s := app.StorageSpec{Kind: r.Storage.Kind, Settings: r.Storage.Settings, AsOf: r.Storage.AsOf, Secrets: maps.Clone(r.Secrets)}
	delete(s.Secrets, app.PassphraseKey)
	return s
}

// setUpVault makes or opens a vault and, only when that worked, keeps how to
// open it again.
func (a *Agent) setUpVault(ctx context.Context, e vaultEntry) (app.VaultInfo, error) {
	storage, passphrase := storageOf(e.request), e.request.Secrets[app.PassphraseKey]
	spec, err := storageSpec(a.Vaults.Storages(), storage.Kind)
	if err != nil {
		return app.VaultInfo{}, err
	}
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
	v, err := e.get(ctx, app.VaultSetup{
		Storage: storage, Passphrase: passphrase, Shop: e.request.Shop,
		StateDir: a.vaultDir(), ExpectID: e.expect, Computer: a.computer(), Blobs: e.blobs,
	})
	if err != nil {
		return app.VaultInfo{}, err
	}
	var after func(context.Context) error
	if err := lockAsked(ctx, v, e.request); err != nil {
		a.letGo(ctx, v)
		return app.VaultInfo{}, err
	}
	if e.settle != nil {
		if after, err = e.settle(ctx, v); err != nil {
			a.letGo(ctx, v)
			return app.VaultInfo{}, err
		}
	}
	info, err := a.keepVault(ctx, v, storage, passphrase)
	if err != nil {
		a.letGo(ctx, v)
		return app.VaultInfo{}, err
	}
	a.vaultMu.Lock()
	a.useVaultLocked(ctx, v)
	a.vaultMu.Unlock()
	if after != nil {
		if err := after(ctx); err != nil {
			return info, err
		}
	}
	a.kitMayBeVoid(ctx)
	return info, nil
}

// lockAsked refuses settings that would turn the vault's lock into one nobody
// can lift: maintenance would do so.
func lockAsked(ctx context.Context, v app.Vault, r app.VaultRequest) error {
	d, ok := v.(app.VaultDescriber)
	if !ok {
		return nil
	}
	info, err := d.Describe(ctx)
	if err != nil || info.Lock.Mode == app.LockCompliance {
		return err
	}
	return lockAccepted(r.Storage, r.AcceptCompliance)
}

// letGo closes a vault that is not to be used.
func (a *Agent) letGo(ctx context.Context, v app.Vault) {
	if err := v.Close(ctx); err != nil {
		a.Log.WarnContext(ctx, "Vault not closed", "error", err)
	}
}

// keepVault remembers how to open v.
func (a *Agent) keepVault(ctx context.Context, v app.Vault, storage app.StorageSpec, passphrase app.Secret) (app.VaultInfo, error) {
	d, ok := v.(app.VaultDescriber)
	if !ok {
		return app.VaultInfo{}, app.Errorf(app.CodeInternal, "set up vault", "%T does not describe itself", v)
	}
	info, err := d.Describe(ctx)
	if err != nil {
		return app.VaultInfo{}, err
	}
	if err := a.Secrets.SetSecret(ctx, passphraseKey, passphrase); err != nil {
		return app.VaultInfo{}, err
	}
	for k, s := range storage.Secrets {
		if err := a.Secrets.SetSecret(ctx, storageKey(k), s); err != nil {
			return app.VaultInfo{}, err
		}
	}
	before := a.Store.Document().Vault
	same := before != nil && before.ID == info.ID
	err = a.Store.Update(func(d *Document) error {
		place := &VaultPlace{
			ID: info.ID, Shop: info.Shop, Kind: storage.Kind, Settings: storage.Settings, AsOf: storage.AsOf,
			Where: info.Where, OffSite: info.OffSite, Lock: info.Lock, Since: a.Now(),
		}
		if same {
			place.Joined = before.Joined
		} else {
			d.Kit = KitRecord{}
		}
		d.Vault = place
		return nil
	})
	if err != nil {
		return app.VaultInfo{}, err
	}
	if !same {
		// what was remembered is about another vault, if about any
		if err := a.Journal.ForgetVault(ctx); err != nil {
			return app.VaultInfo{}, err
		}
	}
	return info, nil
}
