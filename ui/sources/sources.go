package sources

import (
	"context"
	"reflect"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/assets"
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
	detail  *detail // nil while the list is shown
	status  app.Status
	worker  *screen.Worker
	checked map[string]screen.CheckView // what the last check of a source found
}

var _ screen.Screen = (*Screen)(nil)

// New returns Sources without a status yet.
func New(env screen.Env) *Screen {
	s := &Screen{env: env, body: widgets.Column(widgets.Gap16), trouble: screen.NewTrouble(env), confirm: screen.NewConfirm(env), checked: map[string]screen.CheckView{}}
	s.worker = screen.NewWorker(env, s.trouble)
	s.worker.OnFail = func() { s.object.ScrollToTop() }
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
	s.detail = nil
	s.closeAdder()
	switch {
	case p.Source == "":
	case p.Change:
		s.edit(p.Source)
	case p.Part == screen.PartSource:
		s.openDetail(p.Source)
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
	case s.detail != nil:
		s.detail.enter()
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
	if d := s.detail; d != nil && d.renaming && s.editing == "" {
		d.leaveName()
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
	if s.detail != nil {
		s.vm, s.drawn = m, true
		s.detail.refresh()
		return
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
		if s.detail == nil {
			return false
		}
		s.detail = nil
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
	if s.detail != nil {
		s.detail.drawn = false
		s.detail.refresh()
		return
	}
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
	rows = append(rows, screen.FactGrid(c.Facts))
	rows = append(rows, s.troubles(c, true)...)
	if v, ok := s.checked[c.Name]; ok {
		rows = append(rows, s.found(c.Name, v)...)
	}
	change := widgets.NewButton(t("sources.change"), func() { s.edit(c.Name) })
	if c.Secret {
		change = widgets.NewPrimary(t("remedy.source"), func() { s.edit(c.Name) })
	}
	buttons := []fyne.CanvasObject{widgets.NewButton(t("detail.open"), func() { s.openDetail(c.Name) })}
	if !s.vm.Past {
		buttons = append(buttons, change, widgets.NewButton(t("sources.check"), func() { s.check(c.Name) }))
	}
	buttons = append(buttons, widgets.NewButton(t("sources.history"), func() { s.env.Show(screen.Place{Screen: screen.History, Source: c.Name}) }))
	if !s.vm.Past {
		buttons = append(buttons, widgets.NewButton(t("sources.remove"), func() { s.askRemove(c.Name) }))
	}
	rows = append(rows, widgets.Leading(buttons...))
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

// troubles tells what is amiss with a source, below a line where something
// stands before it.
func (s *Screen) troubles(c card, below bool) (rows []fyne.CanvasObject) {
	t := s.env.T
	if c.Problem != nil {
		rows = append(rows, widgets.Line(), widgets.NewText(c.Problem.Title, widgets.Strong().In(widgets.ToneDanger.Text())),
			widgets.NewText(c.Problem.Meaning, widgets.Body()), widgets.NewText(c.Problem.Next, widgets.Muted()))
		if c.Problem.Statement != "" {
			rows = append(rows, widgets.Code(c.Problem.Statement, t("copy"), t("copied")))
		}
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
	if !below && len(rows) > 0 {
		rows = rows[1:]
	}
	return rows
}

// found tells what a check of a source found.
func (s *Screen) found(name string, v screen.CheckView) []fyne.CanvasObject {
	t, rows := s.env.T, v.Rows()
	if v.Rights != "" {
		rows = append(rows, widgets.Line(), widgets.Row(widgets.Gap16, nil, widgets.NewText(v.Rights, widgets.Body()),
			widgets.NewButton(t("sources.rights"), func() { s.edit(name) })))
	}
	return rows
}

func (s *Screen) check(name string) {
	s.trouble.Show(nil, nil)
	delete(s.checked, name)
	kind := s.kindOf(name)
	s.env.Go(func(ctx context.Context) func() {
		info, err := s.env.Service.CheckSource(ctx, name)
		var rights *app.Rights
		if err == nil {
			rights = s.rightsOf(ctx, kind, name)
		}
		return func() {
			s.trouble.Show(err, func() { s.check(name) })
			if err == nil {
				s.checked[name] = screen.ModelCheck(s.env.Words, kind, info, rights)
			} else {
				s.object.ScrollToTop()
			}
			if s.adding == nil && s.editing == "" {
				s.draw()
			}
		}
	})
}

// rightsOf looks at what a source's user may do, nil where there is none or
// where it can't be told: the check went well without.
func (s *Screen) rightsOf(ctx context.Context, kind app.Kind, name string) *app.Rights {
	forms, err := s.env.Service.Forms(ctx)
	if err != nil || !slices.ContainsFunc(forms.Sources, func(k app.KindSpec) bool { return k.Kind == kind && k.Users }) {
		return nil
	}
	r, err := s.env.Service.Rights(ctx, app.RightsRequest{Source: name})
	if err != nil {
		return nil
	}
	return &r
}

func (s *Screen) kindOf(name string) app.Kind {
	for _, src := range s.status.Sources {
		if src.Source.Name == name {
			return src.Source.Kind
		}
	}
	return ""
}

// askRemove asks before a source is given up, and says what becomes of its
// backups.
func (s *Screen) askRemove(name string) {
	s.trouble.Show(nil, nil)
	s.env.Go(func(ctx context.Context) func() {
		set, err := s.env.Service.Settings(ctx)
		return func() {
			s.object.ScrollToTop()
			if err != nil {
				s.trouble.Show(err, func() { s.askRemove(name) })
				return
			}
			keep := set.Keep
			if keep == (app.Retention{}) {
				keep = app.DefaultRetention()
			}
			w := s.env.Words
			s.confirm.Ask(w.T("sources.remove.ask", assets.Args{"Name": name}),
				w.T("detail.remove.text", assets.Args{"Months": w.N("settings.keep.months", int64(keep.Monthly))}),
				w.T("sources.remove.yes"), func() { s.remove(name) })
		}
	})
}

func (s *Screen) remove(name string) {
	s.env.Go(func(ctx context.Context) func() {
		err := s.env.Service.RemoveSource(ctx, name)
		return func() { s.trouble.Show(err, func() { s.remove(name) }) }
	})
}
