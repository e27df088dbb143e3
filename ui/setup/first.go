package setup

import (
	"reflect"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// leftItem is one thing that being protected takes.
type leftItem struct {
	Text string
	Done bool
}

// modelLeft lists what being protected takes, and what of it is done: a point of
// every source that was read back, the kit, and that nothing else is amiss.
func modelLeft(w *assets.Words, s app.Status, f *Flow) []leftItem {
	var out []leftItem
	for _, src := range s.Sources {
		key, done := "setup.left.waiting", false
		switch {
		case src.Point != nil && src.Point.Verified:
			key, done = "setup.left.safe", true
		case src.Point != nil:
			key = "setup.left.unread"
		case src.Error != nil:
			key = "setup.left.failed"
		}
		out = append(out, leftItem{w.T(key, assets.Args{"Source": src.Source.Name}), done})
	}
	for _, p := range f.unadded() {
		out = append(out, leftItem{w.T("setup.left.unadded", assets.Args{"Source": p.Name}), false})
	}
	switch {
	case s.Kit.Good():
		out = append(out, leftItem{w.T("setup.left.kit.good"), true})
	case s.Kit.Number > 0 && !s.Kit.Void:
		out = append(out, leftItem{w.T("setup.left.kit.unconfirmed"), false})
	default:
		out = append(out, leftItem{w.T("setup.left.kit"), false})
	}
	return out
}

// unadded returns what the owner wanted protected and is not.
func (f *Flow) unadded() []pick {
	var out []pick
	for _, p := range f.ticked() {
		if p.Tried && !p.Added {
			out = append(out, p)
		}
	}
	return out
}

// leftRows draws the list, with a sign beside each so that colour is not all
// that tells them apart.
func leftRows(w *assets.Words, items []leftItem) fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.NewText(w.T("setup.left"), widgets.Sub())}
	for _, i := range items {
		pill := widgets.NewPill(w.T("setup.left.todo"), widgets.ToneWarn)
		if i.Done {
			pill = widgets.NewPill(w.T("setup.left.done"), widgets.ToneGood)
		}
		rows = append(rows, widgets.Row(widgets.Gap12, nil, widgets.NewText(i.Text, widgets.Body()), pill))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap12, rows...))
}

// showFirst draws the last page, anew only where something has changed.
func (s *Screen) showFirst() {
	if !s.flow.recalled {
		// What is left is not known yet: it may be more than the status says.
		s.put(widgets.NewText(s.env.T("setup.busy"), widgets.Muted()))
		s.check()
		return
	}
	v := modelFirst(s.env.Words, s.status, s.flow, s.env.Now())
	if v.Job != nil {
		s.job.Set(*v.Job)
		widgets.Relayout(s.scroll)
	}
	old, now := s.shown, v
	s.shown = v
	old.Job, now.Job = nil, nil
	if !reflect.DeepEqual(old, now) {
		s.put(s.firstParts(v)...)
		s.next.SetText(v.Button)
	}
	s.check()
}

func (s *Screen) firstParts(v firstView) []fyne.CanvasObject {
	objects := []fyne.CanvasObject{widgets.Column(widgets.Gap8, widgets.NewText(v.Title, widgets.Heading()), widgets.NewText(v.Text, widgets.Muted()))}
	if v.Job != nil {
		objects = append(objects, s.job.Object())
	}
	if len(v.Left) > 0 {
		objects = append(objects, leftRows(s.env.Words, v.Left))
	}
	for _, p := range v.Problems {
		objects = append(objects, screen.ProblemCard(p, nil))
	}
	if v.Again {
		objects = append(objects, widgets.Leading(widgets.NewButton(s.env.T("setup.left.again"), s.again)))
	}
	return objects
}

// again goes back for what could not be added.
func (s *Screen) again() {
	s.flow.made = false
	s.flow.page = pageWhat
	if i := s.flow.open(); i >= 0 {
		s.flow.asked, s.flow.page = i, pageAsk
	}
	s.show()
}
