package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/rest"
)

// odd is a stall that tests change in one way or another.
type odd struct {
	*stall
	kinds  func([]rest.Kind)
	apply  func(ops []rest.Op, results []rest.Result) ([]rest.Result, error) // after it was done
	settle func(context.Context) error
	lists  int // asked for
}

func (o *odd) Kinds() []rest.Kind {
	kinds := o.stall.Kinds()
	if o.kinds != nil {
		o.kinds(kinds)
	}
	return kinds
}

func (o *odd) Open(context.Context, app.Access, bool) (rest.Shop, error) { return o, nil }

func (o *odd) IDs(_ context.Context, k rest.Kind) iter.Seq2[rest.Stamp, error] {
	return func(yield func(rest.Stamp, error) bool) {
		o.mu.Lock()
		ids := slices.Sorted(maps.Keys(o.of(k)))
		o.mu.Unlock()
		for _, id := range ids {
			if !yield(rest.Stamp{Key: rest.Key{ID: id}}, nil) {
				return
			}
		}
	}
}

func (o *odd) List(ctx context.Context, k rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	o.mu.Lock()
	o.lists++
	o.mu.Unlock()
	return o.stall.List(ctx, k, q)
}

func (o *odd) Apply(ctx context.Context, k rest.Kind, ops []rest.Op) ([]rest.Result, error) {
	results, err := o.stall.Apply(ctx, k, ops)
	if o.apply != nil && err == nil {
		return o.apply(ops, results)
	}
	return results, err
}

func (o *odd) Settle(ctx context.Context) error {
	if o.settle != nil {
		return o.settle(ctx)
	}
	return nil
}

func newOdd(t *testing.T) (*odd, *rest.Engine, app.Access) {
	t.Helper()
	s, _, a := newStall(t)
	o := &odd{stall: s}
	return o, rest.New(o, rest.Options{Dir: s.dir}), a
}

