package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// slow is a stall whose bills come when the notes were taken, or after a while.
type slow struct {
	*stall
	taken chan struct{}
	fails error // in place of the bills
}

func (s *slow) Open(context.Context, app.Access, bool) (rest.Shop, error) { return s, nil }

func (s *slow) List(ctx context.Context, k rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	if k.Name != "bills" {
		return s.stall.List(ctx, k, q)
	}
	return func(yield func(rest.Record, error) bool) {
		select {
		case <-s.taken:
		case <-ctx.Done():
			yield(rest.Record{}, ctx.Err())
			return
		case <-time.After(10 * time.Second):
		}
		if s.fails != nil {
			yield(rest.Record{}, s.fails)
			return
		}
		s.stall.List(ctx, k, q)(yield)
	}
}

func newSlow(t *testing.T) (*slow, *rest.Engine, app.Access) {
	t.Helper()
	st, _, a := newStall(t)
	for i := range 250 {
		st.add(fmt.Sprint(i), nil)
	}
	st.bills["b1"] = map[string]any{"sum": 1}
	s := &slow{stall: st, taken: make(chan struct{})}
	a.Early = true
	return s, rest.New(s, rest.Options{Dir: t.TempDir()}), a
}

// drip is a stall whose list of notes is of one moment, and waits when 200 were told
// until some were taken.
type drip struct {
	*stall
	taken chan struct{}
	fails error // in place of the rest
	twice bool  // one note, the second time another
}

func (d *drip) Open(context.Context, app.Access, bool) (rest.Shop, error) { return d, nil }

