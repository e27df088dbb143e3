package setup

import (
	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

// show draws the page the flow is at, from its top.
func (s *Screen) show() {
	s.scroll.ScrollToTop()
	s.redraw()
}

// redraw draws the page the flow is at. A new language makes a new screen, on
// which what this one began goes on.
func (s *Screen) redraw() {
	if s.flow.shown != s {
		s.flow.shown.redraw()
		return
	}
	s.drawSteps()
	s.shown = firstView{}
	if s.flow.page != pageAsk {
		s.access = nil
	}
	switch s.flow.page {
	case pageWhat:
		s.put(s.what()...)
	case pageAsk:
		s.put(s.asking()...)
	case pageWhere:
		s.put(s.where()...)
	case pagePass:
		s.put(s.pass()...)
	case pageKit:
		s.put(s.title("setup.kit"), s.maker.Object())
	case pageFirst:
		s.showFirst()
	}
	s.check()
}

// drawSteps shows the steps there are, and the one that is taken.
func (s *Screen) drawSteps() {
	s.steps.RemoveAll()
	for i, p := range s.flow.pages() {
		tone := widgets.ToneNeutral
		if p == s.flow.page {
			tone = widgets.ToneGood
		}
		s.steps.Add(widgets.NewPill(s.env.T("setup.step", map[string]any{"N": i + 1, "Step": s.env.T("setup.step." + string(p))}), tone))
	}
	s.steps.Refresh()
	words := ""
	if n := s.flow.minutes(); n > 0 {
		words = s.env.Words.N("setup.minutes", n)
	}
	s.left.Set(words)
}

func (s *Screen) put(objects ...fyne.CanvasObject) {
	s.body.Objects = objects
	widgets.Relayout(s.scroll)
}

func (s *Screen) title(key string) fyne.CanvasObject {
	return widgets.Column(widgets.Gap8, widgets.NewText(s.env.T(key+".title"), widgets.Heading()), widgets.NewText(s.env.T(key+".text"), widgets.Muted()))
}

// what asks what to protect.
func (s *Screen) what() []fyne.CanvasObject {
	t := s.env.T
	var rows []fyne.CanvasObject
	for i := range s.flow.picks {
		if i > 0 {
			rows = append(rows, widgets.Line())
		}
		rows = append(rows, s.pickRow(i))
	}
	switch {
	case s.looking:
		rows = append(rows, widgets.NewText(t("sources.looking"), widgets.Muted()))
	case len(s.flow.picks) == 0:
		rows = append(rows, widgets.NewText(t("sources.found.none"), widgets.Muted()))
	}
	objects := append([]fyne.CanvasObject{s.title("setup.what"), widgets.NewCard(widgets.Column(widgets.Gap8, rows...))}, s.kinds()...)
	if !s.flow.hasVault {
		objects = append(objects, s.haveKit())
	}
	return objects
}

// pickRow is one thing that may be protected.
func (s *Screen) pickRow(i int) fyne.CanvasObject {
	t, p := s.env.T, s.flow.picks[i]
	found := p.Found
	state, tone := t("setup.pick.optional"), widgets.ToneNeutral
	if p.Likely {
		state, tone = t("setup.pick.likely"), widgets.ToneGood
	}
	if p.Own {
		state, tone = t("setup.pick.own"), widgets.ToneNeutral
	}
	if p.Answered {
		found.Settings = p.Settings
	}
	var right []fyne.CanvasObject
	if p.Asks {
		words := t("setup.pick.fill")
		state, tone = t("setup.pick.asks"), widgets.ToneWarn
		if p.Answered {
			state, tone, words = t("setup.pick.answered"), widgets.ToneGood, t("sources.change")
		}
		right = append(right, widgets.NewButton(words, func() { s.fill(p.id) }))
	}
	check := widgets.NewCheck(p.Name, p.On, func(on bool) { s.turn(p.id, on) })
	return widgets.Row(widgets.Gap12, nil,
		widgets.Column(0, check, widgets.Inset(30, 0, widgets.NewText(screen.DetailsOf(s.env.Words, found, s.env.Now()), widgets.Caption()))),
		append(right, widgets.NewPill(state, tone))...)
}

// turn ticks a pick, or leaves it out.
func (s *Screen) turn(id int, on bool) {
	if i := s.flow.indexOf(id); i >= 0 {
		s.flow.picks[i].On = on
	}
	s.drawSteps()
	s.check()
}

// fill asks about a pick.
func (s *Screen) fill(id int) {
	if i := s.flow.indexOf(id); i >= 0 {
		s.flow.picks[i].On, s.flow.asked, s.flow.page = true, i, pageAsk
	}
	s.show()
}

// asking asks for what could not be found out.
func (s *Screen) asking() []fyne.CanvasObject {
	t, p := s.env.T, s.flow.picks[s.flow.asked]
	spec, ok := s.flow.spec(p.Kind)
	if !ok {
		return nil // a kind this guard no longer knows
	}
	if s.access == nil || s.accessOf != p.id {
		s.access, s.accessOf = screen.NewAccess(s.env, s.ask, spec, p.filling()), p.id
		s.access.Prove = true
		s.access.OnChanged = func() { s.flow.typed(s.access.Settings(), s.access.Secrets()); s.check() }
		s.access.OnTake = s.answered
		s.access.OnShape = func() { widgets.Relayout(s.scroll) }
		s.access.Reveal = func(part fyne.CanvasObject) { widgets.ScrollTo(s.scroll, part) }
	}
	name, text := p.Name, t("setup.ask.text")
	if p.Own {
		name, text = t("source."+string(p.Kind)), t("setup.ask.own.text")
	}
	if p.Again {
		text = t("setup.ask.again.text")
	}
	kind := "source." + string(p.Kind)
	skip := widgets.Row(widgets.Gap16, nil, widgets.NewText(t("setup.ask.skip.text"), widgets.Caption()), widgets.NewQuiet(t("setup.ask.skip"), s.skip))
	return []fyne.CanvasObject{
		widgets.Column(widgets.Gap8, widgets.NewText(t("setup.ask.title", map[string]any{"Name": name}), widgets.Heading()), widgets.NewText(text, widgets.Muted())),
		widgets.NewCard(widgets.Column(widgets.Gap16,
			widgets.Column(widgets.Gap4, widgets.NewText(t(kind), widgets.Sub()), widgets.NewText(t(kind+".hint"), widgets.Caption())),
			s.access.Object(nil, nil))),
		skip,
	}
}

// answered takes what was asked for, and goes on to what is asked next.
func (s *Screen) answered(admin string, secrets app.Secrets) {
	s.flow.answer(s.access.Settings(), admin, secrets)
	s.onward()
}

// skip leaves out what is asked about.
func (s *Screen) skip() {
	s.flow.picks[s.flow.asked].On = false
	s.flow.unasked()
	s.onward()
}

// onward goes on from a pick that was asked about.
func (s *Screen) onward() {
	s.access = nil
	s.trouble.Show(nil, nil)
	switch {
	case len(s.flow.ticked()) == 0:
		s.flow.page = pageWhat
	case s.flow.open() < 0 && s.flow.hasVault:
		s.addSources()
		return
	default:
		s.flow.ask()
	}
	s.show()
}

// addOwn lets the owner choose a file or a folder.
func (s *Screen) addOwn(k app.KindSpec, f app.Field) {
	choose := s.env.ChooseFile
	if f.Type == app.FieldFolder {
		choose = s.env.ChooseFolder
	}
	choose(func(path string) {
		settings := map[string]string{}
		for _, d := range k.Fields {
			if d.Default != "" && d.Type != app.FieldSecret {
				settings[d.Key] = d.Default
			}
		}
		settings[f.Key] = path
		s.flow.add(k.Kind, screen.NameFor(path), settings)
		s.show()
	})
}

// where asks where to store the backups.
func (s *Screen) where() []fyne.CanvasObject {
	objects := []fyne.CanvasObject{s.title("setup.where")}
	if s.flow.reconnect {
		objects = append(objects, s.haveKit())
	}
	if s.flow.forms == nil {
		return append(objects, widgets.NewText(s.env.T("setup.busy"), widgets.Muted()))
	}
	return append(objects, s.picker.Objects()...)
}

// haveKit leads those who had Kvart before to what they had.
func (s *Screen) haveKit() fyne.CanvasObject {
	t := s.env.T
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4,
		widgets.NewText(t("setup.havekit"), widgets.Strong()), widgets.NewText(t("setup.havekit.text"), widgets.Caption())),
		widgets.NewButton(t("reopen.button"), func() { s.env.Show(screen.Place{Screen: screen.Reopen}) })))
}

