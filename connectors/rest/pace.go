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

// Gentle paces a shop that names no limits: fast while all is well, slower each
// time the shop asks for patience, soon back to just below the pace at which it
// did, and from there on slowly, so that it settles near what the shop allows and
// seldom has to be asked.
type Gentle struct {
	most rate.Limit

	mu      sync.Mutex
	now     rate.Limit
	tooFast rate.Limit // the pace at which the shop last asked for patience; 0 before
	slowed  time.Time  // last
	l       *rate.Limiter
}

var _ Pacer = (*Gentle)(nil)

// NewGentle returns a pacer of at most perSecond questions a second.
func NewGentle(perSecond float64) *Gentle {
	most := rate.Limit(perSecond)
	return &Gentle{most: most, now: most, l: rate.NewLimiter(most, max(1, int(perSecond)))}
}

const (
	// oneAsking is within which time a shop that asks for patience several times asks
	// for it once: the questions were on their way together.
	oneAsking = 2 * time.Second
	// soonAgain is within which time of the last a second asking tells that the pace
	// is far too fast still.
	soonAgain = 10 * time.Second

	// longAgo is after which time of the last asking the pace grows twice as fast, and
	// faster from then on: what was too much once may have been a bad moment.
	longAgo = 20 * time.Second

	slower    = 0.8  // of the pace, when the shop asks for patience
	farSlower = 0.5  // the same, when it soon asks again
	aBreath   = 0.5  // seconds that nothing is asked then: what waits would be refused too
	nearby    = 0.85 // of what was too fast: up to there the way back is quick
	quick     = 1.05 // times, with each answer
	slowly    = 0.01 // questions a second more, with each answer, at first
)

// Wait implements [Pacer].
func (g *Gentle) Wait(ctx context.Context, _ float64) error { return g.l.Wait(ctx) }

// Learn implements [Pacer].
func (g *Gentle) Learn(a *Answer) {
	if a.Status >= 400 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.now >= g.most {
		return
	}
	if near := g.tooFast * nearby; g.now < near {
		g.now = min(near, g.now*quick)
	} else {
		quiet := timeNow().Sub(g.slowed).Seconds() / longAgo.Seconds()
		more := slowly * rate.Limit(1+quiet*quiet)
		g.now += min(more, g.now*min(more, quick-1))
	}
	g.now = min(g.now, g.most)
	g.l.SetLimit(g.now)
}

// Slow implements [Pacer].
func (g *Gentle) Slow() {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := timeNow()
	since := now.Sub(g.slowed)
	if since < oneAsking {
		return
	}
	by := rate.Limit(slower)
	if since < soonAgain {
		by = farSlower
	}
	g.slowed, g.tooFast = now, g.now
	g.now = max(g.now*by, 0.5)
	g.l.SetLimit(g.now)
	if saved := int(g.l.TokensAt(now)); saved > 0 {
		g.l.AllowN(now, saved)
	}
	g.l.ReserveN(now, min(g.l.Burst(), int(aBreath*g.now)))
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
