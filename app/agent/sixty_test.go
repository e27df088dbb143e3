package agent

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kvart/app"
)

// A season is a guard at work on a computer that is on for a while every other day, by
// a clock of its own.
type season struct {
	*watchTest
	start time.Time // midnight of the first day, local
}

// day returns a moment of a day of the season.
func (s *season) day(n, hour, minute int) time.Time {
	return time.Date(s.start.Year(), s.start.Month(), s.start.Day()+n, hour, minute, 0, 0, time.Local)
}

// wake has the computer sleep until a moment, and be on for a while. What the
// status says in between is true: late while it is, and safe once it is made up
// for.
func (s *season) wake(at time.Time, on time.Duration) {
	s.t.Helper()
	slept := at.Sub(s.Now())
	s.clock.set(time.Until(at))
	if v := s.status().Verdict; slept > 2*time.Hour && v != app.VerdictLate {
		s.t.Errorf("%s, after %s of sleep: %s", at.Format(time.DateTime), slept.Round(time.Minute), v)
	}
	time.Sleep(on)
	synctest.Wait()
	s.wantVerdict(app.VerdictSafe)
}

// runs counts the runs of a source that began in a span of time.
func (s *season) runs(id app.SourceID, from, to time.Time) (n int) {
	s.t.Helper()
	all, err := s.Journal.Runs(s.t.Context(), id, from.Add(-time.Hour), to)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range all {
		if !r.Started.Before(from) && r.Started.Before(to) {
			n++
		}
	}
	return n
}

// kept returns when the backups that are kept of a source were made, in a span.
func (s *season) kept(id app.SourceID, from, to time.Time) (at []time.Time) {
	s.t.Helper()
	points, err := s.vault.Points(s.t.Context(), app.PointFilter{Source: id})
	if err != nil {
		s.t.Fatal(err)
	}
	for _, p := range points {
		if !p.Time.Before(from) && p.Time.Before(to) {
			at = append(at, p.Time)
		}
	}
	return at
}

const (
	seasonDays = 60
	rushFrom   = 30 // days
	rushDays   = 3
	// ordinarily is how long the computer is on a day: chores are done one a
	// minute.
	ordinarily = 5*time.Minute + 30*time.Second
)

// TestGuard_sixtyDays lets a guard live through a season with a sale in the
// middle: it backs up more often from the first midnight of the sale to the last,
// practises in time for it, tells what room it takes, keeps what is promised, and
// never says that all is well when it is not.
func TestGuard_sixtyDays(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSeason(t)
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan error, 1)
		go func() { end <- s.Serve(ctx) }()
		for n := 1; n < seasonDays; n++ {
			switch {
			case n == rushFrom-1:
				s.begins(n + 1)
			case n == rushFrom+rushDays-1:
				s.wake(s.day(n, 12, 0), 37*time.Minute)
				s.keepsDense()
				s.ends(n + 1)
			case n%2 == 0 || n >= rushFrom && n < rushFrom+rushDays:
				s.wake(s.day(n, 12, 0), ordinarily)
				s.forecasts(n)
			}
		}
		s.practised()
		s.keepsDays()
		cancel()
		<-end
		if err := s.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

func newSeason(t *testing.T) *season {
	t.Helper()
	w := newFrontTest(t)
	now := time.Now().Local()
	s := &season{watchTest: w, start: time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.Local)}
	w.schedule.offset = 0
	w.vaults.Free = 1 << 40
	// there is something new whenever the till is looked at
	w.shop.fetch = func(a app.Access) {
		if a.Source.Name == "Kassan" {
			w.shop.set("kassan", "k "+w.Now().UTC().Format(time.RFC3339Nano[:23]))
		}
	}
	set, settings := w.Store.Document().Watch, w.Store.Document().Settings
	set.OwnDays = []app.OwnDay{{Name: "Rea", From: s.day(rushFrom, 0, 0).Format(time.DateOnly), To: s.day(rushFrom+rushDays-1, 0, 0).Format(time.DateOnly)}}
	settings.Keep = app.Retention{Latest: 4, Daily: seasonDays}
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{Settings: set}); err != nil {
		t.Fatal(err)
	}
	if err := w.SetSettings(t.Context(), settings); err != nil {
		t.Fatal(err)
	}
	return s
}

