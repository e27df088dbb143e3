package agent

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
	"kvart/app/watch"
)

// dense is a pace of every five minutes from one moment to another.
func dense(from, to time.Time) func(time.Time) time.Duration {
	return func(t time.Time) time.Duration {
		if t.Before(from) || !t.Before(to) {
			return app.QuarterLength
		}
		return app.PeakLength
	}
}

// startPaced is [trial.start] over peak days.
func (tr *trial) startPaced(t *testing.T, offset time.Duration, pace func(time.Time) time.Duration) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_ = schedule{offset: offset, now: tr.clock.now, pace: pace}.serve(ctx, false, func(_ context.Context, q time.Time) {
			tr.at = append(tr.at, tr.clock.now().UTC().Format("15:04:05"))
			tr.quarters = append(tr.quarters, q.UTC().Format("15:04"))
			if tr.during != nil {
				tr.during(len(tr.at))
			}
		})
	}()
	return func() {
		cancel()
		synctest.Wait()
	}
}

func TestSchedule_denserOverAPeakDayAndBackByItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		midnight := time.Now().Add(time.Hour) // 01:00 stands for it
		stop := tr.startPaced(t, 40*time.Second, dense(midnight, midnight.Add(30*time.Minute)))
		time.Sleep(106 * time.Minute)
		stop()
		tr.want(t, "00:00:40", "00:15:40", "00:30:40", "00:45:40", "01:00:40", "01:05:40", "01:10:40", "01:15:40", "01:20:40", "01:25:40", "01:30:40", "01:45:40")
		if want := []string{"01:00", "01:00", "01:00", "01:15", "01:15", "01:15", "01:30", "01:45"}; !slices.Equal(tr.quarters[4:], want) {
			t.Errorf("for %v, want %v", tr.quarters[4:], want)
		}
	})
}

// A shop that takes longer to fetch than the pace must not be fetched without a
// pause: its platform would slow its customers down.
func TestSchedule_denserLeavesALongRunARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		tr := trial{during: func(int) { time.Sleep(6 * time.Minute) }}
		stop := tr.startPaced(t, 0, dense(start, start.Add(24*time.Hour)))
		time.Sleep(31 * time.Minute)
		stop()
		tr.want(t, "00:05:00", "00:15:00", "00:25:00")
	})
}

func TestSchedule_denserWhileTheComputerSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		start := time.Now()
		stop := tr.startPaced(t, 0, dense(start, start.Add(24*time.Hour)))
		time.Sleep(6*time.Minute + 5*time.Second)
		tr.clock.set(3 * time.Hour) // asleep
		time.Sleep(10 * time.Minute)
		stop()
		tr.want(t, "00:05:00", "03:06:15", "03:10:00", "03:15:00")
	})
}

func TestSchedule_clockSetBackOutOfAPeakDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		start := time.Now()
		tr.clock.set(48 * time.Hour)
		stop := tr.startPaced(t, 0, dense(start.Add(24*time.Hour), start.Add(72*time.Hour)))
		time.Sleep(6*time.Minute + 5*time.Second)
		tr.clock.set(0) // to an ordinary day
		time.Sleep(25 * time.Minute)
		tr.clock.set(30 * time.Hour) // and ahead into the peak day
		time.Sleep(10 * time.Minute)
		stop()
		tr.want(t, "00:05:00", "00:15:00", "00:30:00", "06:31:15", "06:35:00", "06:40:00")
	})
}

func TestSchedule_paceThatIsSwitchedCountsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tr trial
		on := time.Now().Add(2 * time.Minute)
		stop := tr.startPaced(t, 0, dense(on, on.Add(10*time.Minute)))
		time.Sleep(31 * time.Minute)
		stop()
		tr.want(t, "00:05:00", "00:10:00", "00:15:00", "00:30:00")
	})
}

// The night in which summer time ends has 25 hours, the one in which it begins
// 23: every five minutes of either has its backup, and the days around them
// every quarter.
func TestSchedule_denserAcrossSummerTime(t *testing.T) {
	t.Parallel()
	stockholm, err := time.LoadLocation("Europe/Stockholm")
	if err != nil {
		t.Skip("no time zones on this computer")
	}
	w := watch.New(watch.Options{})
	for day, hours := range map[string]int{"2026-10-25": 25, "2026-03-29": 23, "2026-05-05": 24} {
		begin, err := time.ParseInLocation(time.DateOnly, day, stockholm)
		if err != nil {
			t.Fatal(err)
		}
		days, err := w.PeakDays("", []app.OwnDay{{Name: "Rea", From: day}}, begin.AddDate(0, 0, -2), begin.AddDate(0, 0, 3))
		if err != nil || len(days) != 1 || days[0].To.Sub(days[0].From) != time.Duration(hours)*time.Hour {
			t.Fatalf("%s: %+v, %v", day, days, err)
		}
		s := schedule{offset: 77 * time.Second, pace: dense(days[0].From, days[0].To)}
		count := map[string]int{}
		for at := s.next(begin.AddDate(0, 0, -1)); at.Before(begin.AddDate(0, 0, 2)); at = s.next(at) {
			count[at.In(stockholm).Format(time.DateOnly)]++
		}
		for d, want := range map[string]int{day: hours * 12, begin.AddDate(0, 0, -1).Format(time.DateOnly): 96, begin.AddDate(0, 0, 1).Format(time.DateOnly): 96} {
			if count[d] != want {
				t.Errorf("%s around %s: %d backups, want %d", d, day, count[d], want)
			}
		}
	}
}

