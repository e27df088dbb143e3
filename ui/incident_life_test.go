package ui

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

func TestIncident_closesAndReports(t *testing.T) {
	dir := t.TempDir()
	i := uitest.Hacked()
	r := inIncident(t, i)
	r.pickSave = func(name string, done func(string)) { done(filepath.Join(dir, name)) }
	var opened []string
	r.openFile = func(path string) error { opened = append(opened, path); return nil }
	var asked []app.ReportRequest
	r.svc.ReportFunc = func(q app.ReportRequest) ([]byte, error) {
		asked = append(asked, q)
		return []byte("report " + q.Format), nil
	}
	r.press("Recover")
	r.press("Close the incident…")
	r.sees("11 steps aren't done yet")
	uitest.Key(r.c, fyne.KeyEscape)
	if r.svc.Called("CloseIncident") != 0 {
		t.Fatal("closed without a yes")
	}
	r.press("Close the incident…")
	r.press("Yes, close it")
	r.sees("It is over", "To be reported by")
	r.press("Save the report (PDF)")
	r.press("Save it as text")
	want := []string{filepath.Join(dir, "incident-2026-11-19.pdf"), filepath.Join(dir, "incident-2026-11-19.md")}
	if !slices.Equal(opened, want) || len(asked) != 2 || asked[0].Incident != "i1" || asked[1].Format != app.ReportMarkdown {
		t.Errorf("opened %v, asked %+v", opened, asked)
	}
	b, err := os.ReadFile(want[0])
	if err != nil || string(b) != "report pdf" {
		t.Errorf("%q, %v", b, err)
	}
	r.sees("Saved: ")
	r.press("Done")
	r.sees("Your shop is safe")

	// It is found again among the earlier ones.
	r.press("Recover")
	r.press("Earlier incidents")
	r.sees("Hacked, or the data is locked")
	r.pickSave = func(name string, done func(string)) { done(filepath.Join(dir, "no", "such", name)) }
	r.press("Save the report (PDF)")
	r.lacks("Saved: ")
	r.pickSave = func(name string, done func(string)) { done(filepath.Join(dir, "again-"+name)) }
	r.press("Save the report (PDF)")
	if _, err := os.Stat(filepath.Join(dir, "again-incident-2026-11-19.pdf")); err != nil {
		t.Error(err)
	}
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("What happened?")
}

func TestIncident_isThereWhenTheWindowOpens(t *testing.T) {
	i := uitest.Hacked()
	st := uitest.InIncident(uitest.Safe(), &i)
	r := newRig(t, st, func(o *Options) { o.Screen = string(screen.Recover) })
	r.sees("Reading what has been done…") // the fake has none yet
	r.push(i)
	r.sees("What Kvart is doing", "04:12")
}

func TestIncident_guardDiesAndReturns(t *testing.T) {
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	r := inIncident(t, i)
	r.press("Recover")
	r.press("Skip it…")
	uitest.Write(t, r.c, 0, "half a rea")
	offline := app.Errorf(app.CodeGuardOffline, "watch", "gone")
	r.lost(offline)
	r.lacks("What you do meanwhile")
	// It is back, further on than before.
	step(t, &i, "storage").State = app.StepDone
	uitest.Refresh(&i)
	r.push(i)
	r.sees("What you do meanwhile", "half a rea")

	// A tick that did not get through is said, and tried again.
	r.svc.TickFunc = func(app.TickRequest) (app.Incident, error) { return app.Incident{}, offline }
	r.press("Skip it")
	r.sees("half a rea")
	r.svc.TickFunc = nil
	r.press("Try again")
	r.sees("Skipped: half a rea")
}

func TestIncident_closedElsewhere(t *testing.T) {
	i := uitest.Hacked()
	r := inIncident(t, i)
	r.press("Recover")
	i.Closed, i.Back = uitest.Now(), uitest.Now()
	r.svc.Open, r.svc.Past = nil, []app.Incident{i}
	r.svc.Push(uitest.InIncident(r.svc.Current(), nil))
	r.sees("It is over", "the shop was back after 04:12")
	r.press("Recover")
	r.sees("What happened?")
	// The next one is another.
	next := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookUpdate})
	next.ID = "i2"
	r.push(next)
	r.sees("An update went wrong", "Stop the update")
}

func TestIncident_byKeyboard(t *testing.T) {
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	r := inIncident(t, i)
	got := r.ticks()
	r.press("Recover")
	r.c.Unfocus()
	// Enter finds the next step; a key that is held down ticks nothing.
	for range 9 {
		uitest.Key(r.c, fyne.KeyReturn)
	}
	if len(*got) != 0 {
		t.Fatalf("ticked %+v", *got)
	}
	for range 30 {
		if b, ok := uitest.Pressable(r.c, "Yes, it worked", 0).(fyne.Focusable); ok && r.c.Focused() == b {
			break
		}
		r.c.FocusNext()
	}
	for range 9 {
		uitest.Key(r.c, fyne.KeyReturn)
	}
	if len(*got) != 1 {
		t.Fatalf("ticked %d times: %+v", len(*got), *got)
	}
	// Every button can be reached.
	reached := map[fyne.Focusable]bool{}
	for range 120 {
		r.c.FocusNext()
		reached[r.c.Focused()] = true
	}
	for _, name := range []string{"Save the report (PDF)", "Save it as text", "Print checklist", "Close the incident…"} {
		if b, ok := uitest.Pressable(r.c, name, 0).(fyne.Focusable); !ok || !reached[b] {
			t.Errorf("%s is not reached", name)
		}
	}
}

// TestIncident_isShownWithoutItsTexts: what goes with the steps must not stand
// in their way, and a guard that can't tell is not asked without end.
func TestIncident_isShownWithoutItsTexts(t *testing.T) {
	i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	r := inIncident(t, i)
	r.svc.BookFunc = func() ([]app.Contact, error) { return nil, app.Errorf(app.CodeInternal, "contacts", "no") }
	r.press("Recover")
	r.sees("Close the till program on every computer", "Did it work?", "Try again")
	asked := r.svc.Called("Incident")
	for range 5 {
		r.refresh() // as the clock does every second
	}
	if n := r.svc.Called("Incident"); n != asked {
		t.Errorf("asked %d more times", n-asked)
	}
	r.svc.BookFunc = nil
	r.press("Try again")
	r.lacks("Try again")
}
