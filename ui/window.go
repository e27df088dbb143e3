// Package ui is Kvart's window: a thin client of the guard. It holds no state
// but what is on the screen; closing or killing it harms nothing. It sees only
// the domain and the texts, never the vault or a connector.
package ui

import (
	"context"
	"fmt"
	"image"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/software"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/doze"
	"kvart/ui/help"
	"kvart/ui/history"
	"kvart/ui/home"
	"kvart/ui/recover"
	"kvart/ui/reopen"
	"kvart/ui/safety"
	"kvart/ui/screen"
	"kvart/ui/settings"
	"kvart/ui/setup"
	"kvart/ui/sources"
	"kvart/ui/theme"
)

// Options are what a window needs.
type Options struct {
	Context context.Context // ends the window's work; closing the window ends it too
	Service app.Service
	Build   string
	// StartGuard starts the guard, or restarts one of another build.
	StartGuard func(ctx context.Context) error
	// Screen is the screen to start on: "home", "sources", "history",
	// "recover", "safety", "settings", "help"; "" means home.
	Screen string
	Log    *slog.Logger
	// FirstFrame is called once, from Fyne's loop, when the first frame was
	// drawn: without a working graphics driver it never is.
	FirstFrame func()
	// Events lets Fyne's loop sleep while nothing happens; without, it never does.
	Events doze.Events
}

// Window is Kvart's one window. Its methods are called from Fyne's own loop,
// but for Do and Wait.
type Window struct {
	app    fyne.App
	win    fyne.Window
	opts   Options
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	run    runner
	asked  atomic.Int64 // what is asked for and not here yet
	poke   chan struct{}

	words    *assets.Words
	env      screen.Env
	screens  map[screen.Name]screen.Screen
	shell    *shell
	current  screen.Name
	opened   screen.Name  // the screen that was opened last, "" for none
	before   screen.Name  // what Help leads back to
	flow     *setup.Flow  // taken up again where it was left
	reopen   *reopen.Flow // likewise
	onClosed func()

	// pickFile, pickFolder and pickSave ask the owner for a path, openFile shows
	// a file; tests do it for him.
	pickFile, pickFolder func(done func(path string))
	pickSave             func(name string, done func(path string))
	openFile             func(path string) error
	openURL              func(address string) error

	look     app.Theme   // as the owner chose
	status   *app.Status // nil until the guard answered
	received time.Time
	drawn    time.Time // when the screen was last brought up to date
	trouble  error     // why the guard does not answer
}

// New returns the window, not shown yet.
func New(a fyne.App, o Options) *Window {
	w := newWindow(a, o)
	w.run = fyneRunner(&w.wg)
	return w
}

func newWindow(a fyne.App, o Options) *Window {
	a.Settings().SetTheme(theme.New())
	w := &Window{app: a, opts: o, poke: make(chan struct{}, 1), current: startScreen(o.Screen), flow: setup.NewFlow(), reopen: reopen.NewFlow()}
	w.ctx, w.cancel = context.WithCancel(o.Context)
	words, err := assets.NewWords("")
	if err != nil {
		// The texts are built in and a test reads them all.
		panic(fmt.Sprintf("read built-in texts: %v", err))
	}
	w.words = words
	w.win = a.NewWindow(app.Name)
	w.win.SetIcon(icon())
	w.win.SetPadded(false)
	w.win.Resize(fyne.NewSize(1120, 740))
	w.win.SetOnClosed(func() {
		w.cancel()
		if w.onClosed != nil {
			w.onClosed()
		}
	})
	w.win.Canvas().SetOnTypedKey(w.typed)
	w.pickFile, w.pickFolder, w.pickSave = w.chooseFile, w.chooseFolder, w.chooseSave
	w.openFile = func(path string) error { return open(a, path) }
	w.openURL = func(address string) error { return browse(a, address) }
	w.build()
	return w
}

func startScreen(name string) screen.Name {
	switch n := screen.Name(name); n {
	case screen.Sources, screen.History, screen.Recover, screen.Safety, screen.Settings, screen.Setup, screen.Reopen, screen.Help:
		return n
	}
	return screen.Home
}