// begins looks at the midnight before a day on which backups become denser.
func (s *season) begins(n int) {
	s.t.Helper()
	midnight := s.day(n, 0, 0)
	s.wake(midnight.Add(-24*time.Minute), 24*time.Minute+19*time.Minute)
	if before, after := s.runs("kassan", midnight.Add(-20*time.Minute), midnight), s.runs("kassan", midnight, midnight.Add(19*time.Minute)); before != 1 || after != 4 {
		s.t.Errorf("%d backups in the 20 minutes before the sale, %d in its first 19", before, after)
	}
	if st := s.status(); st.Pace != app.PeakLength || !st.Watch.DenseUntil.Equal(s.day(n+rushDays, 0, 0)) {
		s.t.Errorf("every %s until %s", st.Pace, st.Watch.DenseUntil)
	}
}

// ends looks at the midnight after which they are not any more.
func (s *season) ends(n int) {
	s.t.Helper()
	midnight := s.day(n, 0, 0)
	s.wake(midnight.Add(-14*time.Minute), 14*time.Minute+19*time.Minute)
	if before, after := s.runs("kassan", midnight.Add(-10*time.Minute), midnight), s.runs("kassan", midnight, midnight.Add(19*time.Minute)); before != 2 || after != 2 {
		s.t.Errorf("%d backups in the sale's last 10 minutes, %d in the 19 after it", before, after)
	}
	if st := s.status(); st.Pace != app.QuarterLength || !st.Watch.DenseUntil.IsZero() {
		s.t.Errorf("after it: every %s until %s", st.Pace, st.Watch.DenseUntil)
	}
}

// keepsDense looks whether the last hour is there whole, although the newest four
// are all that is kept of it on ordinary days.
func (s *season) keepsDense() {
	s.t.Helper()
	s.job(s.StartMaintain(s.t.Context()))
	from, to := s.Now().Add(-reach(s.Store.Document().Settings.Keep)), s.Now()
	if made, kept := s.runs("kassan", from, to), len(s.kept("kassan", from, to)); made < 8 || kept != made {
		s.t.Errorf("of %d backups of the hour, %d are kept", made, kept)
	}
}

// forecasts looks whether the room for the sale is told from two weeks before,
// and no sooner or later.
func (s *season) forecasts(n int) {
	s.t.Helper()
	u := s.status().Use
	near := n >= rushFrom-14 && n < rushFrom+rushDays-1
	if u == nil || (u.Peak != nil) != near {
		s.t.Errorf("day %d: use %+v", n, u)
		return
	}
	if near && (u.Peak.Bytes <= 0 || !u.Peak.Until.Equal(s.day(rushFrom+rushDays, 0, 0))) {
		s.t.Errorf("day %d: forecast %+v", n, *u.Peak)
	}
}

// practised looks at the drills: one a week, and one in the week before the sale.
func (s *season) practised() {
	s.t.Helper()
	for _, name := range []string{"Kassan", "Lager"} {
		drills, err := s.Drills(s.t.Context(), name)
		if err != nil {
			s.t.Fatal(err)
		}
		last, soon := s.Now(), false
		for _, d := range drills { // newest first
			if gap := last.Sub(d.At); gap > drillLate+24*time.Hour {
				s.t.Errorf("%s: no drill for %s until %s", name, gap, last.Format(time.DateTime))
			}
			before := s.day(rushFrom, 0, 0).Sub(d.At)
			soon = soon || before >= 0 && before <= peakProof
			last = d.At
			if !d.OK {
				s.t.Errorf("%s: drill of %s: %v", name, d.At, d.Error)
			}
		}
		if len(drills) < seasonDays/9 || !soon {
			s.t.Errorf("%s: %d drills, in the week before the sale: %t", name, len(drills), soon)
		}
	}
	for _, src := range s.status().Sources {
		if src.Proof != app.ProofProven {
			s.t.Errorf("%s: %s", src.Source.Name, src.Proof)
		}
	}
}

// keepsDays looks whether every day on which the computer was on has a backup
// still.
func (s *season) keepsDays() {
	s.t.Helper()
	s.job(s.StartMaintain(s.t.Context()))
	var days []string
	for _, at := range s.kept("kassan", s.day(1, 0, 0), s.day(seasonDays, 0, 0)) {
		if d := at.UTC().Format(time.DateOnly); !slices.Contains(days, d) {
			days = append(days, d)
		}
	}
	made := s.runs("kassan", s.day(1, 0, 0), s.day(seasonDays, 0, 0))
	if len(days) < seasonDays/2 {
		s.t.Errorf("backups of %d days are kept", len(days))
	}
	if all := len(s.kept("kassan", s.day(1, 0, 0), s.day(seasonDays, 0, 0))); all > len(days)+4 || all >= made {
		s.t.Errorf("of %d backups of %d days, %d are kept: nothing expires", made, len(days), all)
	}
}
