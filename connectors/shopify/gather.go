package shopify

import (
	"context"

	"kvart/connectors/rest"
)

const (
	perProduct  = 20.  // points that reading a record with many parts by its id costs, more or less
	perRecord   = 4.   // and another one
	perSecond   = 500. // records of a kind that a bulk operation writes
	worthGather = 30.  // seconds by ids below which nothing is gained
	gatherMost  = 2e5  // records of a kind, each a line on this computer
)

// Gathers implements [rest.Gatherer]: by ids many records wait for points, while a
// bulk operation reads all of their kind for none.
func (s *shop) Gathers(k rest.Kind, n, total int) bool {
	if !s.p.spec(k.Name).bulk || total > gatherMost {
		return false
	}
	price := perRecord
	if k.Name == kindProducts || k.Name == kindOrders || k.Name == kindCollections {
		price = perProduct
	}
	alone := s.c.meter.lasts(price * float64(n))
	return alone > worthGather && alone > 1.5*(roundTime+float64(total)/perSecond)
}

// Gather implements [rest.Gatherer].
func (s *shop) Gather(ctx context.Context, k rest.Kind) (release func(), err error) {
	if err := s.sweepBulk(ctx, s.p.spec(k.Name), func(rest.Stamp) error { return nil }); err != nil {
		return nil, about(k, s.c.coded(ctx, err))
	}
	return func() { s.dropSwept(k.Name) }, nil
}
