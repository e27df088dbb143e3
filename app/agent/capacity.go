package agent

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"kvart/app"
)

// Keys of the journal.
const (
	keyShopProof  = "shop_proof"
	keyCapacities = "capacities"
)

// keptCapacities is how many results are kept.
const keptCapacities = 20

// shopProof is what is remembered of the proof that a shop is the owner's.
type shopProof struct {
	URL    string    `json:"url"`
	Token  string    `json:"token"`
	Proven time.Time `json:"proven"`
	Way    string    `json:"way,omitempty"`
}

// shopProof returns the proof of the watched shop, with a new token where the
// shop is another than before. Without a watched shop it is empty.
func (a *Agent) shopProof(ctx context.Context) (shopProof, error) {
	s := a.Store.Document().Watch.Storefront
	if s == nil {
		return shopProof{}, nil
	}
	was, err := recall[shopProof](ctx, a.Journal, keyShopProof)
	if err != nil {
		return shopProof{}, err
	}
	if was != nil && was.URL == s.URL {
		return *was, nil
	}
	p := shopProof{URL: s.URL, Token: strings.ToLower(rand.Text())}
	return p, keep(ctx, a.Journal, keyShopProof, p)
}

// proven reports whether a proof is still believed.
func (a *Agent) proven(p shopProof) bool {
	return !p.Proven.IsZero() && a.Now().Sub(p.Proven).Abs() <= app.ProofAge
}

// platform returns the platform that others run the shop on, by what the shop
// answered, its address and the kinds of sources; "" where nothing shows one.
func (a *Agent) platform(d Document, p *app.StorefrontProbe) string {
	if p != nil && p.Platform != "" {
		return p.Platform
	}
	if s := d.Watch.Storefront; s != nil && a.Lookout != nil {
		if name := a.Lookout.PlatformOf(*s); name != "" {
			return name
		}
	}
	for _, k := range a.Connectors.Specs() {
		if k.Hosted && slices.ContainsFunc(d.Sources, func(s app.Source) bool { return s.Kind == k.Kind }) {
			kind := string(k.Kind)
			return strings.ToUpper(kind[:1]) + kind[1:]
		}
	}
	return ""
}

// lastLook returns what the last look at the shop showed.
func (a *Agent) lastLook() *app.StorefrontProbe {
	a.lookout.mu.Lock()
	defer a.lookout.mu.Unlock()
	p := a.lookout.last
	return &p
}

// ownShop returns the watched shop, and refuses one that is not the owner's to
// put to the test.
func (a *Agent) ownShop(op string) (app.StorefrontSettings, error) {
	d := a.Store.Document()
	s := d.Watch.Storefront
	if s == nil || a.Lookout == nil {
		return app.StorefrontSettings{}, app.Errorf(app.CodeStorefrontNone, op, "none is watched")
	}
	if p := a.platform(d, a.lastLook()); p != "" {
		return *s, app.Errorf(app.CodeCapacityHosted, op, "as far as is known before it is asked").With("where", hostOf(s.URL)).With("platform", p)
	}
	return *s, nil
}

// ProveShop implements [app.CapacityService].
func (a *Agent) ProveShop(ctx context.Context) (app.ShopProof, error) {
	s, err := a.ownShop("prove shop")
	if err != nil {
		return app.ShopProof{}, err
	}
	p, err := a.findProof(ctx, s)
	if err != nil {
		return app.ShopProof{}, err
	}
	out := app.ShopProof{URL: p.URL, Token: p.Token, Proven: p.Proven, Way: p.Way}
	out.File, out.Meta, err = a.Lookout.ProofPlace(s, p.Token)
	return out, err
}

// findProof looks for the proof now, and remembers whether it is there.
func (a *Agent) findProof(ctx context.Context, s app.StorefrontSettings) (shopProof, error) {
	p, err := a.shopProof(ctx)
	if err != nil {
		return p, err
	}
	if p.Way, err = a.Lookout.FindProof(ctx, s, p.Token); err != nil {
		return p, a.orOwnLine(ctx, s, err)
	}
	p.Proven = time.Time{}
	if p.Way != "" {
		p.Proven = a.Now()
	}
	return p, keep(ctx, a.Journal, keyShopProof, p)
}

// orOwnLine says that it is not known whether a shop that does not answer is down,
// where nothing else answers either.
func (a *Agent) orOwnLine(ctx context.Context, s app.StorefrontSettings, err error) error {
	if app.CodeOf(err) != app.CodeStorefrontOffline || a.alive(ctx) {
		return err
	}
	return app.Errorf(app.CodeStorefrontUnsure, "rehearse capacity", "nothing else answers either; the shop: %w", err).With("where", hostOf(s.URL))
}

