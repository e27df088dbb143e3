package assets

import (
	"image"
	"image/color"
	"math"
)

// MarkState is what the mark tells. Every state has a shape of its own beside
// its colour, but for late, which keeps the shape of safe.
type MarkState string

// States of the mark.
const (
	MarkSafe    MarkState = "safe"    // a quarter filled
	MarkWorking MarkState = "working" // the quarter turns
	MarkLate    MarkState = "late"    // the quarter, in amber
	MarkAlarm   MarkState = "alarm"   // a notch in the ring
	MarkPaused  MarkState = "paused"  // two bars
	MarkUnknown MarkState = "unknown" // an empty ring
)

// MarkStates lists every state, in the order above.
func MarkStates() []MarkState {
	return []MarkState{MarkSafe, MarkWorking, MarkLate, MarkAlarm, MarkPaused, MarkUnknown}
}

// Mark is Kvart's mark in one state: a ring, filled for a share of it.
type Mark struct {
	State MarkState
	Fill  float64 // share of the ring that is filled, clockwise from 12 o'clock, 0 to 1
	Turn  float64 // how far the filled share is turned, in whole turns
	Dark  bool    // in the colours of the dark theme
	// Plate puts a white disc behind the mark, for places whose colour is not
	// known, such as panels and docks.
	Plate bool
}

// NewMark returns the mark of a state as the tray shows it: the first quarter
// filled, or none of it where the state has another shape.
func NewMark(s MarkState) Mark {
	switch s {
	case MarkPaused, MarkUnknown:
		return Mark{State: s}
	}
	return Mark{State: s, Fill: 0.25}
}

// Measures of the mark as shares of its width. icon.svg repeats them.
const (
	markRadius = 0.47 // outer edge of the ring
	markInner  = 0.37 // inner edge of the ring
	markNotch  = 1.0 / 6
	notchAt    = 0.625 // the middle of the notch, as a share of a turn: half past seven
	barWidth   = 0.11
	barHeight  = 0.32
	barGap     = 0.12 // between the two bars
)

// DrawMark draws the mark, anti-aliased, on a transparent square.
func DrawMark(size int, m Mark) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	ink := m.color()
	for y := range size {
		for x := range size {
			img.SetNRGBA(x, y, m.pixel(ink, x, y, float64(size)))
		}
	}
	return img
}

// pixel returns the colour of one pixel: looked at in many places where an
// edge goes through it, and in five where none does.
func (m Mark) pixel(ink color.NRGBA, x, y int, size float64) color.NRGBA {
	const n = 8 // looks along each side
	var count [3]int
	look := func(dx, dy float64) {
		count[m.at((float64(x)+dx)/size-0.5, (float64(y)+dy)/size-0.5)]++
	}
	for _, d := range [][2]float64{{0.5, 0.5}, {0, 0}, {1, 0}, {0, 1}, {1, 1}} {
		look(d[0], d[1])
	}
	if max(count[nothing], count[inked], count[plated]) < 5 {
		clear(count[:])
		for i := range n * n {
			look((float64(i%n)+0.5)/n, (float64(i/n)+0.5)/n)
		}
	}
	return blend(ink, count[inked], count[plated], count[nothing]+count[inked]+count[plated])
}

// What lies at a point of the mark.
const (
	nothing = iota
	inked
	plated
)

// at returns what lies at a point, seen from the middle.
func (m Mark) at(x, y float64) int {
	switch {
	case x*x+y*y > markRadius*markRadius || m.notched(x, y):
		return nothing
	case m.covers(x, y):
		return inked
	case m.Plate:
		return plated
	}
	return nothing
}

// blend mixes so many parts of ink with so many parts of white.
func blend(ink color.NRGBA, inked, plated, all int) color.NRGBA {
	sum := inked + plated
	if sum == 0 {
		return color.NRGBA{}
	}
	mix := func(c uint8) uint8 { return uint8((int(c)*inked + 0xFF*plated + sum/2) / sum) }
	return color.NRGBA{R: mix(ink.R), G: mix(ink.G), B: mix(ink.B), A: uint8((0xFF*sum + all/2) / all)}
}

func (m Mark) color() color.NRGBA {
	p := LightPalette()
	if m.Dark {
		p = DarkPalette()
	}
	switch m.State {
	case MarkLate:
		return p.Warn
	case MarkAlarm:
		return p.Danger
	case MarkPaused, MarkUnknown:
		return p.Muted
	}
	return p.Primary
}

// covers reports whether the mark's ink covers a point within the ring's outer
// edge.
func (m Mark) covers(x, y float64) bool {
	return x*x+y*y >= markInner*markInner || oneTurn(clockwise(x, y)-m.Turn) < m.Fill ||
		m.State == MarkPaused && inBars(x, y)
}

// notched reports whether a point lies in the notch of an alarm.
func (m Mark) notched(x, y float64) bool {
	return m.State == MarkAlarm && x*x+y*y >= markInner*markInner/4 &&
		math.Abs(clockwise(x, y)-notchAt) < markNotch/2
}

// clockwise returns the direction of a point as a share of a turn from 12
// o'clock.
func clockwise(x, y float64) float64 { return oneTurn(math.Atan2(x, -y) / (2 * math.Pi)) }

func inBars(x, y float64) bool {
	x = math.Abs(x)
	return x >= barGap/2 && x <= barGap/2+barWidth && math.Abs(y) <= barHeight/2
}

// oneTurn brings v into one turn, 0 up to 1.
func oneTurn(v float64) float64 { return v - math.Floor(v) }
