package kit

import (
	"fmt"
	"image/color"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"kvart/app"
)

// Measures of a code on paper. A code of 125 modules (version 27) with
// error correction M, which outlives a crease or a stain, holds the kit of most
// shops and has modules of half a millimetre: a phone reads it off paper from a
// hand's breadth away.
const (
	maxModules = 125
	maxLetters = 1637 // what they hold
	quietZone  = 4    // modules of white around, as the standard wants it
	codeWidth  = 68.0 // mm at most, with the quiet zone
	maxModule  = 0.8  // mm
	maxParts   = 100
)

// square is one code.
type square struct {
	bits    barcode.Barcode
	modules int
}

// dark reports whether a module is black.
func (s square) dark(x, y int) bool { return s.bits.At(x, y) == color.Black }

// module is the width of a module on paper in mm.
func (s square) module() float64 {
	return min(codeWidth/float64(s.modules+2*quietZone), maxModule)
}

// width is that of the code on paper in mm, with the quiet zone.
func (s square) width() float64 { return float64(s.modules+2*quietZone) * s.module() }

// squares returns a block as as few codes as phones can read, and what they
// hold.
func squares(b block) ([]square, []string, error) {
	for count := 1; count <= maxParts; count++ {
		texts := b.parts(count)
		if len(texts[0]) > maxLetters {
			continue
		}
		out, err := drawAll(texts)
		if err != nil {
			return nil, nil, err
		}
		if out[0].modules <= maxModules {
			return out, texts, nil
		}
	}
	return nil, nil, app.Errorf(app.CodeUsage, "write kit", "it is too large for codes")
}

func drawAll(texts []string) ([]square, error) {
	var out []square
	for _, t := range texts {
		bits, err := qr.Encode(t, qr.M, qr.AlphaNumeric)
		if err != nil { // which may quote what it could not draw
			return nil, fmt.Errorf("draw code of %d characters", len(t))
		}
		out = append(out, square{bits: bits, modules: bits.Bounds().Dx()})
	}
	return out, nil
}
