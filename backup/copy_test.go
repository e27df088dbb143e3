package backup_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"kvart/app"
	"kvart/backup/vaulttest"
)

func copyTo(t *testing.T, v app.Vault, to app.StorageSpec, share float64) app.CopyReport {
	t.Helper()
	r, err := v.(app.Copier).Copy(t.Context(), to, share, nil)
	if err != nil {
		t.Fatalf("copy: %v", err)
	}
	return r
}

// openCopy opens a copy as anybody would who has nothing but the passphrase.
func openCopy(t *testing.T, f *vaulttest.Fixture, to app.StorageSpec) app.Vault {
	t.Helper()
	g := &vaulttest.Fixture{Provider: f.Provider, Spec: to, StateDir: t.TempDir()}
	return g.Open(t)
}

func TestVault_CopyOpensWithThePassphrase(t *testing.T) {
	t.Parallel()
	places := map[string]func(t *testing.T) app.StorageSpec{
		"folder": folderSpec,
		"bucket": func(t *testing.T) app.StorageSpec { f, _ := s3Fixture(t); return f.Spec },
	}
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fixture(t)
			v := f.Create(t)
			to := place(t)
			first := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
			r := copyTo(t, v, to, 0)
			if r.Copied != r.Objects || r.Sent != r.Bytes || r.Read != r.Bytes || r.Objects < 7 || r.Removed != 0 || r.Damaged != 0 {
				t.Errorf("first copy: %+v", r)
			}
			again := copyTo(t, v, to, 0)
			if again.Copied != 0 || again.Sent != 0 || again.Objects != r.Objects {
				t.Errorf("nothing to do: %+v", again)
			}
			second := vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.File("ny", vaulttest.Noise(3000, 9)))).Point.ID
			if r = copyTo(t, v, to, 1); r.Copied == 0 || r.Sent > 100_000 || r.Read != r.Bytes {
				t.Errorf("second copy, all read back: %+v", r)
			}
			c := openCopy(t, f, to)
			vaulttest.Compare(t, c, first, shop()...)
			vaulttest.Compare(t, c, second, vaulttest.File("ny", vaulttest.Noise(3000, 9)))
			wantWhole(t, c, 2)
			if r := check(t, c, all); len(r.Damaged) != 0 {
				t.Errorf("damaged in the copy: %v", r.Damaged)
			}
			if err := c.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if r = copyTo(t, v, to, 0); r.Damaged != 0 {
				t.Errorf("after it was opened: %+v", r)
			}
		})
	}
}

func TestVault_CopyMendsTheCopy(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	id := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	to := folderSpec(t)
	copyTo(t, v, to, 0)
	dir := to.Settings["path"]
	spoil(t, dir, blobs(t, dir, "p")[:1])
	short := blobFile(t, dir, blobs(t, dir, "q")[0])
	overwrite(t, short, []byte("short"))
	lose(t, dir, blobs(t, dir, "xn")[:1])
	r := copyTo(t, v, to, 1)
	if r.Damaged != 2 || r.Copied != 3 {
		t.Errorf("report %+v", r)
	}
	spoil(t, dir, []string{"kopia.repository"})
	if r = copyTo(t, v, to, 0); r.Copied != 1 {
		t.Errorf("format blob: %+v", r)
	}
	c := openCopy(t, f, to)
	vaulttest.Compare(t, c, id, shop()...)
	wantWhole(t, c, 1)
}

// A damaged vault must not spoil a copy that is whole.
func TestVault_CopyKeepsWhatTheVaultLost(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	id := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	to := folderSpec(t)
	copyTo(t, v, to, 0)
	flip(t, v, root(f), isData)
	_, err := v.(app.Copier).Copy(t.Context(), to, 1, nil)
	wantCode(t, err, app.CodeVaultDamaged)
	vaulttest.Compare(t, openCopy(t, f, to), id, shop()...)
	// What is new is copied all the same, and what is damaged in both mended
	// once the vault is.
	fresh := folderSpec(t)
	_, err = v.(app.Copier).Copy(t.Context(), fresh, 0, nil)
	wantCode(t, err, app.CodeVaultDamaged)
	if r := repair(t, v, to); r.Restored == 0 || len(r.Points) != 0 {
		t.Fatalf("repair %+v", r)
	}
	copyTo(t, v, fresh, 0)
	wantWhole(t, openCopy(t, f, fresh), 1)
}

