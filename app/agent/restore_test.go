package agent

import (
	"context"
	"errors"
	"sync"
	"testing"

	"kvart/app"
)

func TestRestore_andUndo(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked")
	plan, err := s.PlanRestore(t.Context(), app.RestoreRequest{})
	if err != nil || len(plan.Sources) != 2 || !plan.Undoable {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	s.wantText("kassan", "wrecked") // a plan changes nothing
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{}))
	if j.State != app.JobDone || len(j.Restore.Checks) != 2 || j.Restore.Sources[0].Safety == "" {
		t.Fatalf("job %+v, restore %+v", j, j.Restore)
	}
	s.wantText("kassan", "k1")
	if st := s.status(); st.Undo == nil || st.Undo.ID != j.Restore.ID {
		t.Errorf("undo offered: %+v", st.Undo)
	}
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("kassan", "wrecked")
	recs, err := s.Restores(t.Context())
	if err != nil || len(recs) != 2 || recs[1].State != app.RestoreUndone || recs[0].Undoes != recs[1].ID {
		t.Errorf("restores %+v, %v", recs, err)
	}
	// the undo can be taken back too
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo of undo: %v", j.Error)
	}
	s.wantText("kassan", "k1")
}

func TestRestore_whereNothingWasLeavesNothingWhenUndone(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	delete(s.shop.texts, "kassan")
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}}))
	if j.State != app.JobDone || !j.Restore.Sources[0].Absent {
		t.Fatalf("restore %+v, %v", j.Restore, j.Error)
	}
	s.wantText("kassan", "k1")
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	if _, ok := s.shop.get("kassan"); ok {
		t.Error("undone, yet there")
	}
}

func TestRestore_doesNotStartWhenThePresentStateCanNotBeSaved(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "precious")
	s.vaults.FailSave = func([]app.SaveRequest) error { return app.Errorf(app.CodeStorageFull, "save", "full") }
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{}))
	if j.State != app.JobFailed || j.Error.Code != app.CodeStorageFull {
		t.Fatalf("job %s, %v", j.State, j.Error)
	}
	s.wantText("kassan", "precious")
	// elsewhere needs no safety point
	if j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}, Target: app.Target{Dir: "/elsewhere/"}})); j.State != app.JobDone {
		t.Fatalf("elsewhere: %v", j.Error)
	}
	s.wantText("/elsewhere/kassan", "k1")
	s.wantText("kassan", "precious")
}

func TestRestore_blockersAreToldAndNothingIsTouched(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "k2")
	s.shop.blocker = app.Errorf(app.CodeTargetInUse, "plan", "till has it open").With("program", "kassapos")
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{}))
	if j.State != app.JobFailed || j.Error.Code != app.CodeTargetInUse || j.Error.Args["program"] != "kassapos" {
		t.Fatalf("job %s, %v", j.State, j.Error)
	}
	s.wantText("kassan", "k2")
}

func TestRestore_failedCheckIsAFailureThatCanBeUndone(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.shop.set("kassan", "rotten")
	s.backup()
	s.shop.set("kassan", "fresh")
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}}))
	if j.State != app.JobFailed || j.Error.Code != app.CodeCheckFailed {
		t.Fatalf("job %s, %v", j.State, j.Error)
	}
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("kassan", "fresh")
}

func TestRestore_capturesAgainAfterwards(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "k2")
	s.backup()
	points, err := s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
	if err != nil {
		t.Fatal(err)
	}
	s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}, Point: points[1].ID}))
	s.wantText("kassan", "k1")
	if got := states(s.backup("Kassan")); got != "Kassan=done" {
		t.Errorf("after a restore: %s", got)
	}
}

// A power cut between two sources leaves the first restored and the second
// not. The next guard goes on where it stopped, and undo still has all of it.
func TestRestore_goesOnAfterACrash(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked k")
	s.shop.set("lager", "wrecked l")
	cut := errors.New("power cut")
	s.shop.failApply = func(path string) error {
		if path == "lager" {
			return cut
		}
		return nil
	}
	j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{}))
	// what a killed guard leaves is the record as it stood while applying
	rec := *j.Restore
	rec.State, rec.Error = app.RestoreApplying, nil
	if err := s.Journal.PutRestore(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	s.shop.failApply = nil
	s.crash()
	s.wantText("lager", "wrecked l")
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	for {
		recs, err := s.Restores(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if recs[0].State == app.RestoreDone {
			break
		}
		if recs[0].State == app.RestoreFailed {
			t.Fatalf("resumed and failed: %v", recs[0].Error)
		}
	}
	cancel()
	<-served
	s.wantText("kassan", "k1")
	s.wantText("lager", "l1")
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("kassan", "wrecked k")
	s.wantText("lager", "wrecked l")
}

func TestRestore_cutOffBeforeAnythingChangedIsGivenUp(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	rec := app.RestoreRecord{ID: "r", State: app.RestoreSaving, Started: s.Now()}
	if err := s.Journal.PutRestore(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	s.crash()
	if err := s.resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	recs, err := s.Restores(t.Context())
	if err != nil || recs[0].State != app.RestoreFailed || recs[0].Error.Code != app.CodeInterrupted {
		t.Errorf("got %+v, %v", recs, err)
	}
}

func TestRestore_makesABackupWait(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked")
	reading := make(chan struct{})
	var once sync.Once
	s.shop.slow = func(ctx context.Context) {
		once.Do(func() {
			close(reading)
			<-ctx.Done() // a first backup that takes hours
		})
	}
	id, err := s.StartBackup(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	<-reading
	if j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{})); j.State != app.JobDone {
		t.Fatalf("restore: %v", j.Error)
	}
	if j := s.job(id, nil); j.State != app.JobCanceled {
		t.Errorf("backup %s", j.State)
	}
	s.wantText("kassan", "k1")
}

func TestDrill_provesAndLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	j := s.job(s.StartDrill(t.Context(), nil))
	if j.State != app.JobDone || len(j.Drills) != 2 || !j.Drills[0].OK {
		t.Fatalf("job %+v", j)
	}
	if st := s.status(); st.LastDrill == nil || !st.LastDrill.OK || st.Sources[0].RestoreSeconds <= 0 {
		t.Errorf("status %+v", st.Sources)
	}
	s.shop.set("kassan", "rotten")
	s.backup()
	if j := s.job(s.StartDrill(t.Context(), []string{"Kassan"})); j.State != app.JobFailed || j.Error.Code != app.CodeCheckFailed {
		t.Errorf("a rotten backup passes: %s, %v", j.State, j.Error)
	}
	if got := s.status().Sources[0].RestoreSeconds; got != 0 {
		t.Errorf("a failed drill proves %g s", got)
	}
}
