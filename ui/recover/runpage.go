package recover

import (
	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

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
		clock: widgets.NewText("00:00", screen.ClockLook(false)), goal: widgets.NewText("", screen.Trailing()), left: widgets.NewText("", widgets.Caption()),
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

func (p *runPage) set(v runView) {
	p.id = v.ID
	p.title.Set(v.Title)
	p.text.Set(v.Text)
	p.clock.Set(v.Clock)
	p.clock.SetLook(screen.ClockLook(v.Late))
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
