package woocommerce

import (
	"context"
	"maps"
	"net/url"
	"sync"
)

// ahead is how many pages of a list are asked for before their turn comes: enough
// that the shop's pace, and not the way to it, says how fast a list is read. Of all
// lists together the client asks for [parallel] at once.
const ahead = parallel

// lookahead asks for pages of one list ahead and gives them out in their order. It
// is for one goroutine.
type lookahead struct {
	shop       *shop
	ctx        context.Context // of whoever reads the list
	kind, path string
	query      url.Values
	asked      []asked // in the order of the list
	work       sync.WaitGroup
}

// asked is a page that is on its way.
type asked struct {
	offset int
	stop   context.CancelFunc
	answer <-chan answered
}

// answered is a page, or why there is none.
type answered struct {
	page
	err error
}

// ask asks for one more page, and doesn't wait for it.
func (l *lookahead) ask(offset int) {
	ctx, stop := context.WithCancel(l.ctx)
	q, out := maps.Clone(l.query), make(chan answered, 1)
	l.work.Go(func() {
		p, err := l.shop.page(ctx, l.kind, l.path, q, offset)
		out <- answered{p, err}
	})
	l.asked = append(l.asked, asked{offset, stop, out})
}

// next waits for the page whose turn it is.
func (l *lookahead) next() (page, error) {
	first := l.asked[0]
	l.asked = l.asked[1:]
	a := <-first.answer
	first.stop()
	return a.page, a.err
}

// further asks for what comes after a page whose turn it was, as far ahead as the
// list is known to go. It returns false where the list ended with that page.
func (l *lookahead) further(p page) bool {
	if len(p.list) < perPage || p.total >= 0 && p.end() >= p.total {
		return false
	}
	offset := p.end() - 1
	if n := len(l.asked); n > 0 {
		offset = l.asked[n-1].offset + perPage - 1
	}
	for ; len(l.asked) < ahead; offset += perPage - 1 {
		if len(l.asked) > 0 && offset >= p.total-1 {
			break // nothing new is known to be there
		}
		l.ask(offset)
	}
	return true
}

// drop gives up what is still on its way.
func (l *lookahead) drop() {
	for _, a := range l.asked {
		a.stop()
	}
	l.work.Wait()
	l.asked = nil
}
