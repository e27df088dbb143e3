package agent

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"kvart/app"
)

// An undo in an incident used to leave the shop "back", the checklist ticked and
// the page down.
func TestUndo_takesTheIncidentAlong(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	site := siteShop{s.shop, map[string]string{}}
	s.Agent.Connectors = siteKinds{site}
	s.Storefront = slowFront{func(context.Context) (bool, error) {
		if len(site.shown) > 0 {
			return true, errors.New("status 503")
		}
		return true, nil
	}}
	s.shop.set("kassan", "wrecked")
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookShopDown})
	i := s.tick("put-page", "call-host", "new-host", "confirm", "open-again")
	s.wantStep(i, "withdraw", app.StepDone)
	if i.Back.IsZero() || len(site.shown) != 0 {
		t.Fatalf("back %v, shown %v", i.Back, site.shown)
	}
	s.told()
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobDone {
		t.Fatal(j.Error)
	}
	s.wantText("kassan", "wrecked")
	i = s.wait()
	for _, code := range []app.StepCode{"confirm", "restore", "check", "open-again", "withdraw", "storefront", "put-page", "publish"} {
		s.wantStep(i, code, app.StepOpen)
	}
	if !i.Back.IsZero() || s.status().Incident.Next == "" {
		t.Errorf("back %v, %+v", i.Back, s.status().Incident)
	}
	i = s.tick("put-page", "confirm")
	s.wantStep(i, "publish", app.StepDone)
	s.wantStep(i, "restore", app.StepDone)
	s.wantText("kassan", "k1")
	if len(site.shown) != 2 {
		t.Errorf("shown %v", site.shown)
	}
}

// words has notices told by the words they are looked up by.
func (s *shopTest) words() *[]string {
	var mu sync.Mutex
	var asked []string
	s.NoticeWords = func(cause string, _ *app.Error) (string, string) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, cause)
		return cause, cause
	}
	return &asked
}

func TestUndo_thatFailsIsTold(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked")
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	i := s.tick("stop-till", "confirm", "start-till", "test-sale")
	if i.Back.IsZero() {
		t.Fatal("not back")
	}
	asked := s.words()
	s.shop.failApply = func(string) error { return app.Errorf(app.CodeTargetFull, "apply", "full") }
	if j := s.job(s.StartUndo(t.Context(), "")); j.State != app.JobFailed {
		t.Fatal(j.State)
	}
	i = s.wait()
	s.wantStep(i, "restore", app.StepFailed)
	s.wantStep(i, "test-sale", app.StepOpen)
	if !i.Back.IsZero() || app.CodeOf(i.Step("restore").Error) != app.CodeTargetFull {
		t.Errorf("back %v, %+v", i.Back, i.Step("restore"))
	}
	if !slices.Contains(*asked, "undo_failed") {
		t.Errorf("told %v", *asked)
	}
	s.shop.failApply = nil
	i = s.tick("restore")
	s.wantStep(i, "check", app.StepDone)
	s.wantText("kassan", "k1")
}

// A notice says no more than is known: an undo checks nothing, and a restore of
// everything that left something out did not bring everything back.
func TestRestore_noticeSaysNoMoreThanIsKnown(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup("Kassan")
	asked := s.words()
	for _, tt := range []struct {
		do   func() (app.JobID, error)
		want string
	}{
		{func() (app.JobID, error) { return s.StartRestore(t.Context(), app.RestoreRequest{}) }, "restore_part"},
		{func() (app.JobID, error) { return s.StartUndo(t.Context(), "") }, "undo_done"},
		{func() (app.JobID, error) {
			return s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}})
		}, "restore"},
	} {
		*asked = nil
		if j := s.job(tt.do()); j.State != app.JobDone {
			t.Fatal(j.Error)
		}
		if !slices.Contains(*asked, tt.want) {
			t.Errorf("told %v, want %s", *asked, tt.want)
		}
	}
}

// What was restored and could not be checked is not called checked.
func TestIncident_nothingCheckedIsForTheOwnerToLookAt(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.Agent.Connectors = blindKinds{s.shop}
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed})
	i := s.tick("stop-till", "confirm")
	s.wantStep(i, "restore", app.StepDone)
	step := i.Step("check")
	if _, ok := fact(i, "check", "unchecked", "Kassan"); step.State != app.StepOpen || !step.Look || !ok {
		t.Errorf("%+v", step)
	}
}

// blindShop has nothing to check.
type blindShop struct{ *fakeShop }

func (blindShop) Verify(context.Context, app.Restore) ([]app.Check, error) { return nil, nil }

type blindKinds struct{ *fakeShop }

func (k blindKinds) Connector(app.Kind) (app.Connector, error)     { return blindShop(k), nil }
func (k blindKinds) Specs() []app.KindSpec                         { return []app.KindSpec{k.Spec()} }
func (k blindKinds) Discover(context.Context) ([]app.Found, error) { return nil, nil }

