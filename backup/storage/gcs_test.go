package storage

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/storage/gcstest"
)

// accountFile is a service account's file with the address its key is shown to.
func accountFile(t *testing.T, token string) app.Secret {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "kvart@example.iam.gserviceaccount.com", "private_key_id": "1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})), "token_uri": token,
	})
	if err != nil {
		t.Fatal(err)
	}
	return app.NewSecret(string(b))
}

func gcsTestSpec(account app.Secret) app.StorageSpec {
	return app.StorageSpec{
		Kind: "gcs", Settings: map[string]string{"bucket": gcstest.Bucket, "prefix": "shop"},
		Secrets: app.Secrets{"credentials": account},
	}
}

// google starts a server and tells Google's library of it, which only knows the
// environment: nothing can run beside such a test.
func google(t *testing.T) (*gcstest.Server, app.StorageSpec) {
	t.Helper()
	s := gcstest.Serve(t)
	t.Setenv("STORAGE_EMULATOR_HOST", s.Host)
	return s, gcsTestSpec(accountFile(t, "http://127.0.0.1:1/token"))
}

func TestOpen_GoogleChecksSettings(t *testing.T) {
	t.Parallel()
	good := accountFile(t, "")
	for _, tt := range []struct {
		name, secret string
		settings     map[string]string
		want         app.Code
		field        string
	}{
		{"no JSON", "-----BEGIN", nil, app.CodeUsage, "credentials"},
		{"somebody's own log-in", `{"type":"authorized_user","refresh_token":"x"}`, nil, app.CodeUsage, "credentials"},
		{"a key shown without encryption", accountFile(t, "http://example.com/token").Reveal(), nil, app.CodeStorageUnsafe, "credentials"},
		{"a path", good.Reveal(), map[string]string{"bucket": "a/b"}, app.CodeUsage, "bucket"},
		{"a lock that can be lifted", good.Reveal(), map[string]string{"bucket": "a", "lock_mode": "governance"}, app.CodeUsage, "lock_mode"},
		{"too short a lock", good.Reveal(), map[string]string{"bucket": "a", "lock_mode": "compliance", "lock_days": "1"}, app.CodeLockShort, "lock_days"},
	} {
		spec := gcsTestSpec(app.NewSecret(tt.secret))
		if tt.settings != nil {
			spec.Settings = tt.settings
		}
		_, err := Open(t.Context(), spec, false)
		if app.CodeOf(err) != tt.want || app.AsError(err).Args["field"] != tt.field {
			t.Errorf("%s: %v %v, want %s of %s", tt.name, err, app.AsError(err).Args, tt.want, tt.field)
		}
		if err != nil && strings.Contains(err.Error(), "refresh_token") {
			t.Errorf("%s: the error holds the file", tt.name)
		}
	}
}

// The key is shown to Google's log-in before anything else.
func TestOpen_GoogleLogIn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		body   string
		want   app.Code
	}{
		{http.StatusBadRequest, `{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`, app.CodeStorageDenied},
		{http.StatusBadRequest, `{"error":"invalid_grant","error_description":"Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe."}`, app.CodeStorageClock},
		{http.StatusUnauthorized, `{"error":"invalid_client"}`, app.CodeStorageDenied},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(tt.status)
			_, _ = w.Write([]byte(tt.body))
		}))
		t.Cleanup(srv.Close)
		start := time.Now()
		_, err := Open(t.Context(), gcsTestSpec(accountFile(t, srv.URL)), false)
		if app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.body, err, tt.want)
		}
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("%s took %v", tt.body, took)
		}
	}
	start := time.Now()
	_, err := Open(t.Context(), gcsTestSpec(accountFile(t, "http://127.0.0.1:1/token")), false)
	wantCode(t, err, app.CodeStorageOffline)
	if took := time.Since(start); took > 6*time.Second {
		t.Errorf("nobody there took %v", took)
	}
}

