package rest_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"kvart/app"
	"kvart/connectors/rest"
)

// told keeps what a capture tells of itself.
type told struct {
	mu             sync.Mutex
	expected, done int64
	first          []int64 // what was expected, as it grew, until the first was done
}

func (p *told) Expect(items, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected += items
	if items < 0 || bytes != 0 {
		panic(fmt.Sprint("expected ", items, ", ", bytes))
	}
	if p.done == 0 && items > 0 {
		p.first = append(p.first, p.expected)
	}
}

func (p *told) Done(items, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done += items; p.done > p.expected || items < 0 || bytes != 0 {
		panic(fmt.Sprintf("%d of %d done", p.done, p.expected))
	}
}

// counting is a stall that says how many notes are left, and that shows
// pictures.
type counting struct {
	*stall
	over int // how many more than there are
}

func (c *counting) Kinds() []rest.Kind {
	k := c.stall.Kinds()[0]
	k.Media = []string{"picture"}
	return []rest.Kind{k}
}

func (c *counting) Open(context.Context, app.Access, bool) (rest.Shop, error) { return c, nil }

func (c *counting) List(ctx context.Context, k rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		left := len(c.notes) + c.over
		for r, err := range c.stall.List(ctx, k, q) {
			r.Left = left
			left--
			if !yield(r, err) {
				return
			}
		}
	}
}

// How long the first capture of a shop takes is told as soon as the shop tells
// it, and every record and picture is counted once, before the first item.
func TestEngine_Capture_progress(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone.png" {
			http.NotFound(w, r)
		}
	}))
	defer srv.Close()
	for name, over := range map[string]int{"exact": 0, "fewer than said": 7, "not said": -1000} {
		s, _, a := newStall(t)
		for i := range 250 {
			s.add(fmt.Sprint(i), nil)
		}
		s.notes["1"]["picture"], s.notes["2"]["picture"] = srv.URL+"/1.png", srv.URL+"/gone.png"
		c := &counting{s, over}
		e := rest.New(c, rest.Options{Dir: t.TempDir(), Files: srv.Client()})
		p := &told{}
		a.Progress = p
		got, err := e.Capture(t.Context(), a, "")
		if err != nil {
			t.Fatal(err)
		}
		all := int64(252 + max(over, 0))
		if p.expected != all || p.done != all {
			t.Errorf("%s: %d of %d, want %d", name, p.done, p.expected, all)
		}
		if over >= 0 && !slices.Contains(p.first, all-2) {
			t.Errorf("%s: at first %v was expected", name, p.first)
		}
		drain(t, got)
		if p.done != all {
			t.Errorf("%s: what the vault reads was counted too: %d", name, p.done)
		}
	}
}

// A shop that fails leaves nobody waiting for what does not come.
func TestEngine_Capture_progressCutOff(t *testing.T) {
	t.Parallel()
	s, _, a := newStall(t)
	for i := range 30 {
		s.add(fmt.Sprint(i), nil)
	}
	s.err["notes"] = app.Errorf(app.CodeSourceBusy, "test", "later")
	e := rest.New(&counting{s, 50}, rest.Options{Dir: t.TempDir()})
	p := &told{}
	a.Progress = p
	if _, err := e.Capture(t.Context(), a, ""); app.CodeOf(err) != app.CodeSourceBusy {
		t.Fatal(err)
	}
	if p.expected != 80 || p.done != 80 {
		t.Errorf("%d of %d", p.done, p.expected)
	}
}
