package storage

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kopia/kopia/repo/blob"

	"kvart/app"
	"kvart/backup/storage/s3test"
)

const testSecret = "a-very-secret-storage-key"

// serve starts s and returns the spec of its bucket.
func serve(t *testing.T, s http.Handler) app.StorageSpec {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return bucketSpec(strings.TrimPrefix(srv.URL, "http://"))
}

func bucketSpec(endpoint string) app.StorageSpec {
	return app.StorageSpec{
		Kind: "s3",
		Settings: map[string]string{
			"endpoint": endpoint, "bucket": s3test.Bucket, "prefix": "shop", "access_key": "AKIATEST", "insecure": "true",
		},
		Secrets: app.Secrets{"secret_key": app.NewSecret(testSecret)},
	}
}

// locked adds a lock to spec.
func locked(spec app.StorageSpec, mode app.LockMode) app.StorageSpec {
	spec.Settings["lock_mode"], spec.Settings["lock_days"] = string(mode), "30"
	return spec
}

func wantCode(t *testing.T, err error, want app.Code) {
	t.Helper()
	if got := app.CodeOf(err); got != want {
		t.Errorf("code %q (%v), want %q", got, err, want)
	}
	if err != nil && strings.Contains(err.Error(), testSecret) {
		t.Errorf("the error holds the secret: %v", err)
	}
}

func wantArg(t *testing.T, err error, key, want string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one with %s %q", key, want)
	} else if got := app.AsError(err).Args[key]; got != want {
		t.Errorf("%s is %q in %v, want %q", key, got, err, want)
	}
}

