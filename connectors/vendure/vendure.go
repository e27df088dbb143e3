// Package vendure tells the engine of package rest how Vendure shops work:
// which records they have, how they are asked for, and how they are put back.
// It knows no vault and no other connector.
//
// # The way in
//
// Everything goes through the admin API, in GraphQL. An administrator's name
// and password open a session, as a token where the shop gives one and as
// cookies where it doesn't; a session that ends is opened anew, also in the
// middle of a run. Shops of version 3.6 and later may give out keys instead.
//
// # What is known of Vendure's ways
//
// Lists are read in pages by rising id. A page begins with the last record of
// the one before, and a list that ends before the count it tells is no list.
// What changed is asked for by "updatedAt", which moves for most changes and
// not for all: an address, a group, a price of a currency may change under it.
// So a night's sweep reads the records themselves again, and stock, of which
// nothing is told, is listed every time. What is deleted is only noticed by its
// absence: the API hides what Vendure itself keeps as deleted, and nothing can
// be taken out of there.
//
// Ids are given out by the shop. What is made again gets a new one, and is
// found again by its slug, code, address or SKU. Filters of collections and
// conditions of promotions name records in the middle of texts.
//
// Orders can't be made through the API with their dates and payments: they are
// kept, and never put back.
//
// # Channels
//
// Records are read in the shop's default channel, in which all of them are,
// with its prices. To which further channels a product belongs is kept, and put
// back; its prices there are not read, which is why the look at the shop tells
// how many channels there are: "channels".
package vendure

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// Kind is the kind of source this package reads.
const Kind app.Kind = "vendure"

// Platform is Vendure, for [rest.New]. Its fields never change once it is used.
type Platform struct {
	// Transport carries requests; nil means the usual way.
	Transport http.RoundTripper
	// Speed is how many requests a second a shop is asked at most; 0 means 12.
	Speed float64
	// Nap waits between tries; nil means the clock.
	Nap func(ctx context.Context, d time.Duration) error

	doors doors
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
