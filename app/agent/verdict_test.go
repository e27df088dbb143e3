package agent

import (
	"testing"
	"time"

	"kvart/app"
)

func TestSourceFacts_state(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	failed := app.Errorf(app.CodeSourceMissing, "open", "gone")
	for name, tt := range map[string]struct {
		f    sourceFacts
		want app.SourceState
	}{
		"nothing done yet":               {sourceFacts{}, app.SourceWaiting},
		"first run failed":               {sourceFacts{lastErr: failed}, app.SourceFailed},
		"a point nobody read back":       {sourceFacts{unproven: true}, app.SourceUnproven},
		"fresh":                          {sourceFacts{verified: true, taken: now.Add(-4 * time.Minute), safeUntil: now.Add(-4 * time.Minute)}, app.SourceSafe},
		"old, but nothing moved":         {sourceFacts{verified: true, taken: now.Add(-20 * time.Hour), safeUntil: now.Add(-10 * time.Minute)}, app.SourceSafe},
		"one quarter missed":             {sourceFacts{verified: true, taken: now.Add(-29 * time.Minute), safeUntil: now.Add(-29 * time.Minute)}, app.SourceSafe},
		"two quarters missed":            {sourceFacts{verified: true, taken: now.Add(-36 * time.Minute), safeUntil: now.Add(-36 * time.Minute)}, app.SourceLate},
		"last run failed":                {sourceFacts{verified: true, taken: now, safeUntil: now, lastErr: failed}, app.SourceFailed},
		"files that could not be read":   {sourceFacts{verified: true, taken: now, safeUntil: now, incomplete: 1}, app.SourceIncomplete},
		"late is worse than incomplete":  {sourceFacts{verified: true, taken: now.Add(-time.Hour), safeUntil: now.Add(-time.Hour), incomplete: 1}, app.SourceLate},
		"a point from the future":        {sourceFacts{verified: true, taken: now.Add(400 * 24 * time.Hour), safeUntil: now}, app.SourceUnknown},
		"a look from the future":         {sourceFacts{verified: true, taken: now, safeUntil: now.Add(time.Hour)}, app.SourceUnknown},
		"clocks a little apart are fine": {sourceFacts{verified: true, taken: now.Add(2 * time.Minute), safeUntil: now.Add(2 * time.Minute)}, app.SourceSafe},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.f.now = now
			if got, _ := tt.f.state(tt.f.lastErr); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestVerdict_isTheWorstAndNeverSafeByDefault(t *testing.T) {
	t.Parallel()
	src := func(states ...app.SourceState) (l []app.SourceStatus) {
		for _, s := range states {
			l = append(l, app.SourceStatus{State: s})
		}
		return l
	}
	damaged := []*app.Error{{Code: app.CodeVaultDamaged}}
	for name, tt := range map[string]struct {
		vault   bool
		sources []app.SourceStatus
		against []*app.Error
		want    app.Verdict
	}{
		"nothing set up":           {false, nil, nil, app.VerdictUnknown},
		"no sources":               {true, nil, nil, app.VerdictUnknown},
		"sources without a vault":  {false, src(app.SourceSafe), nil, app.VerdictUnknown},
		"all safe":                 {true, src(app.SourceSafe, app.SourceSafe), nil, app.VerdictSafe},
		"one waits":                {true, src(app.SourceSafe, app.SourceWaiting), nil, app.VerdictUnknown},
		"one late":                 {true, src(app.SourceSafe, app.SourceLate, app.SourceUnknown), nil, app.VerdictLate},
		"one failed":               {true, src(app.SourceLate, app.SourceFailed), nil, app.VerdictFailed},
		"one incomplete":           {true, src(app.SourceIncomplete, app.SourceSafe), nil, app.VerdictFailed},
		"vault damaged":            {true, src(app.SourceSafe), damaged, app.VerdictFailed},
		"a state nobody knows yet": {true, src("new-state"), nil, app.VerdictUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _ := verdict(tt.vault, tt.sources, tt.against); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
