package history

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// listHeight is how much of a long list is seen at once.
const listHeight = 300

// view is what History is made of.
type view struct {
	s                *Screen
	vm               viewModel
	head, day, panes fyne.CanvasObject
	none             *widgets.Card
	source           *widgets.Select
	sourceBox        *fyne.Container
	dayTitle         *widgets.Text
	next             *widgets.Button
	strip            *widgets.Strip
	points           *fyne.Container
	title, where     *widgets.Text
	up               *widgets.Button
	list             *widgets.List
	listBox          *fyne.Container
	text             *widget.TextGrid
	textBox          *fyne.Container
	empty            *widgets.Text
	restore          *widgets.Button
	export, compare  *widgets.Button
	drawn            bool
}

func newView(env screen.Env, s *Screen) *view {
	v := &view{s: s}
	v.sourceBox = widgets.Sized(200, 0, widgets.Column(0))
	v.head = widgets.Row(widgets.Gap16, nil, widgets.NewText(env.T("nav.history"), widgets.Heading()), v.sourceBox)
	v.none = widgets.NewCard(widgets.NewText(env.T("history.nosources"), widgets.Muted()))
	v.dayTitle = widgets.NewText("", widgets.Sub())
	v.strip = widgets.NewStrip()
	v.strip.OnPick = s.pickQuarter
	previous := widgets.NewButton(env.T("history.previous"), func() { s.moveDay(-1) })
	v.next = widgets.NewButton(env.T("history.next"), func() { s.moveDay(1) })
	v.day = widgets.NewCard(widgets.Column(widgets.Gap12, widgets.Row(widgets.Gap8, nil, v.dayTitle, previous, v.next), v.strip))

	v.points = widgets.Column(widgets.Gap8)
	left := widgets.NewCard(widgets.Column(widgets.Gap12, widgets.NewText(env.T("history.points"), widgets.Sub()), widgets.Scrolled(listHeight+60, v.points)))
	v.title, v.where = widgets.NewText("", widgets.Sub()), widgets.NewText("", widgets.Caption().Cut())
	v.up = widgets.NewButton(env.T("history.up"), s.up)
	v.list = widgets.NewList(func() int { return len(v.vm.Rows) }, func(i int) (fyne.ThemeIconName, string, string) {
		r := v.vm.Rows[i]
		return r.Icon, r.Name, r.Detail
	}, s.open)
	v.listBox = widgets.Sized(0, listHeight, v.list)
	v.text = widget.NewTextGrid()
	v.textBox = widgets.Sized(0, listHeight, v.text)
	v.text.Scroll = fyne.ScrollBoth
	v.empty = widgets.NewText("", widgets.Muted())
	v.restore = widgets.NewPrimary("", s.restore)
	v.export = widgets.NewButton(env.T("history.export"), s.export)
	v.compare = widgets.NewButton(env.T("history.compare"), s.compare)
	right := widgets.NewCard(widgets.Column(widgets.Gap12,
		widgets.Row(widgets.Gap12, nil, widgets.Column(2, v.title, v.where), v.up),
		v.empty, v.listBox, v.textBox, widgets.Leading(v.restore, v.compare, v.export)))
	v.panes = widgets.Split(240, widgets.Gap16, left, right)
	return v
}

func show(o fyne.CanvasObject, on bool) {
	if on {
		o.Show()
	} else {
		o.Hide()
	}
}

func (v *view) set(m viewModel) {
	old := v.vm
	v.vm = m
	if !v.drawn || !slices.Equal(old.Sources, m.Sources) || old.Source != m.Source {
		v.source = widgets.NewSelect(m.Sources, m.Source, func(i int) { v.s.pickSource(v.vm.Sources[i]) })
		v.sourceBox.Objects = []fyne.CanvasObject{v.source}
		v.sourceBox.Refresh()
	}
	v.drawn = true
	some := len(m.Sources) > 0
	show(v.none, !some)
	show(v.sourceBox, some)
	show(v.day, some)
	show(v.panes, some)
	v.dayTitle.Set(m.DayTitle)
	v.next.SetEnabled(m.Next)
	v.strip.Set(m.Bars, m.Hint)
	if !slices.Equal(old.Points, m.Points) || len(m.Points) == 0 {
		v.drawPoints()
	}
	v.title.Set(m.Title)
	show(v.title, m.Title != "")
	v.where.Set(m.Where)
	show(v.where, m.Where != "")
	show(v.up, m.Up)
	v.empty.Set(m.Empty)
	show(v.empty, m.Empty != "")
	show(v.listBox, len(m.Rows) > 0)
	v.list.Refresh()
	if old.Where != m.Where || old.Pane != m.Pane {
		v.list.Reset()
	}
	if v.text.Text() != m.Text {
		v.text.SetText(m.Text)
	}
	show(v.textBox, m.Text != "")
	if m.Restore != "" {
		v.restore.SetText(m.Restore)
	}
	show(v.restore, m.Restore != "")
	show(v.export, m.Restore != "")
	show(v.compare, m.Restore != "" && m.Pane == paneList)
}

func (v *view) drawPoints() {
	v.points.RemoveAll()
	for _, p := range v.vm.Points {
		c := widgets.NewChoice(p.Clock, widgets.Column(2, widgets.NewText(p.Clock, widgets.Strong()),
			widgets.NewText(p.Detail, widgets.Caption().In(p.Tone.Text()))), func() { v.s.pickPoint(p.ID) })
		c.Select(p.Chosen)
		v.points.Add(c)
	}
	if v.vm.NoPoints != "" {
		v.points.Add(widgets.NewText(v.vm.NoPoints, widgets.Muted()))
	}
	v.points.Refresh()
}
