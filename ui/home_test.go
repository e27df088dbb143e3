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
	for name, want := range map[string]struct{ words, button string }{
		"empty":     {"Your shop isn't protected yet", "Set up Kvart"},
		"nosources": {"Nothing is protected yet", "Choose what to protect"},
		"first":     {"The first backup isn't done yet", "Back up now"},
		"safe":      {"Your shop is safe", "Back up now"},
		"late":      {"Your backups are late", "Back up now"},
		"failed":    {"Your shop isn't being backed up", "Try again"},
		"unproven":  {"Backed up, but not proven yet", "Run a drill"},
		"paused":    {"Backups are paused until today 15:34", "Resume backups"},
	} {
		r := newRig(t, uitest.Statuses()[name])
		r.sees(want.words)
		if !uitest.Enabled(r.c, want.button) {
			t.Errorf("%s: %q cannot be pressed", name, want.button)
		}
		r.Close()
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
	var choose *widgets.Select
	for _, o := range uitest.Visible(r.c) {
		if s, ok := o.(*widgets.Select); ok {
			choose = s
		}
	}
	choose.SetSelected("Svenska")
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
	for _, want := range []string{"Home", "Sources", "History", "Recover", "Settings", "Back up now", "Something is wrong…", "strip"} {
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
