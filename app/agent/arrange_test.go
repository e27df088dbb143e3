package agent

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// arrange changes when a source is backed up.
func (s *shopTest) arrange(name string, sch app.Schedule) app.Source {
	s.t.Helper()
	src, err := s.ArrangeSource(s.t.Context(), app.ArrangeRequest{Source: name, Schedule: &sch})
	if err != nil {
		s.t.Fatal(err)
	}
	return src
}

// looks moves the clock to minutes after the start and lets the guard look, at
// every tick on the way as it would by itself. It returns what was backed up,
// as "15:Kassan 30:Kassan+Lager".
func (s *shopTest) looks(from, to time.Duration) string {
	s.t.Helper()
	var out []string
	start := time.Now().Truncate(24*time.Hour).AddDate(0, 0, 1)
	set := func(at time.Time) { s.clock.set(time.Until(at)) }
	set(start.Add(from + time.Second))
	for {
		due := s.schedule.next(s.Now())
		if due.Sub(start) > to {
			return strings.Join(out, " ")
		}
		set(due.Add(time.Second))
		before := len(s.runsOf(""))
		s.quarterDue(s.t.Context(), quarter(s.Now()))
		if names := s.runsOf("")[before:]; len(names) > 0 {
			out = append(out, due.Sub(start).Truncate(time.Minute).String()+":"+strings.Join(names, "+"))
		}
	}
}

func (s *shopTest) runsOf(id app.SourceID) (names []string) {
	s.t.Helper()
	runs, err := s.Journal.Runs(s.t.Context(), id, time.Time{}, s.Now().AddDate(1, 0, 0))
	if err != nil {
		s.t.Fatal(err)
	}
	for _, r := range runs {
		names = append(names, r.Result.Source)
	}
	return names
}

// strip returns the states of the quarters between two moments of the next day.
func (s *shopTest) strip(id app.SourceID, from, to time.Duration) (out []app.QuarterState) {
	s.t.Helper()
	start := time.Now().Truncate(24*time.Hour).AddDate(0, 0, 1)
	seen := map[int64]app.QuarterState{}
	for _, day := range []time.Time{start.AddDate(0, 0, -1), start, start.AddDate(0, 0, 1)} {
		qs, err := s.day(s.t.Context(), id, day)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, q := range qs {
			seen[q.Start.Unix()] = q.State
		}
	}
	for t := start.Add(from); t.Before(start.Add(to)); t = t.Add(app.QuarterLength) {
		out = append(out, seen[t.Unix()])
	}
	return out
}

func TestArrange_ownPaces(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.schedule.offset = 0
	s.arrange("Lager", app.Schedule{Every: time.Hour})
	if got := s.looks(-time.Minute, 75*time.Minute); got != "0s:Kassan+Lager 15m0s:Kassan 30m0s:Kassan 45m0s:Kassan 1h0m0s:Kassan+Lager 1h15m0s:Kassan" {
		t.Errorf("hourly: %s", got)
	}
	st := s.status()
	if st.Verdict != app.VerdictSafe || st.Pace != app.QuarterLength {
		t.Errorf("verdict %s at a pace of %v, %+v", st.Verdict, st.Pace, st.Problems)
	}
	want := []app.QuarterState{app.QuarterDone, app.QuarterRest, app.QuarterRest, app.QuarterRest, app.QuarterIdle}
	if got := s.strip("lager", 0, 75*time.Minute); !slices.Equal(got, want) {
		t.Errorf("its strip is %v", got)
	}
	s.arrange("Lager", app.Schedule{Every: 5 * time.Minute})
	if got := s.looks(76*time.Minute, 95*time.Minute); got != "1h20m0s:Lager 1h25m0s:Lager 1h30m0s:Kassan+Lager 1h35m0s:Lager" {
		t.Errorf("every 5 minutes: %s", got)
	}
	if st := s.status(); st.Pace != app.PeakLength {
		t.Errorf("a pace of %v", st.Pace)
	}
}

func TestArrange_everySourceHourlyLeavesNoQuarterForMissed(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.schedule.offset = 0
	for _, name := range []string{"Kassan", "Lager"} {
		s.arrange(name, app.Schedule{Every: time.Hour})
	}
	if got := s.looks(-time.Minute, 46*time.Minute); got != "0s:Kassan+Lager" {
		t.Errorf("looked %s", got)
	}
	if got := s.strip("", 0, 45*time.Minute); !slices.Equal(got, []app.QuarterState{app.QuarterDone, app.QuarterRest, app.QuarterRest}) {
		t.Errorf("the strip is %v", got)
	}
	s.mu.Lock()
	s.serving = true
	s.mu.Unlock()
	if st := s.status(); st.NextBackup.Sub(st.Now) < 13*time.Minute || st.NextBackup.Sub(st.Now) > 15*time.Minute || st.NextBackup.Minute() != 0 {
		t.Errorf("at %v the next backup is said to be %v", st.Now, st.NextBackup)
	}
}

