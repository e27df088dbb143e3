package backup_test

import (
	"testing"

	"kvart/app"
	"kvart/backup"
	"kvart/backup/vaulttest"
)

// Maintenance frees storage, extends locks and keeps the index small in a vault
// in which something is lost for good, and takes nothing that can still be
// healed.
func TestVault_MaintenanceGoesOnAfterALoss(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(backup.Piece) bool{
		"data": isData, "listings": isListing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fixture(t)
			v := f.Create(t)
			first := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
			flip(t, v, root(f), damage)
			repair(t, v)
			for range 3 {
				if err := backup.FullMaintenance(t.Context(), v, 0); err != nil {
					t.Fatalf("maintenance: %v", err)
				}
			}
			vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
			vaulttest.Compare(t, v, first, shop()...)
			wantWhole(t, v, 2)
			if err := backup.FullMaintenance(t.Context(), v, 0); err != nil {
				t.Errorf("maintenance when healed: %v", err)
			}
			wantWhole(t, v, 2)
		})
	}
}

// After two weeks what only a lost listing knew of is given up.
func TestVault_MaintenanceGivesUpLostListings(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
	other := vaulttest.Save(t, v, vaulttest.Request("other", vaulttest.File("a", vaulttest.Noise(9000, 5)))).Point.ID
	lost := 0
	flip(t, v, root(f), func(p backup.Piece) bool {
		if p.Prefix == "k" {
			lost++
		}
		return p.Prefix == "k" && lost == 1
	})
	repair(t, v)
	for _, days := range []int{0, 20} {
		if err := backup.FullMaintenance(t.Context(), v, days); err != nil {
			t.Fatalf("maintenance after %d days: %v", days, err)
		}
	}
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || len(r.DamagedPoints) != 1 {
		t.Errorf("verification %+v, %v", r, err)
	}
	if r.DamagedPoints[0] != other {
		vaulttest.Compare(t, v, other, vaulttest.File("a", vaulttest.Noise(9000, 5)))
	}
}
