package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"os"
	"path/filepath"
)

// draw makes a picture of each bean's bag: a coloured bag with a round label.
func (s *shop) draw() error {
	for i, b := range beans {
		dir := filepath.Join(s.images, "Hylla "+[]string{"Å", "Ä", "Ö"}[i%3])
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("draw pictures: %w", err)
		}
		hue := float64(i) / float64(len(beans)) * 2 * math.Pi
		bag := color.NRGBA{uint8(120 + 60*math.Cos(hue)), uint8(90 + 50*math.Cos(hue+2)), uint8(80 + 40*math.Cos(hue+4)), 255}
		m := image.NewNRGBA(image.Rect(0, 0, 640, 800))
		for y := range 800 {
			for x := range 640 {
				c := color.NRGBA{246, 245, 241, 255}
				if x > 90 && x < 550 && y > 80 && y < 760 {
					c = bag
				}
				if d := math.Hypot(float64(x-320), float64(y-430)); d < 150 {
					c = color.NRGBA{255, 255, uint8(225 + s.rnd.IntN(12)), 255}
				}
				m.SetNRGBA(x, y, c)
			}
		}
		var buf bytes.Buffer
		err := errors.Join(jpeg.Encode(&buf, m, nil), os.WriteFile(filepath.Join(dir, b+".jpg"), buf.Bytes(), 0o644))
		if err != nil {
			return fmt.Errorf("draw %s: %w", b, err)
		}
	}
	return nil
}
