package ui

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/app"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func TestSafety_tellsTheRule(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.press("Safety")
	r.sees("3-2-1-1-0", "All five hold", "kafferosteriet-kvart, USB-disken", "the storage refused to delete", "Valid", "Full in about 5 months at this pace")
	r.shoot("safety-good")
	r.svc.Push(uitest.Bare())
	r.sees("Not all hold", "Add a second place below", "Not proven. Last practice restore", "Not made", "No lock")
	r.lacks("All five hold", "Full in about")
	r.shoot("safety-bare")
	s := uitest.Sheltered()
	s.Rule = nil
	r.svc.Push(s)
	r.sees("Kvart doesn't know yet")
	r.lacks("All five hold")
}

func TestSafety_lockIsTried(t *testing.T) {
	s := uitest.Sheltered()
	s.LockProof = nil
	r := newRig(t, s)
	r.press("Safety")
	r.sees("Not tried", "it isn't known whether the lock holds")
	r.press("Try now")
	r.sees("Holds", "the storage refused")
	r.svc.LockFunc = func() (app.LockProof, error) {
		return app.LockProof{At: uitest.Now(), State: app.LockOpen}, nil
	}
	r.press("Try now")
	r.sees("Doesn't hold", "the storage deleted what should be locked")
	r.svc.LockFunc = func() (app.LockProof, error) {
		return app.LockProof{}, app.Errorf(app.CodeStorageOffline, "prove lock", "away")
	}
	r.press("Try now")
	r.sees("Kvart can't reach your storage", "Doesn't hold")
}

func TestSafety_damageIsMended(t *testing.T) {
	r := newRig(t, uitest.Damaged())
	r.press("Look at Safety")
	r.sees("2 stored pieces are damaged")
	r.shoot("safety-damaged")
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		if id != "repair-1" {
			t.Errorf("waits for %s", id)
		}
		return app.Job{ID: id, Kind: app.JobRepair, State: app.JobDone, Repair: &app.RepairReport{Damaged: 2, Restored: 1, Forgotten: 1, Points: []app.PointID{"p"}}}, nil
	}
	r.press("Mend")
	if r.svc.Called("StartRepair") != 1 {
		t.Errorf("calls %v", r.svc.Calls())
	}
	r.sees("1 of 2 damaged pieces came back", "1 piece was in no copy", "1 earlier backup can't be restored in full")
	r.svc.Push(uitest.Mending())
	r.sees("120 of 402", "Trying again: Kvart can't reach your storage")
	if uitest.Enabled(r.c, "Mend") || uitest.Enabled(r.c, "Check now") {
		t.Error("a second job can be started")
	}
	r.shoot("safety-mending")
	r.press("Stop")
	if r.svc.Called("Cancel") != 1 {
		t.Error("it cannot be stopped")
	}
}

func TestSafety_checkNow(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.press("Safety")
	r.lacks("Mend")
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		return app.Job{ID: id, Kind: app.JobCheck, State: app.JobDone, Check: &app.CheckReport{Bytes: 900_000_000}}, nil
	}
	r.press("Check now")
	r.sees("900 MB read back, and all of it was whole")
	r.svc.WaitFunc = func(id app.JobID) (app.Job, error) {
		return app.Job{ID: id, Kind: app.JobCheck, State: app.JobFailed, Error: &app.Error{Code: app.CodeStorageOffline}}, nil
	}
	r.press("Check now")
	r.sees("Kvart can't reach your storage")
	r.lacks("all of it was whole")
}

func TestSafety_copies(t *testing.T) {
	r := newRig(t, uitest.Bare())
	r.press("Safety")
	r.sees("There is none yet")
	r.press("Add a copy")
	if uitest.Enabled(r.c, "Copy here from now on") {
		t.Fatal("a copy nowhere")
	}
	r.press("Disk or network folder")
	r.press("Choose…")
	if uitest.Enabled(r.c, "Copy here from now on") {
		t.Fatal("a place that was not proven is taken")
	}
	r.press("Test connection")
	uitest.Write(t, r.c, 1, "USB-disken")
	var got app.CopyRequest
	r.svc.CopyFunc = func(q app.CopyRequest) error { got = q; return nil }
	r.shoot("safety-copy")
	r.press("Copy here from now on")
	if got.Name != "USB-disken" || got.Storage.Settings["path"] != "/media/backup/kvart" {
		t.Errorf("added %+v", got)
	}
	r.sees("USB-disken", "Nothing has been copied there yet")
	r.press("Bring in step now")
	if r.svc.Called("StartCopy") != 1 {
		t.Errorf("calls %v", r.svc.Calls())
	}
	r.press("Remove…")
	r.sees("Stop keeping USB-disken in step?")
	if r.svc.Called("RemoveCopy") != 0 {
		t.Fatal("removed without asking")
	}
	r.press("Stop copying there")
	r.lacks("USB-disken")
}

