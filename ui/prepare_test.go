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

func TestRecover_findsWhatWasDeleted(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Recover")
	r.press("Something was deleted or changed")
	uitest.Key(r.c, fyne.KeyReturn)
	if r.svc.Called("Search") != 0 {
		t.Fatal("looks for nothing")
	}
	var got app.SearchRequest
	fail := true
	r.svc.SearchFunc = func(q app.SearchRequest) (app.SearchResult, error) {
		if got = q; fail {
			return app.SearchResult{}, app.Errorf(app.CodeStorageGone, "search", "gone")
		}
		return found(), nil
	}
	uitest.Choose(t, r.c, "Lager")
	uitest.Write(t, r.c, 0, " kopp ")
	uitest.Key(r.c, fyne.KeyReturn)
	fail = false
	r.press("Try again")
	if got.Source != "Lager" || got.Text != "kopp" {
		t.Errorf("looked for %+v", got)
	}
	r.sees("2 things found", "Not there any more. Last in the backup of today 14:00", "Blå kopp 25 cl", "Still there", "12 of 40 backups")
	var planned app.RestoreRequest
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		planned = q
		return uitest.Plan(r.svc.Current(), q), nil
	}
	r.press("Produkter/kopp.jpg")
	r.press("Bring just this back…")
	if !slices.Equal(planned.Sources, []string{"Lager"}) || !slices.Equal(planned.Paths, []string{"Produkter/kopp.jpg"}) || planned.Point != "Kassan-10" {
		t.Errorf("planned %+v", planned)
	}
	r.sees("Before you click", "Bring Produkter/kopp.jpg back to Lager")
	uitest.Key(r.c, fyne.KeyEscape)

	r.press("Something was deleted or changed")
	uitest.Choose(t, r.c, "Lager")
	uitest.Write(t, r.c, 0, "kopp")
	r.press("Look for it")
	r.press("Produkter/kopp.jpg")
	r.press("Lead me through it")
	r.sees("Only this: Produkter/kopp.jpg")
	var opened app.IncidentRequest
	r.svc.IncidentFunc = func(q app.IncidentRequest) (app.Incident, error) { opened = q; return uitest.Begun(q), nil }
	r.press("Begin")
	if opened.Playbook != app.PlaybookDeleted || opened.Choice.Point != "Kassan-10" || !slices.Equal(opened.Choice.Paths, planned.Paths) {
		t.Errorf("opened %+v", opened)
	}
}

func TestRecover_newComputerOpensTheBackupsFirst(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.show(screen.Place{Screen: screen.Recover})
	r.press("The computer is lost, stolen or dead")
	r.sees("kit")
	if r.current != screen.Reopen {
		t.Errorf("went to %s", r.current)
	}
}

func TestRecover_contacts(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.Book = []app.Contact{{Role: "bank", Phone: "08-1"}, {Role: "Kassasystemet", Name: "Maria"}}
	r.press("Recover")
	r.press("Whom to call")
	r.sees("Web host", "Payment provider", "Bank", "Insurance", "IT help", "08-1", "Kassasystemet")
	if uitest.Enabled(r.c, "Save") {
		t.Error("there is nothing to save")
	}
	uitest.Write(t, r.c, 0, "Loopia")
	uitest.Write(t, r.c, 1, "021-12 82 22")
	// The guard is away for a moment: what was typed stays.
	r.lost(app.Errorf(app.CodeGuardOffline, "watch", "gone"))
	r.svc.Push(uitest.Safe())
	r.sees("Loopia")
	r.svc.ContactsFunc = func([]app.Contact) error { return app.Errorf(app.CodeHomeReadOnly, "keep", "full") }
	r.press("Save")
	r.sees("Loopia")
	r.lacks("Saved.")
	r.svc.ContactsFunc = nil
	r.press("Try again")
	r.sees("Saved.")
	want := []app.Contact{{Role: "host", Name: "Loopia", Phone: "021-12 82 22"}, {Role: "bank", Phone: "08-1"}, {Role: "Kassasystemet", Name: "Maria"}}
	if !slices.Equal(r.svc.Book, want) {
		t.Errorf("kept %+v", r.svc.Book)
	}
	r.press("Add somebody")
	uitest.Write(t, r.c, 19, "Städfirman")
	uitest.Write(t, r.c, 21, "070-1")
	r.press("Take away") // Kassasystemet
	r.press("Save")
	if last := r.svc.Book[len(r.svc.Book)-1]; len(r.svc.Book) != 3 || last != (app.Contact{Role: "Städfirman", Phone: "070-1"}) {
		t.Errorf("kept %+v", r.svc.Book)
	}
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("What happened?")
}

