package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Row places objects side by side, centred on each other: stretch gets the
// width the others leave over. A nil stretch leaves it empty. Where too little
// is left over, all of them stand below each other.
func Row(gap float32, left []fyne.CanvasObject, stretch fyne.CanvasObject, right ...fyne.CanvasObject) *fyne.Container {
	all := append([]fyne.CanvasObject{}, left...)
	if stretch != nil {
		all = append(all, stretch)
	}
	return container.New(&row{gap: gap, left: len(left), stretch: stretch}, append(all, right...)...)
}

type row struct {
	gap     float32
	left    int
	stretch fyne.CanvasObject
	stacked bool // as last laid out
}

// leastStretch is the width below which words beside something else can't be
// read any more.
const leastStretch = 110

// stacks reports whether a width is too small for objects beside each other.
// Words that are made to be cut give way instead.
func (r *row) stacks(objects []fyne.CanvasObject, width float32) bool {
	if r.stretch == nil || width < 1 {
		return false
	}
	least := float32(leastStretch)
	if t, ok := r.stretch.(*Text); ok && t.look.Truncate {
		return false
	} else if ok && t.look.OneLine {
		least = t.MinSize().Width
	}
	beside := 0
	for _, o := range objects {
		if o.Visible() && o != r.stretch {
			width -= o.MinSize().Width + r.gap
			beside++
		}
	}
	return beside > 0 && width < least
}

// Layout implements [fyne.Layout].
func (r *row) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	if r.stacked = r.stacks(objects, size.Width); r.stacked {
		r.stack(objects, size)
		return
	}
	place := func(o fyne.CanvasObject, x, w float32) {
		h := o.MinSize().Height
		o.Resize(fyne.NewSize(w, h))
		h = min(o.MinSize().Height, size.Height)
		o.Resize(fyne.NewSize(w, h))
		o.Move(fyne.NewPos(x, (size.Height-h)/2))
	}
	from, to := float32(0), size.Width
	for i, o := range objects {
		if i < r.left && o.Visible() {
			w := o.MinSize().Width
			place(o, from, w)
			from += w + r.gap
		}
	}
	for i := len(objects) - 1; i >= r.left && objects[i] != r.stretch; i-- {
		if o := objects[i]; o.Visible() {
			w := o.MinSize().Width
			place(o, to-w, w)
			to -= w + r.gap
		}
	}
	if r.stretch != nil {
		place(r.stretch, from, max(to-from, 0))
	}
}

// stack places objects below each other: what stretches as wide as there is
// room, the others as they are.
func (r *row) stack(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		w := min(o.MinSize().Width, size.Width)
		if o == r.stretch {
			w = size.Width
		}
		h := heightAt(o, w)
		o.Resize(fyne.NewSize(w, h))
		o.Move(fyne.NewPos(0, y))
		y += h + Gap8
	}
}

// MinSize implements [fyne.Layout].
func (r *row) MinSize(objects []fyne.CanvasObject) fyne.Size {
	if r.stacked {
		return column{Gap8}.MinSize(objects)
	}
	var s fyne.Size
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if i > 0 {
			s.Width += r.gap
		}
		s.Width += m.Width
		s.Height = max(s.Height, m.Height)
	}
	return s
}
