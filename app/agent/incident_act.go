package agent

import (
	"context"
	"fmt"
	"time"

	"kvart/app"
)

const (
	// pinBack is how far back backups are pinned on a bad day.
	pinBack = 48 * time.Hour
	// askLimit bounds asking the shop whether it answers.
	askLimit = 20 * time.Second
)

// done, failed and unknown are what came of a step.
func done(facts ...app.Fact) app.StepResult {
	return app.StepResult{State: app.StepDone, Facts: facts}
}

func failed(err error, facts ...app.Fact) app.StepResult {
	return app.StepResult{State: app.StepFailed, Error: app.AsError(err), Facts: facts}
}

func unknown(facts ...app.Fact) app.StepResult {
	return app.StepResult{State: app.StepOpen, Facts: facts}
}

// Act implements [app.RecoveryHost].
func (h *recoveryHost) Act(ctx context.Context, i app.Incident, what app.Action) app.StepResult {
	a := h.Agent
	switch what {
	case app.ActionFreeze:
		return done(app.Fact{Code: "frozen"})
	case app.ActionPin:
		return a.actPin(ctx, i)
	case app.ActionLock:
		return a.actLock(ctx)
	case app.ActionStorage:
		return a.actStorage(ctx)
	case app.ActionVault:
		return a.actVault(ctx)
	case app.ActionPoint:
		return a.actPoint(ctx, i)
	case app.ActionCompare:
		return a.actCompare(ctx, i)
	case app.ActionRestore:
		return a.actRestore(ctx, i)
	case app.ActionCheck:
		return a.actCheck(ctx, i)
	case app.ActionRehearse:
		return a.actRehearse(ctx, i)
	case app.ActionPage:
		return a.actPage(ctx)
	case app.ActionPublish:
		return a.actPublish(ctx, i, true)
	case app.ActionWithdraw:
		return a.actPublish(ctx, i, false)
	case app.ActionStorefront:
		return a.askStorefront(ctx)
	case app.ActionGap:
		return a.actGap(ctx, i)
	}
	return unknown() // of a newer Kvart's playbook: the owner looks
}

// Probe implements [app.RecoveryHost].
func (h *recoveryHost) Probe(ctx context.Context, i app.Incident, p app.Probe) app.StepResult {
	switch p {
	case app.ProbeVault:
		return h.actVault(ctx)
	case app.ProbeSources:
		return h.reach(ctx, i)
	case app.ProbeStorefront:
		return h.askStorefront(ctx)
	}
	return unknown()
}

func (a *Agent) actVault(ctx context.Context) app.StepResult {
	if _, err := a.openVault(ctx); err != nil {
		return failed(err)
	}
	return done(app.Fact{Code: "vault", Args: map[string]string{"shop": a.Store.Document().Vault.Shop}})
}

// actStorage looks whether the backups are there, and where they are not,
// whether a second copy is.
func (a *Agent) actStorage(ctx context.Context) app.StepResult {
	_, name, err := a.vaultToRestore(ctx)
	if err != nil {
		return failed(err)
	}
	stand := func(i *app.Incident) { i.Copy = name }
	if name == "" {
		res := done(app.Fact{Code: "storage", Args: map[string]string{"where": a.Store.Document().Vault.Where}})
		res.Change = stand
		return res
	}
	f := app.Fact{Code: "copy", Args: map[string]string{"copy": name}}
	if rec, err := recall[copyRecord](ctx, a.Journal, copyKey(name)); err == nil && rec != nil {
		f.Time = rec.InStep
	}
	res := done(f)
	res.Change = stand
	return res
}

// actPin keeps what was stored in the last two days before the incident, and
// since.
func (a *Agent) actPin(ctx context.Context, i app.Incident) app.StepResult {
	v, err := a.openVault(ctx)
	if err != nil {
		return failed(err)
	}
	points, err := v.Points(ctx, app.PointFilter{Since: i.Started.Add(-pinBack)})
	if err != nil {
		return failed(err)
	}
	pinned := int64(0)
	for _, p := range points {
		if !p.Pinned {
			if err := v.Pin(ctx, p.ID, true); err != nil {
				return failed(err, app.Fact{Code: "pinned", Count: pinned})
			}
		}
		pinned++
	}
	return done(app.Fact{Code: "pinned", Count: pinned})
}

// actLock makes the locks longer, which full maintenance does, and tries one.
func (a *Agent) actLock(ctx context.Context) app.StepResult {
	d := a.Store.Document()
	if d.Vault == nil || d.Vault.Lock.Mode == app.LockNone {
		return app.StepResult{State: app.StepSkipped, Error: app.Errorf(app.CodeLockNone, "extend locks", "nothing is locked")}
	}
	if err := a.lock(ctx); err != nil {
		return failed(err)
	}
	err := a.extendLocks(ctx)
	a.unlock()
	if err != nil {
		return failed(err)
	}
	proof, err := a.ProveLock(ctx)
	if err != nil {
		return failed(err)
	}
	f := app.Fact{Code: "lock_" + string(proof.State)}
	switch proof.State {
	case app.LockOpen:
		return failed(app.Errorf(app.CodeLockOpen, "try lock", "deleted"), f)
	case app.LockLifted:
		return failed(app.Errorf(app.CodeLockLifted, "try lock", "the key may lift it"), f)
	}
	return done(f)
}

func (a *Agent) extendLocks(ctx context.Context) error {
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	if q, ok := v.(app.QuietMaintainer); ok {
		return q.MaintainWithin(ctx, everything(), true)
	}
	return v.Maintain(ctx, everything())
}

// askStorefront asks the shop whether it answers. What is asked may hang: then
// it is not known.
func (a *Agent) askStorefront(ctx context.Context) app.StepResult {
	if a.Storefront == nil {
		return unknown(app.Fact{Code: "no_storefront"})
	}
	type answer struct {
		known bool
		err   error
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	got := make(chan answer, 1)
	a.jobs.wg.Add(1)
	go func() {
		defer a.jobs.wg.Done()
		known, err := a.Storefront.Ask(ctx)
		got <- answer{known, err}
	}()
	select {
	case r := <-got:
		switch {
		case !r.known:
			return unknown(app.Fact{Code: "no_storefront"})
		case r.err != nil:
			return failed(r.err)
		}
		return done(app.Fact{Code: "storefront"})
	case <-ctx.Done():
		return unknown(app.Fact{Code: "no_storefront"})
	}
}

// reach looks whether what was chosen can be read.
func (a *Agent) reach(ctx context.Context, i app.Incident) app.StepResult {
	var facts []app.Fact
	for _, name := range chosenNames(i, a.Store.Document()) {
		if _, err := a.CheckSource(ctx, name); err != nil {
			return failed(fmt.Errorf("reach %s: %w", name, err), facts...)
		}
		facts = append(facts, app.Fact{Code: "reached", Source: name})
	}
	return done(facts...)
}

// chosenNames are the sources an incident is about.
func chosenNames(i app.Incident, d Document) (names []string) {
	for _, s := range d.Sources {
		if p, ok := i.Points[s.ID]; ok {
			names = append(names, p.Source)
		}
	}
	if len(names) > 0 {
		return names
	}
	if len(i.Choice.Sources) > 0 {
		return i.Choice.Sources
	}
	for _, s := range d.Sources {
		names = append(names, s.Name)
	}
	return names
}
