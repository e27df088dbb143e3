package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// fair is a shop in memory whose goods mention what is in stock of them. At
// night it is asked ahead, and then tells of the stock as it was just then.
type fair struct {
	passed time.Duration
	goods  map[string]time.Time // when each changed
	stock  map[string]int
	ahead  map[string]int // as it was when asked ahead; nil when it wasn't
	older  time.Duration  // by how much what was asked ahead is older, of fresh kinds

	between func() // after the shop was asked ahead
	broken  error  // of asking for stock by its id
	fetched []string
}

func newFair(t *testing.T, n int) (*fair, *rest.Engine, app.Access) {
	t.Helper()
	s := &fair{goods: map[string]time.Time{}, stock: map[string]int{}}
	s.passed = 100 * time.Hour
	for i := range n {
		s.goods[fmt.Sprint("g", i)], s.stock[fmt.Sprint("s", i)] = s.now().Add(-5*time.Hour), 5
	}
	e := rest.New(s, rest.Options{Dir: t.TempDir(), Now: s.now})
	return s, e, app.Access{Source: app.Source{ID: "torg", Name: "Torget", Kind: "fair"}}
}

func (s *fair) now() time.Time { return time.Now().Add(s.passed) }

// sell sells one of a good.
func (s *fair) sell(n int) {
	s.goods[fmt.Sprint("g", n)] = s.now()
	s.stock[fmt.Sprint("s", n)]--
}

func (s *fair) Spec() app.KindSpec { return app.KindSpec{Kind: "fair"} }

func (s *fair) Kinds() []rest.Kind {
	return []rest.Kind{
		{Name: "goods", Order: 1, Changes: rest.ByCursor, Deletions: rest.BySweep, Restore: rest.Create, Layout: rest.Flat},
		{Name: "stock", Order: 2, Changes: rest.ByMention, Deletions: rest.BySweep, Restore: rest.Create, Layout: rest.Flat},
	}
}

func (s *fair) Open(context.Context, app.Access, bool) (rest.Shop, error) { return s, nil }
func (s *fair) Probe(context.Context) (rest.Probe, error)                 { return rest.Probe{}, nil }
func (s *fair) Skew() time.Duration                                       { return s.passed }

func (s *fair) Prepare(_ context.Context, fresh, _ []rest.Kind) map[string]time.Time {
	s.ahead = maps.Clone(s.stock)
	from := map[string]time.Time{}
	for _, k := range fresh {
		from[k.Name] = s.now().Add(-s.older)
	}
	if s.between != nil {
		s.between()
	}
	return from
}

func (s *fair) record(k rest.Kind, id string) rest.Record {
	if k.Name == "goods" {
		return rest.Record{
			Key: rest.Key{ID: id}, JSON: json.RawMessage(`{}`), Modified: s.goods[id],
			Mentions: map[string][]rest.Key{"stock": {{ID: "s" + id[1:]}}},
		}
	}
	left := s.stock[id]
	if n, ok := s.ahead[id]; ok {
		left = n
	}
	return rest.Record{Key: rest.Key{ID: id}, JSON: fmt.Appendf(nil, `{"left":%d}`, left)}
}

func (s *fair) ids(k rest.Kind) []string {
	if k.Name == "goods" {
		return slices.Sorted(maps.Keys(s.goods))
	}
	return slices.Sorted(maps.Keys(s.stock))
}

