package backup_test

import (
	"net/http"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"kvart/app"
	"kvart/backup"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

func repair(t *testing.T, v app.Vault, copies ...app.StorageSpec) app.RepairReport {
	t.Helper()
	r, err := v.(app.Repairer).Repair(t.Context(), copies, nil)
	if err != nil {
		t.Fatalf("repair: %v", err)
	}
	return r
}

// wantWhole fails unless all points of v verify in full.
func wantWhole(t *testing.T, v app.Vault, points int) {
	t.Helper()
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || len(r.Damaged) != 0 || r.Points != points {
		t.Errorf("verification %+v, %v; want %d whole points", r, err, points)
	}
}

// shop is what the tests of this file back up: a database, a file in a folder,
// and one beside it.
func shop() []app.Item {
	return []app.Item{
		vaulttest.Paged("db", vaulttest.Noise(1<<20, 1)), vaulttest.File("bilder/kopp.jpg", vaulttest.Noise(70_000, 2)),
		vaulttest.File("liten.txt", []byte("kaffe")),
	}
}

func isData(p backup.Piece) bool    { return p.Prefix == "" }
func isListing(p backup.Piece) bool { return p.Prefix == "k" || p.Prefix == "x" }

// What no copy has is stored again by the next backup, and then the old points
// are whole again too: with the hashes of segments remembered, and with nothing
// but the folder's listing or the file's bytes gone.
func TestVault_RepairWithoutCopy(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(backup.Piece) bool{
		"data": isData, "listings": isListing, "both": func(p backup.Piece) bool { return isData(p) || isListing(p) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fixture(t)
			v := f.Create(t)
			first := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
			second := vaulttest.Save(t, v, vaulttest.Request("s", append(shop(), vaulttest.File("ny", []byte("ny")))...)).Point.ID
			packs := flip(t, v, root(f), damage)
			r := repair(t, v)
			if r.Damaged != len(packs) || r.Restored != 0 || r.Forgotten < len(packs) || len(r.Points) != 2 {
				t.Errorf("report %+v, damaged %v", r, packs)
			}
			if c := check(t, v, all); len(c.Damaged) != 0 {
				t.Errorf("damaged after the repair: %v", c.Damaged)
			}
			if r := repair(t, v); r.Damaged != 0 || len(r.Points) != 2 {
				t.Errorf("second repair %+v", r)
			}
			// The listing of the first is stored again only by what looks like it.
			vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
			third := vaulttest.Save(t, v, vaulttest.Request("s", append(shop(), vaulttest.File("ny", []byte("ny")))...)).Point.ID
			wantWhole(t, v, 4)
			vaulttest.Compare(t, v, first, shop()...)
			for _, id := range []app.PointID{second, third} {
				vaulttest.Compare(t, v, id, append(shop(), vaulttest.File("ny", []byte("ny")))...)
			}
			if r := repair(t, v); r.Damaged != 0 || len(r.Points) != 0 {
				t.Errorf("last repair %+v", r)
			}
		})
	}
}

// A pack that is gone altogether.
func TestVault_RepairWithoutCopyOfMissingPacks(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	id := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	vaulttest.Compare(t, v, id, shop()...)
	s.Change(func(key string, b []byte) {
		if strings.HasPrefix(key, "shop/p") {
			clear(b)
		}
	})
	if r := repair(t, v); r.Damaged == 0 || !slices.Equal(r.Points, []app.PointID{id}) {
		t.Fatalf("report %+v", r)
	}
	vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
	wantWhole(t, v, 2)
}

