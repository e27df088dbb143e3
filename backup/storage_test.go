package backup_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob/filesystem"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/object"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/policy"
	"github.com/kopia/kopia/snapshot/snapshotfs"
	"github.com/kopia/kopia/snapshot/upload"

	"kvart/app"
	"kvart/backup/vaulttest"
)

func root(f *vaulttest.Fixture) string { return f.Spec.Settings["path"] }

// listing returns every file below dir with its size.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func wantCode(t *testing.T, err error, want app.Code) {
	t.Helper()
	if got := app.CodeOf(err); got != want {
		t.Errorf("code %q (%v), want %q", got, err, want)
	}
}

func save(t *testing.T, v app.Vault, items ...app.Item) error {
	t.Helper()
	_, err := v.Save(t.Context(), []app.SaveRequest{vaulttest.Request("s", items...)}, nil)
	return err
}

// A stranger with nothing but the folder and the passphrase restores a database
// that Kvart stored in segments, with stock Kopia.
func TestVault_ReadableByStockKopia(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	data := vaulttest.Noise(6<<20+4096, 1)
	vaulttest.Save(t, v, vaulttest.Request("kassa", vaulttest.Paged("db/kassa.sqlite", slices.Clone(data))))
	data[5<<20] ^= 1
	vaulttest.Save(t, v, vaulttest.Request("kassa", vaulttest.Paged("db/kassa.sqlite", data)))
	rep := stranger(t, root(f))
	mans, err := snapshot.ListSnapshotManifests(t.Context(), rep, nil, map[string]string{"tag:kvart-seq": "2"})
	if err != nil || len(mans) != 1 {
		t.Fatalf("%d snapshots, %v", len(mans), err)
	}
	man, err := snapshot.LoadSnapshot(t.Context(), rep, mans[0])
	if err != nil {
		t.Fatal(err)
	}
	e, err := snapshotfs.FilesystemEntryFromIDWithPath(t.Context(), rep, string(man.ID)+"/db/kassa.sqlite", true)
	if err != nil {
		t.Fatal(err)
	}
	file, ok := e.(interface {
		DirEntry() *snapshot.DirEntry
	})
	if !ok {
		t.Fatalf("%T is no file", e)
	}
	r, err := rep.OpenObject(t.Context(), file.DirEntry().ObjectID)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil || !bytes.Equal(got, data) {
		t.Errorf("restored %d bytes, %v", len(got), err)
	}
}

// stranger opens the repository in dir as any Kopia client would.
func stranger(t *testing.T, dir string) repo.Repository {
	t.Helper()
	st, err := filesystem.New(t.Context(), &filesystem.Options{Path: dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "stranger.config")
	err = repo.Connect(t.Context(), config, st, vaulttest.Passphrase, &repo.ConnectOptions{
		ClientOptions:  repo.ClientOptions{Hostname: "elsewhere", Username: "stranger"},
		CachingOptions: content.CachingOptions{},
	})
	if err != nil {
		t.Fatal(err)
	}
	rep, err := repo.Open(t.Context(), config, vaulttest.Passphrase, &repo.Options{OnFatalError: func(err error) { t.Error(err) }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := rep.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return rep
}

func TestVault_LeavesNoSecrets(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.File("a", []byte("x")), vaulttest.Paged("b", vaulttest.Noise(100_000, 1))))
	names := listing(t, f.StateDir)
	if len(names) < 3 {
		t.Fatalf("state folder holds %v", names)
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(vaulttest.Passphrase)) || bytes.Contains(b, []byte(root(f))) {
			t.Errorf("%s gives the vault away", name)
		}
		if fi, err := os.Stat(name); err != nil || fi.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is readable to others: %v, %v", name, fi.Mode(), err)
		}
	}
}

