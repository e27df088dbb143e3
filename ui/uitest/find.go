package uitest

import (
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/widgets"
)

// named is a thing that can be pressed and has a name.
type named interface {
	fyne.Tappable
	Name() string
}

// Visible returns everything on a canvas that is not hidden, in the order of
// the tree.
func Visible(c fyne.Canvas) []fyne.CanvasObject { return VisibleIn(c.Content()) }

// VisibleIn returns everything in a tree that is not hidden, in its order.
func VisibleIn(root fyne.CanvasObject) []fyne.CanvasObject {
	var out []fyne.CanvasObject
	var walk func(o fyne.CanvasObject)
	walk = func(o fyne.CanvasObject) {
		if o == nil || !o.Visible() {
			return
		}
		out = append(out, o)
		switch w := o.(type) {
		case *fyne.Container:
			for _, child := range w.Objects {
				walk(child)
			}
		case fyne.Widget:
			for _, child := range test.WidgetRenderer(w).Objects() {
				walk(child)
			}
		}
	}
	walk(root)
	return out
}

// Texts returns everything that can be read on a canvas.
func Texts(c fyne.Canvas) []string {
	var out []string
	for _, o := range Visible(c) {
		switch w := o.(type) {
		case *widgets.Text:
			out = append(out, w.Words())
		case *widgets.Strip:
			out = append(out, w.Words())
		case *widgets.Prose:
			out = append(out, w.Words())
		case *widgets.Entry:
			out = append(out, w.Text, w.PlaceHolder)
		case *widgets.Select:
			out = append(out, w.Selected)
		case *widget.TextGrid:
			out = append(out, w.Text())
		case *canvas.Text:
			out = append(out, w.Text)
		}
	}
	return out
}

// Sees reports whether a text with these words can be read.
func Sees(c fyne.Canvas, words string) bool {
	for _, s := range Texts(c) {
		if strings.Contains(strings.ReplaceAll(s, "\u00a0", " "), words) {
			return true
		}
	}
	return false
}

// MustSee fails the test unless the words can be read.
func MustSee(t testing.TB, c fyne.Canvas, words ...string) {
	t.Helper()
	for _, w := range words {
		if !Sees(c, w) {
			t.Fatalf("%q is not on the screen; there is:\n%s", w, strings.Join(Texts(c), "\n"))
		}
	}
}

// MustNotSee fails the test if the words can be read.
func MustNotSee(t testing.TB, c fyne.Canvas, words ...string) {
	t.Helper()
	for _, w := range words {
		if Sees(c, w) {
			t.Fatalf("%q is on the screen", w)
		}
	}
}

// label returns what a thing that can be pressed is called.
func label(o fyne.CanvasObject) (string, bool) {
	switch w := o.(type) {
	case *widgets.Button:
		return w.Text, true
	case *widgets.Check:
		return w.Text, true
	case *widgets.Link:
		return w.Text, true
	case named:
		return w.Name(), true
	}
	return "", false
}

// Pressable returns the nth (from 0) visible thing with this name that can be
// pressed, nil when there is none.
func Pressable(c fyne.Canvas, name string, nth int) fyne.CanvasObject {
	for _, o := range Visible(c) {
		if l, ok := label(o); ok && l == name {
			if nth == 0 {
				return o
			}
			nth--
		}
	}
	return nil
}

// Enabled reports whether a thing with this name is there and can be pressed.
func Enabled(c fyne.Canvas, name string) bool {
	o := Pressable(c, name, 0)
	d, ok := o.(fyne.Disableable)
	return o != nil && (!ok || !d.Disabled())
}

// Press presses the thing with this name, as a person would: it has to be
// visible and enabled.
func Press(t testing.TB, c fyne.Canvas, name string) { t.Helper(); PressNth(t, c, name, 0) }

// PressNth is Press for the nth (from 0) thing with a name.
func PressNth(t testing.TB, c fyne.Canvas, name string, nth int) {
	t.Helper()
	o := Pressable(c, name, nth)
	if o == nil {
		t.Fatalf("nothing called %q can be pressed; on the screen is:\n%s", name, strings.Join(Texts(c), "\n"))
	}
	if d, ok := o.(fyne.Disableable); ok && d.Disabled() {
		t.Fatalf("%q cannot be pressed now", name)
	}
	if _, ok := o.(*widgets.Link); ok { // takes a press on its words only
		test.TapAt(o.(fyne.Tappable), fyne.NewPos(16, o.Size().Height/2))
		return
	}
	test.Tap(o.(fyne.Tappable))
}

// Fields returns the visible entries from the top.
func Fields(c fyne.Canvas) []*widgets.Entry {
	var out []*widgets.Entry
	for _, o := range Visible(c) {
		if e, ok := o.(*widgets.Entry); ok {
			out = append(out, e)
		}
	}
	return out
}

// Choose chooses an option of the visible select that offers it, as a person
// would.
func Choose(t testing.TB, c fyne.Canvas, option string) {
	t.Helper()
	for _, o := range Visible(c) {
		if s, ok := o.(*widgets.Select); ok && slices.Contains(s.Options, option) {
			s.SetSelected(option)
			return
		}
	}
	t.Fatalf("%q cannot be chosen; on the screen is:\n%s", option, strings.Join(Texts(c), "\n"))
}

// Write types into the nth visible entry, in place of what is there.
func Write(t testing.TB, c fyne.Canvas, nth int, s string) {
	t.Helper()
	fields := Fields(c)
	if nth >= len(fields) {
		t.Fatalf("there are %d entries", len(fields))
	}
	fields[nth].SetText("")
	test.Type(fields[nth], s)
}

// Tab presses the Tab key as the driver does: the keyboard moves on, and what
// has it then is told when the key goes up.
func Tab(c fyne.Canvas) {
	test.FocusNext(c)
	if f, ok := c.Focused().(desktop.Keyable); ok {
		f.KeyUp(&fyne.KeyEvent{Name: fyne.KeyTab})
	}
}

// Key presses a key as the driver would: what has the focus gets it, else the
// canvas.
func Key(c fyne.Canvas, k fyne.KeyName) {
	e := &fyne.KeyEvent{Name: k}
	if f := c.Focused(); f != nil {
		f.TypedKey(e)
		return
	}
	if fn := c.OnTypedKey(); fn != nil {
		fn(e)
	}
}
