package agent

import (
	"testing"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// newFrontTest is a shop whose storefront is watched.
func newFrontTest(t *testing.T) *watchTest {
	t.Helper()
	w := newAlertTest(t)
	w.answers(app.StorefrontUp)
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{Settings: app.WatchSettings{
		Storefront: &app.StorefrontSettings{URL: "https://kopp.example"}, Channels: w.Store.Document().Watch.Channels,
	}}); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watchTest) answers(s app.StorefrontState) {
	p := app.StorefrontProbe{State: s, Millis: 100, CertificateUntil: w.clock.now().AddDate(0, 3, 0)}
	if s == app.StorefrontDown {
		p.Error = &app.Error{Code: app.CodeStorefrontOffline}
	}
	w.lamp.front = func() app.StorefrontProbe { return p }
}

// look is the guard's look at the shop, once a minute.
func (w *watchTest) look() {
	w.t.Helper()
	if err := w.noteLook(w.t.Context(), w.probe(w.t.Context(), *w.Store.Document().Watch.Storefront)); err != nil {
		w.t.Fatal(err)
	}
	if err := w.deliver(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.later(time.Minute)
}

func (w *watchTest) outage() *app.Outage {
	w.t.Helper()
	return w.status().Watch.Storefront.Outage
}

func TestStorefront_outageFromFirstFailureToFirstAnswer(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.reach = true
	w.look()
	w.answers(app.StorefrontDown)
	began := w.clock.now()
	w.look()
	if w.outage() != nil {
		t.Error("one failure is an outage")
	}
	w.look()
	o := w.outage()
	if o == nil || o.Begin.Sub(began).Abs() > 5*time.Second || o.Error.Code != app.CodeStorefrontOffline {
		t.Fatalf("outage %+v", o)
	}
	for range 10 {
		w.look()
	}
	w.wantTold("raised storefront")
	w.answers(app.StorefrontUp)
	w.look()
	w.wantTold("raised storefront, solved storefront")
	u, err := w.Uptime(t.Context())
	if err != nil || len(u.Outages) != 1 || u.Longest == nil {
		t.Fatalf("uptime %+v, %v", u, err)
	}
	if d := u.Outages[0].End.Sub(u.Outages[0].Begin); d < 11*time.Minute || d > 13*time.Minute || u.Outages[0].Gap != 0 {
		t.Errorf("lasted %s, gap %s", d, u.Outages[0].Gap)
	}
	var up, down int64
	for _, m := range u.Months {
		up, down = up+m.Up, down+m.Down
	}
	if up != 2 || down != 12 {
		t.Errorf("%d up, %d down", up, down)
	}
}

func TestStorefront_ownConnectionDownIsNoOutage(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.answers(app.StorefrontDown)
	for range 5 {
		w.look()
	}
	st := w.status()
	if f := st.Watch.Storefront; f.Outage != nil || f.Last.State != app.StorefrontUnknown || f.Last.Error.Code != app.CodeStorefrontUnsure || f.Month.Unknown != 5 {
		t.Errorf("storefront %+v", f)
	}
	if _, known := st.Watch.Storefront.Month.Share(); known {
		t.Error("an uptime that nobody saw")
	}
	w.wantTold("")
	if known, err := (asker{w.Agent}).Ask(t.Context()); known || err != nil {
		t.Errorf("asked: %v, %v", known, err)
	}
	w.lamp.reach = true
	if known, err := (asker{w.Agent}).Ask(t.Context()); !known || app.CodeOf(err) != app.CodeStorefrontOffline {
		t.Errorf("asked: %v, %v", known, err)
	}
}

func TestStorefront_gapWhileTheComputerWasOff(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.reach = true
	w.answers(app.StorefrontDown)
	for range 3 {
		w.look()
	}
	w.crash()
	if w.outage() == nil {
		t.Fatal("forgotten by a crash")
	}
	if s := w.status().Watch.Storefront.Last.State; s != app.StorefrontUnknown {
		t.Errorf("before the first look: %s", s)
	}
	w.later(8 * time.Hour)
	w.answers(app.StorefrontUp)
	w.look()
	u, err := w.Uptime(t.Context())
	if err != nil || len(u.Outages) != 1 || u.Outages[0].End.IsZero() || u.Outages[0].Gap < 8*time.Hour-5*time.Minute {
		t.Errorf("outages %+v, %v", u.Outages, err)
	}
}

func TestStorefront_certificateThatExpires(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.front = func() app.StorefrontProbe {
		return app.StorefrontProbe{State: app.StorefrontUp, CertificateUntil: w.clock.now().Add(5*24*time.Hour + time.Hour)}
	}
	w.look()
	st := w.status()
	if e := st.Watch.Storefront.Warning; e == nil || e.Code != app.CodeStorefrontExpires || e.Args["days"] != "5" {
		t.Errorf("warning %+v", e)
	}
	if e := standing(st)[causeExpires]; e == nil {
		t.Error("the owner is not told")
	}
}

func TestStorefront_notWatchedAnyMore(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.reach = true
	w.answers(app.StorefrontDown)
	for range 3 {
		w.look()
	}
	if _, err := w.SetWatch(t.Context(), app.WatchRequest{}); err != nil {
		t.Fatal(err)
	}
	if u, err := w.Uptime(t.Context()); err != nil || u.Outages[0].End.IsZero() {
		t.Errorf("goes on for ever: %+v, %v", u.Outages, err)
	}
	if _, err := w.TestStorefront(t.Context()); app.CodeOf(err) != app.CodeStorefrontNone {
		t.Errorf("got %v", err)
	}
}

// tradeRuns writes the runs of so many days into the journal: every hour from 8
// to 20 looked at, and something new in all but one.
func tradeRuns(t *testing.T, w *shopTest, days, quiet int) {
	t.Helper()
	now := w.clock.now().Local()
	for d := 1; d <= days; d++ {
		for h := 8; h <= 20; h++ {
			at := time.Date(now.Year(), now.Month(), now.Day()-d, h, 5, 0, 0, time.Local)
			state := app.RunDone
			if h == quiet {
				state = app.RunIdle
			}
			if err := w.Journal.AddRun(t.Context(), journal.Run{Source: "kassan", Quarter: quarter(at), Started: at, Ended: at, Result: app.RunResult{State: state}}, nil, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestQuietHour_learnedFromTheShop(t *testing.T) {
	t.Parallel()
	w := newShopTest(t)
	if _, known, err := w.quietHour(t.Context(), w.clock.now()); known || err != nil {
		t.Errorf("known from nothing: %v", err)
	}
	tradeRuns(t, w, 14, 15)
	at := w.clock.now().AddDate(0, 0, -1).Local()
	night := time.Date(at.Year(), at.Month(), at.Day(), 3, 0, 0, 0, time.Local) // once, when the computer happened to be on
	if err := w.Journal.AddRun(t.Context(), journal.Run{Source: "kassan", Quarter: quarter(night), Started: night, Ended: night, Result: app.RunResult{State: app.RunIdle}}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if h, known, err := w.quietHour(t.Context(), w.clock.now()); h != 15 || !known || err != nil {
		t.Errorf("hour %d, %v, %v", h, known, err)
	}
}

func TestDrillTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration, ok bool) *app.DrillResult { return &app.DrillResult{At: now.Add(-d), OK: ok} }
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		w     drillTimes
		last  *app.DrillResult
		proof app.Proof
		want  bool
	}{
		"never":                          {drillTimes{learned: true}, nil, app.ProofNever, true},
		"something else now":             {drillTimes{learned: true}, ago(day, true), app.ProofChanged, true},
		"yesterday":                      {drillTimes{learned: true, quiet: true}, ago(day, true), app.ProofProven, false},
		"a week, quiet":                  {drillTimes{learned: true, quiet: true}, ago(7*day, true), app.ProofProven, true},
		"a week, busy":                   {drillTimes{learned: true}, ago(7*day, true), app.ProofProven, false},
		"a week, nothing learned":        {drillTimes{}, ago(7*day, true), app.ProofProven, true},
		"eight days, busy":               {drillTimes{learned: true}, ago(8*day, true), app.ProofProven, true},
		"failed yesterday, quiet":        {drillTimes{learned: true, quiet: true}, ago(day, false), app.ProofFailed, true},
		"failed yesterday, busy":         {drillTimes{learned: true}, ago(day, false), app.ProofFailed, false},
		"peak in six days, quiet":        {drillTimes{learned: true, quiet: true, peak: now.Add(6 * day)}, ago(3*day, true), app.ProofProven, true},
		"peak in six days, busy":         {drillTimes{learned: true, peak: now.Add(6 * day)}, ago(3*day, true), app.ProofProven, false},
		"peak tomorrow, busy":            {drillTimes{learned: true, peak: now.Add(day)}, ago(6*day+time.Hour, true), app.ProofProven, true},
		"peak tomorrow, proven for it":   {drillTimes{learned: true, quiet: true, peak: now.Add(day)}, ago(3*day, true), app.ProofProven, false},
		"a clock that went back a month": {drillTimes{learned: true}, ago(-30*day, true), app.ProofOld, true},
	} {
		c.w.now = now
		if got := c.w.due(c.last, c.proof); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestProof_changesMakeItNew(t *testing.T) {
	t.Parallel()
	w := newShopTest(t)
	proof := func() app.Proof { return w.status().Sources[0].Proof }
	want := func(p app.Proof) {
		t.Helper()
		if got := proof(); got != p {
			t.Errorf("proof %q, want %q", got, p)
		}
	}
	want(app.ProofNone)
	w.backup()
	want(app.ProofNever)
	w.clock.ahead.Add(int64(time.Minute))
	w.job(w.StartDrill(t.Context(), nil))
	want(app.ProofProven)
	w.clock.ahead.Add(int64(time.Minute))
	if _, err := w.ChangeSource(t.Context(), app.ChangeSourceRequest{Source: "Kassan", Secrets: app.Secrets{"password": app.NewSecret("nytt")}}); err != nil {
		t.Fatal(err)
	}
	want(app.ProofChanged)
	if w.status().Rule.Proved {
		t.Error("the rule calls it proved")
	}
	w.clock.ahead.Add(int64(time.Minute))
	w.job(w.StartDrill(t.Context(), nil))
	want(app.ProofProven)
	w.clock.ahead.Add(int64(31 * 24 * time.Hour))
	want(app.ProofOld)
	d, err := w.Drills(t.Context(), "Kassan")
	if err != nil || len(d) != 2 || !d[0].At.After(d[1].At) {
		t.Errorf("drills %+v, %v", d, err)
	}
}
