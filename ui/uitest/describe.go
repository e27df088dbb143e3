package uitest

import (
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/widgets"
)

// Describe lists what a canvas shows, for one who has only a mouse and a
// keyboard: a line each with what it is (press, primary, field, choice, text),
// where its middle is in pixels, whether it can be used (on, off, or out of
// view), and its words, separated by tabs. A dialog hides what is behind it.
func Describe(c fyne.Canvas) string {
	l := look(c)
	var b strings.Builder
	line := func(kind, state string, s seen) {
		x, y := (s.at.x1+s.at.x2)/2, (s.at.y1+s.at.y2)/2
		if now := s.at.and(s.view); now.empty() || y < s.view.y1 || y > s.view.y2 {
			state = "out"
		}
		words := strings.NewReplacer("\n", " ", "\t", " ", "\u00a0", " ").Replace(s.name)
		fmt.Fprintf(&b, "%s\t%.0f\t%.0f\t%s\t%s\n", kind, x*c.Scale(), y*c.Scale(), state, words)
	}
	for _, s := range l.things {
		kind, state := "press", "on"
		switch x := s.object.(type) {
		case *widgets.Button:
			if x.Importance == widget.HighImportance {
				kind = "primary"
			}
		case *widgets.Entry, *widget.Entry:
			kind = "field"
		case *widgets.Select, *widgets.List:
			kind = "choice"
		}
		if d, ok := s.object.(fyne.Disableable); ok && d.Disabled() {
			state = "off"
		}
		line(kind, state, s)
	}
	for _, o := range VisibleIn(front(c)) {
		if t, ok := o.(*widgets.Text); ok && t.Words() != "" {
			fmt.Fprintf(&b, "text\t0\t0\ton\t%s\n", strings.NewReplacer("\n", " ", "\t", " ", "\u00a0", " ").Replace(t.Words()))
		}
	}
	for _, s := range l.texts {
		if t, ok := s.object.(*canvas.Text); ok {
			fmt.Fprintf(&b, "words\t0\t0\ton\t%s\n", t.Text)
		}
	}
	return b.String()
}

// front is what can be used: the dialog that lies on top, if there is one.
func front(c fyne.Canvas) fyne.CanvasObject {
	if top := c.Overlays().Top(); top != nil {
		return top
	}
	return c.Content()
}
