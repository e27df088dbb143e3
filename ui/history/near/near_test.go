package near

import (
	"context"
	"errors"
	"strconv"
	"testing"
)

// desk runs work when it is told to, as a window would that is slow.
type desk struct {
	ctx  context.Context
	work []func(ctx context.Context) func()
}

func (d *desk) run(work func(ctx context.Context) func()) { d.work = append(d.work, work) }

// step does one piece of work, the oldest, and tells whether there was one.
func (d *desk) step() bool {
	if len(d.work) == 0 {
		return false
	}
	work := d.work[0]
	d.work = d.work[1:]
	work(d.ctx)()
	return true
}

func (d *desk) all() {
	for d.step() {
	}
}

func inline(ctx context.Context) Run {
	return func(work func(ctx context.Context) func()) { work(ctx)() }
}

// rows answers with rows that are named by their number.
func rows(total int, calls *int) func(ctx context.Context, offset, limit int) (Page[string], error) {
	return func(_ context.Context, offset, limit int) (Page[string], error) {
		*calls++
		p := Page[string]{Total: int64(total)}
		for i := offset; i < min(offset+limit, total); i++ {
			p.Items = append(p.Items, strconv.Itoa(i))
		}
		return p, nil
	}
}

func TestPages_scrolledToTheEndStayBounded(t *testing.T) {
	t.Parallel()
	calls := 0
	p := NewPages[string](inline(t.Context()))
	p.Ask(rows(100_000, &calls))
	for i := range p.Len() {
		if v, ok := p.Item(i); !ok || v != strconv.Itoa(i) {
			t.Fatalf("row %d is %q, %v", i, v, ok)
		}
		if p.Kept() > maxPages*PageSize {
			t.Fatalf("%d rows are kept", p.Kept())
		}
	}
	if calls != 1000 {
		t.Errorf("%d calls", calls)
	}
	if _, ok := p.Item(100_000); ok {
		t.Error("there is a row after the last")
	}
}

func TestPages_newestWishFirst(t *testing.T) {
	t.Parallel()
	calls, changed := 0, 0
	d := &desk{ctx: t.Context()}
	p := NewPages[string](d.run)
	p.OnChanged = func() { changed++ }
	p.Ask(rows(100_000, &calls))
	d.all()
	for i := range 500 { // drawn while scrolling past, much faster than answers come
		p.Item(i * 200)
	}
	d.all()
	if calls != 3 {
		t.Errorf("%d calls: the first page, one on the way and the last are enough", calls)
	}
	if _, ok := p.Item(499 * 200); !ok {
		t.Error("what was looked at last is not here")
	}
	if changed != 3 {
		t.Errorf("told of %d changes", changed)
	}
}

func TestPages_answersToOlderQuestionsAreLate(t *testing.T) {
	t.Parallel()
	d := &desk{ctx: t.Context()}
	p := NewPages[string](d.run)
	ended := false
	p.Ask(func(ctx context.Context, _, _ int) (Page[string], error) {
		<-ctx.Done() // the newer question ends it
		ended = true
		return Page[string]{Items: []string{"old"}, Total: 1}, nil
	})
	p.Ask(func(context.Context, int, int) (Page[string], error) {
		return Page[string]{Items: []string{"new"}, Total: 1}, nil
	})
	d.all()
	if v, ok := p.Item(0); !ok || v != "new" || !ended {
		t.Errorf("%q, %v, ended %v", v, ok, ended)
	}
}

func TestPages_readBitByBit(t *testing.T) {
	t.Parallel()
	d := &desk{ctx: t.Context()}
	p := NewPages[string](d.run)
	read := int64(0)
	p.Ask(func(context.Context, int, int) (Page[string], error) {
		read += 100
		return Page[string]{Items: []string{strconv.FormatInt(read, 10)}, Total: read, Left: 300 - read}, nil
	})
	d.all()
	if v, _ := p.Item(0); v != "300" || p.Left() != 0 || p.Len() != 300 {
		t.Errorf("%q of %d, %d left", v, p.Len(), p.Left())
	}
}

