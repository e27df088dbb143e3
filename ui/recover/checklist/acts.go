package checklist

import (
	"context"
	"slices"
	"strings"

	"kvart/app"
	"kvart/ui/widgets"
)

// askReason asks why a step is skipped, or why it did not work.
func (p *Page) askReason(step app.StepCode, tick app.Tick) {
	p.ask = asking{step: step, tick: tick, entry: widgets.NewEntry("", nil)}
	if slices.ContainsFunc(p.shown.Owner, func(r ownerRow) bool { return r.Code == step }) {
		p.open, p.kept = step, true
	}
	p.redraw()
	widgets.Focus(p.ask.entry)
}

func (p *Page) giveReason() {
	r := app.TickRequest{Step: p.ask.step, Tick: p.ask.tick, Reason: strings.TrimSpace(p.ask.entry.Text)}
	if r.Tick == app.TickSkip && r.Reason == "" {
		return // a skip needs one
	}
	p.tick(r)
}

// agree says yes to a restore; a second time where the computer may be infected.
func (p *Page) agree(step app.StepCode) {
	if !p.shown.Infected {
		p.tick(app.TickRequest{Step: step, Tick: app.TickDone})
		return
	}
	p.even(step)
}

// even asks for the second yes.
func (p *Page) even(step app.StepCode) {
	t := p.f.T
	p.f.Confirm.Ask(t("recover.infected.ask"), t("recover.infected.text"), t("recover.infected.yes"), func() {
		p.tick(app.TickRequest{Step: step, Tick: app.TickDone, EvenInfected: true})
	})
}

// pause stops the job that an incident waits for; what was done stays done.
func (p *Page) pause() {
	id := p.shown.Job
	stop := func() {
		p.f.Worker.Ask(func(ctx context.Context) error { return p.f.Service.Cancel(ctx, id) }, func() {}, p.pause)
	}
	if !p.shown.Begun {
		stop()
		return
	}
	t := p.f.T
	p.f.Confirm.Ask(t("recover.pause.ask"), t("recover.pause.text"), t("recover.pause.yes"), stop)
}

// undoAll takes the restore back, and the yes to it.
func (p *Page) undoAll() {
	t, id := p.f.T, p.shown.Undo
	p.f.Confirm.Ask(t("recover.undo.ask"), t("recover.undo.ask.text"), t("recover.undo.yes"), func() { p.undo(id) })
}

func (p *Page) undo(id app.RestoreID) {
	p.f.Worker.Ask(func(ctx context.Context) error {
		_, err := p.f.Service.StartUndo(ctx, id)
		return err
	}, func() {
		for _, s := range p.facts.Incident.Steps {
			if s.Action == app.ActionRestore {
				p.tick(app.TickRequest{Step: s.Code, Tick: app.TickUndo}) // so that it waits for a new yes
			}
		}
	}, func() { p.undo(id) })
}

// close closes the incident, after a question where something is left.
func (p *Page) close() {
	if p.shown.Left == 0 {
		p.closeNow()
		return
	}
	w := p.f.Words
	p.f.Confirm.Ask(w.T("recover.close.ask"), w.N("recover.close.text", int64(p.shown.Left)), w.T("recover.close.yes"), p.closeNow)
}

func (p *Page) closeNow() {
	var i app.Incident
	p.f.Worker.Ask(func(ctx context.Context) (err error) {
		i, err = p.f.Service.CloseIncident(ctx)
		return err
	}, func() {
		p.facts.Incident, p.known = i, true
		p.f.Page.ScrollToTop()
		p.drawClosed()
	}, p.closeNow)
}