func TestArrange_lateByItsOwnRule(t *testing.T) {
	t.Parallel()
	for every, limit := range map[time.Duration]time.Duration{0: 35 * time.Minute, 5 * time.Minute: 35 * time.Minute, 30 * time.Minute: 65 * time.Minute, time.Hour: 125 * time.Minute} {
		now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
		for age, want := range map[time.Duration]app.SourceState{limit - time.Second: app.SourceSafe, limit + time.Second: app.SourceLate} {
			f := sourceFacts{now: now, schedule: app.Schedule{Every: every}, verified: true, taken: now.Add(-age), safeUntil: now.Add(-age)}
			if got, _ := f.state(nil); got != want {
				t.Errorf("every %v, %v old: %s, want %s", every, age, got, want)
			}
		}
	}
}

func TestArrange_aFailedLookIsNotLeftForAnHour(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.schedule.offset = 0
	s.arrange("Lager", app.Schedule{Every: time.Hour})
	s.shop.failCapture = app.Errorf(app.CodeSourceOffline, "capture", "no answer")
	s.looks(-time.Minute, time.Minute)
	s.shop.failCapture = nil
	if got := s.looks(2*time.Minute, 30*time.Minute); got != "15m0s:Kassan+Lager 30m0s:Kassan" {
		t.Errorf("looked %s", got)
	}
}

func TestArrange_pausedIsNeverSafe(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.schedule.offset = 0
	s.looks(-time.Minute, time.Minute)
	s.wantVerdict(app.VerdictSafe)
	s.arrange("Lager", app.Schedule{Paused: true})
	s.wantVerdict(app.VerdictLate) // at once, however fresh its last backup is
	if st := s.status(); len(st.Resting()) != 1 || st.Sources[1].State != app.SourcePaused || app.CodeOf(st.Sources[1].Error) != app.CodeSourcePaused {
		t.Errorf("%+v", st.Sources[1])
	}
	if got := s.looks(2*time.Minute, 3*time.Hour); strings.Contains(got, "Lager") || !strings.Contains(got, "3h0m0s:Kassan") {
		t.Errorf("looked %s", got)
	}
	if got := s.strip("", 15*time.Minute, 45*time.Minute); !slices.Equal(got, []app.QuarterState{app.QuarterPaused, app.QuarterPaused}) {
		t.Errorf("the shop's strip is %v", got)
	}
	if got := s.strip("kassan", 15*time.Minute, 30*time.Minute); !slices.Equal(got, []app.QuarterState{app.QuarterIdle}) {
		t.Errorf("the other's strip is %v", got)
	}
	st := s.status()
	if lost := st.Now.Sub(st.LastBackup); lost < 2*time.Hour {
		t.Errorf("%v would be lost", lost)
	}
	s.tellOwner(t.Context())
	if slices.Contains(s.notices.log, "+late") {
		t.Error("the owner is told of what they chose")
	}
	if got := states(s.backup()); got != "Kassan=idle" {
		t.Errorf("back up now does %s", got)
	}
	if got := states(s.backup("Lager")); got != "Lager=idle" {
		t.Errorf("asked for by name: %s", got)
	}
	s.crash()
	s.wantVerdict(app.VerdictLate) // it is remembered
	s.arrange("Lager", app.Schedule{})
	s.wantVerdict(app.VerdictSafe)
}