// TestPages_noEndlessAsking: a list that never comes further is not asked for
// ever.
func TestPages_noEndlessAsking(t *testing.T) {
	t.Parallel()
	calls := 0
	p := NewPages[string](inline(t.Context()))
	p.Ask(func(context.Context, int, int) (Page[string], error) {
		calls++
		return Page[string]{Items: []string{"a"}, Total: 150, Left: 1}, nil
	})
	for range 50 {
		p.Item(0)
		p.Item(149)
	}
	if calls > 10 {
		t.Errorf("%d calls", calls)
	}
}

func TestPages_failureStopAndRetry(t *testing.T) {
	t.Parallel()
	bad := errors.New("bad")
	calls := 0
	p := NewPages[string](inline(t.Context()))
	p.Ask(func(_ context.Context, offset, _ int) (Page[string], error) {
		calls++
		if offset > 0 && bad != nil {
			return Page[string]{}, bad
		}
		return Page[string]{Items: make([]string, PageSize), Total: 300}, nil
	})
	for range 5 {
		if _, ok := p.Item(150); ok {
			t.Fatal("came although it failed")
		}
	}
	if calls != 2 || !errors.Is(p.Err(), bad) {
		t.Errorf("%d calls, %v", calls, p.Err())
	}
	bad = nil
	p.Retry()
	if _, ok := p.Item(150); !ok || p.Err() != nil {
		t.Errorf("did not come, %v", p.Err())
	}
	p.Stop()
	if _, ok := p.Item(250); ok {
		t.Error("asked although it was stopped")
	}
	p.Retry()
	if _, ok := p.Item(250); !ok {
		t.Error("not asked any more")
	}
	p.Clear()
	if _, ok := p.Item(0); ok || p.Len() != 0 {
		t.Error("something is left")
	}
}

func TestCache_boundedAndFetchedOnce(t *testing.T) {
	t.Parallel()
	calls := map[string]int{}
	c := NewCache(inline(t.Context()), 10, func(_ context.Context, key string) (string, error) {
		calls[key]++
		if key == "broken" {
			return "", errors.New("broken")
		}
		return "<" + key + ">", nil
	})
	for i := range 100 {
		if v, ok := c.Value(strconv.Itoa(i)); !ok || v != "<"+strconv.Itoa(i)+">" {
			t.Fatalf("%d: %q, %v", i, v, ok)
		}
		if c.Len() > 11 {
			t.Fatalf("%d are kept", c.Len())
		}
	}
	for range 3 {
		if _, ok := c.Value("broken"); ok {
			t.Error("a failure has a value")
		}
		c.Value("99")
	}
	if calls["broken"] != 1 || calls["99"] != 1 {
		t.Errorf("%v", calls)
	}
}

func TestCache_whatIsSeenComesFirst(t *testing.T) {
	t.Parallel()
	var order []string
	came := 0
	d := &desk{ctx: t.Context()}
	c := NewCache(d.run, 300, func(_ context.Context, key string) (string, error) {
		order = append(order, key)
		return key, nil
	})
	c.OnCame = func() { came++ }
	for i := range 200 {
		c.Value(strconv.Itoa(i))
	}
	if len(d.work) != hands {
		t.Errorf("%d fetched at once", len(d.work))
	}
	d.all()
	if len(order) != hands+queue || order[hands] != "199" || came != len(order) {
		t.Errorf("%d fetched, %d told, then %s", len(order), came, order[hands])
	}
	c.Value("100") // was scrolled past, and forgotten; now it is seen
	d.all()
	if v, ok := c.Value("100"); !ok || v != "100" {
		t.Errorf("%q, %v", v, ok)
	}
	c.Value("x")
	c.Clear()
	d.all()
	if c.Len() != 0 {
		t.Errorf("%d kept after Clear", c.Len())
	}
}
