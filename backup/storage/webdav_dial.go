package storage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"kvart/app"
)

const (
	// dialLimit is how long a server may take to let us in.
	dialLimit = 10 * time.Second
	// linkLimit is how long a connection may stand still before it counts as
	// broken: without it a backup would wait for ever on a link that died.
	linkLimit = 5 * time.Minute
)

// restless is a connection on which nothing may stand still for long.
type restless struct{ net.Conn }

func (c restless) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(linkLimit)); err != nil {
		return 0, fmt.Errorf("limit reading: %w", err)
	}
	return c.Conn.Read(b)
}

func (c restless) Write(b []byte) (int, error) {
	if err := c.SetWriteDeadline(time.Now().Add(linkLimit)); err != nil {
		return 0, fmt.Errorf("limit writing: %w", err)
	}
	return c.Conn.Write(b)
}

// dialRestless dials a connection on which nothing stands still for long.
func dialRestless(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: dialLimit}
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return restless{c}, nil
}

// restlessTransport is an HTTP transport to one host that gives up on a dead
// link and trusts the certificates of a file beside those the system trusts.
func restlessTransport(host, caFile string) (*http.Transport, error) {
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialRestless,
		TLSHandshakeTimeout: dialLimit, IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true,
		MaxIdleConnsPerHost: 8,
	}
	if caFile == "" {
		return t, nil
	}
	trusted, err := readCertificates(caFile)
	if err != nil {
		return nil, err
	}
	t.TLSClientConfig = trustAlso(host, trusted)
	return t, nil
}

func readCertificates(file string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, app.Errorf(app.CodeUsage, "read certificate file", "%w", err).With("field", "ca_file").With("path", file)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(b) {
		return nil, app.Errorf(app.CodeUsage, "read certificate file", "%s holds no certificate", file).With("field", "ca_file").With("path", file)
	}
	return b, nil
}

// trustAlso trusts the authorities in pem beside the system's, and a server
// that shows one of the certificates in pem itself: such a one is pinned, and
// its name and dates don't matter.
func trustAlso(host string, pem []byte) *tls.Config {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // systems without a store
	}
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		// VerifyConnection below does what this turns off.
		InsecureSkipVerify: true, //nolint:gosec // see above
		VerifyConnection: func(cs tls.ConnectionState) error {
			if len(cs.PeerCertificates) == 0 {
				return errors.New("the server shows no certificate")
			}
			leaf, between := cs.PeerCertificates[0], x509.NewCertPool()
			if isPinned(leaf, pem) {
				return nil
			}
			for _, c := range cs.PeerCertificates[1:] {
				between.AddCert(c)
			}
			// The connection's own idea of the name lacks addresses of numbers.
			_, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, DNSName: host})
			return err
		},
	}
}

// isPinned reports whether leaf itself is among the certificates in pem.
func isPinned(leaf *x509.Certificate, pem []byte) bool {
	pool, with := x509.NewCertPool(), x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	with.AppendCertsFromPEM(pem)
	with.AddCert(leaf) // a no-op when it is there
	return pool.Equal(with)
}

// placed translates an error of a quick check. An end of the check's own time is
// made to look like what it is, and the place is named where that helps.
func placed(ctx context.Context, op, where string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return app.Errorf(app.CodeStorageOffline, op, "no answer: %w", terse{err}).With("where", where)
	}
	err = Translate(op, err)
	var known *app.Error
	if !errors.As(err, &known) {
		return err
	}
	switch known.Code {
	case app.CodeStorageGone, app.CodeStorageOffline, app.CodePortal, app.CodeStorageReadOnly:
		if known.Args["where"] == "" {
			_ = known.With("where", where)
		}
	}
	return err
}
