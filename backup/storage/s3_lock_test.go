package storage

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
	"kvart/backup/storage/s3test"
)

func TestLocation_ProveLock(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		server *s3test.Server
		mode   app.LockMode
		want   app.LockState
	}{
		{"governance held", &s3test.Server{Versions: true, Locking: true}, app.LockGovernance, app.LockHeld},
		{"governance held, in other words", &s3test.Server{Versions: true, Locking: true, LockCode: "InvalidRequest"}, app.LockGovernance, app.LockHeld},
		{"governance lifted", &s3test.Server{Versions: true, Locking: true, Bypass: true}, app.LockGovernance, app.LockLifted},
		{"compliance held", &s3test.Server{Versions: true, Locking: true, Bypass: true}, app.LockCompliance, app.LockHeld},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec := locked(serve(t, tt.server), tt.mode)
			tt.server.Put("shop/p1", []byte("not to be touched"))
			loc := openBucket(t, spec)
			if loc.Lock != (app.LockSettings{Mode: tt.mode, Days: 30}) {
				t.Errorf("lock %+v", loc.Lock)
			}
			proof, err := loc.ProveLock(t.Context(), loc.Lock)
			if err != nil || proof.State != tt.want || proof.Refusal == "" || time.Since(proof.At) > time.Minute {
				t.Errorf("proof %+v, %v", proof, err)
			}
			if left := tt.server.Visible(); len(left) != 1 || tt.server.Kept("shop/p1") != 1 {
				t.Errorf("left to be seen: %v", left)
			}
		})
	}
}

// A server that takes a lock and does not keep to it is found out, and one that
// says something else than no proves nothing.
func TestLocation_ProveLockOpen(t *testing.T) {
	t.Parallel()
	s := &s3test.Server{Versions: true, Locking: true}
	loc := openBucket(t, locked(serve(t, s), app.LockCompliance))
	s.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("x-amz-object-lock-mode")
		return false
	})
	proof, err := loc.ProveLock(t.Context(), loc.Lock)
	if err != nil || proof.State != app.LockOpen {
		t.Errorf("proof %+v, %v", proof, err)
	}
	for _, other := range []struct {
		code string
		want app.Code
	}{{"SlowDown", app.CodeStorageBusy}, {"InvalidAccessKeyId", app.CodeStorageDenied}} {
		s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodDelete {
				s3test.Fail(w, http.StatusServiceUnavailable, other.code, "no")
			}
			return r.Method == http.MethodDelete
		})
		_, err = loc.ProveLock(t.Context(), loc.Lock)
		wantCode(t, err, other.want)
	}
	s.Intercept(func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) })
	_, err = loc.ProveLock(t.Context(), loc.Lock)
	wantCode(t, err, app.CodeStorageOffline)
}

// What earlier proofs left goes once its lock has ended, and nothing else.
func TestLocation_ProveLockSweeps(t *testing.T) {
	t.Parallel()
	var ago time.Duration
	s := &s3test.Server{Versions: true, Locking: true, Now: func() time.Time { return time.Now().Add(-ago) }}
	loc := openBucket(t, locked(serve(t, s), app.LockGovernance))
	old, fresh, other := "shop/"+lockProbePrefix+"old", "shop/"+lockProbePrefix+"fresh", "shop/p1"
	ago = 48 * time.Hour
	s.Put(old, []byte("x"))
	s.Put(other, []byte("x"))
	ago = time.Hour
	s.Put(fresh, []byte("x"))
	ago = 0
	if _, err := loc.ProveLock(t.Context(), loc.Lock); err != nil {
		t.Fatal(err)
	}
	if s.Kept(old) != 0 || s.Kept(fresh) != 1 || s.Kept(other) != 1 {
		t.Errorf("kept %d old, %d fresh, %d other", s.Kept(old), s.Kept(fresh), s.Kept(other))
	}
}

func TestLocation_LockNone(t *testing.T) {
	t.Parallel()
	loc := openBucket(t, serve(t, &s3test.Server{Versions: true, Locking: true}))
	_, err := loc.ProveLock(t.Context(), loc.Lock)
	wantCode(t, err, app.CodeLockNone)
}

// A lock that was asked for and can't be had is refused before anything is made.
func TestOpen_BucketCannotLock(t *testing.T) {
	t.Parallel()
	spec := locked(serve(t, &s3test.Server{Versions: true}), app.LockGovernance)
	_, err := Open(t.Context(), spec, true)
	wantCode(t, err, app.CodeLockBucket)
	_, err = Probe(t.Context(), spec)
	wantCode(t, err, app.CodeLockBucket)
	// What is there can be opened all the same.
	openBucket(t, spec)
}

