package recover

import (
	"context"
	"reflect"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// page is what the screen shows.
type page string

const (
	pageStart page = "start"
	pagePick  page = "pick" // which source crashed
	pagePlan  page = "plan" // one source, or a part of one
	pageRun   page = "run"
	pageDone  page = "done"
)

// Screen is Recover.
type Screen struct {
	env    screen.Env
	status app.Status
	page   page
	object *container.Scroll
	body   *fyne.Container

	trouble *screen.Trouble
	confirm *screen.Confirm

	// asked counts plans asked for: an answer to an older question is late.
	asked    int
	request  app.RestoreRequest
	kinds    []app.KindSpec // of source; empty until they were asked for
	name     *nameEntry     // nil while no new database is named
	click    *widgets.Button
	plan     *app.RestorePlan
	planErr  error
	start    startView
	run      *runPage
	job      app.JobID // the job whose end is waited for
	waiting  app.JobID // the job a wait runs for
	result   doneView
	primary  func()
	starting bool

	worker   *screen.Worker
	grant    *screen.Grant // nil while nobody is asked for the right to restore
	granting string        // the source it is about
	given    string        // the source whose user was given it
}

var _ screen.Screen = (*Screen)(nil)

// New returns Recover on its first page.
func New(env screen.Env) *Screen {
	s := &Screen{env: env, page: pageStart, trouble: screen.NewTrouble(env), confirm: screen.NewConfirm(env), body: widgets.Column(widgets.Gap16)}
	s.object = widgets.Page(s.trouble.Object(), s.confirm.Object(), s.body)
	s.trouble.OnChanged = func() { widgets.Relayout(s.object) }
	s.confirm.OnChanged = s.trouble.OnChanged
	s.worker = screen.NewWorker(env, s.trouble)
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen]. A running job is shown before anything
// else.
func (s *Screen) Open(p screen.Place) {
	s.trouble.Show(nil, nil)
	s.confirm.Close()
	if s.page == pageRun {
		return
	}
	if p.Source == "" {
		s.goStart()
		return
	}
	s.page = pagePlan
	s.ask(app.RestoreRequest{Sources: []string{p.Source}, Point: p.Point, Paths: p.Paths, Target: app.Target{Dir: p.Export}})
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	if s.primary != nil {
		s.primary()
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	switch {
	case s.confirm.Close():
	case s.grant != nil:
		s.closeGrant()
	case s.page == pageStart, s.page == pageRun:
		return false
	default:
		s.goStart()
	}
	return true
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	s.status = st
	if j := st.Job; j != nil && j.State == app.JobRunning && shown(j.Kind) {
		s.showRun(*j)
		return
	}
	if s.page == pageRun {
		s.finish(s.job)
		return
	}
	if v := modelStart(s.env.Words, st, s.env.Now()); s.page == pageStart && !reflect.DeepEqual(v, s.start) {
		s.drawStart()
	}
}

func shown(k app.JobKind) bool {
	return k == app.JobRestore || k == app.JobUndo || k == app.JobDrill
}

func (s *Screen) put(objects ...fyne.CanvasObject) {
	s.body.Objects = objects
	widgets.Relayout(s.object)
}

func (s *Screen) goStart() {
	s.page = pageStart
	s.plan, s.planErr, s.grant, s.given = nil, nil, nil, ""
	s.object.ScrollToTop()
	s.drawStart()
	if s.start.HasBackups {
		s.ask(app.RestoreRequest{})
	}
}

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
// but not past a warning, which has to be read.
func (s *Screen) enter() func() {
	if s.grant != nil {
		return s.grant.Submit
	}
	if s.plan != nil && warned(*s.plan) {
		return nil
	}
	return s.startRestore
}

// startRestore is the click.
func (s *Screen) startRestore() {
	if !s.ready() || s.starting {
		return
	}
	r := s.request
	s.launch(func(ctx context.Context) (app.JobID, error) { return s.env.Service.StartRestore(ctx, r) }, s.startRestore)
}

func (s *Screen) startDrill() {
	s.launch(func(ctx context.Context) (app.JobID, error) { return s.env.Service.StartDrill(ctx, nil) }, s.startDrill)
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
	s.page = pageDone
	s.result = modelDone(s.env.Words, j, s.status.Undo, s.env.Now())
	s.object.ScrollToTop()
	s.drawDone()
}
