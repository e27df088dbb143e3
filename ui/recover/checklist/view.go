package checklist

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

// head is the part that changes from second to second.
type head struct {
	object             fyne.CanvasObject
	title, text        *widgets.Text
	clock, goal        *widgets.Text
	left, trying, due  *widgets.Text
	bar                *widgets.Progress
	folds              map[app.StepCode]*widgets.Choice
	dueBox, leftTrying *fyne.Container
	dueStep            *widgets.Text
	dueGo              *widgets.Button
}

func newHead(words string, due func()) *head {
	h := &head{
		dueStep: widgets.NewText("", widgets.Caption()), dueGo: widgets.NewButton(words, due),
		title: widgets.NewText("", widgets.Heading()), text: widgets.NewText("", widgets.Muted()),
		clock: widgets.NewText("00:00", screen.ClockLook(false)), goal: widgets.NewText("", screen.Trailing()),
		left: widgets.NewText("", widgets.Caption()), trying: widgets.NewText("", widgets.Body().In(widgets.ToneWarn.Text())),
		due: widgets.NewText("", widgets.Strong()), bar: widgets.NewProgress(), folds: map[app.StepCode]*widgets.Choice{},
	}
	h.dueBox = widgets.Column(0, widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(2, h.due, h.dueStep), h.dueGo)))
	h.leftTrying = widgets.Column(widgets.Gap4, h.left, h.trying)
	h.object = widgets.Column(widgets.Gap12,
		widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap8, h.title, h.text), widgets.Column(0, h.clock, h.goal)),
		h.bar, h.leftTrying, h.dueBox)
	return h
}

func (h *head) set(v headView) {
	h.title.Set(v.Title)
	h.text.Set(v.Text)
	h.clock.Set(v.Clock)
	h.clock.SetLook(screen.ClockLook(v.Late))
	h.goal.Set(v.Goal)
	h.bar.Set(v.Share)
	h.left.Set(v.Left)
	h.trying.Set(v.Trying)
	h.due.Set(v.Deadline)
	h.dueStep.Set(v.DueStep)
	screen.Visible(h.dueGo, !v.Met)
	tone := widgets.ToneWarn
	switch {
	case v.Met:
		tone = widgets.ToneGood
	case v.Overdue:
		tone = widgets.ToneDanger
	}
	h.due.SetLook(widgets.Strong().In(tone.Text()))
	screen.Visible(h.left, v.Left != "")
	screen.Visible(h.trying, v.Trying != "")
	screen.Visible(h.leftTrying, v.Left != "" || v.Trying != "")
	screen.Visible(h.dueBox, v.Deadline != "")
}

// mark stands before a step; it says the state without colour.
func mark(s app.StepState, now bool) *widgets.Text {
	words := "○"
	switch s {
	case app.StepDone:
		words = "✓"
	case app.StepRunning:
		words = "●"
	case app.StepFailed:
		words = "!"
	case app.StepSkipped:
		words = "–"
	}
	look := widgets.Body().Line()
	if now {
		look = widgets.Strong().Line()
	}
	if s == app.StepFailed {
		look = widgets.Strong().Line().In(widgets.ToneDanger.Text())
	}
	return widgets.NewText(words, look)
}

// kvartCard shows what Kvart does.
func (p *Page) kvartCard(v view) fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.NewText(p.f.T("recover.run.doing"), widgets.Sub())}
	for _, r := range v.Kvart {
		look := widgets.Body()
		switch r.State {
		case app.StepOpen, app.StepSkipped:
			look = widgets.Muted()
		case app.StepRunning:
			look = widgets.Strong()
		}
		inner := []fyne.CanvasObject{widgets.NewText(r.Words, look)}
		if !r.Folds || p.told[r.Code] {
			for _, d := range r.Details {
				inner = append(inner, widgets.NewText(d, widgets.Caption()))
			}
		}
		inner = append(inner, p.kvartTrouble(r)...)
		row := widgets.Row(widgets.Gap8, []fyne.CanvasObject{widgets.Sized(16, 0, mark(r.State, r.State == app.StepRunning))},
			widgets.Column(2, inner...), widgets.NewText(r.Time, widgets.Caption().Line()))
		if r.Folds {
			rows = append(rows, widgets.NewFold(r.Words, row, func() { p.tell(r.Code) }))
			continue
		}
		rows = append(rows, widgets.Inset(8, 6, row))
	}
	return widgets.NewCard(widgets.Column(0, rows...))
}

// tell shows what a step of Kvart's found out, or hides it again.
func (p *Page) tell(code app.StepCode) {
	p.told[code] = !p.told[code]
	p.redraw()
}

