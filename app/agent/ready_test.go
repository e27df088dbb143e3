package agent

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
	"kvart/assets"
)

func (w *watchTest) ready() app.Readiness {
	w.t.Helper()
	r, err := w.Readiness(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	w.words(r)
	return r
}

// words makes sure that the owner can read every line, in every language.
func (w *watchTest) words(r app.Readiness) {
	w.t.Helper()
	for _, l := range assets.Languages() {
		words, err := assets.NewWords(l)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, it := range r.Items {
			title, fact, do := assets.ReadyWords(words, it, w.clock.now())
			for _, text := range []string{title, fact, do, words.T("ready.state." + string(it.State))} {
				if strings.Contains(text, "⟦") || strings.Contains(text, "no value") || strings.Contains(text, "_") || strings.Contains(text, "  ") {
					w.t.Errorf("%s: %s reads %q", l, it.Code, text)
				}
			}
			if it.Do != "" && do == "" || title == string(it.Code) {
				w.t.Errorf("%s: no words for %s", l, it.Code)
			}
		}
	}
}

func (w *watchTest) wantReady(want map[app.ReadyCode]string) app.Readiness {
	w.t.Helper()
	r := w.ready()
	for code, want := range want {
		it := r.Item(code)
		if got := strings.TrimSpace(fmt.Sprintf("%s %s %s", it.State, it.Fact.Code, it.Do)); got != want {
			w.t.Errorf("%s: %s, want %s", code, got, want)
		}
	}
	return r
}

func (w *watchTest) update(f func(*Document)) {
	w.t.Helper()
	if err := w.Store.Update(func(d *Document) error { f(d); return nil }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watchTest) keep(key string, v any) {
	w.t.Helper()
	if err := keep(w.t.Context(), w.Journal, key, v); err != nil {
		w.t.Fatal(err)
	}
}

// settle makes everything ready that a list asks for.
func (w *watchTest) settle() {
	w.t.Helper()
	now := w.clock.now()
	w.job(w.StartDrill(w.t.Context(), nil))
	w.update(func(d *Document) {
		d.Kit = KitRecord{Number: 3, Made: now, Confirmed: now}
		d.Vault.Lock = app.LockSettings{Mode: app.LockGovernance, Days: 30}
		d.Copies = []Copy{{Name: "USB", Kind: "folder"}}
		d.Ready.Contacts = []app.Contact{{Role: "host", Phone: "08-123"}}
	})
	w.keep(journal.KeyLock, app.LockProof{At: now, State: app.LockHeld})
	w.keep(copyKey("USB"), copyRecord{InStep: now, Tried: now})
	if err := w.TestAlert(w.t.Context(), "slack"); err != nil {
		w.t.Fatal(err)
	}
	w.room(1e12)
	for d := range 10 {
		if err := w.Journal.AddUse(w.t.Context(), journal.Use{At: now.AddDate(0, 0, d-10), Bytes: int64(d) * 1e6}); err != nil {
			w.t.Fatal(err)
		}
	}
	w.keep(keyDomain, domainRecord{URL: "https://kopp.example", At: now, Status: &app.DomainStatus{Name: "kopp.example", Until: now.AddDate(1, 0, 0), At: now}})
	w.look()
}

// room says how much there is at the storage; -1 when it does not tell.
func (w *watchTest) room(free int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.info = &app.VaultInfo{ID: w.Store.Document().Vault.ID, Bytes: 1e9, Free: free}
}

func TestReadiness_ofAShopThatPreparedNothing(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	w.peakFrom(5)
	r := w.wantReady(map[app.ReadyCode]string{
		app.ReadyDrill: "not_ready drill_never drill", app.ReadyKit: "not_ready kit_missing kit", app.ReadyLock: "not_ready lock_none add_copy",
		app.ReadyRoom: "unknown room_early", app.ReadyPace: "ready pace_dense", app.ReadyUpkeep: "ready upkeep_hours",
		app.ReadyCopy: "not_ready copy_none add_copy", app.ReadyContacts: "not_ready contacts_none contacts", app.ReadyAlerts: "unknown alerts_untested test",
		app.ReadyFront: "not_ready front_none shop", app.ReadyDomain: "not_ready front_none shop", app.ReadyCapacity: "not_needed capacity_never shop",
		app.ReadyPlatform: "not_needed platform_none",
	})
	if r.State != app.ReadyNo || !r.Soon || r.Days != 5 || r.Peak == nil || r.Peak.Name != "Rea" {
		t.Errorf("%+v", r)
	}
	var codes []app.ReadyCode
	for _, it := range r.Items {
		codes = append(codes, it.Code)
	}
	if !slices.Equal(codes, app.ReadyCodes()) {
		t.Errorf("items %v", codes)
	}
	w.peakFrom(20)
	if r := w.ready(); r.Soon || r.Days != 20 || len(r.Items) != len(codes) {
		t.Errorf("three weeks before: %+v", r)
	}
	w.peakFrom(0)
	if r := w.ready(); !r.Soon || r.Days != 0 {
		t.Errorf("on the day: %+v", r)
	}
	w.update(func(d *Document) { d.Watch.OwnDays = nil })
	if r := w.ready(); r.Soon || r.Peak != nil || len(r.Items) != len(codes) {
		t.Errorf("no day at all: %+v", r)
	}
}

func TestReadiness_everythingReadyAndThenNot(t *testing.T) {
	t.Parallel()
	w := newPeakTest(t, 5)
	w.settle()
	r := w.wantReady(map[app.ReadyCode]string{
		app.ReadyDrill: "ready drill_fresh", app.ReadyKit: "ready kit_good", app.ReadyLock: "ready lock_held", app.ReadyRoom: "ready room_enough",
		app.ReadyCopy: "ready copy_in_step", app.ReadyContacts: "ready contacts_stored", app.ReadyAlerts: "ready alerts_reach",
		app.ReadyFront: "ready front_up", app.ReadyDomain: "ready domain_long", app.ReadyCapacity: "not_needed capacity_never prove",
	})
	if r.State != app.ReadyYes || r.Forecast == nil || r.Forecast.Basis != app.BasisTrend {
		t.Errorf("%s, %+v", r.State, r.Forecast)
	}
	now := w.clock.now()
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	for _, tt := range []struct {
		name string
		do   func()
		code app.ReadyCode
		want string
	}{
		{"changed", func() { w.noteChange(t.Context(), "kassan") }, app.ReadyDrill, "not_ready drill_changed drill"},
		{"kit void", func() { w.update(func(d *Document) { d.Kit.Void = true }) }, app.ReadyKit, "not_ready kit_void kit"},
		{"kit not typed back", func() { w.update(func(d *Document) { d.Kit.Void, d.Kit.Confirmed = false, time.Time{} }) }, app.ReadyKit, "not_ready kit_unconfirmed kit"},
		{"lock proved long ago", func() { w.keep(journal.KeyLock, app.LockProof{At: ago(20), State: app.LockHeld}) }, app.ReadyLock, "unknown lock_old lock"},
		{"lock open", func() { w.keep(journal.KeyLock, app.LockProof{At: now, State: app.LockOpen}) }, app.ReadyLock, "not_ready lock_open room"},
		{"key lifts the lock", func() { w.keep(journal.KeyLock, app.LockProof{At: now, State: app.LockLifted}) }, app.ReadyLock, "not_ready lock_lifted room"},
		{"little room", func() { w.room(3e6) }, app.ReadyRoom, "not_ready room_little room"},
		{"room not told", func() { w.room(-1) }, app.ReadyRoom, "unknown room_untold room"},
		{"pause", func() { w.update(func(d *Document) { d.PausedFrom, d.PausedUntil = now, now.Add(time.Hour) }) }, app.ReadyPace, "not_ready pace_paused resume"},
		{"no pace", func() { w.update(func(d *Document) { d.PausedUntil, d.Watch.NoPeakPace = time.Time{}, true }) }, app.ReadyPace, "not_ready pace_off pace"},
		{"upkeep fails", func() {
			w.keep(journal.KeyUpkeep, upkeep{Since: ago(1), Error: &app.Error{Code: app.CodeStorageDenied}})
		}, app.ReadyUpkeep, "not_ready upkeep_failing"},
		{"copy behind", func() { w.keep(copyKey("USB"), copyRecord{InStep: ago(3)}) }, app.ReadyCopy, "not_ready copy_behind copy"},
		{"copy failed", func() {
			w.keep(copyKey("USB"), copyRecord{InStep: ago(3), Error: &app.Error{Code: app.CodeVaultOther}})
		}, app.ReadyCopy, "not_ready copy_failed copy"},
		{"copy new", func() { w.keep(copyKey("USB"), copyRecord{}) }, app.ReadyCopy, "not_ready copy_new copy"},
		{"contact without a number", func() { w.update(func(d *Document) { d.Ready.Contacts = []app.Contact{{Role: "host"}} }) }, app.ReadyContacts, "not_ready contacts_none contacts"},
		{"domain short", func() {
			w.keep(keyDomain, domainRecord{URL: "https://kopp.example", At: now, Status: &app.DomainStatus{Name: "kopp.example", Until: now.AddDate(0, 0, 6)}})
		}, app.ReadyDomain, "not_ready domain_short domain"},
		{"domain not known", func() {
			w.keep(keyDomain, domainRecord{URL: "https://kopp.example", At: now, Status: &app.DomainStatus{Name: "kopp.example"}})
		}, app.ReadyDomain, "unknown domain_unknown domain"},
		{"domain not asked about", func() { w.update(func(d *Document) { d.Watch.NoDomain = true }) }, app.ReadyDomain, "ready certificate_long"},
		{"slow", func() {
			w.lamp.front = func() app.StorefrontProbe {
				return app.StorefrontProbe{State: app.StorefrontUp, Millis: 3400, CertificateUntil: now.AddDate(0, 0, 4)}
			}
		}, app.ReadyFront, "not_ready front_slow look"},
		{"certificate short", func() {}, app.ReadyDomain, "not_ready certificate_short domain"},
		{"own connection", func() { w.answers(app.StorefrontDown) }, app.ReadyFront, "unknown front_unknown look"},
		{"down", func() { w.lamp.reach = true }, app.ReadyFront, "not_ready front_down look"},
		{"a hosted shop", func() {
			w.lamp.front = func() app.StorefrontProbe { return app.StorefrontProbe{State: app.StorefrontUp, Platform: "Shopify"} }
		}, app.ReadyCapacity, "not_needed capacity_hosted"},
		{"what to ask", func() {}, app.ReadyPlatform, "unknown platform_ask ask"},
		{"a drill of long ago", func() { w.later(9 * 24 * time.Hour); w.job(w.StartDrill(t.Context(), []string{"Kassan"})) }, app.ReadyDrill, "not_ready drill_old drill"},
		{"alerts of long ago", func() { w.later(40 * 24 * time.Hour) }, app.ReadyAlerts, "unknown alerts_untested test"},
		{"alerts refused", func() {
			w.lamp.send = func(app.Alert) error { return &app.Error{Code: app.CodeAlertRefused} }
			if w.TestAlert(t.Context(), "slack") == nil {
				t.Error("taken")
			}
		}, app.ReadyAlerts, "not_ready alerts_failing test"},
		{"sources that fail", func() {
			w.shop.failCapture = &app.Error{Code: app.CodeSourceOffline}
			w.update(func(d *Document) { d.Watch.NoPeakPace = false })
			w.backup()
		}, app.ReadyPace, "not_ready pace_failing"},
	} {
		tt.do()
		r := w.wantReady(map[app.ReadyCode]string{tt.code: tt.want})
		if strings.HasPrefix(tt.want, "not_ready") && r.State != app.ReadyNo {
			t.Errorf("%s: the shop is %s", tt.name, r.State)
		}
	}
	if it := w.ready().Item(app.ReadyPlatform); len(it.Asks) != len(app.ReadyAsks()) {
		t.Errorf("asks %v", it.Asks)
	}
}

// An alert that reached another address shows nothing of the new one.
func TestReadiness_alertsOfAChannelThatWasChanged(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	if err := w.TestAlert(t.Context(), "slack"); err != nil {
		t.Fatal(err)
	}
	w.wantReady(map[app.ReadyCode]string{app.ReadyAlerts: "ready alerts_reach"})
	w.crash()
	w.wantReady(map[app.ReadyCode]string{app.ReadyAlerts: "ready alerts_reach"})
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{
		Settings: w.Store.Document().Watch, Secrets: app.Secrets{"slack.url": app.NewSecret("https://hooks.example.com/annan")},
	}); err != nil {
		t.Fatal(err)
	}
	w.wantReady(map[app.ReadyCode]string{app.ReadyAlerts: "unknown alerts_untested test"})
}

func TestReadiness_upkeepInTheBusyHours(t *testing.T) {
	t.Parallel()
	w := newAlertTest(t)
	tradeRuns(t, w.shopTest, 14, 15)
	w.wantReady(map[app.ReadyCode]string{app.ReadyUpkeep: "ready upkeep_hours"})
	if err := w.SetSettings(t.Context(), app.Settings{QuietFrom: 10, QuietTo: 14}); err != nil {
		t.Fatal(err)
	}
	r := w.wantReady(map[app.ReadyCode]string{app.ReadyUpkeep: "not_ready upkeep_busy quiet"})
	if f := r.Item(app.ReadyUpkeep).Fact; f.Count < 30 || f.Count > 34 || f.From != 10 || f.To != 14 {
		t.Errorf("fact %+v", f)
	}
}

func TestStatus_littleRoomForThePeak(t *testing.T) {
	t.Parallel()
	w := newPeakTest(t, 5)
	w.settle()
	w.room(50e6) // enough for a month as it grows, and a fifth of next to nothing
	w.mu.Lock()
	w.info.Bytes = 20e6
	w.mu.Unlock()
	if st := w.status(); st.Use.Peak == nil || st.Use.Peak.Bytes > 50e6 || little(st.Use, st.Now) {
		t.Errorf("use %+v", st.Use)
	}
	w.room(9e6)
	w.mu.Lock()
	w.info.Bytes = 20e6
	w.mu.Unlock()
	st := w.status()
	if st.Use.Peak == nil || st.Use.Peak.Bytes <= 9e6 || !slices.ContainsFunc(st.Notes, func(p app.Problemed) bool { return p.Error.Code == app.CodeStorageLittle }) {
		t.Errorf("use %+v, notes %+v", st.Use.Peak, st.Notes)
	}
	w.peakFrom(20)
	if st := w.status(); st.Use.Peak != nil {
		t.Errorf("three weeks before: %+v", st.Use.Peak)
	}
}
