package storage

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/storage/s3test"
)

// certificate makes one for 127.0.0.1, or for name, signed by itself.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Åsas server"},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if name == "" {
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	} else {
		c.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

func TestOpen_BucketCertificate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, host string
		until      time.Time
		trusted    bool
		reason     string // empty: it opens
	}{
		{"of nobody known", "", time.Now().Add(time.Hour), false, distrustUnknown},
		{"of the owner's own", "", time.Now().Add(time.Hour), true, ""},
		{"expired", "", time.Now().Add(-time.Hour), true, distrustExpired},
		{"of another address", "nas.example", time.Now().Add(time.Hour), true, distrustName},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cert, file := certificate(t, tt.host, tt.until)
			srv := httptest.NewUnstartedServer(&s3test.Server{})
			srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
			srv.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
			srv.StartTLS()
			t.Cleanup(srv.Close)
			spec := bucketSpec(strings.TrimPrefix(srv.URL, "https://"))
			delete(spec.Settings, "insecure")
			if tt.trusted {
				spec.Settings["ca_file"] = file
			}
			start := time.Now()
			_, err := Probe(t.Context(), spec)
			if tt.reason == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			wantCode(t, err, app.CodeCertificate)
			wantArg(t, err, "reason", tt.reason)
			if took := time.Since(start); took > quickCheck+time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestOpen_BucketWithoutEncryption(t *testing.T) {
	t.Parallel()
	spec := serve(t, &s3test.Server{})
	delete(spec.Settings, "insecure")
	_, err := Open(t.Context(), spec, false)
	wantCode(t, err, app.CodeStorageUnsafe)
	_, err = Open(t.Context(), bucketSpec("s3.example.com"), false)
	wantCode(t, err, app.CodeStorageUnsafe)
}
