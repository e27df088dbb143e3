package main

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"time"

	"kvart/ui"
)

// settle is how long a screen is given to fetch and draw what it shows.
const settle = 2500 * time.Millisecond

// photograph writes a picture of every screen of the real window, and ends the
// program.
func photograph(ctx context.Context, w *ui.Window, dir string, quit func(), stderr io.Writer) {
	defer w.Do(quit)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		fmt.Fprintln(stderr, err)
		return
	}
	for i, screen := range []string{"home", "sources", "history", "recover", "safety", "settings"} {
		w.Do(func() { w.SetScreen(screen) })
		select {
		case <-ctx.Done():
			return
		case <-time.After(settle):
		}
		pictures := make(chan image.Image, 1)
		w.Do(func() { pictures <- w.Capture() })
		select {
		case <-ctx.Done():
			return
		case picture := <-pictures:
			if err := write(filepath.Join(dir, fmt.Sprintf("%02d-%s.png", i+1, screen)), picture); err != nil {
				fmt.Fprintln(stderr, err)
			}
		}
	}
}

func write(path string, picture image.Image) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(png.Encode(f, picture), f.Close())
}
