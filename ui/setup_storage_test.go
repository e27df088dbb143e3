package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/app"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

// toStorage goes to the page about where to store, with a kind chosen.
func (r *rig) toStorage(kind string) {
	r.t.Helper()
	r.press("Set up Kvart")
	r.press("Continue")
	r.press(kind)
}

func lockable(app.StorageSpec) (app.StorageReport, error) {
	return app.StorageReport{State: app.LocationEmpty, OffSite: true, CanLock: true, Free: -1}, nil
}

// fillS3 fills in what the cloud storage asks, but for the address.
func (r *rig) fillS3() {
	r.t.Helper()
	uitest.Choose(r.t, r.c, r.words.T("storage.s3.preset.b2"))
	for i, v := range []string{"kafferosteriet-kvart", "003abc", "K003secret"} {
		uitest.Write(r.t, r.c, i, v)
	}
}

func TestSetup_presetAndLock(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.toStorage("Cloud storage (S3)")
	r.fillS3()
	r.sees("Address: s3.eu-central-003.backblazeb2.com")
	r.shoot("setup-preset")
	uitest.Choose(t, r.c, "us-west-004")
	r.sees("Address: s3.us-west-004.backblazeb2.com")
	r.press("Show and change what Kvart filled in")
	if got := uitest.Fields(r.c)[0].Text; got != "s3.us-west-004.backblazeb2.com" {
		t.Errorf("the address is %q", got)
	}
	r.lacks("Lock the backups")
	var modes []string
	r.svc.ProbeFunc = func(s app.StorageSpec) (app.StorageReport, error) {
		if s.Settings["preset"] != "b2" || s.Settings["region"] != "us-west-004" {
			t.Errorf("proves %v", s.Settings)
		}
		modes = append(modes, s.Settings["lock_mode"])
		return lockable(s)
	}
	r.press("Test connection")
	if len(modes) != 2 || modes[0] != "" || modes[1] != "governance" {
		t.Errorf("proves %q: first the place, then its lock", modes)
	}
	r.sees("Lock the backups", "Can't be deleted for 30 days")
	r.shoot("setup-lock")
	uitest.Choose(t, r.c, "90 days")
	made := r.make()
	if got := made.Storage.Settings; got["lock_mode"] != "governance" || got["lock_days"] != "90" || made.AcceptCompliance {
		t.Errorf("made %v, accepted %v", got, made.AcceptCompliance)
	}
}

// make goes on from a proven place and returns what is made.
func (r *rig) make() (made app.VaultRequest) {
	r.t.Helper()
	r.svc.CreateFunc = func(q app.VaultRequest) error { made = q; return nil }
	r.press("Continue")
	words := r.paper()
	uitest.Write(r.t, r.c, 0, words[strings.LastIndex(words, "-")+1:])
	r.press("Start protecting")
	return made
}

func TestSetup_noLockIsTheOwnersChoice(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = lockable
	r.toStorage("Cloud storage (S3)")
	r.fillS3()
	r.press("Test connection")
	r.press("No lock")
	if got := r.make().Storage.Settings; got["lock_mode"] != "" {
		t.Errorf("made %v", got)
	}
}

func TestSetup_lockForEverIsReadFirst(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = lockable
	r.toStorage("Cloud storage (S3)")
	r.fillS3()
	r.press("Test connection")
	r.press("A lock that nobody can undo…")
	r.sees("You pay for the storage until the lock ends")
	r.shoot("setup-forever")
	if uitest.Enabled(r.c, "Lock for 30 days, for good") || uitest.Enabled(r.c, "Continue") {
		t.Fatal("it can be chosen unread")
	}
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Can't be deleted for 30 days")
	r.press("A lock that nobody can undo…")
	r.press("I have read this, and I know that nobody can undo it")
	r.press("Lock for 30 days, for good")
	r.sees("Nobody can delete for 30 days")
	made := r.make()
	if made.Storage.Settings["lock_mode"] != "compliance" || !made.AcceptCompliance {
		t.Errorf("made %v, accepted %v", made.Storage.Settings, made.AcceptCompliance)
	}
}

func TestSetup_warningsAreSaid(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) {
		return app.StorageReport{State: app.LocationEmpty, Free: 3_000_000_000, Warnings: []*app.Error{
			(&app.Error{Code: app.CodeStorageLittle}).With("free", "3 GB"), {Code: app.CodeStorageSkew},
		}}, nil
	}
	r.toStorage("Disk or network folder")
	r.press("Choose…")
	r.press("Test connection")
	r.sees("There is little room left", "Only 3 GB is left", "The storage's clock is off")
	if !uitest.Enabled(r.c, "Continue") {
		t.Error("a warning stands in the way")
	}
	r.shoot("setup-warnings")
}

// sftp goes to a filled-in form of a server.
func (r *rig) sftp() {
	r.t.Helper()
	r.toStorage(r.words.T("storage.sftp"))
	for i, v := range []string{"backup.example", "kvart", "hemligt", "kvart"} {
		uitest.Write(r.t, r.c, i, v)
	}
}

