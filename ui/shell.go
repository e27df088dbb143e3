package ui

import (
	"image"
	"sync"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/theme"
	"kvart/ui/widgets"
)

const sideWidth = 188

// icon returns the window's icon.
func icon() fyne.Resource {
	b, err := assets.AppIcon()
	if err != nil {
		return nil // it is built in; without it the desktop shows its own
	}
	return fyne.NewStaticResource("kvart.png", b)
}

// navView is what the navigation shows.
type navView struct {
	Current    screen.Name
	Line, Next string
	Tone       widgets.Tone
}

func navModel(w *assets.Words, s *app.Status, trouble error, current screen.Name, now time.Time) navView {
	v := navView{Current: current}
	switch {
	case trouble != nil:
		v.Line, v.Tone = w.T("nav.offline"), widgets.ToneDanger
	case s == nil:
		v.Line, v.Tone = w.T("nav.waiting"), widgets.ToneNeutral
	case s.Vault == nil || len(s.Sources) == 0:
		v.Line, v.Tone = w.T("nav.empty"), widgets.ToneNeutral
	case !s.Vault.AsOf.IsZero():
		v.Line, v.Tone = w.T("nav.past"), widgets.ToneWarn
	case s.PausedUntil.After(now):
		v.Line, v.Tone = w.T("nav.paused"), widgets.ToneWarn
		v.Next = w.T("nav.until", assets.Args{"Clock": w.When(s.PausedUntil, now)})
	case s.Waiting != nil:
		v.Line, v.Tone = w.T("home.nav."+string(s.Waiting.Cause)), widgets.ToneWarn
	default:
		v.Line, v.Tone = w.T("nav.guarding"), widgets.ToneGood
		if !s.NextBackup.IsZero() {
			v.Next = w.T("nav.next", assets.Args{"Clock": w.Clock(s.NextBackup)})
		}
	}
	return v
}

// offlineView is what is shown while the guard does not answer.
type offlineView struct{ Title, Meaning, Next, Button string }

func offlineModel(w *assets.Words, err error) offlineView {
	v := offlineView{Title: w.T("offline.title"), Meaning: w.T("offline.meaning"), Next: w.T("offline.next"), Button: w.T("offline.start")}
	switch app.CodeOf(err) {
	case app.CodeGuardOffline, app.CodeCanceled, app.CodeInternal:
	case app.CodeGuardVersion:
		p := screen.Explain(w, err, "")
		v = offlineView{p.Title, p.Meaning, p.Next, w.T("offline.restart")}
	default:
		p := screen.Explain(w, err, "")
		v.Title, v.Meaning, v.Next = p.Title, p.Meaning, p.Next
	}
	return v
}

// shell is the frame around the screens: navigation, footer, and the page that
// is shown while there is no guard.
type shell struct {
	root    *fyne.Container
	side    fyne.CanvasObject
	content *fyne.Container
	items   map[screen.Name]*navItem
	state   *widgets.Text
	next    *widgets.Text
	words   *assets.Words
	start   func()

	offline *widgets.Button // nil while the guard answers
	shown   offlineView
}

func newShell(w *assets.Words, navigate func(screen.Name), start, firstFrame func()) *shell {
	s := &shell{words: w, start: start, items: map[screen.Name]*navItem{}, content: container.NewStack()}
	rows := []fyne.CanvasObject{widgets.Inset(12, 10, widgets.Row(widgets.Gap8,
		[]fyne.CanvasObject{widgets.NewMark(28, assets.NewMark(assets.MarkSafe))},
		widgets.NewText(app.Name, widgets.Look{Size: theme.SizeBrand, Bold: true, OneLine: true})))}
	for _, n := range []screen.Name{screen.Home, screen.Sources, screen.History, screen.Recover, screen.Safety, screen.Settings} {
		item := newNavItem(w.T("nav."+string(n)), func() { navigate(n) })
		s.items[n] = item
		rows = append(rows, item)
	}
	s.state = widgets.NewText("", widgets.Caption())
	s.next = widgets.NewText("", widgets.Caption())
	s.items[screen.Help] = newNavItem(w.T("nav.help"), func() { navigate(screen.Help) })
	foot := widgets.Column(widgets.Gap4, s.items[screen.Help], widgets.Inset(12, 8, widgets.Column(widgets.Gap4, s.state, s.next)))
	inner := widgets.Foot(container.NewVScroll(widgets.Column(widgets.Gap4, rows...)), foot)
	edge := widgets.NewSurface(theme.ColorLine, widgets.Sized(1, 0, container.NewWithoutLayout()))
	s.side = container.NewBorder(nil, nil, nil, edge,
		widgets.NewSurface(theme.ColorSide, widgets.Sized(sideWidth, 0, widgets.Inset(12, 12, inner))))
	s.root = container.NewStack(s.frame(true))
	if firstFrame != nil {
		s.root.Add(container.NewWithoutLayout(probe(firstFrame)))
	}
	return s
}

// probe returns a speck that calls fn once, when it is drawn.
func probe(fn func()) fyne.CanvasObject {
	var once sync.Once
	r := canvas.NewRaster(func(w, h int) image.Image {
		once.Do(fn)
		return image.NewNRGBA(image.Rect(0, 0, w, h))
	})
	r.Resize(fyne.NewSquareSize(1))
	return r
}

func (s *shell) frame(nav bool) fyne.CanvasObject {
	if nav {
		return container.NewBorder(nil, nil, s.side, nil, s.content)
	}
	return s.content
}

// showScreen shows a screen, alone or beside the navigation.
func (s *shell) showScreen(o fyne.CanvasObject, alone bool) {
	s.offline = nil
	s.put(o, !alone)
}

func (s *shell) put(o fyne.CanvasObject, nav bool) {
	if len(s.content.Objects) == 1 && s.content.Objects[0] == o {
		return
	}
	s.content.Objects = []fyne.CanvasObject{o}
	s.content.Refresh()
	s.root.Objects[0] = s.frame(nav)
	s.root.Refresh()
}

func (s *shell) showWaiting() {
	s.offline = nil
	s.put(container.NewCenter(widgets.NewText(s.words.T("offline.waiting"), widgets.Muted().Line())), true)
}

func (s *shell) showOffline(v offlineView) {
	if s.offline != nil && s.shown == v {
		s.offline.Enable()
		return
	}
	s.shown = v
	s.offline = widgets.NewPrimary(v.Button, s.start)
	s.put(widgets.Page(widgets.Row(widgets.Gap24,
		[]fyne.CanvasObject{widgets.NewMark(104, assets.NewMark(assets.MarkAlarm))},
		widgets.Column(widgets.Gap8,
			widgets.NewText(v.Title, widgets.Heading()), widgets.NewText(v.Meaning, widgets.Body()), widgets.NewText(v.Next, widgets.Muted()),
			widgets.Inset(0, 4, widgets.Leading(s.offline))))), true)
}

// guardStarting greys the button while the guard is started and reports
// whether it was there to be pressed.
func (s *shell) guardStarting() bool {
	if s.offline == nil || s.offline.Disabled() {
		return false
	}
	s.offline.Disable()
	return true
}

func (s *shell) setNav(v navView) {
	for n, item := range s.items {
		item.selectItem(n == v.Current)
	}
	s.state.SetLook(widgets.Caption().In(v.Tone.Text()))
	if s.state.Words() != v.Line || s.next.Words() != v.Next {
		s.state.Set(v.Line)
		s.next.Set(v.Next)
		s.side.Refresh()
	}
}
