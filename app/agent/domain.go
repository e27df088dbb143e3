package agent

import (
	"context"
	"strconv"
	"time"

	"kvart/app"
)

const (
	// keyDomain is the journal's key of what a registry said last.
	keyDomain = "domain"
	// domainEvery is how often one is asked at most, whatever came of it.
	domainEvery = 24 * time.Hour
)

// domainRecord is what is remembered of a shop's domain.
type domainRecord struct {
	URL    string            `json:"url"`
	At     time.Time         `json:"at"`
	Status *app.DomainStatus `json:"status,omitempty"` // nil: there is nothing to ask
}

// domainDue asks the registry of the watched shop's domain, once a day, while
// the shop answers. That it was asked is noted before: a guard that is started
// over and over must not ask each time.
func (a *Agent) domainDue(ctx context.Context, s app.StorefrontSettings, p app.StorefrontProbe) error {
	if p.State != app.StorefrontUp || a.Store.Document().Watch.NoDomain {
		return nil
	}
	was, err := recall[domainRecord](ctx, a.Journal, keyDomain)
	if err != nil {
		return err
	}
	now := a.Now()
	if was != nil && was.URL == s.URL && now.Sub(was.At).Abs() < domainEvery {
		return nil
	}
	next := domainRecord{URL: s.URL, At: now}
	if was != nil && was.URL == s.URL {
		next.Status = was.Status
	}
	if err := keep(ctx, a.Journal, keyDomain, next); err != nil {
		return err
	}
	st := a.Lookout.Domain(ctx, s)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if st != nil {
		st.At = now
		if st.Error != nil && next.Status != nil && next.Status.Name == st.Name {
			st.Until = next.Status.Until // as far as was known; a renewal only makes it later
		}
	}
	next.Status = st
	a.bus.poke()
	return keep(ctx, a.Journal, keyDomain, next)
}

// domainStatus says what is known of the watched shop's domain.
func (a *Agent) domainStatus(ctx context.Context, w app.WatchSettings, now time.Time) (*app.DomainStatus, error) {
	if w.NoDomain || w.Storefront == nil {
		return nil, nil
	}
	rec, err := recall[domainRecord](ctx, a.Journal, keyDomain)
	if err != nil || rec == nil || rec.URL != w.Storefront.URL || rec.Status == nil {
		return nil, err
	}
	st := *rec.Status
	if left := st.Until.Sub(now); !st.Until.IsZero() && left <= app.DomainSoon {
		days := strconv.Itoa(max(int(left.Hours()/24), 0))
		st.Warning = (&app.Error{Code: app.CodeDomainExpires, Op: "look at domain"}).With("where", st.Name).With("days", days)
	}
	return &st, nil
}