// The window is killed in the middle of an incident's restore, and then the
// guard: incident, clock, checklist and journal are as they were, and the restore
// goes on to its end.
func TestIncident_windowAndGuardKilled(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.shop.set("kassan", "wrecked k")
	s.shop.set("lager", "wrecked l")
	s.trouble(app.IncidentRequest{Playbook: app.PlaybookCrashed, Note: "Kassan startar inte"})
	s.tick("stop-till")
	in, dead := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.shop.failApply = func(string) error {
		once.Do(func() { close(in) })
		<-dead
		return errors.New("power cut")
	}
	window, killWindow := context.WithCancel(t.Context())
	if _, err := s.TickStep(window, app.TickRequest{Step: "confirm"}); err != nil {
		t.Fatal(err)
	}
	waited := make(chan error, 1)
	go func() {
		_, err := s.WaitIncident(window)
		waited <- err
	}()
	<-in
	killWindow()
	if err := <-waited; app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("the window waits for %v", err)
	}
	// nothing stands still or is taken back for that
	i, err := s.Incident(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.wantStep(i, "restore", app.StepRunning)
	s.clock.set(4 * time.Minute)
	before := s.remembered()
	s.jobs.cancel() // as a kill does: whatever comes now is not heard
	close(dead)
	if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	s.shop.failApply = nil
	s.start()
	s.putBack(before)
	if after := s.remembered(); after != before {
		t.Errorf("remembered before:\n%+v\nafter:\n%+v", before, after)
	}
	s.clock.set(5 * time.Minute)
	i, err = s.Incident(t.Context())
	if err != nil || i.Lasted < 300 || i.Lasted > 310 || i.Seconds != i.Lasted {
		t.Errorf("lasted %.0f, away %.0f, %v", i.Lasted, i.Seconds, err)
	}
	i = s.wait()
	s.wantStep(i, "restore", app.StepDone)
	s.wantStep(i, "check", app.StepDone)
	if n := slices.IndexFunc(i.Log, func(l app.LogLine) bool { return l.Event == app.LogResumed && l.Step == "restore" }); n < 0 {
		t.Errorf("the log does not tell of it: %+v", i.Log)
	}
	s.wantText("kassan", "k1")
	s.wantText("lager", "l1")
	recs, err := s.Restores(t.Context())
	if err != nil || len(recs) != 1 || recs[0].State != app.RestoreDone {
		t.Errorf("restored %d times: %+v, %v", len(recs), recs, err)
	}
}

// memory is what is written down of an incident and its restores.
type memory struct{ incident, restores string }

func (s *shopTest) remembered() memory {
	s.t.Helper()
	i, err := s.Journal.OpenIncident(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	recs, err := s.Restores(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	a, err := json.Marshal(i)
	if err != nil {
		s.t.Fatal(err)
	}
	b, err := json.Marshal(recs)
	if err != nil {
		s.t.Fatal(err)
	}
	return memory{string(a), string(b)}
}

// putBack restores the record that the dying guard of a test still wrote, and a
// killed one does not.
func (s *shopTest) putBack(m memory) {
	s.t.Helper()
	var recs []app.RestoreRecord
	if err := json.Unmarshal([]byte(m.restores), &recs); err != nil {
		s.t.Fatal(err)
	}
	for _, r := range recs {
		if err := s.Journal.PutRestore(s.t.Context(), r); err != nil {
			s.t.Fatal(err)
		}
	}
}

// Shut down in the middle, as a computer is in the evening, a restore and its
// undo go on with the next guard: nobody asked for half a shop, and nobody was
// told of one.
func TestRestore_goesOnAfterAShutdown(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	for _, name := range []string{"kassan", "lager"} {
		s.shop.set(name, "wrecked")
	}
	// cutOff has a job shut down while the second source is put back
	cutOff := func(start func() (app.JobID, error)) {
		t.Helper()
		in, down := make(chan struct{}), make(chan struct{})
		var once sync.Once
		s.shop.failApply = func(path string) error {
			if path == "kassan" {
				return nil
			}
			once.Do(func() { close(in) })
			<-down
			return app.Errorf(app.CodeCanceled, "apply", "shut down")
		}
		if _, err := start(); err != nil {
			t.Fatal(err)
		}
		<-in
		s.jobs.cancel()
		close(down)
		s.crash()
		s.shop.failApply = nil
		if err := s.resume(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, j := range s.running() {
			if got := s.job(j.snapshot().ID, nil); got.State != app.JobDone {
				t.Fatalf("%s: %v", got.Kind, got.Error)
			}
		}
	}
	cutOff(func() (app.JobID, error) { return s.StartRestore(t.Context(), app.RestoreRequest{}) })
	s.wantText("kassan", "k1")
	s.wantText("lager", "l1")
	cutOff(func() (app.JobID, error) { return s.StartUndo(t.Context(), "") })
	s.wantText("kassan", "wrecked")
	s.wantText("lager", "wrecked")
	recs, err := s.Restores(t.Context())
	if err != nil || len(recs) != 2 || recs[0].State != app.RestoreDone || recs[1].State != app.RestoreUndone {
		t.Errorf("%d restores: %+v, %v", len(recs), recs, err)
	}
	// what the owner canceled stays canceled
	in := make(chan struct{})
	var once sync.Once
	s.shop.failApply = func(string) error {
		once.Do(func() {
			close(in)
			for _, j := range s.running() {
				j.cancel()
			}
		})
		return app.Errorf(app.CodeCanceled, "apply", "canceled")
	}
	s.job(s.StartRestore(t.Context(), app.RestoreRequest{}))
	<-in
	s.crash()
	s.shop.failApply = nil
	if err := s.resume(t.Context()); err != nil || len(s.running()) != 0 {
		t.Errorf("%d jobs, %v", len(s.running()), err)
	}
}
