package backup_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/backup/vaulttest"
)

func TestVault_IndexDeleted(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, name := range listing(t, root(f)) {
		if rel, err := filepath.Rel(root(f), name); err == nil && strings.HasPrefix(rel, "x") {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
	_, err := f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeVaultDamaged)
	_, err = f.Provider.Create(t.Context(), f.Setup())
	wantCode(t, err, app.CodeVaultDamaged)
}

func TestVault_VerifyFindsFlippedByteInEveryPack(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	for i := range 3 {
		if err := save(t, v, vaulttest.File("a", vaulttest.Noise(5000+i, uint64(i))), vaulttest.Paged("db", vaulttest.Noise(40960, 9))); err != nil {
			t.Fatal(err)
		}
	}
	packs := 0
	for _, name := range listing(t, root(f)) {
		if rel, err := filepath.Rel(root(f), name); err != nil || !strings.HasPrefix(rel, "p") {
			continue
		}
		packs++
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		bad := slices.Clone(b)
		bad[len(bad)/3] ^= 0x40
		overwrite(t, name, bad)
		r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
		if err != nil || len(r.Damaged) == 0 || len(r.DamagedPoints) == 0 {
			t.Errorf("a flipped byte in %s: %+v, %v", name, r, err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		if r, err = v.Verify(t.Context(), app.VerifyRequest{}, nil); err != nil || len(r.Damaged) == 0 {
			t.Errorf("%s missing: %+v, %v", name, r, err)
		}
		overwrite(t, name, b)
	}
	if packs == 0 {
		t.Fatal("no packs")
	}
	if r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || len(r.Damaged) != 0 {
		t.Errorf("after mending: %+v, %v", r, err)
	}
}

func overwrite(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
