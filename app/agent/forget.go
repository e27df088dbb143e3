package agent

import (
	"context"
	"errors"

	"kvart/app"
)

// Forget deletes every secret this computer keeps for Kvart: of the vault, its
// copies, the sources and the alerts. After it only the recovery kit, or the
// passphrase and the storage's keys, open the backups. What can't be deleted
// does not keep the rest.
func (a *Agent) Forget(ctx context.Context) error {
	d := a.Store.Document()
	keys := []string{passphraseKey, newPassphraseKey, kitCodeKey, kitSealKey, heartbeatSecret}
	storage := func(kind app.Kind, key func(string) string) {
		if spec, err := storageSpec(a.Vaults.Storages(), kind); err == nil { // of one this program does not know there is nothing it knows
			keys = append(keys, secretsOf(spec, key)...)
		}
	}
	if d.Vault != nil {
		storage(d.Vault.Kind, storageKey)
	}
	for _, c := range d.Copies {
		storage(c.Kind, copySecretKey(c.Name))
	}
	for _, s := range d.Sources {
		if c, err := a.Connectors.Connector(s.Kind); err == nil {
			keys = append(keys, secretsOf(c.Spec(), func(field string) string { return sourceKey(s.ID, field) })...)
		}
	}
	for _, c := range d.Watch.Channels {
		for _, key := range []string{"url", "password", "token"} {
			keys = append(keys, channelKey(c.Name, key))
		}
	}
	var err error
	for _, key := range keys {
		err = errors.Join(err, a.Secrets.DeleteSecret(ctx, key))
	}
	return err
}

// secretsOf returns where the secrets of a kind's fields are kept.
func secretsOf(spec app.KindSpec, key func(field string) string) []string {
	var out []string
	for _, f := range spec.Fields {
		if f.Type == app.FieldSecret {
			out = append(out, key(f.Key))
		}
	}
	return out
}
