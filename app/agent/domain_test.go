package agent

import (
	"testing"
	"time"

	"kvart/app"
)

func TestDomain_askedOnceADayAndTold(t *testing.T) {
	t.Parallel()
	w := newFrontTest(t)
	w.lamp.reach = true
	until := w.clock.now().AddDate(0, 0, 29)
	var fails *app.Error
	w.lamp.domain = func() *app.DomainStatus {
		d := &app.DomainStatus{Name: "kopp.example", Until: until, Error: fails}
		if fails != nil {
			d.Until = time.Time{}
		}
		return d
	}
	look := func() *app.DomainStatus {
		t.Helper()
		s := *w.Store.Document().Watch.Storefront
		if err := w.domainDue(t.Context(), s, w.probe(t.Context(), s)); err != nil {
			t.Fatal(err)
		}
		st := w.status()
		causes := standing(st)
		w.alert(t.Context(), map[string]*app.Error{causeDomain: causes[causeDomain], causeDomainLast: causes[causeDomainLast]})
		if err := w.deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.later(2 * time.Hour)
		return st.Watch.Storefront.Domain
	}
	w.answers(app.StorefrontDown)
	if d := look(); d != nil || w.lamp.asked != 0 {
		t.Errorf("asked while the shop is down: %+v", d)
	}
	w.answers(app.StorefrontUp)
	d := look()
	if d == nil || !d.Until.Equal(until) || d.Warning == nil || d.Warning.Code != app.CodeDomainExpires || d.Warning.Args["days"] != "28" {
		t.Fatalf("%+v", d)
	}
	w.crash()
	for range 5 {
		look()
	}
	if w.lamp.asked != 1 {
		t.Errorf("asked %d times within a day", w.lamp.asked)
	}
	w.wantTold("raised domain")
	fails = &app.Error{Code: app.CodeDomainUnknown}
	w.later(23 * time.Hour)
	if d := look(); w.lamp.asked != 2 || d.Error == nil || !d.Until.Equal(until) || d.Warning == nil {
		t.Errorf("a registry that is away makes what is known unknown: %+v", d)
	}
	w.later(22 * 24 * time.Hour)
	if d := look(); d.Warning.Args["days"] != "5" {
		t.Errorf("%+v", d.Warning)
	}
	w.wantTold("raised domain, raised domain.last")
	fails, until = nil, until.AddDate(1, 0, 0)
	w.later(24 * time.Hour)
	if d := look(); d.Warning != nil {
		t.Errorf("renewed, and warned of: %+v", d.Warning)
	}
	look()
	w.wantTold("raised domain, raised domain.last, solved domain, solved domain.last")
	n := w.lamp.asked
	w.update(func(d *Document) { d.Watch.NoDomain = true })
	w.later(48 * time.Hour)
	if d := look(); d != nil || w.lamp.asked != n {
		t.Errorf("asked although nobody is to be: %+v", d)
	}
}
