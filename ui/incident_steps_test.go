package ui

import (
	"slices"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/uitest"
)

// ticks records what the window ticks, and does as the guard would.
func (r *rig) ticks() *[]app.TickRequest {
	var got []app.TickRequest
	r.svc.TickFunc = func(q app.TickRequest) (app.Incident, error) {
		got = append(got, q)
		i := *r.svc.Open
		i.Steps = slices.Clone(i.Steps)
		s := step(r.t, &i, q.Step)
		s.State, s.At, s.Reason, s.Error = map[app.Tick]app.StepState{
			"": app.StepDone, app.TickDone: app.StepDone, app.TickFailed: app.StepFailed, app.TickSkip: app.StepSkipped, app.TickUndo: app.StepOpen,
		}[q.Tick], uitest.Now(), q.Reason, nil
		return i, nil
	}
	return &got
}

func TestIncident_beginsWhatTheOwnerChose(t *testing.T) {
	r := newRig(t, uitest.Safe())
	var asked []app.CandidatesRequest
	r.svc.CandidatesFunc = func(q app.CandidatesRequest) ([]app.Candidate, error) {
		asked = append(asked, q)
		return candidates(q)
	}
	var planned app.RestoreRequest
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		planned = q
		return uitest.Plan(r.svc.Current(), q), nil
	}
	r.press("Recover")
	r.press("Hacked, or the data is locked")
	r.sees("Kvart would take these", "Kassan: today 14:15", "What is there now is saved first")
	if planned.Points["Kassan"] != "Kassan-11" {
		t.Errorf("the plan is of %v, not of what is proposed", planned.Points)
	}
	r.press("Kassan")
	r.press("Yesterday, before…")
	if uitest.Enabled(r.c, "Begin") {
		t.Error("it begins without a time")
	}
	uitest.Write(t, r.c, 0, "25:00")
	r.sees("Write the time like 14:30.")
	uitest.Write(t, r.c, 0, "17.45")
	r.lacks("Write the time like 14:30.")
	if uitest.Enabled(r.c, "Begin") {
		t.Error("it begins with a time whose backups nobody has seen")
	}
	uitest.Key(r.c, fyne.KeyReturn)
	if r.svc.Called("StartIncident") != 0 {
		t.Fatal("Enter in the entry begins")
	}
	want := time.Date(2026, 11, 18, 17, 45, 0, 0, time.Local)
	if last := asked[len(asked)-1]; last.Source != "Kassan" || !last.Before.Equal(want) {
		t.Errorf("asked for %+v", last)
	}
	r.sees("Which backup?", "Holds an unusual change", "Read back and sound", "Not read back yet", "12,939 rows or records · newest order 1042")
	r.press("today 13:45")
	uitest.Write(t, r.c, 1, "A note on the screen")
	var got app.IncidentRequest
	r.svc.IncidentFunc = func(q app.IncidentRequest) (app.Incident, error) {
		got = q
		return uitest.Begun(q), nil
	}
	r.press("Begin")
	if got.Playbook != app.PlaybookHacked || !slices.Equal(got.Choice.Sources, []string{"Kassan"}) || got.Choice.Point != "Kassan-9" ||
		!got.Choice.Before.Equal(want) || got.Note != "A note on the screen" {
		t.Errorf("opened %+v", got)
	}
	r.sees("What you do meanwhile", "What Kvart is doing", "of the 15:00 goal", "To be reported by", "This computer may be infected")
	// Elsewhere and back it is still there, and so it is in another window.
	r.press("Home")
	r.sees("Your next step: Unplug the network")
	r.press("Go on")
	r.sees("What you do meanwhile")
}

func TestIncident_anotherThatIsOpenIsSaid(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.IncidentFunc = func(app.IncidentRequest) (app.Incident, error) {
		return app.Incident{}, app.Errorf(app.CodeStorageGone, "open", "gone")
	}
	r.press("Recover")
	r.press("An update went wrong")
	r.press("Begin")
	if r.svc.Called("StartIncident") != 1 {
		t.Fatal("not asked")
	}
	r.svc.IncidentFunc = nil
	r.press("Try again")
	r.sees("What you do meanwhile")
}

