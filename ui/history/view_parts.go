package history

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"

	"kvart/assets"
	"kvart/ui/widgets"
)

// refreshRows draws what is seen of the shelf anew.
func (v *view) refreshRows() {
	switch v.vm.Pane {
	case paneShelf:
		v.records.Refresh()
		v.table.Refresh()
	case paneList:
		v.files.Refresh()
	case paneDiff:
		v.changes.Refresh()
	}
}

// newRows goes to the top of a shelf that was just asked for.
func (v *view) newRows() {
	v.records.Refresh()
	v.records.Reset()
	v.table.ScrollToTop()
}

// newColumns gives a table's columns the width that its first rows need.
func (v *view) newColumns() {
	if len(v.vm.Heads) == 0 {
		return
	}
	var samples [][]string
	for i := range min(v.s.records.Len(), 20) {
		if r, ok := v.s.records.Item(i); ok {
			samples = append(samples, r.Cells)
		}
	}
	v.table.SetColumns(v.vm.Heads, samples)
}

// focusRows gives the keyboard to what the search found.
func (v *view) focusRows() {
	if v.table.Visible() {
		widgets.Focus(v.table)
		return
	}
	widgets.Focus(v.records)
}

func (v *view) drawGroups() {
	v.groups.RemoveAll()
	for _, g := range v.vm.Group {
		look := caption(g.Chosen).Line()
		look.Bold = g.Chosen
		c := widgets.NewFold(g.Text, widgets.NewText(g.Text, look), func() { v.s.showGroup(g.Code) })
		c.Select(g.Chosen)
		v.groups.Add(c)
	}
	v.groups.Refresh()
}

func sameFields(a, b fieldsModel) bool {
	return a.Then == b.Then && a.Now == b.Now && a.More == b.More && slices.Equal(a.Rows, b.Rows)
}

// drawFields draws a record then and now. What differs is bold and said to
// differ: colour is never the only sign.
func (v *view) drawFields() {
	v.fields.RemoveAll()
	m := v.vm.Field
	if m.Now != "" {
		v.fields.Add(fieldLine(true, widgets.NewText("", widgets.Caption()),
			widgets.NewText(m.Then, widgets.Caption()), widgets.NewText(m.Now, widgets.Caption()), nil, nil))
	}
	for i, f := range m.Rows {
		if i > 0 || m.Now != "" {
			v.fields.Add(widgets.Line())
		}
		v.fields.Add(v.fieldRow(f))
	}
	if m.More != "" {
		v.fields.Add(widgets.Inset(0, 8, widgets.Leading(widgets.NewButton(m.More, v.s.allFields))))
	}
	v.fields.Refresh()
}

func (v *view) fieldRow(f fieldRow) fyne.CanvasObject {
	m := v.vm.Field
	name := fyne.CanvasObject(widgets.NewText(f.Name, widgets.Muted()))
	if f.Differs {
		name = widgets.Column(0, name, widgets.NewText(m.Differs, widgets.Caption().In(widgets.ToneDanger.Text())))
	}
	then := widgets.NewText(f.Then, widgets.Body())
	if m.Now == "" {
		return fieldLine(false, name, then, nil, nil, nil)
	}
	look := widgets.Body()
	if f.Differs {
		look = widgets.Strong().In(widgets.ToneDanger.Text())
	}
	return fieldLine(false, name, then, widgets.NewText(f.Now, look),
		widgets.NewText(m.Then, widgets.Caption()), widgets.NewText(m.Now, widgets.Caption()))
}

func (v *view) drawFound() {
	v.found.RemoveAll()
	for i, f := range v.vm.Found {
		look := widgets.Caption()
		if f.Gone {
			look = look.In(widgets.ToneWarn.Text())
		}
		words := []fyne.CanvasObject{widgets.NewText(f.Title, widgets.Strong())}
		if f.Under != "" {
			words = append(words, widgets.NewText(f.Under, widgets.Caption()))
		}
		if i > 0 {
			v.found.Add(widgets.Line())
		}
		v.found.Add(widgets.NewFold(f.Title, widgets.Column(2, append(words, widgets.NewText(f.Seen, look))...), func() { v.s.openFound(i) }))
	}
	v.found.Refresh()
}

