package near

import (
	"context"
	"slices"
)

const (
	// PageSize is how many rows are asked for at once.
	PageSize = 100
	maxPages = 32 // that are kept
	// maxStalls is how often a list that is read bit by bit may answer without
	// having come further before it is no longer asked.
	maxStalls = 3
)

// Page is a part of a list.
type Page[T any] struct {
	Items []T
	Total int64 // of the list, as far as it was read
	Left  int64 // that are yet to be read; asking again goes on
}

// Pages is a long list of which only the parts that were looked at are here. One
// part is asked for at a time, the one looked at last first. All methods are
// called from the window's goroutine.
type Pages[T any] struct {
	run    Run
	fetch  func(ctx context.Context, offset, limit int) (Page[T], error)
	pages  map[int][]T
	order  []int // of pages, the one used last at the end
	total  int64
	left   int64
	stalls int
	want   int // page asked for next, -1 for none
	last   int // page asked for last
	busy   bool
	inside bool // Item is asking, and sees for itself what came
	begun  bool // an answer came
	err    error
	round  int
	stop   chan struct{}

	// OnChanged is called when an answer came, or none will.
	OnChanged func()
}

// NewPages returns a list of nothing.
func NewPages[T any](run Run) *Pages[T] {
	return &Pages[T]{run: run, pages: map[int][]T{}, want: -1}
}

// Ask begins anew with another list; what is under way is stopped.
func (p *Pages[T]) Ask(fetch func(ctx context.Context, offset, limit int) (Page[T], error)) {
	p.Clear()
	p.fetch, p.want = fetch, 0
	p.stop = make(chan struct{})
	p.next()
}

// Clear makes it a list of nothing.
func (p *Pages[T]) Clear() {
	p.Stop()
	p.fetch, p.pages, p.order, p.total, p.left, p.stalls = nil, map[int][]T{}, nil, 0, 0, 0
	p.last, p.begun, p.err = 0, false, nil
}

// Stop ends what is under way; what is here stays.
func (p *Pages[T]) Stop() {
	p.round++
	p.busy, p.want = false, -1
	if p.stop != nil {
		close(p.stop)
		p.stop = nil
	}
}

// Retry goes on after a failure or a Stop.
func (p *Pages[T]) Retry() {
	if p.fetch == nil || p.busy {
		return
	}
	if p.stop == nil {
		p.stop = make(chan struct{})
	}
	p.err, p.want, p.stalls = nil, p.last, 0
	delete(p.pages, p.last)
	p.next()
}

// Len returns how many rows there are, as far as is known.
func (p *Pages[T]) Len() int { return int(p.total) }

// Left returns how many rows are yet to be read.
func (p *Pages[T]) Left() int64 { return p.left }

// Begun reports whether an answer came since Ask.
func (p *Pages[T]) Begun() bool { return p.begun }

// Busy reports whether an answer is waited for.
func (p *Pages[T]) Busy() bool { return p.busy }

// Err returns why the last part asked for did not come.
func (p *Pages[T]) Err() error { return p.err }

// Kept returns how many rows are here.
func (p *Pages[T]) Kept() int {
	n := 0
	for _, rows := range p.pages {
		n += len(rows)
	}
	return n
}

// Item returns a row, false when it is not here: then it is asked for.
func (p *Pages[T]) Item(i int) (T, bool) {
	if row, ok := p.at(i); ok || i < 0 || int64(i) >= p.total || p.err != nil || p.stop == nil {
		return row, ok
	}
	p.want = i / PageSize
	inside := p.inside
	p.inside = true
	p.next()
	p.inside = inside
	return p.at(i)
}

func (p *Pages[T]) at(i int) (row T, ok bool) {
	page := i / PageSize
	rows, here := p.pages[page]
	if i < 0 || !here || i%PageSize >= len(rows) {
		return row, false
	}
	p.touch(page)
	return rows[i%PageSize], true
}

// touch notes that a page was used.
func (p *Pages[T]) touch(page int) {
	if n := len(p.order); n > 0 && p.order[n-1] == page {
		return
	}
	p.order = append(slices.DeleteFunc(p.order, func(o int) bool { return o == page }), page)
}

func (p *Pages[T]) next() {
	if p.busy || p.want < 0 {
		return
	}
	page := p.want
	p.want = -1
	if _, here := p.pages[page]; here && (p.left == 0 || p.stalls >= maxStalls) {
		return
	}
	p.busy, p.last = true, page
	round, fetch, stop := p.round, p.fetch, p.stop
	p.run(func(ctx context.Context) func() {
		ctx, end := Until(ctx, stop)
		defer end()
		got, err := fetch(ctx, page*PageSize, PageSize)
		return func() {
			if round == p.round {
				p.busy = false
				p.came(page, got, err)
			}
		}
	})
}

func (p *Pages[T]) came(page int, got Page[T], err error) {
	p.begun = true
	if err != nil {
		p.err, p.want = err, -1
		p.changed()
		return
	}
	if got.Left > 0 && got.Left == p.left && got.Total == p.total {
		p.stalls++
	} else {
		p.stalls = 0
	}
	if p.stalls == 0 && (got.Left > 0 || p.left > 0) {
		p.pages, p.order = map[int][]T{}, nil // rows have other places now
	}
	p.total, p.left = max(got.Total, 0), got.Left
	p.pages[page] = got.Items
	p.touch(page)
	for len(p.order) > maxPages {
		delete(p.pages, p.order[0])
		p.order = p.order[1:]
	}
	if p.left > 0 && p.want < 0 && p.stalls < maxStalls {
		p.want = page
	}
	p.next()
	p.changed()
}

func (p *Pages[T]) changed() {
	if !p.inside && p.OnChanged != nil {
		p.OnChanged()
	}
}

// Until returns a context that ends with ctx or when stop is closed; call end
// when it is not needed any more.
func Until(ctx context.Context, stop <-chan struct{}) (_ context.Context, end context.CancelFunc) {
	ctx, end = context.WithCancel(ctx)
	go func() {
		select {
		case <-stop:
			end()
		case <-ctx.Done():
		}
	}()
	return ctx, end
}
