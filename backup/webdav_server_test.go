package backup_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/webdav"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// davServer is a WebDAV server on this computer, for the user "shop". Its files
// lie below dir.
type davServer struct {
	dir    string
	files  http.Handler
	digest bool

	left   atomic.Int64 // bytes it still has room for, when not negative
	cuts   atomic.Int64 // uploads still to be cut in the middle
	answer atomic.Int64 // status of every answer, when not 0
	blind  atomic.Bool  // it says of files it can't open that they are not there
}

func newDAV(t *testing.T) *davServer {
	t.Helper()
	s := &davServer{dir: serverDir(t)}
	s.left.Store(-1)
	s.files = &webdav.Handler{Prefix: "/dav", FileSystem: webdav.Dir(s.dir), LockSystem: webdav.NewMemLS()}
	return s
}

func (s *davServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !s.letsIn(r) {
		if s.digest {
			w.Header().Set("WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth", algorithm=MD5`)
		} else {
			w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
		}
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if status := s.answer.Load(); status != 0 {
		w.WriteHeader(int(status))
		return
	}
	switch r.Method {
	case http.MethodGet:
		if s.blind.Load() {
			w.WriteHeader(http.StatusNotFound)
			return
		}
	case http.MethodPut:
		if s.left.Load() >= 0 {
			b, err := io.ReadAll(r.Body)
			if err != nil || s.left.Add(-int64(len(b))) < 0 {
				s.left.Store(0)
				w.WriteHeader(http.StatusInsufficientStorage)
				return
			}
			r.Body = io.NopCloser(bytes.NewReader(b))
		}
		if s.cuts.Add(-1) >= 0 && r.ContentLength > 1000 {
			r.Body = io.NopCloser(io.LimitReader(r.Body, r.ContentLength/2))
			s.files.ServeHTTP(httptest.NewRecorder(), r) // half of it is there
			panic(http.ErrAbortHandler)
		}
	}
	s.files.ServeHTTP(w, r)
}

var digestPart = regexp.MustCompile(`(\w+)="?([^",]*)"?`)

func (s *davServer) letsIn(r *http.Request) bool {
	if !s.digest {
		user, password, _ := r.BasicAuth()
		return user == "shop" && password == sftpPassword
	}
	p := map[string]string{}
	for _, m := range digestPart.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
		p[m[1]] = m[2]
	}
	hash := func(parts ...string) string {
		h := md5.Sum([]byte(strings.Join(parts, ":"))) //nolint:gosec // what the scheme does
		return hex.EncodeToString(h[:])
	}
	want := hash(hash("shop", "r", sftpPassword), "n", p["nc"], p["cnonce"], p["qop"], hash(r.Method, r.URL.RequestURI()))
	return p["response"] == want
}

func davSpec(url string) app.StorageSpec {
	return app.StorageSpec{
		Kind:     "webdav",
		Settings: map[string]string{"url": url, "user": "shop"},
		Secrets:  app.Secrets{"password": app.NewSecret(sftpPassword)},
	}
}

// folder makes a folder on the server and returns its spec.
func (s *davServer) folder(t *testing.T, srv *httptest.Server) app.StorageSpec {
	t.Helper()
	dir, err := os.MkdirTemp(s.dir, "butik å ")
	if err != nil {
		t.Fatal(err)
	}
	return davSpec(srv.URL + "/dav/" + filepath.Base(dir))
}

func davFixture(t *testing.T) (*vaulttest.Fixture, *davServer) {
	s := newDAV(t)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return &vaulttest.Fixture{Provider: provider(t), Spec: s.folder(t, srv), StateDir: t.TempDir()}, s
}
