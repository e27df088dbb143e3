package woocommerce_test

import (
	"sync"
	"testing"

	"kvart/connectors/fakeshop/woo"
)

// steps keeps what a capture tells of itself, as it tells it.
type steps struct {
	mu             sync.Mutex
	expected, done int64
	leaps          []int64
}

func (s *steps) Expect(items, _ int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expected += items
	s.leaps = append(s.leaps, items)
}

func (s *steps) Done(items, _ int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done += items
}

// The shop tells how long its lists are, and so does the first capture, with the
// first answer; what was cut off counts only the rest.
func TestEngine_Capture_progress(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	for range 3 {
		b.shop.Add("tags", woo.Record{"name": "x"})
	}
	stock(b.shop, 350, 0, 0)
	p := &steps{}
	b.access.Progress = p
	point, _ := b.point()
	var whole bool
	for _, n := range p.leaps {
		whole = whole || n == 350
	}
	if records := int64(len(point) - 1); !whole || p.done != p.expected || p.done < records || p.done > records+5 {
		t.Errorf("%d of %d done, %d records; leaps %v", p.done, p.expected, records, p.leaps)
	}
}