// Show shows the window and starts to follow the guard.
func (w *Window) Show() {
	w.start()
	w.win.Show()
}

// SetScreen goes to a screen, by the names of [Options].
func (w *Window) SetScreen(name string) {
	w.show(screen.Place{Screen: startScreen(name)})
	w.win.RequestFocus()
}

// Capture returns a picture of what the window shows. It is drawn for the
// purpose: what the graphics card has shown cannot always be read back.
func (w *Window) Capture() image.Image {
	c := software.NewCanvas()
	c.SetPadded(false)
	c.SetContent(w.win.Content())
	c.Resize(w.win.Canvas().Size())
	return c.Capture()
}

// OnClosed sets what is called once the window is closed.
func (w *Window) OnClosed(f func()) { w.onClosed = f }

// Close closes the window.
func (w *Window) Close() { w.win.Close() }

// Wait waits, after the window was closed, until nothing of its work runs.
// It must not be called from Fyne's loop.
func (w *Window) Wait() { w.wg.Wait() }

// build makes everything that holds words, in the language of the moment.
func (w *Window) build() {
	w.env = screen.Env{
		Words: w.words, Service: w.opts.Service, Go: w.async, Show: w.show,
		ChooseFile: func(done func(string)) { w.pickFile(done) }, ChooseFolder: func(done func(string)) { w.pickFolder(done) },
		SaveFile: func(name string, done func(string)) { w.pickSave(name, done) }, OpenFile: func(path string) error { return w.openFile(path) },
		OpenURL: func(address string) error { return w.openURL(address) },
		Now:     w.now, Build: w.opts.Build,
	}
	w.screens = map[screen.Name]screen.Screen{}
	w.shell = newShell(w.words, w.navigate, w.startGuard, w.opts.FirstFrame)
	w.opts.FirstFrame = nil
	w.win.SetContent(w.shell.root)
	w.show(screen.Place{Screen: w.current})
}

// screen returns a screen, made when it is first looked at.
func (w *Window) screen(n screen.Name) screen.Screen {
	if s, ok := w.screens[n]; ok {
		return s
	}
	var s screen.Screen
	switch n {
	case screen.Sources:
		s = sources.New(w.env)
	case screen.History:
		s = history.New(w.env)
	case screen.Recover:
		s = recover.New(w.env)
	case screen.Safety:
		s = safety.New(w.env)
	case screen.Settings:
		s = settings.New(w.env)
	case screen.Setup:
		s = setup.New(w.env, w.flow)
	case screen.Help:
		s = help.New(w.env)
	case screen.Reopen:
		s = reopen.New(w.env, w.reopen)
	default:
		s = home.New(w.env)
	}
	w.screens[n] = s
	return s
}

// now is the guard's clock: what it said last, and the time since.
func (w *Window) now() time.Time {
	if w.status == nil {
		return time.Now()
	}
	return w.status.Now.Add(time.Since(w.received))
}

// seen takes a new status in.
func (w *Window) seen(s app.Status) {
	first := w.status == nil
	language := first && s.Language != "" || !first && s.Language != w.status.Language
	back := w.trouble != nil
	w.status, w.received, w.trouble = &s, time.Now(), nil
	w.paint(s.Theme)
	if language && w.speak(s.Language) {
		return
	}
	switch {
	case w.current == screen.Help: // it is looked at without a guard, too
	case back && w.opened == w.current:
		w.resume()
		return
	case first || back:
		w.show(screen.Place{Screen: w.current})
		return
	}
	w.refresh()
}

// resume shows the screen again as it was when the guard was lost: what was
// typed and looked for is still there.
func (w *Window) resume() {
	sc := w.screen(w.current)
	sc.Set(*w.status)
	w.shell.showScreen(sc.Object(), alone(w.current))
	if r, ok := sc.(screen.Resumer); ok {
		r.Resume()
	}
	w.refresh()
}

// alone reports whether a screen is shown without the navigation.
func alone(n screen.Name) bool { return n == screen.Setup || n == screen.Reopen }

