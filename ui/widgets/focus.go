package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// KeepFocus runs a change that draws a part of the window anew, and gives the
// keyboard back to what stands there now in place of what had it: the same
// button, line or entry.
func KeepFocus(root fyne.CanvasObject, change func()) {
	c := canvasOf(root)
	if c == nil || c.Focused() == nil {
		change()
		return
	}
	had, key, nth := c.Focused(), "", -1
	counts := map[string]int{}
	walk(root, func(o fyne.Focusable) {
		k := focusKey(o)
		if o == had {
			key, nth = k, counts[k]
		}
		counts[k]++
	})
	change()
	if nth < 0 {
		return // something else has it
	}
	var now fyne.Focusable
	walk(root, func(o fyne.Focusable) {
		if focusKey(o) != key {
			return
		}
		if nth == 0 {
			now = o
		}
		nth--
	})
	if now == nil || now == had {
		return
	}
	was, _ := had.(*Entry)
	if is, ok := now.(*Entry); ok && was != nil {
		is.CursorRow, is.CursorColumn = was.CursorRow, was.CursorColumn
	}
	c.Focus(now)
}

func canvasOf(o fyne.CanvasObject) fyne.Canvas {
	d := fyne.CurrentApp().Driver()
	if c := d.CanvasForObject(o); c != nil {
		return c
	}
	if all := d.AllWindows(); len(all) > 0 {
		return all[0].Canvas()
	}
	return nil
}

// Primary returns the one button that does what a part of the window is for and
// can be pressed now; nil when there is none, or more than one.
func Primary(root fyne.CanvasObject) *Button {
	var found *Button
	n := 0
	walk(root, func(o fyne.Focusable) {
		if b, ok := o.(*Button); ok && b.Importance == widget.HighImportance && !b.Disabled() {
			found = b
			n++
		}
	})
	if n != 1 {
		return nil
	}
	return found
}

// focusKey is what tells one part from another across two drawings.
func focusKey(o fyne.Focusable) string {
	switch w := o.(type) {
	case *Button:
		return "button " + w.Text
	case *Check:
		return "check " + w.Text
	case *Entry:
		return "entry"
	case *Select:
		return "select"
	case *Choice:
		return "choice " + w.name
	}
	return ""
}

// walk calls fn with everything in a tree that can have the keyboard.
func walk(o fyne.CanvasObject, fn func(fyne.Focusable)) {
	if o == nil || !o.Visible() {
		return
	}
	if f, ok := o.(fyne.Focusable); ok && focusKey(f) != "" {
		fn(f)
	}
	switch w := o.(type) {
	case *fyne.Container:
		for _, child := range w.Objects {
			walk(child, fn)
		}
	case holder:
		walk(w.held(), fn)
	}
}
