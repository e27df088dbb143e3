package home

import (
	"context"
	"time"

	"kvart/app"
)

// readyFor is how long what is known of the readiness is shown before it is
// asked for again: asking looks at the shop's page.
const readyFor = 15 * time.Minute

// learn asks for what no status says: whether a setup was left, and how ready
// the shop is for its next peak day. An answer that does not come is no trouble
// of the owner's.
func (s *Screen) learn() {
	now := s.env.Now()
	ready := s.status.Watch.Peak != nil && (s.looked.IsZero() || now.Sub(s.looked).Abs() > readyFor)
	if ready {
		s.looked = now
	}
	s.env.Go(func(ctx context.Context) func() {
		d, err := s.env.Service.SetupDraft(ctx)
		return func() { s.know(func(f *facts) { f.Draft = err == nil && !d.Empty() }) }
	})
	if !ready {
		return
	}
	s.env.Go(func(ctx context.Context) func() {
		r, err := s.env.Service.Readiness(ctx)
		return func() {
			if err != nil {
				s.looked = now.Add(-readyFor - time.Second) // asked again when the screen is opened
				s.know(func(f *facts) { f.Ready = nil })
				return
			}
			s.know(func(f *facts) { f.Ready = &r })
		}
	})
}

func (s *Screen) know(change func(*facts)) {
	change(&s.more)
	if s.drawn {
		s.set(model(s.env.Words, s.status, s.more, s.env.Now()))
	}
}

// takeUp ends the pauses of sources.
func (s *Screen) takeUp() {
	s.trouble.Show(nil, nil)
	paused := pausedSources(s.status)
	s.run(func(ctx context.Context) error {
		for _, src := range paused {
			next := src.Schedule
			next.Paused, next.PausedUntil = false, time.Time{}
			if _, err := s.env.Service.ArrangeSource(ctx, app.ArrangeRequest{Source: string(src.ID), Schedule: &next}); err != nil {
				return err
			}
		}
		return nil
	}, s.takeUp)
}
