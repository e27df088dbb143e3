package ui

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/theme"
	"kvart/ui/widgets"
)

// navItem is one line of the navigation.
type navItem struct {
	widget.BaseWidget
	name     string
	words    *widgets.Text
	tapped   func()
	selected bool
	focused  bool
	hovered  bool
}

var (
	_ fyne.Tappable     = (*navItem)(nil)
	_ fyne.Focusable    = (*navItem)(nil)
	_ desktop.Hoverable = (*navItem)(nil)
	_ desktop.Keyable   = (*navItem)(nil)
)

func newNavItem(name string, tapped func()) *navItem {
	n := &navItem{name: name, tapped: tapped}
	n.words = widgets.NewText(name, n.look())
	n.ExtendBaseWidget(n)
	return n
}

// Name is what the item is called among things that can be pressed.
func (n *navItem) Name() string { return n.name }

func (n *navItem) look() widgets.Look {
	if n.selected {
		return widgets.Look{Color: theme.ColorGoodText, Bold: true, OneLine: true}
	}
	return widgets.Look{Color: theme.ColorMuted, Bold: true, OneLine: true}
}

func (n *navItem) selectItem(on bool) {
	if n.selected != on {
		n.selected = on
		n.words.SetLook(n.look())
		n.Refresh()
	}
}

// Tapped implements [fyne.Tappable].
func (n *navItem) Tapped(*fyne.PointEvent) { n.tapped() }

// FocusGained implements [fyne.Focusable].
func (n *navItem) FocusGained() { n.focused = true; n.Refresh() }

// FocusLost implements [fyne.Focusable].
func (n *navItem) FocusLost() { n.focused = false; n.Refresh() }

// TypedRune implements [fyne.Focusable].
func (n *navItem) TypedRune(rune) {}

// TypedKey implements [fyne.Focusable].
func (n *navItem) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		n.tapped()
	default:
		widgets.PassKey(n, e)
	}
}

// KeyDown implements [desktop.Keyable].
func (n *navItem) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (n *navItem) KeyUp(e *fyne.KeyEvent) { widgets.RevealAfter(e, n) }

// MouseIn implements [desktop.Hoverable].
func (n *navItem) MouseIn(*desktop.MouseEvent) { n.hovered = true; n.Refresh() }

// MouseMoved implements [desktop.Hoverable].
func (n *navItem) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements [desktop.Hoverable].
func (n *navItem) MouseOut() { n.hovered = false; n.Refresh() }

// CreateRenderer implements [fyne.Widget].
func (n *navItem) CreateRenderer() fyne.WidgetRenderer {
	r := &navRenderer{n: n, bg: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type navRenderer struct {
	n  *navItem
	bg *canvas.Rectangle
}

func (r *navRenderer) paint() {
	th, v := r.n.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.bg.CornerRadius = th.Size(fynetheme.SizeNameInputRadius)
	r.bg.StrokeWidth = 0
	r.bg.FillColor = color.Transparent
	switch {
	case r.n.selected:
		r.bg.FillColor = th.Color(theme.ColorGoodTint, v)
	case r.n.hovered:
		r.bg.FillColor = th.Color(fynetheme.ColorNameHover, v)
	}
	if r.n.focused {
		r.bg.StrokeWidth, r.bg.StrokeColor = 2, th.Color(fynetheme.ColorNamePrimary, v)
	}
}

func (r *navRenderer) Layout(s fyne.Size) {
	r.bg.Resize(s)
	m := r.n.words.MinSize()
	r.n.words.Move(fyne.NewPos(12, (s.Height-m.Height)/2))
	r.n.words.Resize(m)
}

func (r *navRenderer) MinSize() fyne.Size { return r.n.words.MinSize().AddWidthHeight(24, 18) }
func (r *navRenderer) Refresh() {
	r.paint()
	r.bg.Refresh()
	r.n.words.Refresh()
}
func (r *navRenderer) Destroy() {}
func (r *navRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.bg, r.n.words}
}
