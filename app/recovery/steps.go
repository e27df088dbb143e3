package recovery

import (
	"slices"
	"time"

	"kvart/app"
)

// refresh works out which steps could be done now. A step whose consent was
// refused is skipped with it.
func refresh(i *app.Incident) {
	for again := true; again; {
		again = false
		for n := range i.Steps {
			s := &i.Steps[n]
			s.Ready = len(needs(i, *s)) == 0
			if s.State != app.StepOpen || !s.Ready || s.Consent == "" {
				continue
			}
			if c := i.Step(s.Consent); c != nil && c.State == app.StepSkipped {
				settle(i, s, app.StepSkipped, app.LogLine{Event: app.LogSkipped, Actor: app.ActorKvart, Text: c.Reason})
				again = true
			}
		}
	}
}

// needs returns the steps that have to be settled before this one.
func needs(i *app.Incident, s app.IncidentStep) (codes []string) {
	for _, code := range s.After {
		if d := i.Step(code); d != nil && !d.Settled() {
			codes = append(codes, string(code))
		}
	}
	return codes
}

// settle brings a step to a state and logs it.
func settle(i *app.Incident, s *app.IncidentStep, state app.StepState, l app.LogLine) {
	s.State, s.At, s.Look = state, i.Wall, false
	s.Error, s.Reason = l.Error, l.Text
	l.Step = s.Code
	note(i, l)
	if d := i.Deadline; d != nil && d.Step == s.Code {
		d.Met = time.Time{}
		if state == app.StepDone || state == app.StepSkipped {
			d.Met = i.Wall
		}
	}
	if s.Clears && state == app.StepDone {
		i.Infected = nil
	}
	switch {
	case !s.Stops:
	case state == app.StepDone:
		i.Back = i.Wall
		note(i, app.LogLine{Event: app.LogBack})
	case !i.Back.IsZero():
		i.Back, i.Seconds = time.Time{}, i.Lasted
	}
}

// resting returns the steps that rest on one, and on those.
func resting(i *app.Incident, code app.StepCode) (codes []app.StepCode) {
	stale := []app.StepCode{code}
	for _, s := range i.Steps { // what comes before stands before
		if slices.ContainsFunc(s.After, func(d app.StepCode) bool { return slices.Contains(stale, d) }) {
			stale = append(stale, s.Code)
		}
	}
	return stale[1:]
}

// reopen makes a step, and all that rests on it, open again.
func reopen(i *app.Incident, code app.StepCode) {
	open(i, code)
	reopenAfter(i, code)
}

// reopenAfter makes all that rests on a step open again. What Kvart did to the
// shop waits for a new yes then, and a page that had been taken down can be put
// up again: whether the shop can be shown is an open question.
func reopenAfter(i *app.Incident, code app.StepCode) {
	for _, c := range resting(i, code) {
		s := i.Step(c)
		down := s.Action == app.ActionWithdraw && s.State == app.StepDone
		if open(i, c) && touches(s.Action) {
			open(i, s.Consent)
		}
		for _, p := range i.Steps {
			if down && p.Action == app.ActionPublish {
				open(i, p.Consent)
				open(i, p.Code)
			}
		}
	}
}

// open makes one step open again, and reports whether it was not. What is being
// done for it is done anew.
func open(i *app.Incident, code app.StepCode) bool {
	s := i.Step(code)
	if s == nil || s.State == app.StepOpen && !s.Look {
		return false
	}
	settle(i, s, app.StepOpen, app.LogLine{Event: app.LogUndone, Actor: app.ActorOwner})
	s.Facts = nil
	return true
}

// next returns Kvart's next step: what others wait for before what they don't.
func next(i *app.Incident) *app.IncidentStep {
	var best *app.IncidentStep
	for n := range i.Steps {
		s := &i.Steps[n]
		if s.Actor != app.ActorKvart || s.State != app.StepOpen || !s.Ready || s.Look {
			continue
		}
		if best == nil || s.Blocking && !best.Blocking {
			best = s
		}
	}
	return best
}

// Brief returns an incident in short.
func (*Engine) Brief(i app.Incident) app.IncidentBrief {
	b := app.IncidentBrief{ID: i.ID, Playbook: i.Playbook, Started: i.Started, Seconds: i.Seconds, Back: i.Back, Steps: len(i.Steps), Deadline: i.Deadline}
	for _, s := range i.Steps {
		if s.Settled() {
			b.Settled++
		}
		switch {
		case s.State == app.StepRunning:
			b.Running = s.Code
		case s.State == app.StepFailed && s.Blocking && b.Failed == "":
			b.Failed = s.Code
		case s.State == app.StepOpen && s.Ready && (s.Actor == app.ActorOwner || s.Look) && b.Next == "":
			b.Next = s.Code
		}
	}
	return b
}
