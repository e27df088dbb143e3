package agent

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"kvart/app"
)

// Keys of the secret store that are about the kit: its check code, and the seal
// that tells whether what it says is still so. A seal is a digest of secrets,
// so it is one itself.
const (
	kitCodeKey = "kit.code"
	kitSealKey = "kit.seal"
)

// kit collects what opens the vault.
func (a *Agent) kit(ctx context.Context) (app.Kit, error) {
	v, err := a.openVault(ctx)
	if err != nil {
		return app.Kit{}, err
	}
	src, ok := v.(app.KitSource)
	if !ok {
		return app.Kit{}, app.Errorf(app.CodeInternal, "make kit", "%T gives no kit", v)
	}
	blobs, err := src.KitBlobs(ctx)
	if err != nil {
		return app.Kit{}, err
	}
	place := a.Store.Document().Vault
	setup, err := a.vaultSetup(ctx, *place)
	if err != nil {
		return app.Kit{}, err
	}
	setup.Storage.Secrets = maps.Clone(setup.Storage.Secrets)
	setup.Storage.AsOf = place.AsOf
	return app.Kit{
		Made: a.Now().UTC(), Shop: place.Shop, VaultID: place.ID,
		Storage: setup.Storage, Passphrase: setup.Passphrase, Blobs: blobs,
	}, nil
}

// seal is a digest of everything that makes a kit open the vault.
func seal(k app.Kit) (app.Secret, error) {
	secrets := map[string]string{}
	for key, s := range k.Storage.Secrets {
		secrets[key] = s.Reveal()
	}
	b, err := json.Marshal(struct {
		Vault    string
		Kind     app.Kind
		Settings map[string]string
		Secrets  map[string]string
		Blobs    map[string][]byte
	}{k.VaultID, k.Storage.Kind, k.Storage.Settings, secrets, k.Blobs})
	if err != nil {
		return app.Secret{}, fmt.Errorf("seal kit: %w", err)
	}
	h := hmac.New(sha256.New, []byte(k.Passphrase.Reveal()))
	h.Write(b) // a hash.Hash never fails
	return app.NewSecret(hex.EncodeToString(h.Sum(nil))), nil
}

// MakeKit implements [app.KitService].
func (a *Agent) MakeKit(ctx context.Context, r app.KitRequest) (app.KitState, error) {
	if len(r.Files) == 0 {
		return app.KitState{}, app.Errorf(app.CodeUsage, "make kit", "no file was named").With("field", "out")
	}
	k, err := a.kit(ctx)
	if err != nil {
		return app.KitState{}, err
	}
	if !k.Storage.AsOf.IsZero() {
		return app.KitState{}, app.Errorf(app.CodeVaultPast, "make kit", "the vault is shown as it was")
	}
	if k.Number, err = a.nextKit(ctx); err != nil {
		return app.KitState{}, err
	}
	for _, format := range slices.Sorted(maps.Keys(r.Files)) {
		page, err := a.print(k, format)
		if err != nil {
			return app.KitState{}, err
		}
		if err := writePrivate(r.Files[format], page, r.Overwrite); err != nil {
			return app.KitState{}, err
		}
	}
	return a.kitMade(ctx, k)
}

func (a *Agent) print(k app.Kit, f app.KitFormat) (app.Secret, error) {
	language := a.Store.Document().Settings.Language
	switch f {
	case app.KitPDF:
		return a.Press.PDF(k, language)
	case app.KitText:
		return a.Press.Text(k, language)
	}
	return app.Secret{}, app.Errorf(app.CodeUsage, "make kit", "no format %q", f).With("choices", string(app.KitPDF)+", "+string(app.KitText))
}

// kitMade records the kit that was just written.
func (a *Agent) kitMade(ctx context.Context, k app.Kit) (app.KitState, error) {
	s, err := seal(k)
	if err != nil {
		return app.KitState{}, err
	}
	err = errors.Join(
		a.Secrets.SetSecret(ctx, kitSealKey, s),
		a.Secrets.SetSecret(ctx, kitCodeKey, app.NewSecret(a.Press.Code(k))),
	)
	if err != nil {
		return app.KitState{}, err
	}
	err = a.Store.Update(func(d *Document) error {
		d.Kit = KitRecord{Number: k.Number, Made: k.Made}
		return nil
	})
	a.bus.poke()
	return a.Store.Document().Kit.state(), err
}

func (k KitRecord) state() app.KitState {
	return app.KitState{Number: k.Number, Made: k.Made, Confirmed: k.Confirmed, Void: k.Void}
}

