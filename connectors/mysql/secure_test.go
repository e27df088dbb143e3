package mysql

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/internal/tunnel"
	"kvart/connectors/internal/tunnel/tunneltest"
)

// authority writes a certificate authority and, signed by it, a server's
// certificate with key.
func authority(t *testing.T, dir string) {
	t.Helper()
	write := func(name, kind string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Kvart tests"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caKey, serverKey := key(), key()
	der, err := x509.CreateCertificate(rand.Reader, ca, ca, caKey.Public(), caKey)
	if err != nil {
		t.Fatal(err)
	}
	write("ca.pem", "CERTIFICATE", der)
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "127.0.0.1"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if der, err = x509.CreateCertificate(rand.Reader, cert, ca, serverKey.Public(), caKey); err != nil {
		t.Fatal(err)
	}
	write("cert.pem", "CERTIFICATE", der)
	if der, err = x509.MarshalPKCS8PrivateKey(serverKey); err != nil {
		t.Fatal(err)
	}
	write("key.pem", "PRIVATE KEY", der)
}

func TestConnector_tls(t *testing.T) {
	t.Parallel()
	dir, other := t.TempDir(), t.TempDir()
	authority(t, dir)
	authority(t, other)
	s, c := own(t, "--ssl-ca="+dir+"/ca.pem", "--ssl-cert="+dir+"/cert.pem", "--ssl-key="+dir+"/key.pem"), connector(t)
	db := shop(t, s)
	a := s.user(t, db, "secure", "p", restoreGrants(db, "@@")...)
	s.exec(t, "GRANT SELECT ON mysql.proc TO secure@localhost")
	s.exec(t, "ALTER USER secure@localhost REQUIRE SSL")
	for _, tt := range []struct {
		tls, ca string
		code    app.Code
		reason  string
	}{
		{"", "", "", ""},
		{tlsRequire, "", "", ""},
		{tlsVerify, filepath.Join(dir, "ca.pem"), "", ""},
		{tlsVerify, filepath.Join(other, "ca.pem"), app.CodeCertificate, "unknown_authority"},
		{tlsVerify, "", app.CodeCertificate, "unknown_authority"},
		{tlsVerify, filepath.Join(dir, "none.pem"), app.CodeUsage, ""},
		{tlsVerify, filepath.Join(dir, "key.pem"), app.CodeUsage, ""},
		{tlsOff, "", app.CodeSourceDenied, ""},
	} {
		a.Source.Settings[fieldTLS], a.Source.Settings[fieldCA] = tt.tls, tt.ca
		info, err := c.Check(t.Context(), a)
		if app.CodeOf(err) != tt.code || err != nil && app.AsError(err).Args["reason"] != tt.reason {
			t.Errorf("%+v: %s: %v", tt, app.CodeOf(err), err)
		}
		if err != nil || tt.code != "" {
			continue
		}
		if info.Details["encrypted"] != "true" {
			t.Errorf("%+v: %v", tt, info.Details)
		}
		from, stats, _ := point(t, c, a)
		restore(t, c, app.Restore{Access: a, From: from, Stats: stats})
	}
}

func TestConnector_tunnel(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	via := tunneltest.Serve(t, nil)
	host, port, err := net.SplitHostPort(via.Addr)
	if err != nil {
		t.Fatal(err)
	}
	a := s.access(db)
	a.Source.Settings[tunnel.FieldHost], a.Source.Settings[tunnel.FieldPort], a.Source.Settings[tunnel.FieldUser] = host, port, "shop"
	a.Secrets = app.Secrets{tunnel.FieldPassword: app.NewSecret("secret")}
	if err := c.Spec().CheckSettings(a.Source.Settings, a.Secrets); err != nil {
		t.Error(err)
	}
	_, err = c.Check(t.Context(), a)
	if app.CodeOf(err) != app.CodeHostKeyUnknown {
		t.Fatalf("first contact: %v", err)
	}
	a.Source.Settings[tunnel.FieldHostKey] = app.AsError(err).Args["host_key"]
	want := s.content(t, db)
	from, stats, _ := point(t, c, a)
	spoil(t, s, db)
	restore(t, c, app.Restore{Access: a, From: from, Stats: stats})
	same(t, s.content(t, db), want)
}
