package agent

import (
	"slices"
	"testing"

	"kvart/app"
)

func TestCandidates(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	first := s.Now()
	s.shop.set("kassan", "k2")
	s.backup()
	all, err := s.Candidates(t.Context(), app.CandidatesRequest{Source: "Kassan"})
	if err != nil || len(all) != 2 || !all[0].Proposed || all[1].Proposed || all[0].Rows != -1 {
		t.Fatalf("%+v, %v", all, err)
	}
	if err := s.Journal.Forget(t.Context(), all[0].Point.ID); err != nil {
		t.Fatal(err)
	}
	if all, err = s.Candidates(t.Context(), app.CandidatesRequest{Source: "Kassan"}); err != nil || all[0].Proposed || !all[1].Proposed {
		t.Errorf("not proven: %+v, %v", all, err)
	}
	before, err := s.Candidates(t.Context(), app.CandidatesRequest{Source: "Kassan", Before: first})
	if err != nil || len(before) != 1 || before[0].Point.ID != all[1].Point.ID {
		t.Errorf("before: %+v, %v", before, err)
	}
	if _, err := s.Candidates(t.Context(), app.CandidatesRequest{Source: "Ingen"}); app.CodeOf(err) != app.CodeSourceUnknown {
		t.Errorf("unknown: %v", err)
	}
}

func TestStats_counted(t *testing.T) {
	t.Parallel()
	st := app.Stats{"table.sale": 3, "table.shop.orders": 7, "kind.products": 5, "bytes": 1 << 30, app.StatNewestOrder: 1042}
	if countRows(st) != 15 || countOrders(st) != 7 || newestOrder(st) != "1042" {
		t.Errorf("rows %d, orders %d, newest %s", countRows(st), countOrders(st), newestOrder(st))
	}
	if countRows(app.Stats{"bytes": 4}) != -1 || newestOrder(nil) != "" {
		t.Error("counted what nobody counted")
	}
}

// A point that holds an unusual change is verified, and is not what anybody
// wants back: neither by the playbook nor by asking for everything.
func TestRestore_goesBackBeforeAnUnusualChange(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "LOCKED")
	s.backup()
	all, err := s.Candidates(t.Context(), app.CandidatesRequest{Source: "Kassan"})
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	u := app.Unusual{SourceID: "kassan", Source: "Kassan", At: all[0].Point.Time, Level: app.UnusualAlarm, Point: all[0].Point.ID}
	if err := s.Journal.PutUnusual(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	if all, err = s.Candidates(t.Context(), app.CandidatesRequest{Source: "Kassan"}); err != nil || all[0].Unusual == "" || all[0].Proposed || !all[1].Proposed {
		t.Errorf("candidates %+v, %v", all, err)
	}
	plan, err := s.PlanRestore(t.Context(), app.RestoreRequest{})
	if err != nil || plan.Sources[0].Point.ID != all[1].Point.ID {
		t.Errorf("plan %+v, %v", plan, err)
	}
	// with a word about it, and none about the source that nothing was passed over of
	if w := plan.Sources[0].Plan.Warnings; len(w) != 1 || w[0].Code != app.CodePointPassed || w[0].Args["count"] != "1" || w[0].Args["source"] != "Kassan" || w[0].Args["at"] == "" {
		t.Errorf("warnings %+v", w)
	}
	if w := plan.Sources[1].Plan.Warnings; len(w) != 0 {
		t.Errorf("warnings %+v", w)
	}
	// whoever names it gets it
	plan, err = s.PlanRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}, Point: all[0].Point.ID})
	if err != nil || plan.Sources[0].Point.ID != all[0].Point.ID {
		t.Errorf("named: %+v, %v", plan, err)
	}
	if w := plan.Sources[0].Plan.Warnings; len(w) != 1 || w[0].Code != app.CodePointMarked {
		t.Errorf("named: warnings %+v", w)
	}
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	if got := i.Points["kassan"].Point; got != all[1].Point.ID {
		t.Errorf("chosen %s, want %s", got, all[1].Point.ID)
	}
	told := false
	for _, step := range i.Steps {
		told = told || slices.ContainsFunc(step.Facts, func(f app.Fact) bool { return f.Code == "passed_over" && f.Source == "Kassan" && f.Count == 1 })
	}
	if !told {
		t.Error("no step tells of what was passed over")
	}
	// it was the owner's: nothing is passed over any more
	u.Yes, u.Answered = true, s.clock.now()
	if err := s.Journal.PutUnusual(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	plan, err = s.PlanRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}})
	if err != nil || plan.Sources[0].Point.ID != all[0].Point.ID || len(plan.Sources[0].Plan.Warnings) != 0 {
		t.Errorf("answered with yes: %+v, %v", plan, err)
	}
}
