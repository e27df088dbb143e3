package backup_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	kopiawebdav "github.com/kopia/kopia/repo/blob/webdav"

	"kvart/app"
	"kvart/backup/vaulttest"
)

func TestProvider_ConformanceOverWebDAV(t *testing.T) {
	t.Parallel()
	s := newDAV(t)
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	vaulttest.Run(t, provider, func(t *testing.T) app.StorageSpec { return s.folder(t, srv) })
}

func TestProvider_WebDAVRefusesSoon(t *testing.T) {
	t.Parallel()
	f, s := davFixture(t)
	url := f.Spec.Settings["url"]
	base, _, _ := strings.Cut(url, "/dav/")
	if err := os.WriteFile(filepath.Join(s.dir, "fil"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/away"):
			http.Redirect(w, r, "https://login.example.com/?to=x", http.StatusFound)
		case strings.HasPrefix(r.URL.Path, "/moved"):
			http.Redirect(w, r, "/elsewhere", http.StatusMovedPermanently)
		case strings.HasPrefix(r.URL.Path, "/refuses"):
			w.WriteHeader(http.StatusMethodNotAllowed)
		case strings.HasPrefix(r.URL.Path, "/busy"):
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			fmt.Fprint(w, "<html>Welcome to the café")
		}
	}))
	t.Cleanup(page.Close)
	silent := silentServer(t)
	nobody := httptest.NewServer(s)
	nobody.Close()
	wrong := davSpec(url)
	wrong.Secrets["password"] = app.NewSecret("fel")
	tests := []struct {
		name string
		spec app.StorageSpec
		want app.Code
	}{
		{"wrong password", wrong, app.CodeStorageDenied},
		{"no folder", davSpec(base + "/dav/saknas"), app.CodeStorageGone},
		{"a file", davSpec(base + "/dav/fil"), app.CodeUsage},
		{"nobody there", davSpec(nobody.URL), app.CodeStorageOffline},
		{"nobody answers", davSpec("http://" + silent.Addr().String()), app.CodeStorageOffline},
		{"no such host", davSpec("https://nosuch.invalid/dav"), app.CodeStorageOffline},
		{"in the clear", davSpec("http://dav.example.com/dav"), app.CodeStorageUnsafe},
		{"a password in the address", davSpec("https://shop:hemligt@dav.example.com/dav"), app.CodeUsage},
		{"no address", davSpec("ftp://x"), app.CodeUsage},
		{"a log-in page", davSpec(page.URL), app.CodePortal},
		{"another server's log-in page", davSpec(page.URL + "/away"), app.CodePortal},
		{"moved", davSpec(page.URL + "/moved"), app.CodeUsage},
		{"no WebDAV", davSpec(page.URL + "/refuses"), app.CodeUsage},
		{"busy", davSpec(page.URL + "/busy"), app.CodeStorageBusy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e := wantSoon(t, tt.spec, tt.want, 6*time.Second, sftpPassword, "hemligt")
			if tt.want == app.CodeUsage && e.Args["field"] != "url" {
				t.Errorf("args %v", e.Args)
			}
		})
	}
}

func TestVault_WebDAVWithDigest(t *testing.T) {
	t.Parallel()
	f, s := davFixture(t)
	s.digest = true
	v := f.Create(t)
	item := vaulttest.File("a", vaulttest.Noise(50_000, 1))
	vaulttest.Compare(t, v, vaulttest.Save(t, v, vaulttest.Request("s", item)).Point.ID, item)
	f.Spec.Secrets = app.Secrets{"password": app.NewSecret("fel")}
	_, err := f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageDenied)
}

func TestProvider_WebDAVMakesTheLastFolderOnly(t *testing.T) {
	t.Parallel()
	f, s := davFixture(t)
	base, _, _ := strings.Cut(f.Spec.Settings["url"], "/dav/")
	f.Spec = davSpec(base + "/dav/a/b")
	_, err := f.Provider.Create(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageGone)
	f.Spec = davSpec(base + "/dav/a")
	_, err = f.Provider.Open(t.Context(), f.Setup())
	wantCode(t, err, app.CodeStorageGone)
	if _, err := os.Stat(filepath.Join(s.dir, "a")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("opening made a folder")
	}
	f.Create(t)
}

