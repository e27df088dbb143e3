package agent

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"kvart/app"
)

// plug is a power that tests set.
type plug struct {
	mu sync.Mutex
	p  app.Power
}

func (p *plug) Look(context.Context) app.Power {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.p
}

func (p *plug) set(now app.Power) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.p = now
}

// hostedShop is a fake whose kind is run by others.
type hostedShop struct{ kinds }

func (h hostedShop) Specs() []app.KindSpec {
	specs := slices.Clone(h.kinds.Specs())
	for i := range specs {
		specs[i].Hosted = true
	}
	return specs
}

func quarterNow(t *testing.T, s *shopTest) app.Quarter {
	t.Helper()
	st, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	now := quarter(s.schedule.wall())
	i := slices.IndexFunc(st.Today, func(q app.Quarter) bool { return q.Start.Equal(now) })
	if i < 0 {
		t.Fatalf("no quarter at %v", now)
	}
	return st.Today[i]
}

// backedUp returns how many sources were ever backed up.
func backedUp(t *testing.T, s *shopTest) (n int) {
	t.Helper()
	for _, src := range s.Store.Document().Sources {
		last, _, err := s.Journal.LastRun(t.Context(), src.ID)
		if err != nil {
			t.Fatal(err)
		}
		if last != nil {
			n++
		}
	}
	return n
}

func TestPower_quarterWaitsOnBattery(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	p := &plug{}
	s.Power = p
	p.set(app.Power{Battery: app.KnownYes})
	if err := s.SetSettings(t.Context(), app.Settings{OnBattery: app.PowerWait}); err != nil {
		t.Fatal(err)
	}
	s.quarterDue(t.Context(), quarter(s.schedule.wall()))
	if q := quarterNow(t, s); q.State != app.QuarterWaiting {
		t.Fatalf("the quarter is %q", q.State)
	}
	if n := backedUp(t, s); n != 0 {
		t.Fatalf("%d sources were backed up", n)
	}
	st, err := s.Status(t.Context())
	if err != nil || st.Waiting == nil || st.Waiting.Cause != app.CauseBattery || len(st.Waiting.Sources) != 2 || st.Verdict == app.VerdictSafe {
		t.Errorf("waiting %+v, verdict %s, %v", st.Waiting, st.Verdict, err)
	}
	if len(st.Notes) == 0 || st.Notes[0].Error.Code != app.CodeWaiting {
		t.Errorf("notes %+v", st.Notes)
	}
	// The owner may always back up, and a computer that is plugged in does.
	s.backup()
	if n := backedUp(t, s); n != 2 {
		t.Errorf("%d sources were backed up by hand", n)
	}
	if q := quarterNow(t, s); q.State == app.QuarterDone || q.State == app.QuarterIdle {
		t.Errorf("a quarter that waited is %q", q.State) // less is told than was done, never more
	}
	p.set(app.Power{Battery: app.KnownNo})
	s.quarterDue(t.Context(), quarter(s.schedule.wall()))
	if st, err := s.Status(t.Context()); err != nil || st.Waiting != nil {
		t.Errorf("still waits: %+v, %v", st.Waiting, err)
	}
}

// TestPower_unknownHoldsNobodyBack: what the system does not say ends no backup.
func TestPower_unknownHoldsNobodyBack(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	s.Power = &plug{}
	if err := s.SetSettings(t.Context(), app.Settings{OnBattery: app.PowerWait, OnMetered: app.PowerWait}); err != nil {
		t.Fatal(err)
	}
	s.quarterDue(t.Context(), quarter(s.schedule.wall()))
	if n := backedUp(t, s); n != 2 {
		t.Errorf("%d sources were backed up", n)
	}
}

func TestPower_hostedShopsGoOn(t *testing.T) {
	t.Parallel()
	for hosted, want := range map[bool]int{false: 0, true: 2} {
		s := newShopTest(t)
		s.Power = &plug{p: app.Power{Metered: app.KnownYes}}
		if hosted {
			s.Connectors = hostedShop{kinds{s.shop}}
		}
		if err := s.SetSettings(t.Context(), app.Settings{OnMetered: app.PowerHosted}); err != nil {
			t.Fatal(err)
		}
		s.quarterDue(t.Context(), quarter(s.schedule.wall()))
		if n := backedUp(t, s); n != want {
			t.Errorf("hosted %v: %d sources were backed up", hosted, n)
		}
	}
}

func TestSettings_Held(t *testing.T) {
	t.Parallel()
	yes := app.KnownYes
	for name, tt := range map[string]struct {
		battery, metered app.PowerRule
		power            app.Power
		rule             app.PowerRule
		cause            app.PowerCause
	}{
		"no rules":           {"", "", app.Power{Battery: yes, Metered: yes}, "", ""},
		"nothing known":      {app.PowerWait, app.PowerWait, app.Power{}, "", ""},
		"neither":            {app.PowerWait, app.PowerWait, app.Power{Battery: app.KnownNo, Metered: app.KnownNo}, "", ""},
		"battery":            {app.PowerWait, "", app.Power{Battery: yes, Metered: yes}, app.PowerWait, app.CauseBattery},
		"metered":            {"", app.PowerHosted, app.Power{Battery: yes, Metered: yes}, app.PowerHosted, app.CauseMetered},
		"the stricter":       {app.PowerHosted, app.PowerWait, app.Power{Battery: yes, Metered: yes}, app.PowerWait, app.CauseMetered},
		"the stricter again": {app.PowerWait, app.PowerHosted, app.Power{Battery: yes, Metered: yes}, app.PowerWait, app.CauseBattery},
	} {
		rule, cause := app.Settings{OnBattery: tt.battery, OnMetered: tt.metered}.Held(tt.power)
		if rule != tt.rule || cause != tt.cause {
			t.Errorf("%s: %q by %q", name, rule, cause)
		}
	}
}

// TestNotices_muted: what the owner does without is not shown, and is once he
// wants to hear of it again; what must be told can't be muted.
func TestNotices_muted(t *testing.T) {
	t.Parallel()
	s := newShopTest(t)
	if err := s.SetSettings(t.Context(), app.Settings{Muted: []app.NoticeKind{app.NoticeKit}}); err != nil {
		t.Fatal(err)
	}
	e := &app.Error{Code: app.CodeKitVoid}
	s.tell(t.Context(), causeKit, e)
	s.tell(t.Context(), causeFailed, e)
	if got := shownNotices(s.notices); !slices.Equal(got, []string{causeFailed}) {
		t.Fatalf("shown %v", got)
	}
	if err := s.SetSettings(t.Context(), app.Settings{}); err != nil {
		t.Fatal(err)
	}
	s.tell(t.Context(), causeKit, e)
	if got := shownNotices(s.notices); !slices.Contains(got, causeKit) {
		t.Errorf("shown %v", got)
	}
}

// shownNotices returns the causes of all notices that were shown.
func shownNotices(n *notices) (causes []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, l := range n.log {
		if cause, ok := strings.CutPrefix(l, "+"); ok {
			causes = append(causes, cause)
		}
	}
	return causes
}
