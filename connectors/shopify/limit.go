package shopify

import (
	"context"
	"sync"
	"time"

	"kvart/connectors/rest"
)

// throttle is the state of the shop's bucket as an answer reports it.
type throttle struct {
	Maximum   float64 `json:"maximumAvailable"`
	Available float64 `json:"currentlyAvailable"`
	Rate      float64 `json:"restoreRate"`
}

// cost is what an answer says about its price.
type cost struct {
	Requested float64  `json:"requestedQueryCost"`
	Actual    float64  `json:"actualQueryCost"`
	Throttle  throttle `json:"throttleStatus"`
}

// meter keeps calls within the shop's bucket of points, so that they wait here
// rather than be refused there. It starts from the smallest bucket Shopify has
// and learns from every answer. It is safe for concurrent use.
type meter struct {
	now func() time.Time                           // nil means the clock
	nap func(context.Context, time.Duration) error // nil means the clock

	mu        sync.Mutex
	max       float64
	available float64 // at the time seen, less what is under way
	rate      float64 // points a second
	seen      time.Time
	costs     map[string]float64 // the last requested cost of each operation
	spent     float64            // what all answers together cost
}

var _ rest.Pacer = (*meter)(nil)

// The smallest plan's bucket, and what an operation is taken to cost until it
// was tried.
const (
	smallestBucket = 1000
	smallestRate   = 50
	unknownCost    = 50
	longestWait    = 30 * time.Second
)

func newMeter(now func() time.Time) *meter {
	m := &meter{now: now, max: smallestBucket, available: smallestBucket, rate: smallestRate, costs: map[string]float64{}}
	m.seen = m.time()
	return m
}

// expected is what an operation is taken to cost.
func (m *meter) expected(operation string) float64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if c := m.costs[operation]; c > 0 {
		return min(c, m.max)
	}
	return unknownCost
}

// Wait implements [rest.Pacer]: it returns when the bucket should hold the
// cost, and takes it out.
func (m *meter) Wait(ctx context.Context, cost float64) error {
	for {
		m.mu.Lock()
		m.refillLocked()
		need := min(cost, m.max)
		if m.available >= need {
			m.available -= need
			m.mu.Unlock()
			return nil
		}
		pause := time.Duration((need - m.available) / m.rate * float64(time.Second))
		m.mu.Unlock()
		if err := m.sleep(ctx, max(pause, time.Millisecond)); err != nil {
			return err
		}
	}
}

// Learn implements [rest.Pacer]. What an answer cost is in its body, which
// [meter.paid] is told.
func (m *meter) Learn(*rest.Answer) {}

// Slow implements [rest.Pacer].
func (m *meter) Slow() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refillLocked()
	m.available = min(m.available, 0)
}

// paid takes over what an answer says. Calls under way are not in it, so the
// lower of both views counts.
func (m *meter) paid(operation string, reserved float64, c cost) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refillLocked()
	if c.Requested > 0 {
		m.costs[operation] = c.Requested
	}
	m.spent += c.Actual
	m.available += max(reserved-c.Actual, 0)
	if t := c.Throttle; t.Maximum > 0 && t.Rate > 0 {
		m.max, m.rate = t.Maximum, t.Rate
		m.available = min(m.available, t.Available)
	}
	m.available = min(m.available, m.max)
}

// refused computes how long to wait after the shop said that the bucket is too
// empty.
func (m *meter) refused(operation string, c cost) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.refillLocked()
	if c.Requested > 0 {
		m.costs[operation] = c.Requested
	}
	m.available = 0
	if c.Throttle.Maximum > 0 && c.Throttle.Rate > 0 {
		m.max, m.rate, m.available = c.Throttle.Maximum, c.Throttle.Rate, c.Throttle.Available
	}
	need := min(max(m.costs[operation], unknownCost), m.max) - m.available
	return min(max(time.Duration(need/m.rate*float64(time.Second)), 50*time.Millisecond), longestWait)
}

func (m *meter) refillLocked() {
	now := m.time()
	m.available = min(m.max, m.available+now.Sub(m.seen).Seconds()*m.rate)
	m.seen = now
}

func (m *meter) time() time.Time {
	if m.now != nil {
		return m.now()
	}
	return time.Now()
}

func (m *meter) sleep(ctx context.Context, d time.Duration) error {
	if m.nap != nil {
		return m.nap(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
