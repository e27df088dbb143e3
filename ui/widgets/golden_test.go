package widgets

import (
	"flag"
	"image"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/software"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/theme"
)

var update = flag.Bool("update", false, "write the pictures of the widgets anew")

// golden is a widget, or a few of them, as a picture shows them.
type golden struct {
	name string
	size fyne.Size
	make func() fyne.CanvasObject
	fine bool // also at twice the scale
}

// goldens are the widgets that draw by themselves, in all the ways that they
// can look. What stands in them is short, so that a font tells little.
func goldens() []golden {
	return []golden{
		{"strip", fyne.NewSize(384, 84), func() fyne.CanvasObject { return goldenStrip(-1) }, true},
		{"strip-pointed", fyne.NewSize(384, 84), func() fyne.CanvasObject { return goldenStrip(50) }, false},
		{"month", fyne.NewSize(300, 240), func() fyne.CanvasObject { return goldenMonth(-1) }, true},
		{"month-pointed", fyne.NewSize(300, 240), func() fyne.CanvasObject { return goldenMonth(20) }, false},
		{"mark", fyne.NewSize(344, 64), goldenMarks, true},
		{"progress", fyne.NewSize(160, 64), goldenProgress, false},
		{"sketches", fyne.NewSize(SketchWidth, 5*(sketchHeight+Gap8)), goldenSketches, true},
		{"surfaces", fyne.NewSize(240, 340), goldenSurfaces, false},
	}
}

// goldenStrip is a day in which everything that can become of a quarter did.
func goldenStrip(cursor int) *Strip {
	states := []app.QuarterState{
		app.QuarterDone, app.QuarterDone, app.QuarterIdle, app.QuarterLate, app.QuarterFailed, app.QuarterPaused,
		app.QuarterWaiting, app.QuarterRest, app.QuarterNone, app.QuarterRunning, app.QuarterUnknown, app.QuarterDue,
	}
	var all []Bar
	for i := range 96 {
		all = append(all, Bar{State: states[i/8], Words: "–"})
	}
	s := NewStrip()
	s.Set(all, "")
	s.point(cursor)
	return s
}

// goldenMonth begins on a Sunday, and has all marks.
func goldenMonth(cursor int) *Month {
	marks := []DayMark{DayGood, DayGood, DayBad, DayAlarm, DayPlain}
	days := make([]MonthDay, 30)
	for i := range days {
		days[i] = MonthDay{Mark: marks[i%len(marks)], Words: "–", Off: i > 24}
	}
	m := NewMonth([]string{"1", "2", "3", "4", "5", "6", "7"})
	m.Set(days, 6, 18, "")
	m.point(cursor)
	return m
}

func goldenMarks() fyne.CanvasObject {
	box := container.NewHBox()
	for _, s := range assets.MarkStates() {
		box.Add(NewMark(48, assets.NewMark(s)))
	}
	return box
}

func goldenProgress() fyne.CanvasObject {
	box := Column(Gap12)
	for _, share := range []float64{0, 0.5, 1} {
		p := NewProgress()
		p.Set(share)
		box.Add(p)
	}
	return box
}

func goldenSketches() fyne.CanvasObject {
	box := Column(Gap8)
	for _, f := range []assets.GuideFrame{assets.FrameBrowser, assets.FrameTerminal, assets.FrameLetter, assets.FrameFolder, assets.FrameDisk} {
		box.Add(NewSketch(Scene{Frame: f, Menu: []string{"A", "B"}, Fields: []string{"C"}, Ticks: []string{"D"}, Lines: []string{"E"}, Button: "F"}))
	}
	return box
}

// goldenSurfaces are cards and what lies on them, chosen, with the keyboard on
// it and without.
func goldenSurfaces() fyne.CanvasObject {
	line := func() fyne.CanvasObject {
		return Leading(NewPill("1", ToneGood), NewPill("2", ToneWarn), NewPill("3", ToneDanger), NewPill("4", ToneNeutral))
	}
	chosen, pointed := NewChoice("", line(), nil), NewChoice("", line(), nil)
	chosen.Select(true)
	pointed.FocusGained()
	primary, focused := NewPrimary("5", nil), NewButton("6", nil)
	focused.FocusGained()
	return Inset(4, 4, Column(Gap8, NewCard(line()), chosen, pointed, Leading(primary, focused, NewButton("7", nil), NewDanger("8", nil))))
}