// So many records gone that the owner is asked first are kept, and are gone all
// the same: a restore makes them again.
func TestEngine_Apply_held(t *testing.T) {
	t.Parallel()
	for _, found := range []rest.Deletions{rest.BySweep, rest.ByFeed} {
		o, _, a := newOdd(t)
		o.kinds = func(kinds []rest.Kind) { kinds[0].Changes, kinds[0].Deletions = rest.ByCursor, found }
		e := rest.New(o, rest.Options{Dir: o.dir})
		const n = 250
		for i := range n {
			o.add(fmt.Sprint(i), nil)
		}
		point, _ := capture(t, e, a)
		clear(o.notes)
		o.add("7", nil)
		if _, err := e.Present(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		r := app.Restore{Access: a, From: point, Paths: []string{"notes"}}
		plan, err := e.Plan(t.Context(), r)
		if err != nil || plan.Create != n-1 {
			t.Errorf("%s: plan %+v, %v", found, plan, err)
		}
		checks, err := e.Verify(t.Context(), r)
		if err != nil || len(checks) != 1 || checks[0].OK {
			t.Errorf("%s: checks of an empty shop: %+v, %v", found, checks, err)
		}
		if got := connectortest.Seen(t, checks); got != "records: records_missing notes 249/250 0, 1, 10 +246" {
			t.Errorf("%s: the owner is told %q", found, got)
		}
		if err := e.Apply(t.Context(), r, silent{}); err != nil {
			t.Fatal(err)
		}
		if len(o.notes) != n {
			t.Errorf("%s: %d notes", found, len(o.notes))
		}
	}
}

// A record that was made, and of which something failed then, is known: it is
// gone on with, made no second time, and an undo takes it away.
func TestEngine_Apply_halfMade(t *testing.T) {
	t.Parallel()
	o, _, a := newOdd(t)
	o.kinds = func(kinds []rest.Kind) { kinds[0].Keys = nil }
	e := rest.New(o, rest.Options{Dir: o.dir})
	o.add("1", map[string]any{"text": "te"})
	o.add("2", map[string]any{"text": "kaffe"})
	point, _ := capture(t, e, a)
	delete(o.notes, "1")
	broken := true
	o.apply = func(ops []rest.Op, results []rest.Result) ([]rest.Result, error) {
		for i := range results {
			if broken && ops[i].Do == rest.DoCreate {
				delete(o.notes[results[i].ID], "text")
				results[i].Err = errors.New("made, but without its text")
			}
		}
		return results, nil
	}
	r := app.Restore{Access: a, From: point}
	if err := e.Apply(t.Context(), r, silent{}); app.CodeOf(err) != app.CodeCheckFailed {
		t.Fatalf("apply: %v", err)
	}
	broken = false
	if err := e.Apply(t.Context(), r, silent{}); err != nil {
		t.Fatal(err)
	}
	if len(o.notes) != 2 || o.notes["n101"]["text"] != "te" {
		t.Errorf("notes %v", o.notes)
	}
	undo := app.Restore{Access: a, From: fstest.MapFS{"notes/2.json": point["notes/2.json"]}, Raw: true, Remove: []string{"notes/1.json"}}
	if err := e.Apply(t.Context(), undo, silent{}); err != nil {
		t.Fatal(err)
	}
	if len(o.notes) != 1 || o.notes["2"] == nil {
		t.Errorf("after the undo: %v", o.notes)
	}
}

// Records without any name, whose making was cut off when the shop had done it,
// are found by what is in them, and made no second time. What was there before
// stands for none of them.
func TestEngine_Apply_cutOffNameless(t *testing.T) {
	t.Parallel()
	o, _, a := newOdd(t)
	o.kinds = func(kinds []rest.Kind) { kinds[0].Keys = nil }
	e := rest.New(o, rest.Options{Dir: o.dir})
	for i := range 4 {
		o.add(fmt.Sprint(i), map[string]any{"name": "Kim Ek", "see": []any{"9"}})
	}
	o.add("4", map[string]any{"name": "Bo Al"})
	o.add("9", nil)
	point, _ := capture(t, e, a)
	clear(o.notes)
	o.add("8", nil)
	o.apply = func([]rest.Op, []rest.Result) ([]rest.Result, error) {
		o.apply = nil
		return nil, app.Errorf(app.CodeSourceOffline, "test", "cut off")
	}
	r := app.Restore{Access: a, From: point}
	if err := e.Apply(t.Context(), r, silent{}); app.CodeOf(err) != app.CodeSourceOffline {
		t.Fatalf("the first try: %v", err)
	}
	o.apply = nil
	for range 2 {
		if err := e.Apply(t.Context(), r, silent{}); err != nil {
			t.Fatal(err)
		}
		count := map[string]int{}
		for _, m := range o.notes {
			count[m["name"].(string)]++
		}
		if count["Kim Ek"] != 4 || count["Bo Al"] != 1 || len(o.notes) != 7 {
			t.Errorf("%v of %v", count, o.notes)
		}
	}
	if checks, err := e.Verify(t.Context(), r); err != nil || len(checks) != 1 || !checks[0].OK {
		t.Errorf("checks %+v, %v", checks, err)
	}
}

// What an earlier restore began is waited for, but not for ever, and nobody else
// is kept waiting meanwhile.
func TestEngine_Apply_unsettled(t *testing.T) {
	t.Parallel()
	o, e, a := newOdd(t)
	o.add("1", nil)
	point, _ := capture(t, e, a)
	waiting := make(chan struct{}, 1)
	o.settle = func(ctx context.Context) error {
		waiting <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	r := app.Restore{Access: a, From: point}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Apply(ctx, r, silent{}) }()
	<-waiting
	capture(t, e, a)
	cancel()
	if err := <-ended; app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("called off: %v", err)
	}
	e.Settles(time.Millisecond)
	if err := e.Apply(t.Context(), r, silent{}); app.CodeOf(err) != app.CodeShopWorking {
		t.Errorf("after a while: %v", err)
	}
	if len(o.ops) > 0 {
		t.Errorf("done meanwhile: %v", o.ops)
	}
}

