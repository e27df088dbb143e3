package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/theme"
)

// Progress is a thin bar without words: what it stands for is said beside it.
// It does not move by itself, so it costs nothing while nothing happens.
type Progress struct {
	widget.BaseWidget
	share float64
}

// NewProgress returns an empty bar.
func NewProgress() *Progress {
	p := &Progress{}
	p.ExtendBaseWidget(p)
	return p
}

// Set fills the bar to a share from 0 to 1.
func (p *Progress) Set(share float64) {
	if share = min(max(share, 0), 1); share != p.share {
		p.share = share
		p.Refresh()
	}
}

// CreateRenderer implements [fyne.Widget].
func (p *Progress) CreateRenderer() fyne.WidgetRenderer {
	r := &progressRenderer{p: p, track: canvas.NewRectangle(color.Transparent), fill: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type progressRenderer struct {
	p           *Progress
	track, fill *canvas.Rectangle
}

func (r *progressRenderer) paint() {
	th, v := r.p.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.track.FillColor, r.fill.FillColor = th.Color(theme.ColorTrack, v), th.Color(fynetheme.ColorNamePrimary, v)
	r.track.CornerRadius, r.fill.CornerRadius = 4, 4
}

func (r *progressRenderer) Layout(s fyne.Size) {
	r.track.Resize(s)
	r.fill.Resize(fyne.NewSize(s.Width*float32(r.p.share), s.Height))
}

func (r *progressRenderer) MinSize() fyne.Size { return fyne.NewSize(80, 8) }
func (r *progressRenderer) Refresh() {
	r.paint()
	r.Layout(r.p.Size())
	canvas.Refresh(r.p)
}
func (r *progressRenderer) Destroy() {}
func (r *progressRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.fill}
}

// framed draws a thin line around what another renderer draws.
type framed struct {
	fyne.WidgetRenderer
	w    fyne.Widget
	line *canvas.Rectangle
}

func newFramed(w fyne.Widget, r fyne.WidgetRenderer) fyne.WidgetRenderer {
	f := &framed{WidgetRenderer: r, w: w, line: canvas.NewRectangle(color.Transparent)}
	f.paint()
	return f
}

func (f *framed) paint() {
	th, v := fyne.CurrentApp().Settings().Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	f.line.CornerRadius = th.Size(fynetheme.SizeNameInputRadius)
	f.line.StrokeWidth, f.line.StrokeColor = 1, th.Color(fynetheme.ColorNameInputBorder, v)
}

func (f *framed) Layout(s fyne.Size) {
	f.WidgetRenderer.Layout(s)
	f.line.Resize(s)
}

func (f *framed) Refresh() {
	f.WidgetRenderer.Refresh()
	f.paint()
	f.line.Refresh()
}

func (f *framed) Objects() []fyne.CanvasObject {
	return append(append([]fyne.CanvasObject{}, f.WidgetRenderer.Objects()...), f.line)
}

// Line is a thin line between rows.
func Line() fyne.CanvasObject { return widget.NewSeparator() }

// Surface fills what lies behind content with a colour of the theme.
type Surface struct {
	widget.BaseWidget
	color   fyne.ThemeColorName
	content fyne.CanvasObject
}

// NewSurface returns content on a colour.
func NewSurface(c fyne.ThemeColorName, content fyne.CanvasObject) *Surface {
	s := &Surface{color: c, content: content}
	s.ExtendBaseWidget(s)
	return s
}

func (s *Surface) held() fyne.CanvasObject { return s.content }

// CreateRenderer implements [fyne.Widget].
func (s *Surface) CreateRenderer() fyne.WidgetRenderer {
	r := &surfaceRenderer{s: s, bg: canvas.NewRectangle(color.Transparent)}
	r.paint()
	return r
}

type surfaceRenderer struct {
	s  *Surface
	bg *canvas.Rectangle
}

func (r *surfaceRenderer) paint() {
	r.bg.FillColor = r.s.Theme().Color(r.s.color, fyne.CurrentApp().Settings().ThemeVariant())
}

func (r *surfaceRenderer) Layout(s fyne.Size) {
	r.bg.Resize(s)
	r.s.content.Resize(s)
}

func (r *surfaceRenderer) MinSize() fyne.Size { return r.s.content.MinSize() }
func (r *surfaceRenderer) Refresh()           { r.paint(); r.bg.Refresh(); r.s.content.Refresh() }
func (r *surfaceRenderer) Destroy()           {}
func (r *surfaceRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.bg, r.s.content}
}
