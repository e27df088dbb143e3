package watch

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"kvart/app"
)

const (
	// pageBound is how much of a page is read for its word, unpacked.
	pageBound = 2 << 20
	// headBound bounds the head of an answer.
	headBound = 256 << 10
	// hops is how many redirects are followed.
	hops = 10
)

// CheckStorefront refuses settings that can't be watched.
func (w *Watch) CheckStorefront(s app.StorefrontSettings) error {
	_, err := pageURL(s.URL)
	return err
}

func pageURL(raw string) (*url.URL, error) {
	const op = "check storefront"
	u, err := url.Parse(strings.TrimSpace(raw))
	switch {
	case err != nil:
		return nil, app.Errorf(app.CodeUsage, op, "not an address").With("field", "url")
	case u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "":
		return nil, app.Errorf(app.CodeUsage, op, "the address begins with https://").With("field", "url")
	case u.User != nil:
		return nil, app.Errorf(app.CodeUsage, op, "an address for customers holds no password").With("field", "url")
	}
	return u, nil
}

// Probe looks at the shop once. It tells what came back; whether silence means
// that the shop is down or that this computer is off line, the caller has to
// find out.
func (w *Watch) Probe(ctx context.Context, s app.StorefrontSettings) app.StorefrontProbe {
	began := time.Now()
	out := app.StorefrontProbe{At: began, State: app.StorefrontDown}
	u, err := pageURL(s.URL)
	if err != nil {
		out.Error = app.AsError(err)
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout)
	defer cancel()
	res, page, err := w.fetch(ctx, u)
	out.Millis = time.Since(began).Milliseconds()
	if err != nil {
		out.Error = silence(err, u)
		return out
	}
	out.Status, out.Where = res.StatusCode, res.Request.URL.Scheme+"://"+res.Request.URL.Host+res.Request.URL.Path
	if res.TLS != nil && len(res.TLS.PeerCertificates) > 0 {
		out.CertificateUntil = res.TLS.PeerCertificates[0].NotAfter
		out.Proven = true // nobody else has the key to it
	}
	out.Platform = platformOf(u.Hostname(), res.Header)
	out.Error = judgePage(s, u, res, page)
	if out.Error == nil {
		out.State = app.StorefrontUp
	}
	return out
}

// fetch gets the page as a customer's browser would, and no more of it than is
// needed.
func (w *Watch) fetch(ctx context.Context, u *url.URL) (*http.Response, []byte, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, nil, fmt.Errorf("make cookie jar: %w", err)
	}
	var away atomic.Bool // the address is no longer the owner's own
	dial := net.Dialer{Timeout: w.o.Timeout, Control: func(_, address string, _ syscall.RawConn) error {
		if away.Load() && isPrivate(address) {
			return errors.New("the shop sends its visitors to this computer's own network")
		}
		return nil
	}}
	tr := w.transport()
	tr.DialContext = dial.DialContext
	defer tr.CloseIdleConnections()
	client := http.Client{Transport: tr, Jar: jar, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != u.Host {
			away.Store(true)
		}
		if len(via) >= hops {
			return fmt.Errorf("redirected more than %d times", hops)
		}
		return nil
	}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, fmt.Errorf("ask storefront: %w", err)
	}
	r.Header.Set("User-Agent", "Mozilla/5.0 (compatible; Kvart/"+app.Version+"; watches its owner's shop)")
	r.Header.Set("Accept", "text/html,*/*;q=0.5")
	res, err := client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close() //nolint:errcheck // what is needed was read
	page, err := io.ReadAll(io.LimitReader(res.Body, pageBound))
	// A page that was cut off by the end of our patience may look like one that ended.
	return res, page, cmp.Or(err, ctx.Err())
}

// transport makes each request a connection of its own, as a new visitor would.
func (w *Watch) transport() *http.Transport {
	dial := w.o.Dial
	if dial == nil {
		dial = (&net.Dialer{Timeout: w.o.Timeout}).DialContext
	}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial, DisableKeepAlives: true, ForceAttemptHTTP2: true,
		TLSHandshakeTimeout: w.o.Timeout, MaxResponseHeaderBytes: headBound, TLSClientConfig: &tls.Config{RootCAs: w.o.Roots, MinVersion: tls.VersionTLS12},
	}
}

func isPrivate(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err != nil || ip == nil || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified()
}

// silence says why no answer came. The address is the owner's own; what a
// server said is kept for the log.
func silence(err error, u *url.URL) *app.Error {
	const op = "ask storefront"
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var host x509.HostnameError
	code, reason := app.CodeStorefrontOffline, "silent"
	var netErr net.Error
	switch {
	case errors.As(err, &unknown):
		code, reason = app.CodeStorefrontCertificate, "unknown"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		code, reason = app.CodeStorefrontCertificate, "expired"
	case errors.As(err, &invalid):
		code, reason = app.CodeStorefrontCertificate, "invalid"
	case errors.As(err, &host):
		code, reason = app.CodeStorefrontCertificate, "host"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		reason = "slow"
	}
	return app.Errorf(code, op, "%w", err).With("where", u.Hostname()).With("reason", reason)
}

// judgePage tells the shop's page from any other answer.
func judgePage(s app.StorefrontSettings, u *url.URL, res *http.Response, page []byte) *app.Error {
	const op = "look at storefront"
	end := res.Request.URL
	switch {
	case res.StatusCode >= 400:
		return app.Errorf(app.CodeStorefrontStatus, op, "status %d", res.StatusCode).With("where", u.Hostname()).With("status", strconv.Itoa(res.StatusCode))
	case s.Word != "" && !holds(page, s.Word):
		return app.Errorf(app.CodeStorefrontWord, op, "%d bytes without the word", len(page)).With("where", u.Hostname()).With("word", s.Word)
	case s.Word == "" && !related(u.Hostname(), end.Hostname()):
		return app.Errorf(app.CodeStorefrontElsewhere, op, "ended at %s", end.Hostname()).With("where", u.Hostname()).With("elsewhere", end.Hostname())
	}
	return nil
}

// holds reports whether a page has a word, in whichever case and whichever of
// the usual encodings.
func holds(page []byte, word string) bool {
	want := strings.ToLower(word)
	text := strings.ToLower(string(page))
	if strings.Contains(text, want) || strings.Contains(strings.ToLower(html.UnescapeString(string(page))), want) {
		return true
	}
	latin := make([]byte, 0, len(want))
	for _, r := range word {
		if r > 0xff {
			return false
		}
		latin = append(latin, byte(r))
	}
	return bytes.Contains(page, latin)
}

// related reports whether one host is the other, or above it: a shop sends its
// visitors from kopp.se to www.kopp.se.
func related(a, b string) bool {
	a, b = strings.TrimPrefix(strings.ToLower(a), "www."), strings.TrimPrefix(strings.ToLower(b), "www.")
	return a == b || strings.HasSuffix(a, "."+b) && strings.Contains(b, ".") || strings.HasSuffix(b, "."+a) && strings.Contains(a, ".")
}

// Reach reports whether anything answers at a host and port, which shows this
// computer's own connection to be alive. Nothing is said to whoever answers.
func (w *Watch) Reach(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout/2)
	defer cancel()
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return false
	}
	_ = c.Close() // it answered; that is all that was asked
	return true
}
