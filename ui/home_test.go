package ui

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/app"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func TestHome_backUpNow(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.BackupFunc = func(sources []string) (app.JobID, error) {
		if sources != nil {
			t.Errorf("backs up only %v", sources)
		}
		r.svc.Push(uitest.BackingUp())
		return "backup-1", nil
	}
	r.press("Back up now")
	r.sees("Reading and storing: Bilder", "281 of 1,204 files", "MB/s")
	if uitest.Pressable(r.c, "Back up now", 0) != nil {
		t.Error("a second backup can be started")
	}
	var stopped app.JobID
	r.svc.CancelFunc = func(id app.JobID) error { stopped = id; return nil }
	r.press("Stop")
	if stopped != "backup-1" {
		t.Errorf("stopped %q", stopped)
	}
	if uitest.Enabled(r.c, "Stop") {
		t.Error("it can be stopped twice")
	}
	r.svc.Push(uitest.Safe())
	r.lacks("Reading and storing")
	if !uitest.Enabled(r.c, "Back up now") {
		t.Error("no further backup can be started")
	}
}

func TestHome_whatGoesWrongIsExplainedAndTriedAgain(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.svc.BackupFunc = func([]string) (app.JobID, error) { return "", app.Errorf(app.CodeBusy, "start", "busy") }
	r.press("Back up now")
	r.sees("Kvart is busy just now", "Wait until it is done")
	r.svc.BackupFunc = nil
	r.press("Try again")
	r.lacks("Kvart is busy just now")
	if n := r.svc.Called("StartBackup"); n != 2 {
		t.Errorf("asked %d times", n)
	}
}

func TestHome_everyStateHasItsWordsAndItsButton(t *testing.T) {
	r := newRig(t, uitest.Safe())
	for name, want := range map[string]struct{ words, button string }{
		"empty":     {"Your shop isn't protected yet", "Set up Kvart"},
		"nosources": {"Nothing is protected yet", "Choose what to protect"},
		"first":     {"The first backup isn't done yet", "Back up now"},
		"safe":      {"Your shop is safe", "Back up now"},
		"late":      {"Your backups are late", "Back up now"},
		"failed":    {"Kvart can't reach your storage", "Try again"},
		"unproven":  {"Backed up, but not proven yet", "Run a drill"},
		"paused":    {"Backups are paused until today 15:34", "Resume backups"},
		"kitless":   {"One step left: your recovery kit", "Make the kit"},
		"damaged":   {"Your shop isn't being backed up", "Look at Safety"},
		"past":      {"Your backups, as they were yesterday 12:34", "Restore my shop"},
		"replaced":  {"Another computer has taken over", "Use this computer"},
		"secret":    {"A password is missing on this computer", "Enter the password"},
	} {
		st := uitest.Statuses()[name]
		st.Language = "en"
		r.svc.Push(st)
		r.sees(want.words)
		if !uitest.Enabled(r.c, want.button) {
			t.Errorf("%s: %q cannot be pressed", name, want.button)
		}
	}
}

func TestHome_resumeEndsThePause(t *testing.T) {
	r := newRig(t, uitest.Paused())
	until := time.Now()
	r.svc.PauseFunc = func(u time.Time) error { until = u; return nil }
	r.press("Resume backups")
	if !until.IsZero() {
		t.Errorf("paused until %v", until)
	}
}

func TestHome_problemLeadsToWhatHelps(t *testing.T) {
	s := uitest.Failed()
	s.Problems = []app.Problemed{{Source: "Kassan", Error: &app.Error{Code: app.CodeSourceMissing}}, {Error: &app.Error{Code: app.CodeSecretMissing}}}
	r := newRig(t, s)
	r.press("Look at the sources")
	r.sees("What Kvart protects")
	r.press("Home")
	r.press("Enter the details again")
	r.sees("Where should the backups live?")
	r.lacks("1 What to protect") // only what is lacking is asked
}

