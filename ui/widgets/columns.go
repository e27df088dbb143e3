package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
)

// narrowTable is the width below which a table's row becomes a small card.
const narrowTable = 520

// Columns places a table's cells side by side, in shares of the width; where
// there is no room for that it stacks them.
func Columns(shares []float32, cells ...fyne.CanvasObject) *fyne.Container {
	return container.New(&columns{shares: shares}, cells...)
}

// TableHead is like [Columns] for a table's head, which is left out where the
// rows are stacked.
func TableHead(shares []float32, cells ...fyne.CanvasObject) *fyne.Container {
	return container.New(&columns{shares: shares, head: true}, cells...)
}

type columns struct {
	shares []float32
	head   bool
	narrow bool
}

// Layout implements [fyne.Layout].
func (c *columns) Layout(cells []fyne.CanvasObject, size fyne.Size) {
	c.narrow = size.Width < narrowTable
	if c.narrow {
		if c.head {
			for _, o := range cells {
				o.Resize(fyne.NewSize(0, 0))
				o.Move(fyne.NewPos(-1, -1))
			}
			return
		}
		column{Gap4}.Layout(cells, size)
		return
	}
	total := float32(0)
	for _, s := range c.shares {
		total += s
	}
	x := float32(0)
	for i, o := range cells {
		w := size.Width * c.shares[i] / total
		h := min(heightAt(o, w-Gap12), size.Height)
		o.Resize(fyne.NewSize(w-Gap12, h))
		o.Move(fyne.NewPos(x, (size.Height-h)/2))
		x += w
	}
}

// MinSize implements [fyne.Layout].
func (c *columns) MinSize(cells []fyne.CanvasObject) fyne.Size {
	if c.narrow {
		if c.head {
			return fyne.Size{}
		}
		return column{Gap4}.MinSize(cells)
	}
	var s fyne.Size
	for _, o := range cells {
		s.Height = max(s.Height, o.MinSize().Height)
	}
	s.Width = 200
	return s
}
