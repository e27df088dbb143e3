package agent

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kvart/app"
)

// plainPress prints kits without any art.
type plainPress struct{}

type plainKit struct {
	Number     int
	VaultID    string
	Kind       app.Kind
	Settings   map[string]string
	Passphrase string
	Blobs      map[string][]byte
	Expires    time.Time
}

func (plainPress) Code(k app.Kit) string { return fmt.Sprintf("AB%02d-%s", k.Number, k.VaultID[:2]) }

func (plainPress) Text(k app.Kit, _ string) (app.Secret, error) {
	b, err := json.Marshal(plainKit{k.Number, k.VaultID, k.Storage.Kind, k.Storage.Settings, k.Passphrase.Reveal(), k.Blobs, k.Expires})
	return app.NewSecret(string(b)), err
}

func (p plainPress) PDF(k app.Kit, language string) (app.Secret, error) { return p.Text(k, language) }

func (plainPress) Parse(text app.Secret) (app.Kit, error) {
	var k plainKit
	if err := json.Unmarshal([]byte(text.Reveal()), &k); err != nil {
		return app.Kit{}, &app.Error{Code: app.CodeKitUnreadable, Err: err}
	}
	return app.Kit{
		Number: k.Number, VaultID: k.VaultID, Passphrase: app.NewSecret(k.Passphrase), Blobs: k.Blobs, Expires: k.Expires,
		Storage: app.StorageSpec{Kind: k.Kind, Settings: k.Settings},
	}, nil
}

func (p plainPress) Seal(k app.Kit) ([]byte, app.Secret, error) {
	s, err := p.Text(k, "")
	return []byte(s.Reveal()), app.NewSecret("SESAM"), err
}

func (p plainPress) Unseal(sealed []byte, code app.Secret, now time.Time) (app.Kit, error) {
	if code.Reveal() != "SESAM" {
		return app.Kit{}, &app.Error{Code: app.CodeInvitationWrong}
	}
	k, err := p.Parse(app.NewSecret(string(sealed)))
	if err == nil && now.After(k.Expires) {
		return k, &app.Error{Code: app.CodeInvitationOld}
	}
	return k, err
}

// makeKit makes a kit and returns its text.
func (s *shopTest) makeKit() (app.KitState, app.Secret) {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "kit.txt")
	st, err := s.MakeKit(s.t.Context(), app.KitRequest{Files: map[app.KitFormat]string{app.KitText: path}})
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		s.t.Errorf("the kit is readable for others: %v, %v", info.Mode(), err)
	}
	return st, app.NewSecret(string(b))
}

func wantCode(t *testing.T, err error, want app.Code) {
	t.Helper()
	if got := app.CodeOf(err); got != want {
		t.Errorf("code %q (%v), want %q", got, err, want)
	}
}

func TestKit_isGoodOnlyWhenTypedBackAndStillSo(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	if k := s.status().Kit; k.Good() {
		t.Errorf("good before there is one: %+v", k)
	}
	_, err := s.ConfirmKit(t.Context(), "AB01")
	wantCode(t, err, app.CodeKitMissing)
	st, _ := s.makeKit()
	if st.Number != 1 || st.Good() {
		t.Errorf("made %+v", st)
	}
	_, err = s.ConfirmKit(t.Context(), "AB99")
	wantCode(t, err, app.CodeKitCode)
	id := s.Store.Document().Vault.ID
	if st, err := s.ConfirmKit(t.Context(), " ab01 "+id[:2]); err != nil || !st.Good() {
		t.Errorf("confirmed %+v, %v", st, err)
	}
	// another kit needs its own code
	if st, _ := s.makeKit(); st.Number != 2 || st.Good() {
		t.Errorf("the second is %+v", st)
	}
	if _, err := s.ConfirmKit(t.Context(), "AB02"+id[:2]); err != nil {
		t.Fatal(err)
	}
	err = s.ChangePassphrase(t.Context(), app.PassphraseRequest{Secrets: app.Secrets{app.PassphraseKey: app.NewSecret("en helt annan fras")}})
	if err != nil {
		t.Fatal(err)
	}
	if k := s.status().Kit; k.Good() || !k.Void {
		t.Errorf("after a new passphrase: %+v", k)
	}
	s.crash()
	s.shop.set("kassan", "k2")
	if j := s.backup(); j.State != app.JobDone {
		t.Errorf("the new passphrase was not kept: %v", j.Error)
	}
}

