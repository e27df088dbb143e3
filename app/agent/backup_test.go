package agent

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

func TestBackup_onlyWhatMovedIsStored(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.wantVerdict(app.VerdictUnknown)
	if got := states(s.backup()); got != "Kassan=done Lager=done" {
		t.Fatal(got)
	}
	s.wantVerdict(app.VerdictSafe)
	if got := states(s.backup()); got != "Kassan=idle Lager=idle" {
		t.Error(got)
	}
	s.shop.set("kassan", "k2")
	if got := states(s.backup()); got != "Kassan=done Lager=idle" {
		t.Error(got)
	}
	points, err := s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
	if err != nil || len(points) != 2 || !points[0].Verified {
		t.Errorf("points %+v, %v", points, err)
	}
}

func TestBackup_markersAreNotBelievedForEver(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.clock.set(25 * time.Hour)
	if got := states(s.backup()); got != "Kassan=done Lager=done" {
		t.Error(got)
	}
	s.clock.set(-48 * time.Hour) // the clock was set back: what was captured "later" proves nothing
	if got := states(s.backup()); got != "Kassan=done Lager=done" {
		t.Error(got)
	}
}

func TestBackup_oneSourceFailingStopsNoOther(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.vaults.FailRequest = func(r app.SaveRequest) error {
		if r.Source == "kassan" {
			return app.Errorf(app.CodeSourceDamaged, "read", "page 7")
		}
		return nil
	}
	if got := states(s.backup()); got != "Kassan=failed:source_damaged Lager=done" {
		t.Error(got)
	}
	s.wantVerdict(app.VerdictFailed)
	s.vaults.FailRequest = nil
	if got := states(s.backup()); got != "Kassan=done Lager=idle" {
		t.Errorf("after a failure: %s", got)
	}
	s.wantVerdict(app.VerdictSafe)
}

// A marker that moved with a point nobody could read back would hide the
// change from every run after it.
func TestBackup_markerMovesOnlyWithAVerifiedPoint(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "k2")
	s.vaults.FailSave = func([]app.SaveRequest) error { return app.Errorf(app.CodeReadBack, "save", "differs") }
	if got := states(s.backup()); got != "Kassan=failed:read_back Lager=idle" {
		t.Fatal(got)
	}
	s.vaults.FailSave = nil
	s.crash()
	if got := states(s.backup()); got != "Kassan=done Lager=idle" {
		t.Errorf("the change was forgotten: %s", got)
	}
}

func TestBackup_storageGoneFailsAndComesBack(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.crash()
	s.vaults.FailOpen = func(app.VaultSetup) error { return app.Errorf(app.CodeStorageGone, "open", "unplugged") }
	if got := states(s.backup()); got != "Kassan=failed:storage_gone Lager=failed:storage_gone" {
		t.Error(got)
	}
	st := s.status()
	if st.Verdict != app.VerdictFailed || len(st.Problems) != 1 {
		t.Errorf("one cause is told once: %+v", st.Problems)
	}
	s.vaults.FailOpen = nil
	s.backup()
	s.wantVerdict(app.VerdictSafe)
}

