package agent

import (
	"testing"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

func TestGrowth(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	line := func(days int, from, perDay int64) (l []journal.Use) {
		for d := range days {
			l = append(l, journal.Use{At: start.AddDate(0, 0, d), Bytes: from + int64(d)*perDay})
		}
		return l
	}
	for name, tt := range map[string]struct {
		past []journal.Use
		want int64
	}{
		"nothing known":    {nil, 0},
		"two days":         {line(3, 1000, 50)[:2], 0},
		"steady":           {line(10, 1000, 50), 50},
		"shrinks":          {line(10, 100000, -50), 0},
		"all at one time":  {[]journal.Use{{At: start, Bytes: 1}, {At: start, Bytes: 9}}, 0},
		"one step is even": {append(line(4, 0, 0), journal.Use{At: start.AddDate(0, 0, 4), Bytes: 100}), 20},
	} {
		if got := growth(tt.past); got != tt.want {
			t.Errorf("%s: %d a day, want %d", name, got, tt.want)
		}
	}
}

func TestQuiet(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		from, to, hour int
		want           bool
	}{
		{0, 0, 12, false},
		{0, 0, 20, true},
		{0, 0, 6, true},
		{0, 0, 7, false},
		{1, 5, 0, false},
		{1, 5, 1, true},
		{1, 5, 5, false},
		{22, 6, 23, true},
		{22, 6, 21, false},
	} {
		from, to := heavyHours(app.Settings{QuietFrom: tt.from, QuietTo: tt.to}, false)
		if got := betweenHours(tt.hour, from, to); got != tt.want {
			t.Errorf("%d to %d at %d: %v", tt.from, tt.to, tt.hour, got)
		}
	}
}

func TestCopyState(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	failed := func(c app.Code) *app.Error { return &app.Error{Code: c} }
	for name, tt := range map[string]struct {
		rec  copyRecord
		want app.CopyState
	}{
		"never":              {copyRecord{}, app.CopyNew},
		"an hour ago":        {copyRecord{InStep: now.Add(-time.Hour)}, app.CopyInStep},
		"two days ago":       {copyRecord{InStep: now.Add(-48 * time.Hour)}, app.CopyBehind},
		"in the future":      {copyRecord{InStep: now.Add(48 * time.Hour)}, app.CopyBehind},
		"unplugged":          {copyRecord{InStep: now, Error: failed(app.CodeStorageGone)}, app.CopyAway},
		"network away":       {copyRecord{Error: failed(app.CodeStorageOffline)}, app.CopyAway},
		"refused":            {copyRecord{InStep: now, Error: failed(app.CodeStorageDenied)}, app.CopyFailed},
		"another shop's":     {copyRecord{Error: failed(app.CodeVaultOther)}, app.CopyFailed},
		"full, long in step": {copyRecord{InStep: now, Error: failed(app.CodeStorageFull)}, app.CopyFailed},
	} {
		if got := copyState(tt.rec, now); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

func TestUnchecked(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		rep  *app.CheckReport
		want bool
	}{
		"no check yet":             {nil, false},
		"nothing stored":           {&app.CheckReport{}, false},
		"all read lately":          {&app.CheckReport{Behind: now.AddDate(0, 0, -29)}, false},
		"one byte not for 31 days": {&app.CheckReport{Behind: now.AddDate(0, 0, -31)}, true},
		"new and not read yet":     {&app.CheckReport{Unread: 5, Behind: now.AddDate(0, 0, -1)}, false},
	} {
		if got := unchecked(tt.rep, now); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestCheckKeep(t *testing.T) {
	t.Parallel()
	for _, k := range []app.Retention{{}, app.DefaultRetention(), {Latest: 96, Daily: 7}, {Latest: 4, Monthly: 84}} {
		if err := checkKeep(k); err != nil {
			t.Errorf("%+v: %v", k, err)
		}
	}
	for _, k := range []app.Retention{{Latest: 1}, {Latest: 96}, {Latest: 96, Hourly: -1, Daily: 30}, {Daily: 365}} {
		if app.CodeOf(checkKeep(k)) != app.CodeUsage {
			t.Errorf("%+v was accepted", k)
		}
	}
}

// 3-2-1-1-0 goes by what is known, never by what is set up.
func TestRule_fromFacts(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	if r := s.status().Rule; r.Copies != 1 || r.Proved || r.Met() {
		t.Errorf("before the first backup: %+v", r)
	}
	s.backup()
	if r := s.status().Rule; r.Copies != 2 || r.Proved || r.Immutable {
		t.Errorf("after the first backup: %+v", r)
	}
	s.job(s.StartDrill(t.Context(), nil))
	if r := s.status().Rule; !r.Proved || r.Errors != 0 {
		t.Errorf("after a drill: %+v", r)
	}
	s.shop.failApply = func(string) error { return app.Errorf(app.CodeVaultDamaged, "read", "invalid checksum") }
	s.job(s.StartDrill(t.Context(), []string{"Kassan"}))
	if r := s.status().Rule; r.Errors == 0 || r.Met() {
		t.Errorf("after a drill that failed: %+v", r)
	}
}