// paint shows the window light, dark or as the computer is set.
func (w *Window) paint(look app.Theme) {
	if look == w.look {
		return
	}
	w.look = look
	switch look {
	case app.ThemeLight:
		w.app.Settings().SetTheme(theme.Fixed(fynetheme.VariantLight))
	case app.ThemeDark:
		w.app.Settings().SetTheme(theme.Fixed(fynetheme.VariantDark))
	default:
		w.app.Settings().SetTheme(theme.New())
	}
	w.win.Content().Refresh() // what is own-drawn, too
}

// speak changes the language and reports whether it did.
func (w *Window) speak(tag string) bool {
	words, err := assets.NewWords(tag)
	if err != nil {
		w.opts.Log.Error("Read translations", "language", tag, "error", err)
		return false
	}
	if words.Language() == w.words.Language() {
		return false
	}
	w.words = words
	w.build()
	return true
}

// lost shows that the guard does not answer.
func (w *Window) lost(err error) {
	if w.trouble == nil {
		w.opts.Log.Warn("Guard does not answer", "error", err)
	}
	w.trouble = err
	w.shell.setNav(navModel(w.words, w.status, w.trouble, w.current, w.now()))
	if w.current != screen.Help { // whoever reads what to do goes on reading
		w.shell.showOffline(offlineModel(w.words, err))
	}
}

// tick brings the screen up to date with the clock: every second while
// something runs, else now and then.
func (w *Window) tick() {
	if w.status == nil || w.trouble != nil {
		return
	}
	if !w.ticking() && time.Since(w.drawn) < 10*time.Second {
		return
	}
	w.refresh()
}

// ticking reports whether the screen counts seconds: something runs.
func (w *Window) ticking() bool {
	return w.status.Job != nil || w.status.Incident != nil && w.status.Incident.Back.IsZero()
}

func (w *Window) refresh() {
	w.drawn = time.Now()
	w.shell.setNav(navModel(w.words, w.status, w.trouble, w.current, w.now()))
	if w.status != nil && w.trouble == nil {
		w.screen(w.current).Set(*w.status)
	}
}

// navigate is what the navigation does.
func (w *Window) navigate(n screen.Name) { w.show(screen.Place{Screen: n}) }

// show goes to a place.
func (w *Window) show(p screen.Place) {
	if p.Screen == screen.Help {
		if w.current != screen.Help {
			w.before = w.current
		}
		p.From = w.before
	}
	w.current = p.Screen
	sc := w.screen(p.Screen)
	w.opened = ""
	switch {
	case p.Screen == screen.Help: // it needs no guard
		w.shell.showScreen(sc.Object(), false)
		sc.Open(p)
	case w.trouble != nil:
		w.shell.showOffline(offlineModel(w.words, w.trouble))
	case w.status == nil:
		w.shell.showWaiting()
	default:
		sc.Set(*w.status)
		w.shell.showScreen(sc.Object(), alone(p.Screen))
		w.opened = p.Screen
		sc.Open(p)
	}
	w.refresh()
}

// typed handles keys nothing on the screen wanted.
func (w *Window) typed(e *fyne.KeyEvent) {
	if w.win.Canvas().Overlays().Top() != nil {
		return // a file dialog is open
	}
	switch e.Name {
	case fyne.KeyReturn, fyne.KeyEnter:
		if w.shell.offline != nil {
			w.startGuard()
		} else if w.status != nil {
			w.screen(w.current).Enter()
		}
	case fyne.KeyF1:
		w.show(screen.Place{Screen: screen.Help})
	case fyne.KeyEscape:
		if (w.status != nil || w.current == screen.Help) && !w.screen(w.current).Back() && w.current != screen.Home {
			w.show(screen.Place{Screen: screen.Home})
		}
	}
}

// startGuard starts the guard and looks for it at once.
func (w *Window) startGuard() {
	if w.opts.StartGuard == nil || !w.shell.guardStarting() {
		return
	}
	w.async(func(ctx context.Context) func() {
		err := w.opts.StartGuard(ctx)
		return func() {
			if err != nil {
				w.lost(err)
			}
			select {
			case w.poke <- struct{}{}:
			default: // the loop has not even taken the last one
			}
		}
	})
}
