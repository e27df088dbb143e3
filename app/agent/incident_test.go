package agent

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"kvart/app"
)

// Print implements [app.Typesetter] without any art.
func (plainPress) Print(p app.Paper) ([]byte, error) {
	return []byte("%PDF " + p.Title), nil
}

// trouble opens an incident and waits until it is the owner's turn.
func (s *shopTest) trouble(r app.IncidentRequest) app.Incident {
	s.t.Helper()
	if _, err := s.StartIncident(s.t.Context(), r); err != nil {
		s.t.Fatal(err)
	}
	return s.wait()
}

func (s *shopTest) wait() app.Incident {
	s.t.Helper()
	i, err := s.WaitIncident(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return i
}

func (s *shopTest) tick(codes ...app.StepCode) (i app.Incident) {
	s.t.Helper()
	for _, c := range codes {
		if _, err := s.TickStep(s.t.Context(), app.TickRequest{Step: c}); err != nil {
			s.t.Fatalf("tick %s: %v", c, err)
		}
		i = s.wait()
	}
	return i
}

func (s *shopTest) wantStep(i app.Incident, code app.StepCode, state app.StepState) {
	s.t.Helper()
	step := i.Step(code)
	if step == nil || step.State != state {
		s.t.Fatalf("%s: %+v, want %s", code, step, state)
	}
}

// fact returns what a step found out, by code and source.
func fact(i app.Incident, step app.StepCode, code, source string) (app.Fact, bool) {
	for _, f := range i.Step(step).Facts {
		if f.Code == code && f.Source == source {
			return f, true
		}
	}
	return app.Fact{}, false
}

func TestIncident_crashedTillFromOpeningToReport(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked")
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed, Note: "Kassan startar inte"})
	s.wantStep(i, "storage", app.StepDone)
	s.wantStep(i, "point", app.StepDone)
	s.wantStep(i, "restore", app.StepOpen)
	if f, ok := fact(i, "point", "chosen", "Kassan"); !ok || f.Time.IsZero() {
		t.Errorf("chosen %+v", i.Step("point").Facts)
	}
	if b := s.status().Incident; b == nil || b.Next != "stop-till" || b.Playbook != app.PlaybookCrashed {
		t.Errorf("status %+v", b)
	}
	s.wantText("kassan", "wrecked") // nothing is touched before the owner says so
	i = s.tick("stop-till", "confirm")
	s.wantStep(i, "restore", app.StepDone)
	s.wantStep(i, "check", app.StepDone)
	s.wantStep(i, "gap", app.StepDone)
	s.wantText("kassan", "k1")
	if _, ok := fact(i, "restore", "undo", ""); !ok {
		t.Errorf("restored %+v", i.Step("restore").Facts)
	}
	i = s.tick("start-till", "test-sale", "enter-sales", "report")
	if i.Back.IsZero() {
		t.Error("not back")
	}
	for format, head := range map[app.ReportFormat]string{app.ReportPDF: "%PDF", app.ReportMarkdown: "# Incident report: The till"} {
		b, err := s.IncidentReport(t.Context(), app.ReportRequest{Format: format, Language: "en"})
		if err != nil || !bytes.HasPrefix(b, []byte(head)) {
			t.Errorf("%s: %.80q, %v", format, b, err)
		}
	}
	md, err := s.IncidentReport(t.Context(), app.ReportRequest{Format: app.ReportMarkdown, Language: "sv"})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"Kassan startar inte", "Kassan: säkerhetskopian", "kontroller godkända", "Tidslinje", "minut"} {
		if !strings.Contains(string(md), text) {
			t.Errorf("report lacks %q:\n%s", text, md)
		}
	}
	if _, err := s.IncidentReport(t.Context(), app.ReportRequest{Format: "doc"}); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("format: %v", err)
	}
	if _, err := s.CloseIncident(t.Context()); err != nil {
		t.Fatal(err)
	}
	if st := s.status(); st.Incident != nil {
		t.Errorf("still in the status: %+v", st.Incident)
	}
	all, err := s.Incidents(t.Context())
	if err != nil || len(all) != 1 || all[0].Closed.IsZero() {
		t.Errorf("history %+v, %v", all, err)
	}
	// the whole can be taken back
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("kassan", "wrecked")
}

