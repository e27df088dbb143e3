package agent

import (
	"context"

	"kvart/app"
)

// storefront says whether the shop answers, and how fast.
func (r *readying) storefront() app.ReadyItem {
	if r.front == nil {
		return unready(app.DoShop, app.ReadyFact{Code: "front_none"})
	}
	f := app.ReadyFact{Code: "front_up", Name: r.host(), Millis: r.front.Millis}
	if s := r.st.Watch.Storefront; s != nil {
		f.UsualMillis = s.Month.Millis
	}
	var it app.ReadyItem
	switch {
	case r.front.State == app.StorefrontUnknown:
		f.Code = "front_unknown"
		it = unsure(app.DoLook, f)
	case r.front.State == app.StorefrontDown:
		f.Code = "front_down"
		it = unready(app.DoLook, f)
	case f.Millis > app.CapacitySlow.Milliseconds():
		f.Code = "front_slow"
		it = unready(app.DoLook, f)
	default:
		it = ready(f)
	}
	it.Error = r.front.Error
	return it
}

// host is the shop's, for the owner.
func (r *readying) host() string {
	if r.d.Watch.Storefront == nil {
		return ""
	}
	return hostOf(r.d.Watch.Storefront.URL)
}

// domain says whether domain and certificate outlive the days. A certificate
// that is renewed by itself may well expire before: only when nobody renewed it
// in time is it said to be short.
func (r *readying) domain() app.ReadyItem {
	if r.front == nil {
		return unready(app.DoShop, app.ReadyFact{Code: "front_none"})
	}
	cert := r.front.CertificateUntil
	f := app.ReadyFact{Name: r.host(), Time: cert}
	if !cert.IsZero() && cert.Before(r.peak.To) && cert.Sub(r.st.Now) <= expiresSoon {
		f.Code = "certificate_short"
		return unready(app.DoDomain, f)
	}
	known := r.st.Watch.Storefront
	var d *app.DomainStatus
	if known != nil {
		d = known.Domain
	}
	switch {
	case d != nil && !d.Until.IsZero() && d.Until.Before(r.peak.To):
		return unready(app.DoDomain, app.ReadyFact{Code: "domain_short", Name: d.Name, Time: d.Until})
	case cert.IsZero():
		f.Code = "certificate_unknown"
		return unsure(app.DoLook, f)
	case d != nil && !d.Until.IsZero():
		return ready(app.ReadyFact{Code: "domain_long", Name: d.Name, Time: d.Until})
	case r.d.Watch.NoDomain || r.hosted != "":
		f.Code = "certificate_long" // the rest is not asked for, or not the owner's
		return ready(f)
	}
	f.Code = "domain_unknown"
	it := unsure(app.DoDomain, f)
	if d != nil {
		it.Fact.Name, it.Error = d.Name, d.Error
	}
	return it
}

// capacity says what the newest rehearsal showed. Nobody has to make one.
func (r *readying) capacity(ctx context.Context) (app.ReadyItem, error) {
	if r.hosted != "" {
		return needless(app.ReadyFact{Code: "capacity_hosted", Name: r.hosted}), nil
	}
	if r.front == nil {
		return app.ReadyItem{State: app.ReadyNeedless, Fact: app.ReadyFact{Code: "capacity_never"}, Do: app.DoShop}, nil
	}
	all, err := r.Capacities(ctx)
	if err != nil {
		return app.ReadyItem{}, err
	}
	for _, c := range all {
		if c.URL != r.d.Watch.Storefront.URL || r.st.Now.Sub(c.Ended).Abs() > capacityFresh {
			continue
		}
		f := app.ReadyFact{Time: c.Ended, Count: int64(c.Slow)}
		switch {
		case c.Slow > 0:
			f.Code = "capacity_slow"
			return unready(app.DoHost, f), nil
		case c.End == app.CapacityEndErrors:
			f.Code = "capacity_failed"
			return unready(app.DoHost, f), nil
		case c.Stood > 0:
			f.Code, f.Count = "capacity_stood", int64(c.Stood)
			return ready(f), nil
		}
	}
	it := needless(app.ReadyFact{Code: "capacity_never"})
	it.Do = app.DoProve
	if proof, err := r.shopProof(ctx); err != nil {
		return it, err
	} else if r.proven(proof) {
		it.Do = app.DoCapacity
	}
	return it, nil
}

// platform lists what only the platform can answer.
func (r *readying) platform() app.ReadyItem {
	if r.hosted == "" {
		return needless(app.ReadyFact{Code: "platform_none"})
	}
	it := unsure(app.DoAsk, app.ReadyFact{Code: "platform_ask", Name: r.hosted})
	it.Asks = app.ReadyAsks()
	return it
}
