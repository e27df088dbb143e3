package agent

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"kvart/app"
)

// Guide follows incidents.
type Guide interface {
	Open(ctx context.Context, r app.IncidentRequest) (app.Incident, error)
	Current(ctx context.Context) (app.Incident, error)
	Brief(i app.Incident) app.IncidentBrief
	Tick(ctx context.Context, r app.TickRequest) (app.Incident, error)
	Advance(ctx context.Context) error
	Beat(ctx context.Context) error
	Close(ctx context.Context) (app.Incident, error)
	// Undone takes the open incident along when a restore of its was taken back,
	// or with err was not; touched reports that the shop was changed all the same.
	Undone(ctx context.Context, id app.RestoreID, touched bool, err error) error
}

// Scribe writes what goes with incidents.
type Scribe interface {
	Playbooks() []app.Playbook
	Messages(ctx context.Context, language string) ([]app.Message, error)
	Page(f app.ShopFacts) ([]byte, error)
	Report(ctx context.Context, id app.IncidentID, language string) (app.Paper, error)
	Sheet(ctx context.Context, code app.PlaybookCode, language string) (app.Paper, error)
	Markdown(p app.Paper) []byte
	// Capacity returns the report of a capacity rehearsal whose visitors called
	// themselves agent.
	Capacity(ctx context.Context, r app.CapacityResult, agent, language string) (app.Paper, error)
}

// Recovery is the engine that leads through bad days.
type Recovery interface {
	Guide
	Scribe
}

var _ app.RecoveryHost = (*recoveryHost)(nil)

// recoveryHost is the agent as the engine sees it.
type recoveryHost struct{ *Agent }

// incidents is the one goroutine that does Kvart's steps.
type incidents struct {
	mu   sync.Mutex
	busy bool
	// again is set when there may be more to do once it is done.
	again bool
	done  chan struct{} // closed when it is
	err   error         // of the last one
}

// advance has Kvart's steps done in the background. It returns when they are,
// or may be told so by the channel.
func (a *Agent) advance() <-chan struct{} {
	js, in := &a.jobs, &a.incidents
	js.mu.Lock()
	defer js.mu.Unlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.busy {
		in.again = true
		return in.done
	}
	in.done = make(chan struct{})
	if js.closed {
		close(in.done)
		return in.done
	}
	in.busy, in.again = true, false
	js.wg.Add(1)
	go func() {
		defer js.wg.Done()
		a.goThrough(js.ctx)
	}()
	return in.done
}

func (a *Agent) goThrough(ctx context.Context) {
	in := &a.incidents
	for {
		err := a.recovery.Advance(ctx)
		if err != nil {
			a.Log.ErrorContext(ctx, "Incident stands still", "error", err)
		}
		in.mu.Lock()
		if !in.again || err != nil || ctx.Err() != nil {
			in.busy, in.err = false, err
			close(in.done)
			in.mu.Unlock()
			break
		}
		in.again = false
		in.mu.Unlock()
	}
	a.bus.poke()
}

// StartIncident implements [app.IncidentService].
func (a *Agent) StartIncident(ctx context.Context, r app.IncidentRequest) (app.Incident, error) {
	if err := a.checkChoice(ctx, r.Choice); err != nil {
		return app.Incident{}, err
	}
	i, err := a.recovery.Open(ctx, r)
	if err != nil {
		return i, err
	}
	a.advance()
	a.bus.poke()
	return i, nil
}