func TestVault_WebDAVUploadIsCut(t *testing.T) {
	t.Parallel()
	f, s := davFixture(t)
	v := f.Create(t)
	first := vaulttest.File("a", []byte("1"))
	kept := vaulttest.Save(t, v, vaulttest.Request("s", first)).Point.ID
	s.cuts.Store(3)
	item := vaulttest.File("b", vaulttest.Noise(3<<20, 1))
	res := vaulttest.Save(t, v, vaulttest.Request("s", item))
	if s.cuts.Load() > 0 {
		t.Error("no upload was cut")
	}
	vaulttest.Compare(t, v, res.Point.ID, item)
	s.cuts.Store(1 << 30)
	it := vaulttest.File("c", vaulttest.Noise(3<<20, 2))
	it.Optional = true
	wantCode(t, save(t, v, it), app.CodeStorageOffline)
	s.cuts.Store(0)
	vaulttest.Compare(t, v, kept, first)
	vaulttest.Compare(t, v, res.Point.ID, item)
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if err != nil || len(r.Damaged) != 0 {
		t.Errorf("report %+v, %v", r, err)
	}
	strays := func() (n int) {
		for _, name := range listing(t, s.dir) {
			if strings.Contains(name, ".tmp.") {
				n++
			}
		}
		return n
	}
	if strays() == 0 {
		return
	}
	then := time.Now().Add(-48 * time.Hour)
	for _, name := range listing(t, s.dir) {
		if strings.Contains(name, ".tmp.") {
			if err := os.Chtimes(name, then, then); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := v.Maintain(t.Context(), app.DefaultRetention()); err != nil {
		t.Fatal(err)
	}
	if n := strays(); n != 0 {
		t.Errorf("%d strays stayed", n)
	}
}

func TestVault_WebDAVFailsInMidSave(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		fail func(s *davServer)
		mend func(s *davServer)
		want app.Code
	}{
		{"full", func(s *davServer) { s.left.Store(100) }, func(s *davServer) { s.left.Store(-1) }, app.CodeStorageFull},
		{"forbidden", func(s *davServer) { s.answer.Store(403) }, func(s *davServer) { s.answer.Store(0) }, app.CodeStorageDenied},
		{"read-only", func(s *davServer) { s.answer.Store(405) }, func(s *davServer) { s.answer.Store(0) }, app.CodeStorageReadOnly},
		{"broken", func(s *davServer) { s.answer.Store(500) }, func(s *davServer) { s.answer.Store(0) }, app.CodeStorageOffline},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f, s := davFixture(t)
			v := f.Create(t)
			first := vaulttest.File("a", []byte("1"))
			kept := vaulttest.Save(t, v, vaulttest.Request("s", first)).Point.ID
			it := vaulttest.File("b", vaulttest.Noise(1<<20, 1))
			open := it.Open
			it.Optional = true
			it.Open = func(ctx context.Context) (io.ReadCloser, error) {
				tt.fail(s)
				return open(ctx)
			}
			wantCode(t, save(t, v, it), tt.want)
			tt.mend(s)
			vaulttest.Compare(t, v, kept, first)
			it.Open = open
			if err := save(t, v, it); err != nil {
				t.Errorf("once it works again: %v", err)
			}
		})
	}
}

// A server that calls everything missing that it can't open must not make a
// good point look damaged.
func TestVault_WebDAVCannotReadIsNoDamage(t *testing.T) {
	t.Parallel()
	f, s := davFixture(t)
	v := f.Create(t)
	item := vaulttest.File("a", vaulttest.Noise(50_000, 1))
	vaulttest.Save(t, v, vaulttest.Request("s", item))
	s.blind.Store(true)
	r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
	if len(r.Damaged) != 0 {
		t.Errorf("damage: %+v", r)
	}
	wantCode(t, err, app.CodeStorageOffline)
}