func TestIncident_theOwnersSteps(t *testing.T) {
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	r := inIncident(t, i)
	got := r.ticks()
	r.press("Recover")
	r.sees("Close the till program on every computer", "Did it work?", "To sign", "Kafferosteriet has a technical fault")
	r.press("Copy the text")
	if c := r.app.Clipboard().Content(); c != messages()[1].Text {
		t.Errorf("copied %q", c)
	}
	r.press("Yes, it worked")
	if len(*got) != 1 || (*got)[0] != (app.TickRequest{Step: "stop-till", Tick: app.TickDone}) {
		t.Fatalf("ticked %+v", *got)
	}
	r.sees("Done by you today 14:34")

	// A step that waits says why, and can only be skipped.
	r.press("Ring up a test sale")
	r.sees("Comes after: Start the till program again")
	if uitest.Pressable(r.c, "Yes, it worked", 0) != nil {
		t.Error("a step can be ticked before its turn")
	}
	r.press("Skip it…")
	if uitest.Enabled(r.c, "Skip it") {
		t.Error("skipped without a reason")
	}
	uitest.Key(r.c, fyne.KeyReturn)
	if len(*got) != 1 {
		t.Fatal("Enter skips without a reason")
	}
	uitest.Write(t, r.c, 0, "The till is in the other shop")
	uitest.Key(r.c, fyne.KeyReturn)
	if last := (*got)[len(*got)-1]; last.Tick != app.TickSkip || last.Reason != "The till is in the other shop" || last.Step != "test-sale" {
		t.Errorf("ticked %+v", last)
	}
	r.sees("Skipped: The till is in the other shop")

	// A tick is taken back.
	r.press("Close the till program on every computer")
	r.press("Not done after all")
	if last := (*got)[len(*got)-1]; last != (app.TickRequest{Step: "stop-till", Tick: app.TickUndo}) {
		t.Errorf("ticked %+v", last)
	}
	r.press("No, it didn't")
	uitest.Write(t, r.c, 0, "It hangs")
	r.press("Note that it didn't work")
	if last := (*got)[len(*got)-1]; last.Tick != app.TickFailed || last.Reason != "It hangs" {
		t.Errorf("ticked %+v", last)
	}
	r.sees("Didn't work today 14:34: It hangs")
}

func TestIncident_whatTheProbeFound(t *testing.T) {
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookUpdate})
	for n := range i.Steps {
		if i.Steps[n].Code != "check-shop" {
			i.Steps[n].State = app.StepDone
		}
	}
	uitest.Refresh(&i)
	r := inIncident(t, i)
	r.press("Recover")
	r.sees("Kvart checks it when you say yes")
	r.svc.TickFunc = func(q app.TickRequest) (app.Incident, error) {
		i := *r.svc.Open
		s := step(t, &i, q.Step)
		s.State, s.Error = app.StepFailed, &app.Error{Code: app.CodeStorefrontStatus, Args: map[string]string{"where": "kafferosteriet.se", "status": "500"}}
		return i, nil
	}
	r.press("Yes, it worked")
	r.sees("500")
	r.lacks("⟦", "Back since")
	if uitest.Pressable(r.c, "Yes, it worked", 0) == nil {
		t.Error("it cannot be tried again")
	}
}

func TestIncident_kvartsStepThatFails(t *testing.T) {
	i := uitest.Hacked()
	s := step(t, &i, "restore")
	s.State, s.Error = app.StepFailed, (&app.Error{Code: app.CodeTargetInUse}).With("program", "KassaPos")
	r := inIncident(t, i)
	got := r.ticks()
	r.press("Recover")
	r.sees("KassaPos")
	r.press("Try again")
	if last := (*got)[len(*got)-1]; last != (app.TickRequest{Step: "restore", Tick: app.TickDone}) {
		t.Errorf("ticked %+v", last)
	}
	r.push(i)
	r.press("Skip it…")
	uitest.Write(t, r.c, 0, "By hand")
	r.press("Skip it")
	if last := (*got)[len(*got)-1]; last.Step != "restore" || last.Tick != app.TickSkip || last.Reason != "By hand" {
		t.Errorf("ticked %+v", last)
	}
}

func TestIncident_pauseAndGoOn(t *testing.T) {
	i := uitest.Hacked()
	r := inIncident(t, i, func(st *app.Status) { st.Job = uitest.Restoring().Job; st.Job.Step = app.StepSafety })
	got := r.ticks()
	var stopped app.JobID
	r.svc.CancelFunc = func(id app.JobID) error { stopped = id; return nil }
	r.press("Recover")
	r.sees("Bringing your shop back", "812 of 1,204 files")
	r.press("Pause")
	if stopped != "restore-1" {
		t.Fatalf("stopped %q", stopped)
	}
	// In the middle of it the owner is asked first.
	stopped = ""
	r.push(i, func(st *app.Status) { st.Job = uitest.Restoring().Job })
	r.press("Pause")
	uitest.Key(r.c, fyne.KeyReturn) // on "no"
	if stopped != "" {
		t.Fatal("stopped half-way without a yes")
	}
	r.press("Pause")
	r.press("Yes, pause")
	if stopped != "restore-1" {
		t.Fatal("not stopped")
	}
	*step(t, &i, "restore") = app.IncidentStep{PlaybookStep: step(t, &i, "restore").PlaybookStep, State: app.StepFailed, Ready: true, Error: &app.Error{Code: app.CodeCanceled}}
	r.push(i, func(st *app.Status) { st.Job = nil })
	r.sees("Paused by you")
	r.press("Go on")
	if last := (*got)[len(*got)-1]; last != (app.TickRequest{Step: "restore", Tick: app.TickDone}) {
		t.Errorf("ticked %+v", last)
	}
}

