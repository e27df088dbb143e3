package safety

import (
	"context"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/kit"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

// draw shows the list.
func (s *Screen) draw() {
	t := s.env.T
	s.drawn = true
	if !s.vm.HasVault {
		s.put(s.title("nav.safety", "sources.novault"), widgets.Leading(widgets.NewPrimary(t("home.button.empty"), s.Enter)))
		return
	}
	if s.vm.Past {
		s.put(s.title("nav.safety", "safety.past"))
		return
	}
	objects := []fyne.CanvasObject{s.title("nav.safety", "safety.text")}
	if len(s.result) > 0 {
		objects = append(objects, s.resultCard())
	}
	if s.vm.Damaged != "" {
		objects = append(objects, s.damage())
	}
	if s.invitation != nil {
		objects = append(objects, s.invitationCard(*s.invitation))
	}
	objects = append(objects,
		widgets.Grid(widgets.Gap16, 320, 2, s.ruleCard(), widgets.Column(widgets.Gap16, s.kitCard(), s.lockCard())),
		s.peakCard(), s.drillsCard(), s.copiesCard(),
		widgets.Grid(widgets.Gap16, 320, 2, s.checkCard(), s.useCard()),
		s.computersCard(), s.passCard())
	s.put(objects...)
}

// resultCard tells what came of the last job that was started here.
func (s *Screen) resultCard() fyne.CanvasObject {
	rows := widgets.Column(widgets.Gap8)
	for _, r := range s.result {
		rows.Add(widgets.NewText(r, widgets.Strong()))
	}
	return widgets.NewCard(rows)
}

// longPill is how many letters a pill may have to stand beside a card's title.
const longPill = 24

// card is a card with a head, what it means and buttons.
func (s *Screen) card(title string, v stand, buttons ...fyne.CanvasObject) *fyne.Container {
	name := widgets.NewText(s.env.T(title), widgets.Sub())
	rows := []fyne.CanvasObject{name}
	switch {
	case len([]rune(v.Pill)) > longPill:
		rows = append(rows, widgets.Leading(widgets.NewPill(v.Pill, v.Tone)))
	case v.Pill != "":
		rows = []fyne.CanvasObject{widgets.Row(widgets.Gap12, nil, name, widgets.NewPill(v.Pill, v.Tone))}
	}
	for _, l := range v.Lines {
		rows = append(rows, widgets.NewText(l, widgets.Body()))
	}
	if len(buttons) > 0 {
		rows = append(rows, widgets.Leading(buttons...))
	}
	return widgets.Column(widgets.Gap8, rows...)
}

func (s *Screen) ruleCard() fyne.CanvasObject {
	v := stand{Pill: s.env.T("safety.rule.unmet"), Tone: widgets.ToneWarn, Lines: []string{s.env.T("safety.rule.text")}}
	if s.vm.Met {
		v.Pill, v.Tone = s.env.T("safety.rule.met"), widgets.ToneGood
	}
	c := s.card("safety.rule", v)
	for _, r := range s.vm.Rule {
		words := widgets.Column(2, widgets.NewText(r.Title, widgets.Strong()), widgets.NewText(r.Text, widgets.Caption()))
		if r.Todo != "" {
			words.Add(widgets.NewText(r.Todo, widgets.Body()))
		}
		c.Add(widgets.Line())
		c.Add(widgets.Row(widgets.Gap12, nil, words, widgets.NewPill(r.Pill, r.Tone)))
	}
	return widgets.NewCard(c)
}

func (s *Screen) kitCard() fyne.CanvasObject {
	t, k := s.env.T, s.vm.Kit
	v := stand{Pill: k.Pill, Tone: k.Tone, Lines: append([]string{k.Text}, k.Dates...)}
	var buttons []fyne.CanvasObject
	switch k.Stand {
	case kit.None:
		buttons = append(buttons, widgets.NewPrimary(t("safety.kit.first"), func() { s.openKit(true) }))
	case kit.Void:
		buttons = append(buttons, widgets.NewPrimary(t("safety.kit.make"), func() { s.openKit(true) }))
	case kit.Unconfirmed:
		buttons = append(buttons, widgets.NewPrimary(t("safety.kit.confirm"), func() { s.openKit(false) }))
	default:
		buttons = append(buttons, widgets.NewButton(t("safety.kit.make"), func() { s.openKit(true) }))
	}
	return widgets.NewCard(s.card("safety.kit", v, buttons...))
}

func (s *Screen) lockCard() fyne.CanvasObject {
	var buttons []fyne.CanvasObject
	if s.vm.Lock.Can {
		buttons = append(buttons, widgets.NewButton(s.env.T("safety.lock.try"), s.proveLock))
	}
	return widgets.NewCard(s.card("safety.lock", s.vm.Lock, buttons...))
}

// damage says that something stored can't be read, and offers to mend it.
func (s *Screen) damage() fyne.CanvasObject {
	t := s.env.T
	mend := widgets.NewPrimary(t("safety.mend"), func() { s.start(s.env.Service.StartRepair) })
	mend.SetEnabled(s.vm.Job == nil)
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap8,
		widgets.NewText(s.vm.Damaged, widgets.Sub().In(widgets.ToneDanger.Text())), widgets.NewText(t("safety.mend.text"), widgets.Body())), mend)).Emphasise()
}

