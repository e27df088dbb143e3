package backup_test

import (
	"bytes"
	"context"
	"os"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/backup"
	"kvart/backup/vaulttest"
)

type rescuer interface {
	Rescue(ctx context.Context, s app.VaultSetup, copies []app.StorageSpec) (app.RepairReport, error)
}

func TestProvider_RescueIndex(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		withCopy bool
		damage   func(t *testing.T, dir string)
	}{
		{"one index blob flipped", false, func(t *testing.T, dir string) { spoil(t, dir, blobs(t, dir, "xn")[:1]) }},
		{"all index blobs flipped", false, func(t *testing.T, dir string) { spoil(t, dir, blobs(t, dir, "xn")) }},
		{"all index blobs flipped, a copy", true, func(t *testing.T, dir string) { spoil(t, dir, blobs(t, dir, "xn")) }},
		{"all index blobs gone", false, func(t *testing.T, dir string) { lose(t, dir, blobs(t, dir, "x")) }},
		{"all index blobs gone, a copy", true, func(t *testing.T, dir string) { lose(t, dir, blobs(t, dir, "x")) }},
		{"format blob garbled, a copy", true, func(t *testing.T, dir string) { overwrite(t, blobFile(t, dir, "kopia.repository"), []byte("{")) }},
		{"format blob gone, a copy", true, func(t *testing.T, dir string) { lose(t, dir, []string{"kopia.repository"}) }},
		{"lock settings garbled, a copy", true, func(t *testing.T, dir string) { spoil(t, dir, []string{"kopia.blobcfg"}) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := fixture(t)
			v := f.Create(t)
			first := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
			var copies []app.StorageSpec
			if tt.withCopy {
				copies = append(copies, folderSpec(t))
				copyTo(t, v, copies[0], 0)
			}
			// What came after the copy is known to the packs alone.
			second := vaulttest.Save(t, v, vaulttest.Request("s", append(shop(), vaulttest.File("ny", []byte("ny")))...)).Point.ID
			if err := v.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			tt.damage(t, root(f))
			f.StateDir = t.TempDir()
			if _, err := f.Provider.Open(t.Context(), f.Setup()); err == nil {
				t.Fatal("the damage does no harm")
			}
			r, err := f.Provider.(rescuer).Rescue(t.Context(), f.Setup(), copies)
			if err != nil {
				t.Fatalf("rescue: %v", err)
			}
			if tt.withCopy && (r.Damaged == 0 || r.Restored == 0) {
				t.Errorf("report %+v", r)
			}
			v = f.Open(t)
			vaulttest.Compare(t, v, first, shop()...)
			vaulttest.Compare(t, v, second, append(shop(), vaulttest.File("ny", []byte("ny")))...)
			wantWhole(t, v, 2)
			if c := check(t, v, all); len(c.Damaged) != 0 {
				t.Errorf("damaged %v", c.Damaged)
			}
			if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
				t.Errorf("save after the rescue: %v", err)
			}
		})
	}
}

// spoil flips bytes all over some objects of a folder.
func spoil(t *testing.T, dir string, ids []string) {
	t.Helper()
	for _, id := range ids {
		name := blobFile(t, dir, id)
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(b); i += 16 {
			b[i] ^= 0x20
		}
		overwrite(t, name, b)
	}
}

func lose(t *testing.T, dir string, ids []string) {
	t.Helper()
	for _, id := range ids {
		if err := os.Remove(blobFile(t, dir, id)); err != nil {
			t.Fatal(err)
		}
	}
}

