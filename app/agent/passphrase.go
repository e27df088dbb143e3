package agent

import (
	"context"
	"errors"

	"kvart/app"
)

// newPassphraseKey holds the passphrase that is being changed to, until the
// vault has it for certain.
const newPassphraseKey = passphraseKey + ".new"

// ChangePassphrase implements [app.CareService].
func (a *Agent) ChangePassphrase(ctx context.Context, r app.PassphraseRequest) error {
	next := r.Secrets[app.PassphraseKey]
	if next.IsZero() {
		return app.Errorf(app.CodeUsage, "change passphrase", "no new one was given").With("field", app.PassphraseKey)
	}
	if err := a.lock(ctx); err != nil {
		return err
	}
	defer a.unlock()
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	c, ok := v.(app.PassphraseChanger)
	if !ok {
		return app.Errorf(app.CodeInternal, "change passphrase", "%T can't", v)
	}
	// Kept before the vault has it: a power cut in between must not leave a
	// vault whose passphrase nobody knows.
	if err := a.Secrets.SetSecret(ctx, newPassphraseKey, next); err != nil {
		return err
	}
	if err := c.ChangePassphrase(ctx, next); err != nil {
		if app.CodeOf(err) == app.CodeWeakPassphrase {
			return errors.Join(err, a.Secrets.DeleteSecret(ctx, newPassphraseKey))
		}
		return err
	}
	if err := a.promotePassphrase(ctx, next); err != nil {
		return err
	}
	a.noteChange(ctx, "")
	a.kitMayBeVoid(ctx)
	return nil
}

func (a *Agent) promotePassphrase(ctx context.Context, next app.Secret) error {
	if err := a.Secrets.SetSecret(ctx, passphraseKey, next); err != nil {
		return err
	}
	return a.Secrets.DeleteSecret(ctx, newPassphraseKey)
}

// openWithNewPassphrase finishes a change of passphrase that was cut off. Where
// none was, it returns refused.
func (a *Agent) openWithNewPassphrase(ctx context.Context, setup app.VaultSetup, refused error) (app.Vault, error) {
	next, err := a.Secrets.Secret(ctx, newPassphraseKey)
	if app.CodeOf(err) == app.CodeSecretMissing {
		return nil, refused
	}
	if err != nil {
		return nil, err
	}
	setup.Passphrase = next
	v, err := a.Vaults.Open(ctx, setup)
	if err != nil {
		return nil, err
	}
	if err := a.promotePassphrase(ctx, next); err != nil {
		a.letGo(ctx, v)
		return nil, err
	}
	return v, nil
}
