package main

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	fyneapp "fyne.io/fyne/v2/app"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/widget"
)

// TestMain runs the tests or, where bench-window.sh asks for it, shows a window
// with one line in it: what any window of Fyne's costs, to hold Kvart's against.
func TestMain(m *testing.M) {
	if os.Getenv("KVART_BARE_WINDOW") == "" {
		os.Exit(m.Run())
	}
	a := fyneapp.NewWithID("se.kvart.bare")
	w := a.NewWindow("bare")
	var once sync.Once
	probe := canvas.NewRaster(func(wide, high int) image.Image {
		once.Do(func() { fmt.Println(drawn) })
		return image.NewNRGBA(image.Rect(0, 0, wide, high))
	})
	w.SetContent(container.NewStack(widget.NewLabel("bare"), probe))
	w.Resize(fyne.NewSize(1120, 740))
	w.ShowAndRun()
}

// TestHangs: a window that ends says nothing, one that does not tells where it is.
func TestHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		ended := make(chan struct{})
		time.AfterFunc(time.Second, func() { close(ended) })
		if hangs(ended, 2*time.Second, &log) || log.Len() > 0 {
			t.Errorf("ended in time: %q", log.String())
		}
		if !hangs(nil, 2*time.Second, &log) || !strings.Contains(log.String(), "kvart.TestHangs") {
			t.Errorf("hangs: %q", log.String())
		}
	})
}

// TestPaletted: a picture of few colours stays as it is, one of many keeps the
// commonest and is near to itself.
func TestPaletted(t *testing.T) {
	t.Parallel()
	picture := func(colors int) *image.NRGBA {
		p := image.NewNRGBA(image.Rect(3, 5, 103, 105)) // one that does not begin at 0, 0
		for i := range 100 * 100 {
			n := i % colors
			if i < 5000 {
				n = 0
			}
			p.SetNRGBA(3+i%100, 5+i/100, color.NRGBA{uint8(n / 2), uint8(n % 2), 0, 255})
		}
		return p
	}
	for colors, slack := range map[int]uint32{2: 0, shades: 0, 200: 60 << 8} {
		want := picture(colors)
		got := paletted(want)
		if len(got.Palette) > shades || got.Bounds() != want.Bounds() {
			t.Fatalf("%d colours: %d in %v", colors, len(got.Palette), got.Bounds())
		}
		if got.Palette[0] != (color.NRGBA{A: 255}) {
			t.Errorf("%d colours: the commonest is %v", colors, got.Palette[0])
		}
		for i := range 100 * 100 {
			x, y := 3+i%100, 5+i/100
			r1, g1, b1, _ := want.At(x, y).RGBA()
			r2, g2, b2, _ := got.At(x, y).RGBA()
			if max(r1, r2)-min(r1, r2) > slack || max(g1, g2)-min(g1, g2) > slack || max(b1, b2)-min(b1, b2) > slack {
				t.Fatalf("%d colours: at %d, %d %v became %v", colors, x, y, want.At(x, y), got.At(x, y))
			}
		}
	}
}
