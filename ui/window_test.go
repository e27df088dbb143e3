package ui

import (
	"context"
	"image/png"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/uitest"
)

// rig is a window without a display whose work runs at once, on the test's
// own goroutine.
type rig struct {
	*Window
	t   testing.TB
	svc *uitest.Service
	app fyne.App
	c   fyne.Canvas
}

// TestMain lets more garbage gather: the windows that tests draw are thrown away
// by the hundred, and to look for what is left of them takes a third of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}

func newRig(t testing.TB, s app.Status, change ...func(*Options)) *rig {
	t.Helper()
	t.Setenv("LC_ALL", "en_GB.UTF-8")
	if s.Language == "" {
		s.Language = "en"
	}
	a := test.NewTempApp(t)
	svc := uitest.NewService(s)
	o := Options{
		Context: t.Context(), Service: svc, Build: "test", Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		StartGuard: func(ctx context.Context) error { return nil },
	}
	for _, fn := range change {
		fn(&o)
	}
	w := newWindow(a, o)
	inline := func(f func()) { f() }
	w.run = runner{background: inline, inside: inline}
	svc.OnPush = w.seen
	w.seen(s)
	w.win.Resize(fyne.NewSize(1120, 740))
	w.chooser(t)
	return &rig{Window: w, t: t, svc: svc, app: a, c: w.win.Canvas()}
}

// chooser makes the file dialogs answer at once.
func (w *Window) chooser(t testing.TB) {
	t.Helper()
	w.pickFile = func(done func(string)) { done("/home/asa/Ny/ny.db") }
	w.pickFolder = func(done func(string)) { done("/media/backup/kvart") }
	w.pickSave = func(name string, done func(string)) { done("/home/asa/" + name) }
	w.openFile = func(string) error { return nil }
}

func (r *rig) press(name string)     { r.t.Helper(); uitest.Press(r.t, r.c, name) }
func (r *rig) sees(words ...string)  { r.t.Helper(); uitest.MustSee(r.t, r.c, words...) }
func (r *rig) lacks(words ...string) { r.t.Helper(); uitest.MustNotSee(r.t, r.c, words...) }

// shoot writes a picture of the window where KVART_SHOTS says, for a person to
// look at.
func (r *rig) shoot(name string) {
	r.t.Helper()
	dir := os.Getenv("KVART_SHOTS")
	if dir == "" {
		return
	}
	for variant, v := range map[string]fyne.ThemeVariant{"light": fynetheme.VariantLight, "dark": fynetheme.VariantDark} {
		r.app.Settings().SetTheme(theme.Fixed(v))
		r.win.Content().Refresh()
		f, err := os.Create(filepath.Join(dir, name+"-"+variant+".png"))
		if err != nil {
			r.t.Fatal(err)
		}
		if err := png.Encode(f, r.Capture()); err != nil {
			r.t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			r.t.Fatal(err)
		}
	}
}

func TestWindow_everyScreenSpeaksBothLanguages(t *testing.T) {
	for _, lang := range []string{"en", "sv"} {
		empty := uitest.Empty()
		empty.Language = lang
		r := newRig(t, empty)
		for name, s := range uitest.Statuses() {
			// The languages have the same keys and placeholders: one need not see it all.
			if lang == "sv" && name != "safe" && name != "empty" && name != "damaged" && os.Getenv("KVART_SHOTS") == "" {
				continue
			}
			s.Language = lang
			r.svc.Push(s)
			screens := []screen.Name{screen.Home, screen.Safety}
			if name == "safe" || name == "empty" {
				screens = append(screens, screen.Sources, screen.Recover, screen.History, screen.Settings, screen.Setup, screen.Reopen)
			}
			if name == "past" || name == "failed" || name == "restoring" {
				screens = append(screens, screen.Sources, screen.Recover)
			}
			for _, n := range screens {
				r.show(screen.Place{Screen: n})
				r.lacks("⟦", "<no value>", "{{")
				if n == screen.Home || n == screen.Safety || name == "safe" || (n == screen.Setup || n == screen.Reopen) && name == "empty" {
					r.shoot(name + "-" + string(n) + "-" + lang)
				}
			}
		}
		r.Close()
	}
}

func TestWindow_callsFirstFrameOnce(t *testing.T) {
	n := 0
	r := newRig(t, uitest.Safe(), func(o *Options) { o.FirstFrame = func() { n++ } })
	r.Capture()
	r.show(screen.Place{Screen: screen.Settings})
	r.speak("sv")
	r.Capture()
	if n != 1 {
		t.Errorf("first frame was told %d times", n)
	}
}
