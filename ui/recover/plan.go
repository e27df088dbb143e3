package recover

import (
	"context"

	"kvart/app"
)

// ask asks the guard what a restore would do.
func (s *Screen) ask(r app.RestoreRequest) {
	s.request, s.plan, s.planErr, s.grant = r, nil, nil, nil
	s.asked++
	mine, kinds := s.asked, s.kinds
	s.redraw()
	s.env.Go(func(ctx context.Context) func() {
		kinds, err := s.learn(ctx, kinds)
		var p app.RestorePlan
		if err == nil {
			p, err = s.env.Service.PlanRestore(ctx, r)
		}
		return func() {
			if s.kinds = kinds; mine != s.asked {
				return
			}
			if err != nil {
				s.planErr = err
			} else {
				s.plan = &p
			}
			s.hand.Appeared()
			s.redraw()
		}
	})
}

func (s *Screen) redraw() {
	switch s.page {
	case pageStart:
		s.drawStart()
	case pagePlan:
		s.drawPlan()
	}
}

// ready reports whether the restore that stands on the page can be started.
func (s *Screen) ready() bool { return s.plan != nil && s.plan.Blocked() == nil && !s.renamed() }

// checkClick brings the button that starts it up to date.
func (s *Screen) checkClick() {
	if s.click != nil {
		s.click.SetEnabled(s.ready())
	}
}

// enter returns what the Enter key does about a plan: it starts the restore,
// but not past a warning, which has to be read, and not while the key is held
// down or before the plan could be seen.
func (s *Screen) enter() func() {
	if s.grant != nil {
		return s.grant.Submit
	}
	if s.plan != nil && warned(*s.plan) {
		return nil
	}
	return func() { s.hand.Fire(s.startRestore) }
}

// startRestore is the click.
func (s *Screen) startRestore() {
	if !s.ready() || s.starting {
		return
	}
	r := s.request
	s.launch(app.JobRestore, func(ctx context.Context) (app.JobID, error) { return s.env.Service.StartRestore(ctx, r) }, s.startRestore)
}