func TestArrange_pauseEndsByItself(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.schedule.offset = 0
	s.looks(-time.Minute, time.Minute)
	until := s.Now().Add(40 * time.Minute)
	if got := s.arrange("Lager", app.Schedule{PausedUntil: until}); got.Schedule.PausedFrom.IsZero() {
		t.Error("when it began is not remembered")
	}
	if got := s.looks(2*time.Minute, 45*time.Minute); got != "15m0s:Kassan 30m0s:Kassan 45m0s:Kassan+Lager" {
		t.Errorf("looked %s", got)
	}
	s.wantVerdict(app.VerdictSafe)
	for _, bad := range []app.Schedule{{PausedUntil: s.Now().Add(-time.Hour)}, {Every: time.Minute}, {QuietFrom: 25}} {
		if _, err := s.ArrangeSource(t.Context(), app.ArrangeRequest{Source: "Lager", Schedule: &bad}); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	s.arrange("Lager", app.Schedule{Every: time.Hour, PausedUntil: until}) // the past pause goes along unchanged
}

func TestArrange_everythingPausedIsSaid(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	for _, name := range []string{"Kassan", "Lager"} {
		s.arrange(name, app.Schedule{Paused: true})
	}
	if _, err := s.StartBackup(t.Context(), nil); app.CodeOf(err) != app.CodeSourcePaused {
		t.Errorf("%v", err)
	}
	s.mu.Lock()
	s.serving = true
	s.mu.Unlock()
	if st := s.status(); !st.NextBackup.IsZero() || !st.Serving {
		t.Errorf("the next backup is said to be %v, serving %t", st.NextBackup, st.Serving)
	}
}

func TestArrange_quietHours(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 3, 0, 0, 0, time.Local)
	night := app.Schedule{QuietFrom: 22, QuietTo: 6}
	for name, tt := range map[string]struct {
		now, safe time.Time
		want      app.SourceState
	}{
		"fresh":              {now.Add(-5 * time.Hour), now.Add(-5*time.Hour - 10*time.Minute), app.SourceSafe},
		"in the night":       {now, now.Add(-5*time.Hour - 15*time.Minute), app.SourceQuiet},
		"late before it":     {now, now.Add(-6 * time.Hour), app.SourceLate},
		"just after it":      {now.Add(3*time.Hour + time.Minute), now.Add(-5*time.Hour - 15*time.Minute), app.SourceQuiet},
		"and never taken up": {now.Add(4 * time.Hour), now.Add(-5*time.Hour - 15*time.Minute), app.SourceLate},
	} {
		f := sourceFacts{now: tt.now, schedule: night, verified: true, taken: tt.safe, safeUntil: tt.safe}
		if got, _ := f.state(nil); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	if verdictOf(app.SourceQuiet) == app.VerdictSafe || verdictOf(app.SourcePaused) == app.VerdictSafe {
		t.Error("what is left alone is called safe")
	}

	s := newShopTest(t)
	s.schedule.offset = 0
	s.looks(-time.Minute, time.Minute)
	h := s.Now().Local().Hour()
	s.arrange("Lager", app.Schedule{QuietFrom: h, QuietTo: (h + 1) % 24})
	if got := s.looks(2*time.Minute, time.Hour); got != "15m0s:Kassan 30m0s:Kassan 45m0s:Kassan 1h0m0s:Kassan+Lager" {
		t.Errorf("looked %s", got)
	}
	if got := s.strip("lager", 15*time.Minute, 45*time.Minute); !slices.Equal(got, []app.QuarterState{app.QuarterRest, app.QuarterRest}) {
		t.Errorf("its strip is %v", got)
	}
}

func TestArrange_rename(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.backup()
	if err := s.Store.Update(func(d *Document) error { d.Watch.Canaries = []string{"Lager"}; return nil }); err != nil {
		t.Fatal(err)
	}
	src, err := s.ArrangeSource(t.Context(), app.ArrangeRequest{Source: "Lager", Name: " Lagret i Gamla stan "})
	if err != nil || src.Name != "Lagret i Gamla stan" || src.ID != "lager" {
		t.Fatalf("%+v, %v", src, err)
	}
	if got := s.Store.Document().Watch.Canaries; !slices.Equal(got, []string{"Lagret i Gamla stan"}) {
		t.Errorf("canaries are in %v", got)
	}
	s.wantVerdict(app.VerdictSafe) // nothing has to be proven again
	if points, err := s.Points(t.Context(), app.PointsRequest{Source: "Lagret i Gamla stan"}); err != nil || len(points) != 1 {
		t.Errorf("%d points, %v", len(points), err)
	}
	for _, taken := range []string{"Kassan", "kassan"} {
		if _, err := s.ArrangeSource(t.Context(), app.ArrangeRequest{Source: "lager", Name: taken}); app.CodeOf(err) != app.CodeSourceExists {
			t.Errorf("%q: %v", taken, err)
		}
	}
	if _, err := s.ArrangeSource(t.Context(), app.ArrangeRequest{Source: "Butiken", Name: "x"}); app.CodeOf(err) != app.CodeSourceUnknown {
		t.Errorf("%v", err)
	}
}

// TestArrange_goesAlongToANewComputer: the vault's copy of the settings holds it.
func TestArrange_goesAlongToANewComputer(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.arrange("Lager", app.Schedule{Every: 30 * time.Minute, Paused: true})
	s.backup()
	o := s.another("ny")
	if _, err := o.OpenVault(t.Context(), app.VaultRequest{
		Storage: app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": "v"}},
		Secrets: app.Secrets{app.PassphraseKey: app.NewSecret("mycket hemlig")},
	}); err != nil {
		t.Fatal(err)
	}
	src, err := o.Store.Document().source("Lager")
	if err != nil || src.Schedule.Every != 30*time.Minute || !src.Schedule.Paused {
		t.Errorf("%+v, %v", src, err)
	}
}