func TestVault_RepairFromCopies(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	early, late := folderSpec(t), folderSpec(t)
	vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
	copyTo(t, v, early, 0)
	vaulttest.Save(t, v, vaulttest.Request("s", append(shop(), vaulttest.File("ny", vaulttest.Noise(5000, 7)))...))
	copyTo(t, v, late, 0)
	// One copy is damaged where the other is whole, and a third is unplugged.
	flip(t, v, late.Settings["path"], func(p backup.Piece) bool {
		return slices.Contains(blobs(t, early.Settings["path"], ""), p.Pack) && p.Prefix != "m"
	})
	away := folderSpec(t)
	if err := os.Remove(away.Settings["path"]); err != nil {
		t.Fatal(err)
	}
	packs := flip(t, v, root(f), func(backup.Piece) bool { return true })
	for i, id := range packs {
		if i%3 == 0 {
			if err := os.Remove(blobFile(t, root(f), id)); err != nil {
				t.Fatal(err)
			}
		}
	}
	r := repair(t, v, away, late, early)
	if r.Damaged != len(packs) || r.Restored != len(packs) || r.Forgotten != 0 || len(r.Points) != 0 {
		t.Errorf("report %+v, damaged %d", r, len(packs))
	}
	wantWhole(t, v, 2)
}

// A copy that is not this vault's brings nothing.
func TestVault_RepairUsesNothingForeign(t *testing.T) {
	t.Parallel()
	f, g := fixture(t), fixture(t)
	v, w := f.Create(t), g.Create(t)
	vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
	vaulttest.Save(t, w, vaulttest.Request("s", shop()...))
	packs := flip(t, v, root(f), isData)
	for _, id := range packs { // an attacker names his own packs alike
		b, err := os.ReadFile(blobFile(t, root(g), blobs(t, root(g), "p")[0]))
		if err != nil {
			t.Fatal(err)
		}
		rel := strings.TrimPrefix(blobFile(t, root(f), id), root(f))
		if err := os.MkdirAll(root(g)+rel[:strings.LastIndex(rel, string(os.PathSeparator))], 0o700); err != nil {
			t.Fatal(err)
		}
		overwrite(t, root(g)+rel, b)
	}
	if r := repair(t, v, g.Spec); r.Restored != 0 || r.Forgotten == 0 {
		t.Errorf("report %+v", r)
	}
}

// A repair that dies at any of its writes leaves nothing worse, and the next
// one finishes it.
func TestVault_RepairKilledAnywhere(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	id := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	whole := folderSpec(t)
	copyTo(t, v, whole, 0)
	damageBucket(s)
	for name, copies := range map[string][]app.StorageSpec{"with a copy": {whole}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for n := range 12 {
				f, s := cloneBucket(t, s)
				v := f.Open(t)
				failAfter(s, n)
				_, err := v.(app.Repairer).Repair(t.Context(), copies, nil)
				s.Intercept(nil)
				if err := v.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				v = f.Open(t)
				repair(t, v, copies...)
				if copies == nil {
					vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
				}
				vaulttest.Compare(t, v, id, shop()...)
				if r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || len(r.Damaged) != 0 {
					t.Errorf("killed at write %d: %+v, %v", n, r, err)
				}
				if err == nil {
					return // it did not come to so many writes
				}
			}
			t.Error("it was never finished")
		})
	}
}

// cloneBucket serves what a bucket holds once more.
func cloneBucket(t *testing.T, s *s3test.Server) (*vaulttest.Fixture, *s3test.Server) {
	f, clone := s3Fixture(t)
	s.Change(func(key string, b []byte) { clone.Put(key, slices.Clone(b)) })
	return f, clone
}

// damageBucket flips a byte in every data pack of a bucket.
func damageBucket(s *s3test.Server) {
	s.Change(func(key string, b []byte) {
		if strings.HasPrefix(key, "shop/p") {
			b[len(b)/2] ^= 1
		}
	})
}

// failAfter lets a bucket take n writes and refuse all that follow.
func failAfter(s *s3test.Server, n int) {
	var left atomic.Int64 // several write at once
	left.Store(int64(n))
	s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut && r.Method != http.MethodDelete {
			return false
		}
		if left.Add(-1) >= 0 {
			return false
		}
		s3test.Fail(w, http.StatusForbidden, "AccessDenied", "no")
		return true
	})
}