func (d *drip) List(ctx context.Context, k rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	if k.Name != "notes" {
		return d.stall.List(ctx, k, q)
	}
	return func(yield func(rest.Record, error) bool) {
		n := 0
		for r, err := range d.stall.List(ctx, k, q) {
			if r.Once = true; n == 200 {
				select {
				case <-d.taken:
				case <-time.After(10 * time.Second):
					err = errors.New("nobody took what came")
				}
				if err == nil {
					err = d.fails
				}
			}
			if n++; d.twice && n == 150 {
				r.JSON = []byte(`{"id":"` + r.ID + `","text":"first"}`)
				if !yield(r, nil) {
					return
				}
				r.JSON = []byte(`{"id":"` + r.ID + `","text":"second"}`)
			}
			if !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func newDrip(t *testing.T) (*drip, *rest.Engine, app.Access) {
	t.Helper()
	st, _, a := newStall(t)
	for i := range 250 {
		st.add(fmt.Sprint(i), nil)
	}
	d := &drip{stall: st, taken: make(chan struct{})}
	a.Early = true
	return d, rest.New(d, rest.Options{Dir: t.TempDir()}), a
}

// takeEarly reads a capture as a vault does: what is early soon, and the rest at the
// end. It tells when it has enough of what is early, and with most above 0 it wants
// no more than so many.
func takeEarly(t *testing.T, c *app.Capture, enough int, taken chan struct{}, most int) (files fstest.MapFS, early int, err error) {
	t.Helper()
	files = fstest.MapFS{}
	var later []app.Item
	read := func(it app.Item) {
		r, err := it.Open(t.Context())
		if err != nil && it.Optional {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			t.Fatal(err)
		}
		files[it.Path] = &fstest.MapFile{Data: body, ModTime: it.ModTime}
	}
	for it, failed := range c.Items {
		if failed != nil {
			err = failed
			break
		}
		if !it.Early {
			later = append(later, it)
			continue
		}
		read(it)
		if early++; early == enough {
			close(taken)
		}
		if early == most {
			break
		}
	}
	for _, it := range later {
		read(it)
	}
	return files, early, err
}

// The records of a first capture are given out while the shop is still being read,
// and make the same point as those of another.
func TestEngine_Capture_early(t *testing.T) {
	t.Parallel()
	s, e, a := newSlow(t)
	c, err := e.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	got, early, err := takeEarly(t, c, 250, s.taken, 0)
	if err != nil || early < 250 {
		t.Fatalf("%d were early: %v", early, err)
	}
	if n := c.Stats()["kind.notes"]; n != 250 {
		t.Errorf("%d notes counted", n)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	idle, err := e.Capture(t.Context(), a, c.Next)
	if err != nil || !idle.Idle {
		t.Fatalf("the marker tells another state: %v", err)
	}
	if err := idle.Close(); err != nil {
		t.Fatal(err)
	}
	sameAs(t, e, a, got)
}

// sameAs compares the items of a first capture with those of the next, of a shop that
// was captured before: nothing is early then.
func sameAs(t *testing.T, e *rest.Engine, a app.Access, got fstest.MapFS) {
	t.Helper()
	want, _ := capture(t, e, a)
	if len(got) != len(want) {
		t.Errorf("%d items, not %d", len(got), len(want))
	}
	for name, f := range want {
		if g := got[name]; g == nil || string(g.Data) != string(f.Data) || !g.ModTime.Equal(f.ModTime) && name != "kvart.json" {
			t.Errorf("%s is another", name)
		}
	}
}

// The records of a list that is of one moment are given out while it is being read,
// and with those of one that breaks off the point holds what came.
func TestEngine_Capture_arriving(t *testing.T) {
	t.Parallel()
	for _, fails := range []error{nil, app.Errorf(app.CodeShopAnswer, "test", "cut")} {
		d, e, a := newDrip(t)
		d.fails = fails
		c, err := e.Capture(t.Context(), a, "")
		if err != nil {
			t.Fatal(err)
		}
		got, early, err := takeEarly(t, c, 100, d.taken, 0)
		if err != nil || early < 200 || fails == nil && early < 250 {
			t.Fatalf("%d were early: %v", early, err)
		}
		if n := c.Stats()["kind.notes"]; fails == nil && n != 250 || fails != nil && n != 200 {
			t.Errorf("%d notes counted", n)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		if fails == nil {
			sameAs(t, e, a, got)
		}
	}
}

// A shop that tells of a record twice, after all, makes no point of what was given
// out before; the next capture has what it told last.
func TestEngine_Capture_arrivingTwice(t *testing.T) {
	t.Parallel()
	d, e, a := newDrip(t)
	d.twice = true
	c, err := e.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := takeEarly(t, c, 100, d.taken, 0); app.CodeOf(err) != app.CodeInternal {
		t.Errorf("no error, but %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	d.twice = false
	if files, _ := capture(t, e, a); len(files) < 250 {
		t.Errorf("%d files", len(files))
	}
}

// What ends the reading of a shop ends a capture whose first records were given out
// already. Neither that nor a reader who has enough keeps the next from the shop.
func TestEngine_Capture_earlyEnds(t *testing.T) {
	t.Parallel()
	for _, most := range []int{0, 40} {
		s, e, a := newSlow(t)
		s.fails = app.Errorf(app.CodeSourceBusy, "test", "gone")
		c, err := e.Capture(t.Context(), a, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := takeEarly(t, c, 250, s.taken, most); app.CodeOf(err) != app.CodeSourceBusy && most == 0 {
			t.Errorf("ended by %v", err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		s.fails, s.taken = nil, make(chan struct{})
		if c, err = e.Capture(t.Context(), a, ""); err != nil {
			t.Fatal(err)
		}
		if files, _, err := takeEarly(t, c, 250, s.taken, 0); err != nil || len(files) < 251 {
			t.Errorf("%d files: %v", len(files), err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A capture that nobody reads leaves the shop to the next, and one of a shop that
// has a backup gives nothing out early: the vault has it.
func TestEngine_Capture_notEarly(t *testing.T) {
	t.Parallel()
	s, e, a := newSlow(t)
	close(s.taken)
	c, err := e.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	a.Newest = func(context.Context) (app.PointFS, error) { return closing{fstest.MapFS{}}, nil }
	c, err = e.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	for it, err := range c.Items {
		if err != nil || it.Early {
			t.Fatalf("%s is early: %v", it.Path, err)
		}
	}
	if c.Next == "" {
		t.Error("no marker")
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

type closing struct{ fstest.MapFS }

func (closing) Close() error { return nil }