// newPeakTest is a shop with a peak day of its own, from so many days from now
// on, for two days.
func newPeakTest(t *testing.T, from int) *watchTest {
	t.Helper()
	w := newFrontTest(t)
	w.peakFrom(from)
	return w
}

func (w *watchTest) peakFrom(days int) {
	w.t.Helper()
	now := w.clock.now().Local()
	set := w.Store.Document().Watch
	set.OwnDays = []app.OwnDay{{Name: "Rea", From: now.AddDate(0, 0, days).Format(time.DateOnly), To: now.AddDate(0, 0, days+1).Format(time.DateOnly)}}
	if _, err := w.SetWatch(w.t.Context(), app.WatchRequest{Settings: set}); err != nil {
		w.t.Fatal(err)
	}
}

func TestPace_statusTellsTheTruth(t *testing.T) {
	t.Parallel()
	w := newPeakTest(t, 1)
	w.mu.Lock()
	w.serving = true
	w.mu.Unlock()
	if st := w.status(); st.Pace != app.QuarterLength || !st.Watch.DenseUntil.IsZero() || st.Watch.Peak == nil {
		t.Errorf("the day before: %s, %+v", st.Pace, st.Watch)
	}
	w.peakFrom(0)
	st := w.status()
	if st.Pace != app.PeakLength || !st.Watch.DenseUntil.Equal(st.Watch.Peak.To) || st.NextBackup.Sub(st.Now) > app.PeakLength {
		t.Errorf("on the day: every %s until %s, next in %s", st.Pace, st.Watch.DenseUntil, st.NextBackup.Sub(st.Now))
	}
	if !w.NextQuarter().Equal(w.schedule.next(st.Now)) && w.NextQuarter().Before(st.NextBackup) {
		t.Errorf("next %s, status says %s", w.NextQuarter(), st.NextBackup)
	}
	set := w.Store.Document().Watch
	set.NoPeakPace = true
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{Settings: set}); err != nil {
		t.Fatal(err)
	}
	if st := w.status(); st.Pace != app.QuarterLength || !st.Watch.DenseUntil.IsZero() {
		t.Errorf("switched off: %s, %s", st.Pace, st.Watch.DenseUntil)
	}
}

func TestPeakUntil_daysThatFollowOneUponTheOther(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.peaks = true
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{Settings: app.WatchSettings{OwnDays: []app.OwnDay{{Name: "Rea", From: "12-01", To: "12-02"}}}}); err != nil {
		t.Fatal(err)
	}
	at := func(day string) time.Time {
		d, err := time.ParseInLocation(time.DateOnly, day, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for day, until := range map[string]string{
		"2026-12-09": "", "2026-12-10": "2026-12-24", "2026-12-24": "", "2026-12-31": "2027-01-01", "2027-01-01": "",
		"2026-11-22": "", "2026-11-23": "2026-12-03", "2026-11-30": "2026-12-03", "2026-12-02": "2026-12-03", "2026-11-11": "2026-11-12",
	} {
		got := w.peakUntil(at(day).Add(time.Hour))
		if until == "" && !got.IsZero() || until != "" && !got.Equal(at(until)) {
			t.Errorf("%s: until %s, want %s", day, got, until)
		}
	}
}

func TestPace_heavyWorkWaitsForTheNight(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		s        app.Settings
		from, to int
	}{
		{app.Settings{}, 1, 6},
		{app.Settings{QuietFrom: 22, QuietTo: 5}, 22, 5},
		{app.Settings{QuietFrom: 9, QuietTo: 12}, 9, 12},
		{app.Settings{QuietFrom: 0, QuietTo: 8}, 1, 6},
	} {
		if from, to := heavyHours(tt.s, true); from != tt.from || to != tt.to {
			t.Errorf("%+v: %d to %d", tt.s, from, to)
		}
	}
	w := newPeakTest(t, 0)
	now := w.clock.now().Local()
	noon := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, time.Local)
	night := time.Date(now.Year(), now.Month(), now.Day(), 3, 0, 0, 0, time.Local)
	w.later(noon.Sub(now))
	if w.calm(noon) || !w.calm(night) || w.quiet(noon.Add(9*time.Hour)) || w.atNight(checkEvery) != heavyOverdue {
		t.Errorf("noon %v, night %v, evening %v, checks every %s", w.calm(noon), w.calm(night), w.quiet(noon.Add(9*time.Hour)), w.atNight(checkEvery))
	}
	w.later(3 * 24 * time.Hour) // it is over
	if !w.calm(w.clock.now()) || w.atNight(checkEvery) != checkEvery || !w.quiet(noon.Add(3*24*time.Hour+9*time.Hour)) {
		t.Error("not back to ordinary afterwards")
	}
}

