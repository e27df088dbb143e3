package agent

import (
	"context"
	"errors"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"

	"kvart/app"
)

// MayForget returns why this computer's secrets must not be forgotten:
// [app.CodeKitNeeded] where they are all that opens the backups, as nobody holds
// a recovery kit that was confirmed and is still good. The owner may do without
// one, on purpose.
func (d Document) MayForget(withoutKit bool) error {
	if d.Vault == nil || withoutKit || d.Kit.state().Good() {
		return nil
	}
	why := "none was confirmed"
	if d.Kit.Void {
		why = "the newest one is void"
	}
	return app.Errorf(app.CodeKitNeeded, "forget secrets", "%s", why)
}

// Places returns the folders of this computer that the vault and its copies lie
// in, as far as their settings name them. The error is [app.CodeForgetUnsure]
// where that can't be told: nothing of Kvart's must be deleted then.
func (d Document) Places(storages []app.KindSpec) ([]string, error) {
	var out []string
	add := func(kind app.Kind, settings map[string]string) error {
		spec, err := storageSpec(storages, kind)
		if err != nil {
			return app.Errorf(app.CodeForgetUnsure, "find backups", "%w", err)
		}
		for key, v := range settings {
			f, known := spec.Field(key)
			at := localPath(v)
			switch {
			case at != "":
				out = append(out, at)
			case known && f.Type == app.FieldFolder && v != "":
				return app.Errorf(app.CodeForgetUnsure, "find backups", "%s is %q, from nobody knows where", key, v)
			}
		}
		return nil
	}
	var err error
	if d.Vault != nil {
		err = add(d.Vault.Kind, d.Vault.Settings)
	}
	for _, c := range d.Copies {
		err = errors.Join(err, add(c.Kind, c.Settings))
	}
	return out, err
}

// localPath returns the path that a setting names: "/srv/x", "local:/srv/x" or
// "file:///srv/x"; "" where it names none.
func localPath(v string) string {
	if filepath.IsAbs(v) {
		return filepath.Clean(v)
	}
	if u, err := url.Parse(v); err == nil && u.Scheme == "file" {
		at := u.Path
		if runtime.GOOS == "windows" {
			at = strings.TrimPrefix(at, "/")
		}
		return filepath.FromSlash(at)
	}
	for i := range len(v) {
		if at := v[i+1:]; v[i] == ':' && filepath.IsAbs(at) && !strings.HasPrefix(at, "//") {
			return filepath.Clean(at)
		}
	}
	return ""
}

// Forget deletes every secret this computer keeps for Kvart: of the vault, its
// copies, the sources and the alerts. After it only the recovery kit, or the
// passphrase and the storage's keys, open the backups: see [Document.MayForget].
// What can't be deleted does not keep the rest.
func (a *Agent) Forget(ctx context.Context, withoutKit bool) error {
	d := a.Store.Document()
	if err := d.MayForget(withoutKit); err != nil {
		return err
	}
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
