package reopen

import (
	"testing"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
)

func TestFlow(t *testing.T) {
	t.Parallel()
	f := NewFlow()
	if f.complete() {
		t.Error("nothing is enough")
	}
	f.kit = "text"
	if r := f.request(); !f.complete() || r.Secrets[app.KitKey].Reveal() != "text" || r.Invitation != nil {
		t.Errorf("%+v", r)
	}
	f.way = withInvitation
	if f.complete() {
		t.Error("a kit is taken for an invitation")
	}
	f.sealed, f.code = []byte("x"), "code"
	if r := f.request(); !f.complete() || len(r.Secrets) != 1 || r.Secrets[app.InvitationKey].Reveal() != "code" || string(r.Invitation) != "x" {
		t.Errorf("%+v", r)
	}
	f.got(app.VaultInfo{AsOf: uitest.Now()})
	if f.kit+f.code != "" || f.sealed != nil || !f.opened || !f.asOf.Equal(uitest.Now()) {
		t.Errorf("kept %+v", f)
	}
}

func TestModelDone(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		s              app.Status
		past           bool
		empty, missing bool
		sources        int
	}{
		"back":    {uitest.Safe(), false, false, false, 3},
		"secret":  {uitest.MissingSecret(), false, false, true, 3},
		"joined":  {uitest.NoSources(), false, true, false, 0},
		"in past": {uitest.Past(), true, false, false, 0},
	} {
		at := tt.s.Vault.AsOf
		if v := modelDone(w, tt.s, at, uitest.Now()); v.Past != tt.past || v.Empty != tt.empty || v.missing() != tt.missing || len(v.Sources) != tt.sources {
			t.Errorf("%s: %+v", name, v)
		}
	}
}
