package storage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gopkg.in/kothar/go-backblaze.v0"

	"kvart/app"
)

// fakeB2 answers the two questions that the quick check asks, as Backblaze
// documents the answers. Kopia's own client knows only Backblaze's address, so
// nothing beyond the check is tried.
type fakeB2 struct {
	url          string
	capabilities []string
	only         string // the one bucket the key is for
	status       int
	code         string
}

func (f *fakeB2) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f.status != 0 {
		w.WriteHeader(f.status)
		fmt.Fprintf(w, `{"status":%d,"code":%q,"message":"no"}`, f.status, f.code)
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/b2_authorize_account"):
		if id, key, _ := r.BasicAuth(); id != "id" || key != testSecret {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"status":401,"code":"bad_auth_token","message":"no"}`)
			return
		}
		fmt.Fprint(w, toJSON(map[string]any{
			"accountId": "a", "apiUrl": f.url, "authorizationToken": "t",
			"allowed": map[string]any{"capabilities": f.capabilities, "bucketName": f.only},
		}))
	case r.Header.Get("Authorization") != "t":
		w.WriteHeader(http.StatusUnauthorized)
	default:
		var q struct{ BucketName string }
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.BucketName != "butik" {
			fmt.Fprint(w, `{"buckets":[]}`)
			return
		}
		fmt.Fprint(w, `{"buckets":[{"bucketName":"butik"}]}`)
	}
}

func toJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestB2_ChecksSoon(t *testing.T) {
	t.Parallel()
	all := []string{"listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles"}
	for _, tt := range []struct {
		name   string
		server fakeB2
		spoil  func(b *b2Bucket)
		want   app.Code
		right  string
	}{
		{"all is well", fakeB2{capabilities: all}, func(*b2Bucket) {}, "", ""},
		{"wrong key", fakeB2{capabilities: all}, func(b *b2Bucket) { b.key = app.NewSecret("no") }, app.CodeStorageDenied, ""},
		{"no bucket", fakeB2{capabilities: all}, func(b *b2Bucket) { b.name = "nope" }, app.CodeStorageGone, ""},
		{"a key that can't write", fakeB2{capabilities: all[:3]}, func(*b2Bucket) {}, app.CodeStorageRight, "write"},
		{"a key for one bucket", fakeB2{capabilities: all, only: "butik"}, func(*b2Bucket) {}, app.CodeStorageRight, "list"},
		{"no money left", fakeB2{status: 403, code: "transaction_cap_exceeded"}, func(*b2Bucket) {}, app.CodeStorageFull, ""},
		{"busy", fakeB2{status: 503, code: "service_unavailable"}, func(*b2Bucket) {}, app.CodeStorageBusy, ""},
		{"a log-in page", fakeB2{status: 511}, func(*b2Bucket) {}, app.CodePortal, ""},
		{"nobody there", fakeB2{}, func(b *b2Bucket) { b.api = "http://127.0.0.1:1" }, app.CodeStorageOffline, ""},
	} {
		srv := httptest.NewServer(&tt.server)
		t.Cleanup(srv.Close)
		tt.server.url = srv.URL
		b := readB2(app.StorageSpec{
			Settings: map[string]string{"bucket": "butik", "key_id": "id", "prefix": "shop"},
			Secrets:  app.Secrets{"key": app.NewSecret(testSecret)},
		})
		b.api = srv.URL
		tt.spoil(&b)
		start := time.Now()
		err := b.answers(t.Context())
		if app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if tt.right != "" && app.AsError(err).Args["right"] != tt.right {
			t.Errorf("%s: args %v", tt.name, app.AsError(err).Args)
		}
		if took := time.Since(start); took > 6*time.Second {
			t.Errorf("%s took %v", tt.name, took)
		}
		if err != nil && strings.Contains(err.Error(), testSecret) {
			t.Errorf("%s: the error holds the key", tt.name)
		}
	}
}

func TestB2_Spec(t *testing.T) {
	t.Parallel()
	_, err := Open(t.Context(), app.StorageSpec{Kind: "b2", Settings: map[string]string{"bucket": "b", "key_id": "k"}}, false)
	wantCode(t, err, app.CodeUsage)
	spec := app.StorageSpec{
		Kind: "b2", Settings: map[string]string{"bucket": "b", "key_id": "k"}, AsOf: time.Now(),
		Secrets: app.Secrets{"key": app.NewSecret(testSecret)},
	}
	_, err = Open(t.Context(), spec, false)
	wantCode(t, err, app.CodeUsage) // it shows no past
	for _, k := range Kinds() {
		if k.Kind == "b2" && (k.CanLock || !k.OffSite) {
			t.Errorf("spec %+v", k)
		}
	}
}

func TestCodeOf_B2(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err  backblaze.B2Error
		want app.Code
	}{
		{backblaze.B2Error{Status: 401, Code: "expired_auth_token"}, app.CodeStorageDenied},
		{backblaze.B2Error{Status: 403, Code: "access_denied"}, app.CodeStorageDenied},
		{backblaze.B2Error{Status: 403, Code: "storage_cap_exceeded"}, app.CodeStorageFull},
		{backblaze.B2Error{Status: 408, Code: "request_timeout"}, app.CodeStorageBusy},
		{backblaze.B2Error{Status: 429, Code: "too_many_requests"}, app.CodeStorageBusy},
		{backblaze.B2Error{Status: 500, Code: "internal_error"}, app.CodeStorageBusy},
		{backblaze.B2Error{Status: 400, Code: "bad_bucket_id"}, app.CodeStorageGone},
	} {
		wantCode(t, Translate("write", fmt.Errorf("upload: %w", &tt.err)), tt.want)
	}
}
