package uitest

import (
	"fmt"
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/widgets"
)

// Act is something a person could do with what a canvas shows.
type Act struct {
	Name   string
	Object fyne.CanvasObject
	Do     func()
}

// mostOptions is how many of a choice's options are acts of their own.
const mostOptions = 5

// Acts returns everything a person could do with what a canvas shows, from the
// top: press, choose, open the first row of a list.
func Acts(c fyne.Canvas) []Act {
	var out []Act
	for _, o := range Visible(c) {
		if d, ok := o.(fyne.Disableable); ok && d.Disabled() {
			continue
		}
		switch x := o.(type) {
		case *widgets.Select:
			for i, option := range x.Options[:min(len(x.Options), mostOptions)] {
				if option != x.Selected {
					out = append(out, Act{"choose " + option, o, func() { x.SetSelectedIndex(i) }})
				}
			}
			continue
		case *widgets.List:
			if x.Length != nil && x.Length() > 0 {
				out = append(out, Act{"first row", o, func() { x.Select(0) }})
			}
			continue
		}
		if name, ok := label(o); ok {
			out = append(out, Act{name, o, func() { test.Tap(o.(fyne.Tappable)) }})
		}
	}
	return out
}

// Chain returns what the Tab key leads to, in order, until it comes round.
func Chain(c fyne.Canvas) []fyne.Focusable {
	var out []fyne.Focusable
	c.Unfocus()
	for range 1000 {
		test.FocusNext(c)
		f := c.Focused()
		if f == nil || slices.Contains(out, f) {
			break
		}
		out = append(out, f)
	}
	c.Unfocus()
	return out
}

// Unreachable returns what can be pressed on a canvas and the Tab key does not
// lead to. A row is reached through its list.
func Unreachable(c fyne.Canvas, chain []fyne.Focusable) []string {
	var out []string
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		if f, ok := o.(fyne.Focusable); ok {
			d, can := o.(fyne.Disableable)
			if !(can && d.Disabled()) && !slices.Contains(chain, f) {
				out = append(out, name(o))
			}
			return // its parts are reached through it
		}
		if _, ok := o.(fyne.Tappable); ok && !strings.HasSuffix(fmt.Sprintf("%T", o), ".scrollBarArea") {
			out = append(out, name(o))
		}
		switch x := o.(type) {
		case *fyne.Container:
			for _, child := range x.Objects {
				walk(child)
			}
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(x).Objects() {
				walk(child)
			}
		}
	}
	walk(c.Content())
	return out
}

func name(o fyne.CanvasObject) string {
	n, _ := thing(o)
	return fmt.Sprintf("%T %q", o, n)
}

// Drawn describes how an object is drawn, so that two ways can be compared.
func Drawn(o fyne.CanvasObject) string {
	var b strings.Builder
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		fmt.Fprintf(&b, "%T %v %v", o, o.Position(), o.Size())
		switch x := o.(type) {
		case *canvas.Rectangle:
			fmt.Fprint(&b, x.FillColor, x.StrokeColor, x.StrokeWidth)
		case *canvas.Circle:
			fmt.Fprint(&b, x.FillColor, x.StrokeColor, x.StrokeWidth)
		case *canvas.Line:
			fmt.Fprint(&b, x.StrokeColor, x.StrokeWidth)
		case *canvas.Text:
			fmt.Fprint(&b, x.Text, x.Color)
		case *fyne.Container:
			for _, child := range x.Objects {
				walk(child)
			}
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(x).Objects() {
				walk(child)
			}
		}
		b.WriteByte('\n')
	}
	walk(o)
	return b.String()
}

// Counted makes what happens when an object is pressed count instead, until
// restore is called. It reports false for an object that is not pressed but
// written or chosen in.
func Counted(o fyne.CanvasObject, n *int) (restore func(), ok bool) {
	count := func() { *n++ }
	switch x := o.(type) {
	case *widgets.Button:
		old := x.OnTapped
		x.OnTapped = count
		return func() { x.OnTapped = old }, true
	case *widgets.Choice:
		old := x.OnTapped
		x.OnTapped = count
		return func() { x.OnTapped = old }, true
	case *widgets.Link:
		old := x.OnTapped
		x.OnTapped = count
		return func() { x.OnTapped = old }, true
	case *widgets.Strip:
		old := x.OnPick
		x.OnPick = func(int) { *n++ }
		return func() { x.OnPick = old }, true
	}
	return nil, false
}

// Strike presses a key as the driver does: the key, and then what it writes.
func Strike(f fyne.Focusable, k fyne.KeyName) {
	f.TypedKey(&fyne.KeyEvent{Name: k})
	if k == fyne.KeySpace {
		f.TypedRune(' ')
	}
}

// Primaries returns the names of the buttons that do what a screen is for and
// can be pressed now.
func Primaries(c fyne.Canvas) []string {
	var out []string
	for _, o := range Visible(c) {
		if b, ok := o.(*widgets.Button); ok && b.Importance == widget.HighImportance && !b.Disabled() {
			out = append(out, b.Text)
		}
	}
	return out
}