func TestPace_backupsReachAsFarBackAsEver(t *testing.T) {
	t.Parallel()
	w := newPeakTest(t, 0)
	k := app.Retention{Latest: 192, Daily: 7}
	if got := w.keepDense(k, w.clock.now()); got.Latest != 3*192 || got.Daily != 7 {
		t.Errorf("on the day: %+v", got)
	}
	if got := w.keepDense(k, w.clock.now().AddDate(0, 0, 3)); got.Latest != 3*192 {
		t.Errorf("the day after: %+v", got)
	}
	if got := w.keepDense(k, w.clock.now().AddDate(0, 0, 5)); got != k {
		t.Errorf("later: %+v", got)
	}
}

func TestForecast(t *testing.T) {
	t.Parallel()
	const mb = 1_000_000
	peak := time.Date(2026, 12, 10, 0, 0, 0, 0, time.Local)
	now := peak.AddDate(0, 0, -5)
	for name, tt := range map[string]struct {
		perDay func(day time.Time) int64 // what the vault grew by
		since  time.Time
		want   *app.PeakForecast
	}{
		// 1.1 × (5 × 10 + 14 × max(20, 10 × 20/5))
		"last year, which grew faster": {func(d time.Time) int64 {
			switch {
			case d.Year() == 2025 && d.Month() == 12 && d.Day() >= 10 && d.Day() < 24:
				return 20
			case d.Year() == 2025:
				return 5
			}
			return 10
		}, peak.AddDate(-1, 0, -40), &app.PeakForecast{Basis: app.BasisLastYear, Ordinary: 10 * mb, Peak: 40 * mb, Bytes: 671 * mb}},
		// never slower than ordinarily: 1.1 × 19 × 10
		"last year, which was still": {func(d time.Time) int64 {
			if d.Year() == 2025 {
				return 0
			}
			return 10
		}, peak.AddDate(-1, 0, -40), &app.PeakForecast{Basis: app.BasisLastYear, Ordinary: 10 * mb, Peak: 10 * mb, Bytes: 209 * mb}},
		// 1.1 × (5 × 10 + 14 × 30)
		"the last weeks only": {func(time.Time) int64 { return 10 }, now.AddDate(0, 0, -20), &app.PeakForecast{Basis: app.BasisTrend, Ordinary: 10 * mb, Peak: 30 * mb, Bytes: 517 * mb}},
		"a single day":        {func(time.Time) int64 { return 10 }, now.AddDate(0, 0, -1), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFrontTest(t)
			w.lamp.peaks = true
			var bytes int64
			for d := tt.since; !d.After(now); d = d.AddDate(0, 0, 1) {
				if err := w.Journal.AddUse(t.Context(), journal.Use{At: d, Bytes: bytes}); err != nil {
					t.Fatal(err)
				}
				bytes += tt.perDay(d) * mb
			}
			p := app.PeakDay{Code: "christmas", From: peak, To: peak.AddDate(0, 0, 14)}
			f, err := w.forecast(t.Context(), p, &app.VaultInfo{Bytes: bytes, Free: 5}, now)
			if err != nil || (f == nil) != (tt.want == nil) {
				t.Fatalf("%+v, %v", f, err)
			}
			if tt.want == nil {
				return
			}
			tt.want.Until, tt.want.Free = p.To, 5
			if near(f.Ordinary, tt.want.Ordinary) && near(f.Peak, tt.want.Peak) && near(f.Bytes, tt.want.Bytes) {
				f.Ordinary, f.Peak, f.Bytes = tt.want.Ordinary, tt.want.Peak, tt.want.Bytes
			}
			if *f != *tt.want {
				t.Errorf("got %+v, want %+v", *f, *tt.want)
			}
		})
	}
}

// near takes a line through points with a day of 23 or 25 hours among them for
// straight.
func near(got, want int64) bool { return max(got-want, want-got) <= want/100 }
