package ui

import (
	"testing"

	"fyne.io/fyne/v2"

	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// TestWindow_fitsSmallScreens shows every screen at the smallest size there may
// be, and at that of a small laptop at twice the usual size.
func TestWindow_fitsSmallScreens(t *testing.T) {
	for _, size := range []fyne.Size{fyne.NewSize(1024, 700), fyne.NewSize(683, 384)} {
		for _, lang := range []string{"en", "sv"} {
			for _, name := range []string{"safe", "failed", "backup", "empty"} {
				s := uitest.Statuses()[name]
				s.Language = lang
				r := newRig(t, s)
				r.win.Resize(size)
				for _, n := range []screen.Name{screen.Home, screen.Sources, screen.History, screen.Recover, screen.Settings, screen.Setup} {
					r.show(screen.Place{Screen: n})
					r.win.Resize(size)
					if min := r.win.Content().MinSize(); min.Width > size.Width || min.Height > size.Height {
						t.Errorf("%s %s in %s at %v needs %v", name, n, lang, size, min)
					}
					if name == "safe" && lang == "sv" && size.Width < 700 {
						r.shoot("narrow-" + string(n))
					}
					if got := r.win.Canvas().Size(); got != size {
						t.Errorf("%s %s in %s made the window %v", name, n, lang, got)
					}
				}
				r.Close()
			}
		}
	}
}