// openBucket opens a location and closes it with the test.
func openBucket(t *testing.T, spec app.StorageSpec) *Location {
	t.Helper()
	loc, err := Open(t.Context(), spec, false)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	t.Cleanup(func() {
		if err := loc.Close(t.Context()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return loc
}

func warned(r app.StorageReport, code app.Code) *app.Error {
	for _, w := range r.Warnings {
		if w.Code == code {
			return w
		}
	}
	return nil
}

func TestProbe_Bucket(t *testing.T) {
	t.Parallel()
	s := &s3test.Server{}
	spec := serve(t, s)
	r, err := Probe(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if r.State != app.LocationEmpty || r.RoundTrip <= 0 || r.ClockSkew != 0 || r.Free != -1 || r.OffSite || r.CanLock || warned(r, app.CodeLockNone) == nil {
		t.Errorf("report %+v", r)
	}
	if left := s.Visible(); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	s.Put("shop/semester.jpg", []byte("x"))
	if r, err := Probe(t.Context(), spec); err != nil || r.State != app.LocationForeign {
		t.Errorf("report %+v, %v", r, err)
	}
}

// What is answered in the storage's place, or by it, is told apart within
// seconds.
func TestProbe_BucketRefusesSoon(t *testing.T) {
	t.Parallel()
	answer := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { s3test.Fail(w, status, code, "no") }
	}
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("Location", "https://login.example/")
			w.WriteHeader(status)
			fmt.Fprint(w, "<html><title>Welcome to our café</title></html>")
		}
	}
	moved := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amz-Bucket-Region", "eu-north-1")
		w.WriteHeader(http.StatusMovedPermanently)
	}
	malformed := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message><Region>eu-north-1</Region></Error>")
	}
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   app.Code
		arg    string // of want, with value
		value  string
	}{
		{"wrong secret", answer(403, "SignatureDoesNotMatch"), app.CodeStorageDenied, "", ""},
		{"wrong key", answer(403, "InvalidAccessKeyId"), app.CodeStorageDenied, "", ""},
		{"mistyped key", answer(400, "AuthorizationHeaderMalformed"), app.CodeStorageDenied, "", ""},
		{"no right to list", answer(403, "AccessDenied"), app.CodeStorageRight, "right", "list"},
		{"no bucket", answer(404, "NoSuchBucket"), app.CodeStorageGone, "where", "127.0.0.1/bucket/shop"},
		{"bucket elsewhere", moved, app.CodeStorageRegion, "region", "eu-north-1"},
		{"bucket elsewhere, in words", malformed, app.CodeStorageRegion, "region", "eu-north-1"},
		{"slow down", answer(503, "SlowDown"), app.CodeStorageBusy, "", ""},
		{"too many requests", answer(429, "TooManyRequests"), app.CodeStorageBusy, "", ""},
		{"server trouble", answer(500, "Whatever"), app.CodeStorageBusy, "", ""},
		{"gateway's page", page(502), app.CodeStorageBusy, "", ""},
		{"full", answer(507, "InsufficientStorage"), app.CodeStorageFull, "", ""},
		{"log-in page", page(200), app.CodePortal, "where", "127.0.0.1/bucket/shop"},
		{"sent to a log-in page", page(302), app.CodePortal, "", ""},
		{"sent to a log-in page without a word", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(302) }, app.CodePortal, "", ""},
		{"log-in needed", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(511) }, app.CodePortal, "", ""},
		{"proxy wants a password", page(407), app.CodeProxyAuth, "", ""},
		{"silence", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, app.CodeStorageOffline, "where", "127.0.0.1/bucket/shop"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			spec := serve(t, tt.answer)
			start := time.Now()
			_, err := Probe(t.Context(), spec)
			wantCode(t, err, tt.want)
			if tt.arg != "" {
				wantArg(t, err, tt.arg, tt.value)
			}
			if took := time.Since(start); took > quickCheck+2*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestOpen_BucketNobodyThere(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = Open(t.Context(), bucketSpec(closed.Addr().String()), false)
	wantCode(t, err, app.CodeStorageOffline)
}

// Each right is proved on its own, and named when it lacks.
func TestProbe_BucketRights(t *testing.T) {
	t.Parallel()
	tests := map[string]func(r *http.Request) bool{
		"write": func(r *http.Request) bool { return r.Method == http.MethodPut },
		"read": func(r *http.Request) bool {
			return r.Method == http.MethodGet && strings.Contains(r.URL.Path, probePrefix)
		},
		"list":   func(r *http.Request) bool { return strings.Contains(r.URL.Query().Get("prefix"), probePrefix) },
		"delete": func(r *http.Request) bool { return r.Method == http.MethodDelete },
		"lock":   func(r *http.Request) bool { return r.URL.Query().Has("object-lock") },
	}
	for right, refused := range tests {
		t.Run(right, func(t *testing.T) {
			t.Parallel()
			s := &s3test.Server{Versions: true, Locking: true}
			spec := serve(t, s)
			s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
				if !refused(r) {
					return false
				}
				s3test.Fail(w, http.StatusForbidden, "AccessDenied", "no")
				return true
			})
			start := time.Now()
			_, err := Probe(t.Context(), locked(spec, app.LockGovernance))
			wantCode(t, err, app.CodeStorageRight)
			wantArg(t, err, "right", right)
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	t.Run("whether a bucket locks matters only to who locks", func(t *testing.T) {
		t.Parallel()
		s := &s3test.Server{}
		spec := serve(t, s)
		s.Intercept(func(w http.ResponseWriter, r *http.Request) bool {
			if tests["lock"](r) {
				s3test.Fail(w, http.StatusForbidden, "AccessDenied", "no")
			}
			return tests["lock"](r)
		})
		if r, err := Probe(t.Context(), spec); err != nil || r.CanLock {
			t.Errorf("report %+v, %v", r, err)
		}
	})
}

func TestProbe_BucketClock(t *testing.T) {
	t.Parallel()
	ahead := func(d time.Duration) *s3test.Server {
		return &s3test.Server{Now: func() time.Time { return time.Now().Add(d) }}
	}
	t.Run("minutes off", func(t *testing.T) {
		t.Parallel()
		r, err := Probe(t.Context(), serve(t, ahead(-3*time.Minute)))
		if err != nil || warned(r, app.CodeStorageSkew) == nil {
			t.Fatalf("report %+v, %v", r, err)
		}
		if got := warned(r, app.CodeStorageSkew).Args["skew"]; got != "3m0s" {
			t.Errorf("skew %q", got)
		}
	})
	t.Run("so far that who asked decides", func(t *testing.T) {
		t.Parallel()
		r, err := Probe(t.Context(), serve(t, ahead(6*time.Minute)))
		if err != nil || r.ClockSkew != 6*time.Minute || warned(r, app.CodeStorageSkew) != nil {
			t.Errorf("report %+v, %v", r, err)
		}
	})
	t.Run("so far that the storage refuses", func(t *testing.T) {
		t.Parallel()
		_, err := Probe(t.Context(), serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
			s3test.Fail(w, http.StatusForbidden, "RequestTimeTooSkewed", "no")
		})))
		wantCode(t, err, app.CodeStorageClock)
		if skew := app.AsError(err).Args["skew"]; skew != "1h0m0s" && skew != "1h0m1s" {
			t.Errorf("skew %q", skew)
		}
	})
}

