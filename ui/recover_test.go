package ui

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

func done(j app.Job, r *app.RestoreRecord) app.Job {
	j.State, j.Ended, j.Restore = app.JobDone, j.Started.Add(192*time.Second), r
	return j
}

func TestRecover_bringEverythingBack(t *testing.T) {
	s := uitest.Safe()
	r := newRig(t, s)
	blocked := true
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		p := uitest.Plan(r.svc.Current(), q)
		if blocked {
			p.Sources[0].Plan.Blockers = []*app.Error{{Code: app.CodeTargetInUse}}
		}
		return p, nil
	}
	r.press("Something is wrong…")
	r.sees("Just bring everything back", "/home/asa/Kassa/kassa.db", "As it was today 14:30", "3.5 GB", "about 3 min 12 s", "so you can undo it")
	r.sees("Kassan")
	if uitest.Enabled(r.c, "Restore my shop") {
		t.Fatal("a blocked restore can be started")
	}
	r.shoot("recover-blocked")
	uitest.Key(r.c, fyne.KeyReturn)
	if r.svc.Called("StartRestore") != 0 {
		t.Fatal("Enter starts a blocked restore")
	}
	blocked = false
	r.press("Try again")

	running := uitest.Restoring()
	running.Job.Step = app.StepSafety
	r.svc.RestoreFunc = func(q app.RestoreRequest) (app.JobID, error) {
		if len(q.Sources) != 0 || !q.Target.Original() {
			t.Errorf("asked for %+v", q)
		}
		r.svc.Push(running)
		return "restore-1", nil
	}
	r.press("Restore my shop")
	r.sees("Bringing your shop back", "04:12", "of the 15:00 goal", "Save what is there now, so that you can undo: Bilder")
	if uitest.Pressable(r.c, "Stop", 0) == nil {
		t.Error("it cannot be stopped while nothing was changed")
	}
	r.svc.Push(uitest.Restoring())
	r.sees("Put everything back: Bilder", "812 of 1,204 files")
	if uitest.Pressable(r.c, "Stop", 0) != nil {
		t.Error("it can be stopped half-way")
	}
	r.shoot("recover-running")

	// Elsewhere and back: it goes on.
	r.press("Home")
	r.press("Recover")
	r.sees("Bringing your shop back")

	record := uitest.Restored()
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) { return done(*running.Job, record), nil }
	after := uitest.Safe()
	after.Undo = record
	r.svc.Push(after)
	r.sees("Your shop is back", "It took 3 min 12 s", "The database is whole: Kassan", "OK")
	r.shoot("recover-done")

	undone := app.RestoreID("")
	r.svc.UndoFunc = func(id app.RestoreID) (app.JobID, error) {
		undone = id
		st := uitest.Restoring()
		st.Job.ID, st.Job.Kind = "undo-1", app.JobUndo
		r.svc.Push(st)
		return "undo-1", nil
	}
	r.press("Undo…")
	r.sees("Undo the restore?")
	uitest.Key(r.c, fyne.KeyEscape)
	r.lacks("Undo the restore?")
	if undone != "" {
		t.Fatal("undone without a yes")
	}
	r.press("Undo…")
	r.press("Yes, undo it")
	if undone != "r1" {
		t.Errorf("undoes %q", undone)
	}
	r.sees("Undoing the restore")
	r.svc.WaitFunc = func(app.JobID) (app.Job, error) {
		return app.Job{Kind: app.JobUndo, State: app.JobDone, Started: s.Now, Ended: s.Now.Add(time.Minute)}, nil
	}
	r.svc.Push(uitest.Safe())
	r.sees("The restore is undone")
	r.press("Done")
	r.sees("Your shop is safe")
}

func TestRecover_runningRestoreIsShownWhenTheWindowOpens(t *testing.T) {
	r := newRig(t, uitest.Restoring(), func(o *Options) { o.Screen = "recover" })
	r.sees("Bringing your shop back", "04:12")
	// The guard was restarted and knows the job no more.
	r.svc.WaitFunc = func(app.JobID) (app.Job, error) { return app.Job{}, app.Errorf(app.CodeUsage, "wait", "no such job") }
	rec := uitest.Restored()
	rec.State = app.RestoreApplying
	r.svc.RestoresFunc = func() ([]app.RestoreRecord, error) { return []app.RestoreRecord{*rec}, nil }
	r.svc.Push(uitest.Safe())
	r.sees("The restore didn't succeed", "A restore was cut off")
}

