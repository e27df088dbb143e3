package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/assets"
)

// Mark shows Kvart's mark in one of its states.
type Mark struct {
	widget.BaseWidget
	size float32
	mark assets.Mark
}

// NewMark returns the mark at a size.
func NewMark(size float32, m assets.Mark) *Mark {
	w := &Mark{size: size, mark: m}
	w.ExtendBaseWidget(w)
	return w
}

// Set shows another state.
func (m *Mark) Set(mark assets.Mark) {
	if mark != m.mark {
		m.mark = mark
		m.Refresh()
	}
}

// CreateRenderer implements [fyne.Widget].
func (m *Mark) CreateRenderer() fyne.WidgetRenderer {
	r := &markRenderer{m: m, img: &canvas.Image{FillMode: canvas.ImageFillContain, ScaleMode: canvas.ImageScaleSmooth}}
	r.paint()
	return r
}

type markRenderer struct {
	m     *Mark
	img   *canvas.Image
	drawn assets.Mark
}

// paint draws at twice the size, for screens with small pixels, and only when
// there is something else to draw.
func (r *markRenderer) paint() {
	mark := r.m.mark
	ground, _, _, _ := r.m.Theme().Color(fynetheme.ColorNameBackground, fyne.CurrentApp().Settings().ThemeVariant()).RGBA()
	mark.Dark = ground < 0x8000
	if r.img.Image == nil || mark != r.drawn {
		r.drawn, r.img.Image = mark, assets.DrawMark(int(2*r.m.size), mark)
	}
}

func (r *markRenderer) Layout(s fyne.Size) {
	r.img.Move(fyne.NewPos((s.Width-r.m.size)/2, (s.Height-r.m.size)/2))
	r.img.Resize(fyne.NewSquareSize(r.m.size))
}

func (r *markRenderer) MinSize() fyne.Size           { return fyne.NewSquareSize(r.m.size) }
func (r *markRenderer) Refresh()                     { r.paint(); r.img.Refresh() }
func (r *markRenderer) Destroy()                     {}
func (r *markRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.img} }
