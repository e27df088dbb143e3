package agent

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// manyFiles has a source hold files of these names from now on.
func (s *shopTest) manyFiles(names ...string) {
	s.t.Helper()
	v, err := s.openVault(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	items := func(yield func(app.Item, error) bool) {
		for _, n := range names {
			it := app.Item{Path: n, Size: 3, ModTime: time.Unix(1, 0), Mode: 0o600, Open: func(context.Context) (io.ReadCloser, error) {
				return io.NopCloser(strings.NewReader("abc")), nil
			}}
			if !yield(it, nil) {
				return
			}
		}
	}
	stats := func() app.Stats { return app.Stats{"table.kvitto": 4} }
	res, err := v.Save(s.t.Context(), []app.SaveRequest{{Source: "kassan", Name: "Kassan", Kind: app.PointBackup, Time: s.Now(), Items: items, Stats: stats}}, nil)
	if err != nil || res[0].Err != nil {
		s.t.Fatal(err, res[0].Err)
	}
	if err := s.trust(s.t.Context(), v, []app.PointID{res[0].Point.ID}); err != nil {
		s.t.Fatal(err)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.manyFiles("Bilder/Blå kopp.jpg", "Bilder/Röd kopp.jpg")
	s.manyFiles("Bilder/Blå kopp.jpg", "Priser.xlsx")
	s.manyFiles("Priser.xlsx")
	all, err := s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	find := func(r app.SearchRequest) app.SearchResult {
		t.Helper()
		r.Source = "Kassan"
		res, err := s.Search(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return res
	}
	res := find(app.SearchRequest{Text: "KOPP"})
	if len(res.Hits) != 2 || res.Looked != 3 || !res.All {
		t.Fatalf("%+v", res)
	}
	blue := res.Hits[0]
	if blue.Path != "Bilder/Blå kopp.jpg" || blue.Now || blue.Last.ID != all[1].ID || blue.First.ID != all[2].ID || !blue.Last.Verified {
		t.Errorf("blue %+v", blue)
	}
	if red := res.Hits[1]; red.Last.ID != all[2].ID {
		t.Errorf("red %+v", red)
	}
	if res := find(app.SearchRequest{Text: `bilder\blå kopp.jpg`}); len(res.Hits) != 1 {
		t.Errorf("by path: %+v", res)
	}
	if res := find(app.SearchRequest{Text: "priser.xlsx"}); len(res.Hits) != 1 || !res.Hits[0].Now {
		t.Errorf("still there: %+v", res)
	}
	if res := find(app.SearchRequest{Text: "kvitto"}); len(res.Hits) != 1 || res.Hits[0].Path != "tables/kvitto.sql" {
		t.Errorf("a table: %+v", res)
	}
	if res := find(app.SearchRequest{Text: "kopp", Limit: 1}); len(res.Hits) != 1 || res.All {
		t.Errorf("bounded: %+v", res)
	}
	if res := find(app.SearchRequest{Text: "finns inte"}); len(res.Hits) != 0 || !res.All {
		t.Errorf("nothing: %+v", res)
	}
	if res := find(app.SearchRequest{Text: "kopp", Since: s.Now().Add(time.Hour)}); res.Points != 0 {
		t.Errorf("since: %+v", res)
	}
	if _, err := s.Search(t.Context(), app.SearchRequest{Source: "Kassan", Text: " / "}); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("a blank is looked for: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Search(ctx, app.SearchRequest{Source: "Kassan", Text: "kopp"}); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("canceled: %v", err)
	}
}

// What was deleted comes back from the last backup that had it.
func TestIncident_deletedPathIsFoundInTheLastPointThatHadIt(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.manyFiles("text", "Bilder/Blå kopp.jpg")
	s.manyFiles("text", "Bilder/Blå kopp.jpg", "Priser.xlsx")
	s.manyFiles("text", "Priser.xlsx")
	all, err := s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
	if err != nil {
		t.Fatal(err)
	}
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookDeleted, Choice: app.Choice{Sources: []string{"Kassan"}, Paths: []string{"Bilder/Blå kopp.jpg"}}})
	s.wantStep(i, "say-what", app.StepDone)
	if got := i.Points["kassan"].Point; got != all[1].ID {
		t.Errorf("chosen %s, want %s of %+v", got, all[1].ID, all)
	}
	if f, ok := fact(i, "point", "last_had", "Kassan"); !ok || f.Args["path"] != "Bilder/Blå kopp.jpg" {
		t.Errorf("facts %+v", i.Step("point").Facts)
	}
	if _, err := s.TickStep(t.Context(), app.TickRequest{Step: "say-what", Choice: &app.Choice{Sources: []string{"Kassan"}, Paths: []string{"Aldrig.txt"}}}); err != nil {
		t.Fatal(err)
	}
	i = s.wait()
	s.wantStep(i, "point", app.StepFailed)
	if i.Step("point").Error.Code != app.CodePathUnknown {
		t.Errorf("never there: %v", i.Step("point").Error)
	}
	if _, err := s.TickStep(t.Context(), app.TickRequest{Step: "say-what", Choice: &app.Choice{Sources: []string{"Kassan"}, Paths: []string{"tables/kvitto.sql"}}}); err != nil {
		t.Fatal(err)
	}
	i = s.wait()
	s.wantStep(i, "point", app.StepDone)
}
