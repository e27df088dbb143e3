package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// List is Fyne's list of rows with a name and a detail, which also answers
// Enter and hands Escape to the window. It can be long: only the rows that are
// seen exist.
type List struct {
	widget.List
	quiet bool
}

// NewList returns a list; open is called with the row that was chosen.
func NewList(length func() int, row func(i int) (icon fyne.ThemeIconName, name, detail string), open func(i int)) *List {
	l := &List{}
	l.Length = length
	l.CreateItem = func() fyne.CanvasObject { return newListRow() }
	l.UpdateItem = func(i widget.ListItemID, o fyne.CanvasObject) {
		o.(*listRow).set(row(i))
	}
	l.OnSelected = func(i widget.ListItemID) {
		if !l.quiet {
			open(i)
		}
	}
	l.ExtendBaseWidget(l)
	return l
}

// Reset unselects everything and goes to the top.
func (l *List) Reset() {
	l.quiet = true
	l.UnselectAll()
	l.quiet = false
	l.ScrollToTop()
}

// TypedKey implements [fyne.Focusable].
func (l *List) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyEscape:
		PassKey(l, k)
	case fyne.KeyReturn, fyne.KeyEnter:
		l.List.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	default:
		l.List.TypedKey(k)
	}
}

type listRow struct {
	widget.BaseWidget
	icon         *widget.Icon
	name, detail *Text
	box          *fyne.Container
}

func newListRow() *listRow {
	r := &listRow{icon: widget.NewIcon(nil), name: NewText("", Body().Cut()), detail: NewText("", Caption().Line())}
	r.box = Inset(8, 6, Row(Gap12, []fyne.CanvasObject{r.icon}, r.name, r.detail))
	r.ExtendBaseWidget(r)
	return r
}

func (r *listRow) set(icon fyne.ThemeIconName, name, detail string) {
	r.icon.SetResource(r.Theme().Icon(icon))
	r.name.Set(name)
	r.detail.Set(detail)
	r.box.Refresh()
}

// CreateRenderer implements [fyne.Widget].
func (r *listRow) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(r.box) }

// Scrolled shows content at most so high, and scrolls the rest.
func Scrolled(most float32, content fyne.CanvasObject) *fyne.Container {
	return container.New(scrolled{most}, container.NewVScroll(Inset(4, 4, content)))
}

type scrolled struct{ most float32 }

// Layout implements [fyne.Layout].
func (s scrolled) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
}

// MinSize implements [fyne.Layout].
func (s scrolled) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var m fyne.Size
	for _, o := range objects {
		inner := o.(*container.Scroll).Content.MinSize()
		m = m.Max(fyne.NewSize(inner.Width, min(inner.Height, s.most)))
	}
	return m
}

// Split places a narrow object left of a wide one, or above it where there is
// no room for both.
func Split(left, gap float32, narrow, wide fyne.CanvasObject) *fyne.Container {
	return container.New(&split{left: left, gap: gap}, narrow, wide)
}

type split struct {
	left, gap float32
	stacked   bool
}

// Layout implements [fyne.Layout].
func (s *split) Layout(o []fyne.CanvasObject, size fyne.Size) {
	s.stacked = size.Width < 2.4*s.left
	if s.stacked {
		column{s.gap}.Layout(o, size)
		return
	}
	w := size.Width - s.left - s.gap
	h := max(heightAt(o[0], s.left), heightAt(o[1], w))
	o[0].Resize(fyne.NewSize(s.left, h))
	o[0].Move(fyne.NewPos(0, 0))
	o[1].Resize(fyne.NewSize(w, h))
	o[1].Move(fyne.NewPos(s.left+s.gap, 0))
}

// MinSize implements [fyne.Layout].
func (s *split) MinSize(o []fyne.CanvasObject) fyne.Size {
	if s.stacked {
		return column{s.gap}.MinSize(o)
	}
	return fyne.NewSize(s.left, max(o[0].MinSize().Height, o[1].MinSize().Height))
}
