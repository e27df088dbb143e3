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
	screens := []screen.Name{screen.Home, screen.Sources, screen.History, screen.Recover, screen.Safety, screen.Settings, screen.Setup, screen.Reopen}
	for _, size := range []fyne.Size{fyne.NewSize(1024, 700), fyne.NewSize(683, 384)} {
		for _, lang := range []string{"en", "sv"} {
			empty := uitest.Empty()
			empty.Language = lang
			r := newRig(t, empty)
			for name, show := range map[string][]screen.Name{
				"empty": {screen.Home, screen.Safety, screen.Setup, screen.Reopen}, "safe": screens, "failed": {screen.Home, screen.Sources}, "backup": {screen.Home},
				"past": {screen.Home}, "damaged": {screen.Home, screen.Safety}, "bare": {screen.Home, screen.Safety},
			} {
				s := uitest.Statuses()[name]
				s.Language = lang
				r.svc.Push(s)
				for _, n := range show {
					r.show(screen.Place{Screen: n})
					r.win.Resize(size)
					if min := r.win.Content().MinSize(); min.Width > size.Width || min.Height > size.Height {
						t.Errorf("%s %s in %s at %v needs %v", name, n, lang, size, min)
					}
					if lang == "sv" && size.Width < 700 && (name == "safe" || n == screen.Safety) {
						r.shoot("narrow-" + name + "-" + string(n))
					}
					if got := r.win.Canvas().Size(); got != size {
						t.Errorf("%s %s in %s made the window %v", name, n, lang, got)
					}
				}
			}
			r.Close()
		}
	}
}
