package agent

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"kvart/app"
)

// told returns what the owner was told since the last call, but for the kit.
func (s *shopTest) told() (out []string) {
	s.t.Helper()
	s.tellOwner(s.t.Context())
	s.notices.mu.Lock()
	defer s.notices.mu.Unlock()
	for _, n := range s.notices.log {
		if n != "+kit" {
			out = append(out, n)
		}
	}
	s.notices.log = nil
	return out
}

func (s *shopTest) wantTold(when string, want ...string) {
	s.t.Helper()
	if got := s.told(); !slices.Equal(got, want) {
		s.t.Errorf("%s: told %v, want %v", when, got, want)
	}
}

func TestNotices_lateAfterTwoQuartersAndNeverForSuccess(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	for range 3 {
		s.backup()
	}
	s.wantTold("after backups that went well")
	s.clock.set(20 * time.Minute)
	s.wantTold("one quarter missed")
	s.clock.set(36 * time.Minute)
	s.wantTold("two quarters missed", "+late")
	s.clock.set(2 * time.Hour)
	s.wantTold("hours later")
	s.backup()
	s.wantTold("caught up", "-late")
}

func TestNotices_restoreIsToldWhenItEnded(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.told()
	s.shop.set("kassan", "broken")
	s.job(s.StartRestore(t.Context(), app.RestoreRequest{Sources: []string{"Kassan"}}))
	s.wantTold("after a restore", "+restore")
}

// TestNotices_drillThatFailedStands until that very source passes one.
func TestNotices_drillThatFailedStands(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	s.job(s.StartDrill(t.Context(), nil))
	s.wantTold("a drill that went well")
	s.shop.set("kassan", "rotten")
	s.backup()
	s.job(s.StartDrill(t.Context(), []string{"Kassan"}))
	if got := s.told(); !slices.Contains(got, "+drill") {
		t.Errorf("a drill failed: told %v", got)
	}
	s.clock.set(time.Minute)
	s.job(s.StartDrill(t.Context(), []string{"Lager"}))
	if got := s.told(); slices.Contains(got, "-drill") {
		t.Error("another source's drill takes it away")
	}
	s.shop.set("kassan", "k2")
	s.backup()
	s.clock.set(2 * time.Minute)
	s.job(s.StartDrill(t.Context(), []string{"Kassan"}))
	if got := s.told(); !slices.Contains(got, "-drill") {
		t.Errorf("it passes again: told %v", got)
	}
}

// TestStanding_causes names the cause of everything the owner is told of.
func TestStanding_causes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	gone := &app.Error{Code: app.CodeSourceMissing}
	source := func(s app.SourceState, p app.Proof) []app.SourceStatus {
		return []app.SourceStatus{{Source: app.Source{Name: "Kassan"}, State: s, Error: gone, Proof: p, SafeUntil: now.Add(-time.Hour)}}
	}
	void := []app.Problemed{{Error: &app.Error{Code: app.CodeKitVoid}}}
	for name, tt := range map[string]struct {
		st   app.Status
		want []string
	}{
		"all well":        {app.Status{Sources: source(app.SourceSafe, app.ProofProven)}, nil},
		"late":            {app.Status{Sources: source(app.SourceLate, "")}, []string{causeLate}},
		"late and paused": {app.Status{Sources: source(app.SourceLate, ""), PausedUntil: now.Add(time.Hour)}, nil},
		"a source paused": {app.Status{Sources: source(app.SourcePaused, "")}, nil},
		"quiet hours":     {app.Status{Sources: source(app.SourceQuiet, "")}, nil},
		"failed":          {app.Status{Sources: source(app.SourceFailed, "")}, []string{causeFailed}},
		"files missing":   {app.Status{Sources: source(app.SourceIncomplete, "")}, []string{causeFailed}},
		"storage gone":    {app.Status{Problems: []app.Problemed{{Error: &app.Error{Code: app.CodeStorageGone}}}}, []string{causeFailed}},
		"drill failed":    {app.Status{Sources: source(app.SourceSafe, app.ProofFailed)}, []string{causeDrill}},
		"kit outdated":    {app.Status{Sources: source(app.SourceSafe, ""), Notes: void}, []string{causeKit}},
		"unusual":         {app.Status{Unusual: []app.Unusual{{SourceID: "kassan", Source: "Kassan"}}}, []string{causeUnusual + ".kassan"}},
		"shop away":       {app.Status{Watch: app.WatchStatus{Storefront: &app.StorefrontStatus{Outage: &app.Outage{Error: gone}}}}, []string{causeFront}},
	} {
		tt.st.Now = now
		var got []string
		for cause, e := range standing(tt.st) {
			if e != nil {
				got = append(got, cause)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

// lateDesktop is a desktop that is not there at first.
type lateDesktop struct {
	*notices
	away bool
}

func (d *lateDesktop) Notify(ctx context.Context, n app.Notice) error {
	if d.away {
		return errors.New("no desktop")
	}
	return d.notices.Notify(ctx, n)
}

func (d *lateDesktop) Resolve(ctx context.Context, cause string) error {
	if d.away {
		return errors.New("no desktop")
	}
	return d.notices.Resolve(ctx, cause)
}

// TestNotices_areShownOnceThereIsADesktop: a guard that starts before the
// desktop does must not keep to itself what it found.
func TestNotices_areShownOnceThereIsADesktop(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	d := &lateDesktop{notices: s.notices, away: true}
	s.Notifier = d
	s.shop.failCapture = app.Errorf(app.CodeSourceMissing, "capture", "gone")
	s.backup()
	s.wantTold("no desktop")
	d.away = false
	s.wantTold("it is there", "+failed")
	s.wantTold("and again")
	s.shop.failCapture = nil
	d.away = true
	s.backup()
	s.wantTold("it went")
	d.away = false
	s.wantTold("it is back", "-failed")
}
