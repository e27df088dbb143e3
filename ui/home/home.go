package home

import (
	"context"
	"reflect"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

const markSize = 104

// Screen is Home.
type Screen struct {
	env    screen.Env
	vm     viewModel
	status app.Status
	more   facts
	looked time.Time // when the readiness was asked for
	drawn  bool

	object   *container.Scroll
	mark     *widgets.Mark
	title    *widgets.Text
	sentence *widgets.Text
	primary  *widgets.Button
	backup   *widgets.Button // beside another primary one
	wrong    *widgets.Button
	resume   *widgets.Button
	goOn     *widgets.Button
	job      *screen.JobCard
	trouble  *screen.Trouble
	confirm  *screen.Confirm
	problems *fyne.Container
	have     *widgets.Button
	busy     bool // the storage is being made as it was
	figures  *fyne.Container
	open     *fyne.Container
	strip    *widgets.Strip
	stripSum *widgets.Text
	day      *widgets.Card
	list     *fyne.Container
	sources  *widgets.Card
	asks     *asks
}

var _ screen.Screen = (*Screen)(nil)

// New returns Home without a status yet.
func New(env screen.Env) *Screen {
	s := &Screen{env: env}
	s.mark = widgets.NewMark(markSize, assets.NewMark(assets.MarkUnknown))
	s.title = widgets.NewText("", widgets.Heading())
	s.sentence = widgets.NewText("", widgets.Muted())
	s.primary = widgets.NewPrimary("", s.Enter)
	s.backup = widgets.NewButton(env.T("home.button.running"), s.backUp)
	s.goOn = widgets.NewButton(env.T("home.button.goon"), func() { env.Show(screen.Place{Screen: screen.Setup}) })
	s.wrong = widgets.NewButton(env.T("home.wrong"), func() { env.Show(screen.Place{Screen: screen.Recover}) })
	s.resume = widgets.NewButton(env.T("home.resume"), s.resumeNow)
	s.job = screen.NewJobCard(env, s.stop)
	s.trouble = screen.NewTrouble(env)
	s.confirm = screen.NewConfirm(env)
	s.have = widgets.NewButton(env.T("reopen.button"), func() { env.Show(screen.Place{Screen: screen.Reopen}) })
	s.problems = widgets.Column(widgets.Gap12)
	s.figures = widgets.Grid(widgets.Gap16, 220, 3)
	s.open = widgets.Column(0)
	s.strip = widgets.NewStrip()
	s.stripSum = widgets.NewText("", widgets.Caption().Line())
	s.day = widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.Row(widgets.Gap12, nil, widgets.NewText(env.T("home.strip.title"), widgets.Sub()), s.stripSum), s.strip))
	s.list = widgets.Column(widgets.Gap12)
	s.sources = widgets.NewCard(s.list)
	head := widgets.Row(widgets.Gap24, []fyne.CanvasObject{s.mark}, widgets.Column(widgets.Gap8,
		s.title, s.sentence, widgets.Inset(0, 4, widgets.Leading(s.primary, s.have, s.resume, s.goOn, s.backup, s.wrong))))
	s.asks = newAsks(s)
	s.object = widgets.Page(s.asks.incident.Card, s.confirm.Object(), head, s.trouble.Object(), s.asks.box, s.problems, s.job.Object(), s.figures, s.open, s.day, s.sources)
	s.trouble.OnChanged = func() { widgets.Relayout(s.object) }
	s.confirm.OnChanged = func() { s.object.ScrollToTop(); widgets.Relayout(s.object) }
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(screen.Place) {
	s.trouble.Show(nil, nil)
	s.confirm.Close()
	s.learn()
}

// Resume implements [screen.Resumer].
func (s *Screen) Resume() { s.learn() }

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	s.status = st
	s.asks.set(st)
	s.set(model(s.env.Words, st, s.more, s.env.Now()))
	if st.Watch.Peak != nil && s.looked.IsZero() {
		s.learn()
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool { return s.confirm.Close() }

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	switch s.vm.Act {
	case actNone:
		s.env.Show(screen.Place{Screen: screen.Recover}) // the incident's
	case actSetup:
		s.env.Show(screen.Place{Screen: screen.Setup})
	case actRecover:
		s.env.Show(screen.Place{Screen: screen.Recover})
	case actResume:
		s.resumeNow()
	case actTakeUp:
		s.takeUp()
	case actKit:
		s.env.Show(screen.Place{Screen: screen.Safety, Kit: true})
	case actLook:
		u := s.status.Unusual[0]
		s.env.Show(screen.Place{Screen: screen.History, Source: u.Source, Point: u.Point})
	case actRemedy:
		s.remedy(s.vm.Help)
	default:
		if s.vm.Job == nil {
			s.backUp()
		}
	}
}

