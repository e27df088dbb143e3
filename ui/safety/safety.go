package safety

import (
	"context"
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/ui/kit"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// page is one of the screen's pages.
type page string

const (
	pageList page = "list"
	pageKit  page = "kit"
	pageCopy page = "copy"
	pagePass page = "pass"

	pagePeak     page = "peak"
	pageCapacity page = "capacity"
)

// leaf is a page that lives on its own.
type leaf interface {
	draw()
	submit()
	// back goes one step back, if not to the list.
	back() bool
	// check brings buttons up to date when work begins or ends.
	check()
}

// Screen is Safety.
type Screen struct {
	env     screen.Env
	status  app.Status
	page    page
	vm      viewModel
	drawn   bool
	object  *container.Scroll
	body    *fyne.Container
	trouble *screen.Trouble
	confirm *screen.Confirm
	worker  *screen.Worker
	job     *screen.JobCard
	maker   *kit.Maker
	adder   *adder
	pass    *passphrase
	leaf    leaf // nil on the other pages

	computers  []app.Computer
	invitation *app.Invitation // shown once
	result     []string        // what came of the last job that was started here
	failed     error
	drills     []app.DrillResult
	ready      *app.Readiness // nil until it was looked at
	readyErr   error
	readyAsked int // looks asked for: an answer to an older one is late
}

var _ screen.Screen = (*Screen)(nil)

// New returns Safety without a status yet.
func New(env screen.Env) *Screen {
	s := &Screen{
		env: env, page: pageList, body: widgets.Column(widgets.Gap16),
		trouble: screen.NewTrouble(env), confirm: screen.NewConfirm(env),
	}
	s.worker = screen.NewWorker(env, s.trouble)
	s.worker.OnBusy = s.check
	s.job = screen.NewJobCard(env, s.stop)
	s.job.Hide()
	s.maker = kit.NewMaker(env, s.worker.Ask)
	s.maker.Fail = s.trouble.Show
	s.object = widgets.Page(s.trouble.Object(), s.confirm.Object(), s.job.Object(), s.body)
	s.trouble.OnChanged = func() { s.object.ScrollToTop(); widgets.Relayout(s.object) }
	s.confirm.OnChanged = s.trouble.OnChanged
	s.maker.OnChanged = func() { widgets.Relayout(s.object) }
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(p screen.Place) {
	s.trouble.Show(nil, nil)
	s.confirm.Close()
	s.result, s.invitation = nil, nil
	if p.Kit && s.vm.HasVault {
		s.openKit(false)
		return
	}
	s.ready = nil
	own, ok := s.leaf.(*peak)
	switch {
	case ok && p.Part == "" && own.typed != (ownDay{}):
		own.draw() // the guard may have been away for a moment
		s.loadReady()
	case p.Part == screen.PartPeak && s.vm.HasVault:
		s.openPeak()
	case p.Part == screen.PartCapacity && s.vm.HasVault:
		s.openCapacity()
	default:
		s.goList()
		s.loadComputers()
		s.loadReady()
	}
	if s.vm.HasVault {
		s.loadDrills()
	}
}

// Resume implements [screen.Resumer]: what could not be read meanwhile is read
// now.
func (s *Screen) Resume() {
	if s.ready == nil {
		s.loadReady()
	}
	if s.vm.HasVault {
		s.loadDrills()
	}
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	s.status = st
	s.maker.Set(st.Kit)
	m := model(s.env.Words, st, s.env.Now())
	if m.Job != nil {
		s.job.Set(*m.Job)
	}
	changed := !s.drawn || !reflect.DeepEqual(m, s.vm)
	progress := s.vm
	progress.Job = m.Job
	only := s.drawn && reflect.DeepEqual(m, progress) && (m.Job == nil) == (s.vm.Job == nil)
	s.vm = m
	switch {
	case s.page == pageCapacity:
		s.job.Card.Refresh()
		screen.Visible(s.job.Card, s.vm.Job != nil)
		if st.Job != nil && st.Job.Capacity != nil || changed && !only {
			s.leaf.draw() // step by step
		}
	case !changed:
	case only:
		widgets.Relayout(s.object)
	default:
		s.redraw()
	}
}

// redraw shows the list, or a page that shows part of it, as things stand now.
func (s *Screen) redraw() {
	switch s.page {
	case pageList:
		s.draw()
	case pagePeak, pageCapacity:
		s.leaf.draw()
	}
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	switch {
	case s.page == pageKit:
		s.maker.Enter()
	case s.page == pageCopy:
		s.adder.submit()
	case s.page == pagePass:
		s.pass.submit()
	case s.leaf != nil:
		s.leaf.submit()
	case !s.vm.HasVault:
		s.env.Show(screen.Place{Screen: screen.Setup})
	default:
		if b := widgets.Primary(s.body); b != nil {
			b.Tapped(nil)
		}
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	switch {
	case s.confirm.Close():
	case s.page == pageCopy && s.adder.back():
	case s.leaf != nil && s.leaf.back():
	case s.page != pageList:
		s.goList()
	default:
		return false
	}
	return true
}

func (s *Screen) check() {
	switch s.page {
	case pageCopy:
		s.adder.check()
	case pagePass:
		s.pass.check()
	case pagePeak, pageCapacity:
		s.leaf.check()
	}
}

func (s *Screen) put(objects ...fyne.CanvasObject) {
	if s.page != pagePeak && s.page != pageCapacity {
		s.leaf = nil
	}
	widgets.KeepFocus(s.body, func() {
		s.body.Objects = objects
		screen.Visible(s.job.Card, (s.page == pageList || s.leaf != nil) && s.vm.Job != nil)
		widgets.Relayout(s.object)
	})
}

func (s *Screen) goList() {
	s.page = pageList
	s.adder, s.pass, s.leaf = nil, nil, nil
	s.object.ScrollToTop()
	s.draw()
}

// openKit shows the page about the kit, from its beginning when a new one is
// wanted.
func (s *Screen) openKit(anew bool) {
	s.trouble.Show(nil, nil)
	s.page = pageKit
	s.object.ScrollToTop()
	s.maker.Begin(anew)
	s.put(s.title("makekit.title", "makekit.text"), s.maker.Object(), s.backButton())
}

func (s *Screen) title(title, text string) fyne.CanvasObject {
	return widgets.Column(widgets.Gap8, widgets.NewText(s.env.T(title), widgets.Heading()), widgets.NewText(s.env.T(text), widgets.Muted()))
}

func (s *Screen) backButton() fyne.CanvasObject {
	return widgets.Leading(widgets.NewButton(s.env.T("back"), func() { s.Back() }))
}

func (s *Screen) loadComputers() {
	if !s.vm.HasVault {
		return
	}
	s.env.Go(func(ctx context.Context) func() {
		list, err := s.env.Service.Computers(ctx)
		return func() {
			if s.failed = err; err == nil {
				s.computers = list
			}
			s.redraw()
		}
	})
}

// start starts a job and tells what came of it.
func (s *Screen) start(begin func(ctx context.Context) (app.JobID, error)) {
	if s.result != nil {
		s.result = nil
		s.redraw()
	}
	var id app.JobID
	s.worker.Ask(func(ctx context.Context) (err error) {
		id, err = begin(ctx)
		return err
	}, func() { s.await(id) }, func() { s.start(begin) })
}

func (s *Screen) await(id app.JobID) {
	s.env.Go(func(ctx context.Context) func() {
		j, err := s.env.Service.Wait(ctx, id)
		if err == nil && j.Error != nil {
			err = j.Error
		}
		return func() {
			if err != nil {
				s.trouble.Show(err, nil)
				return
			}
			s.result = modelResult(s.env.Words, j)
			s.redraw()
			s.loadDrills()
			s.loadReady()
			if c, ok := s.leaf.(*capacity); ok {
				c.loadPast()
			}
		}
	})
}

func (s *Screen) stop(id app.JobID) {
	s.env.Go(func(ctx context.Context) func() {
		err := s.env.Service.Cancel(ctx, id)
		return func() { s.trouble.Show(err, nil) }
	})
}

func (s *Screen) proveLock() {
	s.worker.Ask(func(ctx context.Context) error {
		_, err := s.env.Service.ProveLock(ctx)
		return err
	}, s.loadReady, s.proveLock)
}

func (s *Screen) askRemove(name string) {
	args := map[string]any{"Name": name}
	s.confirm.Ask(s.env.T("safety.copy.remove.ask", args), s.env.T("safety.copy.remove.text"), s.env.T("safety.copy.remove.yes"), func() { s.remove(name) })
}

func (s *Screen) remove(name string) {
	s.worker.Ask(func(ctx context.Context) error { return s.env.Service.RemoveCopy(ctx, name) }, func() {}, func() { s.remove(name) })
}

// invite writes an invitation where the owner says, and shows its code once.
func (s *Screen) invite() {
	s.env.SaveFile(s.env.T("safety.invite.file"), func(path string) { s.writeInvitation(path) })
}

func (s *Screen) writeInvitation(path string) {
	var in app.Invitation
	s.worker.Ask(func(ctx context.Context) (err error) {
		in, err = s.env.Service.Invite(ctx, path)
		return err
	}, func() {
		s.invitation = &in
		s.draw()
	}, func() { s.writeInvitation(path) })
}