// kvartTrouble is what can be done about a step of Kvart's that is not done.
func (p *Page) kvartTrouble(r kvartRow) []fyne.CanvasObject {
	t := p.f.T
	if p.ask.step == r.Code {
		return []fyne.CanvasObject{p.reason()}
	}
	again := func() { p.tick(app.TickRequest{Step: r.Code, Tick: app.TickDone}) }
	skip := widgets.NewButton(t("recover.going.skip"), func() { p.askReason(r.Code, app.TickSkip) })
	switch {
	case r.Skip:
		return []fyne.CanvasObject{widgets.Leading(widgets.NewButton(t("recover.going.after_all"), again))}
	case r.State != app.StepFailed:
		return nil
	case r.Paused:
		return []fyne.CanvasObject{
			widgets.NewText(t("recover.going.paused"), widgets.Strong().In(widgets.ToneWarn.Text())),
			widgets.Leading(widgets.NewButton(t("recover.going.on"), again), skip),
		}
	}
	buttons := []fyne.CanvasObject{widgets.NewButton(t("remedy.retry"), again)}
	if r.Problem == nil {
		return []fyne.CanvasObject{widgets.Leading(append(buttons, skip)...)}
	}
	if place, ok := r.Problem.Place(); ok {
		buttons = append([]fyne.CanvasObject{widgets.NewButton(r.Problem.Button, func() { p.f.Show(place) })}, buttons...)
	}
	if r.Held {
		buttons = []fyne.CanvasObject{widgets.NewButton(t("recover.infected.button"), func() { p.even(r.Code) })}
	}
	return []fyne.CanvasObject{p.problem(*r.Problem), widgets.Leading(append(buttons, skip)...)}
}

func (p *Page) problem(b screen.Problem) fyne.CanvasObject {
	return widgets.Column(2, widgets.NewText(b.Title, widgets.Strong().In(widgets.ToneDanger.Text())),
		widgets.NewText(b.Meaning, widgets.Body()), widgets.NewText(b.Next, widgets.Caption()))
}

// ownerCard shows what the owner does.
func (p *Page) ownerCard(v view) fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.NewText(p.f.T("recover.going.you"), widgets.Sub()), widgets.NewText(v.Sum, widgets.Caption())}
	clear(p.head.folds)
	next := v.current()
	for _, r := range v.Owner {
		rows = append(rows, widgets.Column(0, p.fold(r, r.Code == next)))
		if r.Code == p.open {
			room := widgets.Sized(24, 0, container.NewWithoutLayout())
			rows = append(rows, widgets.Row(widgets.Gap8, []fyne.CanvasObject{room}, widgets.Column(widgets.Gap8, p.unfolded(r)...)))
		}
	}
	return widgets.NewCard(widgets.Column(widgets.Gap4, rows...))
}

// fold is the line of a step.
func (p *Page) fold(r ownerRow, next bool) fyne.CanvasObject {
	t := p.f.T
	look := widgets.Body()
	switch {
	case next:
		look = widgets.Strong()
	case r.Waits != "" && r.State == app.StepOpen:
		look = widgets.Muted()
	}
	inner := []fyne.CanvasObject{widgets.NewText(r.Title, look)}
	if r.Told != "" {
		inner = append(inner, widgets.NewText(r.Told, widgets.Caption()))
	}
	var pills []fyne.CanvasObject
	pill := func(key string, tone widgets.Tone) {
		pills = append(pills, widgets.NewPill(t(key), tone))
	}
	if open := r.State == app.StepOpen; open {
		switch {
		case r.Overdue:
			pills = append(pills, widgets.NewPill(r.Due, widgets.ToneDanger))
		case r.Due != "":
			pills = append(pills, widgets.NewPill(r.Due, widgets.ToneWarn))
		}
		if r.Look {
			pill("recover.pill.look", widgets.ToneNeutral)
		}
		if len(r.Contacts) > 0 {
			pill("recover.pill.contact", widgets.ToneNeutral)
		}
		if len(r.Messages) > 0 {
			pill("recover.pill.draft", widgets.ToneNeutral)
		}
	}
	if len(pills) > 0 {
		inner = append(inner, widgets.Leading(pills...))
	}
	f := widgets.NewFold(r.Title, widgets.Row(widgets.Gap8, []fyne.CanvasObject{widgets.Sized(16, 0, mark(r.State, next))}, widgets.Column(2, inner...)), func() { p.turn(r.Code) })
	p.head.folds[r.Code] = f
	return f
}

// turn folds a step out, or in.
func (p *Page) turn(code app.StepCode) {
	p.ask = asking{}
	if p.open == code {
		code = ""
	}
	was := p.open
	p.open, p.kept = code, true
	p.redraw()
	if code == "" {
		code = was
	}
	p.focusStep(code)
}

// unfolded is everything about one step.
func (p *Page) unfolded(r ownerRow) []fyne.CanvasObject {
	t := p.f.T
	rows := []fyne.CanvasObject{
		widgets.NewText(r.Why, widgets.Body()),
		widgets.NewText(t("recover.going.result", map[string]any{"Result": r.Result}), widgets.Caption()),
	}
	for _, d := range append(r.Details, r.Points...) {
		rows = append(rows, widgets.NewText(d, widgets.Body()))
	}
	if r.Problem != nil {
		rows = append(rows, p.problem(*r.Problem))
	}
	if r.Asked {
		rows = append(rows, p.contacts(r))
	}
	for _, m := range r.Messages {
		rows = append(rows, widgets.NewText(m.Title, widgets.Strong()), p.message(m))
	}
	if p.ticking == r.Code {
		return append(rows, widgets.NewText(t("recover.going.looking"), widgets.Muted()))
	}
	if p.ask.step == r.Code {
		return append(rows, p.reason())
	}
	return append(rows, p.answers(r))
}

