package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"kvart/app"
)

const (
	// proofMeta is the name of the tag that shows a shop to be its owner's.
	proofMeta = "kvart-proof"
	// proofBound bounds the file that does.
	proofBound = 1 << 10
)

// errAway says that a shop sent its visitors to another address.
var errAway = errors.New("sent to another address")

// ProofPlace says where to place a token on the shop's site.
func (w *Watch) ProofPlace(s app.StorefrontSettings, token string) (file, meta string, err error) {
	u, err := pageURL(s.URL)
	if err != nil {
		return "", "", err
	}
	at := url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/.well-known/kvart-" + token + ".txt"}
	return at.String(), `<meta name="` + proofMeta + `" content="` + token + `">`, nil
}

// FindProof looks for a token on the shop's site, and returns how it was found,
// "" when it was not. An error means that the site did not answer.
func (w *Watch) FindProof(ctx context.Context, s app.StorefrontSettings, token string) (way string, err error) {
	file, _, err := w.ProofPlace(s, token)
	if err != nil {
		return "", err
	}
	at, err := url.Parse(file)
	if err != nil {
		return "", fmt.Errorf("read address: %w", err)
	}
	if res, body, err := w.stay(ctx, at, proofBound); err == nil && res.StatusCode == http.StatusOK && strings.TrimSpace(string(body)) == token {
		return "file", nil
	}
	u, err := pageURL(s.URL)
	if err != nil {
		return "", err
	}
	res, page, err := w.stay(ctx, u, pageBound)
	if err != nil {
		return "", err
	}
	if res.StatusCode == http.StatusOK && tagged(page, token) {
		return "meta", nil
	}
	return "", nil
}

// stay fetches what an address has without ever leaving its host.
func (w *Watch) stay(ctx context.Context, u *url.URL, bound int64) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout)
	defer cancel()
	client := http.Client{Transport: w.transport(), CheckRedirect: func(r *http.Request, via []*http.Request) error {
		switch {
		case !sameHost(r.URL, u):
			return fmt.Errorf("%w: %s", errAway, r.URL.Hostname())
		case len(via) >= hops:
			return fmt.Errorf("redirected more than %d times", hops)
		}
		return nil
	}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, fmt.Errorf("ask storefront: %w", err)
	}
	r.Header.Set("User-Agent", visitorAgent())
	res, err := client.Do(r)
	if err != nil {
		var at *url.Error
		if errors.Is(err, errAway) && errors.As(err, &at) {
			return nil, nil, away(u, at.Err)
		}
		return nil, nil, silence(err, u)
	}
	defer res.Body.Close() //nolint:errcheck // what is needed was read
	body, err := io.ReadAll(io.LimitReader(res.Body, bound))
	if err != nil {
		return nil, nil, silence(err, u)
	}
	return res, body, nil
}

// away says where a shop sends its visitors.
func away(u *url.URL, err error) *app.Error {
	_, where, _ := strings.Cut(err.Error(), ": ")
	return app.Errorf(app.CodeCapacityElsewhere, "ask storefront", "%w", err).With("where", u.Hostname()).With("elsewhere", where)
}

// sameHost reports whether a redirect stays on the shop's own host: at most it
// turns to encryption.
func sameHost(to, from *url.URL) bool {
	return strings.EqualFold(to.Host, from.Host) && (to.Scheme == from.Scheme || to.Scheme == "https") ||
		strings.EqualFold(to.Hostname(), from.Hostname()) && from.Scheme == "http" && to.Scheme == "https" && from.Port() == "" && to.Port() == ""
}

// tagged reports whether the head of a page holds the proof's tag. What visitors
// wrote is in the body, and does not count.
func tagged(page []byte, token string) bool {
	z := html.NewTokenizer(bytes.NewReader(page))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			return false
		}
		t := z.Token()
		switch {
		case kind == html.StartTagToken && t.DataAtom == atom.Body, kind == html.EndTagToken && t.DataAtom == atom.Head:
			return false
		case (kind == html.StartTagToken || kind == html.SelfClosingTagToken) && t.DataAtom == atom.Meta:
			attrs := map[string]string{}
			for _, a := range t.Attr {
				attrs[a.Key] = a.Val
			}
			if attrs["name"] == proofMeta && attrs["content"] == token {
				return true
			}
		}
	}
}
