package backup_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/vaulttest"
)

const testKey = "a-very-secret-storage-key"

// fakeS3 is as much of an S3 server as the tests need: one bucket, in memory.
type fakeS3 struct {
	mu      sync.Mutex
	objects map[string][]byte
	refuse  string // code every request is refused with
	gets    int
}

type listResult struct {
	XMLName        xml.Name `xml:"ListBucketResult"`
	Contents       []listed
	IsTruncated    bool
	CommonPrefixes []struct{ Prefix string }
}

type listed struct {
	Key          string
	Size         int
	LastModified string
	ETag         string
}

func (s *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case s.refuse != "":
		s.fail(w, http.StatusForbidden, s.refuse)
	case bucket != "bucket":
		s.fail(w, http.StatusNotFound, "NoSuchBucket")
	case r.URL.Query().Has("location"):
		fmt.Fprint(w, `<LocationConstraint xmlns="http://s3.amazonaws.com/doc/2006-03-01/"></LocationConstraint>`)
	case key == "":
		s.list(w, r.URL.Query().Get("prefix"), r.URL.Query().Get("delimiter"))
	case r.Method == http.MethodPut:
		s.objects[key] = body(r)
		w.Header().Set("ETag", etag(s.objects[key]))
	case r.Method == http.MethodDelete:
		delete(s.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case s.objects[key] == nil:
		s.fail(w, http.StatusNotFound, "NoSuchKey")
	default:
		s.gets++
		w.Header().Set("ETag", etag(s.objects[key]))
		http.ServeContent(w, r, "", time.Now(), bytes.NewReader(s.objects[key]))
	}
}

func (s *fakeS3) fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", code)
}

func (s *fakeS3) list(w http.ResponseWriter, prefix, delimiter string) {
	var res listResult
	for _, key := range slices.Sorted(maps.Keys(s.objects)) {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		if dir, _, deeper := strings.Cut(rest, "/"); deeper && delimiter == "/" {
			p := struct{ Prefix string }{prefix + dir + "/"}
			if !slices.Contains(res.CommonPrefixes, p) {
				res.CommonPrefixes = append(res.CommonPrefixes, p)
			}
			continue
		}
		res.Contents = append(res.Contents, listed{key, len(s.objects[key]), time.Now().UTC().Format(time.RFC3339), etag(s.objects[key])})
	}
	if err := xml.NewEncoder(w).Encode(res); err != nil {
		panic(err)
	}
}

func etag(b []byte) string {
	h := md5.Sum(b) //nolint:gosec // what S3 does
	return `"` + hex.EncodeToString(h[:]) + `"`
}

// body undoes the chunks that sign an upload without encryption on the way.
func body(r *http.Request) []byte {
	all, err := io.ReadAll(r.Body)
	if err != nil {
		panic(err)
	}
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return all
	}
	out := []byte{}
	for br := bufio.NewReader(bytes.NewReader(all)); ; {
		line, err := br.ReadString('\n')
		if err != nil {
			return out
		}
		size, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		n, err := strconv.ParseInt(size, 16, 64)
		if err != nil || n == 0 {
			return out
		}
		chunk := make([]byte, n+2)
		if _, err := io.ReadFull(br, chunk); err != nil {
			return out
		}
		out = append(out, chunk[:n]...)
	}
}

func s3Fixture(t *testing.T) (*vaulttest.Fixture, *fakeS3) {
	s := &fakeS3{objects: map[string][]byte{}}
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
	parts := strings.Split(os.Getenv("KVART_TEST_S3"), ",")
	if len(parts) != 4 {
		t.Skip("KVART-SKIP s3: KVART_TEST_S3 is not set to endpoint,bucket,access,secret")
	}
	run := strconv.FormatInt(time.Now().UnixNano(), 36)
	vaulttest.Run(t, provider, func(t *testing.T) app.StorageSpec {
		s := s3Spec(parts[0])
		s.Settings["bucket"], s.Settings["access_key"], s.Settings["prefix"] = parts[1], parts[2], "kvart-test/"+run+"/"+strconv.FormatInt(time.Now().UnixNano(), 36)
		s.Secrets["secret_key"] = app.NewSecret(parts[3])
		return s
	})
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

// Prefetched, a database in many small segments is read without a request.
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
	if err := view.(app.Prefetcher).Prefetch(t.Context(), nil, "db"); err != nil {
		t.Fatalf("prefetch: %v", err)
	}
	s.mu.Lock()
	before := s.gets
	s.mu.Unlock()
	b, err := fs.ReadFile(view, "db/kassa.db")
	if err != nil || !bytes.Equal(b, vaulttest.Noise(8<<20, 1)) {
		t.Fatalf("read %d bytes, %v", len(b), err)
	}
	s.mu.Lock()
	after := s.gets
	s.mu.Unlock()
	if after-before > 2 {
		t.Errorf("%d requests after prefetching", after-before)
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
	s.mu.Lock()
	for key, b := range s.objects {
		if strings.HasPrefix(key, "shop/p") {
			b[len(b)/2] ^= 1
		}
	}
	s.mu.Unlock()
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || len(r.Damaged) != 1 || r.Damaged[0].Path != "a" || !slices.Equal(r.DamagedPoints, []app.PointID{id}) {
		t.Errorf("report %+v, %v", r, err)
	}
}

func TestProvider_BucketRefusesSoon(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := s3Spec(closed.Addr().String())
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	plain := s3Spec("s3.example.com")
	gone := s3Spec(f.Spec.Settings["endpoint"])
	gone.Settings["bucket"] = "nope"
	tests := []struct {
		name, refuse string
		spec         app.StorageSpec
		want         app.Code
	}{
		{"wrong secret", "SignatureDoesNotMatch", f.Spec, app.CodeStorageDenied},
		{"wrong key", "InvalidAccessKeyId", f.Spec, app.CodeStorageDenied},
		{"wrong clock", "RequestTimeTooSkewed", f.Spec, app.CodeStorageClock},
		{"no server", "", nobody, app.CodeStorageOffline},
		{"no bucket", "", gone, app.CodeStorageGone},
		{"secrets in the clear", "", plain, app.CodeStorageUnsafe},
	}
	for _, tt := range tests {
		s.mu.Lock()
		s.refuse = tt.refuse
		s.mu.Unlock()
		start := time.Now()
		_, err := f.Provider.Probe(t.Context(), tt.spec)
		if app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %s", tt.name, err, tt.want)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", tt.name, took)
		}
		if err != nil && strings.Contains(err.Error(), testKey) {
			t.Errorf("%s: the error holds the secret", tt.name)
		}
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
		s.mu.Lock()
		s.refuse = "AccessDenied"
		s.mu.Unlock()
		return open(ctx)
	}
	wantCode(t, save(t, v, it), app.CodeStorageDenied)
}
