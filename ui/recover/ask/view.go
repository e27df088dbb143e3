package ask

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

func (p *Page) draw() {
	t := p.f.T
	key := "incident.playbook." + string(p.code)
	objects := []fyne.CanvasObject{p.f.Title(t(key), t(introOf(p.code, p.status)))}
	if p.change != nil {
		objects = []fyne.CanvasObject{p.f.Title(t("recover.ask.change"), t("recover.ask.change.text"))}
	}
	p.wrong = widgets.NewText("", widgets.Body().In(widgets.ToneDanger.Text()))
	what, began := asks(p.code)
	if what && len(p.status.Sources) > 0 {
		objects = append(objects, p.whatCard())
	}
	if began {
		objects = append(objects, p.whenCard())
	}
	if what {
		objects = append(objects, p.candidateObjects()...)
	}
	objects = append(objects, p.beginCard())
	if p.change == nil {
		objects = append(objects, p.noteCard()) // below: on a bad day nothing stands in the way of the button
	}
	objects = append(objects, widgets.Leading(widgets.NewButton(t("back"), p.OnBack)))
	p.f.Put(objects...)
	p.check()
}

// check lets the incident be opened, or says what is missing.
func (p *Page) check() {
	_, wrong := p.before()
	if wrong != "" && p.clock != "" {
		p.wrong.Set(p.f.T(wrong))
	} else {
		p.wrong.Set("")
	}
	screen.Visible(p.wrong, p.wrong.Words() != "")
	p.begin.SetEnabled(wrong == "" && !p.stale())
	p.f.Relayout()
}

func (p *Page) choiceCard(title, text string, on bool, tapped func()) fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.NewText(title, widgets.Strong())}
	if text != "" {
		rows = append(rows, widgets.NewText(text, widgets.Caption()))
	}
	mark := "○"
	if on {
		mark = "●"
	}
	c := widgets.NewChoice(title, widgets.Row(widgets.Gap8, []fyne.CanvasObject{widgets.NewText(mark, widgets.Body().Line())}, widgets.Column(2, rows...)), tapped)
	c.Select(on)
	return c
}