func (v *view) setButtons(old, m viewModel) {
	if m.Do.Restore != "" {
		v.restore.SetText(m.Do.Restore)
	}
	show(v.restore, m.Do.Restore != "")
	show(v.copy, m.Do.Copy)
	show(v.export, m.Do.Export)
	show(v.with, m.Do.With)
	show(v.now, m.Do.Now)
	show(v.untick, m.Do.Ticked)
	if !slices.EqualFunc(old.Do.Bulk, m.Do.Bulk, func(a, b bulk) bool { return a.Text == b.Text && slices.Equal(a.Paths, b.Paths) }) {
		v.bulk.RemoveAll()
		for _, b := range m.Do.Bulk {
			v.bulk.Add(widgets.NewButton(b.Text, func() { v.s.restorePaths(b.Paths) }))
		}
	}
	show(v.bulk, len(m.Do.Bulk) > 0)
	if m.Do.File != "" {
		v.file.Set(v.env.T("history.export.done", assets.Args{"Path": m.Do.File}))
	}
	show(v.file, m.Do.File != "")
	show(v.openFile, m.Do.File != "")
}

// fieldLine places a field's name beside its two values, or stacks them under
// what they are of where there is no room.
func fieldLine(head bool, name, then, now, thenHead, nowHead fyne.CanvasObject) fyne.CanvasObject {
	var cells []fyne.CanvasObject
	for _, o := range []fyne.CanvasObject{name, then, now, thenHead, nowHead} {
		if o == nil {
			o = container.NewWithoutLayout()
		}
		cells = append(cells, o)
	}
	return container.New(&fieldLayout{head: head, single: now == nil}, cells...)
}

// narrowFields is the width below which a field's values are stacked.
const narrowFields = 380

type fieldLayout struct {
	head, single bool
	narrow       bool
}

func high(o fyne.CanvasObject, width float32) float32 {
	o.Resize(fyne.NewSize(width, o.MinSize().Height))
	return o.MinSize().Height
}

// order lists what is stacked where it is narrow: name, then under its head, now
// under its head.
func (f *fieldLayout) order(o []fyne.CanvasObject) []fyne.CanvasObject {
	if f.head {
		return nil
	}
	if f.single {
		return o[:2]
	}
	return []fyne.CanvasObject{o[0], o[3], o[1], o[4], o[2]}
}

// Layout implements [fyne.Layout].
func (f *fieldLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	f.narrow = size.Width < narrowFields
	for _, c := range o {
		c.Move(fyne.NewPos(-2, -2))
		c.Resize(fyne.NewSize(0, 0))
	}
	if f.narrow {
		y := float32(6)
		for _, c := range f.order(o) {
			h := high(c, size.Width)
			c.Resize(fyne.NewSize(size.Width, h))
			c.Move(fyne.NewPos(0, y))
			y += h
		}
		return
	}
	x, shares := float32(0), []float32{0.28, 0.36, 0.36}
	if f.single {
		shares = []float32{0.28, 0.72}
	}
	for i, share := range shares {
		w := size.Width*share - widgets.Gap12
		h := high(o[i], w)
		o[i].Resize(fyne.NewSize(w, h))
		o[i].Move(fyne.NewPos(x, 6))
		x += size.Width * share
	}
}

// MinSize implements [fyne.Layout].
func (f *fieldLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(120, 0)
	if f.narrow {
		for _, c := range f.order(o) {
			s.Height += c.MinSize().Height
		}
	} else {
		for _, c := range o[:3] {
			s.Height = max(s.Height, c.MinSize().Height)
		}
	}
	if s.Height > 0 {
		s.Height += 12
	}
	return s
}

// narrowTable is the width below which a table's rows become cards.
const narrowTable = 380

// narrow shows a table where there is room for one, else its rows as a list.
type narrow struct {
	widget.BaseWidget
	table, list fyne.CanvasObject
	wide        bool // there are columns to show
}

func newNarrow(table, list fyne.CanvasObject) *narrow {
	n := &narrow{table: table, list: list}
	n.ExtendBaseWidget(n)
	return n
}

// wants says whether there are columns to show.
func (n *narrow) wants(table bool) {
	n.wide = table
	n.Resize(n.Size())
}

// Resize implements [fyne.CanvasObject].
func (n *narrow) Resize(s fyne.Size) {
	table := n.wide && (s.Width >= narrowTable || s.Width == 0)
	show(n.table, table)
	show(n.list, !table)
	n.BaseWidget.Resize(s)
}

// CreateRenderer implements [fyne.Widget].
func (n *narrow) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(container.NewStack(n.table, n.list))
}
