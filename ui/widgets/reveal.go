package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
)

// Fyne's Tab key moves the keyboard to what lies outside the seen part of a
// page, and leaves it there unseen. Whoever has the keyboard is told when a key
// goes up, so that what can have it brings itself into view once the Tab key
// has led to it. Focus that comes otherwise, from a press or from a page drawn
// anew, never moves a page under the mouse.
var (
	_ desktop.Keyable = (*Button)(nil)
	_ desktop.Keyable = (*Check)(nil)
	_ desktop.Keyable = (*Choice)(nil)
	_ desktop.Keyable = (*Entry)(nil)
	_ desktop.Keyable = (*List)(nil)
	_ desktop.Keyable = (*Month)(nil)
	_ desktop.Keyable = (*Select)(nil)
	_ desktop.Keyable = (*Strip)(nil)
	_ desktop.Keyable = (*Table)(nil)
	_ desktop.Keyable = (*Link)(nil)
)

// KeyDown implements [desktop.Keyable].
func (b *Button) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (b *Button) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, b) }

// KeyDown implements [desktop.Keyable].
func (c *Check) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (c *Check) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, c) }

// KeyDown implements [desktop.Keyable].
func (c *Choice) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (c *Choice) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, c) }

// KeyUp implements [desktop.Keyable].
func (e *Entry) KeyUp(k *fyne.KeyEvent) {
	e.Entry.KeyUp(k)
	RevealAfter(k, e)
}

// KeyDown implements [desktop.Keyable].
func (l *List) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (l *List) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, l) }

// KeyDown implements [desktop.Keyable].
func (m *Month) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (m *Month) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, m) }

// KeyDown implements [desktop.Keyable].
func (s *Select) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (s *Select) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, s) }

// KeyDown implements [desktop.Keyable].
func (s *Strip) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (s *Strip) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, s) }

// KeyDown implements [desktop.Keyable].
func (t *Table) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (t *Table) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, t) }

// KeyDown implements [desktop.Keyable].
func (l *Link) KeyDown(*fyne.KeyEvent) {}

// KeyUp implements [desktop.Keyable].
func (l *Link) KeyUp(e *fyne.KeyEvent) { RevealAfter(e, l.in) }

// RevealAfter brings what has the keyboard into view when the key that went up
// is the one that led there.
func RevealAfter(e *fyne.KeyEvent, part fyne.CanvasObject) {
	if e.Name != fyne.KeyTab {
		return
	}
	c := canvasOf(part)
	if c == nil {
		return
	}
	if top := c.Overlays().Top(); top != nil {
		reveal(top, part)
		return
	}
	reveal(c.Content(), part)
}

// reveal scrolls whatever part of a tree lies in just so far that it is seen.
func reveal(root, part fyne.CanvasObject) {
	way := wayTo(root, part)
	for i := len(way) - 1; i >= 0; i-- {
		page, ok := way[i].(*container.Scroll)
		if !ok {
			continue
		}
		top, _ := offsetIn(page, part) // below the top of what the page shows now
		high, seen := part.Size().Height, page.Size().Height
		margin := min(Gap24, max((seen-high)/2, 0))
		by := float32(0)
		switch {
		case top < margin, high > seen:
			by = top - margin
		case top+high+margin > seen:
			by = top + high + margin - seen
		}
		most := max(page.Content.Size().Height-seen, 0)
		if to := min(max(page.Offset.Y+by, 0), most); to != page.Offset.Y {
			page.ScrollToOffset(fyne.NewPos(page.Offset.X, to))
		}
	}
}

// wayTo returns what a part of a tree lies in, from the root to the part itself;
// nil when it is not there.
func wayTo(root, part fyne.CanvasObject) []fyne.CanvasObject {
	if root == part {
		return []fyne.CanvasObject{root}
	}
	for _, c := range children(root) {
		if way := wayTo(c, part); way != nil {
			return append([]fyne.CanvasObject{root}, way...)
		}
	}
	return nil
}

// offsetIn returns how far below the top of a tree a part of it lies. The
// driver knows only of what was drawn already.
func offsetIn(root, part fyne.CanvasObject) (y float32, ok bool) {
	way := wayTo(root, part)
	for i, o := range way {
		if i > 0 {
			y += o.Position().Y
		}
	}
	return y, way != nil
}

// children returns what lies directly in a part of a page.
func children(o fyne.CanvasObject) []fyne.CanvasObject {
	switch o := o.(type) {
	case *fyne.Container:
		return o.Objects
	case *container.Scroll:
		return []fyne.CanvasObject{o.Content}
	case holder:
		return []fyne.CanvasObject{o.held()}
	}
	return nil
}

// Press presses the first button or choice of a tree that has a name, shows and
// can be pressed, and reports whether there is one.
func Press(root fyne.CanvasObject, name string) bool {
	if root == nil || !root.Visible() {
		return false
	}
	switch o := root.(type) {
	case *Button:
		if o.Text == name && !o.Disabled() {
			o.OnTapped()
			return true
		}
	case *Choice:
		if o.name == name {
			o.Tapped(nil)
			return true
		}
	}
	for _, c := range children(root) {
		if Press(c, name) {
			return true
		}
	}
	return false
}