func TestIncident_undoEverything(t *testing.T) {
	i := uitest.Hacked()
	i.Restore = "r1"
	step(t, &i, "restore").State = app.StepDone
	r := inIncident(t, i, func(st *app.Status) { st.Undo = uitest.Restored() })
	got := r.ticks()
	lost := true
	var undone app.RestoreID
	r.svc.UndoFunc = func(id app.RestoreID) (app.JobID, error) {
		if undone = id; lost {
			lost = false
			return "", app.Errorf(app.CodeGuardOffline, "undo", "gone")
		}
		return "undo-1", nil
	}
	r.press("Recover")
	r.press("Undo everything…")
	uitest.Key(r.c, fyne.KeyEscape)
	if undone != "" {
		t.Fatal("undone without a yes")
	}
	r.press("Undo everything…")
	r.press("Yes, undo it")
	r.press("Try again") // only what did not get through
	if n := r.svc.Called("StartUndo"); n != 2 {
		t.Errorf("asked %d times", n)
	}
	if undone != "r1" || len(*got) != 0 { // the guard opens the restore again itself, once it is undone
		t.Errorf("undid %q, ticked %+v", undone, *got)
	}
	r.push(i, func(st *app.Status) {
		st.Job = uitest.Restoring().Job
		st.Job.ID, st.Job.Kind = "undo-1", app.JobUndo
	})
	r.sees("Undoing the restore", "What you do meanwhile")
}

func TestIncident_infectedNeedsASecondYes(t *testing.T) {
	i := uitest.Hacked()
	i.Infected = []app.ComputerID{"kassan"}
	for _, code := range []app.StepCode{"confirm", "restore"} {
		step(t, &i, code).State = app.StepOpen
	}
	for n := range i.Steps {
		if c := i.Steps[n].Code; c == "police" || c == "imy" {
			i.Steps[n].State = app.StepDone
		}
	}
	uitest.Refresh(&i)
	r := inIncident(t, i)
	got := r.ticks()
	r.press("Recover")
	r.sees("This computer may be infected", "Kassan: the backup of today 12:45, read back and sound")
	r.press("Say yes to bringing it back")
	if uitest.Pressable(r.c, "Yes, bring it back", 0) == nil {
		r.press("Say yes to bringing it back")
	}
	r.press("Yes, bring it back")
	r.sees("Restore onto a computer that may be infected?")
	uitest.Key(r.c, fyne.KeyEscape)
	if len(*got) != 0 {
		t.Fatalf("ticked %+v without the second yes", *got)
	}
	r.press("Yes, bring it back")
	r.press("Yes, restore onto it all the same")
	if len(*got) != 1 || !(*got)[0].EvenInfected || (*got)[0].Step != "confirm" {
		t.Errorf("ticked %+v", *got)
	}

	// The restore that was refused asks for it as well.
	bad := uitest.Hacked()
	bad.Infected = i.Infected
	s := step(t, &bad, "restore")
	s.State, s.Error = app.StepFailed, &app.Error{Code: app.CodeInfected}
	r.push(bad)
	r.press("Restore all the same…")
	r.press("Yes, restore onto it all the same")
	if last := (*got)[len(*got)-1]; last.Step != "restore" || !last.EvenInfected {
		t.Errorf("ticked %+v", last)
	}
}

func TestIncident_choosesAnotherBackup(t *testing.T) {
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookCrashed, Choice: app.Choice{Sources: []string{"Kassan"}}})
	for _, code := range []app.StepCode{"stop-till", "storage", "point"} {
		step(t, &i, code).State = app.StepDone
	}
	uitest.Refresh(&i)
	r := inIncident(t, i)
	r.svc.CandidatesFunc = candidates
	got := r.ticks()
	r.press("Recover")
	r.press("Choose another backup…")
	r.sees("Which backup?")
	r.press("today 13:45")
	r.press("Use this")
	if len(*got) != 1 || (*got)[0].Step != "point" || (*got)[0].Choice == nil || (*got)[0].Choice.Point != "Kassan-9" {
		t.Fatalf("ticked %+v", *got)
	}
	r.sees("What you do meanwhile")
}

// Where Kvart couldn't know whether a step worked, and the owner saw that it had
// not, there is no error to explain: the owner can try again, or go past it.
func TestIncident_ownerSawThatItDidNotWork(t *testing.T) {
	i := uitest.Hacked()
	s := step(t, &i, "restore")
	s.State, s.Error, s.Look, s.At, s.Reason = app.StepFailed, nil, false, uitest.Now(), "half of it is missing"
	r := inIncident(t, i)
	got := r.ticks()
	r.press("Recover")
	r.sees("Didn't work today 14:34: half of it is missing")
	r.press("Try again")
	if len(*got) != 1 || (*got)[0] != (app.TickRequest{Step: "restore", Tick: app.TickDone}) {
		t.Errorf("ticked %+v", *got)
	}
}