func TestVault_CopyRefuses(t *testing.T) {
	t.Parallel()
	f, g := fixture(t), fixture(t)
	v, w := f.Create(t), g.Create(t)
	for _, x := range []app.Vault{v, w} {
		if err := save(t, x, shop()...); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(name string, to app.StorageSpec, want app.Code) {
		t.Helper()
		before := listing(t, filepath.Dir(to.Settings["path"]))
		if _, err := v.(app.Copier).Copy(t.Context(), to, 0, nil); app.CodeOf(err) != want {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		if after := listing(t, filepath.Dir(to.Settings["path"])); !slices.Equal(before, after) {
			t.Errorf("%s: it held %v, now %v", name, before, after)
		}
	}
	at := func(path string) app.StorageSpec {
		return app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": path}}
	}
	photos := folderSpec(t)
	overwrite(t, filepath.Join(photos.Settings["path"], "semester.jpg"), []byte("x"))
	othersCopy := folderSpec(t)
	copyTo(t, w, othersCopy, 0)
	refused("other data", photos, app.CodeStorageForeign)
	refused("another vault", g.Spec, app.CodeVaultOther)
	refused("another vault's copy", othersCopy, app.CodeVaultOther)
	refused("the vault itself", f.Spec, app.CodeStorageUnsafe)
	refused("in the vault", at(filepath.Join(root(f), "copy")), app.CodeStorageUnsafe)
	refused("round the vault", at(filepath.Dir(root(f))), app.CodeStorageUnsafe)
	_, err := v.(app.Copier).Copy(t.Context(), at(filepath.Join(t.TempDir(), "usb", "copy")), 0, nil)
	wantCode(t, err, app.CodeStorageGone)
	// The vault as it is, copied by hand.
	byHand := folderSpec(t)
	if err := os.CopyFS(filepath.Join(byHand.Settings["path"], "x"), os.DirFS(root(f))); err != nil {
		t.Fatal(err)
	}
	refused("copied by hand", at(filepath.Join(byHand.Settings["path"], "x")), app.CodeStorageForeign)
	bucket, s := s3Fixture(t)
	s.Put("shop/notes.txt", []byte("theirs"))
	_, err = v.(app.Copier).Copy(t.Context(), bucket.Spec, 0, nil)
	wantCode(t, err, app.CodeStorageForeign)
	if got := s.Visible(); len(got) != 1 {
		t.Errorf("the bucket holds %v", got)
	}
}

// A copy somebody uses as a vault of its own is a copy no more.
func TestVault_CopyRefusesWhatBecameAVault(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, shop()...); err != nil {
		t.Fatal(err)
	}
	to := folderSpec(t)
	copyTo(t, v, to, 0)
	c := openCopy(t, f, to)
	item := vaulttest.File("a", vaulttest.Noise(5000, 5))
	id := vaulttest.Save(t, c, vaulttest.Request("s", item)).Point.ID
	_, err := v.(app.Copier).Copy(t.Context(), to, 0, nil)
	wantCode(t, err, app.CodeStorageForeign)
	vaulttest.Compare(t, c, id, item)
	// Nor is it copied onto itself.
	_, err = c.(app.Copier).Copy(t.Context(), to, 0, nil)
	wantCode(t, err, app.CodeStorageUnsafe)
}

func TestVault_CopyOfAVaultThatLostItsIndex(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, shop()...); err != nil {
		t.Fatal(err)
	}
	to := folderSpec(t)
	copyTo(t, v, to, 0)
	before := blobs(t, to.Settings["path"], "")
	lose(t, root(f), blobs(t, root(f), "xn"))
	_, err := v.(app.Copier).Copy(t.Context(), to, 0, nil)
	wantCode(t, err, app.CodeCopyShrunk)
	if after := blobs(t, to.Settings["path"], ""); !slices.Equal(before, after) {
		t.Errorf("it held %v, now %v", before, after)
	}
}

