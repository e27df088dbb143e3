package setup

import (
	"context"

	"kvart/app"
)

// discover asks for the kinds there are and what was entered before the window
// was closed, and then for what is on this computer.
func (s *Screen) discover() {
	if s.looking {
		return
	}
	s.looking = true
	s.show()
	s.env.Go(func(ctx context.Context) func() {
		forms, err := s.env.Service.Forms(ctx)
		var draft app.SetupDraft
		if err == nil && !s.flow.recalled {
			draft, err = s.env.Service.SetupDraft(ctx)
		}
		return func() {
			if len(forms.Storages) > 0 {
				s.flow.know(forms)
			}
			if err != nil {
				s.looking = false
				s.trouble.Show(err, s.discover)
				s.show()
				return
			}
			if !s.flow.recalled {
				s.flow.recall(draft, s.status.Sources)
				s.flow.resume(s.status, s.flow.reconnect)
			}
			s.show()
			s.look()
		}
	})
}

// look looks for what is on this computer. It takes a while, in which the owner
// may have gone on.
func (s *Screen) look() {
	s.env.Go(func(ctx context.Context) func() {
		found, err := s.env.Service.Discover(ctx)
		return func() {
			s.looking = false
			s.trouble.Show(err, s.discover)
			if err == nil {
				s.flow.discovered(found)
			}
			if s.flow.page == pageWhat {
				s.redraw()
			} else {
				s.drawSteps()
				s.check()
			}
		}
	})
}
