package recovery

import (
	"context"
	"errors"
	"time"

	"kvart/app"
)

// Advance does Kvart's steps, one after the other, until it is the owner's
// turn. One that was cut off is done again. It is called by one goroutine at a
// time, and returns early only when ctx ends: what was begun then goes on with
// the next call, of this guard or of one started later.
func (e *Engine) Advance(ctx context.Context) error {
	for ctx.Err() == nil {
		i, s, stepCtx, err := e.begin(ctx)
		if err != nil || s == nil {
			return err
		}
		res := e.host.Act(stepCtx, i, s.Action)
		late := errors.Is(stepCtx.Err(), context.DeadlineExceeded)
		preempted := stepCtx.Err() != nil && !late
		if err := e.finish(ctx, s.Code, res, late, preempted); err != nil {
			return err
		}
	}
	return nil
}

// limit bounds an action whose end nobody may have to wait for; 0 is none.
func limit(a app.Action) time.Duration {
	switch a {
	case app.ActionRestore, app.ActionRehearse:
		return 0 // their jobs can be canceled
	case app.ActionPoint, app.ActionPin:
		return 10 * time.Minute
	case app.ActionCompare, app.ActionLock:
		return 3 * time.Minute
	}
	return time.Minute
}

// begin marks Kvart's next step as running; nil when there is none.
func (e *Engine) begin(ctx context.Context) (app.Incident, *app.IncidentStep, context.Context, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i, err := e.openLocked(ctx)
	if app.CodeOf(err) == app.CodeIncidentNone {
		return i, nil, nil, nil
	}
	if err != nil {
		return i, nil, nil, err
	}
	e.passLocked(&i)
	refresh(&i)
	s := cutOff(&i)
	if s != nil {
		note(&i, app.LogLine{Event: app.LogResumed, Step: s.Code, Actor: app.ActorKvart})
	} else if s = next(&i); s != nil {
		s.Tries++
		settle(&i, s, app.StepRunning, app.LogLine{Event: app.LogStarted, Actor: app.ActorKvart})
		s.Facts = nil
	}
	if err := e.storeLocked(ctx, i); err != nil || s == nil {
		return i, nil, nil, err
	}
	stepCtx, cancel := context.WithCancel(ctx)
	if d := limit(s.Action); d > 0 {
		stepCtx, cancel = context.WithTimeout(ctx, d)
	}
	e.running, e.stop = s.Code, cancel
	return i, s, stepCtx, nil
}

// cutOff returns the step that was running when the guard ended.
func cutOff(i *app.Incident) *app.IncidentStep {
	for n := range i.Steps {
		if i.Steps[n].State == app.StepRunning {
			return &i.Steps[n]
		}
	}
	return nil
}

// finish records what came of a step.
func (e *Engine) finish(ctx context.Context, code app.StepCode, res app.StepResult, late, preempted bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stop()
	e.running, e.stop = "", nil
	if ctx.Err() != nil {
		return nil // the guard ends: the step stays running and is done again
	}
	i, err := e.openLocked(ctx)
	if err != nil {
		return err
	}
	s := i.Step(code)
	if s == nil || s.State != app.StepRunning {
		return nil // it was opened again meanwhile: what came of it counts no more
	}
	e.passLocked(&i)
	if res.Change != nil {
		res.Change(&i)
	}
	l := app.LogLine{Actor: app.ActorKvart, Facts: res.Facts, Error: res.Error}
	switch {
	case res.State == app.StepDone:
		l.Event = app.LogDone
		settle(&i, s, app.StepDone, l)
	case res.State == app.StepSkipped:
		l.Event = app.LogSkipped
		settle(&i, s, app.StepSkipped, l)
	case preempted: // something more urgent came up
		l.Event, l.Error, l.Facts = app.LogUndone, nil, nil
		settle(&i, s, app.StepOpen, l)
	case res.State == app.StepOpen:
		l.Event = app.LogLook
		settle(&i, s, app.StepOpen, l)
		s.Look = true
	default:
		l.Event = app.LogFailed
		if l.Error == nil || late {
			l.Error = app.Errorf(app.CodeCanceled, string(code), "not done in time: %v", l.Error)
		}
		settle(&i, s, app.StepFailed, l)
	}
	s.Facts = res.Facts
	return e.putLocked(ctx, &i)
}