// The disk a copy lies on is pulled: nothing grows where it was mounted, and
// when it is back the copy goes on.
func TestVault_CopyToADiskThatGoes(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	id := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	to := folderSpec(t)
	dir := to.Settings["path"]
	copyTo(t, v, to, 0)
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	_, err := v.(app.Copier).Copy(t.Context(), to, 0, nil)
	wantCode(t, err, app.CodeStorageGone)
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was made again")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	_, err = v.(app.Copier).Copy(t.Context(), to, 0, nil)
	wantCode(t, err, app.CodeStorageGone)
	if got := listing(t, dir); len(got) != 0 {
		t.Errorf("the mount point grew %v", got)
	}
	if err := errors.Join(os.Remove(dir), os.Rename(dir+".away", dir)); err != nil {
		t.Fatal(err)
	}
	copyTo(t, v, to, 1)
	vaulttest.Compare(t, openCopy(t, f, to), id, shop()...)
}

// A copy that is cut off at any write is finished by the next, and what opens
// before that is whole.
func TestVault_CopyKilledAnywhere(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	first := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	fresh, s := s3Fixture(t)
	_, done := copyAndDie(t, v, fresh.Spec, func(n int) { failAfter(s, n) }, func() { s.Intercept(nil) }, func() {
		// It opens when it is whole and not before.
		if c, err := fresh.Provider.Open(t.Context(), freshSetup(t, fresh)); err == nil {
			wantWhole(t, c, 1)
			if err := c.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if _, err := v.(app.Copier).Copy(t.Context(), fresh.Spec, 0, nil); err != nil {
			t.Errorf("finish: %v", err)
		}
		wantWhole(t, openCopy(t, fresh, fresh.Spec), 1)
		s.DeleteAll()
	})
	if !done {
		t.Error("a new copy was never finished")
	}
	known, s := s3Fixture(t)
	copyTo(t, v, known.Spec, 0)
	points := 1
	_, done = copyAndDie(t, v, known.Spec, func(n int) {
		if err := save(t, v, vaulttest.File("ny", vaulttest.Noise(3000, uint64(n)+20))); err != nil {
			t.Fatal(err)
		}
		points++
		failAfter(s, n)
	}, func() { s.Intercept(nil) }, func() {
		c := openCopy(t, known, known.Spec)
		vaulttest.Compare(t, c, first, shop()...)
		got := vaulttest.Points(t, c, app.PointFilter{})
		wantWhole(t, c, len(got))
		copyTo(t, v, known.Spec, 0)
		wantWhole(t, openCopy(t, known, known.Spec), points)
	})
	if !done {
		t.Error("an old copy was never brought in step")
	}
}

func freshSetup(t *testing.T, f *vaulttest.Fixture) app.VaultSetup {
	g := *f
	g.StateDir = t.TempDir()
	return g.Setup()
}

// copyAndDie copies again and again, and dies one write later every time.
func copyAndDie(t *testing.T, v app.Vault, to app.StorageSpec, before func(n int), mend, after func()) (n int, done bool) {
	t.Helper()
	for n = 0; n < 25; n += 2 { // every write is for package mirror to test
		before(n)
		_, err := v.(app.Copier).Copy(t.Context(), to, 0, nil)
		mend()
		if err == nil {
			return n, true
		}
		wantCode(t, err, app.CodeStorageRight)
		after()
	}
	return n, false
}

// Copies taken while backups run hold nothing half.
func TestVault_CopyBesideSave(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, shop()...); err != nil {
		t.Fatal(err)
	}
	saved := make(chan error, 1)
	go func() {
		var err error
		for i := range 8 {
			err = errors.Join(err, save(t, v, vaulttest.File("a", vaulttest.Noise(20_000, uint64(i)+50)), vaulttest.Paged("db", vaulttest.Noise(1<<20, uint64(i)))))
		}
		saved <- err
	}()
	to := folderSpec(t)
	for range 6 {
		copyTo(t, v, to, 0)
		c := openCopy(t, f, to)
		r, err := c.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
		if err != nil || len(r.Damaged) != 0 || r.Points == 0 {
			t.Errorf("a copy taken meanwhile: %+v, %v", r, err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-saved; err != nil {
		t.Fatal(err)
	}
	copyTo(t, v, to, 0)
	wantWhole(t, openCopy(t, f, to), 9)
}
