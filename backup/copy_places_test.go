package backup_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// TestStockKopia_restoresFromACopy: KVART_TEST_KOPIA names the program.
func TestStockKopia_restoresFromACopy(t *testing.T) {
	t.Parallel()
	kopia := os.Getenv("KVART_TEST_KOPIA")
	if kopia == "" {
		t.Skip("KVART-SKIP kopia: KVART_TEST_KOPIA names no stock kopia; make test builds one")
	}
	f := fixture(t)
	v := f.Create(t)
	vaulttest.Save(t, v, vaulttest.Request("s", shop()...))
	to, dir := folderSpec(t), t.TempDir()
	copyTo(t, v, to, 0)
	stock := func(args ...string) []byte {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), kopia, append(args, "--config-file", filepath.Join(dir, "kopia.config"))...)
		cmd.Env = append(os.Environ(), "KOPIA_PASSWORD="+vaulttest.Passphrase, "KOPIA_CHECK_FOR_UPDATES=false",
			"KOPIA_CACHE_DIRECTORY="+filepath.Join(dir, "cache"), "KOPIA_LOG_DIR="+filepath.Join(dir, "log"))
		var errs bytes.Buffer
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("kopia %v: %v\n%s", args, err, errs.String())
		}
		return out
	}
	stock("repository", "connect", "filesystem", "--path", to.Settings["path"])
	var list []struct{ ID string }
	if err := json.Unmarshal(stock("snapshot", "list", "--all", "--json"), &list); err != nil || len(list) != 1 {
		t.Fatalf("snapshots %v, %v", list, err)
	}
	stock("snapshot", "verify", "--verify-files-percent", "100")
	stock("snapshot", "restore", list[0].ID, filepath.Join(dir, "restored"))
	got, err := os.ReadFile(filepath.Join(dir, "restored", "db"))
	if err != nil || !bytes.Equal(got, vaulttest.Noise(1<<20, 1)) {
		t.Errorf("restored %d bytes, %v", len(got), err)
	}
	copyTo(t, v, to, 1)
}

func lockedFixture(t *testing.T) *vaulttest.Fixture {
	srv := httptest.NewServer(&s3test.Server{Versions: true, Locking: true})
	t.Cleanup(srv.Close)
	spec := s3Spec(strings.TrimPrefix(srv.URL, "http://"))
	spec.Settings["lock_mode"], spec.Settings["lock_days"] = "governance", "30"
	return &vaulttest.Fixture{Provider: provider(t), Spec: spec, StateDir: t.TempDir()}
}

