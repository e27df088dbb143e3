package recover

import (
	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

// title returns a page's heading with a sentence below it.
func (s *Screen) title(title, text string) fyne.CanvasObject {
	return widgets.Column(widgets.Gap8, widgets.NewText(title, widgets.Heading()), widgets.NewText(text, widgets.Muted()))
}

func (s *Screen) choice(title, text string, tapped func()) *widgets.Choice {
	return widgets.NewChoice(title, widgets.Column(widgets.Gap4,
		widgets.NewText(title, widgets.Strong()), widgets.NewText(text, widgets.Caption())), tapped)
}

func (s *Screen) drawStart() {
	t := s.env.T
	s.start = modelStart(s.env.Words, s.status, s.env.Now())
	s.primary = s.enter()
	objects := []fyne.CanvasObject{
		s.title(t("recover.start.title"), t("recover.start.text")),
		widgets.Grid(widgets.Gap16, 240, 2,
			s.choice(t("recover.deleted.title"), t("recover.deleted.text"), func() { s.env.Show(screen.Place{Screen: screen.History}) }),
			s.choice(t("recover.crashed.title"), t("recover.crashed.text"), s.showPick)),
	}
	if s.start.HasBackups {
		objects = append(objects, s.planObjects()...)
	} else {
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap4,
			widgets.NewText(t("recover.all.title"), widgets.Strong()), widgets.NewText(t("recover.nothing"), widgets.Caption()))))
	}
	if s.start.Undo != "" {
		id := s.start.Undo
		objects = append(objects, widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4,
			widgets.NewText(t("recover.undo.title"), widgets.Strong()), widgets.NewText(s.start.UndoText, widgets.Caption())),
			widgets.NewButton(t("recover.undo"), func() { s.askUndo(id) }))))
	}
	drill := widgets.NewButton(t("recover.drill.button"), s.startDrill)
	drill.SetEnabled(s.start.HasBackups)
	objects = append(objects, widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4,
		widgets.NewText(t("recover.drill.title"), widgets.Strong()),
		widgets.NewText(t("recover.drill.text"), widgets.Caption()),
		widgets.NewText(s.start.Drill, widgets.Caption().In(s.start.DrillTone.Text()))), drill)))
	s.put(objects...)
}

// showPick asks which source is broken.
func (s *Screen) showPick() {
	s.page, s.primary = pagePick, nil
	s.object.ScrollToTop()
	var choices []fyne.CanvasObject
	for _, src := range s.status.Sources {
		text := s.env.T("recover.pick.none")
		if src.Point != nil {
			text = s.env.T("recover.pick.when", map[string]any{"When": s.env.Words.When(src.Point.Time, s.env.Now())})
		}
		choices = append(choices, s.choice(src.Source.Name, text, func() {
			s.page = pagePlan
			s.ask(app.RestoreRequest{Sources: []string{src.Source.Name}})
		}))
	}
	s.put(s.title(s.env.T("recover.pick.title"), s.env.T("recover.pick.text")),
		widgets.Grid(widgets.Gap16, 240, 2, choices...), s.backButton())
}

func (s *Screen) backButton() fyne.CanvasObject {
	return widgets.Leading(widgets.NewButton(s.env.T("back"), func() { s.Back() }))
}

func (s *Screen) drawPlan() {
	s.primary, s.name = s.enter(), nil
	objects := []fyne.CanvasObject{s.title(s.env.T("recover.plan.head"), s.env.T("recover.plan.text"))}
	objects = append(objects, s.whereObjects()...)
	s.put(append(append(objects, s.planObjects()...), s.backButton())...)
}

