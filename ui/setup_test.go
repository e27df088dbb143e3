package ui

import (
	"regexp"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/uitest"
)

// paper reads the passphrase off the screen, as the owner would write it down.
func (r *rig) paper() string {
	r.t.Helper()
	re := regexp.MustCompile(`^[a-z2-9]{4}(-[a-z2-9]{4}){5}$`)
	for _, s := range uitest.Texts(r.c) {
		if re.MatchString(s) {
			return s
		}
	}
	r.t.Fatal("no passphrase on the screen")
	return ""
}

// throughKit makes, prints and confirms the kit in the setup.
func (r *rig) throughKit() {
	r.t.Helper()
	r.sees("1. Save it")
	if uitest.Enabled(r.c, "Continue") || uitest.Enabled(r.c, "Open it to print") {
		r.t.Error("a kit that was never made can be printed, or is enough")
	}
	r.shoot("setup-kit")
	var kit app.KitRequest
	r.svc.KitFunc = func(q app.KitRequest) error { kit = q; return nil }
	r.press("Save the page…")
	if want := "/home/asa/Kvart recovery kit 1.pdf"; kit.Files[app.KitPDF] != want || kit.Overwrite || len(kit.Files) != 1 {
		r.t.Errorf("kit %+v", kit)
	}
	opened := ""
	r.openFile = func(path string) error { opened = path; return nil }
	r.press("Open it to print")
	if opened != kit.Files[app.KitPDF] {
		r.t.Errorf("opened %q", opened)
	}
	uitest.Write(r.t, r.c, 0, "WRONG")
	r.press("Confirm")
	r.sees("That isn't the code of the newest kit")
	if uitest.Enabled(r.c, "Continue") {
		r.t.Error("a wrong code confirms the kit")
	}
	if r.c.Focused() != uitest.Fields(r.c)[0] {
		r.t.Errorf("the keyboard is at %T, not where the code was typed", r.c.Focused())
	}
	uitest.Write(r.t, r.c, 0, " 7F3K-Q2 ")
	r.shoot("setup-kit-code")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("Your kit is confirmed", "Now delete the file")
	r.press("Continue")
}

func TestSetup_wholeWay(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.sees("Your shop isn't protected yet")
	r.press("Set up Kvart")

	r.sees("What can't your shop trade without?", "/home/asa/Kassa/kassa.db", "Looks like shop data")
	r.press("lager.db") // untick
	r.press("Database file (SQLite)")
	r.sees("ny.db", "Chosen by you")
	r.press("Continue")

	r.sees("Where should the backups live?", "Can lock backups", "Not off-site")
	if uitest.Enabled(r.c, "Continue") {
		t.Fatal("the setup goes on without a place")
	}
	r.shoot("setup-where")
	r.press("Cloud storage (S3)")
	if uitest.Enabled(r.c, "Test connection") {
		t.Error("an empty form can be tested")
	}
	r.shoot("setup-where-s3")
	r.press("Disk or network folder")
	r.press("Choose…")
	if uitest.Enabled(r.c, "Continue") {
		t.Fatal("the setup goes on without a proof")
	}
	r.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) {
		return app.StorageReport{}, app.Errorf(app.CodeStorageReadOnly, "probe", "read-only")
	}
	r.press("Test connection")
	r.sees("Try again")
	r.shoot("setup-where-error")
	// The foot once took half the window when a hint came into view in it.
	next := uitest.Pressable(r.c, "Continue", 0)
	if y := fyne.CurrentApp().Driver().AbsolutePositionForObject(next).Y; y < 660 {
		t.Errorf("the foot is at %v", y)
	}
	if uitest.Enabled(r.c, "Continue") {
		t.Fatal("the setup goes on after a failed test")
	}
	r.svc.ProbeFunc = nil
	r.press("Try again")
	r.sees("It works", "640 GB free", "isn't away from the shop")
	r.shoot("setup-where-proved")
	uitest.Write(t, r.c, 0, " /media/other ") // blanks come from keys pressed on buttons
	if uitest.Enabled(r.c, "Continue") {
		t.Fatal("the proof of another place counts")
	}
	r.press("Test connection")
	r.press("Continue")

	r.sees("The key to your backups")
	words := r.paper()
	r.shoot("setup-pass")
	uitest.Write(t, r.c, 0, "xxxx")
	if uitest.Enabled(r.c, "Start protecting") {
		t.Fatal("the passphrase need not be written down")
	}
	uitest.Write(t, r.c, 0, strings.ToUpper(words[strings.LastIndex(words, "-")+1:]))
	uitest.Write(t, r.c, 1, "Kafferosteriet")
	var made app.VaultRequest
	r.svc.CreateFunc = func(q app.VaultRequest) error { made = q; return nil }
	var added []string
	r.svc.AddFunc = func(q app.AddSourceRequest) error { added = append(added, q.Name); return nil }
	running := uitest.FirstDay()
	running.Job, running.Kit = uitest.BackingUp().Job, app.KitState{}
	r.svc.BackupFunc = func([]string) (app.JobID, error) { r.svc.Push(running); return "backup-1", nil }
	uitest.Key(r.c, fyne.KeyReturn)

	if made.Shop != "Kafferosteriet" || made.Storage.Settings["path"] != "/media/other" || made.Secrets[app.PassphraseKey].Reveal() != words {
		t.Errorf("made %+v", made)
	}
	if got := strings.Join(added, " "); got != "kassa.db ny.db" {
		t.Errorf("added %q", got)
	}
	r.sees("4 Recovery kit")
	if r.svc.Called("StartBackup") != 1 {
		t.Error("the first backup waits for the kit")
	}
	r.throughKit()
	running.Kit = r.svc.Current().Kit
	r.svc.Push(running)
	r.sees("5 First backup", "Making the first backup", "281 of 1,204 files")
	r.shoot("setup-first")
	r.svc.Push(uitest.Safe())
	r.sees("Your shop is protected")
	r.press("Go to Home")
	r.sees("Your shop is safe")
}

