package watch

import (
	"compress/gzip"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// certify returns a certificate for 127.0.0.1 that expires at a time, and who
// trusts it.
func certify(t *testing.T, until time.Time) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour * 24 * 400), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// front starts a shop that can be reached by TLS.
func startFront(t *testing.T, until time.Time, h http.HandlerFunc) (*httptest.Server, *Watch) {
	t.Helper()
	cert, pool := certify(t, until)
	srv := httptest.NewUnstartedServer(h)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.Config.ErrorLog = nil
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv, New(Options{Roots: pool})
}

func TestProbe_tellsAnswersApart(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(30 * 24 * time.Hour)
	for name, c := range map[string]struct {
		until  time.Time
		word   string
		answer http.HandlerFunc
		want   app.Code
	}{
		"the shop":         {soon, "kaffe", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<h1>Nyrostat KAFFE</h1>") }, ""},
		"entities":         {soon, "Blåbär", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<h1>Bl&aring;b&auml;r</h1>") }, ""},
		"an old encoding":  {soon, "blåbär", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("bl\xe5b\xe4r")) }, ""},
		"another page":     {soon, "kaffe", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "parked") }, app.CodeStorefrontWord},
		"an error":         {soon, "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, app.CodeStorefrontStatus},
		"maintenance":      {soon, "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }, app.CodeStorefrontStatus},
		"too slow":         {soon, "", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, app.CodeStorefrontOffline},
		"cut off":          {soon, "", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, app.CodeStorefrontOffline},
		"an old paper":     {time.Now().Add(-time.Hour), "", func(http.ResponseWriter, *http.Request) {}, app.CodeStorefrontCertificate},
		"round and round":  {soon, "", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/x", http.StatusFound) }, app.CodeStorefrontOffline},
		"a cookie first":   {soon, "kaffe", cookieFirst, ""},
		"a word too late":  {soon, "kaffe", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", pageBound)+"kaffe") }, app.CodeStorefrontWord},
		"a packed bomb":    {soon, "kaffe", bomb, app.CodeStorefrontWord},
		"an endless head":  {soon, "", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 2*headBound)) }, app.CodeStorefrontOffline},
		"an endless page":  {soon, "kaffe", endless, app.CodeStorefrontWord},
		"a page of no end": {soon, "", stalls, app.CodeStorefrontOffline},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv, w := startFront(t, c.until, c.answer)
			if strings.Contains(name, "slow") || strings.Contains(name, "no end") {
				w.o.Timeout = time.Second // these wait for it
			}
			p := w.Probe(t.Context(), app.StorefrontSettings{URL: srv.URL, Word: c.word})
			if got := app.CodeOf(orNil(p.Error)); got != c.want {
				t.Errorf("got %q, want %q: %+v", got, c.want, p)
			}
			if up := p.State == app.StorefrontUp; up != (c.want == "") {
				t.Errorf("state %s", p.State)
			}
			if c.want == "" && (p.CertificateUntil.IsZero() || !p.Proven) {
				t.Errorf("certificate %v, proven %v", p.CertificateUntil, p.Proven)
			}
		})
	}
}

func orNil(e *app.Error) error {
	if e == nil {
		return nil
	}
	return e
}

func cookieFirst(w http.ResponseWriter, r *http.Request) {
	if _, err := r.Cookie("seen"); err != nil {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "1", Path: "/"})
		http.Redirect(w, r, "/", http.StatusFound)
		return
	}
	fmt.Fprint(w, "kaffe")
}

// bomb is a page of a few kilobytes that unpacks to far more.
func bomb(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	zero := make([]byte, 1<<20)
	for range 64 {
		_, _ = z.Write(zero)
	}
	_ = z.Close()
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

func stalls(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, "<html>")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func TestProbe_nobodyThere(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := ln.Addr().String()
	if err := ln.Close(); err != nil {
		t.Fatal(err)
	}
	w := New(Options{})
	p := w.Probe(t.Context(), app.StorefrontSettings{URL: "http://" + address})
	if p.State != app.StorefrontDown || p.Error.Code != app.CodeStorefrontOffline || p.Proven {
		t.Errorf("got %+v", p)
	}
	if w.Reach(t.Context(), address) {
		t.Error("reached nobody")
	}
}

func TestProbe_sentElsewhere(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "parked") }))
	t.Cleanup(other.Close)
	srv, w := startFront(t, time.Now().Add(time.Hour), func(rw http.ResponseWriter, r *http.Request) {
		http.Redirect(rw, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1), http.StatusFound)
	})
	// the owner's address is the one that may lie in the own network; where it
	// sends its visitors may not
	if p := w.Probe(t.Context(), app.StorefrontSettings{URL: srv.URL}); p.State != app.StorefrontDown {
		t.Errorf("got %+v", p)
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"kopp.se", "www.kopp.se", true},
		{"www.kopp.se", "butik.kopp.se", true},
		{"kopp.se", "parkering.example", false},
		{"kopp.se", "xkopp.se", false},
		{"kopp.se", "se", false},
	} {
		if got := related(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %v", c.a, c.b, got)
		}
	}
}

func TestCheckStorefront(t *testing.T) {
	t.Parallel()
	w := New(Options{})
	for _, bad := range []string{"", "kopp.se", "ftp://kopp.se", "https://", "https://a:b@kopp.se", "javascript:alert(1)", "https://%zz"} {
		if err := w.CheckStorefront(app.StorefrontSettings{URL: bad}); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := w.CheckStorefront(app.StorefrontSettings{URL: " https://kopp.se/?a=b "}); err != nil {
		t.Error(err)
	}
}
