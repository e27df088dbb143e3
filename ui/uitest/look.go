package uitest

import (
	"fmt"
	"image/color"
	"regexp"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/assets"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

// smallest is how small text may be, in points.
const smallest = 12

// slack is how far a thing may reach beyond its room: letters are measured to
// fractions of a point, and laid out in whole ones.
const slack = 1.5

// area is a part of a canvas.
type area struct{ x1, y1, x2, y2 float32 }

func areaOf(p fyne.Position, s fyne.Size) area { return area{p.X, p.Y, p.X + s.Width, p.Y + s.Height} }

func (a area) and(b area) area {
	return area{max(a.x1, b.x1), max(a.y1, b.y1), min(a.x2, b.x2), min(a.y2, b.y2)}
}

func (a area) empty() bool { return a.x2-a.x1 < slack || a.y2-a.y1 < slack }

func (a area) holds(b area) bool {
	return b.x1 >= a.x1-slack && b.y1 >= a.y1-slack && b.x2 <= a.x2+slack && b.y2 <= a.y2+slack
}

func (a area) String() string { return fmt.Sprintf("%.0f,%.0f–%.0f,%.0f", a.x1, a.y1, a.x2, a.y2) }

// seen is something that is drawn or can be pressed, and where.
type seen struct {
	object  fyne.CanvasObject
	name    string
	at      area
	room    area   // where it can be seen, be it after scrolling
	view    area   // where it is seen now
	scroll  int    // the scrolled part it is in, 0 for none
	holders []area // of what it is in, up to that part
	inside  []fyne.CanvasObject
	ground  color.NRGBA // what lies behind it
}

func (s seen) within(o fyne.CanvasObject) bool {
	for _, i := range s.inside {
		if i == o {
			return true
		}
	}
	return false
}

// looker walks a canvas in the order in which it is drawn.
type looker struct {
	texts, things []seen
	grounds       []ground
	scrolls       int
	base          color.Color
}

type ground struct {
	at    area
	color color.Color
}

// where is what a walk knows of the place it is at.
type where struct {
	room    area
	view    area
	scroll  int
	holders []area
	inside  []fyne.CanvasObject
}

func look(c fyne.Canvas) *looker {
	a := fyne.CurrentApp().Settings()
	l := &looker{base: a.Theme().Color(fynetheme.ColorNameBackground, a.ThemeVariant())}
	l.walk(front(c), fyne.Position{}, where{room: areaOf(fyne.Position{}, c.Size()), view: areaOf(fyne.Position{}, c.Size())})
	return l
}

func (l *looker) walk(o fyne.CanvasObject, origin fyne.Position, w where) {
	if o == nil || !o.Visible() {
		return
	}
	at := origin.Add(o.Position())
	here := areaOf(at, o.Size())
	switch x := o.(type) {
	case *canvas.Text:
		if strings.TrimSpace(x.Text) != "" {
			l.texts = append(l.texts, l.text(x, at, w))
		}
		return
	case *canvas.Rectangle:
		l.grounds = append(l.grounds, ground{here, x.FillColor})
		return
	case *widgets.Sketch:
		return // a drawing of a screen: its own test looks at it
	}
	if name, ok := thing(o); ok {
		l.things = append(l.things, seen{object: o, name: name, at: here, room: w.room, view: w.view, scroll: w.scroll, holders: w.holders, inside: w.inside})
	}
	w.inside = append(w.inside[:len(w.inside):len(w.inside)], o)
	w.holders = append(w.holders[:len(w.holders):len(w.holders)], here)
	if s, ok := o.(*container.Scroll); ok {
		w = l.scrolled(s, here, w)
	}
	switch x := o.(type) {
	case *fyne.Container:
		for _, child := range x.Objects {
			l.walk(child, at, w)
		}
	case fyne.Widget:
		for _, child := range test.WidgetRenderer(x).Objects() {
			l.walk(child, at, w)
		}
	}
}

// scrolled is a place in a part that can be scrolled: what does not fit there
// can be brought into view.
func (l *looker) scrolled(s *container.Scroll, here area, w where) where {
	l.scrolls++
	const endless = 1e6
	room := w.room.and(here)
	if s.Direction != container.ScrollHorizontalOnly && s.Direction != container.ScrollNone {
		room.y1, room.y2 = -endless, endless
	}
	if s.Direction == container.ScrollHorizontalOnly || s.Direction == container.ScrollBoth {
		room.x1, room.x2 = -endless, endless
	}
	return where{room: room, view: w.view.and(here), scroll: l.scrolls, inside: w.inside}
}

func (l *looker) text(x *canvas.Text, at fyne.Position, w where) seen {
	m := x.MinSize()
	switch x.Alignment {
	case fyne.TextAlignCenter:
		at.X += (x.Size().Width - m.Width) / 2
	case fyne.TextAlignTrailing:
		at.X += x.Size().Width - m.Width
	}
	s := seen{object: x, name: x.Text, at: areaOf(at, m), room: w.room, view: w.view, scroll: w.scroll, holders: w.holders, inside: w.inside}
	s.ground = solid(l.base)
	mx, my := (s.at.x1+s.at.x2)/2, (s.at.y1+s.at.y2)/2
	for _, g := range l.grounds {
		if g.at.x1 <= mx && mx <= g.at.x2 && g.at.y1 <= my && my <= g.at.y2 {
			s.ground = over(g.color, s.ground)
		}
	}
	return s
}

// InView reports whether something that can be used is seen on a canvas now, or
// as much of it as its place has room for.
func InView(c fyne.Canvas, o fyne.CanvasObject) bool {
	for _, s := range look(c).things {
		if s.object == o {
			part := s.at.and(s.view)
			return s.view.holds(s.at) || !part.empty() && part.y2-part.y1 > (s.view.y2-s.view.y1)/2
		}
	}
	return false
}

// NameOf returns what something that can be used is called.
func NameOf(o fyne.CanvasObject) string {
	name, _ := thing(o)
	return name
}

// thing returns what something that can be used is called. Fyne's own parts of
// a field are none.
func thing(o fyne.CanvasObject) (string, bool) {
	if name, ok := label(o); ok {
		return name, true
	}
	switch x := o.(type) {
	case *widgets.Entry:
		return "field " + x.Text + x.PlaceHolder, true
	case *widgets.Select:
		return "choice " + x.Selected, true
	case *widgets.List:
		return "list", true
	case *widgets.Table:
		return "table", true
	case *widget.Button: // of a dialog of Fyne's
		return x.Text, x.Text != ""
	case *widget.Entry:
		return "field " + x.Text, true
	}
	return "", false
}

func solid(c color.Color) color.NRGBA {
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = 0xFF
	return n
}

// over is a colour painted on a solid one.
func over(top color.Color, under color.NRGBA) color.NRGBA {
	t := color.NRGBAModel.Convert(top).(color.NRGBA)
	mix := func(a, b uint8) uint8 { return uint8((int(a)*int(t.A) + int(b)*(0xFF-int(t.A))) / 0xFF) }
	return color.NRGBA{mix(t.R, under.R), mix(t.G, under.G), mix(t.B, under.B), 0xFF}
}

// Faults returns what is wrong with what a canvas shows: words that are
// missing, glued, too small, clipped, or on top of each other.
func Faults(c fyne.Canvas, w *assets.Words) []string {
	l := look(c)
	var out []string
	for _, s := range l.texts {
		if t := s.object.(*canvas.Text); !t.TextStyle.Monospace { // what is for a machine is as it is
			if why := badWords(t.Text, w); why != "" {
				out = append(out, fmt.Sprintf("%s: %q", why, t.Text))
			}
		}
		out = append(out, s.clipped()...)
	}
	out = append(out, l.fields()...)
	all := append(append([]seen{}, l.texts...), l.things...)
	for i, a := range all {
		for _, b := range all[i+1:] {
			if collide(a, b) {
				out = append(out, fmt.Sprintf("overlap: %q at %v and %q at %v", a.name, a.at, b.name, b.at))
			}
		}
	}
	return out
}

// Faint returns the texts of a canvas that stand out from what lies behind
// them by less than 4.5 to 1.
func Faint(c fyne.Canvas) []string {
	var out []string
	for _, s := range look(c).texts {
		t := s.object.(*canvas.Text)
		if ratio := theme.Contrast(over(t.Color, s.ground), s.ground); ratio < 4.5 {
			out = append(out, fmt.Sprintf("%q is %v on %v: contrast %.2f", t.Text, t.Color, s.ground, ratio))
		}
	}
	return out
}

var glued = regexp.MustCompile(`  | [,;:!?)]| \.( |$)|\( |[^.]\.\.($|[^.])|[a-zåäö]{2}[.!?][A-ZÅÄÖ][a-zåäö]|^[ ]|[ ]$|%!|<nil>|<no value>|\{\{|NaN|0001-01-01`)

func badWords(s string, w *assets.Words) string {
	switch {
	case strings.ContainsAny(s, "⟦⟧"), strings.Contains(s, ".") && !strings.Contains(s, " ") && w.Has(s):
		return "no words for a key"
	case glued.MatchString(s):
		return "glued or unfilled"
	}
	return ""
}

// clipped tells what of a text can't be seen.
func (s seen) clipped() []string {
	t := s.object.(*canvas.Text)
	var out []string
	if t.TextSize < smallest {
		out = append(out, fmt.Sprintf("%q is only %v points high", t.Text, t.TextSize))
	}
	for _, i := range s.inside {
		switch f := i.(type) {
		case *widgets.Entry:
			return out // scrolls by itself
		case *widgets.Select:
			if f.Selected != "" && strings.HasSuffix(t.Text, "…") && !strings.HasSuffix(f.Selected, "…") {
				return append(out, fmt.Sprintf("clipped: %q shows %q", f.Selected, t.Text))
			}
		}
	}
	if !s.room.holds(s.at) {
		return append(out, fmt.Sprintf("clipped: %q at %v reaches out of %v", t.Text, s.at, s.room))
	}
	for _, h := range s.holders {
		if h.empty() {
			continue // it only puts things in their places, as over a table's columns
		}
		if !h.holds(s.at) {
			return append(out, fmt.Sprintf("clipped: %q at %v reaches out of what holds it, %v", t.Text, s.at, h))
		}
	}
	return out
}

// fields returns what the hints in empty fields lack room for.
func (l *looker) fields() []string {
	var out []string
	for _, s := range l.things {
		e, ok := s.object.(*widgets.Entry)
		if !ok || e.Text != "" || e.MultiLine {
			continue
		}
		room := s.at.x2 - s.at.x1 - 4*e.Theme().Size(fynetheme.SizeNameInnerPadding)
		if m := fyne.MeasureText(e.PlaceHolder, e.Theme().Size(fynetheme.SizeNameText), e.TextStyle); m.Width > room+slack {
			out = append(out, fmt.Sprintf("clipped: the hint %q needs %.0f and has %.0f", e.PlaceHolder, m.Width, room))
		}
	}
	return out
}

// collide reports whether two things that do not hold each other cover some of
// the same place. Lines of text may touch: their boxes are higher than letters.
func collide(a, b seen) bool {
	if a.within(b.object) || b.within(a.object) {
		return false
	}
	if a.scroll != b.scroll {
		a.at, b.at = a.at.and(a.view), b.at.and(b.view)
		if a.at.empty() || b.at.empty() {
			return false
		}
	}
	both := a.at.and(b.at)
	if both.empty() {
		return false
	}
	_, text := a.object.(*canvas.Text)
	if _, other := b.object.(*canvas.Text); text || other {
		return both.y2-both.y1 > 3 && both.x2-both.x1 > 2
	}
	return true
}
