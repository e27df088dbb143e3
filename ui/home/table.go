package home

import (
	"fyne.io/fyne/v2"

	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// shares are the widths of the table of sources.
func shares() []float32 { return []float32{36, 18, 14, 14, 18} }

func (s *Screen) drawSources() {
	s.list.RemoveAll()
	head := make([]fyne.CanvasObject, 0, 5)
	for _, k := range []string{"source", "last", "changed", "back", "state"} {
		head = append(head, widgets.NewText(s.env.T("home.table."+k), widgets.Caption().Cut()))
	}
	s.list.Add(widgets.Inset(8, 0, widgets.TableHead(shares(), head...))) // as a row that can be pressed is
	for _, r := range s.vm.Sources {
		s.list.Add(widgets.Line())
		s.list.Add(widgets.NewFold(r.Name, widgets.Columns(shares(),
			widgets.Column(0, widgets.NewText(r.Name, widgets.Strong().Cut()), widgets.NewText(r.Kind, widgets.Caption().Cut())),
			widgets.NewText(r.Last, widgets.Body().Cut()),
			widgets.NewText(r.Change, widgets.Body().Cut()),
			widgets.NewText(r.Back, widgets.Body().Cut()),
			widgets.NewPill(r.State, r.Tone)), func() {
			s.env.Show(screen.Place{Screen: screen.Sources, Source: r.Name, Part: screen.PartSource})
		}))
	}
}