// whatCard asks what it is about.
func (p *Page) whatCard() fyne.CanvasObject {
	t := p.f.T
	choices := []fyne.CanvasObject{p.choiceCard(t("recover.ask.all"), "", len(p.choice.Sources) == 0, func() { p.choose(nil) })}
	for _, s := range p.status.Sources {
		name := s.Source.Name
		choices = append(choices, p.choiceCard(name, "", slices.Contains(p.choice.Sources, name), func() { p.toggle(name) }))
	}
	rows := []fyne.CanvasObject{widgets.NewText(t("recover.ask.what"), widgets.Sub()), widgets.Grid(widgets.Gap8, 170, 4, choices...)}
	if len(p.choice.Paths) > 0 {
		rows = append(rows, widgets.NewText(t("recover.ask.paths", map[string]any{"Paths": strings.Join(p.choice.Paths, ", ")}), widgets.Body()))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

// whenCard asks when it began.
func (p *Page) whenCard() fyne.CanvasObject {
	t := p.f.T
	var choices []fyne.CanvasObject
	for _, k := range whens() {
		choices = append(choices, p.choiceCard(t("recover.when."+string(k)), "", p.when == k, func() { p.setWhen(k) }))
	}
	rows := []fyne.CanvasObject{
		widgets.NewText(t("recover.when"), widgets.Sub()), widgets.NewText(t("recover.when.text"), widgets.Caption()),
		widgets.Grid(widgets.Gap8, 170, 4, choices...),
	}
	if p.when != whenNow {
		clock := widgets.NewEntry(p.clock, func(v string) { p.clock = v; p.check() })
		clock.SetPlaceHolder("14:30")
		field := func(key string, width float32, e *widgets.Entry) fyne.CanvasObject {
			return widgets.Row(widgets.Gap8, []fyne.CanvasObject{widgets.NewText(t(key), widgets.Body().Line()), widgets.Sized(width, 0, e)}, nil)
		}
		var line []fyne.CanvasObject
		if p.when == whenDay {
			line = append(line, field("recover.when.date", 140, widgets.NewEntry(p.day, func(v string) { p.day = v; p.check() })))
		}
		line = append(line, field("recover.when.clock", 100, clock), widgets.NewButton(t("recover.when.look"), p.lookAnew))
		rows = append(rows, widgets.Leading(line...))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap12, append(rows, p.wrong)...))
}

// candidateObjects show which backups there are.
func (p *Page) candidateObjects() []fyne.CanvasObject {
	t := p.f.T
	switch {
	case p.waiting:
		return []fyne.CanvasObject{widgets.NewCard(widgets.NewText(t("recover.cand.waiting"), widgets.Muted()))}
	case p.err != nil:
		b := screen.Explain(p.f.Words, p.err, "").Retry(p.f.Words)
		return []fyne.CanvasObject{screen.ProblemCard(b, p.look)}
	case len(p.found) == 0:
		return nil
	}
	rows, without := rowsOf(p.f.Words, p.found, p.choice.Point, p.f.Now())
	one := len(p.found) == 1
	head := t("recover.cand.title")
	if one {
		head = t("recover.cand.choose")
	}
	objects := []fyne.CanvasObject{widgets.NewText(head, widgets.Sub())}
	for _, r := range rows {
		objects = append(objects, p.candidate(r, one))
	}
	if one && len(p.found[0].list) >= p.limit && p.limit < manyCandidates {
		objects = append(objects, widgets.Leading(widgets.NewButton(t("recover.cand.more"), p.more)))
	}
	if len(without) > 0 {
		words := t("recover.cand.none", map[string]any{"Sources": strings.Join(without, ", ")})
		objects = append(objects, widgets.NewText(words, widgets.Body().In(widgets.ToneWarn.Text())))
	}
	return []fyne.CanvasObject{widgets.NewCard(widgets.Column(widgets.Gap8, objects...))}
}

// candidate is a backup: to be chosen where there is one source, else told.
func (p *Page) candidate(r candidateRow, choose bool) fyne.CanvasObject {
	var pills []fyne.CanvasObject
	for _, l := range r.Pills {
		pills = append(pills, widgets.NewPill(l.Words, l.Tone))
	}
	title := r.When
	if !choose {
		title = p.f.T("recover.cand.of", map[string]any{"Source": r.Source, "When": r.When})
	}
	words := widgets.Column(2, widgets.NewText(title, widgets.Strong()), widgets.NewText(r.Detail, widgets.Caption()))
	if !choose {
		return widgets.Row(widgets.Gap8, nil, words, pills...)
	}
	mark := "○"
	if r.Chosen {
		mark = "●"
	}
	words.Add(widgets.Leading(pills...))
	return widgets.NewFold(title, widgets.Row(widgets.Gap8, []fyne.CanvasObject{widgets.NewText(mark, widgets.Body().Line())}, words), func() { p.pick(r.Point) })
}

// noteCard asks for a word about it, for the report.
func (p *Page) noteCard() fyne.CanvasObject {
	e := widgets.NewLines(p.note, func(v string) { p.note = v })
	e.Wrapping = fyne.TextWrapWord
	e.SetMinRowsVisible(2)
	return widgets.NewCard(widgets.Column(widgets.Gap8,
		widgets.NewText(p.f.T("recover.ask.note"), widgets.Strong()), widgets.NewText(p.f.T("recover.ask.note.text"), widgets.Caption()), e))
}

// beginCard tells what comes of it, and begins.
func (p *Page) beginCard() fyne.CanvasObject {
	t := p.f.T
	key := "recover.ask.begin"
	if p.change != nil {
		key = "recover.ask.use"
	}
	p.begin = widgets.NewPrimary(t(key), p.start)
	rows := []fyne.CanvasObject{widgets.NewText(t(key+".title"), widgets.Sub())}
	if p.plan != nil && p.err == nil {
		sentence, undo := planText(p.f.Words, *p.plan, p.code == app.PlaybookRehearsal)
		rows = append(rows, widgets.NewText(sentence, widgets.Body()))
		for _, s := range p.plan.Sources {
			rows = append(rows, widgets.NewText(t("recover.ask.to", map[string]any{"Source": s.Source, "When": p.f.Words.When(s.Point.Time, p.f.Now()), "Where": s.Plan.Where}), widgets.Caption()))
		}
		rows = append(rows, widgets.NewText(undo, widgets.Muted()))
	}
	text := key + ".text"
	if p.code == app.PlaybookRehearsal && p.change == nil {
		text = "recover.rehearsal.begin"
	}
	rows = append(rows, widgets.NewText(t(text), widgets.Muted()))
	return widgets.NewCard(widgets.Row(widgets.Gap24, nil, widgets.Column(widgets.Gap4, rows...), widgets.Sized(150, 46, p.begin))).Emphasise()
}
