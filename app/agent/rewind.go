package agent

import (
	"context"
	"time"

	"kvart/app"
)

// Rewind implements [app.CareService].
func (a *Agent) Rewind(ctx context.Context) error {
	d := a.Store.Document()
	if d.Vault == nil || d.Vault.AsOf.IsZero() {
		return app.Errorf(app.CodeUsage, "rewind storage", "it is not shown as it was")
	}
	r, ok := a.Vaults.(app.Rewinder)
	if !ok {
		return app.Errorf(app.CodeUsage, "rewind storage", "%T can't", a.Vaults)
	}
	if err := a.lock(ctx); err != nil {
		return err
	}
	defer a.unlock()
	setup, err := a.vaultSetup(ctx, *d.Vault)
	if err != nil {
		return err
	}
	n, err := r.Rewind(ctx, setup.Storage)
	if err != nil {
		return err
	}
	a.Log.InfoContext(ctx, "Storage rewound", "asOf", d.Vault.AsOf, "objects", n)
	if err := a.closeVault(ctx); err != nil {
		a.Log.WarnContext(ctx, "Vault not closed", "error", err)
	}
	err = a.Store.Update(func(d *Document) error { d.Vault.AsOf = time.Time{}; return nil })
	a.bus.poke()
	if err != nil {
		return err
	}
	_, err = a.openVault(ctx)
	return err
}
