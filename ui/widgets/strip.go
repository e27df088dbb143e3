package widgets

import (
	"image/color"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/app"
	"kvart/ui/theme"
)

// Bar is one quarter in a [Strip].
type Bar struct {
	State app.QuarterState
	Words string // what became of it, for the line below
	Hour  string // label at full hours, else ""
}

const (
	stripHeight = 32
	stripGap    = 2
)

// Strip shows a day as small bars, one per quarter, and says in words below
// what became of the one under the mouse or the keyboard's cursor.
type Strip struct {
	widget.BaseWidget
	bars    []Bar
	rest    string // words below when no bar is pointed at
	cursor  int    // bar pointed at, -1 for none
	focused bool
	words   *Text

	// OnPick is called with the bar that was tapped or entered.
	OnPick func(i int)
}

var (
	_ fyne.Tappable     = (*Strip)(nil)
	_ fyne.Focusable    = (*Strip)(nil)
	_ desktop.Hoverable = (*Strip)(nil)
)

// NewStrip returns a strip without bars.
func NewStrip() *Strip {
	s := &Strip{cursor: -1, words: NewText("", Caption())}
	s.ExtendBaseWidget(s)
	return s
}

// Set shows other bars; rest is said while none of them is pointed at.
func (s *Strip) Set(bars []Bar, rest string) {
	if slices.Equal(bars, s.bars) && rest == s.rest {
		return
	}
	s.bars, s.rest = bars, rest
	if s.cursor >= len(bars) {
		s.cursor = -1
	}
	s.Refresh()
}

// Words returns what is said below the bars.
func (s *Strip) Words() string {
	if s.cursor >= 0 && s.cursor < len(s.bars) {
		return s.bars[s.cursor].Words
	}
	return s.rest
}

// Name is what the strip is called among focusable things.
func (s *Strip) Name() string { return "strip" }

func (s *Strip) point(i int) {
	if i = min(max(i, -1), len(s.bars)-1); i != s.cursor {
		s.cursor = i
		s.Refresh()
	}
}

func (s *Strip) at(p fyne.Position) int {
	if len(s.bars) == 0 || s.Size().Width <= 0 || p.Y > stripHeight {
		return -1
	}
	return int(p.X / s.Size().Width * float32(len(s.bars)))
}

// MouseIn implements [desktop.Hoverable].
func (s *Strip) MouseIn(e *desktop.MouseEvent) { s.point(s.at(e.Position)) }

// MouseMoved implements [desktop.Hoverable].
func (s *Strip) MouseMoved(e *desktop.MouseEvent) { s.point(s.at(e.Position)) }

// MouseOut implements [desktop.Hoverable].
func (s *Strip) MouseOut() {
	if !s.focused {
		s.point(-1)
	}
}

// Tapped implements [fyne.Tappable].
func (s *Strip) Tapped(e *fyne.PointEvent) {
	s.point(s.at(e.Position))
	s.pick()
}

func (s *Strip) pick() {
	if s.cursor >= 0 && s.OnPick != nil {
		s.OnPick(s.cursor)
	}
}

// FocusGained implements [fyne.Focusable]. The cursor starts at the newest
// quarter that has passed.
func (s *Strip) FocusGained() {
	s.focused = true
	if s.cursor < 0 {
		s.cursor = 0
		for i, b := range s.bars {
			if b.State != app.QuarterDue && b.State != app.QuarterUnknown {
				s.cursor = i
			}
		}
	}
	s.Refresh()
}

// FocusLost implements [fyne.Focusable].
func (s *Strip) FocusLost() {
	s.focused, s.cursor = false, -1
	s.Refresh()
}

// TypedRune implements [fyne.Focusable].
func (s *Strip) TypedRune(rune) {}

// TypedKey implements [fyne.Focusable].
func (s *Strip) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		s.point(max(s.cursor-1, 0))
	case fyne.KeyRight:
		s.point(s.cursor + 1)
	case fyne.KeyUp:
		s.point(max(s.cursor-4, 0))
	case fyne.KeyDown:
		s.point(s.cursor + 4)
	case fyne.KeyHome:
		s.point(0)
	case fyne.KeyEnd:
		s.point(len(s.bars) - 1)
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		if s.OnPick == nil {
			PassKey(s, e)
			return
		}
		s.pick()
	default:
		PassKey(s, e)
	}
}

// CreateRenderer implements [fyne.Widget].
func (s *Strip) CreateRenderer() fyne.WidgetRenderer {
	r := &stripRenderer{s: s, cursor: canvas.NewRectangle(color.Transparent)}
	r.build()
	return r
}

type stripRenderer struct {
	s      *Strip
	bars   [][2]*canvas.Rectangle // a bar, and its second part where it is broken
	hours  []*canvas.Text
	cursor *canvas.Rectangle
	built  []Bar
}

// shape is how high a bar stands and how it is broken, so that its state can
// be told without its colour.
type shape struct {
	color  fyne.ThemeColorName
	top    float32 // share of the height left free above
	cut    float32 // where the bar is broken, 0 for nowhere
	hollow bool
	foot   bool // only a foot is left
}