func TestIncident_oneAtATimeAlsoInTheJournal(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookRehearsal})
	if _, err := s.StartIncident(t.Context(), app.IncidentRequest{Playbook: app.PlaybookHacked}); app.CodeOf(err) != app.CodeIncidentOpen {
		t.Errorf("second: %v", err)
	}
	if err := s.Journal.PutIncident(t.Context(), app.Incident{ID: "other", Started: s.Now()}); err == nil {
		t.Error("the journal holds two open ones")
	}
	if _, err := s.StartIncident(t.Context(), app.IncidentRequest{Playbook: app.PlaybookDeleted, Choice: app.Choice{Sources: []string{"Ingen"}}}); app.CodeOf(err) != app.CodeSourceUnknown {
		t.Errorf("source: %v", err)
	}
}

func TestIncident_rehearsalTouchesNothing(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "now")
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookRehearsal})
	s.wantStep(i, "rehearse", app.StepDone)
	if _, ok := fact(i, "rehearse", "rehearsed", "Lager"); !ok {
		t.Errorf("facts %+v", i.Step("rehearse").Facts)
	}
	s.wantText("kassan", "now")
	recs, err := s.Restores(t.Context())
	if err != nil || len(recs) != 0 {
		t.Errorf("restored %+v, %v", recs, err)
	}
}

func TestIncident_hackedFreezesPinsAndRefusesAnInfectedComputer(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "LOCKED")
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookHacked})
	s.wantStep(i, "freeze", app.StepDone)
	s.wantStep(i, "pin", app.StepDone)
	s.wantStep(i, "lock", app.StepSkipped) // nothing is locked, and that is said
	if i.Step("lock").Error.Code != app.CodeLockNone {
		t.Errorf("lock: %v", i.Step("lock").Error)
	}
	points, err := s.Points(t.Context(), app.PointsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range points {
		if !p.Pinned {
			t.Errorf("%s is not pinned", p.Name)
		}
	}
	kept, err := s.retention(t.Context(), s.vault)
	if err != nil || kept != everything() {
		t.Errorf("kept %+v, %v", kept, err)
	}
	// by hand as well as by the playbook
	if _, err := s.StartRestore(t.Context(), app.RestoreRequest{}); app.CodeOf(err) != app.CodeInfected {
		t.Errorf("restored onto an infected computer: %v", err)
	}
	s.tick("unplug", "other-device", "passwords")
	if _, err := s.TickStep(t.Context(), app.TickRequest{Step: "clean", Tick: app.TickSkip, Reason: "No time"}); err != nil {
		t.Fatal(err)
	}
	i = s.tick("confirm")
	s.wantStep(i, "restore", app.StepFailed)
	if i.Step("restore").Error.Code != app.CodeInfected {
		t.Errorf("restore: %v", i.Step("restore").Error)
	}
	s.wantText("kassan", "LOCKED")
	if _, err := s.TickStep(t.Context(), app.TickRequest{Step: "restore", EvenInfected: true}); err != nil {
		t.Fatal(err)
	}
	i = s.wait()
	s.wantStep(i, "restore", app.StepDone)
	s.wantText("kassan", "k1")
	if !slices.ContainsFunc(i.Log, func(l app.LogLine) bool { return l.Event == app.LogInfected }) {
		t.Error("the second yes is not in the log")
	}
	if _, err := s.CloseIncident(t.Context()); err != nil {
		t.Fatal(err)
	}
	if kept, err := s.retention(t.Context(), s.vault); err != nil || kept != app.DefaultRetention() {
		t.Errorf("after closing %+v, %v", kept, err)
	}
}

func TestIncident_blockedRestoreIsTriedAgain(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked")
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	s.shop.blocker = app.Errorf(app.CodeTargetInUse, "plan", "till has it open").With("program", "kassapos")
	i := s.tick("stop-till", "confirm")
	s.wantStep(i, "restore", app.StepFailed)
	if e := i.Step("restore").Error; e.Code != app.CodeTargetInUse || e.Args["program"] != "kassapos" {
		t.Errorf("why: %v", e)
	}
	s.wantStep(i, "check", app.StepOpen)
	s.wantText("kassan", "wrecked")
	s.shop.blocker = nil
	i = s.tick("restore")
	s.wantStep(i, "restore", app.StepDone)
	s.wantText("kassan", "k1")
}

func TestIncident_fullDiskIsSaid(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	s.shop.failApply = func(string) error { return app.Errorf(app.CodeTargetFull, "apply", "no room").With("need", "1 GB") }
	i := s.tick("stop-till", "confirm")
	s.wantStep(i, "restore", app.StepFailed)
	if e := i.Step("restore").Error; e.Code != app.CodeTargetFull || i.Restore == "" {
		t.Errorf("why: %v, restore %q", e, i.Restore)
	}
}

