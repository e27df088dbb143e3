package recover

import (
	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

func (s *Screen) choice(title, text string, tapped func()) *widgets.Choice {
	return widgets.NewChoice(title, widgets.Column(widgets.Gap4,
		widgets.NewText(title, widgets.Strong()), widgets.NewText(text, widgets.Caption())), tapped)
}

func (s *Screen) backButton() fyne.CanvasObject {
	return widgets.Leading(widgets.NewButton(s.env.T("back"), func() { s.Back() }))
}

func (s *Screen) drawPlan() {
	s.primary, s.name = s.enter(), nil
	objects := []fyne.CanvasObject{s.frame.Title(s.env.T("recover.plan.head"), s.env.T("recover.plan.text"))}
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
	objects := []fyne.CanvasObject{s.frame.Title(v.Title, v.Text)}
	if v.Problem != nil {
		objects = append(objects, screen.ProblemCard(*v.Problem, s.again))
	}
	if len(v.Places) > 0 {
		objects = append(objects, s.placesCard(v))
	}
	if len(v.Checks) > 0 {
		objects = append(objects, s.checksCard(v))
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

// again tries what did not work once more: the very thing, not what was asked
// about before it.
func (s *Screen) again() {
	j := s.ended
	mine := j.ID != "" && j.ID == s.begun
	switch r := s.request; {
	case j.Kind == app.JobRestore && mine && len(r.Sources) > 0:
		s.page = pagePlan
		s.ask(r)
	case j.Kind != app.JobRestore && mine:
		s.redo()
	case j.Kind == app.JobDrill:
		s.startDrill(drilled(j))
	case j.Kind == app.JobUndo && j.Restore != nil && j.Restore.Undoes != "":
		s.undo(j.Restore.Undoes)
	default:
		s.goStart()
	}
}

// drilled lists the sources of a drill; none stands for all.
func drilled(j app.Job) (names []string) {
	for _, d := range j.Drills {
		names = append(names, d.Source)
	}
	return names
}
