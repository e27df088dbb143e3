// Package updates asks a signed feed for newer versions of Kvart, and fetches
// what it tells of. It trusts nobody but the key it is given: an address, a
// certificate or a mirror proves nothing. It installs nothing and knows nothing
// of when to ask.
package updates

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"kvart/app"
)

// Bounds of what a feed may take.
const (
	feedBound      = 1 << 20 // bytes
	signatureBound = 1 << 10
	// LargestFile is the most a version may measure, in bytes.
	LargestFile = 1 << 30
	hops        = 5 // redirects followed
)

// Options change how feeds are asked; the zero value is for everyday use.
type Options struct {
	System, Arch string   // of this computer, as Go calls them
	Kinds        []string // what can be installed here, the best first
	// Timeout bounds a look; zero means 30 seconds.
	Timeout time.Duration
	// Stall is how long a download may stand still; zero means a minute.
	Stall time.Duration
}

// Updates implements [app.Updater].
type Updates struct {
	o Options

	mu   sync.Mutex
	seen map[string]proof // by path
}

// proof is what a file was found to hold, for as long as it isn't touched.
type proof struct {
	stamp
	holds bool // what it should
}

// stamp tells what a file should hold, and whether it was touched.
type stamp struct {
	sum  string
	size int64
	at   int64
}

var _ app.Updater = (*Updates)(nil)

// New returns what asks feeds for a computer.
func New(o Options) *Updates {
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Stall == 0 {
		o.Stall = time.Minute
	}
	return &Updates{o: o, seen: map[string]proof{}}
}

// Look implements [app.Updater].
func (u *Updates) Look(ctx context.Context, s app.UpdateSettings, seen int64) (app.Release, error) {
	key, err := ParseKey(s.Key)
	if err != nil {
		return app.Release{}, app.Errorf(app.CodeUsage, "read key", "%w", err).With("field", "key")
	}
	at, err := url.Parse(s.Feed)
	if err != nil || !private(at) {
		return app.Release{}, app.Errorf(app.CodeUsage, "read address", "%q is no address of a feed", s.Feed).With("field", "feed")
	}
	ctx, cancel := context.WithTimeout(ctx, u.o.Timeout)
	defer cancel()
	doc, err := u.document(ctx, at, feedBound)
	if err != nil {
		return app.Release{}, unreachable(at, err)
	}
	sig, err := u.document(ctx, signatureOf(at), signatureBound)
	if err != nil {
		return app.Release{}, unreachable(at, err)
	}
	f, err := Open(doc, sig, key)
	if err != nil {
		return app.Release{}, err
	}
	if f.Serial < seen {
		return app.Release{}, app.Errorf(app.CodeUpdateOld, "look for updates", "feed %d is older than %d, which was seen before", f.Serial, seen).With("where", at.Host)
	}
	return f.release(at, u.o), nil
}

// signatureOf returns where a feed's signature lies: beside it.
func signatureOf(feed *url.URL) *url.URL {
	s := *feed
	s.Path += ".sig"
	s.RawPath = ""
	return &s
}

// private reports whether nobody on the way can change what is asked or
// answered, or all of the way is inside this computer.
func private(u *url.URL) bool {
	if u == nil || u.Host == "" || u.User != nil {
		return false
	}
	if u.Scheme == "https" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return u.Scheme == "http" && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}

func unreachable(at *url.URL, err error) error {
	if errors.Is(err, context.Canceled) {
		return app.Errorf(app.CodeCanceled, "look for updates", "%w", err)
	}
	return app.Errorf(app.CodeUpdateFeed, "look for updates", "%w", err).With("where", at.Host)
}

// client returns a client that keeps no connection and goes nowhere that
// anybody could listen.
func client() (*http.Client, *http.Transport) {
	tr := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: 15 * time.Second, ResponseHeaderTimeout: 30 * time.Second,
		DisableCompression: true, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true,
	}
	return &http.Client{Transport: tr, CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) >= hops || !private(r.URL) {
			return errors.New("redirected too often, or to where anybody could listen")
		}
		return nil
	}}, tr
}

// document fetches a small document.
func (u *Updates) document(ctx context.Context, at *url.URL, bound int64) (b []byte, err error) {
	c, tr := client()
	defer tr.CloseIdleConnections()
	res, err := get(ctx, c, at.String(), nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", at.Redacted(), res.Status)
	}
	b, err = io.ReadAll(io.LimitReader(res.Body, bound+1))
	if err == nil && int64(len(b)) > bound {
		err = fmt.Errorf("%s answers with more than %d bytes", at.Redacted(), bound)
	}
	return b, err
}

func get(ctx context.Context, c *http.Client, at string, head map[string]string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", "Kvart") // not even which version asks
	for k, v := range head {
		r.Header.Set(k, v)
	}
	return c.Do(r)
}