func TestKit_isNotWrittenOverAnything(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	path := filepath.Join(t.TempDir(), "letter.txt")
	if err := os.WriteFile(path, []byte("dear"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := app.KitRequest{Files: map[app.KitFormat]string{app.KitPDF: path}}
	_, err := s.MakeKit(t.Context(), r)
	wantCode(t, err, app.CodeTargetExists)
	if b, _ := os.ReadFile(path); string(b) != "dear" {
		t.Errorf("the file holds %q", b)
	}
	r.Files[app.KitPDF] = filepath.Join(t.TempDir(), "no", "such", "kit.pdf")
	_, err = s.MakeKit(t.Context(), r)
	wantCode(t, err, app.CodePathUnknown)
	r.Files[app.KitPDF] = "kit.pdf"
	_, err = s.MakeKit(t.Context(), r)
	wantCode(t, err, app.CodeUsage)
}

func TestNewComputer_withNothingButTheKit(t *testing.T) {
	t.Parallel()
	old := newShopTest(t)
	old.backup()
	_, text := old.makeKit()
	s := old.another("Ny dator")
	_, err := s.OpenVault(t.Context(), app.VaultRequest{Secrets: app.Secrets{app.KitKey: app.NewSecret("not a kit")}})
	wantCode(t, err, app.CodeKitUnreadable)
	if _, err := s.OpenVault(t.Context(), app.VaultRequest{Secrets: app.Secrets{app.KitKey: text}}); err != nil {
		t.Fatal(err)
	}
	if k := s.status().Kit; !k.Good() || k.Number != 1 {
		t.Errorf("the kit that opened the vault is %+v", k)
	}
	s.shop.set("kassan", "wrecked")
	if j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}})); j.State != app.JobDone {
		t.Fatalf("restore: %v", j.Error)
	}
	s.wantText("kassan", "k1")
	// the old one steps back by itself, and says who took over
	old.shop.set("lager", "l2")
	j := old.backup()
	if j.Error == nil || j.Error.Code != app.CodeReplaced || j.Error.Args["computer"] != "Ny dator" {
		t.Errorf("the old computer: %v", j.Error)
	}
	old.wantVerdict(app.VerdictFailed)
	if j := s.backup(); j.State != app.JobDone {
		t.Errorf("the new computer: %v", j.Error)
	}
	// unless its owner wants it back
	if err := old.StepIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j := old.backup(); j.State != app.JobDone {
		t.Errorf("the old computer after stepping in: %v", j.Error)
	}
	s.shop.set("kassan", "k9")
	if j := s.backup(); j.Error == nil || j.Error.Code != app.CodeReplaced {
		t.Errorf("the new computer after that: %v", j.Error)
	}
}

func TestInvitation_joinsWithOwnSources(t *testing.T) {
	t.Parallel()
	first := newShopTest(t)
	first.backup()
	path := filepath.Join(t.TempDir(), "invitation")
	inv, err := first.Invite(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s := first.another("Kontoret")
	_, err = s.OpenVault(t.Context(), app.VaultRequest{Invitation: sealed, Secrets: app.Secrets{app.InvitationKey: app.NewSecret("nope")}})
	wantCode(t, err, app.CodeInvitationWrong)
	if _, err := s.OpenVault(t.Context(), app.VaultRequest{Invitation: sealed, Secrets: app.Secrets{app.InvitationKey: app.NewSecret(inv.Code)}}); err != nil {
		t.Fatal(err)
	}
	if n := len(s.Store.Document().Sources); n != 0 {
		t.Errorf("it took %d sources that are another's", n)
	}
	// a source of the same name, added before either is stored, is another
	src, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: "fake", Name: "Kassan", Settings: map[string]string{"path": "lager"}})
	if err != nil || src.ID == "kassan" {
		t.Fatalf("%+v, %v", src, err)
	}
	for _, c := range []*shopTest{first, s} {
		if j := c.backup(); j.State != app.JobDone {
			t.Fatalf("backup: %v", j.Error)
		}
	}
	// each sees the other's backups, and can restore them elsewhere only
	points, err := s.Points(t.Context(), app.PointsRequest{Source: "Lager"})
	if err != nil || len(points) != 1 {
		t.Errorf("the other's points: %+v, %v", points, err)
	}
	_, err = s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Lager"}})
	wantCode(t, err, app.CodeUsage)
	if j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Lager"}, Target: app.Target{Dir: "elsewhere/"}})); j.State != app.JobDone {
		t.Errorf("restore elsewhere: %v", j.Error)
	}
	s.wantText("elsewhere/lager", "l1")
	// a third has to say whose place it takes
	third := first.another("Ny kassa")
	_, text := first.makeKit()
	_, err = third.OpenVault(t.Context(), app.VaultRequest{Secrets: app.Secrets{app.KitKey: text}})
	wantCode(t, err, app.CodeComputerWhich)
	if third.Store.Document().Vault != nil {
		t.Error("it uses the vault although it was not said for whom")
	}
	_, err = third.OpenVault(t.Context(), app.VaultRequest{Replaces: "Nobody", Secrets: app.Secrets{app.KitKey: text}})
	wantCode(t, err, app.CodeComputerUnknown)
	if _, err := third.OpenVault(t.Context(), app.VaultRequest{Replaces: "kontoret", Secrets: app.Secrets{app.KitKey: text}}); err != nil {
		t.Fatal(err)
	}
	if d := third.Store.Document(); len(d.Sources) != 1 || d.Sources[0].ID != src.ID {
		t.Errorf("it took %+v", d.Sources)
	}
}
