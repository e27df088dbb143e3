// Package woocommerce tells the engine of package rest how WooCommerce shops
// work: which records they have, how they are asked for, and how they are put
// back. It knows no vault and no other connector.
//
// # The way in
//
// An application password of WordPress (5.6 and later) opens everything. Keys
// of WooCommerce open what is WooCommerce's own; pages, posts, menus, users and
// the library of pictures then stay outside, which [Platform] tells as kinds
// the shop doesn't have. Over plain http, which is for this computer and for
// where the owner insists, WooCommerce takes its keys only as signatures.
//
// # What is known of WooCommerce's ways
//
// Lists are read by rising id with an overlap of one record, so that what is
// made comes at the end and what is deleted meanwhile is noticed. Customers
// can't be asked for by change: those that changed orders mention are read
// again, the rest by the nightly sweep. Trash is a feed of deletions, and the
// best restore: what is taken out of it has its own id. An id in a new record
// is refused, so what is made again carries its old one in its meta data,
// "_kvart_original_id". Orders made again get new numbers and today's date,
// take from the stock and send mails: they are made only for owners who ask.
package woocommerce

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "woocommerce"

// Platform is WooCommerce, for [rest.New]. What is set of it never changes once it is used.
type Platform struct {
	// Transport carries requests; nil means the usual way.
	Transport http.RoundTripper
	// Speed is how many requests a second a shop is asked at most; 0 means 12.
	Speed float64
	// Nap waits between tries; nil means the clock.
	Nap func(ctx context.Context, d time.Duration) error

	mu    sync.Mutex
	paces map[string]rest.Pacer // by host
}

var _ rest.Platform = (*Platform)(nil)

// New returns the connector.
func New(log *slog.Logger, dir string) *rest.Engine {
	return rest.New(&Platform{}, rest.Options{Dir: dir, Log: log})
}

// Kinds implements [rest.Platform].
func (p *Platform) Kinds() []rest.Kind {
	list := make([]rest.Kind, 0, len(table()))
	for _, s := range table() {
		list = append(list, s.Kind)
	}
	return list
}