func TestRecover_failedCheckIsNotSuccess(t *testing.T) {
	r := newRig(t, uitest.Restoring(), func(o *Options) { o.Screen = "recover" })
	rec := uitest.Restored()
	rec.Checks[1].OK = false
	r.svc.WaitFunc = func(app.JobID) (app.Job, error) { return done(*uitest.Restoring().Job, rec), nil }
	r.svc.Push(uitest.Safe())
	r.sees("The restore didn't succeed", "Failed")
	r.lacks("Your shop is back")
}

func TestRecover_oneSource(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Recover")
	r.press("Bring just one source back…")
	r.press("Lager")
	r.sees("Bring Lager back", "/home/asa/Lager/lager.db")
	var got app.RestoreRequest
	r.svc.RestoreFunc = func(q app.RestoreRequest) (app.JobID, error) {
		got = q
		return "", app.Errorf(app.CodeTargetFull, "restore", "full")
	}
	r.press("Restore")
	if len(got.Sources) != 1 || got.Sources[0] != "Lager" {
		t.Errorf("restores %v", got.Sources)
	}
	r.sees("Try again")
	r.lacks("Bringing your shop back")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("What happened?")
}

func TestRecover_planThatCannotBeMadeIsTriedAgain(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.PlanFunc = func(app.RestoreRequest) (app.RestorePlan, error) {
		return app.RestorePlan{}, app.Errorf(app.CodeStorageGone, "plan", "gone")
	}
	r.press("Recover")
	if uitest.Pressable(r.c, "Restore my shop", 0) != nil {
		t.Error("a restore can be started without a plan")
	}
	r.svc.PlanFunc = nil
	r.press("Try again")
	if !uitest.Enabled(r.c, "Restore my shop") {
		t.Error("the restore cannot be started")
	}
}

func TestRecover_drill(t *testing.T) {
	r := newRig(t, uitest.Unproven())
	r.press("Recover")
	r.sees("No drill has been run yet.")
	r.svc.DrillFunc = func([]string) (app.JobID, error) {
		s := uitest.Unproven()
		s.Job = &app.Job{ID: "drill-1", Kind: app.JobDrill, State: app.JobRunning, Step: app.StepRestore, Started: s.Now}
		r.svc.Push(s)
		return "drill-1", nil
	}
	r.press("Run a drill now")
	r.sees("Practising a restore")
	r.svc.WaitFunc = func(app.JobID) (app.Job, error) {
		return app.Job{Kind: app.JobDrill, State: app.JobDone, Drills: []app.DrillResult{{Source: "Kassan", OK: false, Error: &app.Error{Code: app.CodeSourceDamaged}}}}, nil
	}
	r.svc.Push(uitest.Unproven())
	r.sees("The drill failed")
}

func TestRecover_nothingToBringBack(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("Recover")
	r.sees("There is no backup to bring back yet.")
	if r.svc.Called("PlanRestore") != 0 || uitest.Enabled(r.c, "Run a drill now") {
		t.Error("a restore of nothing is offered")
	}
}

func TestRecover_undoFromTheStart(t *testing.T) {
	s := uitest.Safe()
	s.Undo = uitest.Restored()
	r := newRig(t, s)
	r.show(screen.Place{Screen: screen.Recover})
	r.sees("Undo the last restore", "Kassan was restored today 14:29")
	r.press("Undo…")
	r.press("No, leave it")
	if r.svc.Called("StartUndo") != 0 {
		t.Error("undone without a yes")
	}
}

// TestRecover_undoIsOfferedWhenItIsKnownLate: the guard tells the end of a
// restore a moment before it says that there is something to undo.
func TestRecover_undoIsOfferedWhenItIsKnownLate(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		return app.Job{ID: id, Kind: app.JobRestore, State: app.JobDone, Started: uitest.Now().Add(-time.Minute), Ended: uitest.Now(), Restore: uitest.Restored()}, nil
	}
	r.show(screen.Place{Screen: screen.Recover})
	r.svc.Push(uitest.Restoring())
	r.svc.Push(uitest.Safe())
	r.sees("Your shop is back")
	if uitest.Pressable(r.c, "Undo…", 0) != nil {
		t.Fatal("there is nothing to undo yet")
	}
	s := uitest.Safe()
	s.Undo = uitest.Restored()
	r.svc.Push(s)
	if !uitest.Enabled(r.c, "Undo…") {
		t.Error("the restore cannot be undone where its end is told")
	}
}
