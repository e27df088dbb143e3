package shopify

import (
	"context"
	"math"
	"sync"

	"golang.org/x/sync/errgroup"

	"kvart/connectors/rest"
)

// What is known of how fast bulk mutations are carried out. Shopify tells
// nothing of it; these are on the slow side of what is seen.
const (
	mostWholesale  = 2000 // ops together
	lanes          = 4    // operations side by side: the shop runs five, and one is left to others
	perLane        = 12.  // mutations a second
	roundTime      = 15.  // seconds for handing a file over and seeing that it is done
	worthWholesale = 60.  // seconds one by one below which nothing is gained
	fewest         = 50   // mutations of one sort that are worth a file
)

var (
	_ rest.Wholesaler = (*shop)(nil)
	_ rest.Settler    = (*shop)(nil)
	_ rest.Gatherer   = (*shop)(nil)
)

// AtOnce implements [rest.Wholesaler].
func (s *shop) AtOnce(k rest.Kind, ops []rest.Op) int {
	ops = ops[:min(len(ops), mostWholesale)]
	if !s.pays(k, ops) {
		return 0
	}
	return len(ops)
}

// pays reports whether ops are better carried out by bulk operations than one by
// one. One by one they wait for points: of a thousand products with five variants
// each made again, 23 each, on the smallest plan for four minutes. Bulk operations
// cost none, but their own time, so that few ops, and all those of a plan that
// gives out many points, are done sooner one by one. In bulk is what takes more
// than a minute by points, and then more than half as long again as in bulk.
func (s *shop) pays(k rest.Kind, ops []rest.Op) bool {
	points, rounds := 0., 1.
	for _, op := range ops {
		c, r := priceOf(k, op)
		points, rounds = points+c, max(rounds, r)
	}
	alone := s.c.meter.lasts(points)
	together := rounds * (roundTime + float64(len(ops))/(lanes*perLane))
	return alone > worthWholesale && alone > 1.5*together
}

// priceOf is what an op costs by Shopify's published prices, and in how many
// mutations one after the other it is done.
func priceOf(k rest.Kind, op rest.Op) (points, rounds float64) {
	const mutation = 10
	if op.Do == rest.DoDelete {
		return 0, 0 // one by one
	}
	switch k.Name {
	case kindCustomers:
		return 2 * mutation, 2
	case kindProducts:
	default:
		return 0, 0
	}
	variants := listOf(op.Record["variants"])
	price := mutation + 0.2*float64(len(variants)) + 1.9*float64(len(listOf(op.Record["media"]))) + 0.4*float64(len(listOf(op.Record["metafields"])))
	for _, v := range variants {
		price += 0.4 * float64(len(listOf(v["metafields"])))
	}
	switch {
	case op.Do == rest.DoCreate:
		return price + mutation, 2
	case wanted(op, "options", "media"):
		return price, 1
	}
	return mutation, 1
}

// lasts is for how many seconds so many points keep the shop busy.
func (m *meter) lasts(points float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refillLocked()
	return math.Max(0, points-m.available) / m.rate
}

// earns is how many seconds it takes the shop to give out so many points.
func (m *meter) earns(points float64) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return points / m.rate
}

// wholesale gathers the mutations of ops that are carried out side by side: when
// each of them waits for one, all are handed to the shop together.
type wholesale struct {
	s *shop

	mu      sync.Mutex
	busy    int // ops that neither wait nor have ended
	waiting []*posted
}

// posted is a mutation that waits to be carried out with others. What became of it
// is set before ready is closed.
type posted struct {
	name   string
	vars   map[string]any
	ready  chan struct{}
	answer map[string]any
	err    error
}

type wholesaleKey struct{}

// together carries out ops by bulk operations. Its results are those of
// [shop.each].
func (s *shop) together(ctx context.Context, ops []rest.Op, do doer) ([]rest.Result, error) {
	w := &wholesale{s: s, busy: len(ops)}
	ctx = context.WithValue(ctx, wholesaleKey{}, w)
	return s.each(ctx, ops, len(ops), func(ctx context.Context, op rest.Op) (rest.Result, error) {
		defer w.leave(ctx)
		return do(ctx, op)
	})
}

// inBulk reports whether an operation is one of those that are gathered: those
// whose doing twice is doing once, and whose answers are short.
func inBulk(name string) bool {
	switch name {
	case "product_set", "variants_update", "publish", "unpublish", "metafields_set", "customer_set", "customer_consent":
		return true
	}
	return false
}

// gathered carries out a mutation together with those of others, where ctx is of
// ops that are carried out so; gathers is false elsewhere.
func gathered(ctx context.Context, name string, vars map[string]any) (answer map[string]any, gathers bool, err error) {
	w, ok := ctx.Value(wholesaleKey{}).(*wholesale)
	if !ok || !inBulk(name) {
		return nil, false, nil
	}
	o := &posted{name: name, vars: vars, ready: make(chan struct{})}
	w.mu.Lock()
	w.waiting = append(w.waiting, o)
	w.mu.Unlock()
	w.leave(ctx)
	<-o.ready
	return o.answer, true, o.err
}

// leave is told that an op waits or has ended. The last one to do so has the
// shop carry out what all wait for.
func (w *wholesale) leave(ctx context.Context) {
	w.mu.Lock()
	w.busy--
	if w.busy > 0 || len(w.waiting) == 0 {
		w.mu.Unlock()
		return
	}
	orders := w.waiting
	w.waiting, w.busy = nil, len(orders)
	w.mu.Unlock()
	w.s.fill(ctx, orders)
	for _, o := range orders {
		close(o.ready)
	}
}

// fill carries out orders and notes what became of each.
func (s *shop) fill(ctx context.Context, orders []*posted) {
	byName := map[string][]*posted{}
	for _, o := range orders {
		byName[o.name] = append(byName[o.name], o)
	}
	for name, some := range byName {
		if len(some) < fewest {
			s.fillEach(ctx, some)
			continue
		}
		var g errgroup.Group
		size := max(fewest, (len(some)+lanes-1)/lanes)
		for start := 0; start < len(some); start += size {
			part := some[start:min(start+size, len(some))]
			g.Go(func() error {
				s.fillTogether(ctx, name, part)
				return nil
			})
		}
		_ = g.Wait() // errors are the orders' own
	}
}

// fillEach carries out orders that are too few for a file.
func (s *shop) fillEach(ctx context.Context, orders []*posted) {
	var g errgroup.Group
	g.SetLimit(parallel)
	for _, o := range orders {
		g.Go(func() error {
			var got map[string]any
			o.err = s.c.run(ctx, s.l[o.name], o.vars, &got)
			o.answer = got
			return nil
		})
	}
	_ = g.Wait() // errors are the orders' own
}
