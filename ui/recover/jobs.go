package recover

import (
	"context"
	"time"

	"kvart/app"
	"kvart/ui/widgets"
)

// startDrill practises with the named sources, or with all.
func (s *Screen) startDrill(sources []string) {
	s.launch(func(ctx context.Context) (app.JobID, error) { return s.env.Service.StartDrill(ctx, sources) }, func() { s.startDrill(sources) })
}

func (s *Screen) askUndo(id app.RestoreID) {
	s.object.ScrollToTop()
	s.confirm.Ask(s.env.T("recover.undo.ask"), s.env.T("recover.undo.ask.text"), s.env.T("recover.undo.yes"), func() { s.undo(id) })
}

func (s *Screen) undo(id app.RestoreID) {
	s.launch(func(ctx context.Context) (app.JobID, error) { return s.env.Service.StartUndo(ctx, id) }, func() { s.undo(id) })
}

// launch starts a job and then shows it.
func (s *Screen) launch(start func(ctx context.Context) (app.JobID, error), again func()) {
	if s.starting {
		return
	}
	s.starting = true
	s.trouble.Show(nil, nil)
	s.env.Go(func(ctx context.Context) func() {
		id, err := start(ctx)
		return func() {
			s.starting = false
			s.trouble.Show(err, again)
			if err != nil {
				s.object.ScrollToTop()
				return
			}
			if s.page != pageRun {
				s.showRun(app.Job{ID: id, Kind: app.JobRestore, Step: app.StepWaiting, State: app.JobRunning, Started: s.env.Now()})
			}
			// It may have ended before any status told of it.
			if j := s.status.Job; j == nil || j.ID != id {
				s.finish(id)
			}
		}
	})
}

// finish waits for a job's end and shows what came of it. The guard may have
// been restarted meanwhile: then its list of restores knows.
func (s *Screen) finish(id app.JobID) {
	s.job = id
	if s.waiting == id {
		return
	}
	s.waiting = id
	s.env.Go(func(ctx context.Context) func() {
		j, err := s.env.Service.Wait(ctx, id)
		if err != nil {
			j, err = s.newest(ctx)
		}
		return func() {
			s.waiting = ""
			if s.job != id || s.page != pageRun || err == nil && j.State == app.JobRunning {
				return
			}
			s.job = ""
			if err != nil {
				s.goStart()
				s.trouble.Show(err, nil)
				return
			}
			s.showDone(j)
		}
	})
}

// newest tells the newest restore as a job.
func (s *Screen) newest(ctx context.Context) (app.Job, error) {
	records, err := s.env.Service.Restores(ctx)
	if err != nil {
		return app.Job{}, err
	}
	if len(records) == 0 {
		return app.Job{}, app.Errorf(app.CodeInternal, "recover", "no restore is remembered")
	}
	r := records[0]
	j := app.Job{Kind: app.JobRestore, State: app.JobDone, Started: r.Started, Ended: r.Ended, Restore: &r, Error: r.Error}
	if r.Undoes != "" {
		j.Kind = app.JobUndo
	}
	if r.State == app.RestoreSaving || r.State == app.RestoreApplying {
		j.Error = app.Errorf(app.CodeInterrupted, "recover", "restore %s did not end", r.ID)
		j.Ended = time.Time{}
	}
	if j.Error != nil {
		j.State = app.JobFailed
	}
	return j, nil
}

func (s *Screen) showRun(j app.Job) {
	if s.page != pageRun || s.run == nil || s.job != j.ID {
		s.page, s.job = pageRun, j.ID
		s.confirm.Close()
		s.primary = nil
		s.run = newRunPage(s.env, s.stop)
		s.object.ScrollToTop()
		s.put(s.run.object)
	}
	s.run.set(modelRun(s.env.Words, j, s.env.Now()))
	widgets.Relayout(s.object)
}

func (s *Screen) stop(id app.JobID) {
	s.env.Go(func(ctx context.Context) func() {
		err := s.env.Service.Cancel(ctx, id)
		return func() { s.trouble.Show(err, nil) }
	})
}

func (s *Screen) showDone(j app.Job) {
	s.page, s.ended = pageDone, j
	s.result = modelDone(s.env.Words, j, s.status.Undo, s.env.Now())
	s.object.ScrollToTop()
	s.drawDone()
}

// redone offers to undo what is done, once the guard says that it can be: it may
// say so after it told the end.
func (s *Screen) redone() {
	if v := modelDone(s.env.Words, s.ended, s.status.Undo, s.env.Now()); v.Undo != s.result.Undo {
		s.result = v
		s.drawDone()
	}
}

func shown(k app.JobKind) bool {
	return k == app.JobRestore || k == app.JobUndo || k == app.JobDrill
}