func TestSetup_strangerIsConfirmed(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = func(s app.StorageSpec) (app.StorageReport, error) {
		if s.Settings["host_key"] == "" {
			return app.StorageReport{}, app.Errorf(app.CodeHostKeyUnknown, "probe", "first contact").
				With("fingerprint", "SHA256:9b4u").With("host_key", "ssh-ed25519 AAAA")
		}
		if s.Settings["host_key"] != "ssh-ed25519 AAAA" {
			t.Errorf("host key %q", s.Settings["host_key"])
		}
		return app.StorageReport{State: app.LocationEmpty, OffSite: true, Free: -1}, nil
	}
	r.sftp()
	r.press("Test connection")
	r.sees("Is this your server?", "SHA256:9b4u")
	r.shoot("setup-stranger")
	if uitest.Enabled(r.c, "Continue") {
		t.Fatal("a stranger is trusted")
	}
	// Whoever holds Enter down has not looked.
	uitest.Key(r.c, fyne.KeyReturn)
	r.lacks("SHA256:9b4u")
	r.press("Test connection")
	r.press("Yes, it is my server")
	r.sees("It works")
	if !uitest.Enabled(r.c, "Continue") {
		t.Error("the owner's server is not taken")
	}
}

func TestSetup_changedServerIsAStop(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.sftp()
	r.press("Test connection")
	if !uitest.Enabled(r.c, "Continue") {
		t.Fatal("not proven")
	}
	r.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) {
		return app.StorageReport{}, app.Errorf(app.CodeHostKeyChanged, "probe", "another").With("fingerprint", "SHA256:zzz")
	}
	r.press("Test connection")
	r.sees("That isn't the server it was")
	r.lacks("Is this your server?", "It works")
	if uitest.Enabled(r.c, "Continue") || uitest.Pressable(r.c, "Try again", 0) != nil {
		t.Error("the proof from before counts, or it is tried until it fits")
	}
}

func TestSetup_openingAsksWhosePlace(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) {
		return app.StorageReport{State: app.LocationVault, Free: -1}, nil
	}
	var asked []app.ComputerID
	r.svc.OpenFunc = func(q app.VaultRequest) error {
		if asked = append(asked, q.Replaces); q.Replaces == app.AskComputer {
			return app.Errorf(app.CodeComputerWhich, "open", "which").With("choices", "Gamla kassan, Kontoret, none")
		}
		return nil
	}
	r.toStorage("Disk or network folder")
	r.press("Choose…")
	r.press("Test connection")
	r.press("Continue")
	uitest.Write(t, r.c, 0, "the passphrase")
	r.press("Start protecting")
	r.sees("Whose place does this computer take?")
	r.shoot("setup-which")
	r.press("It joins the others")
	if len(asked) != 2 || asked[1] != app.NoComputer || r.svc.Called("AddSource") == 0 {
		t.Errorf("asked %v, calls %v", asked, r.svc.Calls())
	}
}

// TestSetup_lockThatDoesNotHold: a place whose lock fails can be used without
// one, and says so; it is never taken for locked.
func TestSetup_lockThatDoesNotHold(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = func(s app.StorageSpec) (app.StorageReport, error) {
		if s.Settings["lock_mode"] != "" {
			return app.StorageReport{}, app.Errorf(app.CodeLockOpen, "probe", "deleted")
		}
		return lockable(s)
	}
	r.toStorage("Cloud storage (S3)")
	r.fillS3()
	r.press("Test connection")
	r.sees("The lock doesn't hold", "It works")
	r.press("Can't be deleted for 30 days")
	r.sees("The lock doesn't hold")
	if got := r.make().Storage.Settings; got["lock_mode"] != "" {
		t.Errorf("made %v", got)
	}
}

// TestSetup_storageByKeyboard: drawing the page anew does not send the keyboard
// back to its beginning.
func TestSetup_storageByKeyboard(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.ProbeFunc = lockable
	r.press("Set up Kvart")
	r.press("Continue")
	press := func(name string, key fyne.KeyName) {
		t.Helper()
		for range 60 {
			if o, ok := r.c.Focused().(fyne.CanvasObject); ok && o == uitest.Pressable(r.c, name, 0) {
				uitest.Key(r.c, key)
				if key == fyne.KeySpace {
					r.c.Focused().TypedRune(' ') // as the driver does
				}
				return
			}
			test.FocusNext(r.c)
		}
		t.Fatalf("%q cannot be reached", name)
	}
	press("Cloud storage (S3)", fyne.KeySpace)
	if c, ok := r.c.Focused().(*widgets.Choice); !ok || c.Name() != "Cloud storage (S3)" {
		t.Fatalf("the keyboard is at %T", r.c.Focused())
	}
	r.fillS3()
	press("Test connection", fyne.KeyReturn)
	if c, ok := r.c.Focused().(*widgets.Choice); !ok || c.Name() != "Can't be deleted for 30 days" {
		t.Fatalf("the keyboard is at %T", r.c.Focused())
	}
	press("A lock that nobody can undo…", fyne.KeySpace)
	press("I have read this, and I know that nobody can undo it", fyne.KeySpace)
	press("Lock for 30 days, for good", fyne.KeySpace)
	if !uitest.Enabled(r.c, "Continue") {
		t.Error("the way does not go on")
	}
}