// TestSetup_protectedOnlyWithProofAndKit: neither a backup without a kit nor
// one that was not read back is called protected.
func TestSetup_protectedOnlyWithProofAndKit(t *testing.T) {
	r := newRig(t, uitest.NoSources())
	r.press("Choose what to protect")
	r.press("Continue")
	r.sees("Your recovery kit")
	r.press("Do this later")
	r.svc.Push(uitest.Kitless())
	r.sees("One step is left")
	r.lacks("Your shop is protected")
	r.press("Make the recovery kit")
	r.sees("1. Save it")
	r.press("Do this later")
	unread := uitest.Safe()
	unread.Sources[1].Point.Verified = false
	r.svc.Push(unread)
	r.lacks("Your shop is protected", "One step is left")
	late := uitest.Safe()
	late.Verdict = app.VerdictSuspicious
	r.svc.Push(late)
	r.lacks("Your shop is protected")
	r.sees("Something else still needs a look")
	r.svc.Push(uitest.Kitless())
	r.press("Do this later")
	r.sees("One step left: your recovery kit")
}

func TestSetup_ownPassphrase(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("Set up Kvart")
	r.press("Continue")
	r.press("Disk or network folder")
	r.press("Choose…")
	r.press("Test connection")
	r.press("Continue")
	r.press("I choose my own")
	r.sees("at least 12 characters")
	uitest.Write(t, r.c, 0, "kaffe bönor regn")
	uitest.Write(t, r.c, 1, "kaffe bönor snö")
	r.sees("aren't the same")
	uitest.Write(t, r.c, 1, "kaffe bönor regn")
	got := ""
	r.svc.CreateFunc = func(q app.VaultRequest) error {
		got = q.Secrets[app.PassphraseKey].Reveal()
		return app.Errorf(app.CodeStorageFull, "create", "full")
	}
	r.press("Start protecting")
	if got != "kaffe bönor regn" {
		t.Errorf("passphrase %q", got)
	}
	r.sees("Try again")
	if r.svc.Called("AddSource") != 0 {
		t.Error("sources are added without a vault")
	}
	r.svc.CreateFunc = nil
	r.press("Try again")
	if set, err := r.svc.Settings(t.Context()); err != nil || !set.Autostart {
		t.Errorf("the guard will not start with the computer: %+v, %v", set, err)
	}
	if r.svc.Called("AddSource") != 2 || r.svc.Called("StartBackup") != 1 {
		t.Errorf("calls %v", r.svc.Calls())
	}
}

