package setup

import (
	"context"
	"slices"

	"kvart/app"
	"kvart/ui/screen"
)

// addSources adds what was ticked. One that is refused does not stop the
// others; it is shown beside the first backup. A server that is met for the
// first time is asked about, and then it goes on.
func (s *Screen) addSources() {
	picks := slices.Clone(s.flow.picks)
	failed := map[string]error{}
	var added []int // ids
	var lost error
	stranger := struct {
		pick int
		err  error
	}{}
	s.ask(func(ctx context.Context) error {
		var taken []string
		for _, p := range picks {
			if !p.On {
				continue
			}
			name := screen.UniqueName(s.env.Words, p.Name, taken)
			taken = append(taken, name)
			if p.Added {
				added = append(added, p.id)
				continue
			}
			_, err := s.env.Service.AddSource(ctx, p.request(name))
			switch code := app.CodeOf(err); {
			case code == app.CodeGuardOffline:
				lost = err // it says nothing of the source
				return nil
			case err == nil, code == app.CodeSourceExists: // an opened vault may have brought it already
				added = append(added, p.id)
			default:
				failed[name] = err
				if (code == app.CodeHostKeyUnknown || code == app.CodeCertificate) && p.Asks {
					stranger.pick, stranger.err = p.id, err
				}
			}
		}
		return ctx.Err()
	}, func() {
		s.flow.tried(picks, added)
		if lost != nil {
			s.trouble.Show(lost, s.addSources)
			return
		}
		s.flow.failed = failed
		if stranger.err != nil && s.meets(stranger.pick, stranger.err) {
			return
		}
		s.flow.page = pageFirst
		if s.flow.kitGood = s.status.Kit.Good(); !s.flow.kitGood && len(added) > 0 {
			s.flow.page = pageKit
		}
		s.show()
		// It runs while the kit is made: the sooner there is a backup the better.
		if len(added) > 0 {
			s.startFirst()
		}
	}, s.addSources)
}

// meets asks about the server of a pick that was met for the first time, and
// reports whether there is anything to be asked.
func (s *Screen) meets(id int, err error) bool {
	at := s.flow.indexOf(id)
	if at < 0 {
		return false
	}
	s.flow.asked, s.flow.page = at, pageAsk
	s.show()
	return s.access != nil && s.access.Meets(err, s.access.Enter)
}

func (s *Screen) startFirst() {
	s.ask(func(ctx context.Context) error {
		if _, err := s.env.Service.StartBackup(ctx, nil); err != nil {
			return err
		}
		return s.startAtLogin(ctx)
	}, s.check, s.startFirst)
}

// startAtLogin makes the guard start with the computer: who sets Kvart up wants
// tomorrow's backups too. Settings can switch it off again.
func (s *Screen) startAtLogin(ctx context.Context) error {
	set, err := s.env.Service.Settings(ctx)
	if err != nil || set.Autostart {
		return err
	}
	set.Autostart = true
	return s.env.Service.SetSettings(ctx, set)
}

func (s *Screen) stop(id app.JobID) {
	s.env.Go(func(ctx context.Context) func() {
		err := s.env.Service.Cancel(ctx, id)
		return func() { s.trouble.Show(err, nil) }
	})
}
