package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/theme"
)

// Card is a surface with a thin line around it. With OnTapped it can be
// pressed, by mouse and keyboard.
type Card struct {
	widget.BaseWidget
	content          fyne.CanvasObject
	inset            *fyne.Container
	selected, strong bool
	focused, hovered bool
	plain            bool // no surface and no line of its own

	// OnTapped makes the card a button.
	OnTapped func()
}

// NewCard returns a card around content.
func NewCard(content fyne.CanvasObject) *Card {
	c := &Card{content: content, inset: Inset(20, 16, content)}
	c.ExtendBaseWidget(c)
	return c
}

// Choice is a card that can be pressed. It is a widget of its own because
// whatever has a Tapped method stands in the way of what lies below it.
type Choice struct {
	Card
	name string
}

var (
	_ fyne.Tappable     = (*Choice)(nil)
	_ fyne.Focusable    = (*Choice)(nil)
	_ desktop.Hoverable = (*Choice)(nil)
)

// NewChoice returns a card that can be pressed. Name is what it is called, for
// tests and for reading aloud.
func NewChoice(name string, content fyne.CanvasObject, tapped func()) *Choice {
	c := &Choice{name: name}
	c.content, c.inset, c.OnTapped = content, Inset(20, 16, content), tapped
	c.ExtendBaseWidget(c)
	return c
}

// NewFold returns a line that can be pressed, without a card's surface: the head
// of what folds out below it.
func NewFold(name string, content fyne.CanvasObject, tapped func()) *Choice {
	c := &Choice{name: name}
	c.content, c.inset, c.OnTapped, c.plain = content, Inset(8, 6, content), tapped, true
	c.ExtendBaseWidget(c)
	return c
}

// Name returns what the choice is called.
func (c *Choice) Name() string { return c.name }

func (c *Card) held() fyne.CanvasObject { return c.inset }

// Select marks the card as the one chosen.
func (c *Card) Select(on bool) {
	if c.selected != on {
		c.selected = on
		c.Refresh()
	}
}

// Emphasise gives the card a line in the primary colour.
func (c *Card) Emphasise() *Card { c.strong = true; return c }

// Tapped implements [fyne.Tappable].
func (c *Choice) Tapped(*fyne.PointEvent) {
	if c.OnTapped != nil {
		c.OnTapped()
	}
}

// FocusGained implements [fyne.Focusable].
func (c *Choice) FocusGained() { c.focused = true; c.Refresh() }

// FocusLost implements [fyne.Focusable].
func (c *Choice) FocusLost() { c.focused = false; c.Refresh() }

// TypedRune implements [fyne.Focusable].
func (c *Choice) TypedRune(rune) {}

// TypedKey implements [fyne.Focusable].
func (c *Choice) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		c.Tapped(nil)
	default:
		PassKey(c, e)
	}
}

// MouseIn implements [desktop.Hoverable].
func (c *Choice) MouseIn(*desktop.MouseEvent) { c.hovered = true; c.Refresh() }

// MouseMoved implements [desktop.Hoverable].
func (c *Choice) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements [desktop.Hoverable].
func (c *Choice) MouseOut() { c.hovered = false; c.Refresh() }

// CreateRenderer implements [fyne.Widget].
func (c *Card) CreateRenderer() fyne.WidgetRenderer {
	r := &cardRenderer{c: c, bg: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type cardRenderer struct {
	c  *Card
	bg *canvas.Rectangle
}

func (r *cardRenderer) paint() {
	th, v := r.c.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.bg.CornerRadius = th.Size(theme.SizeCardRadius)
	r.bg.FillColor = th.Color(theme.ColorSurface, v)
	r.bg.StrokeWidth, r.bg.StrokeColor = 1, th.Color(theme.ColorLine, v)
	switch {
	case r.c.focused || r.c.selected || r.c.strong:
		r.bg.StrokeWidth, r.bg.StrokeColor = 2, th.Color(fynetheme.ColorNamePrimary, v)
	case r.c.hovered:
		r.bg.StrokeColor = th.Color(theme.ColorMuted, v)
	}
	if r.c.focused && r.c.selected {
		r.bg.StrokeWidth = 3
	}
	if r.c.plain {
		r.bg.CornerRadius, r.bg.FillColor = th.Size(fynetheme.SizeNameInputRadius), color.Transparent
		if !r.c.focused && !r.c.hovered {
			r.bg.StrokeWidth = 0
		}
		if r.c.selected {
			r.bg.FillColor = th.Color(theme.ColorGoodTint, v)
		}
	}
}

func (r *cardRenderer) Layout(s fyne.Size) {
	r.bg.Resize(s)
	r.c.inset.Resize(s)
}

func (r *cardRenderer) MinSize() fyne.Size { return r.c.inset.MinSize() }

func (r *cardRenderer) Refresh() {
	r.paint()
	r.bg.Refresh()
	r.c.inset.Refresh()
}

func (r *cardRenderer) Destroy() {}
func (r *cardRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.bg, r.c.inset}
}

// PassKey hands a key that a widget does not use to the window, which knows
// the primary button and the way back.
func PassKey(o fyne.CanvasObject, e *fyne.KeyEvent) {
	c := fyne.CurrentApp().Driver().CanvasForObject(o)
	if c == nil {
		return
	}
	if fn := c.OnTypedKey(); fn != nil {
		fn(e)
	}
}

// Focus gives the keyboard to a part of the window that may have come just now:
// the driver does not know yet what was not drawn.
func Focus[T interface {
	fyne.CanvasObject
	fyne.Focusable
}](part T) {
	d := fyne.CurrentApp().Driver()
	c := d.CanvasForObject(part)
	if windows := d.AllWindows(); c == nil && len(windows) > 0 {
		c = windows[0].Canvas()
	}
	if c != nil {
		c.Focus(part)
	}
}
