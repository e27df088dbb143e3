package agent

import (
	"context"
	"slices"
	"strconv"
	"time"

	"kvart/app"
)

const (
	// lookEvery is how often the shop is looked at.
	lookEvery = time.Minute
	// downAfter is how many looks in a row have to fail.
	downAfter = 2
	// countEvery is how many looks are counted in memory before they are written
	// down: a kill loses these, an outage is written at once.
	countEvery = 10
	// aliveLimit bounds finding out whether this computer is on line.
	aliveLimit = 15 * time.Second
	// expiresSoon is when a certificate should have been renewed.
	expiresSoon = 14 * 24 * time.Hour
	// lookGap is how long after a look the next one leaves a gap.
	lookGap = 3 * lookEvery
)

// front is what is remembered of the storefront while the guard runs. The
// lookout's mutex guards it.
type front struct {
	last     app.StorefrontProbe
	failures int
	first    time.Time // of these failures
	counted  []app.MonthUptime
	since    int // looks that are only counted in memory
}

func sameFront(a, b *app.StorefrontSettings) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// watchStorefront looks at the shop once a minute until ctx ends.
func (a *Agent) watchStorefront(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if s := a.Store.Document().Watch.Storefront; s != nil && a.Lookout != nil {
			p := a.probe(ctx, *s)
			if ctx.Err() == nil {
				if err := a.noteLook(ctx, p); err != nil {
					a.Log.WarnContext(ctx, "Look at the shop not noted", "error", err)
				}
				if err := a.domainDue(ctx, *s, p); err != nil && ctx.Err() == nil {
					a.Log.WarnContext(ctx, "Domain not asked about", "error", err)
				}
			}
		}
		select {
		case <-ctx.Done():
			// what was counted is known, and lost with the process otherwise
			if err := a.countLooks(context.WithoutCancel(ctx)); err != nil {
				a.Log.WarnContext(ctx, "Looks at the shop not noted", "error", err)
			}
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// probe looks at the shop once and, where it does not answer, whether this
// computer's own connection is alive. Where nothing shows that it is, nothing
// is known of the shop.
func (a *Agent) probe(ctx context.Context, s app.StorefrontSettings) app.StorefrontProbe {
	p := a.Lookout.Probe(ctx, s)
	p.At = a.Now()
	if p.State != app.StorefrontDown || p.Proven || a.alive(ctx) {
		return p
	}
	p.State = app.StorefrontUnknown
	p.Error = app.Errorf(app.CodeStorefrontUnsure, "look at storefront", "nothing else answers either; the shop: %w", p.Error).With("where", hostOf(s.URL))
	return p
}

// alive reports whether anything that the owner uses anyway answers: the
// storage, where it is away from here, or whoever carries alerts. Strangers are
// not asked.
func (a *Agent) alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, aliveLimit)
	defer cancel()
	d := a.Store.Document()
	if d.Vault != nil && d.Vault.OffSite {
		v, err := a.openVault(ctx)
		if at, ok := v.(app.Attendant); err == nil && ok && at.Present(ctx) == nil {
			return true
		}
	}
	var witnesses []string
	for _, c := range d.Watch.Channels {
		witnesses = append(witnesses, a.Lookout.Witness(c, a.secretOf(ctx, c.Name)("url")))
	}
	if d.Watch.Heartbeat != "" {
		if s, err := a.Secrets.Secret(ctx, heartbeatSecret); err == nil {
			witnesses = append(witnesses, a.Lookout.Witness(app.Channel{Kind: app.ChannelHook}, s))
		}
	}
	return slices.ContainsFunc(witnesses, func(w string) bool { return w != "" && a.Lookout.Reach(ctx, w) })
}

// noteLook counts a look, and begins or ends an outage.
func (a *Agent) noteLook(ctx context.Context, p app.StorefrontProbe) error {
	a.lookout.mu.Lock()
	changed, err := a.noteLookLocked(ctx, p)
	a.lookout.mu.Unlock()
	if changed {
		if err := a.countLooks(ctx); err != nil {
			return err
		}
		a.tellOwner(ctx)
	}
	a.bus.poke()
	return err
}

func (a *Agent) noteLookLocked(ctx context.Context, p app.StorefrontProbe) (changed bool, err error) {
	l := &a.lookout.front
	l.last = p
	l.count(p)
	outage, err := a.Journal.OpenOutage(ctx)
	if err != nil {
		return false, err
	}
	if outage != nil && p.State != app.StorefrontUnknown {
		if gap := p.At.Sub(outage.Looked); gap > lookGap {
			outage.Gap += gap // nobody looked: off, asleep, or off line
		}
	}
	switch p.State {
	case app.StorefrontUp:
		l.failures = 0
		if outage == nil {
			break
		}
		outage.End = p.At
		return true, a.Journal.PutOutage(ctx, *outage)
	case app.StorefrontDown:
		if l.failures++; l.failures == 1 {
			l.first = p.At
		}
		switch {
		case outage == nil && l.failures >= downAfter:
			return true, a.Journal.PutOutage(ctx, app.Outage{Begin: l.first, Error: p.Error, Looked: p.At})
		case outage != nil:
			outage.Looked = p.At
			return false, a.Journal.PutOutage(ctx, *outage)
		}
	}
	if l.since >= countEvery {
		return false, a.countLooksLocked(ctx)
	}
	return false, nil
}