func shapeOf(st app.QuarterState) shape {
	switch st {
	case app.QuarterDone:
		return shape{color: fynetheme.ColorNamePrimary}
	case app.QuarterIdle:
		return shape{color: fynetheme.ColorNamePrimary, top: 0.3}
	case app.QuarterLate:
		return shape{color: fynetheme.ColorNameWarning, cut: 0.3}
	case app.QuarterFailed:
		return shape{color: fynetheme.ColorNameError, cut: 0.55}
	case app.QuarterRunning:
		return shape{color: fynetheme.ColorNamePrimary, hollow: true}
	case app.QuarterWaiting, app.QuarterPaused:
		return shape{color: theme.ColorMuted, hollow: true, top: 0.3}
	case app.QuarterRest:
		return shape{color: theme.ColorMuted, hollow: true, top: 0.65}
	case app.QuarterNone:
		return shape{color: theme.ColorMuted, foot: true}
	}
	return shape{color: theme.ColorTrack}
}

func (r *stripRenderer) build() {
	if r.built != nil && slices.Equal(r.built, r.s.bars) {
		return
	}
	r.built = append([]Bar{}, r.s.bars...)
	r.bars, r.hours = nil, nil
	for _, b := range r.built {
		r.bars = append(r.bars, [2]*canvas.Rectangle{canvas.NewRectangle(color.Transparent), canvas.NewRectangle(color.Transparent)})
		if b.Hour != "" {
			r.hours = append(r.hours, canvas.NewText(b.Hour, color.Transparent))
		}
	}
	r.s.words.Set(r.s.Words())
}

func (r *stripRenderer) paint() {
	th, v := r.s.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	for i, pair := range r.bars {
		sh := shapeOf(r.built[i].State)
		for _, p := range pair {
			p.CornerRadius = 2
			p.FillColor, p.StrokeWidth = th.Color(sh.color, v), 0
			if sh.hollow {
				p.FillColor, p.StrokeColor, p.StrokeWidth = color.Transparent, th.Color(sh.color, v), 1.5
			}
		}
	}
	for _, h := range r.hours {
		h.TextSize = th.Size(fynetheme.SizeNameCaptionText)
		h.Color = th.Color(theme.ColorMuted, v)
	}
	r.cursor.StrokeColor, r.cursor.StrokeWidth, r.cursor.CornerRadius = th.Color(fynetheme.ColorNameForeground, v), 2, 3
}

// Layout implements [fyne.WidgetRenderer].
func (r *stripRenderer) Layout(size fyne.Size) {
	r.paint()
	n := float32(max(len(r.bars), 1))
	step := size.Width / n
	w := max(step-min(stripGap, step/4), 1)
	for i, pair := range r.bars {
		sh := shapeOf(r.built[i].State)
		x, top := float32(i)*step, sh.top*stripHeight
		if sh.foot {
			top = stripHeight - 3
		}
		pair[1].Hide()
		pair[0].Move(fyne.NewPos(x, top))
		pair[0].Resize(fyne.NewSize(w, stripHeight-top))
		if sh.cut > 0 {
			cut := sh.cut * stripHeight
			pair[0].Resize(fyne.NewSize(w, cut-2))
			pair[1].Move(fyne.NewPos(x, cut+2))
			pair[1].Resize(fyne.NewSize(w, stripHeight-cut-2))
			pair[1].Show()
		}
	}
	y := float32(stripHeight + Gap4)
	j := 0
	for i, b := range r.built {
		if b.Hour != "" {
			m := r.hours[j].MinSize()
			r.hours[j].Move(fyne.NewPos(min(float32(i)*step, size.Width-m.Width), y))
			r.hours[j].Resize(m)
			j++
		}
	}
	r.cursor.Hidden = r.s.cursor < 0
	r.cursor.Move(fyne.NewPos(float32(r.s.cursor)*step-2, -2))
	r.cursor.Resize(fyne.NewSize(w+4, stripHeight+4))
	y += r.hourHeight() + Gap4
	r.s.words.Move(fyne.NewPos(0, y))
	r.s.words.Resize(fyne.NewSize(size.Width, r.s.words.MinSize().Height))
}

func (r *stripRenderer) hourHeight() float32 {
	return fyne.MeasureText("00", r.s.Theme().Size(fynetheme.SizeNameCaptionText), fyne.TextStyle{}).Height
}

// MinSize implements [fyne.WidgetRenderer].
func (r *stripRenderer) MinSize() fyne.Size {
	line := fyne.MeasureText("0", r.s.Theme().Size(fynetheme.SizeNameCaptionText), fyne.TextStyle{}).Height
	return fyne.NewSize(200, stripHeight+Gap4+r.hourHeight()+Gap4+max(r.s.words.MinSize().Height, line))
}

// Refresh implements [fyne.WidgetRenderer].
func (r *stripRenderer) Refresh() {
	r.build()
	r.s.words.Set(r.s.Words())
	r.Layout(r.s.Size())
	canvas.Refresh(r.s)
}

// Destroy implements [fyne.WidgetRenderer].
func (r *stripRenderer) Destroy() {}

// Objects implements [fyne.WidgetRenderer].
func (r *stripRenderer) Objects() []fyne.CanvasObject {
	objects := make([]fyne.CanvasObject, 0, 2*len(r.bars)+len(r.hours)+2)
	for _, pair := range r.bars {
		objects = append(objects, pair[0], pair[1])
	}
	for _, h := range r.hours {
		objects = append(objects, h)
	}
	return append(objects, r.cursor, r.s.words)
}
