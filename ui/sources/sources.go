package sources

import (
	"context"
	"reflect"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// Screen is Sources.
type Screen struct {
	env     screen.Env
	vm      viewModel
	drawn   bool
	names   []string
	object  *container.Scroll
	body    *fyne.Container
	trouble *screen.Trouble
	confirm *screen.Confirm
	adding  *adder // nil while nothing is added
	editing string // the source whose form is shown; "" for none
	form    *screen.SourceForm
	status  app.Status
	worker  *screen.Worker
	checked map[string]string // what the last check of a source said
}

var _ screen.Screen = (*Screen)(nil)

// New returns Sources without a status yet.
func New(env screen.Env) *Screen {
	s := &Screen{env: env, body: widgets.Column(widgets.Gap16), trouble: screen.NewTrouble(env), confirm: screen.NewConfirm(env), checked: map[string]string{}}
	s.worker = screen.NewWorker(env, s.trouble)
	s.object = widgets.Page(s.trouble.Object(), s.confirm.Object(), s.body)
	s.trouble.OnChanged = func() { widgets.Relayout(s.object) }
	s.confirm.OnChanged = s.trouble.OnChanged
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(p screen.Place) {
	s.trouble.Show(nil, nil)
	s.confirm.Close()
	s.closeAdder()
	if p.Change && p.Source != "" {
		s.edit(p.Source)
	}
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	switch {
	case s.adding != nil:
		s.adding.submit()
	case s.editing != "":
		if s.form != nil {
			s.form.Submit()
		}
	case s.vm.CanAdd:
		s.openAdder()
	case s.vm.Past:
		s.env.Show(screen.Place{Screen: screen.Recover})
	default:
		s.env.Show(screen.Place{Screen: screen.Setup})
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	if s.confirm.Close() {
		return true
	}
	return s.closeAdder()
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	s.status = st
	m := model(s.env.Words, st, s.env.Now())
	s.names = s.names[:0]
	for _, c := range m.Cards {
		s.names = append(s.names, c.Name)
	}
	if s.drawn && reflect.DeepEqual(m, s.vm) {
		return
	}
	s.vm, s.drawn = m, true
	if s.adding == nil && s.editing == "" {
		s.draw()
	}
}

func (s *Screen) openAdder() {
	s.trouble.Show(nil, nil)
	s.adding = newAdder(s)
	s.object.ScrollToTop()
	s.adding.discover()
}

func (s *Screen) closeAdder() bool {
	if s.adding == nil && s.editing == "" {
		return false
	}
	s.adding, s.editing, s.form = nil, "", nil
	s.draw()
	return true
}

func (s *Screen) put(objects ...fyne.CanvasObject) {
	s.body.Objects = objects
	widgets.Relayout(s.object)
}

func (s *Screen) draw() {
	t := s.env.T
	add := widgets.NewPrimary(t("sources.add"), s.openAdder)
	switch {
	case s.vm.Past:
		add = widgets.NewPrimary(t("remedy.recover"), s.Enter)
	case !s.vm.CanAdd:
		add = widgets.NewPrimary(t("home.button.empty"), s.Enter)
	}
	objects := []fyne.CanvasObject{widgets.Row(widgets.Gap16, nil, widgets.Column(widgets.Gap8,
		widgets.NewText(t("nav.sources"), widgets.Heading()), widgets.NewText(s.vm.Text, widgets.Muted())), add)}
	for _, c := range s.vm.Cards {
		objects = append(objects, s.card(c))
	}
	s.put(objects...)
}

func (s *Screen) card(c card) fyne.CanvasObject {
	t := s.env.T
	rows := []fyne.CanvasObject{
		widgets.Row(widgets.Gap12, nil, widgets.Column(2, widgets.NewText(c.Name, widgets.Sub()),
			widgets.NewText(c.Kind, widgets.Caption()), widgets.NewText(c.Where, widgets.Caption().Cut())), widgets.NewPill(c.State, c.Tone)),
	}
	var facts []fyne.CanvasObject
	for _, f := range c.Facts {
		facts = append(facts, widgets.Column(2, widgets.NewText(f.Title, widgets.Caption()), widgets.NewText(f.Value, widgets.Body())))
	}
	rows = append(rows, widgets.Grid(widgets.Gap12, 160, 3, facts...))
	if c.Problem != nil {
		rows = append(rows, widgets.Line(), widgets.NewText(c.Problem.Title, widgets.Strong().In(widgets.ToneDanger.Text())),
			widgets.NewText(c.Problem.Meaning, widgets.Body()), widgets.NewText(c.Problem.Next, widgets.Muted()))
	}
	if len(c.Files) > 0 {
		rows = append(rows, widgets.Line(), widgets.NewText(t("sources.files"), widgets.Strong()))
		for _, f := range c.Files {
			rows = append(rows, widgets.NewText(f, widgets.Caption()))
		}
		if c.More != "" {
			rows = append(rows, widgets.NewText(c.More, widgets.Caption()))
		}
	}
	if said := s.checked[c.Name]; said != "" {
		rows = append(rows, widgets.Leading(widgets.NewPill(said, widgets.ToneGood)))
	}
	change := widgets.NewButton(t("sources.change"), func() { s.edit(c.Name) })
	if c.Secret {
		change = widgets.NewPrimary(t("remedy.source"), func() { s.edit(c.Name) })
	}
	rows = append(rows, widgets.Leading(change,
		widgets.NewButton(t("sources.check"), func() { s.check(c.Name) }),
		widgets.NewButton(t("sources.history"), func() { s.env.Show(screen.Place{Screen: screen.History, Source: c.Name}) }),
		widgets.NewButton(t("sources.remove"), func() { s.askRemove(c.Name) })))
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

func (s *Screen) check(name string) {
	s.trouble.Show(nil, nil)
	delete(s.checked, name)
	s.env.Go(func(ctx context.Context) func() {
		info, err := s.env.Service.CheckSource(ctx, name)
		return func() {
			s.trouble.Show(err, func() { s.check(name) })
			if err == nil {
				s.checked[name] = s.env.T("sources.checked", map[string]any{"Bytes": s.env.Words.Bytes(info.Bytes)})
			} else {
				s.object.ScrollToTop()
			}
			if s.adding == nil && s.editing == "" {
				s.draw()
			}
		}
	})
}

func (s *Screen) askRemove(name string) {
	args := map[string]any{"Name": name}
	s.object.ScrollToTop()
	s.confirm.Ask(s.env.T("sources.remove.ask", args), s.env.T("sources.remove.text"), s.env.T("sources.remove.yes"), func() { s.remove(name) })
}

func (s *Screen) remove(name string) {
	s.env.Go(func(ctx context.Context) func() {
		err := s.env.Service.RemoveSource(ctx, name)
		return func() { s.trouble.Show(err, func() { s.remove(name) }) }
	})
}
