package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// Fill is a [Column] in which one of the objects gets the height that the others
// leave over.
func Fill(gap float32, stretch fyne.CanvasObject, objects ...fyne.CanvasObject) *fyne.Container {
	return container.New(&fill{column: column{gap}, stretch: stretch}, objects...)
}

type fill struct {
	column
	stretch fyne.CanvasObject
}

// Layout implements [fyne.Layout].
func (f *fill) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	heights := make([]float32, len(objects))
	rest := size.Height + f.gap
	for i, o := range objects {
		if o.Visible() {
			heights[i] = heightAt(o, size.Width)
			rest -= heights[i] + f.gap
		}
	}
	y := float32(0)
	for i, o := range objects {
		if !o.Visible() {
			continue
		}
		if o == f.stretch {
			heights[i] += max(rest, 0)
		}
		o.Move(fyne.NewPos(0, y))
		o.Resize(fyne.NewSize(size.Width, heights[i]))
		y += heights[i] + f.gap
	}
}

// FilledPage is a [Page] in which one of the objects is as high as the window
// leaves room for.
func FilledPage(stretch fyne.CanvasObject, objects ...fyne.CanvasObject) *container.Scroll {
	return container.NewVScroll(Inset(32, 26, Fill(Gap16, stretch, objects...)))
}