func TestSetup_existingVaultIsOpened(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) {
		return app.StorageReport{State: app.LocationVault, Free: -1}, nil
	}
	r.svc.AddFunc = func(q app.AddSourceRequest) error { return app.Errorf(app.CodeSourceExists, "add", "exists") }
	r.press("Set up Kvart")
	r.press("Continue")
	r.press("Disk or network folder")
	r.press("Choose…")
	r.press("Test connection")
	r.sees("There are Kvart backups here already")
	r.press("Continue")
	r.sees("Open the backups you have")
	if uitest.Enabled(r.c, "Start protecting") {
		t.Error("no passphrase is needed")
	}
	r.svc.OpenFunc = func(app.VaultRequest) error { return app.Errorf(app.CodeWrongPassphrase, "open", "wrong") }
	uitest.Write(t, r.c, 0, "wrong")
	r.press("Start protecting")
	r.sees("Try again")
	r.svc.OpenFunc = nil
	uitest.Write(t, r.c, 0, "right")
	r.press("Start protecting")
	if r.svc.Called("CreateVault") != 0 || r.svc.Called("OpenVault") != 2 || r.svc.Called("StartBackup") != 1 {
		t.Errorf("calls %v", r.svc.Calls())
	}
}

func TestSetup_foreignDataIsRefused(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) {
		return app.StorageReport{State: app.LocationForeign}, nil
	}
	r.press("Set up Kvart")
	r.press("Continue")
	r.press("Disk or network folder")
	r.press("Choose…")
	r.press("Test connection")
	r.sees("Try again")
	if uitest.Enabled(r.c, "Continue") {
		t.Error("somebody else's data may be written among")
	}
}

func TestSetup_canBeLeftAndTakenUpAgain(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("Set up Kvart")
	r.press("kassa.db")
	r.press("Continue")
	r.press("Disk or network folder")
	r.press("Choose…")
	r.press("Do this later")
	r.sees("The setup isn't finished")
	r.press("Go on with the setup")
	r.sees("Where should the backups live?", "/media/backup/kvart")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("What can't your shop trade without?")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("The setup isn't finished")
}

func TestSetup_onlySourcesAreMissing(t *testing.T) {
	r := newRig(t, uitest.NoSources())
	r.press("Choose what to protect")
	r.lacks("Where to store it")
	r.svc.AddFunc = func(q app.AddSourceRequest) error {
		if q.Name == "lager.db" {
			return app.Errorf(app.CodeSourceNotDB, "add", "no database")
		}
		return nil
	}
	r.press("Continue")
	if r.svc.Called("CreateVault") != 0 || r.svc.Called("StartBackup") != 1 {
		t.Errorf("calls %v", r.svc.Calls())
	}
	r.sees("Your recovery kit")
	r.press("Do this later")
	r.sees("lager.db", "What is left is listed below")
	r.svc.Push(uitest.Safe())
	r.lacks("Your shop is protected") // something that was ticked is not
	r.sees("Not everything you chose is protected yet", "lager.db isn't connected yet", "That file isn't a database")
	r.press("Go on with what is left")
	r.press("lager.db") // the owner does without
	r.press("Continue")
	r.sees("Your shop is protected")
	if r.svc.Called("AddSource") != 2 {
		t.Errorf("added again what was added: %v", r.svc.Calls())
	}
}

func TestSetup_nothingCouldBeAdded(t *testing.T) {
	r := newRig(t, uitest.NoSources())
	r.svc.AddFunc = func(q app.AddSourceRequest) error { return app.Errorf(app.CodeSourceNotDB, "add", "no database") }
	r.press("Choose what to protect")
	r.press("Continue")
	r.sees("Nothing could be added")
	if r.svc.Called("StartBackup") != 0 {
		t.Error("nothing is backed up")
	}
	r.press("Choose again")
	r.sees("What can't your shop trade without?")
}

func TestSetup_reconnect(t *testing.T) {
	s := uitest.Failed()
	s.Problems = []app.Problemed{{Error: &app.Error{Code: app.CodeSecretMissing}}}
	r := newRig(t, s)
	r.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) {
		return app.StorageReport{State: app.LocationEmpty}, nil
	}
	r.press("Enter the details again")
	r.press("Choose…")
	r.press("Test connection")
	if uitest.Enabled(r.c, "Continue") {
		t.Error("an empty place is taken for the vault")
	}
	r.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) {
		return app.StorageReport{State: app.LocationVault}, nil
	}
	r.press("Test connection")
	r.press("Continue")
	uitest.Write(t, r.c, 0, "the passphrase")
	r.press("Start protecting")
	if r.svc.Called("OpenVault") != 1 || r.svc.Called("CreateVault")+r.svc.Called("AddSource") != 0 {
		t.Errorf("calls %v", r.svc.Calls())
	}
	r.sees("You would lose at most")
}
