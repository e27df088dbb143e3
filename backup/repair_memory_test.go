package backup_test

import (
	"testing"

	"kvart/backup/vaulttest"
)

// What a repair had to give up is not taken over unread either when the guard
// began anew since, or by another computer.
func TestVault_RepairIsRememberedByTheVault(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	first := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	flip(t, v, root(f), isData)
	repair(t, v)
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.StateDir = t.TempDir()
	v = f.Open(t)
	vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
	vaulttest.Compare(t, v, first, shop()...)
	wantWhole(t, v, 2)
}