func TestProbe_BucketLock(t *testing.T) {
	t.Parallel()
	s := &s3test.Server{Versions: true, Locking: true}
	spec := serve(t, s)
	r, err := Probe(t.Context(), spec)
	if err != nil || !r.CanLock || warned(r, app.CodeLockNone) == nil {
		t.Errorf("without a lock: %+v, %v", r, err)
	}
	r, err = Probe(t.Context(), locked(spec, app.LockGovernance))
	if err != nil || !r.CanLock || len(r.Warnings) > 0 {
		t.Errorf("with one: %+v, %v", r, err)
	}
	lifting := &s3test.Server{Versions: true, Locking: true, Bypass: true}
	r, err = Probe(t.Context(), locked(serve(t, lifting), app.LockGovernance))
	if err != nil || warned(r, app.CodeLockLifted) == nil {
		t.Errorf("with one the key lifts: %+v, %v", r, err)
	}
	if left := append(s.Visible(), lifting.Visible()...); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

const formatBlob = `{"tool":"https://github.com/kopia/kopia","uniqueID":"a3ZhcnQta3ZhcnQta3ZhcnQ="}`

// After somebody has deleted everything a vault is shown as it was.
func TestLocation_HiddenAndAsOf(t *testing.T) {
	t.Parallel()
	clock := time.Now().Add(-time.Hour).Truncate(time.Second)
	s := &s3test.Server{Versions: true, Now: func() time.Time { return clock }}
	spec := serve(t, s)
	s.Put("shop/"+format.KopiaRepositoryBlobID, []byte(formatBlob))
	s.Put("shop/p1", []byte("old bytes"))
	loc := openBucket(t, spec)
	if at, err := loc.Hidden(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("a vault that is there was hidden at %v, %v", at, err)
	}
	if err := loc.Present(t.Context()); err != nil {
		t.Error(err)
	}
	clock = clock.Add(10 * time.Minute)
	s.DeleteAll()
	if state, err := loc.Survey(t.Context()); state != app.LocationEmpty || err != nil {
		t.Errorf("survey: %s, %v", state, err)
	}
	want := clock.Add(-time.Second)
	for _, err := range []error{loc.Present(t.Context()), loc.Missing(t.Context())} {
		wantCode(t, err, app.CodeVaultHidden)
		wantArg(t, err, "at", want.UTC().Format(time.RFC3339))
	}
	clock = clock.Add(time.Minute)
	s.Put("shop/"+format.KopiaRepositoryBlobID, []byte("pay 2 bitcoin"))
	at, err := loc.Hidden(t.Context())
	if err != nil || !at.Equal(want) {
		t.Fatalf("hidden at %v, %v, want %v", at, err, want)
	}
	spec.AsOf = at
	past := openBucket(t, spec)
	if state, err := past.Survey(t.Context()); state != app.LocationVault || err != nil {
		t.Errorf("survey of the past: %s, %v", state, err)
	}
	for id, want := range map[blob.ID]string{"p1": "old bytes", format.KopiaRepositoryBlobID: formatBlob} {
		if b, err := ReadBlob(t.Context(), past.Store, id); err != nil || string(b) != want {
			t.Errorf("%s reads %q, %v", id, b, err)
		}
	}
	wantCode(t, past.Store.PutBlob(t.Context(), "p2", Bytes("x"), blob.PutOptions{}), app.CodeVaultPast)
	wantCode(t, past.Store.DeleteBlob(t.Context(), "p1"), app.CodeVaultPast)
	wantCode(t, past.Store.ExtendBlobRetention(t.Context(), "p1", blob.ExtendOptions{}), app.CodeVaultPast)
	if r, err := Probe(t.Context(), spec); err != nil || r.State != app.LocationVault {
		t.Errorf("probe of the past: %+v, %v", r, err)
	}
}

func TestLocation_MissingForGood(t *testing.T) {
	t.Parallel()
	s := &s3test.Server{}
	loc := openBucket(t, serve(t, s))
	wantCode(t, loc.Missing(t.Context()), app.CodeVaultMissing)
	wantArg(t, loc.Missing(t.Context()), "where", "127.0.0.1/bucket/shop")
	s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Query().Has("versions") {
			s3test.Fail(w, http.StatusNotImplemented, "NotImplemented", "no versions here")
		}
		return r.URL.Query().Has("versions")
	})
	wantCode(t, loc.Missing(t.Context()), app.CodeVaultMissing)
	s.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		s3test.Fail(w, http.StatusNotFound, "NoSuchBucket", "no such bucket")
		return true
	})
	wantCode(t, loc.Present(t.Context()), app.CodeStorageGone)
}

func TestOpen_AsOfNeedsVersions(t *testing.T) {
	t.Parallel()
	spec := serve(t, &s3test.Server{})
	spec.AsOf = time.Now().Add(-time.Hour)
	_, err := Open(t.Context(), spec, false)
	wantCode(t, err, app.CodeUsage)
	wantArg(t, err, "field", "asOf")
	folder := app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": t.TempDir()}, AsOf: spec.AsOf}
	_, err = Open(t.Context(), folder, false)
	wantCode(t, err, app.CodeUsage)
	if err != nil && strings.Contains(err.Error(), testSecret) {
		t.Error("the error holds the secret")
	}
}
