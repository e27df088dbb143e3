package kit

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"os/exec"
	"strings"
	"testing"

	"github.com/makiuchi-d/gozxing"
	multi "github.com/makiuchi-d/gozxing/multi/qrcode"
	"github.com/makiuchi-d/gozxing/qrcode"
)

// printed is a code as paper shows it at 300 dots an inch: modules don't fall
// on dots, and it lies askew by a dot.
func printed(s square, dpi float64) image.Image {
	dots := int(math.Ceil(s.width()/25.4*dpi)) + 2
	img := image.NewGray(image.Rect(0, 0, dots, dots))
	for y := range dots {
		for x := range dots {
			mx := int(math.Floor((float64(x)-0.7)/dpi*25.4/s.module())) - quietZone
			my := int(math.Floor((float64(y)-1.3)/dpi*25.4/s.module())) - quietZone
			ink := color.Gray{Y: 255}
			if mx >= 0 && my >= 0 && mx < s.modules && my < s.modules && s.dark(mx, my) {
				ink.Y = 0
			}
			img.SetGray(x, y, ink)
		}
	}
	return img
}

func scan(t *testing.T, img image.Image) string {
	t.Helper()
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	result, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil {
		t.Fatal(err)
	}
	return result.GetText()
}

// TestSquares prints the codes of every sample, scans them, and reads the kit.
func TestSquares(t *testing.T) {
	t.Parallel()
	for name, k := range samples() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := newBlock(k)
			if err != nil {
				t.Fatal(err)
			}
			codes, texts, err := squares(b)
			if err != nil {
				t.Fatal(err)
			}
			if (name == "s3" || name == "least") && len(codes) != 1 {
				t.Errorf("it takes %d codes", len(codes))
			}
			var all []string
			for i, c := range codes {
				if c.module() < 0.5 || c.width() > codeWidth+0.01 {
					t.Errorf("code %d has modules of %.2f mm and is %.1f mm wide", i+1, c.module(), c.width())
				}
				got := scan(t, printed(c, 300))
				if got != texts[i] {
					t.Errorf("code %d is scanned differently", i+1)
				}
				all = append([]string{got}, all...) // the last first
			}
			got, err := parse(strings.Join(all, "\n"))
			if err != nil {
				t.Fatal(err)
			}
			sameKit(t, got, k)
		})
	}
}

// TestPress_PDF_rendered lets another program draw the page and scans that: it
// once drew lines between the modules' edges.
func TestPress_PDF_rendered(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("pdftoppm")
	if err != nil {
		t.Skip("KVART-SKIP pdftoppm: not installed; make setup-test installs it")
	}
	k := samples()["webdav"]
	s, err := New().PDF(k, "sv")
	if err != nil {
		t.Fatal(err)
	}
	draw := exec.Command(program, "-r", "300", "-png", "-")
	draw.Stdin = strings.NewReader(s.Reveal())
	out, err := draw.Output()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(out))
	if err != nil {
		t.Fatal(err)
	}
	if got := img.Bounds().Size(); got.X < 2475 || got.X > 2485 || got.Y < 3500 || got.Y > 3512 {
		t.Errorf("the page has %v dots, no A4", got)
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		t.Fatal(err)
	}
	found, err := multi.NewQRCodeMultiReader().DecodeMultiple(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d codes found: %v", len(found), err)
	}
	got, err := parse(found[0].GetText())
	if err != nil {
		t.Fatal(err)
	}
	sameKit(t, got, k)
}

// TestSquares_stained scans a code with a stain on it.
func TestSquares_stained(t *testing.T) {
	t.Parallel()
	b, err := newBlock(sample())
	if err != nil {
		t.Fatal(err)
	}
	codes, texts, err := squares(b)
	if err != nil {
		t.Fatal(err)
	}
	img := printed(codes[0], 300).(*image.Gray)
	size := img.Bounds().Dx()
	for y := range size {
		for x := range size {
			dx, dy := float64(x-size*6/10), float64(y-size*6/10)
			if math.Hypot(dx, dy) < 0.06*float64(size) {
				img.SetGray(x, y, color.Gray{Y: 60})
			}
		}
	}
	if scan(t, img) != texts[0] {
		t.Error("it is scanned differently")
	}
}