const (
	jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF"
	page = "\n<!DOCTYPE html><html><body>Sidan finns inte</body></html>"
)

// A picture that isn't there, or in place of which a page comes, is told, and is
// in no backup; what looks like a page and is none is kept.
func TestEngine_Capture_noPicture(t *testing.T) {
	t.Parallel()
	served := map[string][2]string{
		"/good.jpg": {"image/jpeg", jpeg}, "/page.jpg": {"image/jpeg", page}, "/said.jpg": {"text/html; charset=utf-8", "Hej!"}, "/empty.jpg": {"image/jpeg", ""},
		"/odd.jpg": {"text/html", jpeg}, "/logo.svg": {"image/svg+xml", "<!-- logo --><svg></svg>"}, "/terms.html": {"text/html", page},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f, ok := served[r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", f[0])
		_, _ = io.WriteString(w, f[1])
	}))
	defer srv.Close()
	o, _, a := newOdd(t)
	o.kinds = func(kinds []rest.Kind) { kinds[0].Media = []string{"picture"} }
	e := rest.New(o, rest.Options{Dir: o.dir})
	for i, at := range append(slices.Sorted(maps.Keys(served)), "/gone.jpg") {
		o.add(fmt.Sprint(i), map[string]any{"picture": srv.URL + at})
	}
	point, problems := capture(t, e, a)
	kept := 0
	for at := range point {
		if strings.HasPrefix(at, "media/") && !strings.HasPrefix(at, "media/refs/") {
			kept++
		}
	}
	if kept != 3 { // of the same content there is one
		t.Errorf("%d files", kept)
	}
	if len(problems) != 4 {
		t.Errorf("problems %v", problems)
	}
	for at, code := range problems {
		if code != app.CodeShopPicture {
			t.Errorf("%s: %s", at, code)
		}
	}
	c, err := e.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err = e.Capture(t.Context(), a, c.Next); err != nil || c.Idle {
		t.Errorf("idle although pictures are missing: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// A page that an older backup holds in place of a picture is given to no shop.
func TestEngine_Apply_pageForPicture(t *testing.T) {
	t.Parallel()
	o, _, a := newOdd(t)
	o.kinds = func(kinds []rest.Kind) { kinds[0].Media = []string{"picture"} }
	e := rest.New(o, rest.Options{Dir: o.dir})
	point := fstest.MapFS{
		"notes/1.json":       {Data: []byte(`{"name":"a","picture":"https://shop.example/a.jpg"}`)},
		"notes/2.json":       {Data: []byte(`{"name":"b","picture":"https://shop.example/b.jpg"}`)},
		"media/aa/a.jpg":     {Data: []byte(page)},
		"media/bb/b.jpg":     {Data: []byte(jpeg)},
		"media/refs/00.json": {Data: []byte(`{"https://shop.example/a.jpg":{"file":"aa/a.jpg","size":1},"https://shop.example/b.jpg":{"file":"bb/b.jpg","size":1}}`)},
	}
	got := map[string]string{}
	o.refuse = func(op rest.Op) error {
		for _, name := range []string{"a", "b"} {
			f, err := op.Media("https://shop.example/" + name + ".jpg")
			if err != nil {
				if !errors.Is(err, fs.ErrNotExist) {
					t.Error(err)
				}
				continue
			}
			body, err := io.ReadAll(f)
			if err = errors.Join(err, f.Close()); err != nil {
				t.Error(err)
			}
			got[name] = string(body)
		}
		return nil
	}
	if err := e.Apply(t.Context(), app.Restore{Access: a, From: point}, silent{}); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got["b"] != jpeg {
		t.Errorf("files %q", got)
	}
}