func TestVault_WebDAVDamageIsFound(t *testing.T) {
	t.Parallel()
	for name, harm := range harms() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, s := davFixture(t)
			v := f.Create(t)
			id := vaulttest.Save(t, v, vaulttest.Request("s", vaulttest.File("a", vaulttest.Noise(50_000, 1)))).Point.ID
			for _, file := range listing(t, s.dir) {
				if strings.Contains(filepath.Dir(file), string(filepath.Separator)+"p") {
					if err := harm(file); err != nil {
						t.Fatal(err)
					}
				}
			}
			r, err := v.Verify(t.Context(), app.VerifyRequest{Percent: 100}, nil)
			if err != nil || len(r.Damaged) != 1 || !slices.Equal(r.DamagedPoints, []app.PointID{id}) {
				t.Errorf("report %+v, %v", r, err)
			}
		})
	}
}

func TestVault_WebDAVReadableByStockKopia(t *testing.T) {
	t.Parallel()
	f, _ := davFixture(t)
	vaulttest.Save(t, f.Create(t), vaulttest.Request("s", vaulttest.File("a", vaulttest.Noise(50_000, 1))))
	st, err := kopiawebdav.New(t.Context(), &kopiawebdav.Options{URL: f.Spec.Settings["url"], Username: "shop", Password: sftpPassword}, false)
	if err != nil {
		t.Fatal(err)
	}
	if n := strangerCounts(t, st); n != 1 {
		t.Errorf("%d snapshots", n)
	}
}

// authority signs certificates for a test's servers.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Butikens egen"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, made, made, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{cert, key}
}

func pemFile(t *testing.T, c *x509.Certificate) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// serve starts s with a certificate of the authority's.
func (a authority) serve(t *testing.T, s *davServer, expires time.Time, names ...string) (*httptest.Server, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: expires,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			made.IPAddresses = append(made.IPAddresses, ip)
		} else {
			made.DNSNames = append(made.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, made, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(s)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv, leaf
}

func TestProvider_WebDAVCertificates(t *testing.T) {
	t.Parallel()
	ca, soon := newAuthority(t), time.Now().Add(time.Hour)
	s := newDAV(t)
	good, leaf := ca.serve(t, s, soon, "127.0.0.1")
	expired, old := ca.serve(t, s, time.Now().Add(-time.Hour), "127.0.0.1")
	named, other := ca.serve(t, s, soon, "nas.local")
	notes := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(notes, []byte("hej"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, file string
		srv        *httptest.Server
		want       app.Code
		reason     string
	}{
		{"an authority nobody knows", "", good, app.CodeCertificate, "unknown"},
		{"another authority", pemFile(t, newAuthority(t).cert), good, app.CodeCertificate, "unknown"},
		{"the owner's authority", pemFile(t, ca.cert), good, "", ""},
		{"expired", pemFile(t, ca.cert), expired, app.CodeCertificate, "expired"},
		{"another name", pemFile(t, ca.cert), named, app.CodeCertificate, "name"},
		{"pinned", pemFile(t, leaf), good, "", ""},
		{"pinned, with another name", pemFile(t, other), named, "", ""},
		{"pinned and expired", pemFile(t, old), expired, "", ""},
		{"another one pinned", pemFile(t, other), good, app.CodeCertificate, "unknown"},
		{"no file", filepath.Join(t.TempDir(), "nope.pem"), good, app.CodeUsage, ""},
		{"no certificate in the file", notes, good, app.CodeUsage, ""},
	}
	for _, tt := range tests {
		spec := s.folder(t, tt.srv)
		if tt.file != "" {
			spec.Settings["ca_file"] = tt.file
		}
		_, err := provider(t).Probe(t.Context(), spec)
		if app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if err != nil && app.AsError(err).Args["reason"] != tt.reason {
			t.Errorf("%s: args %v, want reason %q", tt.name, app.AsError(err).Args, tt.reason)
		}
	}
}