// checkChoice refuses sources nobody knows.
func (a *Agent) checkChoice(ctx context.Context, c app.Choice) error {
	for _, name := range c.Sources {
		if _, _, err := a.anySource(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Incident implements [app.IncidentService].
func (a *Agent) Incident(ctx context.Context) (app.Incident, error) { return a.recovery.Current(ctx) }

// WaitIncident implements [app.IncidentService].
func (a *Agent) WaitIncident(ctx context.Context) (app.Incident, error) {
	for {
		select {
		case <-a.advance():
		case <-ctx.Done():
			i, err := a.recovery.Current(context.WithoutCancel(ctx))
			return i, errors.Join(err, app.Errorf(app.CodeCanceled, "wait for incident", "%w", ctx.Err()))
		}
		i, err := a.recovery.Current(ctx)
		if err != nil || i.Waiting() {
			return i, err
		}
		a.incidents.mu.Lock()
		err = a.incidents.err
		a.incidents.mu.Unlock()
		if err == nil {
			err = a.jobs.ctx.Err()
		}
		if err != nil {
			return i, err
		}
	}
}

// TickStep implements [app.IncidentService].
func (a *Agent) TickStep(ctx context.Context, r app.TickRequest) (app.Incident, error) {
	if r.Choice != nil {
		if err := a.checkChoice(ctx, *r.Choice); err != nil {
			return app.Incident{}, err
		}
	}
	i, err := a.recovery.Tick(ctx, r)
	if err != nil {
		return i, err
	}
	a.advance()
	a.bus.poke()
	return i, nil
}

// CloseIncident implements [app.IncidentService].
func (a *Agent) CloseIncident(ctx context.Context) (app.Incident, error) {
	i, err := a.recovery.Close(ctx)
	if err == nil {
		a.letStandInGo(ctx)
	}
	a.bus.poke()
	return i, err
}

// Incidents implements [app.IncidentService].
func (a *Agent) Incidents(ctx context.Context) ([]app.Incident, error) {
	return a.Journal.Incidents(ctx)
}

// IncidentReport implements [app.IncidentService].
func (a *Agent) IncidentReport(ctx context.Context, r app.ReportRequest) ([]byte, error) {
	p, err := a.recovery.Report(ctx, r.Incident, r.Language)
	if err != nil {
		return nil, err
	}
	return a.printPaper(p, r.Format)
}

// printPaper lays a paper out in a format.
func (a *Agent) printPaper(p app.Paper, format app.ReportFormat) ([]byte, error) {
	switch format {
	case app.ReportMarkdown:
		return a.recovery.Markdown(p), nil
	case app.ReportPDF:
		t, ok := a.Press.(app.Typesetter)
		if !ok {
			return nil, app.Errorf(app.CodeInternal, "write report", "%T prints no papers", a.Press)
		}
		return t.Print(p)
	}
	return nil, app.Errorf(app.CodeUsage, "write report", "no format %q", format).With("field", "format").With("choices", "pdf, md")
}

// brief fills in the open incident for the status.
func (a *Agent) brief(ctx context.Context) (*app.IncidentBrief, error) {
	i, err := a.recovery.Current(ctx)
	if app.CodeOf(err) == app.CodeIncidentNone {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := a.recovery.Brief(i)
	return &b, nil
}

// frozen reports whether an open incident lets no backup expire.
func (a *Agent) frozen(ctx context.Context) (bool, error) {
	i, err := a.Journal.OpenIncident(ctx)
	if err != nil || i == nil {
		return false, err
	}
	return slices.ContainsFunc(i.Steps, func(s app.IncidentStep) bool {
		// from the moment on that it is under way: better too early
		return s.Action == app.ActionFreeze && (s.State == app.StepDone || s.State == app.StepRunning)
	}), nil
}

// everything is a retention under which nothing expires.
func everything() app.Retention {
	const all = 1 << 30
	return app.Retention{Latest: all, Hourly: all, Daily: all, Weekly: all, Monthly: all}
}

// infected refuses a restore onto this computer while an open incident says
// that it is infected, unless the owner said yes a second time.
func (a *Agent) infected(ctx context.Context, r app.RestoreRequest) error {
	if r.EvenInfected {
		return nil
	}
	i, err := a.Journal.OpenIncident(ctx)
	if err != nil || i == nil || !slices.Contains(i.Infected, a.self()) {
		return err
	}
	return app.Errorf(app.CodeInfected, "restore", "incident %s says that this computer is infected", i.ID)
}

// Now implements [app.RecoveryHost].
func (h *recoveryHost) Now() time.Time { return h.Agent.Now() }

// OpenIncident implements [app.RecoveryHost].
func (h *recoveryHost) OpenIncident(ctx context.Context) (*app.Incident, error) {
	return h.Journal.OpenIncident(ctx)
}

// PutIncident implements [app.RecoveryHost].
func (h *recoveryHost) PutIncident(ctx context.Context, i app.Incident) error {
	defer h.bus.poke()
	return h.Journal.PutIncident(ctx, i)
}

// ShopFacts implements [app.RecoveryHost].
func (h *recoveryHost) ShopFacts(ctx context.Context) (app.ShopFacts, error) {
	d := h.Store.Document()
	f := app.ShopFacts{
		Computer: h.self(), Language: d.Settings.Language, Contacts: d.Ready.Contacts, Page: d.Ready.Page, Sources: d.Sources,
	}
	if d.Vault != nil {
		f.Shop = d.Vault.Shop
	}
	var err error
	f.Restores, err = h.Journal.Restores(ctx)
	return f, err
}
