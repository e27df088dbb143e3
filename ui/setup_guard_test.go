package ui

import (
	"strings"
	"testing"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// gone is how a guard fails that died.
func gone() error { return app.Errorf(app.CodeGuardOffline, "dial", "no socket") }

// TestSetupWalk_guardDiesAndReturns: a guard that dies in the middle of the setup
// costs nothing that was entered, not even the secrets while the window is open.
func TestSetupWalk_guardDiesAndReturns(t *testing.T) {
	w := newWalker(t, "en")
	dies := func() {
		t.Helper()
		w.lost(gone())
		w.sees("Kvart's guard is not running")
		w.seen(w.svc.Current())
	}
	w.tap("home.button.empty")
	w.tap("setup.continue")
	for i, v := range []string{"butik", "kassa", "hemligt"} {
		w.write(2+i, v)
	}
	dies()
	w.tap("setup.continue")
	w.tap("storage.s3")
	uitest.Choose(t, w.c, "Backblaze B2")
	for i, v := range []string{"kafferosteriet-kvart", "003abc", "K003secret"} {
		w.write(i, v)
	}
	dies()
	w.svc.ProbeFunc = func(app.StorageSpec) (app.StorageReport, error) { return app.StorageReport{}, gone() }
	w.tap("setup.test")
	if uitest.Enabled(w.c, "Continue") {
		t.Fatal("a guard that does not answer proves a place")
	}
	w.svc.ProbeFunc = lockable
	dies()
	w.tap("setup.test")
	w.sees("Connection tested: written, read and locked")
	w.tap("setup.continue")
	words := w.paper()
	w.write(0, words[strings.LastIndex(words, "-")+1:])
	create, add := w.svc.CreateFunc, w.svc.AddFunc
	w.svc.CreateFunc = func(app.VaultRequest) error { return gone() }
	w.tap("setup.start")
	if w.svc.Called("AddSource") != 0 || w.paper() != words {
		t.Fatal("it goes on without a vault, or with another passphrase than the one on paper")
	}
	dies()
	if w.paper() != words {
		t.Fatal("the passphrase on paper counts no more")
	}
	w.svc.CreateFunc = create
	w.svc.AddFunc = func(q app.AddSourceRequest) error {
		if w.svc.Called("AddSource") > 1 {
			return gone()
		}
		return add(q)
	}
	w.tap("setup.start")
	w.lacks("Nothing could be added", "Making the first backup")
	dies()
	w.svc.AddFunc = add
	w.sees("Not everything you chose is protected yet", "MariaDB isn't connected yet")
	w.lacks("kassa.db isn't connected yet", "Your shop is protected")
	w.tap("setup.first.part.button")
	w.tap("setup.continue")
	if n := len(w.svc.Current().Sources); n != 3 {
		t.Errorf("%d sources", n)
	}
	w.sees("1. Save it")
}

// TestSetupWalk_draftIsRefused: that the guard can't keep how far the setup has
// come does not stand in its way, and is tried again with the next change.
func TestSetupWalk_draftIsRefused(t *testing.T) {
	w := newWalker(t, "en")
	w.svc.SetDraftFunc = func(app.SetupDraft) error { return app.Errorf(app.CodeHomeReadOnly, "keep", "full") }
	w.tap("home.button.empty")
	w.press("lager.db")
	w.tap("setup.continue")
	w.sees("Connect MariaDB")
	if !w.svc.Kept.Empty() {
		t.Fatal("kept although it was refused")
	}
	w.svc.SetDraftFunc = nil
	w.write(2, "butik")
	if n := len(w.svc.Kept.Picks); n != 3 {
		t.Errorf("keeps %+v", w.svc.Kept)
	}
}

// TestSetupWalk_noGuard: without a guard there is one button, and once there is
// one the setup goes on where it was left.
func TestSetupWalk_noGuard(t *testing.T) {
	w := newWalker(t, "sv")
	w.tap("home.button.empty")
	w.press("lager.db")
	w.rig = w.rig.again()
	w.lost(gone())
	w.lacks("kassa.db")
	w.tap("offline.start")
	w.seen(w.svc.Current())
	w.tap("home.button.goon")
	w.tap("setup.continue")
	w.tap("setup.ask.skip")
	w.sees(w.words.T("setup.where.title"))
	w.tap("back")
	names := ""
	for _, p := range w.svc.Kept.Picks {
		if !p.On {
			names += p.Name + " "
		}
	}
	if !strings.Contains(names, "lager.db") {
		t.Errorf("what was unticked before the guard went is ticked again: %+v", w.svc.Kept)
	}
}

// TestSetupWalk_notAllCouldBeAdded: a source that is refused keeps nothing else
// from being protected, and is not forgotten.
func TestSetupWalk_notAllCouldBeAdded(t *testing.T) {
	for _, lang := range []string{"en", "sv"} {
		w := newWalker(t, lang)
		add := w.svc.AddFunc
		w.svc.AddFunc = func(q app.AddSourceRequest) error {
			if q.Name == "MariaDB" {
				return app.Errorf(app.CodeSourceDenied, "add", "no").With("user", "kassa")
			}
			return add(q)
		}
		w.tap("home.button.empty")
		w.tap("setup.continue")
		w.connect()
		w.store()
		w.key()
		w.kit()
		backedUp(w.svc)
		w.page("setup.first.part.title")
		w.lacks(w.words.T("setup.first.done.title"))
		w.rig = w.rig.again()
		if n := len(w.svc.Kept.Picks); n != 1 || w.svc.Kept.Picks[0].Name != "MariaDB" {
			t.Errorf("keeps %+v", w.svc.Kept)
		}
		w.show(screen.Place{Screen: screen.Setup})
		w.tap("setup.first.part.button")
		w.sees(w.words.T("setup.ask.again.text"))
		w.svc.AddFunc = add
		w.write(4, "hemligt")
		w.shoot("walk-again-" + lang)
		w.tap("setup.continue")
		backedUp(w.svc)
		w.page("setup.first.done.title")
		w.Close()
	}
}
