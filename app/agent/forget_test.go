package agent

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kvart/app"
)

// TestForget: nothing that opens anything stays on the computer, and what is
// stored stays where it is.
func TestForget(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	secrets := s.Secrets.(*memorySecrets)
	for _, key := range []string{channelKey("Mobilen", "token"), heartbeatSecret, kitCodeKey} {
		if err := secrets.SetSecret(t.Context(), key, app.NewSecret("hemligt")); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Store.Update(func(d *Document) error {
		d.Watch.Channels = []app.Channel{{Name: "Mobilen", Kind: app.ChannelNtfy}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	before := len(secrets.m)
	if err := s.Forget(t.Context(), false); app.CodeOf(err) != app.CodeKitNeeded || len(secrets.m) != before {
		t.Errorf("without a kit: %v, %d of %d secrets are left", err, len(secrets.m), before)
	}
	if err := s.Forget(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if len(secrets.m) != 0 {
		t.Errorf("still kept: %v", secrets.m)
	}
}

// TestDocument_mayForget: only a kit that was typed back and is still good may
// be all that opens the backups, unless the owner says so.
func TestDocument_mayForget(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		doc     Document
		without bool
		may     bool
	}{
		"nothing set up":     {Document{}, false, true},
		"no kit":             {Document{Vault: &VaultPlace{}}, false, false},
		"not typed back":     {Document{Vault: &VaultPlace{}, Kit: KitRecord{Number: 1, Made: at}}, false, false},
		"void":               {Document{Vault: &VaultPlace{}, Kit: KitRecord{Number: 1, Made: at, Confirmed: at, Void: true}}, false, false},
		"good":               {Document{Vault: &VaultPlace{}, Kit: KitRecord{Number: 1, Made: at, Confirmed: at}}, false, true},
		"no kit, on purpose": {Document{Vault: &VaultPlace{}}, true, true},
	} {
		if err := c.doc.MayForget(c.without); (err == nil) != c.may || !c.may && app.CodeOf(err) != app.CodeKitNeeded {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDocument_places: what lies on this computer is found however a setting
// names it, and what can't be told stops everything.
func TestDocument_places(t *testing.T) {
	t.Parallel()
	at, err := filepath.Abs("kopior")
	if err != nil {
		t.Fatal(err)
	}
	kinds := []app.KindSpec{
		{Kind: "folder", Fields: []app.Field{{Key: "path", Type: app.FieldFolder}}},
		{Kind: "rclone", Fields: []app.Field{{Key: "remote", Type: app.FieldText}}},
	}
	d := Document{
		Vault:  &VaultPlace{Kind: "folder", Settings: map[string]string{"path": at}},
		Copies: []Copy{{Kind: "rclone", Settings: map[string]string{"remote": "lokal:" + at + "2"}}, {Kind: "rclone", Settings: map[string]string{"remote": "https://moln.example/x"}}},
	}
	got, err := d.Places(kinds)
	if want := []string{at, at + "2"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for name, d := range map[string]Document{
		"a kind of a newer Kvart": {Vault: &VaultPlace{Kind: "moon", Settings: map[string]string{"path": at}}},
		"a copy of that kind":     {Vault: d.Vault, Copies: []Copy{{Kind: "moon"}}},
		"a folder from nowhere":   {Vault: &VaultPlace{Kind: "folder", Settings: map[string]string{"path": "kopior"}}},
	} {
		if got, err := d.Places(kinds); app.CodeOf(err) != app.CodeForgetUnsure {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
