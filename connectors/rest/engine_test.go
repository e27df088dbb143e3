package rest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// Records that refer to each other are all made again, and refer to each other
// again, however they are ordered and whether they go round in a circle.
func TestEngine_Apply_circle(t *testing.T) {
	t.Parallel()
	s, e, a := newStall(t)
	s.add("1", map[string]any{"under": "3", "see": []any{"2", "9"}})
	s.add("2", map[string]any{"under": "1"})
	s.add("3", map[string]any{"see": []any{"1"}})
	s.add("9", map[string]any{"see": []any{"1", "2"}})
	point, _ := capture(t, e, a)
	for _, id := range []string{"1", "2", "3"} {
		delete(s.notes, id)
	}
	s.notes["9"]["see"] = []any{}
	r := app.Restore{Access: a, From: point, Paths: []string{"notes/1.json", "notes/2.json", "notes/3.json"}}
	for range 2 {
		if err := e.Apply(t.Context(), r, silent{}); err != nil {
			t.Fatal(err)
		}
		checks, err := e.Verify(t.Context(), r)
		if err != nil || len(checks) != 1 || !checks[0].OK {
			t.Errorf("checks %+v: %v", checks, err)
		}
	}
	now := map[string]string{}
	for id, m := range s.notes {
		now[m["name"].(string)[len("anteckning "):]] = id
	}
	if len(s.notes) != 4 {
		t.Fatalf("%d notes: %v", len(s.notes), s.notes)
	}
	one, nine := s.notes[now["1"]], s.notes["9"]
	if one["under"] != now["3"] || fmt.Sprint(one["see"]) != fmt.Sprint([]string{now["2"], "9"}) {
		t.Errorf("the first is %v, ids %v", one, now)
	}
	if fmt.Sprint(nine["see"]) != fmt.Sprint([]string{now["1"], now["2"]}) || s.notes[now["2"]]["under"] != now["1"] {
		t.Errorf("notes %v, ids %v", s.notes, now)
	}
}

// What a shop stops showing stays in an archive; what cuts a list off doesn't
// empty it either.
func TestEngine_Capture_archive(t *testing.T) {
	t.Parallel()
	s, e, a := newStall(t)
	for i := range 30 {
		s.bills[fmt.Sprint("b", i)] = map[string]any{"sum": i}
		s.add(fmt.Sprint(i), nil)
	}
	capture(t, e, a)
	for i := range 25 {
		delete(s.bills, fmt.Sprint("b", i))
	}
	s.err["notes"] = app.Errorf(app.CodeShopAnswer, "test", "cut off")
	for i := range 28 {
		delete(s.notes, fmt.Sprint(i))
	}
	point, problems := capture(t, e, a)
	count := map[string]int{}
	for at := range point {
		name, _, _ := strings.Cut(at, "/")
		count[name]++
	}
	if count["bills"] != 30 || count["notes"] != 30 || len(problems) != 1 || problems["notes.missing"] != app.CodeShopAnswer {
		t.Errorf("%v, problems %v", count, problems)
	}
	s.err["notes"] = app.Errorf(app.CodeSourceBusy, "test", "later")
	if _, err := e.Capture(t.Context(), a, ""); app.CodeOf(err) != app.CodeSourceBusy {
		t.Errorf("a shop that fails as a whole: %v", err)
	}
}

