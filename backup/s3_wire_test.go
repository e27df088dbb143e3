package backup_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// A storage that takes packs and drops them is found out before anything counts
// as safe.
func TestVault_BucketDropsWhatItTook(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		drop := r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/bucket/shop/p")
		if drop {
			w.Header().Set("ETag", `"d41d8cd98f00b204e9800998ecf8427e"`)
		}
		return drop
	})
	res, err := v.Save(t.Context(), []app.SaveRequest{vaulttest.Request("s", vaulttest.File("a", vaulttest.Noise(100_000, 1)))}, nil)
	if err == nil && (res[0].Err == nil || res[0].Point.Verified) {
		t.Fatalf("%+v counts as safe", res)
	}
	s.Intercept(nil)
	points, err := v.Points(t.Context(), app.PointFilter{Source: "s"})
	if err != nil || len(points) != 0 {
		t.Errorf("points %+v, %v", points, err)
	}
	item := vaulttest.File("a", vaulttest.Noise(100_000, 2))
	vaulttest.Compare(t, v, vaulttest.Save(t, v, vaulttest.Request("s", item)).Point.ID, item)
}

// realBucket returns the spec of a place of its own on the server at
// KVART_TEST_S3.
func realBucket(t testing.TB) app.StorageSpec {
	t.Helper()
	parts := strings.Split(os.Getenv("KVART_TEST_S3"), ",")
	if len(parts) != 4 {
		t.Skip("KVART-SKIP s3: KVART_TEST_S3 is not set to endpoint,bucket,access,secret")
	}
	s := s3Spec(parts[0])
	s.Settings["bucket"], s.Settings["access_key"] = parts[1], parts[2]
	s.Settings["prefix"] = "kvart-test/" + strconv.FormatInt(time.Now().UnixNano(), 36)
	s.Secrets["secret_key"] = app.NewSecret(parts[3])
	return s
}

// Somebody with the shop's keys deletes everything in a locked bucket of a real
// server: the vault says so, opens as it was, and gives everything back.
func TestVault_DeletedOnRealServerOpensAsItWas(t *testing.T) {
	t.Parallel()
	parts := strings.Split(os.Getenv("KVART_TEST_MINIO"), ",")
	if len(parts) != 3 {
		t.Skip("KVART-SKIP s3: KVART_TEST_MINIO is not set to endpoint,access,secret; make test starts one")
	}
	c, err := minio.New(parts[0], &minio.Options{Creds: credentials.NewStaticV4(parts[1], parts[2], ""), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	spec := s3Spec(parts[0])
	spec.Settings["bucket"] = "kvart-past-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	spec.Settings["access_key"], spec.Secrets["secret_key"] = parts[1], app.NewSecret(parts[2])
	spec.Settings["lock_mode"], spec.Settings["lock_days"] = string(app.LockGovernance), "3"
	if err := c.MakeBucket(t.Context(), spec.Settings["bucket"], minio.MakeBucketOptions{ObjectLocking: true}); err != nil {
		t.Fatal(err)
	}
	f := &vaulttest.Fixture{Provider: provider(t), Spec: spec, StateDir: t.TempDir()}
	v := f.Create(t)
	item := vaulttest.File("a", vaulttest.Noise(300_000, 1))
	id := vaulttest.Save(t, v, vaulttest.Request("s", item)).Point.ID
	time.Sleep(1500 * time.Millisecond) // the moment before is told in seconds
	for o := range c.ListObjects(t.Context(), spec.Settings["bucket"], minio.ListObjectsOptions{Recursive: true}) {
		if err := errors.Join(o.Err, c.RemoveObject(t.Context(), spec.Settings["bucket"], o.Key, minio.RemoveObjectOptions{})); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, save(t, v, item), app.CodeVaultHidden)
	_, err = f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeVaultHidden)
	f.Spec.AsOf, err = time.Parse(time.RFC3339, app.AsError(err).Args["at"])
	if err != nil {
		t.Fatal(err)
	}
	f.StateDir = t.TempDir() // as on a new computer
	past, err := f.Provider.Open(t.Context(), f.Setup())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := past.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	vaulttest.Compare(t, past, id, item)
	wantCode(t, save(t, past, item), app.CodeVaultPast)
	rewindAndGoOn(t, f, id, item)
}

// rewindAndGoOn makes the storage again as it was at f.Spec.AsOf, and stores
// more in it.
func rewindAndGoOn(t *testing.T, f *vaulttest.Fixture, id app.PointID, item app.Item) {
	t.Helper()
	r, ok := f.Provider.(app.Rewinder)
	if !ok {
		t.Fatalf("%T can't rewind", f.Provider)
	}
	if n, err := r.Rewind(t.Context(), f.Spec); err != nil || n < 3 {
		t.Fatalf("%d objects came back, %v", n, err)
	}
	if n, err := r.Rewind(t.Context(), f.Spec); err != nil || n != 0 {
		t.Errorf("the second time %d objects came back, %v", n, err)
	}
	f.Spec.AsOf = time.Time{}
	v := f.Open(t)
	vaulttest.Compare(t, v, id, item)
	more := vaulttest.File("b", vaulttest.Noise(200_000, 2))
	vaulttest.Compare(t, v, vaulttest.Save(t, v, vaulttest.Request("s", item, more)).Point.ID, item, more)
	if rep, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil); err != nil || len(rep.Damaged) > 0 {
		t.Errorf("%+v, %v", rep, err)
	}
}
