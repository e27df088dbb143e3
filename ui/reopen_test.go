package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// kitFile writes a kit's text and makes the file dialog choose it.
func (r *rig) kitFile(text string) string {
	r.t.Helper()
	path := filepath.Join(r.t.TempDir(), "kit.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	r.pickFile = func(done func(string)) { done(path) }
	return path
}

const kitText = "-----BEGIN KVART RECOVERY KIT-----\nsecret words\n-----END KVART RECOVERY KIT-----\n"

func TestReopen_withAKit(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("I have a recovery kit")
	if uitest.Enabled(r.c, "Open my backups") {
		t.Fatal("nothing is enough")
	}
	r.shoot("reopen")
	r.kitFile("a shopping list")
	r.press("Choose a file…")
	r.press("Open my backups")
	r.sees("That can't be read as a recovery kit")
	r.kitFile(kitText)
	r.press("Choose a file…")
	r.sees("Read from kit.txt")
	r.lacks("secret words") // never shown
	var got app.VaultRequest
	back := uitest.MissingSecret()
	r.svc.OpenFunc = func(q app.VaultRequest) error {
		got = q
		r.svc.Push(back)
		return nil
	}
	uitest.Key(r.c, fyne.KeyReturn)
	if got.Secrets[app.KitKey].Reveal() != strings.TrimSpace(kitText) || !got.Storage.AsOf.IsZero() || len(got.Invitation) > 0 {
		t.Errorf("opened with %+v", got)
	}
	r.sees("Your backups are open again", "3 sources came back")
	r.shoot("reopen-done")
	r.press("Go to Home")
	r.sees("A password is missing on this computer")
}

func TestReopen_sourceNeedsItsPasswordAgain(t *testing.T) {
	r := newRig(t, uitest.Empty())
	forms := uitest.Forms()
	forms.Sources[0].Fields = append(forms.Sources[0].Fields, app.Field{Key: "password", Type: app.FieldSecret, Required: true})
	r.svc.FormsFunc = func() app.Forms { return forms }
	r.svc.OpenFunc = func(app.VaultRequest) error { r.svc.Push(uitest.MissingSecret()); return nil }
	r.press("I have a recovery kit")
	r.kitFile(kitText)
	r.press("Choose a file…")
	r.press("Open my backups")
	r.sees("Lager needs its password again", "Passwords are never in the backups")
	r.shoot("reopen-secret")
	if uitest.Enabled(r.c, "Check and save") {
		t.Error("no password is needed")
	}
	var got app.ChangeSourceRequest
	r.svc.ChangeFunc = func(q app.ChangeSourceRequest) error { got = q; return nil }
	uitest.Write(t, r.c, 1, "hemligt")
	r.press("Check and save")
	if got.Source != "Lager" || got.Secrets["password"].Reveal() != "hemligt" || len(got.Settings) != 0 {
		t.Errorf("changed %+v", got)
	}
	r.lacks("Lager needs its password again")
}

func TestReopen_typedKitIsNotShownAgain(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("I have a recovery kit")
	uitest.Write(t, r.c, 0, "KVART secret words")
	r.press("I have an invitation")
	r.press("I have the recovery kit")
	r.lacks("secret words")
	r.sees("Filled in")
	if !uitest.Enabled(r.c, "Open my backups") {
		t.Error("what was typed is lost")
	}
	r.press("Fill in again")
	if uitest.Enabled(r.c, "Open my backups") {
		t.Error("an emptied kit is enough")
	}
}

func TestReopen_withAnInvitation(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("I have a recovery kit")
	r.press("I have an invitation")
	r.kitFile("sealed")
	r.press("Choose a file…")
	if uitest.Enabled(r.c, "Open my backups") {
		t.Error("the code is not needed")
	}
	uitest.Write(t, r.c, 0, " mild-kopp-4217 ")
	r.shoot("reopen-invitation")
	var got app.VaultRequest
	r.svc.OpenFunc = func(q app.VaultRequest) error { got = q; return nil }
	r.press("Open my backups")
	if string(got.Invitation) != "sealed" || got.Secrets[app.InvitationKey].Reveal() != "mild-kopp-4217" || len(got.Secrets) != 1 {
		t.Errorf("opened with %+v", got)
	}
	r.sees("This computer has joined the others", "Nothing on it is protected yet")
	r.press("Choose what to protect")
	r.sees("What can't your shop trade without?")
}

func TestReopen_replacesOneOfSeveral(t *testing.T) {
	r := newRig(t, uitest.Empty())
	var asked []app.ComputerID
	r.svc.OpenFunc = func(q app.VaultRequest) error {
		if asked = append(asked, q.Replaces); q.Replaces == app.AskComputer {
			return app.Errorf(app.CodeComputerWhich, "open", "which").With("choices", "Gamla kassan, Kontoret, none")
		}
		r.svc.Push(uitest.Safe())
		return nil
	}
	r.press("I have a recovery kit")
	r.kitFile(kitText)
	r.press("Choose a file…")
	r.press("Open my backups")
	r.sees("Whose place does this computer take?", "may store nothing any more")
	r.shoot("reopen-which")
	r.press("It replaces Gamla kassan")
	if len(asked) != 2 || asked[1] != "Gamla kassan" {
		t.Errorf("asked %v", asked)
	}
	r.sees("3 sources came back")
}

func TestReopen_hiddenBackupsOpenAsTheyWere(t *testing.T) {
	r := newRig(t, uitest.Empty())
	at := uitest.Past().Vault.AsOf
	r.svc.OpenFunc = func(q app.VaultRequest) error {
		switch {
		case q.Storage.AsOf.IsZero():
			return app.Errorf(app.CodeVaultHidden, "open", "hidden").With("at", at.UTC().Format("2006-01-02T15:04:05Z07:00"))
		case !q.Storage.AsOf.Equal(at) || q.Secrets[app.KitKey].IsZero():
			t.Errorf("opened with %+v", q)
		}
		past := uitest.Past()
		r.svc.Push(past)
		return nil
	}
	r.press("I have a recovery kit")
	r.kitFile(kitText)
	r.press("Choose a file…")
	r.press("Open my backups")
	r.sees("Somebody has deleted or hidden the backups", "the storage still has them", "Change them at your storage provider")
	r.shoot("reopen-hidden")
	r.press("Open as it was yesterday 12:34")
	r.sees("Your backups, as they were yesterday 12:34", "You can restore from them")
	r.shoot("reopen-past")
	r.press("Restore my shop")
	r.sees("What happened?")
	r.press("Home")
	r.lacks("Your shop is safe")
}

// TestReopen_languageThatComesBack: the settings that come back may hold
// another language, which makes every screen anew in the middle of it.
func TestReopen_languageThatComesBack(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.svc.OpenFunc = func(app.VaultRequest) error {
		s := uitest.Safe()
		s.Language = "sv"
		r.svc.Push(s)
		return nil
	}
	r.press("I have a recovery kit")
	r.kitFile(kitText)
	r.press("Choose a file…")
	r.press("Open my backups")
	r.sees("Dina säkerhetskopior är öppna igen")
	r.lacks("⟦")
}

func TestReopen_canBeLeft(t *testing.T) {
	r := newRig(t, uitest.Empty())
	r.press("Set up Kvart")
	r.press("I have a recovery kit")
	r.press("Choose the place")
	r.sees("What can't your shop trade without?")
	r.show(screen.Place{Screen: screen.Reopen})
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Your shop isn't protected yet")
}

func TestSources_passwordIsEnteredAgain(t *testing.T) {
	r := newRig(t, uitest.MissingSecret())
	forms := uitest.Forms()
	forms.Sources[0].Fields = append(forms.Sources[0].Fields, app.Field{Key: "password", Type: app.FieldSecret, Required: true})
	r.svc.FormsFunc = func() app.Forms { return forms }
	r.press("Enter the password")
	r.sees("Lager needs its password again")
	r.svc.ChangeFunc = func(app.ChangeSourceRequest) error {
		return app.Errorf(app.CodeSourceUnreadable, "check", "refused").With("source", "Lager")
	}
	uitest.Write(t, r.c, 1, "fel")
	r.press("Check and save")
	r.sees("Kvart isn't allowed to read Lager")
	r.svc.ChangeFunc = nil
	uitest.Write(t, r.c, 1, "hemligt")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("What Kvart protects")
	r.lacks("Enter the password")

	r.press("Change…") // with the password kept
	r.sees("Leave empty to keep the one Kvart has")
	if !uitest.Enabled(r.c, "Check and save") {
		t.Error("the password that is kept has to be typed again")
	}
}
