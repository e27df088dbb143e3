package shopify

import (
	"context"
	"errors"
	"slices"
	"time"

	"kvart/connectors/rest"
)

const (
	perProduct  = 20.  // points that reading a record with many parts by its id costs, more or less
	perRecord   = 4.   // and another one
	perSecond   = 500. // records of a kind that a bulk operation writes
	worthGather = 30.  // seconds by ids below which nothing is gained
	gatherMost  = 2e5  // records of a kind, each a line on this computer

	someTime  = 5.  // seconds for a bulk operation of a few hundred records, to the seeing that it is done
	worthSome = 5.  // seconds by ids below which nothing is gained with one
	someMost  = 200 // records that may be paid for with points that lie ready
)

// Gathers implements [rest.Gatherer]: by ids many records wait for points, while a
// bulk operation reads all of their kind for none, or those that changed.
func (s *shop) Gathers(k rest.Kind, n, total int, since time.Time) bool {
	sp := s.p.spec(k.Name)
	if !sp.bulk || total > gatherMost {
		return false
	}
	price := perRecord
	if k.Name == kindProducts || k.Name == kindOrders || k.Name == kindCollections {
		price = perProduct
	}
	alone := s.c.meter.lasts(price * float64(n))
	if !since.IsZero() && sp.filtered {
		some := alone
		if n > someMost { // points that lie ready are missed by what comes after
			some = s.c.meter.earns(price * float64(n))
		}
		if some > worthSome && some > 1.5*(someTime+float64(n)/perSecond) {
			return true
		}
	}
	return alone > worthGather && alone > 1.5*(roundTime+float64(total)/perSecond)
}

// Gather implements [rest.Gatherer]. The search by time may miss what has changed
// a moment ago: of what it missed only little is asked for by ids.
func (s *shop) Gather(ctx context.Context, k rest.Kind, keys []rest.Key, total int, since time.Time) (release func(), err error) {
	sp := s.p.spec(k.Name)
	if !since.IsZero() && sp.filtered {
		if err := s.sweepSince(ctx, sp, since); err != nil {
			return nil, about(k, s.c.coded(ctx, err))
		}
		if !s.Gathers(k, len(s.unswept(sp, keys)), total, time.Time{}) {
			return func() { s.release(k.Name) }, nil
		}
	}
	if err := s.sweepBulk(ctx, sp, func(rest.Stamp) error { return nil }); err != nil {
		return nil, about(k, s.c.coded(ctx, err))
	}
	return func() { s.dropSwept(k.Name) }, nil
}

// sweepSince reads by bulk operations what changed in a kind since a time, for
// Fetch to give out. Where the shop runs as many operations as it can, nothing is
// read, and nothing waited for.
func (s *shop) sweepSince(ctx context.Context, sp spec, since time.Time) error {
	filter := changedSince(since)
	text, parts := s.bulkTexts(sp, filter)
	var ids []string
	for _, text := range slices.Concat([]string{text}, parts) {
		op, said, err := s.c.tryBulk(ctx, s.l, text)
		switch {
		case err != nil:
			return err
		case op != nil:
			ids = append(ids, op.ID)
		case len(said) > 0 && full(said[0].Code):
			return nil
		default:
			return userErrors(said)
		}
	}
	b, err := s.readBulk(ctx, sp, filter, ids)
	if err != nil {
		return err
	}
	found := map[string]sweptAt{}
	for _, line := range b.main.spool.roots {
		id, whole, err := b.whole(line)
		if err != nil {
			return errors.Join(err, b.close())
		}
		if whole {
			found[id] = sweptAt{b, line}
		}
	}
	s.keepSwept(sp, found, b)
	return nil
}

// whole reports whether all that a record has of what was read apart was found by
// the search too.
func (b *bulkRead) whole(line int) (id string, whole bool, err error) {
	m, err := b.main.spool.line(line)
	if err != nil {
		return "", false, err
	}
	id, _ = m["id"].(string)
	for _, p := range b.parts {
		has := map[string]bool{}
		for _, l := range b.main.spool.children[id] {
			child, err := b.main.spool.line(l)
			if err != nil {
				return "", false, err
			}
			typ, _ := child["__typename"].(string)
			if b.sp.children[typ] == p.field {
				of, _ := child["id"].(string)
				has[of] = true
			}
		}
		for _, l := range p.of[id] {
			e, err := p.asm.spool.line(l)
			if err != nil {
				return "", false, err
			}
			of, _ := e["id"].(string)
			if !has[of] {
				return id, false, nil // it came in between the two
			}
			delete(has, of)
		}
		if len(has) > 0 {
			return id, false, nil
		}
	}
	return id, true, nil
}

// unswept are those of keys that Fetch would ask for.
func (s *shop) unswept(sp spec, keys []rest.Key) (left []rest.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		if _, ok := s.swept[sp.Name].found[key.ID]; !ok {
			left = append(left, key)
		}
	}
	return left
}
