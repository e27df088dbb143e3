package webhotel

import (
	"context"
	"errors"
	"sync"
	"time"
)

// pool hands out links to one place. Where the server allows fewer than it
// wants, it makes do with fewer.
type pool struct {
	dial   func(context.Context) (link, error)
	shared bool // one link serves everybody at once
	pace   pace
	tokens chan struct{} // one for everybody who may be at work

	mu     sync.Mutex
	idle   []link
	out    int  // links handed out
	ever   bool // one was made
	shut   bool
	fails  int   // calls that failed one after the other, for the connection's sake
	gone   error // it gave up
	dialMu sync.Mutex
}

func newPool(dial func(context.Context) (link, error), shared bool, many int, p pace) *pool {
	if p.many > 0 {
		many = p.many
	}
	pl := &pool{dial: dial, shared: shared, pace: p, tokens: make(chan struct{}, many)}
	for range many {
		pl.tokens <- struct{}{}
	}
	return pl
}

// do runs fn with a link, again when the connection breaks or the server is
// busy: so fn must be good to run twice.
func (p *pool) do(ctx context.Context, fn func(link) error) error {
	return p.retry(ctx, func() error {
		l, err := p.take(ctx)
		if err != nil {
			return err
		}
		defer p.give(l)
		return fn(l)
	})
}

// hold is do, but whoever called gives the link back when fn went well.
func (p *pool) hold(ctx context.Context, fn func(link) error) error {
	return p.retry(ctx, func() error {
		l, err := p.take(ctx)
		if err != nil {
			return err
		}
		if err = fn(l); err != nil {
			p.give(l)
		}
		return err
	})
}

func (p *pool) retry(ctx context.Context, once func() error) error {
	lost, busy := p.pace.lost, p.pace.busy
	for {
		err := once()
		if err == nil {
			p.worked()
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		var wait time.Duration
		switch f := faultOf(err); {
		case f == faultLost && len(lost) > 0 && p.made():
			wait, lost = lost[0], lost[1:]
		case f == faultBusy && len(busy) > 0:
			wait, busy = busy[0], busy[1:]
		default:
			p.failed(f, err)
			return err
		}
		if p.lostForGood() != nil || !nap(ctx, wait) {
			return err
		}
	}
}

func nap(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// take returns a link, to be given back.
func (p *pool) take(ctx context.Context) (link, error) {
	if err := p.lostForGood(); err != nil {
		return nil, err
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-p.tokens:
	}
	l, err := p.connect(ctx)
	if err == nil {
		return l, nil
	}
	p.mu.Lock()
	fewer := faultOf(err) == faultBusy && p.out > 0
	p.mu.Unlock()
	if !fewer { // with others at work their token is enough
		p.tokens <- struct{}{}
	}
	return nil, err
}

func (p *pool) connect(ctx context.Context) (link, error) {
	if p.shared {
		p.dialMu.Lock() // the others wait for the one link
		defer p.dialMu.Unlock()
	}
	if l := p.ready(); l != nil {
		return l, nil
	}
	l, err := p.dial(ctx)
	if err != nil {
		return nil, dialError{err}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut {
		l.Close()
		return nil, context.Canceled
	}
	p.ever = true
	p.out++
	if p.shared {
		p.idle = append(p.idle, l)
	}
	return l, nil
}

// ready returns a link that is there already; nil when there is none.
func (p *pool) ready() link {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		l := p.idle[len(p.idle)-1]
		if !p.shared || l.broken() {
			p.idle = p.idle[:len(p.idle)-1]
		}
		if !l.broken() {
			p.out++
			return l
		}
		l.Close()
	}
	return nil
}

// give takes a link back.
func (p *pool) give(l link) {
	p.mu.Lock()
	p.out--
	switch {
	case p.shared:
	case p.shut || l.broken():
		l.Close()
	default:
		p.idle = append(p.idle, l)
	}
	p.mu.Unlock()
	p.tokens <- struct{}{}
}

func (p *pool) made() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ever
}

// mostFails is how many calls may fail before the server counts as gone.
const mostFails = 3

// failed notes a call that failed in spite of all patience. After some, or when
// not even a connection could be made, everything else fails at once: a server
// that is gone is not waited for again with every file.
func (p *pool) failed(f fault, err error) {
	if f == faultNone {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fails++; p.gone == nil && (p.fails >= mostFails || !p.ever || errors.As(err, new(dialError))) {
		p.gone = err
	}
}

func (p *pool) worked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fails = 0
}

// dialError is a connection that could not be made.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

func (p *pool) lostForGood() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.gone
}

// many is how many may be at work at once.
func (p *pool) many() int { return cap(p.tokens) }

// Close ends all links. It may be called twice.
func (p *pool) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.shut = true
	for _, l := range p.idle {
		l.Close()
	}
	p.idle = nil
	return nil
}
