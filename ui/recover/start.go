package recover

import (
	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// troubles lists what may have happened; practising has a card of its own.
func troubles() []app.PlaybookCode {
	return []app.PlaybookCode{
		app.PlaybookDeleted, app.PlaybookHacked, app.PlaybookComputer, app.PlaybookCrashed, app.PlaybookShopDown, app.PlaybookUpdate,
	}
}

// drawStart asks what happened.
func (s *Screen) drawStart() {
	t := s.env.T
	s.start = modelStart(s.env.Words, s.status, s.env.Now())
	s.primary = s.enter()
	var choices []fyne.CanvasObject
	for _, code := range troubles() {
		open := func() { s.openAsk(code, app.Choice{}) }
		if code == app.PlaybookDeleted {
			open = s.openFind
		}
		choices = append(choices, s.choice(t("incident.playbook."+string(code)), t("recover.short."+string(code)), open))
	}
	objects := []fyne.CanvasObject{
		s.frame.Title(t("recover.start.title"), t("recover.start.text")),
		widgets.Grid(widgets.Gap12, 230, 3, choices...),
	}
	if s.start.HasBackups {
		objects = append(objects, s.planObjects()...)
		objects = append(objects, widgets.Leading(widgets.NewButton(t("recover.one.button"), s.showPick)))
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
	s.put(append(objects, s.practiseCard(), s.prepareCard())...)
}

// practiseCard tells how the last drill went, and runs one.
func (s *Screen) practiseCard() fyne.CanvasObject {
	t := s.env.T
	drill := widgets.NewButton(t("recover.drill.button"), func() { s.startDrill(nil) })
	drill.SetEnabled(s.start.HasBackups)
	return widgets.NewCard(widgets.Column(widgets.Gap12, widgets.Column(widgets.Gap4,
		widgets.NewText(t("recover.drill.title"), widgets.Strong()),
		widgets.NewText(t("recover.drill.text"), widgets.Caption()),
		widgets.NewText(s.start.Drill, widgets.Caption().In(s.start.DrillTone.Text()))),
		widgets.Leading(drill,
			widgets.NewButton(t("recover.drills.button"), func() { s.open(pageDrills) }),
			widgets.NewButton(t("recover.rehearse.button"), func() { s.openAsk(app.PlaybookRehearsal, app.Choice{}) }))))
}

// prepareCard leads to what is done before it happens.
func (s *Screen) prepareCard() fyne.CanvasObject {
	t := s.env.T
	return widgets.NewCard(widgets.Column(widgets.Gap12, widgets.Column(widgets.Gap4,
		widgets.NewText(t("recover.prepare"), widgets.Strong()), widgets.NewText(t("recover.prepare.text"), widgets.Caption())),
		widgets.Leading(
			widgets.NewButton(t("recover.contacts"), s.openContacts),
			widgets.NewButton(t("recover.soon"), s.openSoon),
			widgets.NewButton(t("recover.papers.button"), func() { s.open(pagePapers) }),
			widgets.NewButton(t("recover.past"), func() { s.open(pagePast) }))))
}

// showPick asks which source is to be brought back.
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
	s.put(s.frame.Title(s.env.T("recover.pick.title"), s.env.T("recover.pick.text")),
		widgets.Grid(widgets.Gap16, 240, 2, choices...), s.backButton())
}
