package widgets

import (
	"image/color"
	"slices"
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/theme"
)

// DayMark is what a [Month] shows of a day, by shape and colour.
type DayMark string

// Marks of a day.
const (
	DayPlain DayMark = ""      // nothing
	DayGood  DayMark = "good"  // a bar
	DayBad   DayMark = "bad"   // a broken bar
	DayAlarm DayMark = "alarm" // a frame around the day, and a broken bar
)

// MonthDay is one day of a [Month].
type MonthDay struct {
	Mark  DayMark
	Words string // what became of it, for the line below
	Off   bool   // it can't be chosen
}

const (
	monthCell  = 36
	monthWide  = 64 // of a cell, at most
	monthHeads = 22
)

// Month shows the days of a month week by week and says in words below what
// became of the one under the mouse or the keyboard's cursor.
type Month struct {
	widget.BaseWidget
	heads   []string // of the seven days of a week
	days    []MonthDay
	lead    int // days of the first week that belong to the month before
	chosen  int // index of the day that is looked at, -1 for none
	cursor  int // index pointed at, -1 for none
	rest    string
	focused bool
	words   *Text

	// OnPick is called with the day, from 1, that was tapped or entered.
	OnPick func(day int)
	// OnTurn is called to go to the month before (-1) or after (1).
	OnTurn func(by int)
}

var (
	_ fyne.Tappable     = (*Month)(nil)
	_ fyne.Focusable    = (*Month)(nil)
	_ desktop.Hoverable = (*Month)(nil)
)

// NewMonth returns a month without days; heads are the short names of the days
// of a week.
func NewMonth(heads []string) *Month {
	m := &Month{heads: heads, cursor: -1, chosen: -1, words: NewText("", Caption())}
	m.ExtendBaseWidget(m)
	return m
}

// Set shows other days: the first stands lead columns in, and chosen, from 1, is
// the one looked at, 0 for none. rest is said while none is pointed at.
func (m *Month) Set(days []MonthDay, lead, chosen int, rest string) {
	if slices.Equal(days, m.days) && lead == m.lead && chosen-1 == m.chosen && rest == m.rest {
		return
	}
	m.days, m.lead, m.chosen, m.rest = days, lead, chosen-1, rest
	m.cursor = min(m.cursor, len(days)-1)
	m.Refresh()
}

// Words returns what is said below the days.
func (m *Month) Words() string {
	if m.cursor >= 0 && m.cursor < len(m.days) {
		return m.days[m.cursor].Words
	}
	return m.rest
}

// Name is what the month is called among focusable things.
func (m *Month) Name() string { return "month" }

func (m *Month) wide() float32 { return min(m.Size().Width/7, monthWide) }

// at returns the index of the day at a place, -1 for none.
func (m *Month) at(p fyne.Position) int {
	w := m.wide()
	if w <= 0 || p.Y < monthHeads || p.X >= 7*w {
		return -1
	}
	i := int((p.Y-monthHeads)/monthCell)*7 + int(p.X/w) - m.lead
	if i < 0 || i >= len(m.days) {
		return -1
	}
	return i
}

func (m *Month) point(i int) {
	if i = min(max(i, -1), len(m.days)-1); i != m.cursor {
		m.cursor = i
		m.Refresh()
	}
}

// MouseIn implements [desktop.Hoverable].
func (m *Month) MouseIn(e *desktop.MouseEvent) { m.point(m.at(e.Position)) }

// MouseMoved implements [desktop.Hoverable].
func (m *Month) MouseMoved(e *desktop.MouseEvent) { m.point(m.at(e.Position)) }

// MouseOut implements [desktop.Hoverable].
func (m *Month) MouseOut() {
	if !m.focused {
		m.point(-1)
	}
}

// Tapped implements [fyne.Tappable].
func (m *Month) Tapped(e *fyne.PointEvent) {
	m.point(m.at(e.Position))
	m.pick()
}

func (m *Month) pick() {
	if m.cursor >= 0 && !m.days[m.cursor].Off && m.OnPick != nil {
		m.OnPick(m.cursor + 1)
	}
}

func (m *Month) turn(by int) {
	if m.OnTurn != nil {
		m.OnTurn(by)
	}
}

// FocusGained implements [fyne.Focusable].
func (m *Month) FocusGained() {
	m.focused = true
	if m.cursor < 0 {
		m.cursor = max(m.chosen, 0)
	}
	m.Refresh()
}

// FocusLost implements [fyne.Focusable].
func (m *Month) FocusLost() {
	m.focused, m.cursor = false, -1
	m.Refresh()
}

// TypedRune implements [fyne.Focusable].
func (m *Month) TypedRune(rune) {}

// TypedKey implements [fyne.Focusable].
func (m *Month) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyLeft:
		m.move(-1)
	case fyne.KeyRight:
		m.move(1)
	case fyne.KeyUp:
		m.move(-7)
	case fyne.KeyDown:
		m.move(7)
	case fyne.KeyHome:
		m.point(0)
	case fyne.KeyEnd:
		m.point(len(m.days) - 1)
	case fyne.KeyPageUp:
		m.turn(-1)
	case fyne.KeyPageDown:
		m.turn(1)
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		m.pick()
	default:
		PassKey(m, e)
	}
}

// move goes so many days on, into the month beside where they lie there.
func (m *Month) move(by int) {
	to := m.cursor + by
	switch before := len(m.days); {
	case to < 0:
		m.turn(-1)
		m.point(len(m.days) + to)
	case to >= before:
		m.turn(1)
		m.point(to - before)
	default:
		m.point(to)
	}
}