// StartCapacity implements [app.CapacityService].
func (a *Agent) StartCapacity(ctx context.Context, r app.CapacityRequest) (app.JobID, error) {
	const op = "rehearse capacity"
	s, err := a.ownShop(op)
	if err != nil {
		return "", err
	}
	if r.Ceiling == 0 {
		r.Ceiling = app.CapacityUsual
	}
	switch {
	case !r.Agreed:
		return "", app.Errorf(app.CodeUsage, op, "the owner has not agreed").With("field", "agree")
	case r.Ceiling < 1 || r.Ceiling > app.CapacityCeiling:
		return "", app.Errorf(app.CodeUsage, op, "from 1 to %d visitors a minute", app.CapacityCeiling).With("field", "ceiling").With("choices", fmt.Sprintf("1–%d", app.CapacityCeiling))
	}
	if err := a.noIncident(ctx); err != nil {
		return "", err
	}
	if p, err := a.shopProof(ctx); err != nil {
		return "", err
	} else if !a.proven(p) {
		return "", unprovenShop(s)
	}
	for _, j := range a.running() {
		if st := j.snapshot(); st.Kind == app.JobCapacity {
			return st.ID, nil
		}
	}
	j, err := a.start(app.JobCapacity, nil, func(ctx context.Context, j *job) error { return a.rehearseCapacity(ctx, j, s, r.Ceiling) })
	if err != nil {
		return "", err
	}
	return j.snapshot().ID, nil
}

func unprovenShop(s app.StorefrontSettings) error {
	return app.Errorf(app.CodeCapacityUnproven, "rehearse capacity", "no proof was found").With("where", hostOf(s.URL))
}

// noIncident refuses while one is open: nobody puts a shop to the test that is
// in trouble.
func (a *Agent) noIncident(ctx context.Context) error {
	i, err := a.recovery.Current(ctx)
	switch {
	case app.CodeOf(err) == app.CodeIncidentNone:
		return nil
	case err != nil:
		return err
	}
	return app.Errorf(app.CodeIncidentOpen, "rehearse capacity", "%s is open", i.ID).With("playbook", string(i.Playbook))
}

// rehearseCapacity sends visitors. It needs neither vault nor sources: backups
// go on beside it.
func (a *Agent) rehearseCapacity(ctx context.Context, j *job, s app.StorefrontSettings, ceiling int) error {
	j.at(app.StepCapacity, "")
	p, err := a.findProof(ctx, s)
	if err != nil {
		return err
	}
	if !a.proven(p) {
		return unprovenShop(s)
	}
	seen := app.CapacityResult{URL: s.URL, Started: a.Now(), Ceiling: ceiling}
	res, err := a.Lookout.Rehearse(ctx, app.CapacityRun{
		Storefront: s, Ceiling: ceiling, Progress: j,
		Stepped: func(st app.CapacityStep) {
			seen.Steps = append(slices.Clone(seen.Steps), st)
			shown := seen
			j.update(func(state *app.Job) { state.Capacity = &shown })
		},
		Stop:  func() app.CapacityEnd { return a.stopCapacity(ctx, s) },
		Alive: a.alive,
	})
	if err != nil {
		return a.orOwnLine(ctx, s, err)
	}
	res.Started, res.Ended = seen.Started, a.Now()
	j.update(func(state *app.Job) { state.Capacity = &res })
	if err := a.keepCapacity(context.WithoutCancel(ctx), res); err != nil {
		return err
	}
	if res.End == app.CapacityEndCanceled {
		return app.Errorf(app.CodeCanceled, "rehearse capacity", "stopped after %d steps", len(res.Steps))
	}
	return nil
}

// stopCapacity says why a rehearsal has to end now, "" when it has not.
func (a *Agent) stopCapacity(ctx context.Context, s app.StorefrontSettings) app.CapacityEnd {
	if now := a.Store.Document().Watch.Storefront; now == nil || now.URL != s.URL {
		return app.CapacityEndMoved // another shop is watched, or none
	}
	if err := a.noIncident(ctx); err != nil {
		return app.CapacityEndIncident // also when it can't be told
	}
	return ""
}

func (a *Agent) keepCapacity(ctx context.Context, r app.CapacityResult) error {
	all, err := a.Capacities(ctx)
	if err != nil {
		return err
	}
	all = append([]app.CapacityResult{r}, all...)
	return keep(ctx, a.Journal, keyCapacities, all[:min(len(all), keptCapacities)])
}

// Capacities implements [app.CapacityService].
func (a *Agent) Capacities(ctx context.Context) ([]app.CapacityResult, error) {
	all, err := recall[[]app.CapacityResult](ctx, a.Journal, keyCapacities)
	if err != nil || all == nil {
		return []app.CapacityResult{}, err
	}
	return *all, nil
}

// CapacityReport implements [app.CapacityService].
func (a *Agent) CapacityReport(ctx context.Context, r app.CapacityReportRequest) ([]byte, error) {
	all, err := a.Capacities(ctx)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(all, app.CapacityResult.Told)
	if i < 0 {
		return nil, app.Errorf(app.CodeCapacityNone, "write capacity report", "none of %d tells anything", len(all))
	}
	agent := ""
	if a.Lookout != nil {
		agent = a.Lookout.VisitorAgent()
	}
	p, err := a.recovery.Capacity(ctx, all[i], agent, r.Language)
	if err != nil {
		return nil, err
	}
	return a.printPaper(p, r.Format)
}
