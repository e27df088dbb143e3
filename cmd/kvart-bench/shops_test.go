//go:build unix

package main

import (
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"testing"
	"time"
)

// The web hotel in front of the fake shop asks for patience beyond its limit, and
// counts what was asked.
func TestFakeWoo_limited(t *testing.T) {
	t.Parallel()
	f, err := newFakeWoo(0.001)
	if err != nil {
		t.Fatal(err)
	}
	if f.wrong() != 0 || f.spoil(2) != nil || f.wrong() != 2 {
		t.Errorf("%d products are wrong", f.wrong())
	}
	h := f.limited()
	for range wooAtOnce + 3 {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/wp-json/", nil))
		f.host.SetLimit(0)
	}
	if got := f.tally(); got.Requests != wooAtOnce+3 || got.Refused < 2 || got.Records == 0 {
		t.Errorf("%+v", got)
	}
}

// A shop on the internet is reached through the tunnel, under a certificate of
// the tunnel's own.
func TestTunnel(t *testing.T) {
	t.Parallel()
	asked := 0
	at, err := tunnel(t.TempDir(), shopHost, later(http.NotFoundHandler(), func(*http.Request) { asked++ }))
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	resp, err := through(at).Get("https://" + shopHost + "/x")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound || asked != 1 || time.Since(began) < latency {
		t.Errorf("status %d, asked %d times", resp.StatusCode, asked)
	}
}

// through is a client that trusts the tunnel.
func through(at where) *http.Client {
	pool := x509.NewCertPool()
	if text, err := os.ReadFile(at.CA); err == nil {
		pool.AppendCertsFromPEM(text)
	}
	return &http.Client{Transport: &http.Transport{
		Proxy:           func(*http.Request) (*url.URL, error) { return url.Parse(at.Proxy) },
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
	}}
}
