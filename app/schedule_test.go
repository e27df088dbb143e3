package app

import (
	"testing"
	"time"
)

func TestSchedule_QuietBetween(t *testing.T) {
	t.Parallel()
	at := func(day, hour, minute int) time.Time { return time.Date(2026, 11, day, hour, minute, 0, 0, time.Local) }
	night, noon := Schedule{QuietFrom: 22, QuietTo: 6}, Schedule{QuietFrom: 11, QuietTo: 13}
	for name, tt := range map[string]struct {
		s        Schedule
		from, to time.Time
		want     time.Duration
	}{
		"none":            {Schedule{}, at(10, 0, 0), at(11, 0, 0), 0},
		"before it":       {noon, at(10, 8, 0), at(10, 10, 0), 0},
		"half of it":      {noon, at(10, 8, 0), at(10, 12, 0), time.Hour},
		"all of it":       {noon, at(10, 8, 0), at(10, 18, 0), 2 * time.Hour},
		"over midnight":   {night, at(10, 21, 45), at(11, 3, 0), 5 * time.Hour},
		"a whole night":   {night, at(10, 21, 45), at(11, 6, 1), 8 * time.Hour},
		"within the last": {night, at(11, 1, 0), at(11, 2, 0), time.Hour},
		"two nights":      {night, at(10, 12, 0), at(12, 12, 0), 16 * time.Hour},
		"backwards":       {night, at(11, 3, 0), at(10, 22, 0), 0},
	} {
		if got := tt.s.QuietBetween(tt.from, tt.to); got != tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if got := night.QuietBetween(at(1, 12, 0), at(1, 12, 0).AddDate(1, 0, 0)); got > (mostQuiet+1)*8*time.Hour {
		t.Errorf("a year of nights excuses %v", got)
	}
}

func TestSchedule_PausedAt(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 10, 14, 0, 0, 0, time.UTC)
	hour := Schedule{PausedFrom: now, PausedUntil: now.Add(time.Hour)}
	for name, tt := range map[string]struct {
		s    Schedule
		at   time.Time
		want bool
	}{
		"never":              {Schedule{}, now, false},
		"for an hour":        {hour, now.Add(59 * time.Minute), true},
		"the hour is over":   {hour, now.Add(time.Hour), false},
		"the clock went":     {hour, now.AddDate(-1, 0, 0), false},
		"until taken up":     {Schedule{Paused: true, PausedFrom: now}, now.AddDate(9, 0, 0), true},
		"whatever the clock": {Schedule{Paused: true, PausedFrom: now}, now.AddDate(-9, 0, 0), true},
	} {
		if got := tt.s.PausedAt(tt.at); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestSchedule_Check(t *testing.T) {
	t.Parallel()
	for _, s := range []Schedule{{Every: 7 * time.Minute}, {Every: -time.Hour}, {QuietFrom: 24}, {QuietTo: -1}} {
		if CodeOf(s.Check()) != CodeUsage {
			t.Errorf("%+v is taken", s)
		}
	}
	for _, every := range append(Paces(), 0) {
		if err := (Schedule{Every: every, QuietFrom: 23, QuietTo: 5}).Check(); err != nil {
			t.Errorf("every %v: %v", every, err)
		}
	}
}

func TestStatus_Resting(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		v      Verdict
		states []SourceState
		want   int
	}{
		"one paused":       {VerdictLate, []SourceState{SourceSafe, SourcePaused}, 1},
		"paused and quiet": {VerdictLate, []SourceState{SourceQuiet, SourcePaused}, 2},
		"one is late":      {VerdictLate, []SourceState{SourceLate, SourcePaused}, 0},
		"the vault failed": {VerdictFailed, []SourceState{SourceSafe, SourcePaused}, 0},
	} {
		st := Status{Verdict: tt.v}
		for _, s := range tt.states {
			st.Sources = append(st.Sources, SourceStatus{State: s})
		}
		if got := len(st.Resting()); got != tt.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}
