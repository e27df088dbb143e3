package assets

import (
	"bytes"
	"encoding/binary"
	"flag"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"strings"
	"testing"
)

// update rewrites icon.png: go test ./assets -run TestAppIcon -update
var update = flag.Bool("update", false, "rewrite icon.png")

func TestAppIcon(t *testing.T) {
	m := NewMark(MarkSafe)
	m.Plate = true
	want, err := m.PNG(512)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("icon.png", want, 0o644); err != nil {
			t.Fatal(err)
		}
		t.Skip("icon.png was rewritten; run again without -update")
	}
	b, err := AppIcon()
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if d := difference(got, DrawMark(512, m)); d > 0 {
		t.Errorf("icon.png differs from the mark by %v; see -update", d)
	}
}

// TestAppIcon_svg holds the hand-written SVG to the measures of the mark.
func TestAppIcon_svg(t *testing.T) {
	b, err := os.ReadFile("icon.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`r="240.64"`, `r="215.04"`, `stroke-width="51.2"`, "#0E6B58"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("icon.svg lacks %s", want)
		}
	}
	if markRadius*512 != 240.64 || (markRadius+markInner)/2*512 != 215.04 || math.Abs((markRadius-markInner)*512-51.2) > 1e-9 {
		t.Error("icon.svg no longer has the measures of the mark")
	}
}

// difference returns the share of the picture that differs.
func difference(a, b image.Image) float64 {
	if a.Bounds() != b.Bounds() {
		return 1
	}
	var sum float64
	r := a.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			ar, ag, ab, aa := a.At(x, y).RGBA()
			br, bg, bb, ba := b.At(x, y).RGBA()
			sum += math.Abs(float64(ar)-float64(br)) + math.Abs(float64(ag)-float64(bg)) +
				math.Abs(float64(ab)-float64(bb)) + math.Abs(float64(aa)-float64(ba))
		}
	}
	return sum / (4 * 0xFFFF * float64(r.Dx()*r.Dy()))
}

// TestDrawMark_shapes looks at the places that tell the states apart.
func TestDrawMark_shapes(t *testing.T) {
	const size = 64
	at := func(img image.Image, clock, radius float64) bool {
		a := clock / 12 * 2 * math.Pi
		x, y := size*(0.5+radius*math.Sin(a)), size*(0.5-radius*math.Cos(a))
		return color.NRGBAModel.Convert(img.At(int(x), int(y))).(color.NRGBA).A > 0x80
	}
	const ring, inside = (markRadius + markInner) / 2, 0.2
	turned := NewMark(MarkWorking)
	turned.Turn = 0.5
	full := Mark{State: MarkSafe, Fill: 1}
	for _, tt := range []struct {
		name          string
		m             Mark
		clock, radius float64
		want          bool
	}{
		{"safe fills the first quarter", NewMark(MarkSafe), 1.5, inside, true},
		{"safe leaves the second quarter", NewMark(MarkSafe), 4.5, inside, false},
		{"safe leaves the last quarter", NewMark(MarkSafe), 10.5, inside, false},
		{"safe has a whole ring", NewMark(MarkSafe), 7.5, ring, true},
		{"nothing outside the ring", NewMark(MarkSafe), 1.5, 0.49, false},
		{"a turned quarter leaves the first", turned, 1.5, inside, false},
		{"a turned quarter fills the third", turned, 7.5, inside, true},
		{"alarm has a notch", NewMark(MarkAlarm), 7.5, ring, false},
		{"alarm has a ring elsewhere", NewMark(MarkAlarm), 4.5, ring, true},
		{"late keeps the quarter", NewMark(MarkLate), 1.5, inside, true},
		{"paused has a right bar", NewMark(MarkPaused), 3, barGap/2 + barWidth/2, true},
		{"paused has a left bar", NewMark(MarkPaused), 9, barGap/2 + barWidth/2, true},
		{"paused has a gap", NewMark(MarkPaused), 12, 0, false},
		{"unknown is empty", NewMark(MarkUnknown), 1.5, inside, false},
		{"full is full", full, 10.5, inside, true},
	} {
		if got := at(DrawMark(size, tt.m), tt.clock, tt.radius); got != tt.want {
			t.Errorf("%s: inked %v", tt.name, got)
		}
	}
}

