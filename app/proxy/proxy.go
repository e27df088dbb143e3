// Package proxy takes the computer's proxy settings over into this process's
// environment, which is where Go's and Kopia's clients look for a proxy. It
// knows nothing of what is sent.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Settings are a computer's, as the environment names them. Empty fields are not
// set.
type Settings struct {
	HTTP  string // for http:// addresses: "http://proxy:3128"
	HTTPS string // for https:// addresses
	None  string // hosts that are reached directly, separated by commas
}

// Adopt sets http_proxy, https_proxy and no_proxy from the system's settings,
// through set. What the environment says already, seen through get, counts for
// more: then nothing is changed. Call it before the first request; clients read
// the environment once.
func Adopt(ctx context.Context, get func(string) string, set func(key, value string) error) error {
	for _, key := range []string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"} {
		if get(key) != "" {
			return nil
		}
	}
	s, err := system(ctx)
	if err != nil || s.HTTP == "" && s.HTTPS == "" {
		return err
	}
	for key, value := range map[string]string{"http_proxy": s.HTTP, "https_proxy": s.HTTPS, "no_proxy": s.None} {
		if value == "" {
			continue
		}
		err = errors.Join(err, set(key, value))
	}
	return err
}

// address makes a proxy's address of a host, which may hold more already, and a
// port.
func address(host, port string) string {
	if host == "" || port == "0" {
		return ""
	}
	if !strings.Contains(host, "://") {
		host = "http://" + host
	}
	u, err := url.Parse(host)
	if err != nil || u.Hostname() == "" {
		return ""
	}
	if u.Port() == "" && port != "" {
		u.Host += ":" + port
	}
	return u.String()
}

// commas joins hosts the way no_proxy wants them. GNOME's "10.0.0.0/8" and
// "*.local" are understood there too, but for the star.
func commas(hosts []string) string {
	var out []string
	for _, h := range hosts {
		if h = strings.TrimPrefix(strings.TrimSpace(h), "*"); h != "" {
			out = append(out, h)
		}
	}
	return strings.Join(out, ",")
}

// quoted returns the strings in a list such as "['localhost', '127.0.0.0/8']".
func quoted(list string) ([]string, error) {
	var out []string
	for rest := list; ; {
		from := strings.IndexByte(rest, '\'')
		if from < 0 {
			return out, nil
		}
		to := strings.IndexByte(rest[from+1:], '\'')
		if to < 0 {
			return nil, fmt.Errorf("read proxy settings: %q ends in the middle", list)
		}
		out = append(out, rest[from+1:from+1+to])
		rest = rest[from+to+2:]
	}
}