func TestHome_stripTellsQuartersInWords(t *testing.T) {
	r := newRig(t, uitest.Safe())
	var strip *widgets.Strip
	for _, o := range uitest.Visible(r.c) {
		if s, ok := o.(*widgets.Strip); ok {
			strip = s
		}
	}
	r.c.Focus(strip)
	r.sees("14:30: backed up")
	for range 19 {
		uitest.Key(r.c, fyne.KeyLeft)
	}
	r.sees("09:45: backed up")
	uitest.Key(r.c, fyne.KeyRight)
	r.sees("10:00: failed. ")
	test.MoveMouse(r.c, fyne.CurrentApp().Driver().AbsolutePositionForObject(strip).AddXY(strip.Size().Width*33.5/96, 10))
	r.sees("08:15: backed up, but late")
}

func TestWindow_languageChangesAtRunTime(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	uitest.Choose(t, r.c, "Svenska")
	r.sees("Inställningar", "Språk", "Vaktar")
	r.lacks("Settings", "Language")
	if got := r.svc.Current().Language; got != "sv" {
		t.Errorf("the guard was told %q", got)
	}
	r.press("Hem")
	r.sees("Din butik är i tryggt förvar")
}

func TestSettings_uploadLimit(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	uitest.Write(t, r.c, 0, "much")
	r.sees("Write a number")
	if uitest.Enabled(r.c, "Save") {
		t.Error("nonsense can be saved")
	}
	uitest.Write(t, r.c, 0, "0,5")
	r.press("Save")
	set, err := r.svc.Settings(t.Context())
	if err != nil || set.UploadLimit != 500_000 {
		t.Errorf("limit is %d, %v", set.UploadLimit, err)
	}
	r.press("Start guarding when I log in")
	if set, _ = r.svc.Settings(t.Context()); set.Autostart || set.UploadLimit != 500_000 {
		t.Errorf("settings are %+v", set)
	}
}

func TestWindow_keyboardAlone(t *testing.T) {
	r := newRig(t, uitest.Safe())
	seen := map[string]bool{}
	for range 20 {
		test.FocusNext(r.c)
		switch f := r.c.Focused().(type) {
		case *navItem:
			seen[f.name] = true
		case *widgets.Button:
			seen[f.Text] = true
		case *widgets.Strip:
			seen["strip"] = true
		}
	}
	for _, want := range []string{"Home", "Sources", "History", "Recover", "Safety", "Settings", "Back up now", "Something is wrong…", "strip"} {
		if !seen[want] {
			t.Errorf("%q cannot be reached with Tab", want)
		}
	}
	r.c.Unfocus()
	uitest.Key(r.c, fyne.KeyReturn)
	if r.svc.Called("StartBackup") != 1 {
		t.Error("Enter does not fire the primary button")
	}
	r.c.Focus(r.shell.items["recover"])
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("What happened?")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Your shop is safe")
}

// TestHome_neverPlainlySafeWithoutAKit: without a kit the backups are lost with
// the computer, so the green sentence would be a lie.
func TestHome_neverPlainlySafeWithoutAKit(t *testing.T) {
	r := newRig(t, uitest.Safe())
	for _, kit := range []app.KitState{
		{}, {Number: 1, Made: uitest.Now()}, {Number: 1, Made: uitest.Now(), Confirmed: uitest.Now(), Void: true},
	} {
		s := uitest.Safe()
		s.Kit, s.Language = kit, "en"
		r.svc.Push(s)
		r.lacks("Your shop is safe")
		r.sees("One step left")
		s.Kit = uitest.Safe().Kit
		r.svc.Push(s)
		r.sees("Your shop is safe")
		r.lacks("One step left")
	}
}

func TestHome_kitCardLeadsToTheKit(t *testing.T) {
	r := newRig(t, uitest.Kitless())
	r.sees("Print your recovery kit")
	r.lacks("You have no recovery kit yet") // said once
	r.press("Make the kit")
	r.sees("1. Save it", "2. Print it", "3. Type back its code")
}

