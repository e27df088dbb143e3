package agent

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"kvart/app"
)

func TestIncident_restoreGoesOnAfterACrash(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked k")
	s.shop.set("lager", "wrecked l")
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	s.tick("stop-till")
	// the power goes while both are being put back
	in, dead := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.shop.failApply = func(string) error {
		once.Do(func() { close(in) })
		<-dead
		return errors.New("power cut")
	}
	if _, err := s.TickStep(t.Context(), app.TickRequest{Step: "confirm"}); err != nil {
		t.Fatal(err)
	}
	<-in
	recs, err := s.Restores(t.Context())
	if err != nil || recs[0].State != app.RestoreApplying {
		t.Fatalf("%+v, %v", recs, err)
	}
	cut := recs[0]
	s.jobs.cancel() // as a kill does: whatever comes now is not heard
	close(dead)
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	s.shop.failApply = nil
	s.start()
	// what a killed guard leaves is the record as it stood
	if err := s.Journal.PutRestore(t.Context(), cut); err != nil {
		t.Fatal(err)
	}
	i, err := s.Incident(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.wantStep(i, "restore", app.StepRunning)
	i = s.wait()
	s.wantStep(i, "restore", app.StepDone)
	s.wantText("kassan", "k1")
	s.wantText("lager", "l1")
	recs, err = s.Restores(t.Context())
	if err != nil || len(recs) != 1 || recs[0].ID != cut.ID || recs[0].State != app.RestoreDone {
		t.Errorf("restored %d times: %+v, %v", len(recs), recs, err)
	}
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("kassan", "wrecked k")
}

// Shut down in mid-restore, as a computer is, the guard goes on with that very
// restore: its safety point is the true state before.
func TestIncident_restoreGoesOnAfterAShutdown(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked k")
	s.shop.set("lager", "wrecked l")
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	s.tick("stop-till")
	in, down := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.shop.failApply = func(path string) error {
		if path == "kassan" {
			return nil // this one is back already
		}
		once.Do(func() { close(in) })
		<-down
		return app.Errorf(app.CodeCanceled, "apply", "shut down")
	}
	if _, err := s.TickStep(t.Context(), app.TickRequest{Step: "confirm"}); err != nil {
		t.Fatal(err)
	}
	<-in
	s.jobs.cancel()
	close(down)
	s.crash()
	recs, err := s.Restores(t.Context())
	if err != nil || recs[0].State != app.RestoreFailed {
		t.Fatalf("shut down: %+v, %v", recs, err)
	}
	s.shop.failApply = nil
	i := s.wait()
	s.wantStep(i, "restore", app.StepDone)
	s.wantText("lager", "l1")
	if recs, err = s.Restores(t.Context()); err != nil || len(recs) != 1 || recs[0].State != app.RestoreDone || recs[0].Error != nil {
		t.Errorf("%d restores: %+v, %v", len(recs), recs, err)
	}
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("kassan", "wrecked k")
	s.wantText("lager", "wrecked l")
}

// A restore that the owner cancels has failed, and is not begun again by itself.
func TestIncident_canceledRestoreStaysCanceled(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	s.tick("stop-till")
	in := make(chan struct{})
	var tries atomic.Int32
	s.shop.failApply = func(path string) error {
		if path == "kassan" && tries.Add(1) == 1 {
			close(in)
			for _, j := range s.running() {
				j.cancel()
			}
			return app.Errorf(app.CodeCanceled, "apply", "canceled")
		}
		return nil
	}
	i := s.tick("confirm")
	<-in
	s.wantStep(i, "restore", app.StepFailed)
	if i.Step("restore").Error.Code != app.CodeCanceled || tries.Load() != 1 {
		t.Errorf("%v after %d tries", i.Step("restore").Error, tries.Load())
	}
	i = s.tick("restore")
	s.wantStep(i, "restore", app.StepDone)
}
