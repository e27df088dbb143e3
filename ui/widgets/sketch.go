package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/assets"
	"kvart/ui/theme"
)

// SketchWidth is the least width a [Sketch] can be read at.
const SketchWidth float32 = 280

const sketchHeight float32 = 160

// Scene is what a [Sketch] shows: a picture of a guide, with its labels in the
// owner's language.
type Scene struct {
	Frame               assets.GuideFrame
	Menu, Fields, Ticks []string
	Lines               []string
	Button              string
}

// Sketch is a small line drawing of where to press: a window with its menu, a
// letter, a folder. It says nothing that the words beside it don't.
type Sketch struct {
	widget.BaseWidget
	scene Scene
}

// NewSketch returns a drawing.
func NewSketch(s Scene) *Sketch {
	k := &Sketch{scene: s}
	k.ExtendBaseWidget(k)
	return k
}

// CreateRenderer implements [fyne.Widget].
func (k *Sketch) CreateRenderer() fyne.WidgetRenderer {
	r := &sketchRenderer{k: k}
	r.draw(fyne.NewSize(SketchWidth, sketchHeight))
	return r
}

type sketchRenderer struct {
	k    *Sketch
	pen  pen
	size fyne.Size
}

func (r *sketchRenderer) Layout(s fyne.Size) {
	if s != r.size {
		r.draw(s)
	}
}

func (r *sketchRenderer) MinSize() fyne.Size { return fyne.NewSize(SketchWidth, sketchHeight) }

func (r *sketchRenderer) Refresh() {
	r.draw(r.size)
	canvas.Refresh(r.k)
}

func (r *sketchRenderer) Destroy()                     {}
func (r *sketchRenderer) Objects() []fyne.CanvasObject { return r.pen.drawn }

func (r *sketchRenderer) draw(size fyne.Size) {
	r.size = size
	r.pen = pen{th: r.k.Theme(), variant: fyne.CurrentApp().Settings().ThemeVariant()}
	s := r.k.scene
	in := box{1, 1, size.Width - 2, sketchHeight - 2}
	switch s.Frame {
	case assets.FrameTerminal:
		r.pen.terminal(in, s)
	case assets.FrameFolder:
		r.pen.folders(in, s)
	case assets.FrameDisk:
		r.pen.disks(in, s)
	case assets.FrameLetter:
		r.pen.letter(in, s)
	default:
		r.pen.window(in, s)
	}
}

// box is a part of a drawing.
type box struct{ x, y, w, h float32 }

// pen draws with the theme's colours. It remembers what it drew, and which
// words it had no room for.
type pen struct {
	th      fyne.Theme
	variant fyne.ThemeVariant
	drawn   []fyne.CanvasObject
	cut     []string
}

func (p *pen) color(n fyne.ThemeColorName) color.Color { return p.th.Color(n, p.variant) }

// rect draws a rectangle; "" as a colour leaves it open.
func (p *pen) rect(b box, fill, line fyne.ThemeColorName, radius float32) {
	r := canvas.NewRectangle(color.Transparent)
	if fill != "" {
		r.FillColor = p.color(fill)
	}
	if line != "" {
		r.StrokeColor, r.StrokeWidth = p.color(line), 1
		if line == fynetheme.ColorNamePrimary {
			r.StrokeWidth = 2
		}
	}
	r.CornerRadius = radius
	r.Move(fyne.NewPos(b.x, b.y))
	r.Resize(fyne.NewSize(max(b.w, 0), max(b.h, 0)))
	p.drawn = append(p.drawn, r)
}

func (p *pen) line(x1, y1, x2, y2, width float32, c fyne.ThemeColorName) {
	l := canvas.NewLine(p.color(c))
	l.StrokeWidth = width
	l.Position1, l.Position2 = fyne.NewPos(x1, y1), fyne.NewPos(x2, y2)
	p.drawn = append(p.drawn, l)
}

func (p *pen) dot(x, y, size float32, c fyne.ThemeColorName) {
	d := canvas.NewCircle(p.color(c))
	d.Move(fyne.NewPos(x, y))
	d.Resize(fyne.NewSquareSize(size))
	p.drawn = append(p.drawn, d)
}

// lettering is how words of a drawing look.
type lettering struct {
	color      fyne.ThemeColorName
	bold, mono bool
}

func (l lettering) style() fyne.TextStyle { return fyne.TextStyle{Bold: l.bold, Monospace: l.mono} }

func (p *pen) textSize() float32 { return p.th.Size(fynetheme.SizeNameCaptionText) }

// width returns how wide words are.
func (p *pen) width(s string, l lettering) float32 {
	return fyne.MeasureText(s, p.textSize(), l.style()).Width
}

// text writes words at the left of a box, centred on its height, and cuts them
// where there is no room.
func (p *pen) text(b box, s string, l lettering) {
	if s == "" {
		return
	}
	if p.width(s, l) > b.w {
		p.cut = append(p.cut, s)
		runes := []rune(s)
		for len(runes) > 0 && p.width(string(runes)+"…", l) > b.w {
			runes = runes[:len(runes)-1]
		}
		s = string(runes) + "…"
	}
	t := canvas.NewText(s, p.color(l.color))
	t.TextSize, t.TextStyle = p.textSize(), l.style()
	m := t.MinSize()
	t.Move(fyne.NewPos(b.x, b.y+(b.h-m.Height)/2))
	t.Resize(m)
	p.drawn = append(p.drawn, t)
}

// tick draws a box that is ticked, and its words.
func (p *pen) tick(b box, s string) {
	q := box{b.x, b.y + (b.h-14)/2, 14, 14}
	p.rect(q, fynetheme.ColorNamePrimary, "", 3)
	p.line(q.x+3, q.y+7, q.x+6, q.y+10, 2, fynetheme.ColorNameForegroundOnPrimary)
	p.line(q.x+6, q.y+10, q.x+11, q.y+4, 2, fynetheme.ColorNameForegroundOnPrimary)
	p.text(box{b.x + 21, b.y, b.w - 21, b.h}, s, lettering{color: fynetheme.ColorNameForeground})
}

// button draws what is to be pressed, with the pointer on it.
func (p *pen) button(b box, s string) {
	l := lettering{color: fynetheme.ColorNameForegroundOnPrimary, bold: true}
	w := min(p.width(s, l)+20, b.w)
	p.rect(box{b.x, b.y, w, b.h}, fynetheme.ColorNamePrimary, "", 6)
	p.text(box{b.x + 10, b.y, w - 20, b.h}, s, l)
	p.pointer(b.x+w-5, b.y+b.h-5)
}

// pointer draws an arrow whose tip is at x, y.
func (p *pen) pointer(x, y float32) {
	for _, ink := range []struct {
		c     fyne.ThemeColorName
		width float32
	}{{theme.ColorSurface, 5}, {fynetheme.ColorNameForeground, 2}} {
		p.line(x, y, x, y+13, ink.width, ink.c)
		p.line(x, y, x+9, y+9, ink.width, ink.c)
		p.line(x, y+13, x+9, y+9, ink.width, ink.c)
	}
}

// Cut returns the words that a scene has no room for at a width, and its button
// where that covers something.
func Cut(s Scene, width float32) []string {
	r := &sketchRenderer{k: NewSketch(s)}
	r.draw(fyne.NewSize(width, sketchHeight))
	return r.pen.cut
}
