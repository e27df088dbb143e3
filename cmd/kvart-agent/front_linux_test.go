package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// frontState is how a storefront behaves.
type frontState string

const (
	frontUp      frontState = "up"
	frontSlow    frontState = "slow"  // never comes to an answer
	frontDown    frontState = "down"  // an error of the server's
	frontWrong   frontState = "wrong" // a page that is not the shop's
	frontExpired frontState = "expired"
)

// front is a shop's page for customers, and a witness that this computer is on
// line.
type front struct {
	url, witness string
	// asked is told when the page is asked for while it is slow.
	asked chan struct{}

	mu   sync.Mutex
	how  frontState
	root []byte // who trusts its certificates, PEM
}

func newFront(t *testing.T) *front {
	t.Helper()
	f := &front{how: frontUp, asked: make(chan struct{})}
	sound, expired := f.certificates(t)
	srv := httptest.NewUnstartedServer(f)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // who asks hangs up
	srv.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if f.is() == frontExpired {
			return &tls.Config{Certificates: []tls.Certificate{expired}}, nil
		}
		return &tls.Config{Certificates: []tls.Certificate{sound}}, nil
	}}
	srv.StartTLS()
	witness := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	witness.Config.ErrorLog = srv.Config.ErrorLog
	witness.TLS = &tls.Config{Certificates: []tls.Certificate{sound}}
	witness.StartTLS()
	t.Cleanup(func() { srv.CloseClientConnections(); srv.Close(); witness.Close() })
	f.url, f.witness = srv.URL, strings.Replace(witness.URL, "127.0.0.1", "localhost", 1)
	return f
}

// certificates makes an authority, and two certificates of its for 127.0.0.1.
func (f *front) certificates(t *testing.T) (sound, expired tls.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now().AddDate(-2, 0, 0)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test authority"}, NotBefore: began, NotAfter: time.Now().AddDate(2, 0, 0), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	issue := func(c *x509.Certificate) []byte {
		der, err := x509.CreateCertificate(rand.Reader, c, root, &key.PublicKey, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	f.root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: issue(root)})
	leaf := func(serial int64, until time.Time) tls.Certificate {
		c := &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: began, NotAfter: until, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"localhost"},
			KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		}
		return tls.Certificate{Certificate: [][]byte{issue(c)}, PrivateKey: key}
	}
	return leaf(2, time.Now().AddDate(0, 3, 0)), leaf(3, time.Now().AddDate(0, 0, -1))
}

// authority writes down whom a guard has to trust, and returns the file's path.
func (f *front) authority(s *shop) string { return s.write("authority.pem", f.root) }

func (f *front) be(how frontState) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.how = how
}

func (f *front) is() frontState {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.how
}

// ServeHTTP implements [http.Handler].
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch f.is() {
	case frontDown:
		http.Error(w, "Error establishing a database connection", http.StatusInternalServerError)
	case frontWrong:
		fmt.Fprint(w, "<h1>This domain is parked</h1>")
	case frontSlow:
		select {
		case f.asked <- struct{}{}:
		case <-r.Context().Done():
		}
		<-r.Context().Done()
	default:
		fmt.Fprint(w, "<h1>Nyrostat kaffe</h1>")
	}
}
