package backup_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

const testKey = "a-very-secret-storage-key"

func s3Fixture(t *testing.T) (*vaulttest.Fixture, *s3test.Server) {
	s := &s3test.Server{}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return &vaulttest.Fixture{Provider: provider(t), Spec: s3Spec(strings.TrimPrefix(srv.URL, "http://")), StateDir: t.TempDir()}, s
}

func s3Spec(endpoint string) app.StorageSpec {
	return app.StorageSpec{
		Kind: "s3",
		Settings: map[string]string{
			"endpoint": endpoint, "bucket": "bucket", "prefix": "shop", "access_key": "AKIATEST", "insecure": "true",
		},
		Secrets: app.Secrets{"secret_key": app.NewSecret(testKey)},
	}
}

func TestProvider_ConformanceInBucket(t *testing.T) {
	t.Parallel()
	vaulttest.Run(t, provider, func(t *testing.T) app.StorageSpec {
		f, _ := s3Fixture(t)
		return f.Spec
	})
}

// TestProvider_ConformanceInRealBucket runs against a server of its own:
// KVART_TEST_S3=endpoint,bucket,access,secret; HTTP, so on this computer.
func TestProvider_ConformanceInRealBucket(t *testing.T) {
	t.Parallel()
	realBucket(t)
	vaulttest.Run(t, provider, func(t *testing.T) app.StorageSpec { return realBucket(t) })
}

func TestVault_BucketLeavesNoSecrets(t *testing.T) {
	t.Parallel()
	f, _ := s3Fixture(t)
	v := f.Create(t)
	id := vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.File("a", []byte("x")))).Point.ID
	vaulttest.Compare(t, v, id, vaulttest.File("a", []byte("x")))
	for _, name := range listing(t, f.StateDir) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(testKey)) || bytes.Contains(b, []byte(vaulttest.Passphrase)) {
			t.Errorf("%s holds a secret", name)
		}
	}
}

// Prefetched, a database in many small segments is read in a few requests.
func TestPoint_PrefetchBringsPacksNear(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	db := vaulttest.Paged("db/kassa.db", vaulttest.Noise(8<<20, 1))
	res := vaulttest.Save(t, v, vaulttest.Request("s", db, vaulttest.File("a", []byte("x"))))
	view, err := v.Open(t.Context(), res.Point.ID)
	if err != nil {
		t.Fatal(err)
	}
	before := s.Gets()
	if err := view.(app.Prefetcher).Prefetch(t.Context(), nil, "db"); err != nil {
		t.Fatalf("prefetch: %v", err)
	}
	b, err := fs.ReadFile(view, "db/kassa.db")
	if err != nil || !bytes.Equal(b, vaulttest.Noise(8<<20, 1)) {
		t.Fatalf("read %d bytes, %v", len(b), err)
	}
	if n := s.Gets() - before; n > 20 {
		t.Errorf("%d requests for a few packs", n)
	}
	if err := view.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range listing(t, f.StateDir) {
		if strings.Contains(name, "near-") {
			t.Errorf("%s was left", name)
		}
	}
}

func TestVault_BucketDamageIsFoundBehindCaches(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	item := vaulttest.File("a", vaulttest.Noise(50_000, 1))
	id := vaulttest.Save(t, v, vaulttest.Request("s", item)).Point.ID
	vaulttest.Compare(t, v, id, item) // now it is in the cache
	s.Change(func(key string, b []byte) {
		if strings.HasPrefix(key, "shop/p") {
			b[len(b)/2] ^= 1
		}
	})
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || len(r.Damaged) != 1 || r.Damaged[0].Path != "a" || !slices.Equal(r.DamagedPoints, []app.PointID{id}) {
		t.Errorf("report %+v, %v", r, err)
	}
}

// A bucket that fails in mid-save is no source that fails.
func TestVault_BucketFailsInMidSave(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	it := vaulttest.File("a", vaulttest.Noise(100_000, 1))
	open := it.Open
	it.Optional = true
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		s.Refuse("AccessDenied")
		return open(ctx)
	}
	err := save(t, v, it)
	wantCode(t, err, app.CodeStorageRight)
	if got := app.AsError(err).Args["right"]; got != "write" {
		t.Errorf("the missing right is %q", got)
	}
}

// A bucket that is full in the middle of a save says so, loses nothing, and
// takes the same again once there is room.
func TestVault_BucketIsFull(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	old := vaulttest.File("a", vaulttest.Noise(50_000, 1))
	first := vaulttest.Save(t, v, vaulttest.Request("s", old)).Point.ID
	it := vaulttest.File("a", vaulttest.Noise(100_000, 2))
	open := it.Open
	it.Open = func(ctx context.Context) (io.ReadCloser, error) {
		s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut {
				s3test.Fail(w, http.StatusForbidden, "QuotaExceeded", "no room")
			}
			return r.Method == http.MethodPut
		})
		return open(ctx)
	}
	wantCode(t, save(t, v, it), app.CodeStorageFull)
	s.Intercept(nil)
	it.Open = open
	vaulttest.Compare(t, v, first, old)
	vaulttest.Compare(t, v, vaulttest.Save(t, v, vaulttest.Request("s", it)).Point.ID, it)
}
