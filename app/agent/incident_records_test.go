package agent

import (
	"context"
	"slices"
	"testing"

	"kvart/app"
)

// "When was this deleted?": a record is found by its name in any of the points
// that had it, and which ones those are.
func TestSearch_records(t *testing.T) {
	t.Parallel()
	s, _ := newShelfTest(t)
	for _, names := range [][]string{{"goods/1"}, {"goods/1", "goods/2"}, {"goods/2"}, {"goods/2"}, {"goods/2", "goods/3"}, {"goods/3"}} {
		s.manyFiles(append(names, "vara.txt")...)
	}
	ids := s.pointIDs()
	res, err := s.Search(t.Context(), app.SearchRequest{Source: "Kassan", Text: "Vara"})
	if err != nil || !res.All || res.Looked != 6 || len(res.Hits) != 4 {
		t.Fatalf("%+v, %v", res, err)
	}
	by := map[string]app.SearchHit{}
	for _, h := range res.Hits {
		by[h.Path] = h
	}
	if h := by["goods/2"]; h.Title != "Vara 2" || h.Under != "9 kr" || h.Shelf != "goods" || h.Now || h.Last.ID != ids[1] || h.First.ID != ids[4] {
		t.Errorf("deleted: %+v", h)
	}
	if h := by["goods/1"]; h.Now || h.Last.ID != ids[4] || h.First.ID != ids[5] {
		t.Errorf("deleted long ago: %+v", h)
	}
	if h := by["goods/3"]; !h.Now {
		t.Errorf("there: %+v", h)
	}
	if last := res.Hits[3]; last.Path != "vara.txt" || last.Title != "" {
		t.Errorf("files come last: %+v", last)
	}
	if res, err = s.Search(t.Context(), app.SearchRequest{Source: "Kassan", Text: "vara", Limit: 2}); err != nil || len(res.Hits) != 2 || res.All {
		t.Errorf("bounded: %+v, %v", res, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Search(ctx, app.SearchRequest{Source: "Kassan", Text: "vara"}); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("canceled: %v", err)
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	for n := range 70 {
		got := spread(n)
		if n > 1 && (got[0] != 0 || got[1] != n-1) {
			t.Errorf("%d begin with %v", n, got[:2])
		}
		slices.Sort(got)
		for i, v := range got {
			if i != v || len(got) != n {
				t.Fatalf("%d are %v", n, got)
			}
		}
	}
}
