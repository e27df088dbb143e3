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

// takeEarly reads a capture as a vault does: what is early at once, before the next
// item is asked for, and the rest at the end. With most above 0 it wants no more
// than so many.
func takeEarly(t *testing.T, s *slow, c *app.Capture, most int) (files fstest.MapFS, early int, err error) {
	t.Helper()
	files = fstest.MapFS{}
	var later []app.Item
	read := func(it app.Item) {
		r, err := it.Open(t.Context())
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
		if early++; early == 250 {
			close(s.taken)
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
	got, early, err := takeEarly(t, s, c, 0)
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
	want, _ := capture(t, e, a) // was captured before: nothing is early
	if len(got) != len(want) {
		t.Errorf("%d items, not %d", len(got), len(want))
	}
	for name, f := range want {
		if g := got[name]; g == nil || string(g.Data) != string(f.Data) || !g.ModTime.Equal(f.ModTime) && name != "kvart.json" {
			t.Errorf("%s is another", name)
		}
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
		if _, _, err := takeEarly(t, s, c, most); app.CodeOf(err) != app.CodeSourceBusy && most == 0 {
			t.Errorf("ended by %v", err)
		}
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		s.fails, s.taken = nil, make(chan struct{})
		if c, err = e.Capture(t.Context(), a, ""); err != nil {
			t.Fatal(err)
		}
		if files, _, err := takeEarly(t, s, c, 0); err != nil || len(files) < 251 {
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
