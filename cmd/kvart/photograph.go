package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kvart/ui"
)

// Size of the pictures, the smallest window there may be, and how long a page
// is given to fetch and draw what it shows: at least a moment, and no longer
// than patience where something on it never ends.
const (
	shotWide = 1024
	shotHigh = 700
	moment   = 400 * time.Millisecond
	patience = 8 * time.Second
)

// photograph writes a picture of every page of a tour of the real window, and
// ends the program.
func photograph(ctx context.Context, w *ui.Window, o options, quit func(), stderr io.Writer) {
	defer w.Do(quit)
	stops := ui.Stops(o.tour)
	if stops == nil {
		fmt.Fprintf(stderr, "there is no tour %q\n", o.tour)
		return
	}
	if err := os.MkdirAll(o.shots, 0o755); err != nil {
		fmt.Fprintln(stderr, err)
		return
	}
	w.Do(func() { w.Fit(shotWide, shotHigh) })
	if !settled(ctx, w) {
		return
	}
	for _, s := range stops {
		picture, err := shoot(ctx, w, s)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = write(filepath.Join(o.shots, s.Name+".png"), picture)
		}
		if err != nil {
			fmt.Fprintln(stderr, err)
		}
	}
}

// ask runs f in the window's loop and returns what it returned.
func ask[T any](ctx context.Context, w *ui.Window, f func() T) (out T) {
	answer := make(chan T, 1)
	w.Do(func() { answer <- f() })
	select {
	case <-ctx.Done():
	case out = <-answer:
	}
	return out
}

// settled waits until the window waits for nothing any more, and reports
// whether it is still open.
func settled(ctx context.Context, w *ui.Window) bool {
	quiet := 0
	for until := time.Now().Add(patience); quiet < 2 && time.Now().Before(until); {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(moment):
		}
		quiet++
		if ask(ctx, w, w.Busy) {
			quiet = 0
		}
	}
	return ctx.Err() == nil
}

// shoot goes to a page and takes its picture.
func shoot(ctx context.Context, w *ui.Window, s ui.Stop) (image.Image, error) {
	w.Do(func() { w.Visit(s) })
	for _, words := range s.Presses() {
		if !settled(ctx, w) {
			return nil, ctx.Err()
		}
		if !ask(ctx, w, func() bool { return w.Press(words) }) {
			return nil, fmt.Errorf("picture %s: nothing called %q can be pressed", s.Name, words)
		}
	}
	if !settled(ctx, w) {
		return nil, ctx.Err()
	}
	return ask(ctx, w, w.Capture), nil
}

// write writes a picture with its commonest colours only: the window has few,
// and a repository that holds its pictures stays small.
func write(path string, picture image.Image) error {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, paletted(picture)); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// shades is how many colours a picture keeps: what the eye tells apart of letters'
// edges, and few enough for six megabytes of pictures in all.
const shades = 96

// paletted returns a picture in its commonest colours.
func paletted(picture image.Image) *image.Paletted {
	b := picture.Bounds()
	count := map[color.NRGBA]int{}
	at := func(x, y int) color.NRGBA { return color.NRGBAModel.Convert(picture.At(x, y)).(color.NRGBA) }
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[at(x, y)]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(count), func(a, b color.NRGBA) int {
		return cmp.Or(count[b]-count[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	palette := make(color.Palette, 0, shades)
	for _, c := range colors[:min(len(colors), shades)] {
		palette = append(palette, c)
	}
	out, index := image.NewPaletted(b, palette), map[color.NRGBA]uint8{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := at(x, y)
			i, ok := index[c]
			if !ok {
				i = uint8(palette.Index(c))
				index[c] = i
			}
			out.SetColorIndex(x, y, i)
		}
	}
	return out
}
