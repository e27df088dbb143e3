package agent

import (
	"context"
	"slices"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

const (
	// alertFresh is how long an alert that was taken shows that the next will be.
	alertFresh = 31 * 24 * time.Hour
	// capacityFresh is how long a capacity rehearsal says anything.
	capacityFresh = 120 * 24 * time.Hour
	// busyPercent is how much of what moves in the shop may fall into the hours
	// of heavy work.
	busyPercent = 10
)

// readying is what the readiness list is made of.
type readying struct {
	*Agent
	d      Document
	st     app.Status
	peak   app.PeakDay // the coming two weeks, where there is none
	front  *app.StorefrontProbe
	hosted string // the platform that others run the shop on; "" for none known
	out    app.Readiness
}

// Readiness implements [app.ReadyService].
func (a *Agent) Readiness(ctx context.Context) (app.Readiness, error) {
	st, err := a.Status(ctx)
	if err != nil {
		return app.Readiness{}, err
	}
	r := readying{Agent: a, d: a.Store.Document(), st: st, peak: app.PeakDay{From: st.Now, To: st.Now.Add(app.ReadySoon)}}
	if p := st.Watch.Peak; p != nil {
		r.peak, r.out.Peak = *p, p
		left := p.From.Sub(st.Now)
		r.out.Soon, r.out.Days = left <= app.ReadySoon, max(int((left+24*time.Hour-1)/(24*time.Hour)), 0)
	}
	if s := r.d.Watch.Storefront; s != nil && a.Lookout != nil {
		p := a.probe(ctx, *s)
		r.front = &p
	}
	r.hosted = a.platform(r.d, r.front)
	for _, code := range app.ReadyCodes() {
		it, err := r.item(ctx, code)
		if err != nil {
			return app.Readiness{}, err
		}
		it.Code = code
		r.out.Items = append(r.out.Items, it)
	}
	r.out.State = readyState(r.out.Items)
	return r.out, nil
}

// readyState is the worst of the items. What only the platform can answer does
// not count: it would never be known.
func readyState(items []app.ReadyItem) app.ReadyState {
	worst := app.ReadyYes
	for _, it := range items {
		switch {
		case it.State == app.ReadyNo:
			return app.ReadyNo
		case it.State == app.ReadyUnknown && it.Code != app.ReadyPlatform:
			worst = app.ReadyUnknown
		}
	}
	return worst
}

func (r *readying) item(ctx context.Context, code app.ReadyCode) (app.ReadyItem, error) {
	switch code {
	case app.ReadyDrill:
		return r.drill(ctx)
	case app.ReadyKit:
		return r.kit(), nil
	case app.ReadyLock:
		return r.lock(), nil
	case app.ReadyRoom:
		return r.room(ctx)
	case app.ReadyPace:
		return r.pace(), nil
	case app.ReadyUpkeep:
		return r.upkeep(ctx)
	case app.ReadyCopy:
		return r.copy(), nil
	case app.ReadyContacts:
		return r.contacts(), nil
	case app.ReadyAlerts:
		return r.alerts(ctx)
	case app.ReadyFront:
		return r.storefront(), nil
	case app.ReadyDomain:
		return r.domain(), nil
	case app.ReadyCapacity:
		return r.capacity(ctx)
	}
	return r.platform(), nil
}

func ready(f app.ReadyFact) app.ReadyItem { return app.ReadyItem{State: app.ReadyYes, Fact: f} }

func needless(f app.ReadyFact) app.ReadyItem { return app.ReadyItem{State: app.ReadyNeedless, Fact: f} }

func unready(do app.ReadyDo, f app.ReadyFact) app.ReadyItem {
	return app.ReadyItem{State: app.ReadyNo, Fact: f, Do: do}
}

func unsure(do app.ReadyDo, f app.ReadyFact) app.ReadyItem {
	return app.ReadyItem{State: app.ReadyUnknown, Fact: f, Do: do}
}

// drill looks for a drill of every source that is still fresh when the days
// begin, or now where they are farther away.
func (r *readying) drill(ctx context.Context) (app.ReadyItem, error) {
	if len(r.st.Sources) == 0 {
		return unready(app.DoNothing, app.ReadyFact{Code: "drill_nothing"}), nil
	}
	fact := app.ReadyFact{Code: "drill_fresh", Count: int64(len(r.st.Sources))}
	for _, s := range r.st.Sources {
		last, err := r.Journal.LastDrill(ctx, s.Source.ID)
		if err != nil {
			return app.ReadyItem{}, err
		}
		bad := app.ReadyFact{Name: s.Source.Name}
		switch {
		case last == nil:
			bad.Code = "drill_never"
		case s.Proof == app.ProofChanged:
			bad.Code = "drill_changed"
		case !last.OK:
			bad.Code, bad.Time = "drill_failed", last.At
		case r.st.Now.Sub(last.At).Abs() > peakProof:
			bad.Code, bad.Time = "drill_old", last.At
		}
		if bad.Code != "" {
			return unready(app.DoDrill, bad), nil
		}
		if fact.Time.IsZero() || last.At.Before(fact.Time) {
			fact.Time = last.At
		}
	}
	return ready(fact), nil
}

func (r *readying) kit() app.ReadyItem {
	k := r.st.Kit
	f := app.ReadyFact{Count: int64(k.Number)}
	switch {
	case k.Number == 0:
		f.Code = "kit_missing"
	case k.Void:
		f.Code = "kit_void"
	case k.Confirmed.IsZero():
		f.Code = "kit_unconfirmed"
	default:
		f.Code, f.Time = "kit_good", k.Confirmed
		return ready(f)
	}
	return unready(app.DoKit, f)
}

func (r *readying) lock() app.ReadyItem {
	p := r.st.LockProof
	locked := r.d.Vault != nil && r.d.Vault.Lock.Mode != app.LockNone
	switch {
	case !locked && r.st.Rule != nil && r.st.Rule.Immutable:
		return needless(app.ReadyFact{Code: "lock_copy"})
	case !locked:
		return unready(app.DoAddCopy, app.ReadyFact{Code: "lock_none"})
	case p == nil:
		return unsure(app.DoLock, app.ReadyFact{Code: "lock_never"})
	case p.State == app.LockOpen:
		return unready(app.DoRoom, app.ReadyFact{Code: "lock_open", Time: p.At})
	case p.State == app.LockLifted:
		return unready(app.DoRoom, app.ReadyFact{Code: "lock_lifted", Time: p.At})
	case !r.st.Locked():
		return unsure(app.DoLock, app.ReadyFact{Code: "lock_old", Time: p.At})
	}
	return ready(app.ReadyFact{Code: "lock_held", Time: p.At})
}

func (r *readying) room(ctx context.Context) (app.ReadyItem, error) {
	f, err := r.forecast(ctx, r.peak, r.st.Vault, r.st.Now)
	if err != nil || f == nil {
		return unsure(app.DoNothing, app.ReadyFact{Code: "room_early"}), err
	}
	r.out.Forecast = f
	fact := app.ReadyFact{Code: "room_enough", Bytes: f.Bytes, Room: max(f.Free, 0), Time: f.Until}
	switch {
	case f.Free < 0:
		fact.Code = "room_untold"
		return unsure(app.DoRoom, fact), nil
	case f.Free < f.Bytes:
		fact.Code = "room_little"
		return unready(app.DoRoom, fact), nil
	}
	return ready(fact), nil
}

// pace says whether backups come as often as they should over the days.
func (r *readying) pace() app.ReadyItem {
	if until := r.st.PausedUntil; until.After(r.st.Now) {
		return unready(app.DoResume, app.ReadyFact{Code: "pace_paused", Time: until})
	}
	if r.d.Watch.NoPeakPace {
		return unready(app.DoPace, app.ReadyFact{Code: "pace_off", Count: int64(app.QuarterLength.Minutes())})
	}
	for _, s := range r.st.Sources {
		f := app.ReadyFact{Code: "pace_failing", Name: s.Source.Name}
		if s.State == app.SourcePaused {
			f.Code = "pace_resting"
		}
		switch verdictOf(s.State) {
		case app.VerdictSafe:
		case app.VerdictFailed, app.VerdictLate:
			it := unready(app.DoNothing, f)
			it.Error = s.Error
			return it
		default: // nothing was backed up of it yet, or nobody read that back
			f.Code = "pace_unknown"
			return unsure(app.DoNothing, f)
		}
	}
	for _, s := range r.st.Sources {
		if e := s.Source.Schedule.Every; e > app.PeakLength {
			return unready(app.DoNothing, app.ReadyFact{Code: "pace_own", Name: s.Source.Name, Count: int64(e.Minutes())})
		}
	}
	return ready(app.ReadyFact{Code: "pace_dense", Count: int64(app.PeakLength.Minutes())})
}

// upkeep says when heavy work is done over the days, and holds that against
// when the shop is busy.
func (r *readying) upkeep(ctx context.Context) (app.ReadyItem, error) {
	failing, err := recall[upkeep](ctx, r.Journal, journal.KeyUpkeep)
	if err != nil {
		return app.ReadyItem{}, err
	}
	if failing != nil {
		it := unready(app.DoNothing, app.ReadyFact{Code: "upkeep_failing", Time: failing.Since})
		it.Error = failing.Error
		return it, nil
	}
	from, to := heavyHours(r.d.Settings, true)
	f := app.ReadyFact{Code: "upkeep_hours", From: from, To: to}
	looked, moved, err := r.Journal.Busy(ctx, r.st.Now.Add(-busySpan))
	if err != nil {
		return app.ReadyItem{}, err
	}
	var inside, all int
	for h, n := range moved {
		all += n
		if betweenHours(h, from, to) {
			inside += n
		}
	}
	if slices.Max(looked[:]) >= busyLeast && all > 0 && 100*inside > busyPercent*all {
		f.Code, f.Count = "upkeep_busy", int64(100*inside/all)
		return unready(app.DoQuiet, f), nil
	}
	return ready(f), nil
}

// copy takes the copy that is nearest to being in step.
func (r *readying) copy() app.ReadyItem {
	if len(r.st.Copies) == 0 {
		return unready(app.DoAddCopy, app.ReadyFact{Code: "copy_none"})
	}
	order := []app.CopyState{app.CopyInStep, app.CopyAway, app.CopyBehind, app.CopyNew, app.CopyFailed}
	best := slices.MinFunc(r.st.Copies, func(x, y app.CopyStatus) int {
		return slices.Index(order, x.State) - slices.Index(order, y.State)
	})
	f := app.ReadyFact{Code: "copy_behind", Name: best.Name, Time: best.InStep}
	switch {
	case best.State == app.CopyInStep:
		f.Code = "copy_in_step"
		return ready(f)
	case best.State == app.CopyFailed:
		f.Code = "copy_failed"
	case best.InStep.IsZero():
		f.Code = "copy_new"
	}
	it := unready(app.DoCopy, f)
	it.Error = best.Error
	return it
}

func (r *readying) contacts() app.ReadyItem {
	n := 0
	for _, c := range r.d.Ready.Contacts {
		if c.Phone != "" || c.Mail != "" {
			n++
		}
	}
	if n == 0 {
		return unready(app.DoContacts, app.ReadyFact{Code: "contacts_none"})
	}
	return ready(app.ReadyFact{Code: "contacts_stored", Count: int64(n)})
}

// alerts looks for a channel that lately took one.
func (r *readying) alerts(ctx context.Context) (app.ReadyItem, error) {
	if len(r.st.Watch.Channels) == 0 {
		return unready(app.DoAlerts, app.ReadyFact{Code: "alerts_none"}), nil
	}
	worst := unsure(app.DoTest, app.ReadyFact{Code: "alerts_untested", Name: r.st.Watch.Channels[0].Name})
	for _, c := range r.st.Watch.Channels {
		took, err := r.Journal.MetaTime(ctx, keyDelivered(c.Name))
		if err != nil {
			return app.ReadyItem{}, err
		}
		switch {
		case c.Error != nil:
			worst = unready(app.DoTest, app.ReadyFact{Code: "alerts_failing", Name: c.Name})
			worst.Error = c.Error
		case !took.IsZero() && r.st.Now.Sub(took).Abs() <= alertFresh:
			return ready(app.ReadyFact{Code: "alerts_reach", Name: c.Name, Time: took}), nil
		}
	}
	return worst, nil
}
