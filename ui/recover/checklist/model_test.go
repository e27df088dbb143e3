package checklist

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
)

func english(t *testing.T) *assets.Words {
	t.Helper()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func known(i app.Incident) facts {
	return facts{Incident: i, Status: uitest.InIncident(uitest.Safe(), &i), Contacts: uitest.People(), Messages: []app.Message{{Code: "police", Title: "p", Text: "p"}, {Code: "back"}, {Code: "sign"}}}
}

func TestModelHead_clockFollowsTheGuards(t *testing.T) {
	t.Parallel()
	w := english(t)
	f := known(uitest.Hacked())
	now := f.Status.Now
	for after, want := range map[time.Duration]string{0: "04:12", 30 * time.Second: "04:42", 11 * time.Minute: "15:12", -time.Minute: "04:12", 2 * time.Hour: "2:04:12", 71 * time.Hour: "2 days"} {
		h := modelHead(w, f, now.Add(after))
		if h.Clock != want || h.Late != (after >= 11*time.Minute) {
			t.Errorf("after %v: %q, late %v", after, h.Clock, h.Late)
		}
	}
	// Once the shop is back it stands still, whatever the computer's clock says.
	f.Incident = settled(f.Incident)
	f.Incident.Back, f.Status.Incident.Back = now, now
	f.Incident.Seconds = 800
	if h := modelHead(w, f, now.Add(time.Hour)); h.Clock != "13:20" || h.Title != "Your shop is back" {
		t.Errorf("%+v", h)
	}
}

// settled returns an incident in which everything is done.
func settled(i app.Incident) app.Incident {
	i.Steps = slices.Clone(i.Steps)
	for n := range i.Steps {
		i.Steps[n].State = app.StepDone
	}
	uitest.Refresh(&i)
	return i
}

// TestIsBack_afterUndo: the shop is not said to be back once what that rests on
// was taken back, in any kind of trouble.
func TestIsBack_afterUndo(t *testing.T) {
	t.Parallel()
	w := english(t)
	for _, code := range app.PlaybookCodes() {
		i := settled(uitest.Begun(app.IncidentRequest{Playbook: code}))
		i.Back = uitest.Now()
		if !isBack(i) {
			t.Errorf("%s: it is back, and not said to be", code)
		}
		f := known(i)
		f.Status.Job = &app.Job{ID: "undo-1", Kind: app.JobUndo, State: app.JobRunning, Started: uitest.Now()}
		if h := modelHead(w, f, uitest.Now()); h.Title != w.T("recover.run.undo") || h.Text != w.T("recover.going.text") {
			t.Errorf("%s: while it is undone: %q, %q", code, h.Title, h.Text)
		}
		for _, s := range i.Steps {
			if s.Action != app.ActionRestore {
				continue
			}
			j := settled(i)
			j.Step(s.Code).State = app.StepOpen
			if h := modelHead(w, known(j), uitest.Now()); isBack(j) || h.Title == "Your shop is back" {
				t.Errorf("%s: with the restore undone it is said to be back", code)
			}
		}
	}
}

// TestRehearsal_isNoCatastrophe: practising is told as that, to its end.
func TestRehearsal_isNoCatastrophe(t *testing.T) {
	t.Parallel()
	w := english(t)
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookRehearsal})
	i.Seconds = 3600
	h := modelHead(w, known(i), uitest.Now())
	if h.Late || !strings.Contains(h.Text, "nothing has happened") {
		t.Errorf("%+v", h)
	}
	i = settled(i)
	i.Back = uitest.Now()
	if h := modelHead(w, known(i), uitest.Now()); h.Title != "You have practised it to the end" || strings.Contains(h.Text, "Back since") {
		t.Errorf("%+v", h)
	}
	i.Closed = uitest.Now()
	if v := modelClosed(w, i, uitest.Now()); v.Title != "The rehearsal is over" || strings.Contains(v.Text, "insurance") {
		t.Errorf("%+v", v)
	}
	i.Back = time.Time{}
	if v := modelClosed(w, i, uitest.Now()); !strings.Contains(v.Text, "before all of it") {
		t.Errorf("%+v", v)
	}
}

