package webhotel

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"

	"kvart/app"
)

// certificateError tells a certificate that is not to be trusted from a
// connection that broke.
func certificateError(c config, err error) error {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	var known *app.Error
	reason := ""
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &name):
		reason = "name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		reason = "expired"
	case errors.As(err, &unknown), errors.As(err, &invalid):
		reason = "unknown"
	case errors.As(err, new(tls.RecordHeaderError)):
		return (&app.Error{Code: app.CodeSourcePlain, Op: "webhotel: log in", Err: err}).With("where", c.address())
	default:
		return err
	}
	return (&app.Error{Code: app.CodeCertificate, Op: "webhotel: log in", Err: err}).With("where", c.address()).With("reason", reason)
}

// tlsConfig is for one session. Many servers take a data connection only when
// it goes on with the TLS session of the control connection; the cache for that
// belongs to this session, since another's would be refused.
func (c config) tlsConfig(newest uint16) (*tls.Config, error) {
	roots, err := c.roots()
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		ServerName: c.host, MinVersion: tls.VersionTLS12, MaxVersion: newest, ClientSessionCache: tls.NewLRUClientSessionCache(2),
		// Checked below, also when a session goes on.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			err := c.checkCertificate(s, roots)
			if e := certificateError(c, err); err != nil && app.CodeOf(e) == app.CodeCertificate && len(s.PeerCertificates) > 0 {
				return app.AsError(e).With("fingerprint", fingerprint(s.PeerCertificates[0]))
			}
			return err
		},
	}, nil
}

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

func (c config) checkCertificate(s tls.ConnectionState, roots *x509.CertPool) error {
	if len(s.PeerCertificates) == 0 {
		return x509.UnknownAuthorityError{}
	}
	leaf := s.PeerCertificates[0]
	if c.certificate != "" {
		if fingerprint(leaf) != c.certificate {
			return x509.UnknownAuthorityError{Cert: leaf}
		}
		return nil
	}
	between := x509.NewCertPool()
	for _, cert := range s.PeerCertificates[1:] {
		between.AddCert(cert)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: c.host, Roots: roots, Intermediates: between})
	return err
}

// roots returns who may have issued the certificate; nil means this computer's
// own choice.
func (c config) roots() (*x509.CertPool, error) {
	if c.caFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(c.caFile)
	if err != nil {
		return nil, bad(fieldCA, "read certificate: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(bytes.TrimSpace(pem)) {
		return nil, bad(fieldCA, "%s holds no certificate", c.caFile)
	}
	return pool, nil
}