// TestTrayIcon_tellsStatesApart compares the shapes at the size of a small
// panel, without colour.
func TestTrayIcon_tellsStatesApart(t *testing.T) {
	shape := func(s MarkState) image.Image {
		src := DrawMark(16, NewMark(s))
		dst := image.NewAlpha(src.Bounds())
		for i := range 16 * 16 {
			_, _, _, a := src.At(i%16, i/16).RGBA()
			dst.SetAlpha(i%16, i/16, color.Alpha{A: uint8(a >> 8)})
		}
		return dst
	}
	states := []MarkState{MarkSafe, MarkAlarm, MarkPaused, MarkUnknown}
	for i, a := range states {
		for _, b := range states[i+1:] {
			if d := difference(shape(a), shape(b)); d < 0.03 {
				t.Errorf("%s and %s differ by only %.3f", a, b, d)
			}
		}
	}
	if NewMark(MarkLate).color() == NewMark(MarkSafe).color() {
		t.Error("late has the colour of safe")
	}
}

func TestIcons(t *testing.T) {
	ic, err := NewIcons()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range MarkStates() {
		if b := ic.Icon(s, 0); len(b) < 100 || &b[0] != &ic.Icon(s, Turns)[0] {
			t.Errorf("%s: %d bytes, or not the same ones again", s, len(b))
		}
	}
	if bytes.Equal(ic.Icon(MarkWorking, 0), ic.Icon(MarkWorking, 1)) {
		t.Error("working does not turn")
	}
	if !bytes.Equal(ic.Icon("never heard of", -1), ic.Icon(MarkUnknown, 0)) {
		t.Error("an unknown state does not look unknown")
	}
}

func TestMark_ICO(t *testing.T) {
	m := NewMark(MarkAlarm)
	b, err := m.ICO(16, 48)
	if err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	if le.Uint16(b[2:]) != 1 || le.Uint16(b[4:]) != 2 {
		t.Fatalf("header %v", b[:6])
	}
	entry := b[6+16:]
	length, at := le.Uint32(entry[8:]), le.Uint32(entry[12:])
	if int(at+length) != len(b) || entry[0] != 48 || entry[1] != 48 || le.Uint16(entry[6:]) != 32 {
		t.Fatalf("entry %v of %d bytes", entry[:16], len(b))
	}
	dib := b[at:]
	if le.Uint32(dib) != 40 || le.Uint32(dib[4:]) != 48 || le.Uint32(dib[8:]) != 96 || int(length) != 40+48*48*4+48*8 {
		t.Fatalf("bitmap %v", dib[:40])
	}
	// The pixel in the middle of the filled quarter, counted from below.
	px := dib[40+4*((47-16)*48+30):]
	if want := LightPalette().Danger; px[0] != want.B || px[1] != want.G || px[2] != want.R || px[3] != 0xFF {
		t.Errorf("pixel %v, want %v", px[:4], want)
	}
	if b, err = m.ICO(256); err != nil || b[6] != 0 || b[7] != 0 {
		t.Errorf("%v, 256 is written as %v, want 0", err, b[6:8])
	}
	if _, err := m.ICO(257); err == nil {
		t.Error("a size that fits no entry is accepted")
	}
}

// TestPalette_contrast holds text and mark to what weak eyes need.
func TestPalette_contrast(t *testing.T) {
	for name, p := range map[string]Palette{"light": LightPalette(), "dark": DarkPalette()} {
		for _, tt := range []struct {
			what   string
			fg, bg color.NRGBA
			min    float64
		}{
			{"ink on background", p.Ink, p.Background, 4.5},
			{"ink on surface", p.Ink, p.Surface, 4.5},
			{"muted on background", p.Muted, p.Background, 4.5},
			{"muted on surface", p.Muted, p.Surface, 4.5},
			{"primary on surface", p.Primary, p.Surface, 4.5},
			{"danger on surface", p.Danger, p.Surface, 4.5},
			{"warn on surface, as a shape", p.Warn, p.Surface, 3},
		} {
			if got := contrast(tt.fg, tt.bg); got < tt.min {
				t.Errorf("%s: %s is %.2f:1, want %.1f:1", name, tt.what, got, tt.min)
			}
		}
	}
}

func contrast(a, b color.NRGBA) float64 {
	lum := func(c color.NRGBA) float64 {
		lin := func(v uint8) float64 {
			f := float64(v) / 0xFF
			if f <= 0.04045 {
				return f / 12.92
			}
			return math.Pow((f+0.055)/1.055, 2.4)
		}
		return 0.2126*lin(c.R) + 0.7152*lin(c.G) + 0.0722*lin(c.B)
	}
	x, y := lum(a), lum(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}