func TestKinds_BucketSettings(t *testing.T) {
	t.Parallel()
	with := func(pairs ...string) app.StorageSpec {
		s := bucketSpec("s3.example.com")
		delete(s.Settings, "insecure")
		for i := 0; i < len(pairs); i += 2 {
			s.Settings[pairs[i]] = pairs[i+1]
		}
		return s
	}
	refused := []struct {
		name, field string
		spec        app.StorageSpec
		want        app.Code
	}{
		{"no address", "endpoint", with("endpoint", ""), app.CodeUsage},
		{"a server of one's own has an address", "endpoint", with("endpoint", "", "preset", "minio"), app.CodeUsage},
		{"no account", "account", with("endpoint", "", "preset", "r2"), app.CodeUsage},
		{"no such provider", "preset", with("preset", "moln"), app.CodeUsage},
		{"a page is no address", "endpoint", with("endpoint", "https://s3.example.com/bucket"), app.CodeUsage},
		{"no such lock", "lock_mode", with("lock_mode", "hard"), app.CodeUsage},
		{"too short a lock", "lock_days", with("lock_mode", "governance", "lock_days", "2"), app.CodeLockShort},
		{"no such certificates", "ca_file", with("ca_file", "/nowhere/ca.pem"), app.CodeUsage},
		{"no bucket", "bucket", with("bucket", ""), app.CodeUsage},
	}
	for _, tt := range refused {
		_, err := Open(t.Context(), tt.spec, false)
		if app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
			continue
		}
		wantArg(t, err, "field", tt.field)
	}
}

func TestReadBucket_Presets(t *testing.T) {
	t.Parallel()
	tests := []struct{ preset, endpoint, account, region, wantEndpoint, wantRegion string }{
		{"aws", "", "", "", "s3.eu-north-1.amazonaws.com", "eu-north-1"},
		{"aws", "", "", "eu-west-1", "s3.eu-west-1.amazonaws.com", "eu-west-1"},
		{"b2", "", "", "", "s3.eu-central-003.backblazeb2.com", "eu-central-003"},
		{"b2", "https://s3.us-west-004.backblazeb2.com/", "", "", "s3.us-west-004.backblazeb2.com", "us-west-004"},
		{"", "s3.us-west-004.backblazeb2.com", "", "", "s3.us-west-004.backblazeb2.com", "us-west-004"},
		{"wasabi", "", "", "", "s3.eu-central-1.wasabisys.com", "eu-central-1"},
		{"r2", "", "0123abc", "", "0123abc.r2.cloudflarestorage.com", "auto"},
		{"hetzner", "", "", "", "hel1.your-objectstorage.com", "hel1"},
		{"hetzner", "", "", "fsn1", "fsn1.your-objectstorage.com", "fsn1"},
		{"scaleway", "", "", "fr-par", "s3.fr-par.scw.cloud", "fr-par"},
		{"elastx", "", "", "", "swift.elastx.cloud", "us-east-1"},
		{"minio", "nas.lan:9000", "", "", "nas.lan:9000", "us-east-1"},
		{"other", "s3.example.com", "", "", "s3.example.com", "us-east-1"},
		{"", "s3.example.com", "", "sto-1", "s3.example.com", "sto-1"},
		{"aws", "s3.{region}.amazonaws.com", "", "eu-west-3", "s3.eu-west-3.amazonaws.com", "eu-west-3"},
	}
	for _, tt := range tests {
		spec := bucketSpec(tt.endpoint)
		delete(spec.Settings, "insecure")
		spec.Settings["preset"], spec.Settings["account"], spec.Settings["region"] = tt.preset, tt.account, tt.region
		b, err := readBucket(spec)
		if err != nil || b.endpoint != tt.wantEndpoint || b.region != tt.wantRegion {
			t.Errorf("%+v: %q in %q, %v", tt, b.endpoint, b.region, err)
		}
	}
	// A form can show every preset with the fields it fills in.
	spec := s3Spec()
	for _, p := range spec.Presets {
		if f, _ := spec.Field("preset"); !slices.Contains(f.Choices, p.Key) {
			t.Errorf("%s can't be chosen", p.Key)
		}
		for key := range p.Settings {
			if _, ok := spec.Field(key); !ok {
				t.Errorf("%s fills in %s, which is no field", p.Key, key)
			}
		}
	}
}

// A listing that is stopped leaves nothing running behind it, with what it had
// fetched.
func TestSteady_stoppedListingEnds(t *testing.T) {
	t.Parallel()
	s := &s3test.Server{}
	for i := range 50 {
		s.Put(fmt.Sprintf("shop/p%02d", i), []byte("x"))
	}
	loc := openBucket(t, serve(t, s))
	stop := errors.New("seen enough")
	for range 20 {
		seen := 0
		err := loc.Store.ListBlobs(t.Context(), "p", func(blob.Metadata) error {
			if seen++; seen == 3 {
				return stop
			}
			return nil
		})
		if !errors.Is(err, stop) || seen != 3 {
			t.Fatalf("%d seen, %v", seen, err)
		}
	}
	hanging := func() bool {
		var b bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&b, 2); err != nil {
			t.Fatal(err)
		}
		for g := range strings.SplitSeq(b.String(), "\n\n") {
			if strings.Contains(g, "[chan send") && strings.Contains(g, "ListObjects") {
				return true
			}
		}
		return false
	}
	for end := time.Now().Add(5 * time.Second); hanging(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("a lister hangs")
		}
	}
}