func TestBackup_cancelIsNoFailure(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "k2")
	reading := make(chan struct{})
	var once sync.Once
	s.shop.slow = func(ctx context.Context) { once.Do(func() { close(reading); <-ctx.Done() }) }
	id, err := s.StartBackup(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	<-reading
	if again, err := s.StartBackup(t.Context(), []string{"Kassan"}); err != nil || again != id {
		t.Errorf("a second run is started beside the first: %s, %v", again, err)
	}
	if err := s.Cancel(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if j := s.job(id, nil); j.State != app.JobCanceled {
		t.Errorf("got %s, %v", j.State, j.Error)
	}
	s.wantVerdict(app.VerdictSafe)
	if got := states(s.backup()); !strings.Contains(got, "Kassan=done") {
		t.Errorf("after a cancel: %s", got)
	}
}

func TestVerdict_growsLateByTheClockAlone(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.clock.set(30 * time.Minute)
	s.wantVerdict(app.VerdictSafe)
	s.clock.set(36 * time.Minute)
	s.wantVerdict(app.VerdictLate)
	s.clock.set(-24 * time.Hour)
	s.wantVerdict(app.VerdictUnknown)
}

func TestPause_endsByItselfAndBySettingTheClockBack(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	now := s.clock.now()
	if err := s.Pause(t.Context(), now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for ahead, want := range map[time.Duration]bool{0: true, 59 * time.Minute: true, 61 * time.Minute: false, -365 * 24 * time.Hour: false} {
		if got := s.paused(now.Add(ahead)); got != want {
			t.Errorf("after %s: paused %v", ahead, got)
		}
	}
	if err := s.Pause(t.Context(), now.Add(30*24*time.Hour)); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("a month: %v", err)
	}
	if err := s.Pause(t.Context(), time.Time{}); err != nil || s.paused(now) {
		t.Errorf("resumed: %v", err)
	}
}

// With all index blobs gone a vault opens and lists nothing.
func TestVaultThatForgot_isAnAlarm(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.crash()
	fresh := newShopTest(t)
	s.vaults = fresh.vaults // a vault in the same place that holds nothing
	s.crash()
	if err := s.Store.Update(func(d *Document) error { d.Vault.ID = fresh.Store.Document().Vault.ID; return nil }); err != nil {
		t.Fatal(err)
	}
	s.backup()
	s.wantVerdict(app.VerdictFailed)
	st := s.status()
	if !slices.ContainsFunc(st.Problems, func(p app.Problemed) bool { return p.Error.Code == app.CodeVaultForgot }) {
		t.Errorf("problems %+v", st.Problems)
	}
}

func TestNewComputer_bringsSourcesAndSettingsBack(t *testing.T) {
	t.Parallel()
	old := newShopTest(t)
	if err := old.SetSettings(t.Context(), app.Settings{Language: "sv", UploadLimit: 500_000}); err != nil {
		t.Fatal(err)
	}
	old.backup()
	s := &shopTest{t: t, dir: t.TempDir(), vaults: old.vaults, shop: old.shop, notices: &notices{}, secrets: &memorySecrets{m: map[string]app.Secret{}}}
	s.start()
	_, err := s.OpenVault(t.Context(), app.VaultRequest{
		Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": "v"}},
		Secrets: app.Secrets{app.PassphraseKey: app.NewSecret("mycket hemlig")},
	})
	if err != nil {
		t.Fatal(err)
	}
	d := s.Store.Document()
	if len(d.Sources) != 2 || d.Sources[0].ID != "kassan" || d.Settings.Language != "sv" || d.Settings.UploadLimit != 500_000 {
		t.Errorf("got %+v", d)
	}
	s.shop.set("kassan", "wrecked")
	if j := s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}})); j.State != app.JobDone {
		t.Fatalf("restore: %v", j.Error)
	}
	s.wantText("kassan", "k1")
}

func TestRemovedSource_keepsItsPointsToItself(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	if err := s.RemoveSource(t.Context(), "Kassan"); err != nil {
		t.Fatal(err)
	}
	points, err := s.Points(t.Context(), app.PointsRequest{Source: "kassan"})
	if err != nil || len(points) != 1 {
		t.Errorf("points %+v, %v", points, err)
	}
	src, err := s.AddSource(t.Context(), app.AddSourceRequest{Kind: "fake", Name: "Kassan", Settings: map[string]string{"path": "kassan"}})
	if err != nil || src.ID != "kassan-2" {
		t.Errorf("a new source goes on in an old one's history: %+v, %v", src, err)
	}
}

func TestNotices_oncePerCauseAndTakenAway(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.shop.failCapture = app.Errorf(app.CodeSourceMissing, "capture", "gone")
	s.backup()
	s.backup()
	s.shop.failCapture = nil
	s.backup()
	s.backup()
	if want := []string{"+failed", "-failed", "+kit"}; !slices.Equal(s.notices.log, want) {
		t.Errorf("told %v, want %v", s.notices.log, want)
	}
}

// A drill that met damage in the vault used to leave the point verified and
// the shop "safe", although the restore it had just tried was impossible.
func TestDamage_foundByADrillOrRestoreEndsSafety(t *testing.T) {
	t.Parallel()
	for name, find := range map[string]func(*shopTest) (app.JobID, error){
		"drill":   func(s *shopTest) (app.JobID, error) { return s.StartDrill(t.Context(), []string{"Kassan"}) },
		"restore": func(s *shopTest) (app.JobID, error) { return s.StartRestore(t.Context(), app.RestoreRequest{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShopTest(t)
			s.backup()
			s.shop.failApply = func(string) error { return app.Errorf(app.CodeVaultDamaged, "read", "invalid checksum") }
			if j := s.job(find(s)); j.Error == nil || j.Error.Code != app.CodeVaultDamaged {
				t.Fatalf("job %s, %v", j.State, j.Error)
			}
			s.shop.failApply = nil
			s.wantVerdict(app.VerdictFailed)
			points, err := s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
			if err != nil || points[0].Verified {
				t.Errorf("still called verified: %+v, %v", points, err)
			}
			// a new point does not end the alarm: it may lean on what is damaged
			s.shop.set("kassan", "k2")
			s.backup()
			s.wantVerdict(app.VerdictFailed)
			// nor does one sound point; only reading everything does
			points, err = s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
			if err != nil {
				t.Fatal(err)
			}
			s.job(s.StartVerify(t.Context(), app.VerifyRequest{Points: []app.PointID{points[0].ID}, Percent: 100}))
			s.wantVerdict(app.VerdictFailed)
			s.job(s.StartVerify(t.Context(), app.VerifyRequest{Percent: 100}))
			s.wantVerdict(app.VerdictSafe)
		})
	}
}
