package woocommerce

import (
	"context"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"kvart/connectors/rest"
)

const (
	// writers is how many requests that change records are under way at once. A web
	// hotel gives a shop a few processes, and its customers need some.
	writers = 2
	// aWrite is how many records such a request changes: where the hotel does one
	// after the other, the last to be answered has waited no longer than one of a
	// whole page.
	aWrite = perPage / writers
	// written is how many changes are given to Apply at once.
	written = 4 * aWrite
)

var _ rest.Wholesaler = (*shop)(nil)

// AtOnce implements [rest.Wholesaler]. Only changes go side by side: one that is
// carried out twice does no harm, while what is made is noted request by request.
func (s *shop) AtOnce(k rest.Kind, ops []rest.Op) int {
	n := 0
	for n < min(len(ops), written) && ops[n].Do == rest.DoUpdate {
		n++
	}
	if !s.sorts[k.Name].batched() || n <= perPage {
		return 0
	}
	return n
}

// batched reports whether records of a kind are written several in a request.
func (so sort) batched() bool { return so.batch && so.Name != "settings" }

// requests divides ops, in order, into those of one request each: up to most of
// one parent's, and none among others that has to be alone.
func (s *shop) requests(so sort, ops []rest.Op, most int) (out [][]rest.Op) {
	for start := 0; start < len(ops); {
		end := start + 1
		for end < len(ops) && end-start < most && ops[end].Parent == ops[start].Parent && !s.alone(so, ops[start]) && !s.alone(so, ops[end]) {
			end++
		}
		out = append(out, ops[start:end])
		start = end
	}
	return out
}

// inOrder carries out one request after the other.
func (s *shop) inOrder(ctx context.Context, so sort, requests [][]rest.Op) (results []rest.Result, err error) {
	for _, ops := range requests {
		some, err := s.several(ctx, so, ops)
		results = append(results, some...)
		if err != nil {
			return results, err
		}
	}
	return results, nil
}

// together carries out changes, a few requests at once. One that is refused may
// have come too soon, such as a number that another record was still to give up:
// it is tried once more after all others.
func (s *shop) together(ctx context.Context, so sort, requests [][]rest.Op) ([]rest.Result, error) {
	parts := make([][]rest.Result, len(requests))
	var g errgroup.Group
	var failed atomic.Bool
	g.SetLimit(writers)
	for i, ops := range requests {
		g.Go(func() (err error) {
			if failed.Load() {
				return nil // no more is begun; what is under way comes to its end
			}
			if parts[i], err = s.several(ctx, so, ops); err != nil {
				failed.Store(true)
			}
			return err
		})
	}
	err := g.Wait()
	var results []rest.Result
	for i, part := range parts {
		results = append(results, part...)
		if len(part) < len(requests[i]) {
			return results, err
		}
	}
	return s.afterAll(ctx, so, slices.Concat(requests...), results)
}

// afterAll tries once more, in order, what was refused.
func (s *shop) afterAll(ctx context.Context, so sort, ops []rest.Op, results []rest.Result) ([]rest.Result, error) {
	var refused []rest.Op
	var at []int
	for i, r := range results {
		if r.Err != nil {
			refused, at = append(refused, ops[i]), append(at, i)
		}
	}
	again, err := s.inOrder(ctx, so, s.requests(so, refused, aWrite))
	for i, r := range again {
		results[at[i]] = r
	}
	return results, err
}
