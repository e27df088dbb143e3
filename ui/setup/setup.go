package setup

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/ui/kit"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Screen is the setup.
type Screen struct {
	env     screen.Env
	flow    *Flow
	status  app.Status
	object  fyne.CanvasObject
	scroll  *container.Scroll
	steps   *fyne.Container
	left    *widgets.Text // how long it still takes
	body    *fyne.Container
	trouble *screen.Trouble
	back    *widgets.Button
	later   *widgets.Button
	next    *widgets.Button
	hint    *widgets.Text
	foot    *fyne.Container
	job     *screen.JobCard
	busy    bool // the guard was asked for something that changes the setup
	looking bool
	picker  *screen.Picker
	access  *screen.Access // nil while nothing is asked about a source
	// accessOf is the id of the pick that access is about.
	accessOf int
	opener   *screen.Opener
	maker    *kit.Maker
	shown    firstView
}

var (
	_ screen.Screen  = (*Screen)(nil)
	_ screen.Resumer = (*Screen)(nil)
)

// New returns the setup at the place where its flow was left.
func New(env screen.Env, f *Flow) *Screen {
	s := &Screen{env: env, flow: f, steps: widgets.Leading(), body: widgets.Column(widgets.Gap16), trouble: screen.NewTrouble(env)}
	s.job = screen.NewJobCard(env, s.stop)
	s.back = widgets.NewButton(env.T("back"), func() { s.Back() })
	s.later = widgets.NewQuiet(env.T("setup.later"), s.doLater)
	s.next = widgets.NewPrimary(env.T("setup.continue"), s.Enter)
	s.hint = widgets.NewText("", widgets.Caption().Cut())
	s.opener = screen.NewOpener(env, s.ask)
	s.maker = kit.NewMaker(env, s.ask)
	s.maker.Fail = s.trouble.Show
	s.left = widgets.NewText("", widgets.Caption().Line())
	s.scroll = widgets.Page(widgets.Row(widgets.Gap16, nil, s.steps, s.left), s.trouble.Object(), s.opener.Object(), s.body)
	s.trouble.OnChanged = func() { widgets.Relayout(s.scroll) }
	s.opener.OnChanged = func() { s.scroll.ScrollToTop(); widgets.Relayout(s.scroll) }
	s.maker.OnChanged = func() { widgets.Relayout(s.scroll); s.check() }
	s.picker = s.newPicker()
	f.shown = s
	s.foot = widgets.Inset(32, 20, widgets.Row(widgets.Gap16, []fyne.CanvasObject{s.back, s.later}, s.hint, s.next))
	s.object = widgets.Foot(s.scroll, s.foot)
	return s
}

