package agent

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"kvart/app"
)

// chore does the one chore that is due and waits for the job it started.
func (s *shopTest) chore() {
	s.t.Helper()
	if err := s.chores(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	for _, j := range s.running() {
		if _, err := s.Wait(s.t.Context(), j.snapshot().ID); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *shopTest) addCopy(name string) {
	s.t.Helper()
	_, err := s.AddCopy(s.t.Context(), app.CopyRequest{Name: name, Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": name}}})
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shopTest) copyState(name string) app.CopyState {
	s.t.Helper()
	for _, c := range s.status().Copies {
		if c.Name == name {
			return c.State
		}
	}
	s.t.Fatalf("no copy %s", name)
	return ""
}

func TestCopy_followsAndSaysHowItStands(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.addCopy("usb")
	if st := s.copyState("usb"); st != app.CopyNew {
		t.Errorf("new copy is %s", st)
	}
	_, err := s.AddCopy(t.Context(), app.CopyRequest{Name: "USB", Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": "x"}}})
	wantCode(t, err, app.CodeCopyExists)
	_, err = s.AddCopy(t.Context(), app.CopyRequest{Name: "again", Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": "v"}}})
	wantCode(t, err, app.CodeCopyExists)
	if j := s.job(s.StartCopy(t.Context(), nil)); j.State != app.JobDone || len(j.Copies) != 1 || j.Copies[0].State != app.CopyInStep {
		t.Fatalf("copied: %+v, %v", j.Copies, j.Error)
	}
	s.vaults.FailCopy = func(app.StorageSpec) error { return app.Errorf(app.CodeStorageGone, "copy", "unplugged") }
	if j := s.job(s.StartCopy(t.Context(), []string{"usb"})); j.State != app.JobFailed {
		t.Errorf("an unplugged disk: %+v", j)
	}
	if st := s.copyState("usb"); st != app.CopyAway {
		t.Errorf("unplugged it is %s", st)
	}
	s.wantVerdict(app.VerdictSafe) // the backups themselves go on
	// what it holds is remembered over a crash
	s.crash()
	if c := s.status().Copies[0]; c.InStep.IsZero() || c.Last == nil {
		t.Errorf("after a crash: %+v", c)
	}
	if err := s.RemoveCopy(t.Context(), "usb"); err != nil {
		t.Fatal(err)
	}
	if len(s.status().Copies) != 0 {
		t.Error("removed and still there")
	}
	wantCode(t, s.RemoveCopy(t.Context(), "usb"), app.CodeCopyUnknown)
}

// What is wrong with a copy stays wrong while its disk is unplugged, and is right
// once it was brought in step.
func TestCopy_wrongAndThenUnplugged(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.addCopy("usb")
	s.job(s.StartCopy(t.Context(), nil))
	for _, step := range []struct {
		fails app.Code
		state app.CopyState
		error app.Code
	}{
		{app.CodeStorageOffline, app.CopyAway, app.CodeStorageOffline},
		{app.CodeCopyShrunk, app.CopyFailed, app.CodeCopyShrunk},
		{app.CodeStorageGone, app.CopyFailed, app.CodeCopyShrunk},
		{app.CodeStorageGone, app.CopyFailed, app.CodeCopyShrunk},
		{app.CodeStorageFull, app.CopyFailed, app.CodeStorageFull},
		{"", app.CopyInStep, ""},
		{app.CodeStorageGone, app.CopyAway, app.CodeStorageGone},
	} {
		s.vaults.FailCopy = nil
		if step.fails != "" {
			s.vaults.FailCopy = func(app.StorageSpec) error { return app.Errorf(step.fails, "copy", "as asked") }
		}
		s.job(s.StartCopy(t.Context(), nil))
		if c := s.status().Copies[0]; c.State != step.state || codeOf(c.Error) != step.error {
			t.Errorf("after %q: %s, %v", step.fails, c.State, c.Error)
		}
	}
}

// What goes wrong with the vault is mended from a copy by itself, and told.
func TestDamage_isMendedFromACopy(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.addCopy("usb")
	s.job(s.StartCopy(t.Context(), nil))
	s.vaults.Damage("v")
	if j := s.job(s.StartVerify(t.Context(), app.VerifyRequest{Percent: 100})); j.Error == nil {
		t.Fatal("the damage was not found")
	}
	s.wantVerdict(app.VerdictFailed)
	s.chore()
	s.wantVerdict(app.VerdictUnproven) // sound again, and not yet read back as new
	s.job(s.StartVerify(t.Context(), app.VerifyRequest{Percent: 100}))
	if st := s.status(); len(st.Problems) != 0 {
		t.Errorf("problems %+v", st.Problems)
	}
}

// Without a copy the sources themselves mend it: what they still hold is stored
// anew.
func TestDamage_isMendedFromTheSources(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.vaults.Damage("v")
	s.job(s.StartCheck(t.Context()))
	s.wantVerdict(app.VerdictFailed)
	captured := s.shop.captures
	s.chore() // repairs
	s.chore() // stores anew, and reads everything
	if s.shop.captures < captured+2 {
		t.Errorf("%d captures after the repair, want both sources captured anew", s.shop.captures-captured)
	}
	points, err := s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
	if err != nil || len(points) != 2 || !points[0].Verified || points[1].Verified {
		t.Errorf("points %+v, %v", points, err)
	}
}

// A cloned disk is a second guard with the same identity: the later one goes on,
// the other steps back and stays so.
func TestTwoGuards_oneStepsBack(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	clone := &shopTest{
		t: t, dir: t.TempDir(), vaults: s.vaults, shop: s.shop, name: "Klonen",
		notices: &notices{}, secrets: &memorySecrets{m: s.secrets.m},
	}
	if err := os.CopyFS(clone.dir, os.DirFS(s.dir)); err != nil {
		t.Fatal(err)
	}
	clone.start()
	s.shop.set("kassan", "k2")
	if j := clone.backup(); j.State != app.JobDone {
		t.Fatalf("the later one: %v", j.Error)
	}
	for range 3 {
		s.shop.set("kassan", "k"+time.Now().String())
		if j := s.backup(); j.Error == nil || j.Error.Code != app.CodeTwoGuards {
			t.Fatalf("the earlier one: %s, %v", j.State, j.Error)
		}
		if j := clone.backup(); j.State != app.JobDone {
			t.Fatalf("the later one: %v", j.Error)
		}
	}
	s.wantVerdict(app.VerdictFailed)
	if err := s.StepIn(t.Context()); err != nil {
		t.Fatal(err)
	}
	if j := s.backup(); j.State != app.JobDone {
		t.Errorf("after stepping in: %v", j.Error)
	}
	s.shop.set("kassan", "k3")
	if j := clone.backup(); j.Error == nil || j.Error.Code != app.CodeTwoGuards {
		t.Errorf("the clone after that: %v", j.Error)
	}
}

// What another computer's maintenance let go is no loss.
func TestExpiredElsewhere_isNoAlarm(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	for _, text := range []string{"k1", "k2", "k3", "k4", "k5", "k6"} {
		s.shop.set("kassan", text)
		s.backup()
	}
	v, err := s.openVault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Maintain(t.Context(), app.Retention{Latest: 4}); err != nil { // as if by another
		t.Fatal(err)
	}
	s.shop.set("kassan", "k7")
	s.backup()
	s.wantVerdict(app.VerdictSafe)
	// a point that nobody let go is one
	points, err := s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
	if err != nil {
		t.Fatal(err)
	}
	s.vaults.Forget("v", points[1].ID)
	s.shop.set("kassan", "k8")
	s.backup()
	s.wantVerdict(app.VerdictFailed)
}

func TestChangePassphrase_cutOffInBetween(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	// the vault has the new one, this computer died before it knew for certain
	if err := s.Secrets.SetSecret(t.Context(), newPassphraseKey, app.NewSecret("en helt ny lösenfras")); err != nil {
		t.Fatal(err)
	}
	v, err := s.openVault(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := v.(app.PassphraseChanger).ChangePassphrase(t.Context(), app.NewSecret("en helt ny lösenfras")); err != nil {
		t.Fatal(err)
	}
	s.crash()
	s.shop.set("kassan", "k2")
	if j := s.backup(); j.State != app.JobDone {
		t.Errorf("backup: %v", j.Error)
	}
	got, err := s.Secrets.Secret(t.Context(), passphraseKey)
	if err != nil || got.Reveal() != "en helt ny lösenfras" {
		t.Errorf("the passphrase kept is another: %v", err)
	}
}

func TestChangeSource_provesAndRemembers(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("ny plats", "n1")
	_, err := s.ChangeSource(t.Context(), app.ChangeSourceRequest{Source: "Kassan", Settings: map[string]string{"path": "nowhere"}})
	wantCode(t, err, app.CodeSourceMissing)
	if p := s.Store.Document().Sources[0].Settings["path"]; p != "kassan" {
		t.Errorf("a change that failed was kept: %s", p)
	}
	src, err := s.ChangeSource(t.Context(), app.ChangeSourceRequest{
		Source: "Kassan", Settings: map[string]string{"path": "ny plats"}, Secrets: app.Secrets{"password": app.NewSecret("p")},
	})
	if err != nil || src.ID != "kassan" {
		t.Fatalf("%+v, %v", src, err)
	}
	if sec, err := s.Secrets.Secret(t.Context(), sourceKey("kassan", "password")); err != nil || sec.Reveal() != "p" {
		t.Errorf("secret not kept: %v", err)
	}
	s.backup()
	s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}, Target: app.Target{Dir: "r/"}}))
	s.wantText("r/ny plats", "n1")
	_, err = s.ChangeSource(t.Context(), app.ChangeSourceRequest{Source: "Kassan", Secrets: app.Secrets{"pin": app.NewSecret("p")}})
	wantCode(t, err, app.CodeUsage)
}

func TestLock_isToldWhenItDoesNotHold(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	_, err := s.ProveLock(t.Context())
	wantCode(t, err, app.CodeLockNone)
	err = s.Store.Update(func(d *Document) error {
		d.Vault.Lock = app.LockSettings{Mode: app.LockGovernance, Days: 30}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for state, want := range map[app.LockState]app.Code{app.LockHeld: "", app.LockOpen: app.CodeLockOpen, app.LockLifted: app.CodeLockLifted} {
		if err := keep(t.Context(), s.Journal, "lock", app.LockProof{At: s.Now(), State: state}); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		s.info = nil // described before the lock
		s.mu.Unlock()
		st := s.status()
		told := slices.ContainsFunc(st.Notes, func(p app.Problemed) bool { return p.Error.Code == want })
		if want != "" && !told || st.Locked() != (state == app.LockHeld) {
			t.Errorf("%s: notes %+v, locked %v", state, st.Notes, st.Locked())
		}
	}
}

func TestWritePrivate_leavesNothingBehind(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "kit.pdf"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := writePrivate(filepath.Join(dir, "kit.pdf"), app.NewSecret("secret"), true); err == nil {
		t.Error("written over a folder")
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files, %v", len(entries), err)
	}
}

// A vault that is shown as it was can't be stored in: nothing of the shop is
// safe meanwhile, moved or not.
func TestPast_isNeverSafe(t *testing.T) {
	t.Parallel()
	first := newShopTest(t)
	s := first.another("Ny dator")
	storage := app.StorageSpec{Kind: "s3", Settings: map[string]string{"path": "bucket"}}
	secrets := app.Secrets{app.PassphraseKey: app.NewSecret("mycket hemlig"), "secret_key": app.NewSecret("k")}
	made := storage
	made.Secrets = app.Secrets{"secret_key": secrets["secret_key"]}
	if _, err := first.vaults.Create(t.Context(), app.VaultSetup{Storage: made, Passphrase: secrets[app.PassphraseKey], Computer: app.Computer{ID: "x"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenVault(t.Context(), app.VaultRequest{Storage: storage, Secrets: secrets}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: "fake", Name: "Kassan", Settings: map[string]string{"path": "kassan"}}); err != nil {
		t.Fatal(err)
	}
	s.backup()
	s.wantVerdict(app.VerdictSafe)
	storage.AsOf = time.Now()
	first.vaults.Hide("bucket")
	if j := s.backup(); j.State == app.JobDone {
		t.Error("stored in a vault that is gone")
	}
	if _, err := s.OpenVault(t.Context(), app.VaultRequest{Storage: storage, Secrets: secrets}); err != nil {
		t.Fatal(err)
	}
	if j := s.backup(); j.Error == nil || j.Error.Code != app.CodeVaultPast {
		t.Errorf("a run in the past: %s, %v", j.State, j.Error)
	}
	s.wantVerdict(app.VerdictFailed)
}

// A lock nobody can lift is never made because a setting says so: the owner has
// to have read what it means.
func TestCompliance_hasToBeAccepted(t *testing.T) {
	t.Parallel()
	s := newShopTest(t).another("Annan")
	locked := app.StorageSpec{Kind: "s3", Settings: map[string]string{"path": "b", "lock_mode": "compliance", "lock_days": "30"}}
	r := app.VaultRequest{Storage: locked, Secrets: app.Secrets{app.PassphraseKey: app.NewSecret("mycket hemlig"), "secret_key": app.NewSecret("k")}}
	_, err := s.CreateVault(t.Context(), r)
	wantCode(t, err, app.CodeLockForEver)
	plain := locked
	plain.Settings = map[string]string{"path": "b"}
	if _, err := s.CreateVault(t.Context(), app.VaultRequest{Storage: plain, Secrets: r.Secrets}); err != nil {
		t.Fatal(err)
	}
	_, err = s.OpenVault(t.Context(), r)
	wantCode(t, err, app.CodeLockForEver)
	_, err = s.AddCopy(t.Context(), app.CopyRequest{Name: "c", Storage: app.StorageSpec{Kind: "s3", Settings: map[string]string{"path": "c", "lock_mode": "compliance", "lock_days": "30"}}, Secrets: app.Secrets{"secret_key": app.NewSecret("k")}})
	wantCode(t, err, app.CodeLockForEver)
}

// A lock that can't be tried must not keep drills from being done.
func TestLockDue_doesNotStarveWhatComesAfter(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	err := s.Store.Update(func(d *Document) error {
		d.Vault.Lock = app.LockSettings{Mode: app.LockGovernance, Days: 30}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.lockDue(t.Context()); err == nil {
		t.Fatal("proved a lock that is not there")
	}
	if done, err := s.lockDue(t.Context()); done || err != nil {
		t.Errorf("tried again at once: %v, %v", done, err)
	}
}