func (s *Screen) backUp() {
	s.trouble.Show(nil, nil)
	s.run(func(ctx context.Context) error {
		_, err := s.env.Service.StartBackup(ctx, nil)
		return err
	}, s.backUp)
}

func (s *Screen) drill() {
	s.trouble.Show(nil, nil)
	s.run(func(ctx context.Context) error {
		_, err := s.env.Service.StartDrill(ctx, nil)
		return err
	}, s.drill)
}

// askStepIn asks before this computer takes its place back: the other one backs
// up no more then.
func (s *Screen) askStepIn() {
	t := s.env.T
	s.confirm.Ask(t("home.stepin.ask"), t("home.stepin.text"), t("remedy.stepin"), s.stepIn)
}

// askRewind asks before the storage is made again as it is shown.
func (s *Screen) askRewind() {
	t := s.env.T
	s.confirm.Ask(t("home.rewind.ask", map[string]any{"When": s.vm.AsOf}), t("home.rewind.text"), t("home.rewind.yes"), s.rewind)
}

// rewind takes as long as the storage needs.
func (s *Screen) rewind() {
	if s.busy {
		return
	}
	s.busy = true
	s.trouble.Show(nil, nil)
	s.sentence.Set(s.env.T("home.rewind.busy"))
	s.env.Go(func(ctx context.Context) func() {
		err := s.env.Service.Rewind(ctx)
		return func() {
			s.busy = false
			s.sentence.Set(s.vm.Sentence)
			s.trouble.Show(err, s.rewind)
		}
	})
}

func (s *Screen) stepIn() {
	s.trouble.Show(nil, nil)
	s.run(s.env.Service.StepIn, s.stepIn)
}

func (s *Screen) resumeNow() {
	s.run(func(ctx context.Context) error { return s.env.Service.Pause(ctx, time.Time{}) }, s.resumeNow)
}

func (s *Screen) stop(id app.JobID) {
	s.run(func(ctx context.Context) error { return s.env.Service.Cancel(ctx, id) }, nil)
}

func (s *Screen) run(work func(ctx context.Context) error, again func()) {
	s.env.Go(func(ctx context.Context) func() {
		err := work(ctx)
		return func() { s.trouble.Show(err, again) }
	})
}

func (s *Screen) set(m viewModel) {
	old := s.vm
	first := !s.drawn
	if !first && reflect.DeepEqual(old, m) {
		return // nothing to lay out, or to paint
	}
	s.vm, s.drawn = m, true
	s.mark.Set(m.Mark)
	s.title.Set(m.Headline)
	if !s.busy {
		s.sentence.Set(m.Sentence)
	}
	if s.primary.Text != m.Primary && m.Primary != "" {
		s.primary.SetText(m.Primary)
	}
	screen.Visible(s.primary, m.Primary != "")
	screen.Visible(s.resume, m.Resume)
	screen.Visible(s.goOn, m.GoOn)
	screen.Visible(s.backup, m.BackUp)
	screen.Visible(s.have, m.Stage == stageEmpty)
	screen.Visible(s.wrong, m.Stage != stageEmpty && m.Stage != stagePast)
	screen.Visible(s.job.Card, m.Job != nil)
	if m.Job != nil {
		s.job.Set(*m.Job)
	}
	s.drawChanged(old, first)
	screen.Visible(s.day, len(m.Strip) > 0)
	screen.Visible(s.sources, len(m.Sources) > 0)
	s.strip.Set(m.Strip, m.StripNow)
	s.stripSum.Set(m.StripSum)
	widgets.Relayout(s.object)
}

// told is what the cards between headline and figures are drawn from.
func (m viewModel) told() []any {
	return []any{m.Problems, m.Notes, m.Kit, m.KitText, m.State, m.Act}
}