func (s *Screen) newPicker() *screen.Picker {
	p := screen.NewPicker(s.env, s.flow.loc)
	p.Ask, p.Redraw, p.OnChanged = s.ask, s.redraw, s.check
	p.Fail = func(err error, again func()) {
		s.trouble.Show(err, again)
		if err != nil {
			s.scroll.ScrollToTop()
		}
	}
	p.Relayout = func() { widgets.Relayout(s.scroll) }
	p.Reveal = func(part fyne.CanvasObject) { widgets.ScrollTo(s.scroll, part) }
	return p
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(p screen.Place) {
	s.trouble.Show(nil, nil)
	s.opener.Close()
	if !s.busy {
		s.flow.resume(s.status, p.Reconnect)
	}
	s.maker.Begin(false)
	s.show()
	if s.flow.forms == nil || len(s.flow.picks) == 0 {
		s.discover()
	}
}

// Resume implements [screen.Resumer]: the guard may have got further than was
// told. What is typed on the page stays.
func (s *Screen) Resume() {
	if !s.busy {
		s.flow.resume(s.status, s.flow.reconnect)
	}
	s.trouble.Show(nil, nil)
	s.redraw()
	if s.flow.forms == nil || len(s.flow.picks) == 0 {
		s.discover()
	}
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	confirmed := st.Kit.Good() && !s.status.Kit.Good()
	s.status = st
	s.maker.Set(st.Kit)
	switch {
	case s.flow.page == pageFirst:
		s.showFirst()
	case s.flow.page == pageKit && confirmed:
		s.check() // the page itself may have known before
	}
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	switch {
	case !s.busy && s.flow.page == pageKit && !s.status.Kit.Good():
		s.maker.Enter()
	case !s.busy && s.flow.page == pageAsk && s.access != nil:
		s.access.Enter()
	case s.busy || s.next.Disabled():
	case s.flow.page == pageFirst:
		s.firstButton()
	case s.flow.page == pagePass:
		s.makeVault()
	case s.flow.page == pageWhat && s.flow.hasVault && s.flow.open() < 0:
		s.addSources()
	case s.flow.page == pageKit:
		s.flow.page = pageFirst
		s.show()
	case s.flow.next():
		s.trouble.Show(nil, nil)
		s.show()
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	if s.busy {
		return false
	}
	if s.opener.Close() || s.flow.page == pageWhere && s.picker.Back() || s.flow.page == pageAsk && s.access != nil && s.access.Back() {
		return true
	}
	if !s.flow.back() {
		return false
	}
	s.trouble.Show(nil, nil)
	s.show()
	return true
}

// doLater leaves the kit for another day, or else the setup.
func (s *Screen) doLater() {
	if s.flow.page == pageKit {
		s.flow.page = pageFirst
		s.show()
		return
	}
	s.leave()
}

func (s *Screen) leave() { s.env.Show(screen.Place{Screen: screen.Home}) }

// ask runs work during which nothing else may be pressed.
func (s *Screen) ask(work func(ctx context.Context) error, done func(), again func()) {
	if s.busy {
		return
	}
	s.busy = true
	s.trouble.Show(nil, nil)
	s.check()
	s.env.Go(func(ctx context.Context) func() {
		err := work(ctx)
		return func() {
			s.busy = false
			s.trouble.Show(err, again)
			if err == nil {
				done()
			} else {
				s.scroll.ScrollToTop()
			}
			s.check()
		}
	})
}

// makeVault makes or opens the vault and then adds the sources.
func (s *Screen) makeVault() {
	if s.flow.lack() != "" {
		return
	}
	if s.flow.made {
		s.addSources()
		return
	}
	r := s.flow.request()
	if s.flow.existing() {
		s.opener.Open(r, func(app.VaultInfo) { s.gotVault() })
		return
	}
	s.ask(func(ctx context.Context) error {
		_, err := s.env.Service.CreateVault(ctx, r)
		return err
	}, s.gotVault, s.makeVault)
}

func (s *Screen) gotVault() {
	s.flow.hasVault, s.flow.made = true, true
	s.flow.forget()
	if s.flow.reconnect {
		s.flow.reconnect = false
		s.leave()
		return
	}
	s.addSources()
}

// firstButton is what the last page's button does.
func (s *Screen) firstButton() {
	switch v := modelFirst(s.env.Words, s.status, s.flow, s.env.Now()); v.State {
	case firstNothing:
		s.flow.page, s.flow.made = pageWhat, false
		s.show()
	case firstFailed:
		s.startFirst()
	case firstKit:
		s.flow.page, s.flow.kitGood = pageKit, false
		s.show()
	case firstPart:
		s.again()
	default:
		s.flow.picks, s.flow.failed = nil, map[string]error{}
		s.keep()
		s.leave()
	}
}

// check brings the buttons up to date with what is lacking.
func (s *Screen) check() {
	s.keep()
	lack := s.lack()
	hint := s.proved()
	if lack != "" {
		hint = s.env.T("setup.lack." + lack)
	}
	if s.busy {
		hint = s.env.T("setup.busy")
	}
	s.hint.Set(hint)
	s.next.SetEnabled(lack == "" && !s.busy)
	pages := s.flow.pages()
	i := slices.Index(pages, s.flow.page)
	after := s.flow.page == pageFirst || s.flow.page == pageKit
	screen.Visible(s.back, i > 0 && !s.flow.made && !after)
	screen.Visible(s.later, s.flow.page != pageFirst || s.shown.State == firstKit || s.shown.State == firstPart)
	s.back.SetEnabled(!s.busy)
	s.later.SetEnabled(!s.busy)
	s.picker.Check(s.busy)
	if s.access != nil {
		s.access.Check(s.busy)
	}
	if s.flow.page != pageFirst {
		text := s.env.T("setup.continue")
		if s.flow.page == pagePass {
			text = s.env.T("setup.start")
		}
		if s.next.Text != text {
			s.next.SetText(text)
		}
	}
	s.foot.Refresh()
}

// proved tells what was proven of the place for the backups; "" on other pages.
func (s *Screen) proved() string {
	r := s.flow.loc.Report
	if s.flow.page != pageWhere || r == nil {
		return ""
	}
	key := "setup.foot.proved"
	if s.flow.loc.Locked() {
		key = "setup.foot.locked"
	}
	return s.env.T(key, map[string]any{"Ms": s.env.Words.Number(max(r.RoundTrip.Milliseconds(), 1))})
}

// lack tells what keeps the page from being left forwards.
func (s *Screen) lack() string {
	switch {
	case s.flow.page == pageKit && !s.status.Kit.Good():
		return "kit"
	case s.flow.page == pageAsk && s.access != nil && !s.access.Complete():
		return "ask"
	}
	return s.flow.lack()
}
