package rest

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// A Pacer says when the next question may be asked. It is safe for concurrent
// use.
type Pacer interface {
	// Wait waits until a question of this cost may be asked.
	Wait(ctx context.Context, cost float64) error
	// Learn looks at what an answer tells about limits.
	Learn(a *Answer)
	// Slow is told that the shop asked for patience.
	Slow()
}

// Gentle paces a shop that names no limits: fast while all is well, half as
// fast each time the shop asks for patience, and slowly back.
type Gentle struct {
	most rate.Limit

	mu     sync.Mutex
	now    rate.Limit
	slowed time.Time // last
	l      *rate.Limiter
}

var _ Pacer = (*Gentle)(nil)

// NewGentle returns a pacer of at most perSecond questions a second.
func NewGentle(perSecond float64) *Gentle {
	most := rate.Limit(perSecond)
	return &Gentle{most: most, now: most, l: rate.NewLimiter(most, max(1, int(perSecond)))}
}

// Wait implements [Pacer].
func (g *Gentle) Wait(ctx context.Context, _ float64) error { return g.l.Wait(ctx) }

// Learn implements [Pacer].
func (g *Gentle) Learn(a *Answer) {
	if a.Status >= 400 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.now < g.most {
		g.now = min(g.most, g.now*1.05)
		g.l.SetLimit(g.now)
	}
}

// oneAsking is within which time a shop that asks for patience several times asks
// for it once: the questions were on their way together.
const oneAsking = 2 * time.Second

// Slow implements [Pacer].
func (g *Gentle) Slow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := timeNow()
	if now.Sub(g.slowed) < oneAsking {
		return
	}
	g.slowed = now
	g.now = max(g.now/2, 0.5)
	g.l.SetLimit(g.now)
}

// Bucket paces a shop that gives out points: each question costs some, and so
// many come back each second. The platform tells it after each answer how many
// are left.
type Bucket struct {
	mu sync.Mutex
	l  *rate.Limiter
}

// NewBucket returns a full bucket.
func NewBucket(size, perSecond float64) *Bucket {
	return &Bucket{l: rate.NewLimiter(rate.Limit(perSecond), max(1, int(size)))}
}

// Wait waits until the bucket holds the cost, and takes it.
func (b *Bucket) Wait(ctx context.Context, cost float64) error {
	return b.l.WaitN(ctx, min(max(1, int(cost)), b.l.Burst()))
}

// Set corrects the bucket to what the shop says about it.
func (b *Bucket) Set(left, size, perSecond float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.l.SetBurst(max(1, int(size)))
	b.l.SetLimit(rate.Limit(perSecond))
	if more := int(b.l.Tokens() - left); more > 0 {
		b.l.AllowN(timeNow(), more)
	}
}