// A damaged mirror is thrown away: nothing in it is needed.
func TestEngine_Capture_damagedMirror(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, _, a := newStall(t)
	for i := range 40 {
		s.add(fmt.Sprint(i), nil)
	}
	first, _ := capture(t, rest.New(s, rest.Options{Dir: dir}), a)
	at := filepath.Join(dir, "stall-st", "mirror.db")
	if err := os.WriteFile(at, []byte("this is no database, and has never been one"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, problems := capture(t, rest.New(s, rest.Options{Dir: dir}), a)
	if len(problems) > 0 || len(again) != len(first) {
		t.Errorf("%d files, were %d; problems %v", len(again), len(first), problems)
	}
	for at, f := range first {
		if g := again[at]; g == nil || !g.ModTime.Equal(f.ModTime) || string(g.Data) != string(f.Data) {
			t.Errorf("%s is not as it was", at)
		}
	}
}

// A record the shop refuses doesn't keep the others from going back, and is
// told by its path.
func TestEngine_Apply_refused(t *testing.T) {
	t.Parallel()
	s, e, a := newStall(t)
	for i := range 5 {
		s.add(fmt.Sprint(i), nil)
	}
	point, _ := capture(t, e, a)
	clear(s.notes)
	s.refuse = func(op rest.Op) error {
		if op.Was == "2" {
			return errors.New("no twos")
		}
		return nil
	}
	err := e.Apply(t.Context(), app.Restore{Access: a, From: point}, silent{})
	if known := app.AsError(err); known == nil || known.Code != app.CodeCheckFailed || known.Args["path"] != "notes/2.json" {
		t.Errorf("apply: %v", err)
	}
	if len(s.notes) != 4 {
		t.Errorf("%d notes", len(s.notes))
	}
	if _, err := e.Plan(t.Context(), app.Restore{Access: a, From: point, Paths: []string{"notes/77.json"}}); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("a path that isn't there: %v", err)
	}
}

// An undo takes away what the restore made, and nothing that was there before,
// whatever it is told to remove.
func TestEngine_Apply_undo(t *testing.T) {
	t.Parallel()
	s, e, a := newStall(t)
	for i := range 8 {
		s.add(fmt.Sprint(i), nil)
	}
	point, _ := capture(t, e, a)
	delete(s.notes, "3")
	if err := e.Apply(t.Context(), app.Restore{Access: a, From: point}, silent{}); err != nil {
		t.Fatal(err)
	}
	if len(s.notes) != 8 {
		t.Fatalf("%d notes", len(s.notes))
	}
	r := app.Restore{Access: a, From: fstest.MapFS{}, Raw: true, Remove: []string{"notes"}}
	for at := range point {
		r.Remove = append(r.Remove, at)
	}
	for range 2 {
		if err := e.Apply(t.Context(), r, silent{}); err != nil {
			t.Fatal(err)
		}
		if len(s.notes) != 7 {
			t.Errorf("%d notes after the undo", len(s.notes))
		}
	}
}

// Comparing with the live shop tells each field.
func TestEngine_Diff(t *testing.T) {
	t.Parallel()
	s, e, a := newStall(t)
	for i := range 4 {
		s.add(fmt.Sprint(i), map[string]any{"price": map[string]any{"now": 129, "was": 199}})
	}
	point, _ := capture(t, e, a)
	s.notes["1"]["price"] = map[string]any{"now": 99, "was": 199}
	delete(s.notes, "2")
	s.add("7", nil)
	live, err := e.Live(t.Context(), a, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	changes, err := e.Diff(t.Context(), point, live, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(live, "notes/1.json", "kvart-shop.json"); err != nil {
		t.Error(err)
	}
	if err := live.Close(); err != nil {
		t.Error(err)
	}
	var got []string
	for _, c := range changes {
		var fields []string
		for _, f := range c.Fields {
			fields = append(fields, f.Name+" "+f.Before+" "+f.After)
		}
		got = append(got, fmt.Sprint(c.Path, " ", c.Kind, " ", fields))
	}
	want := []string{"notes/1.json changed [price.now 129 99]", "notes/2.json removed []", "notes/7.json added []"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// long is a stall whose bills are promised for the night, and can be gone on
// with.
type long struct {
	*stall
	way rest.Way
}

func (l *long) Kinds() []rest.Kind {
	k := l.stall.Kinds()[1]
	k.Every, k.Layout = rest.Night, rest.Flat
	if l.way != "" {
		k.Restore, k.Archive = l.way, false
	}
	return []rest.Kind{k}
}

func (l *long) Open(context.Context, app.Access, bool) (rest.Shop, error) { return l, nil }

func (l *long) List(_ context.Context, _ rest.Kind, q rest.Query) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(l.bills)) {
			if id > q.Resume && !yield(rest.Record{Key: rest.Key{ID: id}, JSON: json.RawMessage(`{}`), Resume: id}, nil) {
				return
			}
		}
	}
}

// What takes hours to read, and is promised for the night, keeps no first
// backup waiting: it comes bit by bit.
func TestEngine_Capture_slices(t *testing.T) {
	t.Parallel()
	s := &long{stall: &stall{bills: map[string]map[string]any{}}}
	for i := range 350 {
		s.bills[fmt.Sprintf("b%03d", i)] = nil
	}
	e := rest.New(s, rest.Options{Dir: t.TempDir()})
	e.Slice(0)
	a := app.Access{Source: app.Source{ID: "st"}}
	had := 0
	for range 5 {
		point, problems := capture(t, e, a)
		if n := len(point) - 1; n <= had || len(problems) > 0 {
			t.Errorf("%d bills after %d, problems %v", n, had, problems)
		} else {
			had = n
		}
	}
	if !strings.Contains(manifest(t, e, a), `"pending": true`) {
		t.Error("the point doesn't tell that it goes on")
	}
	e.Slice(time.Hour)
	if point, _ := capture(t, e, a); len(point)-1 != 350 {
		t.Errorf("%d bills", len(point)-1)
	}
	if strings.Contains(manifest(t, e, a), "pending") {
		t.Error("the point tells that it goes on")
	}
}

func manifest(t *testing.T, e *rest.Engine, a app.Access) string {
	t.Helper()
	point, _ := capture(t, e, a)
	return string(point["kvart-shop.json"].Data)
}

// A shop that isn't protected any more leaves nothing of its customers behind,
// and can be protected anew.
func TestEngine_Forget(t *testing.T) {
	t.Parallel()
	s, e, a := newStall(t)
	s.add("1", nil)
	capture(t, e, a)
	if err := e.Forget(t.Context(), a.Source); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if err := e.Forget(t.Context(), a.Source); err != nil {
		t.Errorf("the second time: %v", err)
	}
	if point, problems := capture(t, e, a); len(problems) > 0 || len(point) == 0 {
		t.Errorf("anew: %d files, problems %v", len(point), problems)
	}
}
