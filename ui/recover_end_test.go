package ui

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// unknown is how a guard that was started again fails to know a job.
func unknown(app.JobID) (app.Job, error) {
	return app.Job{}, app.Errorf(app.CodeUsage, "wait", "no such job")
}

// TestRecover_anEarlierRestoreIsNotTakenForThisOne: a guard that was restarted
// knows the job no more, and what it remembers may be of another.
func TestRecover_anEarlierRestoreIsNotTakenForThisOne(t *testing.T) {
	old := uitest.Restored()
	old.ID, old.Asked, old.Started, old.Ended = "r0", uitest.Now().Add(-48*time.Hour), uitest.Now().Add(-48*time.Hour), uitest.Now().Add(-47*time.Hour)
	remember := func(r *rig, list ...app.RestoreRecord) {
		r.svc.WaitFunc = unknown
		r.svc.RestoresFunc = func() ([]app.RestoreRecord, error) { return list, nil }
	}
	r := newRig(t, uitest.Safe())
	remember(r, *old)
	r.press("Recover")
	r.press("Restore my shop")
	r.lacks("Your shop is back")
	r.sees("The restore didn't succeed", "A restore was cut off before it began")

	// Its own record counts, wherever it stands in the list.
	mine := uitest.Restored()
	mine.State, mine.Error = app.RestoreFailed, &app.Error{Code: app.CodeTargetFull}
	r = newRig(t, uitest.Restoring(), func(o *Options) { o.Screen = "recover" })
	other := *old
	other.Started, other.Asked = uitest.Now(), uitest.Now()
	remember(r, other, *mine)
	r.svc.Push(uitest.Safe())
	r.sees("The restore didn't succeed")
	r.lacks("Your shop is back")

	// A drill is no restore.
	r = newRig(t, uitest.Safe())
	remember(r, *old)
	r.press("Recover")
	r.press("Run a drill now")
	r.lacks("Your shop is back", "The drill went well")
	r.sees("The drill was stopped")
}

// TestRecover_tryAgainDoesTheSame: what did not work is tried once more, and
// nothing else.
func TestRecover_tryAgainDoesTheSame(t *testing.T) {
	r := newRig(t, uitest.Safe())
	var drilled [][]string
	r.svc.DrillFunc = func(names []string) (app.JobID, error) {
		drilled = append(drilled, names)
		return "drill-1", nil
	}
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		return app.Job{ID: id, Kind: app.JobDrill, State: app.JobDone, Drills: []app.DrillResult{{Source: "Lager", Error: &app.Error{Code: app.CodeSourceDamaged}}}}, nil
	}
	r.press("Recover")
	r.press("All drills")
	r.press("Practise with Lager")
	r.sees("The drill failed")
	r.press("Try again")
	if len(drilled) != 2 || !slices.Equal(drilled[0], []string{"Lager"}) || !slices.Equal(drilled[1], drilled[0]) {
		t.Errorf("drilled %v", drilled)
	}

	// An undo, after another source was looked at.
	s := uitest.Safe()
	s.Undo = uitest.Restored()
	r = newRig(t, s)
	var undone []app.RestoreID
	r.svc.UndoFunc = func(id app.RestoreID) (app.JobID, error) { undone = append(undone, id); return "undo-1", nil }
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		return app.Job{ID: id, Kind: app.JobUndo, State: app.JobFailed, Error: &app.Error{Code: app.CodeTargetFull}}, nil
	}
	r.press("Recover")
	r.press("Bring just one source back…")
	r.press("Lager")
	uitest.Key(r.c, fyne.KeyEscape)
	r.press("Undo…")
	r.press("Yes, undo it")
	r.sees("The restore couldn't be undone")
	r.press("Try again")
	if !slices.Equal(undone, []app.RestoreID{"r1", "r1"}) || r.svc.Called("StartRestore") != 0 {
		t.Errorf("undone %v; %v", undone, r.svc.Calls())
	}
}

// TestRecover_heldEnterStartsNothing: who keeps Enter pressed on the way there
// has not seen what would be brought back.
func TestRecover_heldEnterStartsNothing(t *testing.T) {
	r := newRig(t, uitest.Safe())
	at := time.Now()
	hold := func(n int) {
		for range n {
			at = at.Add(-30 * time.Millisecond)
			r.received = at // the guard's clock goes on
			r.c.Unfocus()
			uitest.Key(r.c, fyne.KeyReturn)
		}
	}
	r.press("Recover")
	r.sees("Restore my shop")
	hold(100)
	r.press("Bring just one source back…")
	r.press("Lager")
	hold(100)
	uitest.Key(r.c, fyne.KeyEscape)
	r.press("An update went wrong")
	r.sees("What happens when you begin")
	hold(100)
	if r.svc.Called("StartIncident") != 0 {
		t.Fatal("a key that was held down opened an incident")
	}
	uitest.Key(r.c, fyne.KeyEscape)
	r.press("Bring just one source back…")
	r.press("Lager")
	if r.svc.Called("StartRestore") != 0 {
		t.Fatal("a key that was held down started a restore")
	}
	r.received = at.Add(-2 * time.Second)
	uitest.Key(r.c, fyne.KeyReturn)
	if r.svc.Called("StartRestore") != 1 {
		t.Error("Enter does not start what was read")
	}
}