// nextKit numbers a kit: higher than any that a computer of the shop has made.
func (a *Agent) nextKit(ctx context.Context) (int, error) {
	highest := a.Store.Document().Kit.Number
	v, err := a.openVault(ctx)
	if err != nil {
		return 0, err
	}
	all, err := a.states(ctx, v)
	if err != nil {
		return 0, err
	}
	for _, st := range all {
		highest = max(highest, st.Kit.Number)
	}
	return highest + 1, nil
}

// writePrivate writes a secret to a file for this account's eyes only.
func writePrivate(path string, s app.Secret, overwrite bool) error {
	if !filepath.IsAbs(path) {
		return app.Errorf(app.CodeUsage, "write file", "%q is not absolute", path).With("field", "out")
	}
	if _, err := os.Stat(path); err == nil && !overwrite {
		return app.Errorf(app.CodeTargetExists, "write file", "%s is there", path).With("path", path)
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".kvart-*.new") // readable for this account only
	if err != nil {
		return targetError(path, err)
	}
	_, err = tmp.WriteString(s.Reveal())
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(targetError(path, err), os.Remove(tmp.Name()))
	}
	return nil
}

func targetError(path string, err error) error {
	code := app.CodeTargetReadOnly
	if errors.Is(err, fs.ErrNotExist) {
		code = app.CodePathUnknown
	}
	return app.Errorf(code, "write file", "%w", err).With("path", path)
}

// ConfirmKit implements [app.KitService].
func (a *Agent) ConfirmKit(ctx context.Context, code string) (app.KitState, error) {
	k := a.Store.Document().Kit
	if k.Number == 0 {
		return app.KitState{}, app.Errorf(app.CodeKitMissing, "confirm kit", "none was made")
	}
	want, err := a.Secrets.Secret(ctx, kitCodeKey)
	if err != nil {
		return app.KitState{}, err
	}
	if bare(code) != bare(want.Reveal()) {
		return k.state(), app.Errorf(app.CodeKitCode, "confirm kit", "another code").With("number", fmt.Sprint(k.Number))
	}
	err = a.Store.Update(func(d *Document) error { d.Kit.Confirmed = a.Now(); return nil })
	a.bus.poke()
	return a.Store.Document().Kit.state(), err
}

// kitProved records that a kit has just opened the vault: nobody need type its
// code back to show that they have it.
func (a *Agent) kitProved(ctx context.Context, k app.Kit) error {
	if k.Number < a.Store.Document().Kit.Number {
		return nil // an older one, that still opens it
	}
	if err := a.Secrets.SetSecret(ctx, kitCodeKey, app.NewSecret(a.Press.Code(k))); err != nil {
		return err
	}
	return a.Store.Update(func(d *Document) error {
		d.Kit = KitRecord{Number: k.Number, Made: k.Made, Confirmed: a.Now()}
		return nil
	})
}

// bare leaves of a code what counts when it is typed.
func bare(code string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToUpper(r)
	}, code)
}

// kitMayBeVoid compares the newest kit with what opens the vault now.
func (a *Agent) kitMayBeVoid(ctx context.Context) {
	if a.Store.Document().Kit.Number == 0 {
		return
	}
	void, err := a.kitVoid(ctx)
	if err != nil {
		a.Log.WarnContext(ctx, "Kit not compared", "error", err)
		return
	}
	if err := a.Store.Update(func(d *Document) error { d.Kit.Void = void; return nil }); err != nil {
		a.Log.WarnContext(ctx, "Kit's state not kept", "error", err)
	}
	a.bus.poke()
}

func (a *Agent) kitVoid(ctx context.Context) (bool, error) {
	k, err := a.kit(ctx)
	if err != nil {
		return false, err
	}
	now, err := seal(k)
	if err != nil {
		return false, err
	}
	was, err := a.Secrets.Secret(ctx, kitSealKey)
	if app.CodeOf(err) == app.CodeSecretMissing {
		// Made on another computer. It opened the vault on this one, or the keys
		// did: nothing says that it is void, and nothing that it is not.
		return false, a.Secrets.SetSecret(ctx, kitSealKey, now)
	}
	return err == nil && was.Reveal() != now.Reveal(), err
}

// Invite implements [app.KitService].
func (a *Agent) Invite(ctx context.Context, path string) (app.Invitation, error) {
	k, err := a.kit(ctx)
	if err != nil {
		return app.Invitation{}, err
	}
	k.Expires = a.Now().Add(invitationLife).UTC()
	sealed, code, err := a.Press.Seal(k)
	if err != nil {
		return app.Invitation{}, err
	}
	if err := writePrivate(path, app.NewSecret(string(sealed)), false); err != nil {
		return app.Invitation{}, err
	}
	return app.Invitation{Path: path, Expires: k.Expires, Code: code.Reveal()}, nil
}