func TestHome_stepInAsksFirst(t *testing.T) {
	r := newRig(t, uitest.Replaced())
	r.sees("Kontoret backs up the shop in this one's place")
	r.press("Use this computer")
	r.sees("Use this computer?", "the other one stops")
	if r.svc.Called("StepIn") != 0 {
		t.Fatal("it steps in without asking")
	}
	r.shoot("home-stepin")
	uitest.Key(r.c, fyne.KeyEscape)
	r.lacks("the other one stops")
	r.press("Use this computer")
	r.press("Use this computer") // the question stands before the problem
	if r.svc.Called("StepIn") != 1 {
		t.Errorf("calls %v", r.svc.Calls())
	}
}

func TestHome_pastCanOnlyBeRestoredFrom(t *testing.T) {
	r := newRig(t, uitest.Past())
	r.lacks("Your shop is safe", "Back up now", "You would lose at most", "Next backup")
	r.sees("your shop isn't protected right now", "Showing the past")
	if uitest.Sees(r.c, "Safe up to") && !uitest.Sees(r.c, "Can be restored") {
		t.Error("the sources look safe")
	}
	r.press("Sources")
	r.sees("Can be restored", "nothing can be added or changed")
	r.press("Home")
	r.press("Make it as it was then…")
	r.sees("Make the storage as it was yesterday 12:34?")
	if r.svc.Called("Rewind") != 0 {
		t.Fatal("it rewinds without asking")
	}
	r.press("Yes, make it so")
	if r.svc.Called("Rewind") != 1 {
		t.Errorf("calls %v", r.svc.Calls())
	}
	r.sees("Your shop is safe")
}

func TestHome_notesStandBesideSafe(t *testing.T) {
	s := uitest.Safe()
	s.Notes = []app.Problemed{{Error: &app.Error{Code: app.CodeLockOpen}}}
	r := newRig(t, s)
	r.sees("Your shop is safe", "The lock doesn't hold")
	r.press("Look at Safety")
	r.sees("3-2-1-1-0")
}

func TestHome_tryingAgainIsSaid(t *testing.T) {
	s := uitest.BackingUp()
	r := newRig(t, s)
	r.lacks("Trying again")
	job := *s.Job
	job.Trying = &app.Error{Code: app.CodeStorageOffline}
	s.Job = &job
	r.svc.Push(s)
	r.sees("Trying again: Kvart can't reach your storage")
	r.shoot("home-trying")
}

func TestSettings_keepAndQuietHours(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Settings")
	r.sees("every month for 24 months")
	r.press("Long, for bookkeeping") // keeps more: nothing is lost by that
	set, err := r.svc.Settings(t.Context())
	if err != nil || set.Keep.Monthly != 96 {
		t.Fatalf("keeps %+v, %v", set.Keep, err)
	}
	r.press("Short")
	if set, _ = r.svc.Settings(t.Context()); set.Keep.Monthly != 96 {
		t.Fatal("backups are let go without asking")
	}
	r.sees("can't be had back")
	r.press("No, leave it")
	r.press("Short")
	r.press("Yes, keep them shorter")
	if set, _ = r.svc.Settings(t.Context()); set.Keep.Monthly != 3 {
		t.Errorf("keeps %+v", set.Keep)
	}
	r.press("Own numbers…")
	r.shoot("settings-keep")
	fields := uitest.Fields(r.c)
	fields[len(fields)-1].SetText("x")
	if uitest.Enabled(r.c, "Keep backups so") {
		t.Error("nonsense can be kept")
	}
	fields[len(fields)-1].SetText("12")
	r.press("Keep backups so")
	if set, _ = r.svc.Settings(t.Context()); set.Keep.Monthly != 12 || set.Keep.Latest != 96 {
		t.Errorf("keeps %+v", set.Keep)
	}
	uitest.Choose(t, r.c, "22:00")
	if set, _ = r.svc.Settings(t.Context()); set.QuietFrom != 22 || set.QuietTo != 7 {
		t.Errorf("quiet from %d to %d", set.QuietFrom, set.QuietTo)
	}
}