func TestProvider_CreateNeverWritesOverAnything(t *testing.T) {
	t.Parallel()
	t.Run("other files", func(t *testing.T) {
		t.Parallel()
		f := fixture(t)
		if err := os.WriteFile(filepath.Join(root(f), "semester.jpg"), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := f.Provider.Create(t.Context(), f.Setup())
		wantCode(t, err, app.CodeStorageForeign)
		_, err = f.Provider.Open(t.Context(), f.Setup())
		wantCode(t, err, app.CodeVaultMissing)
		if r, err := f.Provider.Probe(t.Context(), f.Spec); err != nil || r.State != app.LocationForeign {
			t.Errorf("probe: %+v, %v", r, err)
		}
		if got := listing(t, root(f)); len(got) != 1 {
			t.Errorf("left behind: %v", got)
		}
	})
	t.Run("what systems leave on a disk is nothing", func(t *testing.T) {
		t.Parallel()
		f := fixture(t)
		for _, dir := range []string{"System Volume Information", "lost+found", ".Trash-1000"} {
			if err := os.Mkdir(filepath.Join(root(f), dir), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		f.Create(t)
	})
	t.Run("somebody else's repository", func(t *testing.T) {
		t.Parallel()
		f := fixture(t)
		foreignRepository(t, root(f), true)
		before := listing(t, root(f))
		_, err := f.Provider.Create(t.Context(), f.Setup())
		wantCode(t, err, app.CodeStorageForeign)
		_, err = f.Provider.Open(t.Context(), f.Setup())
		wantCode(t, err, app.CodeStorageForeign)
		if after := listing(t, root(f)); !slices.Equal(before, after) {
			t.Errorf("it held %v, now %v", before, after)
		}
	})
	t.Run("a half-made vault is finished", func(t *testing.T) {
		t.Parallel()
		f := fixture(t)
		foreignRepository(t, root(f), false)
		_, err := f.Provider.Open(t.Context(), f.Setup())
		wantCode(t, err, app.CodeVaultNone)
		other := f.Setup()
		other.Passphrase = app.NewSecret("another passphrase")
		_, err = f.Provider.Create(t.Context(), other)
		wantCode(t, err, app.CodeVaultExists)
		if err := save(t, f.Create(t), vaulttest.File("a", nil)); err != nil {
			t.Error(err)
		}
	})
}

// foreignRepository makes a Kopia repository, with a snapshot if asked.
func foreignRepository(t *testing.T, dir string, full bool) {
	t.Helper()
	st, err := filesystem.New(t.Context(), &filesystem.Options{Path: dir}, true)
	if err != nil {
		t.Fatal(err)
	}
	if err := repo.Initialize(t.Context(), st, nil, vaulttest.Passphrase); err != nil {
		t.Fatal(err)
	}
	if !full {
		return
	}
	rep := stranger(t, dir)
	si := snapshot.SourceInfo{Host: "elsewhere", UserName: "stranger", Path: "/home"}
	err = repo.WriteSession(t.Context(), rep, repo.WriteSessionOptions{}, func(ctx context.Context, w repo.RepositoryWriter) error {
		man, err := upload.NewUploader(w).Upload(ctx, snapshotfs.AutoDetectEntryFromObjectID(ctx, w, smallObject(t, ctx, w), "a"), policy.BuildTree(nil, policy.DefaultPolicy), si)
		if err != nil {
			return err
		}
		_, err = snapshot.SaveSnapshot(ctx, w, man)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func smallObject(t *testing.T, ctx context.Context, w repo.RepositoryWriter) object.ID {
	t.Helper()
	ow := w.NewObjectWriter(ctx, object.WriterOptions{})
	defer ow.Close()
	if _, err := ow.Write([]byte("theirs")); err != nil {
		t.Fatal(err)
	}
	id, err := ow.Result()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestVault_FolderVanishes(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
		t.Fatal(err)
	}
	away := root(f) + ".away"
	if err := os.Rename(root(f), away); err != nil {
		t.Fatal(err)
	}
	wantCode(t, save(t, v, vaulttest.File("a", []byte("22"))), app.CodeStorageGone)
	_, err := f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageGone)
	if _, err := os.Stat(root(f)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was made again")
	}
	// The mount point of a disk that was pulled.
	if err := os.Mkdir(root(f), 0o700); err != nil {
		t.Fatal(err)
	}
	wantCode(t, save(t, v, vaulttest.File("a", []byte("22"))), app.CodeVaultMissing)
	wantCode(t, v.Maintain(t.Context(), app.DefaultRetention()), app.CodeVaultMissing)
	if got := listing(t, root(f)); len(got) != 0 {
		t.Errorf("the mount point grew %v", got)
	}
	if err := errors.Join(os.Remove(root(f)), os.Rename(away, root(f))); err != nil {
		t.Fatal(err)
	}
	if err := save(t, v, vaulttest.File("a", []byte("22"))); err != nil {
		t.Errorf("after the folder came back: %v", err)
	}
}

// A disk that is pulled while a file is being read must not be taken for a
// source that fails, nor grow anything at its mount point.
func TestVault_FolderVanishesInMidSave(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	it := vaulttest.File("a", vaulttest.Noise(1<<20, 1))
	open := it.Open
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		if err := os.Rename(root(f), root(f)+".away"); err != nil {
			return nil, err
		}
		return open(ctx)
	}
	it.Optional = true
	wantCode(t, save(t, v, it), app.CodeStorageGone)
	if _, err := os.Stat(root(f)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the folder was made again")
	}
}

func TestVault_FormatBlobDeleted(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
		t.Fatal(err)
	}
	format := filepath.Join(root(f), "kopia.repository.f")
	was, err := os.ReadFile(format)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(format); err != nil {
		t.Fatal(err)
	}
	before := listing(t, root(f))
	wantCode(t, save(t, v, vaulttest.File("a", []byte("22"))), app.CodeVaultMissing)
	_, err = f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeVaultMissing)
	_, err = f.Provider.Create(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageForeign)
	if after := listing(t, root(f)); !slices.Equal(before, after) {
		t.Errorf("it held %v, now %v", before, after)
	}
	for _, name := range listing(t, f.StateDir) {
		if kept, err := os.ReadFile(name); err == nil && filepath.Base(name) == "kopia.repository" && bytes.Equal(kept, was) {
			return
		}
	}
	t.Error("no copy of the format blob was kept")
}