// TestModel_deadlineIsItsOwn: until when a step has to be done is what the
// incident says, not what one law does.
func TestModel_deadlineIsItsOwn(t *testing.T) {
	t.Parallel()
	w := english(t)
	f := known(uitest.Hacked())
	due := func(now time.Time) ownerRow {
		v := model(w, f, now)
		return v.Owner[slices.IndexFunc(v.Owner, func(r ownerRow) bool { return r.Code == f.Incident.Deadline.Step })]
	}
	f.Incident.Deadline.Until = uitest.Now().Add(5 * time.Hour)
	if r := due(uitest.Now()); r.Overdue || !strings.Contains(r.Due, "19:34") {
		t.Errorf("%q, over %v", r.Due, r.Overdue)
	}
	if r := due(uitest.Now().Add(6 * time.Hour)); !r.Overdue || r.Due == "" {
		t.Errorf("%q, over %v", r.Due, r.Overdue)
	}
	f.Incident.Deadline.Met = uitest.Now()
	if r := due(uitest.Now()); r.Due != "" {
		t.Errorf("%q though it is done", r.Due)
	}
}

func TestModelHead_deadline(t *testing.T) {
	t.Parallel()
	w := english(t)
	f := known(uitest.Hacked())
	until := f.Incident.Deadline.Until
	for left, want := range map[time.Duration]string{71 * time.Hour: "71 hours left", 90 * time.Minute: "1 hour left", 20 * time.Minute: "20 minutes left", -time.Minute: "Should have been reported"} {
		h := modelHead(w, f, until.Add(-left))
		if !strings.Contains(h.Deadline, want) || h.Overdue != (left < 0) || h.Met || !strings.Contains(h.DueStep, "IMY") {
			t.Errorf("%v: %+v", left, h)
		}
	}
	f.Incident.Deadline.Met = until.Add(-time.Hour)
	if h := modelHead(w, f, until.Add(time.Hour)); !h.Met || h.Overdue {
		t.Errorf("%+v", h)
	}
	f.Incident.Deadline = nil
	if h := modelHead(w, f, until); h.Deadline != "" {
		t.Errorf("%+v", h)
	}
}

func TestModelHead_progress(t *testing.T) {
	t.Parallel()
	w := english(t)
	f := known(uitest.Hacked())
	if h := modelHead(w, f, f.Status.Now); h.Share <= 0 || h.Share >= 1 || h.Left != "" || h.Title != "Bringing your shop back" {
		t.Errorf("%+v", h)
	}
	f.Status.Job = uitest.Restoring().Job
	f.Status.Job.Trying = &app.Error{Code: app.CodeStorageOffline}
	if h := modelHead(w, f, f.Status.Now); !strings.Contains(h.Left, "812 of 1,204 files") || h.Trying == "" {
		t.Errorf("%+v", h)
	}
	f.Status.Job = uitest.BackingUp().Job // has nothing to do with it
	if h := modelHead(w, f, f.Status.Now); h.Left != "" {
		t.Errorf("%+v", h)
	}
}

func TestModel_whatCanBeDone(t *testing.T) {
	t.Parallel()
	w := english(t)
	i := uitest.Hacked()
	i.Restore = "r1"
	for name, tt := range map[string]struct {
		change func(*app.Status)
		job    app.JobID
		begun  bool
		undo   app.RestoreID
	}{
		"nothing":  {func(*app.Status) {}, "", false, ""},
		"saving":   {func(s *app.Status) { s.Job = uitest.Restoring().Job; s.Job.Step = app.StepSafety }, "restore-1", false, ""},
		"applying": {func(s *app.Status) { s.Job = uitest.Restoring().Job; s.Undo = uitest.Restored() }, "restore-1", true, ""},
		"undoing":  {func(s *app.Status) { s.Job = uitest.Restoring().Job; s.Job.Kind = app.JobUndo }, "", false, ""},
		"undoable": {func(s *app.Status) { s.Undo = uitest.Restored() }, "", false, "r1"},
		"another":  {func(s *app.Status) { s.Undo = uitest.Restored(); s.Undo.ID = "r0" }, "", false, ""},
	} {
		f := known(i)
		tt.change(&f.Status)
		if v := model(w, f, f.Status.Now); v.Job != tt.job || v.Begun != tt.begun || v.Undo != tt.undo {
			t.Errorf("%s: job %q, begun %v, undo %q", name, v.Job, v.Begun, v.Undo)
		}
	}
}