func TestIncident_noVerifiedPointIsReadBackFirst(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "k2")
	s.backup()
	points, err := s.Points(t.Context(), app.PointsRequest{Source: "Kassan"})
	if err != nil {
		t.Fatal(err)
	}
	forget := func() {
		for _, p := range points {
			if err := s.Journal.Forget(t.Context(), p.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	forget()
	s.vaults.FailVerify = func(r app.VerifyRequest) error {
		if slices.Contains(r.Points, points[0].ID) {
			return app.Errorf(app.CodeVaultDamaged, "verify", "torn")
		}
		return nil
	}
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookDeleted, Choice: app.Choice{Sources: []string{"Kassan"}}})
	if got := i.Points["kassan"]; got.Point != points[1].ID || !got.Verified {
		t.Errorf("chosen %+v, want %s", got, points[1].ID)
	}
	if _, ok := fact(i, "point", "proved", "Kassan"); !ok {
		t.Errorf("facts %+v", i.Step("point").Facts)
	}
	// none at all
	forget()
	s.vaults.FailVerify = func(app.VerifyRequest) error { return app.Errorf(app.CodeVaultDamaged, "verify", "torn") }
	if _, err := s.TickStep(t.Context(), app.TickRequest{Step: "say-what", Choice: &app.Choice{Sources: []string{"Kassan"}}}); err != nil {
		t.Fatal(err)
	}
	i = s.wait()
	s.wantStep(i, "point", app.StepFailed)
	if i.Step("point").Error.Code != app.CodeUnverified {
		t.Errorf("why: %v", i.Step("point").Error)
	}
	// the owner's own choice is honoured, and said to be unproven
	if _, err := s.TickStep(t.Context(), app.TickRequest{Step: "say-what", Choice: &app.Choice{Sources: []string{"Kassan"}, Point: points[0].ID}}); err != nil {
		t.Fatal(err)
	}
	i = s.wait()
	s.wantStep(i, "point", app.StepDone)
	if _, ok := fact(i, "point", "chosen_unproven", "Kassan"); !ok {
		t.Errorf("facts %+v", i.Step("point").Facts)
	}
}

func TestIncident_storageGoneAndTheCopyStandsIn(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	if _, err := s.AddCopy(t.Context(), app.CopyRequest{Name: "USB", Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": "usb"}}}); err != nil {
		t.Fatal(err)
	}
	if j := s.job(s.StartCopy(t.Context(), nil)); j.State != app.JobDone {
		t.Fatal(j.Error)
	}
	s.shop.set("kassan", "wrecked")
	s.vaults.FailOpen = func(v app.VaultSetup) error {
		if v.Storage.Settings["path"] == "v" {
			return app.Errorf(app.CodeStorageGone, "open", "burnt")
		}
		return nil
	}
	s.crash()
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	s.wantStep(i, "storage", app.StepDone)
	if f, ok := fact(i, "storage", "copy", ""); !ok || f.Args["copy"] != "USB" || f.Time.IsZero() || i.Copy != "USB" {
		t.Errorf("said %+v", i.Step("storage").Facts)
	}
	plan, err := s.PlanRestore(t.Context(), app.RestoreRequest{})
	if err != nil || plan.Copy != "USB" {
		t.Errorf("plan %+v, %v", plan, err)
	}
	i = s.tick("stop-till", "confirm")
	s.wantStep(i, "restore", app.StepDone)
	s.wantText("kassan", "k1")
	s.wantVerdict(app.VerdictFailed) // the storage is gone all the same
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatalf("undo: %v", j.Error)
	}
	s.wantText("kassan", "wrecked")
}

func TestIncident_noStorageAndNoCopy(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.vaults.FailOpen = func(app.VaultSetup) error { return app.Errorf(app.CodeStorageGone, "open", "burnt") }
	s.crash()
	i := s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	s.wantStep(i, "storage", app.StepFailed)
	s.wantStep(i, "point", app.StepOpen)
	s.vaults.FailOpen = nil
	i = s.tick("storage")
	s.wantStep(i, "point", app.StepDone)
}

func TestJournal_incidentsOutliveAnotherVault(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookComputer})
	if err := s.Journal.ForgetVault(t.Context()); err != nil {
		t.Fatal(err)
	}
	if i, err := s.Incident(t.Context()); err != nil || i.Playbook != app.PlaybookComputer {
		t.Errorf("%+v, %v", i, err)
	}
}
