package agent

import (
	"context"
	"path/filepath"
	"sync"

	"kvart/app"
)

// standIn is a second copy of the vault that is open in its place, so that a
// shop can be brought back although its storage is gone.
type standIn struct {
	mu    sync.Mutex
	name  string // of the copy
	vault app.Vault
}

// gone reports whether an error says that the storage, or the vault in it, is
// not there: a second copy can help then.
func gone(err error) bool {
	switch app.CodeOf(err) {
	case app.CodeStorageGone, app.CodeStorageOffline, app.CodeStorageDenied, app.CodeStorageForeign, app.CodePortal,
		app.CodeVaultMissing, app.CodeVaultHidden, app.CodeVaultDamaged:
		return true
	}
	return false
}

// vaultToRestore returns the vault to bring things back from: the one in use
// or, where it can't be reached, the freshest second copy, by its name.
func (a *Agent) vaultToRestore(ctx context.Context) (v app.Vault, stand string, err error) {
	v, err = a.openVault(ctx)
	if at, ok := v.(app.Attendant); err == nil && ok {
		err = at.Present(ctx)
	}
	if err == nil || !gone(err) {
		return v, "", err
	}
	var best Copy
	var fresh copyRecord
	for _, c := range a.Store.Document().Copies {
		rec, recallErr := recall[copyRecord](ctx, a.Journal, copyKey(c.Name))
		if recallErr != nil {
			return nil, "", recallErr
		}
		if rec == nil || rec.InStep.IsZero() || !rec.InStep.After(fresh.InStep) {
			continue
		}
		if _, copyErr := a.openStandIn(ctx, c); copyErr != nil {
			a.Log.WarnContext(ctx, "Copy can't stand in", "copy", c.Name, "error", copyErr)
			continue
		}
		best, fresh = c, *rec
	}
	if best.Name == "" {
		return nil, "", err
	}
	a.Log.WarnContext(ctx, "Second copy stands in for the storage", "copy", best.Name, "error", err)
	v, err = a.openStandIn(ctx, best)
	return v, best.Name, err
}

// vaultNamed returns the vault a restore was begun with: the one in use for "",
// else a second copy.
func (a *Agent) vaultNamed(ctx context.Context, copyName string) (app.Vault, error) {
	if copyName == "" {
		return a.openVault(ctx)
	}
	c, err := a.Store.Document().copy(copyName)
	if err != nil {
		return nil, err
	}
	return a.openStandIn(ctx, c)
}

// openStandIn opens a second copy, or returns it as it is open.
func (a *Agent) openStandIn(ctx context.Context, c Copy) (app.Vault, error) {
	a.standIn.mu.Lock()
	defer a.standIn.mu.Unlock()
	if a.standIn.vault != nil && a.standIn.name == c.Name {
		return a.standIn.vault, nil
	}
	place := a.Store.Document().Vault
	if place == nil {
		return nil, app.Errorf(app.CodeVaultNone, "open copy", "no vault is set up")
	}
	setup, err := a.vaultSetup(ctx, *place)
	if err != nil {
		return nil, err
	}
	if setup.Storage, err = a.copySpec(ctx, c); err != nil {
		return nil, err
	}
	setup.StateDir = filepath.Join(a.Dir, "vault-copy")
	v, err := a.Vaults.Open(ctx, setup)
	if err != nil {
		return nil, err
	}
	if a.standIn.vault != nil {
		a.letGo(ctx, a.standIn.vault)
	}
	a.standIn.vault, a.standIn.name = v, c.Name
	return v, nil
}

// letStandInGo closes a copy that stood in, unless a job may be using it.
func (a *Agent) letStandInGo(ctx context.Context) {
	select {
	case a.work <- struct{}{}:
		defer a.unlock()
	default:
		return // it is closed with the guard
	}
	a.closeStandIn(ctx)
}

func (a *Agent) closeStandIn(ctx context.Context) {
	a.standIn.mu.Lock()
	defer a.standIn.mu.Unlock()
	if a.standIn.vault != nil {
		a.letGo(ctx, a.standIn.vault)
		a.standIn.vault, a.standIn.name = nil, ""
	}
}