func TestOpen_GoogleRefusesSoon(t *testing.T) {
	s, spec := google(t)
	for _, tt := range []struct {
		status          int
		reason, message string
		want            app.Code
	}{
		{http.StatusUnauthorized, "authError", "Invalid Credentials", app.CodeStorageDenied},
		{http.StatusForbidden, "forbidden", "kvart does not have storage.objects.list access to the Google Cloud Storage bucket.", app.CodeStorageRight},
		{http.StatusForbidden, "accountDisabled", "The account has been disabled.", app.CodeStorageDenied},
		{http.StatusForbidden, "rateLimitExceeded", "Slow down", app.CodeStorageBusy},
		{http.StatusTooManyRequests, "rateLimitExceeded", "Slow down", app.CodeStorageBusy},
		{http.StatusServiceUnavailable, "backendError", "Try again", app.CodeStorageBusy},
		{http.StatusNotFound, "notFound", "The specified bucket does not exist.", app.CodeStorageGone},
	} {
		s.Behave(func(b *gcstest.Behaviour) { b.Status, b.Reason, b.Message = tt.status, tt.reason, tt.message })
		start := time.Now()
		_, err := Open(t.Context(), spec, false)
		if app.CodeOf(err) != tt.want {
			t.Errorf("%d %s: %v, want %s", tt.status, tt.reason, err, tt.want)
		}
		if tt.want == app.CodeStorageRight && app.AsError(err).Args["right"] != "list" {
			t.Errorf("args %v", app.AsError(err).Args)
		}
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("%s took %v", tt.reason, took)
		}
	}
}

func TestLocation_GoogleProveLock(t *testing.T) {
	for _, tt := range []struct {
		name   string
		behave func(b *gcstest.Behaviour)
		want   app.LockState
		code   app.Code
		can    bool
	}{
		{"locks", func(*gcstest.Behaviour) {}, app.LockHeld, "", true},
		{"locks, and tells nothing of itself", func(b *gcstest.Behaviour) { b.Secretive = true }, app.LockHeld, "", true},
		{"locks that can be lifted", func(b *gcstest.Behaviour) { b.Unlocks = true }, app.LockLifted, "", true},
		{"says that it locks and doesn't", func(b *gcstest.Behaviour) { b.Forgets = true }, app.LockOpen, "", true},
		{"can't lock", func(b *gcstest.Behaviour) { b.NoLocks = true }, "", app.CodeLockBucket, false},
		{"locks but keeps no versions", func(b *gcstest.Behaviour) { b.NoVersions = true }, app.LockHeld, "", false},
		{"says no", func(b *gcstest.Behaviour) { b.Status, b.Reason, b.Message = 403, "forbidden", "no" }, "", app.CodeStorageDenied, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, spec := google(t)
			loc, err := Open(t.Context(), firmly(spec), false)
			if err != nil {
				t.Fatal(err)
			}
			s.Behave(tt.behave)
			proof, err := loc.ProveLock(t.Context(), loc.Lock)
			wantCode(t, err, tt.code)
			if proof.State != tt.want || tt.want == app.LockHeld && !strings.Contains(proof.Refusal, "retention") {
				t.Errorf("proof %+v, want %s", proof, tt.want)
			}
			if seen := s.Names(); len(seen) != 0 && tt.name != "locks but keeps no versions" {
				t.Errorf("%v are to be seen", seen)
			}
			if tt.want == app.LockLifted && s.Kept() != 0 {
				t.Error("the probe was left, which nothing held")
			}
			if can, err := loc.Locks(t.Context()); tt.code != app.CodeStorageDenied && (err != nil || can != tt.can) {
				t.Errorf("can lock: %v, %v", can, err)
			}
			if err := loc.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestOpen_GoogleWithoutLock(t *testing.T) {
	s, spec := google(t)
	s.Behave(func(b *gcstest.Behaviour) { b.NoVersions = true })
	past := spec
	past.AsOf = time.Now()
	_, err := Open(t.Context(), past, false)
	wantCode(t, err, app.CodeUsage)
	if got := app.AsError(err).Args["field"]; got != "asOf" {
		t.Errorf("field %s", got)
	}
	plain, err := Open(t.Context(), spec, true)
	if err != nil {
		t.Fatal(err)
	}
	_, err = plain.ProveLock(t.Context(), plain.Lock)
	wantCode(t, err, app.CodeLockNone)
	if err := plain.Close(t.Context()); err != nil {
		t.Error(err)
	}
	_, err = Open(t.Context(), firmly(spec), true)
	wantCode(t, err, app.CodeLockBucket)
}

// Probes whose own lock has ended are swept away by the next proof.
func TestLocation_GoogleSweepsOldProbes(t *testing.T) {
	s, spec := google(t)
	loc, err := Open(t.Context(), firmly(spec), false)
	if err != nil {
		t.Fatal(err)
	}
	s.Behave(func(b *gcstest.Behaviour) { b.Age = 48 * time.Hour })
	if _, err := loc.ProveLock(t.Context(), loc.Lock); err != nil {
		t.Fatal(err)
	}
	s.Behave(func(b *gcstest.Behaviour) { b.Age = 0 })
	for range 2 {
		if _, err := loc.ProveLock(t.Context(), loc.Lock); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Kept(); n != 2 {
		t.Errorf("%d probes are kept, want the 2 that are locked", n)
	}
	if err := loc.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