// pass asks for the passphrase, or makes one.
func (s *Screen) pass() []fyne.CanvasObject {
	t := s.env.T
	if s.flow.existing() {
		return []fyne.CanvasObject{s.title("setup.open"), widgets.NewCard(s.field(t("setup.pass.existing"), s.password(&s.flow.first)))}
	}
	objects := []fyne.CanvasObject{s.title("setup.pass")}
	if s.flow.generated == "" {
		p, err := generate()
		if err != nil {
			s.trouble.Show(err, s.show)
			s.flow.own = true
		}
		s.flow.generated = p
	}
	choice := func(key string, own bool) fyne.CanvasObject {
		title := t(key)
		c := widgets.NewChoice(title, widgets.Column(widgets.Gap4, widgets.NewText(title, widgets.Strong()), widgets.NewText(t(key+".hint"), widgets.Caption())),
			func() { s.flow.own = own; s.show() })
		c.Select(s.flow.own == own)
		return c
	}
	objects = append(objects, widgets.Grid(widgets.Gap16, 240, 2, choice("setup.pass.make", false), choice("setup.pass.own", true)))
	var ask fyne.CanvasObject
	if s.flow.own {
		ask = widgets.Column(widgets.Gap12, s.field(t("setup.pass.first"), s.password(&s.flow.first)), s.field(t("setup.pass.second"), s.password(&s.flow.second)))
	} else {
		ask = widgets.Column(widgets.Gap12, widgets.NewText(t("setup.pass.write"), widgets.Body()),
			widgets.NewText(s.flow.generated, widgets.Look{Size: theme.SizeFigure, Bold: true, Mono: true}),
			s.field(t("setup.pass.last"), widgets.Leading(widgets.Sized(160, 0, s.entry(&s.flow.last)))))
	}
	return append(objects, widgets.NewCard(ask),
		widgets.NewCard(s.field(t("setup.shop"), s.entry(&s.flow.shop))),
		widgets.NewText(t("setup.pass.warning"), widgets.Body().In(widgets.ToneWarn.Text())))
}

func (s *Screen) field(label string, o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.Column(widgets.Gap4, widgets.NewText(label, widgets.Strong()), o)
}

func (s *Screen) entry(to *string) *widgets.Entry {
	return widgets.NewEntry(*to, func(v string) { *to = v; s.check() })
}

func (s *Screen) password(to *string) *widgets.Entry {
	e := widgets.NewPassword(func(v string) { *to = v; s.check() })
	e.Text = *to
	return e
}