func (s *fair) List(_ context.Context, k rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		if !q.Since.IsZero() && k.Name == "stock" {
			s.ahead = nil // what changed is newer, and its time tells nothing
			return
		}
		for _, id := range s.ids(k) {
			r := s.record(k, id)
			if r.Modified.Before(q.Since) || q.Known != nil && q.Known(id, r.Modified) {
				continue
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (s *fair) IDs(_ context.Context, k rest.Kind) iter.Seq2[rest.Stamp, error] {
	return func(yield func(rest.Stamp, error) bool) {
		for _, id := range s.ids(k) {
			if !yield(rest.Stamp{Key: rest.Key{ID: id}, Modified: time.Unix(1, 0)}, nil) {
				return
			}
		}
	}
}

func (s *fair) Fetch(_ context.Context, k rest.Kind, keys []rest.Key) (out []rest.Record, err error) {
	if k.Name == "stock" && s.broken != nil {
		return nil, s.broken
	}
	for _, key := range keys {
		if k.Name == "stock" {
			s.fetched = append(s.fetched, key.ID)
		}
		out = append(out, s.record(k, key.ID))
	}
	return out, nil
}

func (s *fair) Gone(context.Context, rest.Kind, time.Time) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (s *fair) Apply(context.Context, rest.Kind, []rest.Op) ([]rest.Result, error) { return nil, nil }

// left is what a new backup says is left of a good.
func (s *fair) left(t *testing.T, e *rest.Engine, a app.Access, n int) string {
	t.Helper()
	point, _ := capture(t, e, a)
	body := string(point[fmt.Sprintf("stock/s%d.json", n)].Data)
	return strings.Join(strings.Fields(body), "")
}

// What changes while a sweep is under way that was begun earlier is followed, and
// nothing else is read a second time.
func TestEngine_Capture_mentionedDuringSweep(t *testing.T) {
	t.Parallel()
	s, e, a := newFair(t, 40)
	s.left(t, e, a, 0)
	s.passed += 30 * time.Hour
	s.between = func() { s.sell(7) }
	s.fetched = nil
	if got := s.left(t, e, a, 7); got != `{"left":4}` {
		t.Errorf("one was sold during the sweep: %s", got)
	}
	if n := len(s.fetched); n != 41 {
		t.Errorf("asked for the stock of %d", n)
	}
}

// What changed some time before the shop was asked ahead is in what it then told,
// and is not read once more; what changed a moment before may not be.
func TestEngine_Capture_mentionedBeforeSweep(t *testing.T) {
	t.Parallel()
	for ago, want := range map[time.Duration]int{30 * time.Second: 40, 5 * time.Second: 41} {
		s, e, a := newFair(t, 40)
		s.left(t, e, a, 0)
		s.passed += 30 * time.Hour
		s.sell(7)
		s.passed += ago
		s.fetched = nil
		if got := s.left(t, e, a, 7); got != `{"left":4}` {
			t.Errorf("sold %s before: %s", ago, got)
		}
		if n := len(s.fetched); n != want {
			t.Errorf("sold %s before: asked for the stock of %d", ago, n)
		}
	}
}

// beside is a fair that tells of its goods only once somebody asks for the stock.
type beside struct {
	*fair
	asked chan struct{}
	late  bool
}

func (s *beside) Open(context.Context, app.Access, bool) (rest.Shop, error) { return s, nil }

func (s *beside) IDs(ctx context.Context, k rest.Kind) iter.Seq2[rest.Stamp, error] {
	if k.Name == "stock" {
		close(s.asked)
		return s.fair.IDs(ctx, k)
	}
	return func(yield func(rest.Stamp, error) bool) {
		select {
		case <-s.asked:
		case <-time.After(10 * time.Second):
			s.late = true
		}
		s.fair.IDs(ctx, k)(yield)
	}
}

// What others mention is swept beside them, where the shop has it ready: only what
// changed waits for them.
func TestEngine_Capture_sweptBeside(t *testing.T) {
	t.Parallel()
	s, _, a := newFair(t, 40)
	b := &beside{fair: s, asked: make(chan struct{})}
	e := rest.New(b, rest.Options{Dir: t.TempDir(), Now: s.now})
	s.left(t, e, a, 0)
	s.passed += 30 * time.Hour
	s.between = func() { s.sell(7) }
	if got := s.left(t, e, a, 7); got != `{"left":4}` || b.late {
		t.Errorf("one was sold during the sweep: %s; waited for: %t", got, b.late)
	}
}

// What was mentioned is followed also when the kind could not be read just then:
// nobody mentions it a second time.
func TestEngine_Capture_mentionedInVain(t *testing.T) {
	t.Parallel()
	for _, code := range []app.Code{app.CodeShopAnswer, app.CodeSourceBusy} {
		s, e, a := newFair(t, 40)
		s.left(t, e, a, 0)
		s.passed += 15 * time.Minute
		s.sell(7)
		s.passed += 2 * time.Minute
		s.broken = app.Errorf(code, "test", "later")
		if code == app.CodeSourceBusy {
			if _, err := e.Capture(t.Context(), a, ""); app.CodeOf(err) != code {
				t.Fatal(err)
			}
		} else if _, problems := capture(t, e, a); problems["stock.missing"] != code {
			t.Errorf("problems %v", problems)
		}
		for range 2 {
			s.passed += 15 * time.Minute
			s.broken, s.fetched = nil, nil
			if got := s.left(t, e, a, 7); got != `{"left":4}` {
				t.Errorf("%s: what was sold before: %s", code, got)
			}
		}
		if len(s.fetched) != 0 {
			t.Errorf("asked again for %v", s.fetched)
		}
	}
}

// A first capture that goes on with what an earlier one began is followed from
// that time on.
func TestEngine_Capture_olderAhead(t *testing.T) {
	t.Parallel()
	s, e, a := newFair(t, 40)
	s.older = 3 * time.Hour
	s.goods["g3"] = s.now().Add(-2 * time.Hour)
	if got := s.left(t, e, a, 3); got != `{"left":5}` {
		t.Fatal(got)
	}
	s.stock["s3"] = 4 // as it was for two hours
	s.passed += 15 * time.Minute
	s.fetched = nil
	if got := s.left(t, e, a, 3); got != `{"left":4}` || len(s.fetched) != 1 {
		t.Errorf("sold before the capture: %s, asked for %d", got, len(s.fetched))
	}
}

// A restore looks at all of what is promised for the night, as it is now.
func TestEngine_Present_night(t *testing.T) {
	t.Parallel()
	s := &long{stall: &stall{bills: map[string]map[string]any{}}, way: rest.Create}
	for i := range 350 {
		s.bills[fmt.Sprintf("b%03d", i)] = nil
	}
	e := rest.New(s, rest.Options{Dir: t.TempDir()})
	e.Slice(0)
	a := app.Access{Source: app.Source{ID: "st"}}
	if point, _ := capture(t, e, a); len(point)-1 >= 350 {
		t.Fatalf("%d bills at once", len(point)-1)
	}
	delete(s.bills, "b000") // was read
	c, err := e.Present(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	now, problems := drain(t, c)
	if _, there := now["bills/b000.json"]; len(now)-1 != 349 || there || len(problems) > 0 {
		t.Errorf("%d bills, the deleted one there: %t, problems %v", len(now)-1, there, problems)
	}
}

// The capture that follows a look finds what the look found, unwell as it may be.
func TestEngine_Capture_afterLook(t *testing.T) {
	t.Parallel()
	for _, broken := range []error{nil, app.Errorf(app.CodeShopAnswer, "test", "cut off")} {
		s, e, a := newStall(t)
		s.add("1", nil)
		first, err := e.Capture(t.Context(), a, "")
		if err != nil {
			t.Fatal(err)
		}
		drain(t, first)
		if s.err["bills"] = broken; broken == nil {
			s.add("2", nil)
		}
		var found []app.Marker
		for range 2 {
			c, err := e.Capture(t.Context(), a, first.Next)
			if err != nil || c.Idle {
				t.Fatalf("idle %t, error %v", c.Idle, err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			found = append(found, c.Next)
		}
		if found[0] == "" || found[0] != found[1] || (found[0] == first.Next) != (broken != nil) {
			t.Errorf("markers %v after %s", found, first.Next)
		}
	}
}
