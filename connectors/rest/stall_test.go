package rest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"kvart/app"
	"kvart/connectors/rest"
)

// stall is a small make of shop, in memory: notes in a tree, and an archive of
// bills that shows only the newest.
type stall struct {
	dir    string // of mirrors
	mu     sync.Mutex
	notes  map[string]map[string]any
	bills  map[string]map[string]any
	next   int
	err    map[string]error // of listing, by kind
	ops    []rest.Op
	refuse func(rest.Op) error
}

func (s *stall) Spec() app.KindSpec { return app.KindSpec{Kind: "stall"} }

func (s *stall) Kinds() []rest.Kind {
	return []rest.Kind{
		{
			Name: "notes", Order: 1, Changes: rest.ByList, Deletions: rest.ByAbsence, Restore: rest.Create, Layout: rest.Flat,
			Keys: []string{"name"}, Refs: []rest.Ref{{Field: "under", Kind: "notes"}, {Field: "see[]", Kind: "notes"}}, ReadOnly: []string{"id"},
		},
		{Name: "bills", Order: 2, Changes: rest.ByList, Deletions: rest.ByAbsence, Archive: true, Restore: rest.Manual, Layout: rest.Sparse},
	}
}

func (s *stall) Open(context.Context, app.Access, bool) (rest.Shop, error) { return s, nil }

func (s *stall) Probe(context.Context) (rest.Probe, error) { return rest.Probe{Name: "Ståndet"}, nil }

func (s *stall) of(k rest.Kind) map[string]map[string]any {
	if k.Name == "bills" {
		return s.bills
	}
	return s.notes
}

func (s *stall) List(_ context.Context, k rest.Kind, _ rest.Query) iter.Seq2[rest.Record, error] {
	return func(yield func(rest.Record, error) bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, id := range slices.Sorted(maps.Keys(s.of(k))) {
			text, err := json.Marshal(s.of(k)[id])
			if !yield(rest.Record{Key: rest.Key{ID: id}, JSON: text}, err) {
				return
			}
		}
		if err := s.err[k.Name]; err != nil {
			yield(rest.Record{}, err)
		}
	}
}

func (s *stall) IDs(context.Context, rest.Kind) iter.Seq2[rest.Stamp, error] {
	return func(func(rest.Stamp, error) bool) {}
}

func (s *stall) Gone(context.Context, rest.Kind, time.Time) iter.Seq2[string, error] {
	return func(func(string, error) bool) {}
}

func (s *stall) Fetch(_ context.Context, k rest.Kind, keys []rest.Key) (out []rest.Record, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range keys {
		if m := s.of(k)[key.ID]; m != nil {
			text, err := json.Marshal(m)
			if err != nil {
				return nil, err
			}
			out = append(out, rest.Record{Key: key, JSON: text})
		}
	}
	return out, nil
}

func (s *stall) Apply(_ context.Context, k rest.Kind, ops []rest.Op) (out []rest.Result, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, op := range ops {
		s.ops = append(s.ops, op)
		if s.refuse != nil {
			if err := s.refuse(op); err != nil {
				out = append(out, rest.Result{Err: err})
				continue
			}
		}
		switch op.Do {
		case rest.DoCreate:
			s.next++
			op.ID = fmt.Sprint("n", s.next)
			s.of(k)[op.ID] = maps.Clone(op.Record)
			s.of(k)[op.ID]["id"] = op.ID
		case rest.DoDelete:
			delete(s.of(k), op.ID)
		default:
			for _, f := range op.Fields {
				s.of(k)[op.ID][f] = op.Record[f]
			}
		}
		out = append(out, rest.Result{ID: op.ID})
	}
	return out, nil
}

func (s *stall) Skew() time.Duration { return 0 }

func (s *stall) add(id string, fields map[string]any) {
	m := map[string]any{"id": id, "name": "anteckning " + id}
	maps.Copy(m, fields)
	s.notes[id] = m
}

func newStall(t *testing.T) (*stall, *rest.Engine, app.Access) {
	t.Helper()
	s := &stall{notes: map[string]map[string]any{}, bills: map[string]map[string]any{}, next: 100, err: map[string]error{}}
	s.dir = filepath.Join(t.TempDir(), "Åsas #1 50%")
	return s, rest.New(s, rest.Options{Dir: s.dir}), app.Access{Source: app.Source{ID: "st", Name: "Ståndet", Kind: "stall"}}
}

func capture(t *testing.T, e *rest.Engine, a app.Access) (fstest.MapFS, map[string]app.Code) {
	t.Helper()
	c, err := e.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	return drain(t, c)
}

func drain(t *testing.T, c *app.Capture) (fstest.MapFS, map[string]app.Code) {
	t.Helper()
	point, problems := fstest.MapFS{}, map[string]app.Code{}
	for it, err := range c.Items {
		if err != nil {
			t.Fatal(err)
		}
		r, err := it.Open(t.Context())
		if err != nil {
			problems[it.Path] = app.CodeOf(err)
			continue
		}
		body, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		point[it.Path] = &fstest.MapFile{Data: body, ModTime: it.ModTime}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	return point, problems
}

type silent struct{}

func (silent) Expect(int64, int64) {}
func (silent) Done(int64, int64)   {}
