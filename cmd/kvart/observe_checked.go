//go:build kvart_observe

package main

import (
	"context"
	"os"
	"time"

	"fyne.io/fyne/v2"

	"kvart/ui"
	"kvart/ui/uitest"
)

// observe writes what the window shows, and where, into the file that
// KVART_OBJECTS names, several times a second: a test that has but a mouse and a
// keyboard finds there what to press. Only the window built for tests has it.
func observe(ctx context.Context, a fyne.App, w *ui.Window) {
	path := os.Getenv("KVART_OBJECTS")
	if path == "" {
		return
	}
	go func() {
		for tick := time.NewTicker(200 * time.Millisecond); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
			}
			w.Do(func() {
				for _, win := range a.Driver().AllWindows() {
					tell(path, uitest.Describe(win.Canvas()))
					return
				}
			})
		}
	}()
}

// tell writes a file as a whole, so that nobody reads a part of it. What can't
// be written is missed by the test.
func tell(path, text string) {
	if os.WriteFile(path+".new", []byte(text), 0o600) == nil {
		_ = os.Rename(path+".new", path)
	}
}
