package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/theme"
)

// Button is Fyne's button that also answers Enter, shows where the focus is
// and has a line around it.
type Button struct {
	widget.Button
	focused bool
}

// NewButton returns an ordinary button.
func NewButton(text string, tapped func()) *Button {
	b := &Button{}
	b.Text, b.OnTapped = text, tapped
	b.ExtendBaseWidget(b)
	return b
}

// NewPrimary returns the button that does what the screen is for.
func NewPrimary(text string, tapped func()) *Button {
	b := NewButton(text, tapped)
	b.Importance = widget.HighImportance
	return b
}

// NewDanger returns a button that takes something away.
func NewDanger(text string, tapped func()) *Button {
	b := NewButton(text, tapped)
	b.Importance = widget.DangerImportance
	return b
}

// NewQuiet returns a button without a surface.
func NewQuiet(text string, tapped func()) *Button {
	b := NewButton(text, tapped)
	b.Importance = widget.LowImportance
	return b
}

// SetEnabled lets the button be pressed, or not.
func (b *Button) SetEnabled(on bool) {
	if on {
		b.Enable()
	} else {
		b.Disable()
	}
}

// TypedKey implements [fyne.Focusable].
func (b *Button) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		b.Tapped(nil)
	default:
		PassKey(b, e)
	}
}

// FocusGained implements [fyne.Focusable].
func (b *Button) FocusGained() {
	b.focused = true
	b.Button.FocusGained()
}

// FocusLost implements [fyne.Focusable].
func (b *Button) FocusLost() {
	b.focused = false
	b.Button.FocusLost()
}

// CreateRenderer implements [fyne.Widget].
func (b *Button) CreateRenderer() fyne.WidgetRenderer {
	r := &buttonRenderer{WidgetRenderer: b.Button.CreateRenderer(), b: b, line: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type buttonRenderer struct {
	fyne.WidgetRenderer
	b    *Button
	line *canvas.Rectangle
}

func (r *buttonRenderer) paint() {
	th, v := r.b.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.line.CornerRadius = th.Size(fynetheme.SizeNameInputRadius)
	r.line.StrokeWidth, r.line.StrokeColor = 0, color.Transparent
	switch {
	case r.b.focused:
		r.line.StrokeWidth, r.line.StrokeColor = 2, th.Color(fynetheme.ColorNameForeground, v)
	case r.b.Importance == widget.MediumImportance:
		r.line.StrokeWidth, r.line.StrokeColor = 1, th.Color(theme.ColorLine, v)
	}
}

// MinSize leaves more room beside the words than Fyne's button does.
func (r *buttonRenderer) MinSize() fyne.Size {
	return r.WidgetRenderer.MinSize().AddWidthHeight(2*Gap8, 0)
}

func (r *buttonRenderer) Layout(s fyne.Size) {
	r.WidgetRenderer.Layout(s)
	r.line.Resize(s)
}

func (r *buttonRenderer) Refresh() {
	r.WidgetRenderer.Refresh()
	r.paint()
	r.line.Refresh()
}

func (r *buttonRenderer) Objects() []fyne.CanvasObject {
	return append(append([]fyne.CanvasObject{}, r.WidgetRenderer.Objects()...), r.line)
}

// Entry is Fyne's entry that hands Escape to the window.
type Entry struct{ widget.Entry }

// NewEntry returns an entry for one line.
func NewEntry(value string, changed func(string)) *Entry {
	e := &Entry{}
	e.Text, e.OnChanged = value, changed
	e.ExtendBaseWidget(e)
	return e
}

// NewPassword returns an entry that hides what is typed.
func NewPassword(changed func(string)) *Entry {
	e := &Entry{}
	e.Password, e.OnChanged = true, changed
	e.ExtendBaseWidget(e)
	return e
}

// NewLines returns an entry for several lines.
func NewLines(value string, changed func(string)) *Entry {
	e := &Entry{}
	e.MultiLine, e.Text, e.OnChanged = true, value, changed
	e.Wrapping = fyne.TextWrapOff
	e.ExtendBaseWidget(e)
	e.SetMinRowsVisible(3)
	return e
}

// TypedKey implements [fyne.Focusable].
func (e *Entry) TypedKey(k *fyne.KeyEvent) {
	enter := k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter
	if k.Name == fyne.KeyEscape || k.Name == fyne.KeyF1 || enter && !e.MultiLine {
		PassKey(e, k)
		return
	}
	e.Entry.TypedKey(k)
}

// Check is Fyne's check box that hands Enter and Escape to the window.
type Check struct{ widget.Check }

// NewCheck returns a check box.
func NewCheck(text string, on bool, changed func(bool)) *Check {
	c := &Check{}
	c.Text, c.Checked, c.OnChanged = text, on, changed
	c.ExtendBaseWidget(c)
	return c
}

// TypedKey implements [fyne.Focusable].
func (c *Check) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyEscape || k.Name == fyne.KeyF1 || k.Name == fyne.KeyReturn || k.Name == fyne.KeyEnter {
		PassKey(c, k)
		return
	}
	c.Check.TypedKey(k)
}

// Select is Fyne's select that hands Escape to the window.
type Select struct{ widget.Select }

// NewSelect returns a choice of one of several, by index.
func NewSelect(options []string, chosen int, changed func(int)) *Select {
	s := &Select{}
	s.Options = options
	if chosen >= 0 && chosen < len(options) {
		s.Selected = options[chosen]
	}
	s.OnChanged = func(string) {
		if changed != nil {
			changed(s.SelectedIndex())
		}
	}
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer implements [fyne.Widget].
func (s *Select) CreateRenderer() fyne.WidgetRenderer {
	return newFramed(&s.Select, s.Select.CreateRenderer())
}

// TypedKey implements [fyne.Focusable].
func (s *Select) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyEscape || k.Name == fyne.KeyF1 {
		PassKey(s, k)
		return
	}
	s.Select.TypedKey(k)
}
