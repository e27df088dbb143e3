package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"

	"kvart/app"
)

const (
	// ianaBootstrap lists every registry that answers questions about domains:
	// RFC 9224. Whoever serves it is not told which domain it is about.
	ianaBootstrap = "https://data.iana.org/rdap/dns.json"
	// bootstrapBound and answerBound bound what is read.
	bootstrapBound = 4 << 20
	answerBound    = 1 << 20
)

// Domain asks a shop's registry when its domain expires, by RDAP: RFC 9082 and
// 9083. It returns nil where the address is not below a domain that somebody
// could register: a number, a name of this network, a place on a platform.
func (w *Watch) Domain(ctx context.Context, s app.StorefrontSettings) *app.DomainStatus {
	u, err := pageURL(s.URL)
	if err != nil {
		return nil
	}
	name := registered(u.Hostname())
	if name == "" {
		return nil
	}
	d := &app.DomainStatus{Name: name, At: time.Now()}
	ctx, cancel := context.WithTimeout(ctx, w.o.Timeout)
	defer cancel()
	base, err := w.registry(ctx, name)
	if err == nil && base != "" {
		d.Until, err = w.expiry(ctx, base, name)
	}
	d.Error = app.AsError(err)
	return d
}

// registered returns the part of a host's name that is registered: "kopp.se" of
// "www.kopp.se". It is "" for what nobody registers there.
func registered(host string) string {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	ascii, err := idna.Lookup.ToASCII(host)
	if err != nil || net.ParseIP(host) != nil || !strings.Contains(ascii, ".") {
		return ""
	}
	if suffix, ofICANN := publicsuffix.PublicSuffix(ascii); !ofICANN || suffix == ascii {
		return "" // a platform's, or no public name
	}
	name, err := publicsuffix.EffectiveTLDPlusOne(ascii)
	if err != nil {
		return ""
	}
	return name
}

// registry returns where a domain's registry answers, "" where it does not.
func (w *Watch) registry(ctx context.Context, name string) (string, error) {
	var list struct {
		Services [][][]string `json:"services"`
	}
	if _, err := w.document(ctx, w.o.Bootstrap, bootstrapBound, &list); err != nil {
		return "", err
	}
	// the longest suffix that is listed counts
	for _, suffix, more := strings.Cut(name, "."); more; _, suffix, more = strings.Cut(suffix, ".") {
		for _, s := range list.Services {
			if len(s) < 2 || !slices.ContainsFunc(s[0], func(t string) bool { return strings.EqualFold(t, suffix) }) {
				continue
			}
			for _, base := range s[1] {
				if u, err := url.Parse(base); err == nil && w.private(u) {
					return base, nil
				}
			}
		}
	}
	return "", nil
}

// expiry asks a registry; zero when it does not tell.
func (w *Watch) expiry(ctx context.Context, base, name string) (time.Time, error) {
	at, err := url.JoinPath(base, "domain", name)
	if err != nil {
		return time.Time{}, fmt.Errorf("ask registry: %w", err)
	}
	var answer struct {
		Name   string `json:"ldhName"`
		Events []struct {
			Action string `json:"eventAction"`
			Date   string `json:"eventDate"`
		} `json:"events"`
	}
	status, err := w.document(ctx, at, answerBound, &answer)
	if err != nil || status == http.StatusNotFound {
		return time.Time{}, err
	}
	if answer.Name != "" && !strings.EqualFold(strings.TrimSuffix(answer.Name, "."), name) {
		return time.Time{}, app.Errorf(app.CodeDomainUnknown, "ask registry", "it answered about %q", answer.Name).With("where", hostname(at))
	}
	for _, e := range answer.Events {
		if t, err := time.Parse(time.RFC3339, e.Date); err == nil && e.Action == "expiration" {
			return t, nil
		}
	}
	return time.Time{}, nil
}

// document fetches a JSON document. Not found is no error, and leaves it empty.
func (w *Watch) document(ctx context.Context, at string, bound int64, into any) (status int, err error) {
	client := http.Client{Transport: w.transport(), CheckRedirect: func(r *http.Request, via []*http.Request) error {
		if len(via) >= hops || !w.private(r.URL) {
			return errors.New("redirected too often, or to where anybody could listen")
		}
		return nil
	}}
	defer client.CloseIdleConnections()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return 0, fmt.Errorf("ask registry: %w", err)
	}
	r.Header.Set("Accept", "application/rdap+json, application/json")
	r.Header.Set("User-Agent", "Kvart/"+app.Version)
	res, err := client.Do(r)
	if err != nil {
		return 0, app.Errorf(app.CodeDomainUnknown, "ask registry", "%w", err).With("where", hostname(at))
	}
	defer res.Body.Close() //nolint:errcheck // what is needed was read
	switch res.StatusCode {
	case http.StatusNotFound:
		return res.StatusCode, nil
	case http.StatusOK:
	default:
		return res.StatusCode, app.Errorf(app.CodeDomainUnknown, "ask registry", "status %d", res.StatusCode).With("where", hostname(at))
	}
	b, err := io.ReadAll(io.LimitReader(res.Body, bound))
	if err != nil {
		return 0, app.Errorf(app.CodeDomainUnknown, "ask registry", "%w", err).With("where", hostname(at))
	}
	if err := json.Unmarshal(b, into); err != nil {
		return 0, app.Errorf(app.CodeDomainUnknown, "ask registry", "%w", err).With("where", hostname(at))
	}
	return res.StatusCode, nil
}

// private reports whether nobody on the way can read what is asked there.
func (w *Watch) private(u *url.URL) bool {
	return u.Scheme == "https" || slices.Contains(w.o.PlainHosts, u.Host)
}

func hostname(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}