func TestSafety_copySecretsGoAlong(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.svc.ProbeFunc = lockable
	r.press("Safety")
	r.press("Add a copy")
	r.press("Cloud storage (S3)")
	r.fillS3()
	r.press("Test connection")
	r.sees("Can't be deleted for 30 days")
	r.lacks("A lock that nobody can undo…")
	var got app.CopyRequest
	r.svc.CopyFunc = func(q app.CopyRequest) error { got = q; return nil }
	r.press("Copy here from now on")
	if got.Secrets["secret_key"].Reveal() != "K003secret" || got.Storage.Settings["lock_mode"] != "governance" {
		t.Errorf("added %+v", got)
	}
}

func TestSafety_computersAndInvitation(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.press("Safety")
	r.sees("Kontoret", "Silent for days", "Replaced by Kassan", "Tidies up for all")
	r.press("Invite another computer…")
	r.sees("mild-kopp-4217", "/home/asa/Kvart invitation.kvart", "good until tomorrow 14:34")
	r.shoot("safety-invite")
	r.press("I have written it down")
	r.lacks("mild-kopp-4217")
	r.press("Invite another computer…")
	r.press("Home")
	r.press("Safety")
	r.lacks("mild-kopp-4217") // shown once
	r.svc.InviteFunc = func(string) error { return app.Errorf(app.CodeTargetExists, "invite", "exists") }
	r.press("Invite another computer…")
	r.sees("There is already something in that place")
}

func TestSafety_passphraseLeadsToANewKit(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.press("Safety")
	r.press("Change the passphrase…")
	uitest.Write(t, r.c, 0, "kaffe bönor regn")
	uitest.Write(t, r.c, 1, "kaffe bönor snö!")
	r.sees("aren't the same")
	if uitest.Enabled(r.c, "Change it and make a new kit") {
		t.Fatal("two different ones are taken")
	}
	uitest.Write(t, r.c, 1, "kaffe bönor regn")
	got := ""
	r.svc.PassphraseFunc = func(p app.Secret) error { got = p.Reveal(); return nil }
	uitest.Key(r.c, fyne.KeyReturn)
	if got != "kaffe bönor regn" {
		t.Errorf("passphrase %q", got)
	}
	r.sees("1. Save it")
	r.lacks("Your kit is confirmed")
	r.press("Home")
	r.sees("One step left", "Your recovery kit is out of date")
	r.lacks("Your shop is safe")
}

func TestSafety_newKit(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.press("Safety")
	r.press("Make a new kit")
	var kit app.KitRequest
	r.svc.KitFunc = func(q app.KitRequest) error { kit = q; return nil }
	r.press("Also as a text file, which Kvart can read on a new computer")
	r.press("Save the page…")
	if kit.Files[app.KitText] != "/home/asa/Kvart recovery kit 3.txt" {
		t.Errorf("kit %+v", kit)
	}
	r.press("Back")
	r.sees("Not confirmed") // the old one is not held to be good
	r.press("Type its code")
	uitest.Write(t, r.c, 0, "7F3K-Q2")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("Your kit is confirmed")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Valid", "3-2-1-1-0")
}

func TestSafety_withoutAVault(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("Safety")
	r.press("Set up Kvart")
	r.sees("What can't your shop trade without?")
	p := newRig(t, uitest.Past())
	p.press("Safety")
	p.sees("The backups are shown as they were")
	p.lacks("All five hold", "Check now")
}

func TestSafety_keyboardAlone(t *testing.T) {
	r := newRig(t, uitest.Sheltered())
	r.c.Focus(r.shell.items["safety"])
	uitest.Key(r.c, fyne.KeyReturn)
	seen := map[string]bool{}
	for range 40 {
		test.FocusNext(r.c)
		if b, ok := r.c.Focused().(*widgets.Button); ok {
			seen[b.Text] = true
		}
	}
	for _, want := range []string{"Make a new kit", "Try now", "Bring in step now", "Remove…", "Add a copy", "Check now", "Invite another computer…", "Change the passphrase…"} {
		if !seen[want] {
			t.Errorf("%q cannot be reached with Tab", want)
		}
	}
}
