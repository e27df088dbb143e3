package recovery

import (
	"context"
	"strings"
	"time"

	"kvart/app"
)

// probeLimit bounds a probe: the owner is waiting for it.
const probeLimit = 30 * time.Second

// Tick records what became of a step.
func (e *Engine) Tick(ctx context.Context, r app.TickRequest) (app.Incident, error) {
	if r.Reason = strings.TrimSpace(r.Reason); r.Tick == "" {
		r.Tick = app.TickDone
	}
	if r.Choice != nil {
		if err := checkChoice(*r.Choice); err != nil {
			return app.Incident{}, err
		}
	}
	probed, err := e.ask(ctx, r)
	if err != nil {
		return app.Incident{}, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	i, err := e.openLocked(ctx)
	if err != nil {
		return i, err
	}
	e.passLocked(&i)
	refresh(&i)
	if err := e.tickLocked(&i, r, probed); err != nil {
		return i, err
	}
	if err := e.putLocked(ctx, &i); err != nil {
		return i, err
	}
	e.hurryLocked(&i)
	return i, nil
}

// hurryLocked stops what is being done for nothing: a step that was opened again
// meanwhile, or one that nothing waits for while the owner waits for another.
func (e *Engine) hurryLocked(i *app.Incident) {
	s := i.Step(e.running)
	if s == nil || e.stop == nil {
		return
	}
	if n := next(i); s.State != app.StepRunning || n != nil && n.Blocking && !s.Blocking {
		e.stop()
	}
}

// ask asks the probe of a step that the owner says is done, if it has one. It
// is asked outside the lock, since it may take its time.
func (e *Engine) ask(ctx context.Context, r app.TickRequest) (app.StepResult, error) {
	i, err := e.Current(ctx)
	if err != nil {
		return app.StepResult{}, err
	}
	refresh(&i)
	s := i.Step(r.Step)
	// an owner who gives a reason knows better
	if s == nil || s.Probe == "" || !s.Ready || r.Tick != app.TickDone || r.Reason != "" {
		return app.StepResult{}, nil
	}
	limited, cancel := context.WithTimeout(ctx, e.limit)
	defer cancel()
	res := e.host.Probe(limited, i, s.Probe)
	if err := ctx.Err(); err != nil { // whoever asked is gone: that says nothing of the shop
		return app.StepResult{}, app.Errorf(app.CodeCanceled, "probe", "%w", err)
	}
	if res.State == app.StepFailed && limited.Err() != nil {
		res.Error = unanswered(s.Probe, res.Error, e.limit)
	}
	return res, nil
}

// unanswered says what it means that a probe was cut off: somebody took the
// question and never answered.
func unanswered(p app.Probe, err *app.Error, limit time.Duration) *app.Error {
	if code := app.CodeOf(err); err == nil || code != app.CodeInternal && code != app.CodeCanceled {
		return err // it says itself what was wrong
	}
	code := app.CodeSourceOffline
	if p == app.ProbeVault {
		code = app.CodeStorageOffline
	}
	return app.Errorf(code, "probe", "no answer within %s: %w", limit, err)
}

func (e *Engine) tickLocked(i *app.Incident, r app.TickRequest, probed app.StepResult) error {
	s := i.Step(r.Step)
	if s == nil {
		return wrongStep(*i, r.Step)
	}
	if r.Choice != nil {
		if e.running != "" && touches(i.Step(e.running).Action) {
			return underWay(e.running)
		}
		choose(i, *r.Choice)
	}
	if r.EvenInfected && len(i.Infected) > 0 {
		i.Infected = nil
		note(i, app.LogLine{Event: app.LogInfected, Step: s.Code, Actor: app.ActorOwner})
	}
	switch {
	case s.State == app.StepRunning && r.Tick == app.TickDone:
		return nil // it is at it
	case s.State == app.StepRunning:
		return underWay(s.Code)
	case r.Tick == app.TickSkip && r.Reason == "":
		return app.Errorf(app.CodeUsage, "tick step", "a skip needs a reason").With("field", "skip")
	case r.Tick == app.TickSkip:
		settle(i, s, app.StepSkipped, app.LogLine{Event: app.LogSkipped, Actor: app.ActorOwner, Text: r.Reason})
		return nil
	case r.Tick == app.TickUndo:
		return untick(i, s)
	case r.Tick != app.TickDone && r.Tick != app.TickFailed:
		return app.Errorf(app.CodeUsage, "tick step", "no tick %q", r.Tick).With("field", "tick").With("choices", "done, failed, skip, undo")
	}
	return tickReady(i, s, r, probed)
}

func underWay(code app.StepCode) error {
	return app.Errorf(app.CodeBusy, "tick step", "%s is under way", code).With("step", string(code))
}

// tickReady ticks a step unless what comes before it is not settled.
func tickReady(i *app.Incident, s *app.IncidentStep, r app.TickRequest, probed app.StepResult) error {
	if missing := needs(i, *s); len(missing) > 0 {
		if r.Choice != nil {
			return nil // what was chosen is looked at first
		}
		return app.Errorf(app.CodeStepBlocked, "tick step", "%s waits for %v", s.Code, missing).
			With("step", string(s.Code)).With("needs", strings.Join(missing, ", "))
	}
	if s.Actor == app.ActorKvart && !s.Look {
		return tryAgain(i, s, r.Tick)
	}
	if r.Tick == app.TickFailed || probed.State == app.StepFailed {
		if err := free(i, s.Code); err != nil {
			return err
		}
	}
	tickOwn(i, s, r, probed)
	return nil
}

// free refuses to take away what a step that changes the shop just now rests on.
func free(i *app.Incident, code app.StepCode) error {
	for _, c := range resting(i, code) {
		if d := i.Step(c); d.State == app.StepRunning && touches(d.Action) {
			return underWay(c)
		}
	}
	return nil
}

// tickOwn ticks a step that is the owner's to judge.
func tickOwn(i *app.Incident, s *app.IncidentStep, r app.TickRequest, probed app.StepResult) {
	l := app.LogLine{Actor: app.ActorOwner, Text: r.Reason, Facts: probed.Facts}
	switch {
	case r.Tick == app.TickFailed:
		l.Event = app.LogFailed
		settle(i, s, app.StepFailed, l)
	case probed.State == app.StepFailed:
		l.Event, l.Actor, l.Error = app.LogFailed, app.ActorKvart, probed.Error
		settle(i, s, app.StepFailed, l)
	default:
		l.Event = app.LogDone
		settle(i, s, app.StepDone, l)
	}
	s.Facts = probed.Facts
	if s.State == app.StepFailed && s.Blocking {
		reopenAfter(i, s.Code) // a shop is not back on what has failed since
	}
}

// tryAgain has Kvart do a step of its own once more.
func tryAgain(i *app.Incident, s *app.IncidentStep, t app.Tick) error {
	if t == app.TickFailed {
		return app.Errorf(app.CodeUsage, "tick step", "%s is for Kvart to judge", s.Code).With("field", "step")
	}
	if s.State == app.StepFailed || s.State == app.StepSkipped {
		settle(i, s, app.StepOpen, app.LogLine{Event: app.LogUndone, Actor: app.ActorOwner})
	}
	return nil
}

// untick makes a step open again, and all that rests on it. One of Kvart's that
// touches the shop waits for a new yes then.
func untick(i *app.Incident, s *app.IncidentStep) error {
	if err := free(i, s.Code); err != nil {
		return err
	}
	reopen(i, s.Code)
	open(i, s.Consent)
	return nil
}

// choose changes what is to be brought back: what rested on the old choice is
// to be done again.
func choose(i *app.Incident, c app.Choice) {
	i.Choice, i.Points = c, nil
	note(i, app.LogLine{Event: app.LogChosen, Actor: app.ActorOwner, Text: strings.Join(append(append([]string{}, c.Sources...), c.Paths...), ", ")})
	for _, s := range i.Steps {
		if s.Action == app.ActionPoint {
			reopen(i, s.Code)
		}
	}
	refresh(i)
}

func wrongStep(i app.Incident, code app.StepCode) error {
	var choices []string
	for _, s := range i.Steps {
		choices = append(choices, string(s.Code))
	}
	all := strings.Join(choices, ", ")
	return app.Errorf(app.CodeUsage, "tick step", "no step %q; there are: %s", code, all).With("field", "step").With("choices", all)
}
