package agent

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"kvart/app"
)

// TestSetupDraft: what was entered in a setup outlasts the guard, and no secret
// is in it, whatever the window sends.
func TestSetupDraft(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	if d, err := s.SetupDraft(t.Context()); err != nil || !d.Empty() {
		t.Fatalf("%+v, %v", d, err)
	}
	storage := s.Vaults.Storages()[0]
	place := map[string]string{"strange": "x"}
	for _, f := range storage.Fields {
		place[f.Key] = "hemligt"
	}
	err := s.SetSetupDraft(t.Context(), app.SetupDraft{
		Page: "where", Shop: "Kafferosteriet", Storage: app.DraftStorage{Kind: storage.Kind, Settings: place},
		Picks: []app.DraftPick{
			{Kind: "fake", Name: "Kassan", On: true, Settings: map[string]string{"path": "/kassa", "password": "hemligt"}},
			{Kind: "fake", Name: "Butiken", Found: map[string]string{"path": "https://asa:hemligt@butik.example", "password": "hemligt"}},
			{Kind: "gone", Name: "Gammalt", Settings: map[string]string{"token": "hemligt"}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.crash()
	s.start()
	d, err := s.SetupDraft(t.Context())
	if err != nil || d.Page != "where" || d.Shop != "Kafferosteriet" || len(d.Picks) != 3 || d.At.IsZero() {
		t.Fatalf("%+v, %v", d, err)
	}
	if want := map[string]string{"path": "/kassa"}; !reflect.DeepEqual(d.Picks[0].Settings, want) || !d.Picks[0].On {
		t.Errorf("%+v", d.Picks[0])
	}
	if len(d.Picks[1].Found) != 0 || len(d.Picks[2].Settings) != 0 || d.Storage.Settings["strange"] != "" {
		t.Errorf("%+v", d)
	}
	for _, f := range storage.Fields {
		if got := d.Storage.Settings[f.Key]; (got == "") != (f.Type == app.FieldSecret) {
			t.Errorf("%s: %q", f.Key, got)
		}
	}
	big := app.SetupDraft{Page: "what", Shop: strings.Repeat("x", app.MostDraft)}
	if err := s.SetSetupDraft(t.Context(), big); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("too much: %v", err)
	}
	if d, err := s.SetupDraft(t.Context()); err != nil || d.Page != "where" {
		t.Errorf("the last one is lost: %+v, %v", d, err)
	}
	if err := s.SetSetupDraft(t.Context(), app.SetupDraft{}); err != nil {
		t.Fatal(err)
	}
	if d, err := s.SetupDraft(t.Context()); err != nil || !d.Empty() {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestSetupDraft_unreadableIsNone: a damaged draft costs typing, never the setup.
func TestSetupDraft_unreadableIsNone(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	if err := s.Journal.SetMeta(t.Context(), "setup", "{"); err != nil {
		t.Fatal(err)
	}
	if d, err := s.SetupDraft(t.Context()); err != nil || !d.Empty() {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestSettings_noSecretInTheClear: what has a field of its own among the secrets
// is not taken as a plain setting, which is kept in a file in the clear.
func TestSettings_noSecretInTheClear(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	leak := "https://asa:hemligt@butik.example/?token=hemligt"
	var field string
	for _, f := range s.Connectors.Specs()[0].Fields {
		if f.Type == app.FieldText {
			field = f.Key
		}
	}
	if field == "" {
		t.Fatal("the fake source has no text field")
	}
	kind := s.Connectors.Specs()[0].Kind
	_, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: kind, Name: "Ny", Settings: map[string]string{field: leak}})
	refused := func(what string, err error) {
		t.Helper()
		if e := app.AsError(err); e == nil || e.Code != app.CodeUsage || e.Args["field"] == "" || strings.Contains(err.Error(), "hemligt") {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("add source", err)
	_, err = s.ChangeSource(t.Context(), app.ChangeSourceRequest{Source: s.Store.Document().Sources[0].Name, Settings: map[string]string{field: leak}})
	refused("change source", err)
	for _, k := range s.Vaults.Storages() {
		for _, f := range k.Fields {
			if f.Type != app.FieldText {
				continue
			}
			_, err := s.AddCopy(t.Context(), app.CopyRequest{Name: "USB", Storage: app.StorageSpec{Kind: k.Kind, Settings: map[string]string{f.Key: leak}}})
			refused("add copy", err)
		}
	}
	doc, err := json.Marshal(s.Store.Document())
	if err != nil || strings.Contains(string(doc), "hemligt") {
		t.Errorf("settings hold it: %s, %v", doc, err)
	}
}
