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
	text := "recover.infected.text"
	if p.facts.Status.Locked() {
		text = "recover.infected.text.locked"
	}
	p.f.Confirm.Ask(t("recover.infected.ask"), t(text), t("recover.infected.yes"), func() {
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

// undo starts it, and waits for its end: the guard then opens again what rests on
// the restore.
func (p *Page) undo(id app.RestoreID) {
	var job app.JobID
	p.f.Worker.Ask(func(ctx context.Context) (err error) {
		job, err = p.f.Service.StartUndo(ctx, id)
		return err
	}, func() {
		p.undoing = "" // what was told of its end so far is off the page
		p.awaitUndo(job, id)
	}, func() { p.undo(id) })
}

// awaitUndo waits for the end of an undo, and tells when it failed: then what is
// there is neither what was nor what was restored.
func (p *Page) awaitUndo(job app.JobID, id app.RestoreID) {
	if p.undoing == job {
		return
	}
	p.cut = cutUndo{}
	p.undoing = job
	p.f.Go(func(ctx context.Context) func() {
		err := p.undone(ctx, job, id)
		return func() {
			if p.undoing != job {
				return
			}
			if app.CodeOf(err) == app.CodeGuardOffline {
				p.undoing, p.cut = "", cutUndo{job, id} // asked again with the next status
				return
			}
			if err != nil {
				p.f.Trouble.Show(err, func() { p.undo(id) })
			}
			p.fetch()
		}
	})
}

// undone waits for an undo and returns why it failed. A guard that was restarted
// meanwhile knows the job no more: then its list of restores tells.
func (p *Page) undone(ctx context.Context, job app.JobID, id app.RestoreID) error {
	j, err := p.f.Service.Wait(ctx, job)
	if err == nil {
		return failure(j)
	}
	if app.CodeOf(err) == app.CodeGuardOffline {
		return err
	}
	records, err := p.f.Service.Restores(ctx)
	if err != nil {
		return err
	}
	n := slices.IndexFunc(records, func(r app.RestoreRecord) bool { return r.Undoes == id })
	switch {
	case n < 0:
		return app.Errorf(app.CodeInterrupted, "undo", "restore %s: its undo is not remembered", id)
	case records[n].State == app.RestoreSaving || records[n].State == app.RestoreApplying:
		return app.Errorf(app.CodeInterrupted, "undo", "undo %s did not end", records[n].ID)
	}
	return failure(app.Job{ID: job, State: app.JobDone, Restore: &records[n]})
}

// failure returns why an undo did not succeed, nil where it did. One that was
// stopped is no success: what is there is half of each.
func failure(j app.Job) error {
	switch r := j.Restore; {
	case j.State == app.JobCanceled, j.Error != nil && j.Error.Code == app.CodeCanceled:
		return app.Errorf(app.CodeInterrupted, "undo", "job %s was stopped", j.ID)
	case j.Error != nil:
		return j.Error
	case r != nil && r.Error != nil:
		return r.Error
	case r != nil && slices.ContainsFunc(r.Checks, func(c app.Check) bool { return !c.OK }):
		return app.Errorf(app.CodeCheckFailed, "undo", "a check failed")
	case j.State == app.JobFailed:
		return app.Errorf(app.CodeInternal, "undo", "job %s failed", j.ID)
	}
	return nil
}

// closing is the key of what is said of closing the incident.
func (p *Page) closing(what string) string {
	if p.facts.Incident.Rehearsal() {
		return "recover.rehearsal.close" + what
	}
	return "recover.close" + what
}

// close closes the incident, after a question where something is left.
func (p *Page) close() {
	if p.shown.Left == 0 {
		p.closeNow()
		return
	}
	w := p.f.Words
	p.f.Confirm.Ask(w.T(p.closing(".ask")), w.N(p.closing(".text"), int64(p.shown.Left)), w.T(p.closing(".yes")), p.closeNow)
}

func (p *Page) closeNow() {
	var i app.Incident
	p.f.Worker.Ask(func(ctx context.Context) (err error) {
		i, err = p.f.Service.CloseIncident(ctx)
		return err
	}, func() {
		p.facts.Incident, p.known = i, true
		p.version++
		p.f.Page.ScrollToTop()
		p.drawClosed()
	}, p.closeNow)
}