func TestRecover_backSoonPage(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.FormsFunc = func() app.Forms {
		f := uitest.Forms()
		f.Sources[1].Pages = true // folders
		return f
	}
	var got app.PageRequest
	var failure error
	r.svc.PageFunc = func(q app.PageRequest) (app.PageFile, error) {
		got = q
		return app.PageFile{Path: "/home/asa/kvart/page.html", Published: q.Publish}, failure
	}
	var opened string
	r.openFile = func(path string) error { opened = path; return nil }
	r.press("Recover")
	r.press("The “back soon” page")
	r.sees("About like this", "We'll be back soon", "Bilder")
	uitest.Write(t, r.c, 1, "Back at six.")
	uitest.Write(t, r.c, 2, "08-1")
	r.sees("Need something at once?")
	uitest.Choose(t, r.c, "Swedish")
	r.sees("Vi är snart tillbaka")
	uitest.Choose(t, r.c, "My own…")
	r.sees("Write the colour as #")
	if uitest.Enabled(r.c, "Save") || uitest.Enabled(r.c, "Put it up…") {
		t.Error("saved with half a colour")
	}
	uitest.Choose(t, r.c, "Blue")
	r.press("Save and see it in the browser")
	if want := (app.PageSettings{Text: "Back at six.", Phone: "08-1", Language: "sv", Color: "#1F4E79"}); got.Settings == nil || *got.Settings != want {
		t.Errorf("kept %+v", got.Settings)
	}
	if opened != "/home/asa/kvart/page.html" {
		t.Errorf("opened %q", opened)
	}
	r.press("Put it up…")
	r.sees("Show the page in place of Bilder?")
	uitest.Key(r.c, fyne.KeyEscape)
	if len(got.Publish) != 0 {
		t.Fatal("put up without a yes")
	}
	r.press("Put it up…")
	failure = app.Errorf(app.CodeSourceDenied, "publish", "no").With("source", "Bilder").With("user", "asa")
	r.press("Yes, put it up")
	r.lacks("shows the page now")
	failure = nil
	r.press("Try again")
	r.sees("Bilder shows the page now")
	if !slices.Equal(got.Publish, []string{"Bilder"}) {
		t.Errorf("put up on %v", got.Publish)
	}
	r.press("Take it down")
	r.sees("Bilder shows the shop again")
	if !slices.Equal(got.Withdraw, []string{"Bilder"}) || len(got.Publish) != 0 {
		t.Errorf("%+v", got)
	}
}

func TestRecover_checklistsOnPaper(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, uitest.Safe())
	r.pickSave = func(name string, done func(string)) { done(filepath.Join(dir, name)) }
	var got []app.PaperRequest
	r.svc.SheetFunc = func(q app.PaperRequest) ([]byte, error) { got = append(got, q); return []byte("%PDF"), nil }
	opened := ""
	r.openFile = func(path string) error { opened = path; return nil }
	r.press("Recover")
	r.press("Checklists on paper")
	uitest.PressNth(t, r.c, "Print checklist", 1)
	if len(got) != 1 || got[0] != (app.PaperRequest{Playbook: app.PlaybookHacked, Format: app.ReportPDF}) {
		t.Errorf("asked for %+v", got)
	}
	if b, err := os.ReadFile(opened); err != nil || string(b) != "%PDF" {
		t.Errorf("%s: %q, %v", opened, b, err)
	}
}

func TestRecover_drillsInWords(t *testing.T) {
	s := uitest.Safe()
	s.Sources[0].Proof, s.Sources[1].Proof, s.Sources[2].Proof = app.ProofProven, app.ProofChanged, app.ProofFailed
	r := newRig(t, s)
	r.svc.DrillsFunc = func(string) ([]app.DrillResult, error) { return nil, app.Errorf(app.CodeInternal, "drills", "no") }
	r.press("Recover")
	r.press("All drills")
	r.svc.DrillsFunc = func(string) ([]app.DrillResult, error) { return drills(), nil }
	r.press("Try again")
	r.sees("yesterday 04:34: back in 27 s", "6 s faster than the time before", "The last ones: 27 s · 33 s", "needs proof after a change", "No drill has been run", "failed after 3 s")
	var asked []string
	r.svc.DrillFunc = func(names []string) (app.JobID, error) {
		asked = names
		st := r.svc.Current()
		st.Job = &app.Job{ID: "drill-1", Kind: app.JobDrill, State: app.JobRunning, Step: app.StepRestore, Started: st.Now}
		r.svc.Push(st)
		return "drill-1", nil
	}
	r.press("Practise with Lager")
	if !slices.Equal(asked, []string{"Lager"}) {
		t.Errorf("practised with %v", asked)
	}
	r.sees("Practising a restore")
}

func TestHome_asksWhetherItWasYou(t *testing.T) {
	r := newRig(t, uitest.Suspicious())
	r.sees("Bilder: was this you?", "412 files carry .lockbit", "The one of today 14:09")
	var answers []bool
	r.svc.AnswerFunc = func(q app.AnswerRequest) error {
		answers = append(answers, q.Yes)
		if len(answers) == 1 {
			return app.Errorf(app.CodeBusy, "answer", "a run is under way")
		}
		return nil
	}
	r.press("Yes, it was me")
	r.sees("Are you sure that it was you?")
	uitest.Key(r.c, fyne.KeyEscape)
	if len(answers) != 0 {
		t.Fatal("an alarm was waved away with one press")
	}
	r.press("Yes, it was me")
	r.press("Yes, I am sure")
	r.sees("was this you?") // it did not get through
	r.press("Try again")
	if !slices.Equal(answers, []bool{true, true}) {
		t.Errorf("answered %v", answers)
	}
	r.lacks("was this you?")
	r.sees("Your shop is safe")
}

func TestHome_itWasNotMe(t *testing.T) {
	r := newRig(t, uitest.Suspicious())
	r.svc.AnswerFunc = func(q app.AnswerRequest) error {
		i := uitest.Begun(app.IncidentRequest{Playbook: app.PlaybookHacked, Note: "Bilder"})
		r.svc.Open = &i
		r.svc.Push(uitest.InIncident(r.svc.Current(), &i))
		return nil
	}
	r.press("No, it wasn't me")
	r.sees("Hacked, or the data is locked", "Unplug the network", "What you do meanwhile")
	r.press("Home")
	r.lacks("was this you?")
	r.sees("Your next step: Unplug")
}