// count counts a look in its month.
func (l *front) count(p app.StorefrontProbe) {
	month := p.At.Local().Format("2006-01")
	i := slices.IndexFunc(l.counted, func(m app.MonthUptime) bool { return m.Month == month })
	if i < 0 {
		l.counted = append(l.counted, app.MonthUptime{Month: month})
		i = len(l.counted) - 1
	}
	l.since++
	switch m := &l.counted[i]; p.State {
	case app.StorefrontUp:
		m.Up++
		m.Millis += p.Millis
	case app.StorefrontDown:
		m.Down++
	default:
		m.Unknown++
	}
}

// countLooks writes down what was counted.
func (a *Agent) countLooks(ctx context.Context) error {
	a.lookout.mu.Lock()
	defer a.lookout.mu.Unlock()
	return a.countLooksLocked(ctx)
}

func (a *Agent) countLooksLocked(ctx context.Context) error {
	l := &a.lookout.front
	for len(l.counted) > 0 {
		if err := a.Journal.AddLooks(ctx, l.counted[0]); err != nil {
			return err
		}
		l.counted = l.counted[1:]
	}
	l.since = 0
	return nil
}

// leaveFront forgets what is known of a page that is watched no longer: its
// outage, if one lasts, was seen to last.
func (a *Agent) leaveFront(ctx context.Context) error {
	a.lookout.mu.Lock()
	defer a.lookout.mu.Unlock()
	if err := a.countLooksLocked(ctx); err != nil {
		return err
	}
	a.lookout.front = front{}
	outage, err := a.Journal.OpenOutage(ctx)
	if err != nil || outage == nil {
		return err
	}
	outage.End = outage.Looked
	return a.Journal.PutOutage(ctx, *outage)
}

// frontStatus says how the shop stands, nil when none is watched.
func (a *Agent) frontStatus(ctx context.Context, d Document) (*app.StorefrontStatus, error) {
	if d.Watch.Storefront == nil {
		return nil, nil
	}
	st := app.StorefrontStatus{URL: d.Watch.Storefront.URL, Last: app.StorefrontProbe{State: app.StorefrontUnknown}}
	var err error
	if st.Outage, err = a.Journal.OpenOutage(ctx); err != nil {
		return nil, err
	}
	if st.Domain, err = a.domainStatus(ctx, d.Watch, a.Now()); err != nil {
		return nil, err
	}
	a.lookout.mu.Lock()
	defer a.lookout.mu.Unlock()
	if last := a.lookout.last; !last.At.IsZero() && a.Now().Sub(last.At).Abs() <= lookGap {
		st.Last = last
	}
	months, err := a.monthsLocked(ctx)
	if err != nil {
		return nil, err
	}
	if now := a.Now().Local().Format("2006-01"); len(months) > 0 && months[0].Month == now {
		st.Month = months[0]
	}
	st.Warning = expiring(st.Last, hostOf(st.URL), a.Now())
	return &st, nil
}

// expiring warns of a certificate that nobody renewed.
func expiring(p app.StorefrontProbe, where string, now time.Time) *app.Error {
	left := p.CertificateUntil.Sub(now)
	if p.State != app.StorefrontUp || p.CertificateUntil.IsZero() || left > expiresSoon {
		return nil
	}
	days := strconv.Itoa(max(int(left.Hours()/24), 0))
	return (&app.Error{Code: app.CodeStorefrontExpires, Op: "look at certificate"}).With("where", where).With("days", days)
}

// monthsLocked returns every month, with what is only counted in memory.
func (a *Agent) monthsLocked(ctx context.Context) ([]app.MonthUptime, error) {
	months, err := a.Journal.Months(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range a.lookout.counted {
		i := slices.IndexFunc(months, func(m app.MonthUptime) bool { return m.Month == c.Month })
		if i < 0 {
			months = append([]app.MonthUptime{{Month: c.Month}}, months...)
			i = 0
		}
		m := &months[i]
		if up := m.Up + c.Up; up > 0 {
			m.Millis = (m.Millis*m.Up + c.Millis) / up
		}
		m.Up, m.Down, m.Unknown = m.Up+c.Up, m.Down+c.Down, m.Unknown+c.Unknown
	}
	return months, nil
}

// Uptime implements [app.WatchService].
func (a *Agent) Uptime(ctx context.Context) (app.Uptime, error) {
	var u app.Uptime
	var err error
	if u.Outages, err = a.Journal.Outages(ctx); err != nil {
		return u, err
	}
	a.lookout.mu.Lock()
	u.Months, err = a.monthsLocked(ctx)
	a.lookout.mu.Unlock()
	for _, o := range u.Outages {
		if u.Longest == nil || a.lasted(o) > a.lasted(*u.Longest) {
			u.Longest = &o
		}
	}
	return u, err
}

func (a *Agent) lasted(o app.Outage) time.Duration {
	if o.End.IsZero() {
		return a.Now().Sub(o.Begin)
	}
	return o.End.Sub(o.Begin)
}

// TestStorefront implements [app.WatchService].
func (a *Agent) TestStorefront(ctx context.Context) (app.StorefrontProbe, error) {
	s := a.Store.Document().Watch.Storefront
	if s == nil || a.Lookout == nil {
		return app.StorefrontProbe{}, app.Errorf(app.CodeStorefrontNone, "look at storefront", "none is watched")
	}
	return a.probe(ctx, *s), nil
}

// asker answers incidents' question whether the shop is up.
type asker struct{ *Agent }

// Ask implements [app.Storefront].
func (a asker) Ask(ctx context.Context) (known bool, err error) {
	p, err := a.TestStorefront(ctx)
	switch {
	case err != nil || p.State == app.StorefrontUnknown:
		return false, nil // nothing is watched, or nothing is known
	case p.State == app.StorefrontUp:
		return true, nil
	}
	return true, orNil(p.Error)
}
