// Package watch watches over the shop: it tells ordinary runs of a source from
// unusual ones, looks at the storefront, carries alerts to the owner and knows
// the trade's peak days. It keeps nothing and starts nothing by itself; the
// guard asks, and remembers.
package watch

import (
	"context"
	"crypto/x509"
	"net"
	"time"

	"kvart/app"
)

// Watch is everything the guard asks of this package.
type Watch struct{ o Options }

// Options are what tests and wiring may choose.
type Options struct {
	// Roots are who certificates have to be signed by; nil means the system's.
	Roots *x509.CertPool
	// Timeout bounds one look at the storefront and one alert; 0 means 20 s.
	Timeout time.Duration
	// PlainHosts may be sent to without encryption: "127.0.0.1:8025".
	PlainHosts []string
	// Dial reaches the shop in a rehearsal and everybody who is asked about its
	// domain; nil means the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Bootstrap is where the registries of domains are listed, as RFC 9224 has
	// it; "" means IANA's list.
	Bootstrap string
}

// New returns a watch.
func New(o Options) *Watch {
	if o.Timeout == 0 {
		o.Timeout = 20 * time.Second
	}
	if o.Bootstrap == "" {
		o.Bootstrap = ianaBootstrap
	}
	return &Watch{o}
}

var _ app.Judge = (*Watch)(nil)