// What can't be read is kept on this computer before it leaves the storage, and
// points that expired do not rise again.
func TestProvider_RescueKeepsWhatItTakesOut(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	for i := range 3 {
		vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.File("a", []byte{byte(i)})))
	}
	if err := v.Maintain(t.Context(), app.Retention{Latest: 1}); err != nil {
		t.Fatal(err)
	}
	kept := vaulttest.Points(t, v, app.PointFilter{})
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	ids := blobs(t, root(f), "xn")
	spoil(t, root(f), ids)
	bad := map[string][]byte{}
	for _, id := range ids {
		b, err := os.ReadFile(blobFile(t, root(f), id))
		if err != nil {
			t.Fatal(err)
		}
		bad[id] = b
	}
	if _, err := f.Provider.(rescuer).Rescue(t.Context(), f.Setup(), nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range listing(t, f.StateDir) {
		for id, want := range bad {
			if strings.HasSuffix(name, id) {
				if b, err := os.ReadFile(name); err != nil || !bytes.Equal(b, want) {
					t.Errorf("%s was not kept as it was: %v", id, err)
				}
				delete(bad, id)
			}
		}
	}
	if len(bad) > 0 {
		t.Errorf("%d objects were not kept", len(bad))
	}
	if got := vaulttest.Points(t, f.Open(t), app.PointFilter{}); len(got) != 1 || got[0].ID != kept[0].ID {
		t.Errorf("points %+v, want %+v", got, kept)
	}
}

// Manifests are read before anything else: without them nothing opens.
func TestProvider_RescueManifests(t *testing.T) {
	t.Parallel()
	for _, withCopy := range []bool{true, false} {
		f := fixture(t)
		v := f.Create(t)
		first := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
		var copies []app.StorageSpec
		if withCopy {
			copies = append(copies, folderSpec(t))
			copyTo(t, v, copies[0], 0)
		}
		pieces, err := backup.Pieces(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if err := save(t, v, shop()...); err != nil {
			t.Fatal(err)
		}
		// The second point's, when there is no copy to bring it back from.
		flip(t, v, root(f), func(p backup.Piece) bool { return p.Prefix == "m" && slices.Contains(pieces, p) == withCopy })
		if err := v.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = f.Provider.Open(t.Context(), f.Setup())
		wantCode(t, err, app.CodeVaultDamaged)
		if _, err := f.Provider.(rescuer).Rescue(t.Context(), f.Setup(), copies); err != nil {
			t.Fatalf("rescue: %v", err)
		}
		v = f.Open(t)
		vaulttest.Compare(t, v, first, shop()...)
	}
}

func TestProvider_RescueKilledAnywhere(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	id := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.Change(func(key string, b []byte) {
		if strings.HasPrefix(key, "shop/xn") {
			b[len(b)/2] ^= 1
		}
	})
	for n := range 20 {
		f, s := cloneBucket(t, s)
		failAfter(s, n)
		_, err := f.Provider.(rescuer).Rescue(t.Context(), f.Setup(), nil)
		s.Intercept(nil)
		v, openErr := f.Provider.Open(t.Context(), f.Setup())
		if openErr != nil {
			if _, err := f.Provider.(rescuer).Rescue(t.Context(), f.Setup(), nil); err != nil {
				t.Fatalf("killed at write %d, rescued again: %v", n, err)
			}
			v = f.Open(t)
		}
		vaulttest.Compare(t, v, id, shop()...) // it opens whole or not at all
		wantWhole(t, v, 1)
		if err := v.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err == nil {
			return
		}
	}
	t.Error("it was never finished")
}

func TestProvider_RescueLeavesAlone(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, shop()...); err != nil {
		t.Fatal(err)
	}
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := listing(t, root(f))
	if r, err := f.Provider.(rescuer).Rescue(t.Context(), f.Setup(), nil); err != nil || r.Damaged != 0 {
		t.Errorf("a whole vault: %+v, %v", r, err)
	}
	other := f.Setup()
	other.Passphrase = app.NewSecret("another passphrase")
	_, err := f.Provider.(rescuer).Rescue(t.Context(), other, nil)
	wantCode(t, err, app.CodeWrongPassphrase)
	if after := listing(t, root(f)); !slices.Equal(before, after) {
		t.Errorf("it held %v, now %v", before, after)
	}
	if err := os.RemoveAll(root(f)); err != nil {
		t.Fatal(err)
	}
	_, err = f.Provider.(rescuer).Rescue(t.Context(), f.Setup(), nil)
	wantCode(t, err, app.CodeStorageGone)
}
