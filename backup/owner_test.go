package backup

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/maintenance"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// schedule returns when maintenance ran, as all computers see it.
func schedule(t *testing.T, v *Vault) *maintenance.Schedule {
	t.Helper()
	s, err := maintenance.GetSchedule(t.Context(), v.rep)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func setSchedule(t *testing.T, v *Vault, s *maintenance.Schedule) {
	t.Helper()
	err := repo.DirectWriteSession(t.Context(), v.rep, repo.WriteSessionOptions{}, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		return maintenance.SetSchedule(ctx, w, s)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func ranAt(end time.Time) *maintenance.Schedule {
	s := &maintenance.Schedule{}
	s.ReportRun(maintenance.TaskIndexCompaction, maintenance.RunInfo{Start: end.Add(-time.Minute), End: end, Success: true})
	return s
}

func TestVault_MaintenanceTakenOverFromIdleOwner(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	first := s.create("kassan", clock(-10*day))
	s.save(first, "kassa")
	second := s.open("lagret", time.Now)
	s.save(second, "lager")
	if got := s.maintainer(second); got != "kassan" {
		t.Fatalf("%q maintains at first", got)
	}
	s.maintain(second)
	if got := s.maintainer(second); got != "lagret" {
		t.Errorf("%q maintains after ten idle days", got)
	}
	if ran := schedule(t, second).Runs; len(ran) != 0 {
		t.Errorf("the new owner maintained at once: %v", ran)
	}
	s.maintain(second)
	if ran := schedule(t, second).Runs; len(ran) == 0 {
		t.Error("the new owner did not maintain the next time")
	}
	// The old owner wakes up.
	was := schedule(t, second).NextQuickMaintenanceTime
	again := s.open("kassan", time.Now)
	s.maintain(again)
	s.maintain(again)
	if now := schedule(t, second).NextQuickMaintenanceTime; !now.Equal(was) || s.maintainer(again) != "lagret" {
		t.Errorf("the old owner maintained: %v, %v", was, now)
	}
}

func TestVault_MaintenanceStaysWithOwner(t *testing.T) {
	t.Parallel()
	now := time.Now()
	tests := []struct {
		name string
		ran  *maintenance.Schedule
		off  time.Duration // of the other computer's clock
		want app.ComputerID
	}{
		{"maintained six days ago", ranAt(now.Add(-6 * day)), 0, "kassan"},
		{"maintained eight days ago", ranAt(now.Add(-8 * day)), 0, "lagret"},
		{"maintained in the future", ranAt(now.Add(30 * day)), 0, "lagret"},
		{"the other's clock is ahead", ranAt(now.Add(-2 * day)), 20 * day, "kassan"},
		{"the other's clock is behind", ranAt(now.Add(-2 * day)), -20 * day, "kassan"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := shopInFolder(t)
			first := s.create("kassan", clock(-40*day))
			s.save(first, "kassa")
			setSchedule(t, first, tt.ran)
			other := s.open("lagret", clock(tt.off))
			s.save(other, "lager")
			s.maintain(other)
			if got := s.maintainer(other); got != tt.want {
				t.Errorf("%q maintains, want %q", got, tt.want)
			}
		})
	}
}

func TestVault_MaintenanceTakenOverAtOnce(t *testing.T) {
	t.Parallel()
	t.Run("from a computer that was replaced", func(t *testing.T) {
		t.Parallel()
		s := shopInFolder(t)
		s.save(s.create("kassan", time.Now), "kassa")
		fresh := s.open("nya", time.Now)
		s.save(fresh, "kassa")
		s.maintain(fresh)
		if got := s.maintainer(fresh); got != "kassan" {
			t.Fatalf("%q maintains", got)
		}
		if err := fresh.Replace(t.Context(), "kassan"); err != nil {
			t.Fatal(err)
		}
		s.maintain(fresh)
		if got := s.maintainer(fresh); got != "nya" {
			t.Errorf("%q maintains", got)
		}
	})
	t.Run("from a vault of before there were computers", func(t *testing.T) {
		t.Parallel()
		s := shopInFolder(t)
		old := s.create("", time.Now)
		old.computer = app.Computer{} // a setup without one
		s.save(old, "kassa")
		if list := vaulttest.Computers(t, old); len(list) != 0 {
			t.Errorf("computers %+v", list)
		}
		s.maintain(old)
		fresh := s.open("kassan", time.Now)
		p := s.save(fresh, "kassa")
		if p.Seq != 2 {
			t.Errorf("point %+v", p)
		}
		s.maintain(fresh)
		if got := s.maintainer(fresh); got != "kassan" {
			t.Errorf("%q maintains", got)
		}
	})
}

// Of computers that take maintenance over at once only one maintains.
func TestVault_MaintenanceTakenOverByTwo(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	s.save(s.create("kassan", clock(-10*day)), "kassa")
	var heirs []*Vault
	for _, id := range []app.ComputerID{"a", "b", "c"} {
		v := s.open(id, time.Now)
		s.save(v, app.SourceID(id))
		heirs = append(heirs, v)
	}
	var wg sync.WaitGroup
	for _, v := range heirs {
		wg.Go(func() {
			if mine, err := v.maintains(t.Context()); mine || err != nil {
				t.Errorf("maintains at once: %v, %v", mine, err)
			}
		})
	}
	wg.Wait()
	going := 0
	for _, v := range heirs {
		mine, err := v.maintains(t.Context())
		if err != nil {
			t.Error(err)
		}
		if mine {
			going++
		}
	}
	if going != 1 {
		t.Errorf("%d computers maintain, want one", going)
	}
}

// A clone of the computer that maintains doesn't do it too.
func TestVault_MaintenanceByOneGuard(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	first := s.create("kassan", time.Now)
	s.save(first, "kassa")
	clone := s.open("kassan", time.Now)
	s.maintain(clone) // it began later, so it goes on
	ran := schedule(t, clone).NextQuickMaintenanceTime
	setSchedule(t, clone, &maintenance.Schedule{})
	s.maintain(first)
	if !schedule(t, clone).NextQuickMaintenanceTime.IsZero() || ran.IsZero() {
		t.Error("the guard that was pushed aside maintained")
	}
	_, err := first.Save(t.Context(), []app.SaveRequest{vaulttest.Request("kassa")}, nil)
	s.wantCode(err, app.CodeTwoGuards)
}

func TestVault_Due(t *testing.T) {
	t.Parallel()
	s := shopInFolder(t)
	v := s.create("kassan", time.Now)
	now := time.Now()
	hour := time.Hour
	tests := []struct {
		name        string
		quick, full time.Duration // until due
		quiet       bool
		want        maintenance.Mode
	}{
		{"nothing due", hour / 2, 20 * hour, true, maintenance.ModeNone},
		{"quick due", -hour, 20 * hour, true, maintenance.ModeQuick},
		{"full due, in a quiet hour", -hour, -hour, true, maintenance.ModeFull},
		{"full due, in shop hours", -hour, -hour, false, maintenance.ModeQuick},
		{"full due, quick not, in shop hours", hour / 2, -hour, false, maintenance.ModeNone},
		{"full due for two days", hour / 2, -49 * hour, false, maintenance.ModeFull},
		{"a clock that was ahead set both", 400 * day, 400 * day, true, maintenance.ModeFull},
		{"a clock that was ahead, in shop hours", 400 * day, 400 * day, false, maintenance.ModeQuick},
	}
	for _, tt := range tests {
		setSchedule(t, v, &maintenance.Schedule{NextQuickMaintenanceTime: now.Add(tt.quick), NextFullMaintenanceTime: now.Add(tt.full)})
		if got, err := v.due(t.Context(), tt.quiet, false); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v, want %q", tt.name, got, err, tt.want)
		}
	}
	setSchedule(t, v, &maintenance.Schedule{})
	if got, err := v.due(t.Context(), false, false); err != nil || got != maintenance.ModeQuick {
		t.Errorf("a new vault in shop hours: %q, %v", got, err)
	}
	if got, err := v.due(t.Context(), false, true); err != nil || got != maintenance.ModeFull {
		t.Errorf("after a lock was set: %q, %v", got, err)
	}
}