func (s *Screen) checkCard() fyne.CanvasObject {
	b := widgets.NewButton(s.env.T("safety.check.now"), func() { s.start(s.env.Service.StartCheck) })
	b.SetEnabled(s.vm.Job == nil)
	return widgets.NewCard(s.card("safety.check", s.vm.Check, b))
}

func (s *Screen) useCard() fyne.CanvasObject {
	c := s.card("safety.use", s.vm.Use)
	if s.vm.Share > 0 {
		bar := widgets.NewProgress()
		bar.Set(s.vm.Share)
		c.Add(bar)
	}
	return widgets.NewCard(c)
}

func (s *Screen) copiesCard() fyne.CanvasObject {
	t := s.env.T
	v := stand{Lines: []string{t("safety.copies.text")}}
	if len(s.vm.Copies) == 0 {
		v.Lines = append(v.Lines, t("safety.copies.none"))
	}
	c := s.card("safety.copies", v)
	for _, r := range s.vm.Copies {
		now := widgets.NewButton(t("safety.copy.now"), func() {
			s.start(func(ctx context.Context) (app.JobID, error) {
				return s.env.Service.StartCopy(ctx, []string{r.Name})
			})
		})
		now.SetEnabled(s.vm.Job == nil)
		words := widgets.Column(2, widgets.NewText(r.Name, widgets.Strong()), widgets.NewText(r.Where, widgets.Caption()), widgets.NewText(r.Text, widgets.Body()))
		if r.Problem != nil {
			words.Add(widgets.NewText(r.Problem.Title, widgets.Strong().In(widgets.ToneDanger.Text())))
			words.Add(widgets.NewText(r.Problem.Next, widgets.Caption()))
		}
		c.Add(widgets.Line())
		c.Add(widgets.Row(widgets.Gap12, nil, words, widgets.NewPill(r.Pill, r.Tone)))
		c.Add(widgets.Leading(now, widgets.NewButton(t("safety.copy.remove"), func() { s.askRemove(r.Name) })))
	}
	c.Add(widgets.Leading(widgets.NewButton(t("safety.copy.add"), s.openAdder)))
	return widgets.NewCard(c)
}

func (s *Screen) computersCard() fyne.CanvasObject {
	t := s.env.T
	v := stand{Lines: []string{t("safety.computers.text")}}
	if s.failed != nil {
		v.Lines = append(v.Lines, screen.Explain(s.env.Words, s.failed, "").Title)
	}
	c := s.card("safety.computers", v)
	for _, r := range modelComputers(s.env.Words, s.computers, s.status.Self, s.env.Now()) {
		var pill []fyne.CanvasObject
		if r.Pill != "" {
			pill = append(pill, widgets.NewPill(r.Pill, r.Tone))
		}
		c.Add(widgets.Line())
		c.Add(widgets.Row(widgets.Gap12, nil, widgets.Column(2, widgets.NewText(r.Name, widgets.Strong()), widgets.NewText(r.Text, widgets.Caption())), pill...))
	}
	c.Add(widgets.Leading(widgets.NewButton(t("safety.invite"), s.invite)))
	return widgets.NewCard(c)
}

// invitationCard shows the code that opens an invitation, this once.
func (s *Screen) invitationCard(in app.Invitation) fyne.CanvasObject {
	t := s.env.T
	return widgets.NewCard(widgets.Column(widgets.Gap8,
		widgets.NewText(t("safety.invite.done"), widgets.Sub()),
		widgets.NewText(t("safety.invite.path", map[string]any{"Path": in.Path}), widgets.Body()),
		widgets.NewText(in.Code, widgets.Look{Size: theme.SizeFigure, Bold: true, Mono: true}),
		widgets.NewText(t("safety.invite.text", map[string]any{"When": s.env.Words.When(in.Expires, s.env.Now())}), widgets.Muted()),
		widgets.Leading(widgets.NewButton(t("safety.invite.close"), func() { s.invitation = nil; s.draw() })))).Emphasise()
}

func (s *Screen) passCard() fyne.CanvasObject {
	t := s.env.T
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4,
		widgets.NewText(t("safety.pass"), widgets.Sub()), widgets.NewText(t("safety.pass.text"), widgets.Body())),
		widgets.NewButton(t("safety.pass.change"), s.openPassphrase)))
}
