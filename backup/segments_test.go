package backup_test

import (
	"slices"
	"testing"

	"kvart/app"
	"kvart/backup"
	"kvart/backup/vaulttest"
)

// A segment that the vault's index has lost is sent again by the next backup,
// though what it holds did not change and is remembered as stored.
func TestVault_SegmentGoneFromTheIndex(t *testing.T) {
	t.Parallel()
	for name, item := range map[string]func(string, []byte) app.Item{"pages": vaulttest.Paged, "rolling": rolling} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := fixture(t).Create(t)
			data := vaulttest.Noise(2<<20, 7)
			vaulttest.Save(t, v, vaulttest.Request("s", item("db", data)))
			n := 0
			gone, err := backup.Forget(t.Context(), v, func(name string) bool {
				if name[0] >= 'g' { // lists, listings and manifests
					return false
				}
				n++
				return n%9 == 0
			})
			if err != nil || len(gone) < 5 {
				t.Fatalf("%d forgotten of %d, %v", len(gone), n, err)
			}
			left, err := backup.Contents(t.Context(), v)
			if err != nil || slices.Contains(left, gone[0]) {
				t.Fatalf("%s is still there, %v", gone[0], err)
			}
			res := vaulttest.Save(t, v, vaulttest.Request("s", item("db", data)))
			now, err := backup.Contents(t.Context(), v)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range gone {
				if !slices.Contains(now, name) {
					t.Errorf("segment %s was not sent again", name)
				}
			}
			vaulttest.Compare(t, v, res.Point.ID, item("db", data))
			if rep, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || len(rep.Damaged) > 0 {
				t.Errorf("%+v, %v", rep, err)
			}
		})
	}
}