// drawChanged draws anew what is not as it was.
func (s *Screen) drawChanged(old viewModel, first bool) {
	m := s.vm
	if first || !reflect.DeepEqual(old.told(), m.told()) {
		widgets.KeepFocus(s.problems, s.drawProblems)
	}
	if first || !reflect.DeepEqual(old.Figures, m.Figures) || !reflect.DeepEqual(old.Open, m.Open) {
		widgets.KeepFocus(s.figures, s.drawFigures)
	}
	if first || !reflect.DeepEqual(old.Sources, m.Sources) {
		widgets.KeepFocus(s.list, s.drawSources) // the minutes that pass must not take it away
	}
}

func (s *Screen) drawProblems() {
	t := s.env.T
	s.problems.RemoveAll()
	for i, p := range s.vm.Problems {
		fire := func() { s.remedy(p) }
		if i == 0 && s.vm.Act == actRemedy {
			fire = nil // the primary button does it
		}
		s.problems.Add(screen.ProblemCard(p, fire))
	}
	if s.vm.Kit != "" {
		s.problems.Add(s.kitCard())
	}
	for _, p := range s.vm.Notes {
		s.problems.Add(screen.NoteCard(p, func() { s.remedy(p) }))
	}
	if s.vm.Stage == stagePast {
		s.problems.Add(widgets.NewCard(widgets.Column(widgets.Gap12,
			widgets.NewText(t("home.past.next"), widgets.Sub()), widgets.NewText(t("home.past.text"), widgets.Body()),
			widgets.Leading(widgets.NewButton(t("home.past.rewind"), s.askRewind),
				widgets.NewButton(t("home.past.now"), func() { s.env.Show(screen.Place{Screen: screen.Setup, Reconnect: true}) })))))
	}
	screen.Visible(s.problems, len(s.problems.Objects) > 0)
}

// kitCard stands until there is a kit that opens the backups. Its button is the
// primary one where nothing else is to be done.
func (s *Screen) kitCard() *widgets.Card {
	t := s.env.T
	words := widgets.Column(widgets.Gap8,
		widgets.NewText(t("home.kit."+string(s.vm.Kit)), widgets.Sub()), widgets.NewText(s.vm.KitText, widgets.Body()))
	if s.vm.Act == actKit {
		return widgets.NewCard(words).Emphasise()
	}
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil, words,
		widgets.NewButton(t("home.kit.button."+string(s.vm.Kit)), func() { s.env.Show(screen.Place{Screen: screen.Safety, Kit: true}) }))).Emphasise()
}

func (s *Screen) remedy(p screen.Problem) {
	if p.Remedy == screen.RemedyStepIn {
		s.askStepIn()
		return
	}
	if place, ok := p.Place(); ok {
		s.env.Show(place)
		return
	}
	s.backUp()
}

func (s *Screen) drawFigures() {
	s.figures.RemoveAll()
	for _, f := range s.vm.Figures {
		note := widgets.Caption()
		if f.Tone != widgets.ToneNeutral {
			note = note.In(f.Tone.Text())
		}
		rows := []fyne.CanvasObject{
			widgets.NewText(f.Title, widgets.Caption()),
			widgets.NewText(f.Value, widgets.Look{Size: theme.SizeFigure, Bold: true}),
			widgets.NewText(f.Note, note),
		}
		if f.Button != "" {
			rows = append(rows, widgets.Inset(0, 4, widgets.Leading(widgets.NewButton(f.Button, s.lead(f)))))
		}
		s.figures.Add(widgets.NewCard(widgets.Column(widgets.Gap4, rows...)))
	}
	screen.Visible(s.figures, len(s.vm.Figures) > 0)
	s.open.RemoveAll()
	if f := s.vm.Open; f != nil {
		s.open.Add(widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4,
			widgets.NewText(f.Title, widgets.Caption()), widgets.NewText(f.Value, widgets.Strong()), widgets.NewText(f.Note, widgets.Caption().In(f.Tone.Text()))),
			widgets.NewButton(s.env.T("remedy.safety"), func() { s.env.Show(screen.Place{Screen: screen.Safety}) }))))
	}
	screen.Visible(s.open, s.vm.Open != nil)
}

// lead returns what a figure's button does.
func (s *Screen) lead(f figure) func() {
	if f.Place == nil {
		return s.drill
	}
	return func() { s.env.Show(*f.Place) }
}
