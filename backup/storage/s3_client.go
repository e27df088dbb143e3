package storage

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"kvart/app"
)

// quickCheck is how long a bucket may take to show that it answers. Kopia
// alone would try ten times before it told of a mistyped key.
const quickCheck = 5 * time.Second

// quickTries is how often a request is made in that time: one that is asked to
// come back later deserves another chance.
const quickTries = 3

// s3Client is a direct line to a bucket, for what Kopia can't ask and for
// answers within seconds.
type s3Client struct {
	bucket
	*minio.Client
	wire *wire
}

func (b bucket) client() (*s3Client, error) {
	w, err := newWire(b.authority)
	if err != nil {
		return nil, err
	}
	c, err := minio.New(b.endpoint, &minio.Options{
		Creds:  credentials.NewStaticV4(b.access, b.secret.Reveal(), ""),
		Secure: !b.plain, Region: b.region, MaxRetries: quickTries, Transport: w,
	})
	if err != nil {
		return nil, app.Errorf(app.CodeUsage, "make client", "%w", err).With("field", "endpoint")
	}
	return &s3Client{b, c, w}, nil
}

// answers lists one object, which proves address, bucket, key, clock and the
// right to list.
func (c *s3Client) answers(ctx context.Context) error {
	quick, cancel := context.WithTimeout(ctx, quickCheck)
	defer cancel()
	for o := range c.ListObjectsIter(quick, c.name, minio.ListObjectsOptions{Prefix: c.prefix, MaxKeys: 1}) {
		if o.Err != nil {
			return c.explain(ctx, "look at bucket", lacking("list", o.Err))
		}
		break
	}
	if quick.Err() != nil {
		return c.explain(ctx, "look at bucket", quick.Err())
	}
	return nil
}

// explain translates an error of a direct request, with all the client knows
// besides. An end of the quick check's own time is made to look like what it
// is.
func (c *s3Client) explain(ctx context.Context, op string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return app.Errorf(app.CodeStorageOffline, op, "no answer: %w", terse{err}).With("where", c.where())
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return c.spokePlain(op, err)
	}
	err = Translate(op, err)
	var known *app.Error
	if !errors.As(err, &known) {
		return err
	}
	switch known.Code {
	case app.CodeStorageClock:
		if skew, ok := c.wire.skew(); ok {
			_ = known.With("skew", skew.Abs().Round(time.Second).String())
		}
	case app.CodeStorageGone, app.CodeStorageOffline, app.CodePortal:
		_ = known.With("where", c.where())
	}
	return err
}

// spokePlain explains a server that answers without encryption. Where every
// server must encrypt it is none but somebody in the way.
func (c *s3Client) spokePlain(op string, err error) error {
	if u, perr := url.Parse("https://" + c.endpoint); perr == nil && (u.Port() == "" || u.Port() == "443") {
		return app.Errorf(app.CodePortal, op, "%w", terse{err}).With("where", c.where())
	}
	return app.Errorf(app.CodeStorageUnsafe, op, "%w", terse{err}).With("field", "endpoint")
}

// roots returns, in PEM, what the server's certificate was trusted for, where
// the owner trusts more than the system: Kopia knows either the system's or
// those it is given.
func (c *s3Client) roots() []byte {
	if len(c.authority) == 0 {
		return nil
	}
	return append(append([]byte{}, c.authority...), c.wire.root()...)
}

// wire is a transport that looks at what comes back before anything else does.
type wire struct {
	base http.RoundTripper

	mu     sync.Mutex
	ahead  time.Duration // the server's clock, by its last answer
	dated  bool
	anchor []byte // PEM of the certificate that the last answer's trust rests on
}

func newWire(authority []byte) (*wire, error) {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("make client: %T is no transport", http.DefaultTransport)
	}
	t = t.Clone()
	if len(authority) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // a system without any; the owner's are left
		}
		if !pool.AppendCertsFromPEM(authority) {
			return nil, app.Errorf(app.CodeUsage, "read certificates", "the file holds none").With("field", "ca_file")
		}
		t.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return &wire{base: t}, nil
}

// RoundTrip implements [http.RoundTripper].
func (w *wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := w.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	w.remember(resp)
	if isPage(resp) {
		err := app.Errorf(app.CodePortal, "ask storage", "%s answers with a page: %s", req.URL.Host, resp.Status)
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, nil
}

// remember keeps what later errors and Kopia's own connection need to know.
func (w *wire) remember(resp *http.Response) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		w.ahead, w.dated = time.Until(date), true
	}
	if resp.TLS == nil || len(resp.TLS.VerifiedChains) == 0 {
		return
	}
	chain := resp.TLS.VerifiedChains[0]
	w.anchor = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: chain[len(chain)-1].Raw})
}

// skew is how far the server's clock is ahead, by its own word.
func (w *wire) skew() (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ahead, w.dated
}

func (w *wire) root() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.anchor
}

// isPage reports whether an answer is meant for a browser. A storage speaks
// XML; a gateway before it may send a page when it is overloaded.
func isPage(resp *http.Response) bool {
	if resp.StatusCode == http.StatusNetworkAuthenticationRequired {
		return true
	}
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && kind == "text/html" && resp.StatusCode < 500 && resp.StatusCode != http.StatusProxyAuthRequired
}