// TestIncident_undoneIsNotBack: with the restore taken back the shop is not back,
// and an undo that fails is told, and tried again.
func TestIncident_undoneIsNotBack(t *testing.T) {
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	for n := range i.Steps {
		i.Steps[n].State = app.StepDone
	}
	i.Restore, i.Back = "r1", uitest.Now()
	uitest.Refresh(&i)
	r := inIncident(t, i, func(st *app.Status) { st.Undo = uitest.Restored() })
	r.press("Recover")
	r.sees("Your shop is back")
	var undone []app.RestoreID
	r.svc.UndoFunc = func(id app.RestoreID) (app.JobID, error) {
		if undone = append(undone, id); len(undone) == 1 {
			return "", app.Errorf(app.CodeStorageOffline, "undo", "no")
		}
		j := *r.svc.Open // the guard takes the incident along
		j.Steps = slices.Clone(j.Steps)
		step(t, &j, "restore").State = app.StepFailed
		for n := range j.Steps {
			if j.Steps[n].Stops {
				j.Steps[n].State = app.StepOpen
			}
		}
		r.svc.Open = &j
		return "undo-1", nil
	}
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		return app.Job{ID: id, Kind: app.JobUndo, State: app.JobFailed, Error: &app.Error{Code: app.CodeTargetFull}}, nil
	}
	ticked := r.ticks()
	r.press("Undo everything…")
	r.press("Yes, undo it")
	r.sees("Your shop is back") // it was not begun
	r.press("Try again")
	if len(undone) != 2 || len(*ticked) != 0 {
		t.Errorf("undone %v, ticked %+v", undone, *ticked)
	}
	full := screen.Explain(r.words, app.Errorf(app.CodeTargetFull, "undo", "full"), "").Title
	r.lacks("Your shop is back")
	r.sees(full)
	// A window that was opened in the middle of it tells its end too.
	st := uitest.InIncident(r.svc.Current(), r.svc.Open)
	st.Job = &app.Job{ID: "undo-2", Kind: app.JobUndo, State: app.JobRunning, Started: uitest.Now()}
	r.svc.Push(st)
	r.sees(full)
	r.press("Try again")
	if !slices.Equal(undone, []app.RestoreID{"r1", "r1", "r1"}) {
		t.Errorf("undone %v", undone)
	}
}

// TestIncident_undoThatEndsUnseen: a guard that was gone, or started again, when
// an undo ended still tells what came of it.
func TestIncident_undoThatEndsUnseen(t *testing.T) {
	i := uitest.Hacked()
	i.Restore = "r1"
	rec := *uitest.Restored()
	rec.ID, rec.Undoes = "r2", "r1"
	for name, tt := range map[string]struct {
		change func(*app.RestoreRecord)
		sees   app.Code
	}{
		"failed":      {func(r *app.RestoreRecord) { r.State, r.Error = app.RestoreFailed, &app.Error{Code: app.CodeTargetFull} }, app.CodeTargetFull},
		"cut off":     {func(r *app.RestoreRecord) { r.State = app.RestoreApplying }, app.CodeInterrupted},
		"not as then": {func(r *app.RestoreRecord) { r.Checks = []app.Check{{Code: "rows"}} }, app.CodeCheckFailed},
		"good":        {func(*app.RestoreRecord) {}, ""},
	} {
		r := inIncident(t, i)
		r.press("Recover")
		r.svc.WaitFunc = func(app.JobID) (app.Job, error) { return app.Job{}, gone() }
		st := r.svc.Current()
		st.Job = &app.Job{ID: "undo-1", Kind: app.JobUndo, State: app.JobRunning, Started: uitest.Now()}
		r.svc.Push(st)
		r.lost(gone())
		record := rec
		tt.change(&record)
		r.svc.WaitFunc = unknown
		r.svc.RestoresFunc = func() ([]app.RestoreRecord, error) { return []app.RestoreRecord{record}, nil }
		st.Job = nil
		r.svc.Push(st)
		for _, code := range []app.Code{app.CodeTargetFull, app.CodeInterrupted, app.CodeCheckFailed} {
			if got := uitest.Sees(r.c, screen.Explain(r.words, &app.Error{Code: code}, "").Title); got != (code == tt.sees) {
				t.Errorf("%s: %s is told %v", name, code, got)
			}
		}
	}
}

// TestIncident_lockIsSaidOnlyWhenProven: the second yes rests on what the storage
// did, not on hope.
func TestIncident_lockIsSaidOnlyWhenProven(t *testing.T) {
	for held, state := range map[bool]app.LockState{true: app.LockHeld, false: app.LockOpen} {
		bad := uitest.Hacked()
		s := step(t, &bad, "restore")
		s.State, s.Ready, s.Error = app.StepFailed, true, &app.Error{Code: app.CodeInfected}
		bad.Infected = []app.ComputerID{"x"}
		r := inIncident(t, bad, func(st *app.Status) { st.LockProof = &app.LockProof{At: uitest.Now(), State: state} })
		r.press("Recover")
		r.press(r.words.T("recover.infected.button"))
		r.sees("Say yes only if somebody who knows")
		if got := uitest.Sees(r.c, "couldn't be deleted"); got != held {
			t.Errorf("lock %s: said to hold %v", state, got)
		}
	}
}

// TestHome_rehearsalHasOnePrimary: practising takes no place from what the shop
// needs.
func TestHome_rehearsalHasOnePrimary(t *testing.T) {
	for code, want := range map[app.PlaybookCode]string{app.PlaybookRehearsal: "Back up now", app.PlaybookHacked: "Go on"} {
		r := inIncident(t, uitest.Begun(app.IncidentRequest{Playbook: code}))
		r.show(screen.Place{Screen: screen.Home})
		if got := uitest.Primaries(r.c); !slices.Equal(got, []string{want}) {
			t.Errorf("%s: %q", code, got)
		}
		if alarm := uitest.Sees(r.c, "Something has happened to your shop"); alarm != (code == app.PlaybookHacked) {
			t.Errorf("%s: alarm %v", code, alarm)
		}
	}
}
