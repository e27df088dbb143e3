package recover

import (
	"context"
	"slices"
	"time"

	"kvart/app"
	"kvart/ui/widgets"
)

// startDrill practises with the named sources, or with all.
func (s *Screen) startDrill(sources []string) {
	s.launch(app.JobDrill, func(ctx context.Context) (app.JobID, error) { return s.env.Service.StartDrill(ctx, sources) }, func() { s.startDrill(sources) })
}

func (s *Screen) askUndo(id app.RestoreID) {
	s.object.ScrollToTop()
	s.confirm.Ask(s.env.T("recover.undo.ask"), s.env.T("recover.undo.ask.text"), s.env.T("recover.undo.yes"), func() { s.undo(id) })
}

func (s *Screen) undo(id app.RestoreID) {
	s.launch(app.JobUndo, func(ctx context.Context) (app.JobID, error) { return s.env.Service.StartUndo(ctx, id) }, func() { s.undo(id) })
}

// launch starts a job and then shows it.
func (s *Screen) launch(kind app.JobKind, start func(ctx context.Context) (app.JobID, error), again func()) {
	if s.starting {
		return
	}
	s.starting = true
	began := s.env.Now()
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
			s.begun, s.redo = id, again
			if s.page != pageRun {
				s.showRun(app.Job{ID: id, Kind: kind, Step: app.StepWaiting, State: app.JobRunning, Started: began})
			}
			// It may have ended before any status told of it.
			if j := s.status.Job; j == nil || j.ID != id {
				s.finish(id)
			}
		}
	})
}

// finish waits for a job's end and shows what came of it. The guard may have
// been restarted meanwhile: then what it remembers tells.
func (s *Screen) finish(id app.JobID) {
	s.job = id
	if s.waiting == id {
		return
	}
	s.waiting = id
	told := s.told
	s.env.Go(func(ctx context.Context) func() {
		j, err := s.env.Service.Wait(ctx, id)
		if err != nil && app.CodeOf(err) != app.CodeGuardOffline {
			j, err = remembered(ctx, s.env.Service, told)
		}
		return func() {
			s.waiting = ""
			if s.job != id || s.page != pageRun || err == nil && j.State == app.JobRunning {
				return
			}
			if app.CodeOf(err) == app.CodeGuardOffline {
				return // the window says so, and the next status is waited for again
			}
			s.job, j.ID = "", id
			if err != nil {
				s.goStart()
				s.trouble.Show(err, nil)
				return
			}
			s.showDone(j)
		}
	})
}

// sameTime is how much earlier than it was heard of a job may have begun.
const sameTime = time.Minute

// remembered tells what is remembered of a job that the guard knows no more.
// What came of another one is never told for it.
func remembered(ctx context.Context, svc app.Service, told app.Job) (app.Job, error) {
	since := told.Started.Add(-sameTime)
	j := app.Job{ID: told.ID, Kind: told.Kind, State: app.JobCanceled, Started: told.Started}
	if told.Kind == app.JobDrill {
		drills, err := svc.Drills(ctx, "")
		for _, d := range drills {
			if d.At.Before(since) {
				continue
			}
			j.Drills, j.Ended = append(j.Drills, d), later(j.Ended, d.At)
			if !d.OK {
				j.State = app.JobFailed
			}
		}
		return j, err // of others it may have been cut off
	}
	records, err := svc.Restores(ctx)
	if err != nil {
		return app.Job{}, err
	}
	n := slices.IndexFunc(records, func(r app.RestoreRecord) bool {
		if told.Restore != nil && told.Restore.ID != "" {
			return r.ID == told.Restore.ID
		}
		return (r.Undoes != "") == (told.Kind == app.JobUndo) && !later(r.Asked, r.Started).Before(since)
	})
	j.State = app.JobFailed
	if n < 0 {
		j.Error = app.Errorf(app.CodeInterrupted, "recover", "job %s is not remembered", told.ID).With("untouched", "true")
		return j, nil
	}
	r := records[n]
	j.Started, j.Ended, j.Restore, j.Error = r.Started, r.Ended, &r, r.Error
	switch {
	case r.State == app.RestoreSaving || r.State == app.RestoreApplying:
		j.Error, j.Ended = app.Errorf(app.CodeInterrupted, "recover", "restore %s did not end", r.ID), time.Time{}
	case j.Error == nil:
		j.State = app.JobDone
	}
	return j, nil
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
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
	s.told = j
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
	s.page, s.ended, s.helping = pageDone, j, false
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