// planObjects is the card with everything that has to be known before the
// click, and what has to be solved first.
func (s *Screen) planObjects() []fyne.CanvasObject {
	again := func() { s.ask(s.request) }
	s.click = nil
	switch {
	case s.planErr != nil && s.nameWrong() != "":
		return nil // said below the name
	case s.planErr != nil:
		return []fyne.CanvasObject{screen.ProblemCard(screen.Explain(s.env.Words, s.planErr, "").Retry(s.env.Words), again)}
	case s.plan == nil:
		return []fyne.CanvasObject{widgets.NewCard(widgets.NewText(s.env.T("recover.plan.waiting"), widgets.Muted()))}
	}
	v := modelPlan(s.env.Words, s.request, *s.plan, s.env.Now(), s.grants)
	var objects []fyne.CanvasObject
	for _, b := range v.Blockers {
		switch {
		case b.Remedy != screen.RemedyGrant:
			objects = append(objects, screen.ProblemCard(b, again))
		case s.grant != nil && s.granting == b.Source:
			objects = append(objects, s.grant.Object())
		default:
			objects = append(objects, screen.NoteCard(b, func() { s.openGrant(b.Source) }))
		}
	}
	for _, n := range v.Warnings {
		objects = append(objects, screen.NoteCard(n, again))
	}
	s.click = widgets.NewPrimary(v.Button, s.startRestore)
	s.checkClick()
	rows := []fyne.CanvasObject{widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4,
		widgets.NewText(v.Title, widgets.Sub()),
		widgets.NewText(v.Sentence, widgets.Body()),
		widgets.NewText(v.Undo, widgets.Muted())), widgets.Sized(150, 46, s.click))}
	for _, r := range v.Rows {
		rows = append(rows, widgets.Line(), widgets.Columns([]float32{26, 74},
			widgets.NewText(r.Source, widgets.Strong().Cut()),
			widgets.Column(2, widgets.NewText(r.When, widgets.Body()), widgets.NewText(r.Where, widgets.Caption()), widgets.NewText(r.Changes, widgets.Caption()))))
	}
	return append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, rows...)).Emphasise())
}

func (s *Screen) drawDone() {
	v := s.result
	t := s.env.T
	objects := []fyne.CanvasObject{s.title(v.Title, v.Text)}
	if v.Problem != nil {
		objects = append(objects, screen.ProblemCard(*v.Problem, s.again))
	}
	if len(v.Places) > 0 {
		objects = append(objects, s.placesCard(v))
	}
	if len(v.Checks) > 0 {
		rows := []fyne.CanvasObject{widgets.NewText(t("recover.checks"), widgets.Sub())}
		for _, c := range v.Checks {
			rows = append(rows, widgets.Line(), widgets.Columns([]float32{40, 44, 16},
				widgets.NewText(c.Words, widgets.Body()), widgets.NewText(c.Detail, widgets.Caption()), widgets.NewPill(c.State, c.Tone)))
		}
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, rows...)))
	}
	if s.given != "" && v.Good {
		objects = append(objects, s.givenCard())
	}
	done := widgets.NewPrimary(t("recover.done.button"), s.leave)
	s.primary = s.leave
	buttons := []fyne.CanvasObject{done}
	if v.Undo != "" {
		buttons = append(buttons, widgets.NewButton(t("recover.undo"), func() { s.askUndo(v.Undo) }))
	}
	s.put(append(objects, widgets.Leading(buttons...))...)
}