// message is a text for others, to be copied.
func (p *Page) message(m app.Message) fyne.CanvasObject {
	b := widgets.NewButton(p.f.T("recover.copy"), nil)
	b.OnTapped = func() {
		fyne.CurrentApp().Clipboard().SetContent(m.Text)
		b.SetText(p.f.T("copied"))
	}
	return widgets.Column(widgets.Gap8, widgets.NewSurface(theme.ColorNeutralTint, widgets.Inset(12, 10, widgets.NewText(m.Text, widgets.Body()))), widgets.Leading(b))
}

// contacts tells whom to call.
func (p *Page) contacts(r ownerRow) fyne.CanvasObject {
	change := widgets.NewButton(p.f.T("recover.contacts.button"), func() { p.OnContacts() })
	if len(r.Contacts) == 0 {
		return widgets.Column(widgets.Gap4, widgets.NewText(p.f.T("recover.going.nobody"), widgets.Caption()), widgets.Leading(change))
	}
	var rows []fyne.CanvasObject
	for _, c := range r.Contacts {
		line := strings.Join(strings.Fields(strings.Join([]string{c.Name, c.Phone, c.Mail}, "  ")), " ")
		rows = append(rows, widgets.NewText(assets.RoleWords(p.f.Words, c.Role), widgets.Caption()), widgets.NewText(line, widgets.Strong()))
	}
	return widgets.Column(2, rows...)
}

// answers asks whether it worked.
func (p *Page) answers(r ownerRow) fyne.CanvasObject {
	t := p.f.T
	switch {
	case r.Waits != "":
		return widgets.Column(widgets.Gap8, widgets.NewText(r.Waits, widgets.Caption()),
			widgets.Leading(widgets.NewButton(t("recover.going.skip"), func() { p.askReason(r.Code, app.TickSkip) })))
	case r.State == app.StepDone || r.State == app.StepSkipped:
		return widgets.Leading(widgets.NewButton(t("recover.going.reopen"), func() { p.tick(app.TickRequest{Step: r.Code, Tick: app.TickUndo}) }))
	}
	yes := widgets.NewPrimary(t("recover.going.yes"), func() { p.tick(app.TickRequest{Step: r.Code, Tick: app.TickDone}) })
	no := widgets.NewButton(t("recover.going.no"), func() { p.askReason(r.Code, app.TickFailed) })
	skip := widgets.NewButton(t("recover.going.skip"), func() { p.askReason(r.Code, app.TickSkip) })
	if r.Consent {
		yes = widgets.NewPrimary(t("recover.going.agree"), func() { p.agree(r.Code) })
		no = widgets.NewButton(t("recover.going.choose"), func() { p.OnChoose(p.facts.Incident) })
	}
	rows := []fyne.CanvasObject{}
	if !r.Consent {
		key := "recover.going.worked"
		if r.Probed {
			key = "recover.going.probed"
		}
		rows = append(rows, widgets.NewText(t(key), widgets.Strong()))
	}
	return widgets.Column(widgets.Gap8, append(rows, widgets.Leading(yes, no, skip))...)
}

// reason asks why.
func (p *Page) reason() fyne.CanvasObject {
	t := p.f.T
	key := "recover.reason." + string(p.ask.tick)
	give := widgets.NewPrimary(t(key+".yes"), p.giveReason)
	give.SetEnabled(p.ask.tick != app.TickSkip || strings.TrimSpace(p.ask.entry.Text) != "")
	p.ask.entry.OnChanged = func(v string) { give.SetEnabled(p.ask.tick != app.TickSkip || strings.TrimSpace(v) != "") }
	return widgets.Column(widgets.Gap8, widgets.NewText(t(key), widgets.Strong()), p.ask.entry,
		widgets.Leading(give, widgets.NewButton(t("recover.reason.no"), func() { p.Back() })))
}

// buttons are what can be done about the incident as a whole.
func (p *Page) buttons(v view) fyne.CanvasObject {
	t := p.f.T
	return widgets.Leading(append(p.reportButtons(), widgets.NewButton(t("recover.print"), p.print), widgets.NewButton(t(p.closing("")), p.close))...)
}

// brakes stop what is going on, or take it back; none where there is nothing.
func (p *Page) brakes(v view) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	if v.Job != "" {
		out = append(out, widgets.NewButton(p.f.T("recover.pause"), p.pause))
	}
	if v.Undo != "" {
		out = append(out, widgets.NewButton(p.f.T("recover.undo.all"), p.undoAll))
	}
	if len(out) == 0 {
		return nil
	}
	return []fyne.CanvasObject{widgets.Leading(out...)}
}
