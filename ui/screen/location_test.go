package screen

import (
	"maps"
	"testing"
	"time"

	"kvart/app"
	"kvart/ui/uitest"
)

func kinds() []app.KindSpec { return uitest.Forms().Storages }

func TestFillPreset(t *testing.T) {
	t.Parallel()
	p := kinds()[0].Presets
	for _, tt := range []struct {
		p      app.Preset
		values map[string]string
		want   string
	}{
		{p[0], map[string]string{"region": " eu-central-003 "}, "s3.eu-central-003.backblazeb2.com"},
		{p[0], nil, "s3.{region}.backblazeb2.com"},
		{p[2], map[string]string{"account": "0a"}, "0a.r2.cloudflarestorage.com"},
		{p[3], nil, ""},
	} {
		if got := fillPreset(tt.p, tt.values)["endpoint"]; got != tt.want {
			t.Errorf("%s: %q, want %q", tt.p.Key, got, tt.want)
		}
	}
}

func TestPresetOf(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		values map[string]string
		want   string
	}{
		"none":   {map[string]string{}, ""},
		"named":  {map[string]string{"preset": "minio"}, "minio"},
		"filled": {map[string]string{"endpoint": "s3.eu-west-1.wasabisys.com", "region": "eu-west-1"}, "wasabi"},
		"other":  {map[string]string{"endpoint": "minio.example", "region": "us-east-1"}, ""},
	} {
		got := ""
		if p := presetOf(kinds()[0], tt.values); p != nil {
			got = p.Key
		}
		if got != tt.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func proven(t *testing.T, r app.StorageReport) *Location {
	t.Helper()
	l := NewLocation()
	l.Kinds = kinds()
	l.Choose("s3")
	l.Fill(map[string]string{"bucket": "b"}, app.Secrets{"secret_key": app.NewSecret("s")})
	if err := l.Proved(r); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLocation_lockGoesWithThePlace(t *testing.T) {
	t.Parallel()
	can := app.StorageReport{State: app.LocationEmpty, CanLock: true}
	for name, tt := range map[string]struct {
		report app.StorageReport
		change func(*Location)
		mode   string
		days   string
		ready  bool
	}{
		"usual":       {can, func(*Location) {}, "governance", "30", true},
		"chosen":      {can, func(l *Location) { l.Lock(app.LockGovernance, 90) }, "governance", "90", true},
		"too short":   {can, func(l *Location) { l.Lock(app.LockGovernance, 1) }, "governance", "3", true},
		"none":        {can, func(l *Location) { l.Lock(app.LockNone, 30) }, "", "", true},
		"can't":       {app.StorageReport{State: app.LocationEmpty}, func(*Location) {}, "", "", true},
		"there":       {app.StorageReport{State: app.LocationVault, CanLock: true}, func(*Location) {}, "", "", true},
		"for ever":    {can, func(l *Location) { l.Accept(14) }, "compliance", "14", true},
		"not read":    {can, func(l *Location) { l.Lock(app.LockCompliance, 14) }, "compliance", "14", false},
		"read, other": {can, func(l *Location) { l.Accept(14); l.Lock(app.LockCompliance, 365) }, "compliance", "365", false},
		"deciding":    {can, func(l *Location) { l.deciding = true }, "governance", "30", false},
	} {
		l := proven(t, tt.report)
		tt.change(l)
		l.held = l.lock.Mode
		s := l.Storage()
		if s.Settings["lock_mode"] != tt.mode || s.Settings["lock_days"] != tt.days || l.Ready() != tt.ready || s.Secrets["secret_key"].IsZero() {
			t.Errorf("%s: %+v, ready %v", name, s.Settings, l.Ready())
		}
		if l.Accepted() != (tt.mode == "compliance" && tt.ready) {
			t.Errorf("%s: accepted %v", name, l.Accepted())
		}
	}
}

func TestLocation_proofIsOfThisVeryPlace(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Location){
		"kind":     func(l *Location) { l.Choose("folder") },
		"settings": func(l *Location) { l.Fill(map[string]string{"bucket": "c"}, nil) },
		"secrets": func(l *Location) {
			l.Fill(map[string]string{"bucket": "b"}, app.Secrets{"secret_key": app.NewSecret("t")})
		},
		"foreign": func(l *Location) {
			if err := l.Proved(app.StorageReport{State: app.LocationForeign}); app.CodeOf(err) != app.CodeStorageForeign {
				t.Errorf("foreign: %v", err)
			}
		},
		"missing": func(l *Location) {
			l.Existing = true
			if err := l.Proved(app.StorageReport{State: app.LocationEmpty}); app.CodeOf(err) != app.CodeVaultMissing {
				t.Errorf("missing: %v", err)
			}
		},
	} {
		l := proven(t, app.StorageReport{State: app.LocationEmpty, CanLock: true})
		l.Accept(30)
		if l.Ready() {
			t.Error("a lock that the place did not show is taken for proven")
		}
		if l.held = app.LockCompliance; !l.Ready() {
			t.Error("not ready")
		}
		if change(l); l.Ready() {
			t.Errorf("%s: still proven", name)
		}
		if name != "foreign" && name != "missing" && l.Accepted() {
			t.Errorf("%s: still accepted", name)
		}
	}
	l := proven(t, app.StorageReport{State: app.LocationEmpty})
	l.Fill(map[string]string{"bucket": "b"}, app.Secrets{"secret_key": app.NewSecret("s")})
	if !l.Ready() {
		t.Error("drawing the form anew undoes the proof")
	}
}

// TestLocation_onlyTheFirmLock: where there is no lock that the owner can lift,
// none is chosen in advance.
func TestLocation_onlyTheFirmLock(t *testing.T) {
	t.Parallel()
	l := proven(t, app.StorageReport{State: app.LocationEmpty, CanLock: true})
	for i, f := range l.Kinds[0].Fields {
		if f.Key == lockModeKey {
			l.Kinds[0].Fields[i].Choices = []string{"none", "compliance"}
		}
	}
	if s := l.Storage(); !l.CanLock() || s.Settings[lockModeKey] != "" || !l.Ready() {
		t.Errorf("%+v", s)
	}
}

func TestLocation_confirm(t *testing.T) {
	t.Parallel()
	l := NewLocation()
	l.Kinds = kinds()
	l.Choose("sftp")
	l.Confirm()
	if len(l.Storage().Settings) != 0 {
		t.Error("nobody is confirmed")
	}
	l.Fill(map[string]string{"host": "h"}, nil)
	l.Stranger = (&app.Error{Code: app.CodeHostKeyUnknown}).With("host_key", "key")
	l.Confirm()
	if s := l.Storage(); s.Settings["host_key"] != "key" || s.Settings["host"] != "h" || l.Stranger != nil || l.Report != nil {
		t.Errorf("%+v", s)
	}
}

func TestQuestionOf(t *testing.T) {
	t.Parallel()
	which := func() *app.Error {
		return app.Errorf(app.CodeComputerWhich, "open", "which").With("choices", "Kassan, Kontoret")
	}
	hidden := func(at string) *app.Error {
		return app.Errorf(app.CodeVaultHidden, "open", "hidden").With("at", at)
	}
	at := time.Date(2026, 11, 18, 12, 0, 0, 0, time.UTC)
	past := app.VaultRequest{Replaces: app.AskComputer, Storage: app.StorageSpec{AsOf: at}}
	for name, tt := range map[string]struct {
		err       error
		r         app.VaultRequest
		asks      bool
		computers int
		at        time.Time
	}{
		"which":       {which(), app.VaultRequest{Replaces: app.AskComputer}, true, 2, time.Time{}},
		"answered":    {which(), app.VaultRequest{Replaces: "x"}, false, 0, time.Time{}},
		"other usage": {app.Errorf(app.CodeUsage, "open", "bad"), app.VaultRequest{}, false, 0, time.Time{}},
		"other field": {app.Errorf(app.CodeUsage, "open", "kind").With("choices", "s3, folder"), app.VaultRequest{}, false, 0, time.Time{}},
		"hidden":      {hidden("2026-11-18T12:00:00Z"), app.VaultRequest{}, true, 0, at},
		"not told":    {hidden("a while ago"), app.VaultRequest{}, true, 0, time.Time{}},
		"past hidden": {hidden("2026-11-18T12:00:00Z"), past, false, 0, time.Time{}},
		"past, which": {which(), past, true, 2, time.Time{}},
		"well":        {nil, app.VaultRequest{}, false, 0, time.Time{}},
	} {
		q := questionOf(tt.err, tt.r)
		if (q != nil) != tt.asks || q != nil && (len(q.Computers) != tt.computers || !q.At.Equal(tt.at)) {
			t.Errorf("%s: %+v", name, q)
		}
	}
}

func TestModelReport_saysWhatIsMissingOnce(t *testing.T) {
	t.Parallel()
	w := english(t)
	count := func(r app.StorageReport, words string) (n int) {
		for _, s := range modelReport(w, r) {
			if s.Words == words {
				n++
			}
		}
		return n
	}
	away := app.StorageReport{State: app.LocationEmpty, OffSite: true, Free: -1}
	none := (&app.Error{Code: app.CodeLockNone})
	title := w.T("error.lock_none.title")
	if count(away, w.T("setup.nolock")) != 1 {
		t.Error("no word of the missing lock")
	}
	away.Warnings = []*app.Error{none}
	if count(away, w.T("setup.nolock")) != 0 || count(away, title) != 1 {
		t.Error("the missing lock is said twice, or not at all")
	}
	home := app.StorageReport{State: app.LocationEmpty, Free: 10}
	if count(home, w.T("setup.notoffsite")) != 1 || len(modelReport(w, home)) != 3 {
		t.Errorf("%+v", modelReport(w, home))
	}
}

func TestRemedies_areForOneCodeEach(t *testing.T) {
	t.Parallel()
	seen := map[app.Code]Remedy{}
	for r, codes := range remedies() {
		for _, c := range codes {
			if other, ok := seen[c]; ok {
				t.Errorf("%s helps by %s and by %s", c, r, other)
			}
			seen[c] = r
		}
		if _, ok := (Problem{Remedy: r}).Place(); !ok && r != RemedyStepIn {
			t.Errorf("%s leads nowhere", r)
		}
	}
	if remedyOf(app.CodeSecretMissing, "Lager") != RemedySource || remedyOf(app.CodeSecretMissing, "") != RemedyReconnect {
		t.Error("a source's password is looked for in the wrong place")
	}
}

func TestModelJob_trying(t *testing.T) {
	t.Parallel()
	j := *uitest.Mending().Job
	if m := ModelJob(english(t), j, j.Started); m.Trying != "Trying again: Kvart can't reach your storage" {
		t.Errorf("%q", m.Trying)
	}
	j.Trying = nil
	if m := ModelJob(english(t), j, j.Started); m.Trying != "" {
		t.Errorf("%q", m.Trying)
	}
}

func TestChanged(t *testing.T) {
	t.Parallel()
	got := changed(map[string]string{"a": "1", "b": "2", "c": "3"}, map[string]string{"a": "1", "b": "5", "d": "4"})
	if !maps.Equal(got, map[string]string{"b": "5", "c": "", "d": "4"}) {
		t.Errorf("%v", got)
	}
}