// placesCard tells where things went.
func (s *Screen) placesCard(v doneView) fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.NewText(s.env.T("recover.places"), widgets.Sub())}
	for _, p := range v.Places {
		rows = append(rows, widgets.Line(), widgets.Columns([]float32{26, 74},
			widgets.NewText(p.Source, widgets.Strong().Cut()), widgets.Column(2, widgets.NewText(p.Where, widgets.Body()), widgets.NewText(p.When, widgets.Caption()))))
	}
	if v.After != "" {
		rows = append(rows, widgets.Line(), widgets.NewText(v.After, widgets.Muted()))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

// leave ends a recovery that is done.
func (s *Screen) leave() {
	s.goStart()
	s.env.Show(screen.Place{Screen: screen.Home})
}

// again tries what did not work once more.
func (s *Screen) again() {
	if s.result.Drill {
		s.startDrill()
		return
	}
	if r := s.request; len(r.Sources) > 0 {
		s.page = pagePlan
		s.ask(r)
		return
	}
	s.goStart()
}

// runPage shows a running job.
type runPage struct {
	object              fyne.CanvasObject
	title, text         *widgets.Text
	clock, goal, left   *widgets.Text
	trying              *widgets.Text
	bar                 *widgets.Progress
	steps               *fyne.Container
	stop                *widgets.Button
	shown               []stepRow
	id                  app.JobID
	marks, words, extra []*widgets.Text
}

func newRunPage(env screen.Env, stop func(app.JobID)) *runPage {
	p := &runPage{
		title: widgets.NewText("", widgets.Heading()), text: widgets.NewText("", widgets.Muted()),
		clock: widgets.NewText("00:00", clockLook(false)), goal: widgets.NewText("", trailing()), left: widgets.NewText("", widgets.Caption()),
		trying: widgets.NewText("", widgets.Body().In(widgets.ToneWarn.Text())),
		bar:    widgets.NewProgress(), steps: widgets.Column(widgets.Gap12),
	}
	p.stop = widgets.NewButton(env.T("job.cancel"), func() { p.stop.Disable(); stop(p.id) })
	doing := widgets.NewCard(widgets.Column(widgets.Gap12, widgets.NewText(env.T("recover.run.doing"), widgets.Sub()), p.steps))
	p.object = widgets.Column(widgets.Gap16,
		widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap8, p.title, p.text), widgets.Column(0, p.clock, p.goal)),
		p.bar, p.left, p.trying, doing, widgets.Leading(p.stop))
	return p
}

func clockLook(late bool) widgets.Look {
	l := widgets.Look{Size: theme.SizeClock, Bold: true, OneLine: true, Trailing: true}
	if late {
		return l.In(widgets.ToneWarn.Text())
	}
	return l
}

func trailing() widgets.Look {
	l := widgets.Caption().Line()
	l.Trailing = true
	return l
}

func (p *runPage) set(v runView) {
	p.id = v.ID
	p.title.Set(v.Title)
	p.text.Set(v.Text)
	p.clock.Set(v.Clock)
	p.clock.SetLook(clockLook(v.Late))
	p.goal.Set(v.Goal)
	p.left.Set(v.Left)
	p.bar.Set(v.Share)
	p.trying.Set(v.Trying)
	screen.Visible(p.trying, v.Trying != "")
	if v.Stop {
		p.stop.Show()
	} else {
		p.stop.Hide()
	}
	if len(p.shown) != len(v.Steps) {
		p.build(len(v.Steps))
	}
	p.shown = v.Steps
	for i, st := range v.Steps {
		mark, look := "○", widgets.Muted()
		switch st.State {
		case stepDone:
			mark, look = "✓", widgets.Body()
		case stepNow:
			mark, look = "●", widgets.Strong()
		}
		p.marks[i].Set(mark)
		p.words[i].Set(st.Words)
		p.words[i].SetLook(look)
		p.extra[i].Set(st.Detail)
		if st.Detail == "" {
			p.extra[i].Hide()
		} else {
			p.extra[i].Show()
		}
	}
}

func (p *runPage) build(n int) {
	p.steps.RemoveAll()
	p.marks, p.words, p.extra = nil, nil, nil
	for range n {
		mark := widgets.NewText("○", widgets.Body().Line())
		words, extra := widgets.NewText("", widgets.Body()), widgets.NewText("", widgets.Caption())
		p.marks, p.words, p.extra = append(p.marks, mark), append(p.words, words), append(p.extra, extra)
		p.steps.Add(widgets.Line())
		p.steps.Add(widgets.Row(widgets.Gap12, []fyne.CanvasObject{widgets.Sized(20, 0, mark)}, widgets.Column(2, words, extra)))
	}
}