// TestGolden_ownDrawnWidgets holds what the widgets that draw by themselves look
// like against pictures: light at the left and dark at the right, at the scale
// of an ordinary screen and of a fine one.
func TestGolden_ownDrawnWidgets(t *testing.T) {
	for _, g := range goldens() {
		for _, scale := range []float32{1, 2} {
			if scale > 1 && !g.fine {
				continue
			}
			name := g.name + "-" + strconv.Itoa(int(scale)) + "x.png"
			t.Run(name, func(t *testing.T) {
				got := g.draw(t, scale)
				path := filepath.Join("testdata", name)
				if *update {
					writePNG(t, path, got)
					return
				}
				if want := readPNG(t, path); !alike(t, want, got) {
					made := filepath.Join(t.ArtifactDir(), name)
					writePNG(t, made, got)
					t.Errorf("it looks otherwise than %s: see %s, or run this test with -update and -artifacts", path, made)
				}
			})
		}
	}
}

// draw draws a widget in both themes, side by side.
func (g golden) draw(t *testing.T, scale float32) image.Image {
	t.Helper()
	a := test.NewTempApp(t)
	wide, high := int(g.size.Width*scale), int(g.size.Height*scale)
	both := image.NewNRGBA(image.Rect(0, 0, 2*wide, high))
	for i, v := range []fyne.ThemeVariant{fynetheme.VariantLight, fynetheme.VariantDark} {
		a.Settings().SetTheme(theme.Fixed(v))
		c := software.NewCanvas()
		c.SetPadded(false)
		c.SetScale(scale)
		c.SetContent(NewSurface(theme.ColorSurface, g.make()))
		c.Resize(g.size)
		draw.Draw(both, image.Rect(i*wide, 0, (i+1)*wide, high), c.Capture(), image.Point{}, draw.Src)
	}
	return both
}

// Bounds of what may differ: the edges of round things and of letters are mixed
// a little otherwise on other processors.
const (
	pixelSlack = 24    // of a channel's 255
	shareSlack = 0.001 // of all pixels
)

// alike reports whether two pictures look the same.
func alike(t *testing.T, want, got image.Image) bool {
	t.Helper()
	if want.Bounds() != got.Bounds() {
		t.Logf("%v became %v", want.Bounds(), got.Bounds())
		return false
	}
	b, n := want.Bounds(), 0
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r1, g1, b1, _ := want.At(x, y).RGBA()
			r2, g2, b2, _ := got.At(x, y).RGBA()
			if max(apart(r1, r2), apart(g1, g2), apart(b1, b2)) > pixelSlack<<8 {
				n++
			}
		}
	}
	if share := float64(n) / float64(b.Dx()*b.Dy()); share > shareSlack {
		t.Logf("%d pixels differ, %.2f %%", n, 100*share)
		return false
	}
	return true
}

func apart(a, b uint32) uint32 { return max(a, b) - min(a, b) }

// TestAlike_canFail: a bar of another height, a frame that is missing and a
// notch that is gone are seen.
func TestAlike_canFail(t *testing.T) {
	for name, pair := range map[string][2]golden{
		"cursor": {goldens()[0], goldens()[1]},
		"frame":  {goldens()[2], goldens()[3]},
		"one quarter": {goldens()[0], {"", goldens()[0].size, func() fyne.CanvasObject {
			s := goldenStrip(-1)
			s.bars[0].State = app.QuarterFailed
			s.bars[1].State = app.QuarterFailed
			s.Refresh()
			return s
		}, false}},
	} {
		if alike(t, pair[0].draw(t, 1), pair[1].draw(t, 1)) {
			t.Errorf("%s: two that differ are taken for the same", name)
		}
	}
	g := goldens()[4]
	if !alike(t, g.draw(t, 1), g.draw(t, 1)) {
		t.Error("the same drawn twice is taken for another")
	}
}

func readPNG(t *testing.T, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func writePNG(t *testing.T, path string, img image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(f, img); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