func TestModel_steps(t *testing.T) {
	t.Parallel()
	w := english(t)
	i := uitest.Hacked()
	look := i.Step("publish")
	look.State, look.Look, look.Ready, look.Facts = app.StepOpen, true, true, []app.Fact{{Code: "no_publisher"}}
	f := known(i)
	v := model(w, f, f.Status.Now)
	find := func(code app.StepCode) ownerRow {
		n := slices.IndexFunc(v.Owner, func(r ownerRow) bool { return r.Code == code })
		if n < 0 {
			t.Fatalf("no %s among the owner's steps", code)
		}
		return v.Owner[n]
	}
	if r := find("publish"); !r.Look || len(r.Details) != 1 {
		t.Errorf("what Kvart can't know is not asked: %+v", r)
	}
	if slices.ContainsFunc(v.Kvart, func(r kvartRow) bool { return r.Code == "publish" }) {
		t.Error("it is asked twice")
	}
	if r := find("police"); len(r.Messages) != 1 || len(r.Contacts) != 1 || r.Contacts[0].Role != "insurance" {
		t.Errorf("%+v", r)
	}
	if r := find("confirm"); !r.Consent || len(r.Points) != 2 {
		t.Errorf("%+v", r)
	}
	if r := find("imy"); r.Due == "" || r.Overdue || r.Waits != "" {
		t.Errorf("%+v", r)
	}
	if r := find("open-again"); !strings.Contains(r.Waits, "Check what came back") || len(r.Messages) != 1 {
		t.Errorf("%+v", r)
	}
	if v.current() != "publish" || v.Due != "imy" {
		t.Errorf("current %s, due %s", v.current(), v.Due)
	}
	for _, r := range v.Kvart {
		if r.Code == "pin" && (r.Time != "0:09" || !r.Folds) {
			t.Errorf("%+v", r)
		}
		if r.Code == "check" && !slices.Contains(r.Details, "Comes after: Bring it back") {
			t.Errorf("%+v", r)
		}
	}
}

// TestModel_everyPlaybook looks at each step of each playbook in every state.
func TestModel_everyPlaybook(t *testing.T) {
	t.Parallel()
	for _, lang := range assets.Languages() {
		w, err := assets.NewWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range app.PlaybookCodes() {
			for _, state := range []app.StepState{app.StepOpen, app.StepRunning, app.StepDone, app.StepFailed, app.StepSkipped} {
				i := uitest.Begun(app.IncidentRequest{Playbook: code})
				for n := range i.Steps {
					i.Steps[n].State, i.Steps[n].Reason = state, "därför"
					if state == app.StepFailed {
						i.Steps[n].Error = &app.Error{Code: app.CodeStorageGone}
					}
				}
				f := known(i)
				v := model(w, f, f.Status.Now)
				if len(v.Kvart)+len(v.Owner) != len(i.Steps) {
					t.Errorf("%s: %d and %d of %d steps", code, len(v.Kvart), len(v.Owner), len(i.Steps))
				}
				for _, r := range v.Owner {
					if r.Title == "" || r.Why == "" || r.Result == "" || strings.Contains(r.Title+r.Told+r.Waits, "⟦") || (r.Told == "") != (state == app.StepOpen || state == app.StepRunning) {
						t.Errorf("%s %s %s: %+v", lang, code, state, r)
					}
				}
				for _, r := range v.Kvart {
					if r.Words == "" || strings.Contains(strings.Join(r.Details, ""), "⟦") || (r.Problem != nil) != (state == app.StepFailed) {
						t.Errorf("%s %s %s: %+v", lang, code, state, r)
					}
				}
			}
		}
	}
}

func TestModel_pausedAndHeld(t *testing.T) {
	t.Parallel()
	w := english(t)
	for code, want := range map[app.Code][3]bool{app.CodeCanceled: {true, false, false}, app.CodeInfected: {false, true, true}, app.CodeTargetFull: {false, false, true}} {
		i := uitest.Hacked()
		s := i.Step("restore")
		s.State, s.Error = app.StepFailed, &app.Error{Code: code}
		f := known(i)
		for _, r := range model(w, f, f.Status.Now).Kvart {
			if r.Code == "restore" && [3]bool{r.Paused, r.Held, r.Problem != nil} != want {
				t.Errorf("%s: %+v", code, r)
			}
		}
	}
}