// A copy in a bucket that locks is locked, whatever the vault is, and goes on
// locking when it has become the vault.
func TestVault_CopyIsLocked(t *testing.T) {
	t.Parallel()
	f, place := fixture(t), lockedFixture(t)
	v := f.Create(t)
	if err := save(t, v, shop()...); err != nil {
		t.Fatal(err)
	}
	copyTo(t, v, place.Spec, 0)
	if r := copyTo(t, v, place.Spec, 0); r.Copied != 0 {
		t.Errorf("nothing to do: %+v", r)
	}
	c := openCopy(t, f, place.Spec)
	info, err := c.(app.VaultDescriber).Describe(t.Context())
	if err != nil || info.Lock != (app.LockSettings{Mode: app.LockGovernance, Days: 30}) {
		t.Errorf("described %+v, %v", info, err)
	}
	proof, err := c.(app.LockProver).ProveLock(t.Context())
	if err != nil || proof.State != app.LockHeld {
		t.Errorf("proof %+v, %v", proof, err)
	}
	client, err := minio.New(place.Spec.Settings["endpoint"], &minio.Options{Creds: credentials.NewStaticV4("AKIATEST", testKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	locked := 0
	for o := range client.ListObjects(t.Context(), s3test.Bucket, minio.ListObjectsOptions{Prefix: "shop/", Recursive: true, WithVersions: true}) {
		name := strings.TrimPrefix(o.Key, "shop/")
		if !strings.HasPrefix(name, "p") && !strings.HasPrefix(name, "q") && !strings.HasPrefix(name, "x") && name != "kopia.repository" {
			continue
		}
		if err := client.RemoveObject(t.Context(), s3test.Bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}); err == nil {
			t.Errorf("%s could be deleted", name)
		}
		locked++
	}
	if locked < 5 {
		t.Errorf("only %d objects", locked)
	}
}

// A copy of a locked vault on a disk that can't lock must be usable as a vault.
func TestVault_CopyOfALockedVaultToADisk(t *testing.T) {
	t.Parallel()
	f := lockedFixture(t)
	v := f.Create(t)
	if err := save(t, v, shop()...); err != nil {
		t.Fatal(err)
	}
	to := folderSpec(t)
	copyTo(t, v, to, 0)
	if r := copyTo(t, v, to, 0); r.Copied != 0 {
		t.Errorf("nothing to do: %+v", r)
	}
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	c := openCopy(t, f, to)
	if err := save(t, c, vaulttest.File("a", []byte("1"))); err != nil {
		t.Errorf("save into the copy: %v", err)
	}
	wantWhole(t, c, 2)
}

func TestVault_CopyAfterANewPassphrase(t *testing.T) {
	t.Parallel()
	f := fixture(t)
	v := f.Create(t)
	if err := save(t, v, shop()...); err != nil {
		t.Fatal(err)
	}
	to := folderSpec(t)
	copyTo(t, v, to, 0)
	next := app.NewSecret("en helt ny lösenfras")
	if err := v.(app.PassphraseChanger).ChangePassphrase(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	copyTo(t, v, to, 0)
	setup := app.VaultSetup{Storage: to, Passphrase: next, StateDir: t.TempDir(), Computer: f.Setup().Computer}
	c, err := f.Provider.Open(t.Context(), setup)
	if err != nil {
		t.Fatalf("open the copy with the new passphrase: %v", err)
	}
	wantWhole(t, c, 1)
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	setup.Passphrase = app.NewSecret(vaulttest.Passphrase)
	_, err = f.Provider.Open(t.Context(), setup)
	wantCode(t, err, app.CodeWrongPassphrase)
}

// Under a lock a damaged pack can't be deleted, and is mended all the same.
func TestVault_RepairOfALockedVault(t *testing.T) {
	t.Parallel()
	f := lockedFixture(t)
	v := f.Create(t)
	id := vaulttest.Save(t, v, vaulttest.Request("s", shop()...)).Point.ID
	to := folderSpec(t)
	copyTo(t, v, to, 0)
	client, err := minio.New(f.Spec.Settings["endpoint"], &minio.Options{Creds: credentials.NewStaticV4("AKIATEST", testKey, "")})
	if err != nil {
		t.Fatal(err)
	}
	damaged := 0
	for o := range client.ListObjects(t.Context(), s3test.Bucket, minio.ListObjectsOptions{Prefix: "shop/p", Recursive: true}) {
		if _, err := client.PutObject(t.Context(), s3test.Bucket, o.Key, strings.NewReader("overwritten"), 11, minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
		damaged++
	}
	if r := repair(t, v, to); damaged == 0 || r.Damaged != damaged || r.Restored != damaged {
		t.Errorf("report %+v, damaged %d", r, damaged)
	}
	vaulttest.Compare(t, v, id, shop()...)
	for o := range client.ListObjects(t.Context(), s3test.Bucket, minio.ListObjectsOptions{Prefix: "shop/p", Recursive: true, WithVersions: true}) {
		if o.IsLatest && client.RemoveObject(t.Context(), s3test.Bucket, o.Key, minio.RemoveObjectOptions{VersionID: o.VersionID}) == nil {
			t.Errorf("%s was put back without a lock", o.Key)
		}
	}
}
