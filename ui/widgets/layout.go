// Package widgets holds what Kvart's screens are made of where Fyne has no
// widget of its own: card, pill, text, strip of quarters, and layouts that give
// wrapped text the height it needs. It knows nothing of backups but the states
// of a quarter.
package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Spacing in steps of four.
const (
	Gap4  float32 = 4
	Gap8  float32 = 8
	Gap12 float32 = 12
	Gap16 float32 = 16
	Gap24 float32 = 24
)

// Column stacks objects, each as wide as the column and as high as it needs to
// be at that width. Fyne's VBox asks for the height before it sets the width,
// which is wrong for text that wraps.
func Column(gap float32, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(column{gap}, objects...)
}

type column struct{ gap float32 }

// heightAt gives an object a width and returns the height it then needs.
func heightAt(o fyne.CanvasObject, width float32) float32 {
	o.Resize(fyne.NewSize(width, o.MinSize().Height))
	return o.MinSize().Height
}

// Layout implements [fyne.Layout].
func (c column) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	y := float32(0)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		h := heightAt(o, size.Width)
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, h))
		y += h + c.gap
	}
}

// MinSize implements [fyne.Layout].
func (c column) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	shown := 0
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		s.Width = max(s.Width, m.Width)
		s.Height += m.Height
		shown++
	}
	if shown > 1 {
		s.Height += c.gap * float32(shown-1)
	}
	return s
}

// Grid places objects in as many equally wide columns as fit, at most most;
// objects of one line are equally high.
func Grid(gap, narrowest float32, most int, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&grid{gap: gap, narrowest: narrowest, most: most}, objects...)
}

type grid struct {
	gap, narrowest float32
	most           int
	width          float32 // as last laid out
}

func (g *grid) columns(width float32) int {
	n := int((width + g.gap) / (g.narrowest + g.gap))
	return max(1, min(n, g.most))
}

// each calls fn with every line of visible objects.
func (g *grid) each(objects []fyne.CanvasObject, width float32, fn func(line []fyne.CanvasObject)) {
	var line []fyne.CanvasObject
	n := g.columns(width)
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		if line = append(line, o); len(line) == n {
			fn(line)
			line = nil
		}
	}
	if len(line) > 0 {
		fn(line)
	}
}

// Layout implements [fyne.Layout].
func (g *grid) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	g.width = size.Width
	n := float32(g.columns(size.Width))
	w := (size.Width - g.gap*(n-1)) / n
	y := float32(0)
	g.each(objects, size.Width, func(line []fyne.CanvasObject) {
		h := float32(0)
		for _, o := range line {
			h = max(h, heightAt(o, w))
		}
		for i, o := range line {
			o.Move(fyne.NewPos(float32(i)*(w+g.gap), y))
			o.Resize(fyne.NewSize(w, h))
		}
		y += h + g.gap
	})
}

// MinSize implements [fyne.Layout].
func (g *grid) MinSize(objects []fyne.CanvasObject) fyne.Size {
	s := fyne.NewSize(g.narrowest, -g.gap)
	g.each(objects, max(g.width, g.narrowest), func(line []fyne.CanvasObject) {
		h := float32(0)
		for _, o := range line {
			h = max(h, o.MinSize().Height)
		}
		s.Height += h + g.gap
	})
	s.Height = max(s.Height, 0)
	return s
}

// Inset keeps a distance around an object.
func Inset(x, y float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(inset{x, y}, o)
}

type inset struct{ x, y float32 }

// Layout implements [fyne.Layout].
func (i inset) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(i.x, i.y))
		o.Resize(fyne.NewSize(size.Width-2*i.x, size.Height-2*i.y))
	}
}

// MinSize implements [fyne.Layout].
func (i inset) MinSize(objects []fyne.CanvasObject) fyne.Size {
	var s fyne.Size
	for _, o := range objects {
		s = s.Max(o.MinSize())
	}
	return s.AddWidthHeight(2*i.x, 2*i.y)
}

// Sized gives an object a least width and height.
func Sized(w, h float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(sized{w, h}, o)
}

type sized struct{ w, h float32 }

// Layout implements [fyne.Layout].
func (s sized) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	for _, o := range objects {
		o.Move(fyne.NewPos(0, 0))
		o.Resize(size)
	}
}

// MinSize implements [fyne.Layout].
func (s sized) MinSize(objects []fyne.CanvasObject) fyne.Size {
	m := fyne.NewSize(s.w, s.h)
	for _, o := range objects {
		m = m.Max(o.MinSize())
	}
	return m
}

// Leading keeps objects at their least width, side by side from the left, on
// as many lines as they need.
func Leading(objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&flow{}, objects...)
}

type flow struct{ width float32 } // as last laid out

// lines calls place with every visible object, the line it is on and where on
// it, and returns how much room all of them take.
func (f *flow) lines(objects []fyne.CanvasObject, width float32, place func(o fyne.CanvasObject, x, y float32)) fyne.Size {
	var x, y, line, widest float32
	for _, o := range objects {
		if !o.Visible() {
			continue
		}
		m := o.MinSize()
		if x > 0 && x+m.Width > width {
			x, y, line = 0, y+line+Gap8, 0
		}
		place(o, x, y)
		widest = max(widest, m.Width)
		x += m.Width + Gap12
		line = max(line, m.Height)
	}
	return fyne.NewSize(widest, y+line)
}

// Layout implements [fyne.Layout].
func (f *flow) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	f.width = size.Width
	f.lines(objects, size.Width, func(o fyne.CanvasObject, x, y float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(o.MinSize())
	})
}

// MinSize implements [fyne.Layout].
func (f *flow) MinSize(objects []fyne.CanvasObject) fyne.Size {
	width := f.width
	if width == 0 {
		width = 1 << 20 // never laid out: one line will do
	}
	return f.lines(objects, width, func(fyne.CanvasObject, float32, float32) {})
}

// Foot places foot at the bottom, as high as it needs to be at that width, and
// content above it.
func Foot(content, foot fyne.CanvasObject) *fyne.Container {
	return container.New(footLayout{}, content, foot)
}

type footLayout struct{}

// Layout implements [fyne.Layout].
func (footLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	h := heightAt(o[1], size.Width)
	o[1].Resize(fyne.NewSize(size.Width, h))
	o[1].Move(fyne.NewPos(0, size.Height-h))
	o[0].Resize(fyne.NewSize(size.Width, max(size.Height-h, 0)))
	o[0].Move(fyne.NewPos(0, 0))
}

// MinSize implements [fyne.Layout].
func (footLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height)
}

// Page is a screen's content: with margins, and scrolled when it is too high.
func Page(objects ...fyne.CanvasObject) *container.Scroll {
	return container.NewVScroll(Inset(32, 26, Column(Gap16, objects...)))
}

// Relayout makes room on a page for what was shown, and takes it from what was
// hidden.
func Relayout(page *container.Scroll) {
	page.Content.Refresh()
	page.Refresh()
}

// ScrollTo brings a part of a page into view, near its top. Text tells how high
// it is only once it has a width, so that a part that just came has to be laid
// out more than once before its place is known.
func ScrollTo(page *container.Scroll, part fyne.CanvasObject) {
	for range 3 {
		Relayout(page)
	}
	y, ok := offsetIn(page.Content, part)
	if !ok {
		return
	}
	page.ScrollToOffset(fyne.NewPos(0, min(max(y-Gap24, 0), max(page.Content.Size().Height-page.Size().Height, 0))))
}

// holder is a widget around other parts of a page.
type holder interface{ held() fyne.CanvasObject }
