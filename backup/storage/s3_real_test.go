package storage

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kvart/app"
	"kvart/backup/storage/s3test"
)

// lockedBucket makes a bucket with object lock on a server of its own, named by
// an environment variable: NAME=endpoint,[bucket,]access,secret; HTTP, so on
// this computer.
func lockedBucket(t *testing.T, name string) app.StorageSpec {
	t.Helper()
	parts := strings.Split(os.Getenv(name), ",")
	if len(parts) < 3 {
		t.Skipf("KVART-SKIP s3: %s names no server; make test starts one", name)
	}
	access, secret := parts[len(parts)-2], parts[len(parts)-1]
	c, err := minio.New(parts[0], &minio.Options{Creds: credentials.NewStaticV4(access, secret, ""), Region: anyRegion})
	if err != nil {
		t.Fatal(err)
	}
	bucket := "kvart-lock-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	if err := c.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{ObjectLocking: true, Region: anyRegion}); err != nil {
		t.Fatal(err)
	}
	s := bucketSpec(parts[0])
	s.Settings["bucket"], s.Settings["access_key"] = bucket, access
	s.Secrets["secret_key"] = app.NewSecret(secret)
	return s
}

// Both servers refuse what is locked, each in its own words; the key is the
// server's own, which may lift the milder lock.
func TestLocation_ProveLockOnRealServers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  string
		mode app.LockMode
		want app.LockState
	}{
		{"KVART_TEST_S3", app.LockGovernance, app.LockLifted},
		{"KVART_TEST_S3", app.LockCompliance, app.LockHeld},
		{"KVART_TEST_MINIO", app.LockGovernance, app.LockLifted},
		{"KVART_TEST_MINIO", app.LockCompliance, app.LockHeld},
	} {
		t.Run(tt.env+" "+string(tt.mode), func(t *testing.T) {
			t.Parallel()
			spec := lockedBucket(t, tt.env)
			loc := openBucket(t, locked(spec, tt.mode))
			proof, err := loc.ProveLock(t.Context(), loc.Lock)
			if err != nil || proof.State != tt.want || proof.Refusal == "" {
				t.Errorf("proof %+v, %v", proof, err)
			}
			if state, err := loc.Survey(t.Context()); state != app.LocationEmpty || err != nil {
				t.Errorf("it left a place that is %s, %v", state, err)
			}
			// What Kopia locks can't be deleted either, and is there afterwards.
			opts := blob.PutOptions{RetentionMode: blob.RetentionMode(strings.ToUpper(string(tt.mode))), RetentionPeriod: 24 * time.Hour}
			if err := loc.Store.PutBlob(t.Context(), "p1", Bytes("x"), opts); err != nil {
				t.Fatal(err)
			}
			r, err := Probe(t.Context(), locked(spec, tt.mode))
			if err != nil || !r.CanLock || (warned(r, app.CodeLockLifted) != nil) != (tt.want == app.LockLifted) {
				t.Errorf("probe %+v, %v", r, err)
			}
		})
	}
}

func TestProbe_RealBucketWithoutLock(t *testing.T) {
	t.Parallel()
	parts := strings.Split(os.Getenv("KVART_TEST_S3"), ",")
	if len(parts) != 4 {
		t.Skip("KVART-SKIP s3: KVART_TEST_S3 is not set to endpoint,bucket,access,secret")
	}
	spec := bucketSpec(parts[0])
	spec.Settings["bucket"], spec.Settings["access_key"], spec.Settings["prefix"] = parts[1], parts[2], "probe/"+strconv.FormatInt(time.Now().UnixNano(), 36)
	spec.Secrets["secret_key"] = app.NewSecret(parts[3])
	if r, err := Probe(t.Context(), spec); err != nil || r.CanLock || r.State != app.LocationEmpty {
		t.Errorf("probe %+v, %v", r, err)
	}
	_, err := Probe(t.Context(), locked(spec, app.LockCompliance))
	wantCode(t, err, app.CodeLockBucket)
	for key, want := range map[string]app.Code{"access_key": app.CodeStorageDenied, "bucket": app.CodeStorageGone} {
		wrong := bucketSpec(parts[0])
		wrong.Settings["bucket"], wrong.Settings["access_key"] = parts[1], parts[2]
		wrong.Secrets = spec.Secrets
		wrong.Settings[key] = "nobody-knows-this"
		_, err := Open(t.Context(), wrong, false)
		wantCode(t, err, want)
	}
	spec.Secrets = app.Secrets{"secret_key": app.NewSecret(testSecret)}
	_, err = Open(t.Context(), spec, false)
	wantCode(t, err, app.CodeStorageDenied)
}

// Somebody with the keys deletes everything: it is all there as it was.
func TestLocation_AsOfOnMinIO(t *testing.T) {
	t.Parallel()
	spec := lockedBucket(t, "KVART_TEST_MINIO")
	loc := openBucket(t, spec)
	blobs := map[blob.ID]string{format.KopiaRepositoryBlobID: formatBlob, "p1": "a pack", "xn1": "an index"}
	for id, data := range blobs {
		if err := loc.Store.PutBlob(t.Context(), id, Bytes(data), blob.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(1500 * time.Millisecond) // between storing and deleting, as [Location.Hidden] counts in seconds
	for id := range blobs {
		if err := loc.Store.DeleteBlob(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if state, err := loc.Survey(t.Context()); state != app.LocationEmpty || err != nil {
		t.Errorf("survey: %s, %v", state, err)
	}
	err := loc.Missing(t.Context())
	wantCode(t, err, app.CodeVaultHidden)
	spec.AsOf, err = time.Parse(time.RFC3339, app.AsError(err).Args["at"])
	if err != nil {
		t.Fatal(err)
	}
	past := openBucket(t, spec)
	found := 0
	err = past.Store.ListBlobs(t.Context(), "", func(m blob.Metadata) error {
		found++
		b, err := ReadBlob(t.Context(), past.Store, m.BlobID)
		if err == nil && string(b) != blobs[m.BlobID] {
			t.Errorf("%s reads %q", m.BlobID, b)
		}
		return err
	})
	if err != nil || found != len(blobs) {
		t.Errorf("%d of %d blobs, %v", found, len(blobs), err)
	}
	wantCode(t, past.Store.PutBlob(t.Context(), "p2", Bytes("x"), blob.PutOptions{}), app.CodeVaultPast)
}

// On a line that has gone dead a call ends with its context all the same.
func TestGuarded_endsOnDeadLine(t *testing.T) {
	t.Parallel()
	api := os.Getenv("KVART_TEST_TOXIPROXY")
	if api == "" {
		t.Skip("KVART-SKIP s3: KVART_TEST_TOXIPROXY names no toxiproxy; make test starts one")
	}
	spec := lockedBucket(t, "KVART_TEST_MINIO")
	line := s3test.NewLine(t, api, spec.Settings["endpoint"])
	spec.Settings["endpoint"] = line.Addr
	loc := openBucket(t, spec)
	for _, way := range []string{"up", "down"} {
		line.Spoil(way, "timeout", way, map[string]any{"timeout": 0})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		start := time.Now()
		err := loc.Store.PutBlob(ctx, "p1", Bytes("x"), blob.PutOptions{})
		cancel()
		wantCode(t, Translate("save", err), app.CodeCanceled)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("it came back after %v", took)
		}
		line.Mend(way)
		if err := loc.Store.PutBlob(t.Context(), "p1", Bytes("y"), blob.PutOptions{}); err != nil {
			t.Error(err)
		}
	}
}
