package help

import (
	"fyne.io/fyne/v2"

	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// markWidth is what the number of an item takes.
const markWidth = 22

// read returns a page as it is shown.
func (s *Screen) read(name string) ([]fyne.CanvasObject, error) {
	p, err := assets.PageFor(s.env.Words.Language(), name)
	if err != nil {
		return nil, err
	}
	out := []fyne.CanvasObject{
		widgets.Leading(widgets.NewQuiet(s.env.T("help.all"), func() { s.show("") })),
		widgets.NewText(p.Title, widgets.Heading()),
	}
	var items *fyne.Container // of the list that the parts come to
	for _, part := range p.Parts {
		if part.Kind == assets.PartBullet || part.Kind == assets.PartNumber {
			if items == nil {
				items = widgets.Column(widgets.Gap8)
				out = append(out, items)
			}
			mark := "•"
			if part.Kind == assets.PartNumber {
				mark = s.env.Words.Number(int64(len(items.Objects) + 1))
			}
			items.Add(s.item(mark, part))
			continue
		}
		items = nil
		o, err := s.part(part)
		if err != nil {
			return nil, err
		}
		out = append(out, o...)
	}
	return out, nil
}

// part returns a part of a page that is no item. Of a screenshot nothing is
// shown: the window itself is at hand.
func (s *Screen) part(p assets.PagePart) ([]fyne.CanvasObject, error) {
	switch p.Kind {
	case assets.PartHeading:
		return []fyne.CanvasObject{widgets.NewText(p.Text(), widgets.Sub())}, nil
	case assets.PartPicture:
		return nil, nil
	case assets.PartSteps:
		return s.steps(p.For)
	}
	return []fyne.CanvasObject{s.prose(p)}, nil
}

func (s *Screen) item(mark string, p assets.PagePart) fyne.CanvasObject {
	return widgets.Split(markWidth, widgets.Gap8, widgets.NewText(mark, widgets.Strong().In(widgets.ToneGood.Text())), s.prose(p))
}

// prose returns a paragraph, with what it leads to below it: a link inside would
// not wrap.
func (s *Screen) prose(p assets.PagePart) fyne.CanvasObject {
	var runs []widgets.Run
	var links []fyne.CanvasObject
	for _, span := range p.Spans {
		runs = append(runs, widgets.Run{Text: span.Text, Bold: span.Bold, Mono: span.Mono})
		if name := span.Page; name != "" {
			title := span.Text
			if p, err := assets.PageFor(s.env.Words.Language(), name); err == nil { // a test follows every link
				title = p.Title
			}
			links = append(links, widgets.NewProse(widgets.Run{Text: title, Tapped: func() { s.show(name) }}))
		}
	}
	if len(links) == 0 {
		return widgets.NewProse(runs...)
	}
	if len(runs) == 1 {
		return links[0] // nothing is said but where it leads
	}
	return widgets.Column(widgets.Gap4, append([]fyne.CanvasObject{widgets.NewProse(runs...)}, links...)...)
}

// steps draws the steps of a guide, way by way.
func (s *Screen) steps(of string) ([]fyne.CanvasObject, error) {
	g, err := assets.GuideOf(of)
	if err != nil {
		return nil, err
	}
	t := s.env.T
	var out []fyne.CanvasObject
	for _, way := range g.Ways {
		if title := g.Title(s.env.Words, way); title != "" {
			out = append(out, widgets.NewText(title, widgets.Strong()))
		}
		if way.Note {
			out = append(out, widgets.NewText(t(g.Key(way)+".note"), widgets.Body().In(widgets.ToneWarn.Text())))
		}
		var steps []fyne.CanvasObject
		for i, step := range way.Steps {
			rows := []fyne.CanvasObject{
				widgets.NewSketch(screen.SceneOf(s.env.Words, step.Picture)),
				widgets.NewText(t("guide.step", assets.Args{"N": s.env.Words.Number(int64(i + 1))}), widgets.Strong().In(widgets.ToneGood.Text())),
				widgets.NewText(t(g.Key(way)+"."+step.Code), widgets.Body()),
			}
			if step.Copy != "" {
				rows = append(rows, widgets.CodeBegin(step.Copy, t("copy"), t("copied")))
			}
			steps = append(steps, widgets.Column(widgets.Gap8, rows...))
		}
		out = append(out, widgets.Grid(widgets.Gap24, widgets.SketchWidth, 3, steps...))
	}
	return out, nil
}