// CreateRenderer implements [fyne.Widget].
func (m *Month) CreateRenderer() fyne.WidgetRenderer {
	r := &monthRenderer{m: m, cursor: canvas.NewRectangle(color.Transparent), chosen: canvas.NewRectangle(color.Transparent)}
	for _, h := range m.heads {
		r.heads = append(r.heads, canvas.NewText(h, color.Transparent))
	}
	for i := range 31 {
		r.days = append(r.days, dayParts{
			number: canvas.NewText(strconv.Itoa(i+1), color.Transparent), frame: canvas.NewRectangle(color.Transparent),
			bars: [2]*canvas.Rectangle{canvas.NewRectangle(color.Transparent), canvas.NewRectangle(color.Transparent)},
		})
	}
	return r
}

type dayParts struct {
	number *canvas.Text
	frame  *canvas.Rectangle
	bars   [2]*canvas.Rectangle
}

type monthRenderer struct {
	m              *Month
	heads          []*canvas.Text
	days           []dayParts
	cursor, chosen *canvas.Rectangle
}

// Layout implements [fyne.WidgetRenderer].
func (r *monthRenderer) Layout(size fyne.Size) {
	th, v := r.m.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	w := r.m.wide()
	for i, h := range r.heads {
		h.TextSize, h.Color = th.Size(fynetheme.SizeNameCaptionText), th.Color(theme.ColorMuted, v)
		h.Move(fyne.NewPos(float32(i)*w+(w-h.MinSize().Width)/2, 0))
	}
	for i, d := range r.days {
		r.day(i, d, w, th, v)
	}
	r.frame(r.cursor, r.m.cursor, w)
	r.cursor.StrokeColor, r.cursor.StrokeWidth = th.Color(fynetheme.ColorNameForeground, v), 2
	r.frame(r.chosen, r.m.chosen, w)
	r.chosen.FillColor = th.Color(theme.ColorGoodTint, v)
	r.m.words.Move(fyne.NewPos(0, monthHeads+r.weeks()*monthCell+Gap4))
	r.m.words.Resize(fyne.NewSize(size.Width, r.m.words.MinSize().Height))
}

func (r *monthRenderer) weeks() float32 { return float32((r.m.lead + len(r.m.days) + 6) / 7) }

func (r *monthRenderer) place(i int, w float32) fyne.Position {
	at := i + r.m.lead
	return fyne.NewPos(float32(at%7)*w, monthHeads+float32(at/7)*monthCell)
}

func (r *monthRenderer) frame(box *canvas.Rectangle, i int, w float32) {
	box.Hidden = i < 0 || i >= len(r.m.days)
	box.CornerRadius = 6
	box.Move(r.place(max(i, 0), w).AddXY(2, 1))
	box.Resize(fyne.NewSize(w-4, monthCell-2))
}

func (r *monthRenderer) day(i int, d dayParts, w float32, th fyne.Theme, v fyne.ThemeVariant) {
	there := i < len(r.m.days)
	d.number.Hidden, d.frame.Hidden, d.bars[0].Hidden, d.bars[1].Hidden = !there, true, true, true
	if !there {
		return
	}
	day, at := r.m.days[i], r.place(i, w)
	d.number.TextSize, d.number.Color = th.Size(fynetheme.SizeNameText), th.Color(fynetheme.ColorNameForeground, v)
	if day.Off {
		d.number.Color = th.Color(theme.ColorMuted, v)
	}
	d.number.TextStyle.Bold = i == r.m.chosen
	d.number.Move(at.AddXY((w-d.number.MinSize().Width)/2, 4))
	c := fynetheme.ColorNamePrimary
	if day.Mark != DayGood {
		c = fynetheme.ColorNameError
	}
	for _, b := range d.bars {
		b.FillColor, b.CornerRadius = th.Color(c, v), 2
	}
	x, y := at.X+w/2-10, at.Y+monthCell-9
	switch day.Mark {
	case DayGood:
		d.bars[0].Hidden = false
		d.bars[0].Move(fyne.NewPos(x, y))
		d.bars[0].Resize(fyne.NewSize(20, 4))
	case DayBad, DayAlarm:
		for j, b := range d.bars {
			b.Hidden = false
			b.Move(fyne.NewPos(x+float32(j)*12, y))
			b.Resize(fyne.NewSize(8, 4))
		}
		d.frame.Hidden = day.Mark != DayAlarm
		d.frame.StrokeColor, d.frame.StrokeWidth, d.frame.CornerRadius = th.Color(c, v), 1.5, 6
		d.frame.Move(at.AddXY(5, 3))
		d.frame.Resize(fyne.NewSize(w-10, monthCell-6))
	}
}

// MinSize implements [fyne.WidgetRenderer].
func (r *monthRenderer) MinSize() fyne.Size {
	line := fyne.MeasureText("0", r.m.Theme().Size(fynetheme.SizeNameCaptionText), fyne.TextStyle{}).Height
	return fyne.NewSize(7*32, monthHeads+r.weeks()*monthCell+Gap4+max(line, r.m.words.MinSize().Height))
}

// Refresh implements [fyne.WidgetRenderer].
func (r *monthRenderer) Refresh() {
	r.m.words.Set(r.m.Words())
	r.Layout(r.m.Size())
	canvas.Refresh(r.m)
}

// Destroy implements [fyne.WidgetRenderer].
func (r *monthRenderer) Destroy() {}

// Objects implements [fyne.WidgetRenderer].
func (r *monthRenderer) Objects() []fyne.CanvasObject {
	out := []fyne.CanvasObject{r.chosen}
	for _, h := range r.heads {
		out = append(out, h)
	}
	for _, d := range r.days {
		out = append(out, d.frame, d.bars[0], d.bars[1], d.number)
	}
	return append(out, r.cursor, r.m.words)
}
