package rest

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"kvart/app"
)

// timeNow is this computer's clock: for limiters, and for what is told relative
// to it. What decides by time goes by [Options.Now].
func timeNow() time.Time { return time.Now() }

// ParseBase reads the address of a shop as an owner types it: "shop.example",
// "https://shop.example/butik/". Plain http is for this computer, and for where
// the owner insists.
func ParseBase(field, address string, plain bool) (*url.URL, error) {
	address = strings.TrimSpace(address)
	if address != "" && !strings.Contains(address, "://") {
		address = "https://" + address
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil {
		return nil, app.Errorf(app.CodeUsage, "shop: settings", "no address of a shop").With("field", field)
	}
	if u.Scheme == "http" && !plain && !Loopback(u) {
		return nil, app.Errorf(app.CodeSourcePlain, "shop: settings", "%s is not encrypted", u.Host).With("where", u.Host).With("field", field)
	}
	u.RawQuery, u.Fragment = "", ""
	u.Path = strings.TrimSuffix(u.Path, "/")
	return u, nil
}

// Loopback reports whether an address is on this computer.
func Loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// untrusted tells what is wrong with a server's certificate, "" for nothing.
func untrusted(err error) string {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &unknown):
		return "unknown_authority"
	case errors.As(err, &name):
		return "name"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "expired"
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "invalid"
	}
	return ""
}
