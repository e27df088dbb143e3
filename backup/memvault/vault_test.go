package memvault_test

import (
	"errors"
	"testing"

	"kvart/app"
	"kvart/backup/memvault"
	"kvart/backup/vaulttest"
)

func folder(t *testing.T) app.StorageSpec {
	return app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": t.Name()}}
}

func TestProvider_Conformance(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, func(*testing.T) app.VaultProvider { return memvault.NewProvider() }, folder)
}

func TestProvider_FailsOnDemand(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	p := memvault.NewProvider()
	f := &vaulttest.Fixture{Provider: p, Spec: folder(t), StateDir: t.TempDir()}
	v := f.Create(t)
	p.FailSave = func([]app.SaveRequest) error { return boom }
	if _, err := v.Save(t.Context(), []app.SaveRequest{vaulttest.Request("s")}, nil); !errors.Is(err, boom) {
		t.Errorf("save: %v", err)
	}
	p.FailSave = nil
	p.FailRequest = func(r app.SaveRequest) error {
		if r.Source == "bad" {
			return boom
		}
		return nil
	}
	res, err := v.Save(t.Context(), []app.SaveRequest{vaulttest.Request("bad"), vaulttest.Request("good")}, nil)
	if err != nil || !errors.Is(res[0].Err, boom) || res[1].Err != nil {
		t.Errorf("save: %+v, %v", res, err)
	}
	p.FailOpen = func(app.VaultSetup) error { return boom }
	if _, err := p.Open(t.Context(), f.Setup()); !errors.Is(err, boom) {
		t.Errorf("open: %v", err)
	}
}
