// Package settings is the screen for what the owner may choose, for how Kvart
// reaches him away from this computer, and for what is good to know about this
// Kvart.
package settings

import (
	"context"
	"reflect"
	"slices"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// leaf is a page that lives on its own.
type leaf interface {
	draw()
	// enter fires the primary button.
	enter()
	// check brings buttons up to date when work begins or ends.
	check()
}

// Screen is Settings.
type Screen struct {
	env      screen.Env
	f        *screen.Frame
	object   fyne.CanvasObject
	status   app.Status
	settings *app.Settings      // nil until the guard told them
	watch    *app.WatchSettings // likewise
	uptime   *app.Uptime        // likewise
	vm       viewModel
	leaf     leaf // nil on the first page

	changes []func(*app.Settings) // that wait to be made, the first being made

	more   bool    // own numbers are shown
	typed  *string // the limit as it is typed, nil while it is not
	limit  *widgets.Entry
	save   *widgets.Button
	tested map[string]told // what came of a test, by channel
	looked *told           // what came of a look at the shop
	parts  map[screen.Part]fyne.CanvasObject
	newer  *updates
}

// told is what came of something, for the owner.
type told struct {
	Words string
	Tone  widgets.Tone
}

var _ screen.Screen = (*Screen)(nil)

// New returns Settings without a status yet.
func New(env screen.Env) *Screen {
	s := &Screen{env: env, f: screen.NewFrame(env), tested: map[string]told{}}
	s.object = s.f.Page
	s.newer = newUpdates(s)
	s.f.Worker.OnBusy = func() {
		if s.leaf != nil {
			s.leaf.check()
		}
	}
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(p screen.Place) {
	s.f.Trouble.Show(nil, nil)
	s.f.Confirm.Close()
	if l, ok := s.leaf.(interface{ typed() bool }); ok && l.typed() && p.Part == "" {
		s.leaf.draw() // the guard may have been away for a moment
		return
	}
	s.leaf, s.typed, s.tested, s.looked = nil, nil, map[string]told{}, nil
	s.f.Page.ScrollToTop()
	s.vm = viewModel{}
	s.load(p.Part)
	s.loadUptime()
	s.newer.load()
}

// load reads what was chosen, and leads to a part of it.
func (s *Screen) load(part screen.Part) {
	s.env.Go(func(ctx context.Context) func() {
		set, err := s.env.Service.Settings(ctx)
		var watch app.WatchSettings
		if err == nil {
			watch, err = s.env.Service.WatchSettings(ctx)
		}
		return func() {
			s.f.Trouble.Show(err, func() { s.load(part) })
			if err != nil {
				return
			}
			s.settings, s.watch = &set, &watch
			s.refresh()
			s.lead(part)
		}
	})
}

func (s *Screen) loadUptime() {
	s.env.Go(func(ctx context.Context) func() {
		u, err := s.env.Service.Uptime(ctx)
		return func() {
			if err != nil {
				return // the page says that nothing is known yet; load tells a guard that is gone
			}
			s.uptime = &u
			s.refresh()
		}
	})
}

// lead brings a part of the page into view.
func (s *Screen) lead(part screen.Part) {
	o, ok := s.parts[part]
	switch {
	case part == screen.PartStorefront && s.watch.Storefront == nil:
		s.openFront()
	case part == screen.PartAlerts && len(s.watch.Channels) == 0:
		s.openChannel(nil)
	case ok:
		widgets.ScrollTo(s.f.Page, o)
	}
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	switch {
	case s.leaf != nil:
		s.leaf.enter()
	case s.save != nil && !s.save.Disabled():
		s.saveLimit()
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool {
	switch {
	case s.f.Confirm.Close():
	case s.leaf != nil:
		if l, ok := s.leaf.(interface{ back() bool }); !ok || !l.back() {
			s.goList()
		}
	default:
		return false
	}
	return true
}

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	s.newer.follow(st)
	s.status = st
	s.refresh()
}

// refresh draws the first page anew when something on it changed.
func (s *Screen) refresh() {
	if s.settings == nil || s.watch == nil {
		return
	}
	m := model(s.env.Words, facts{s.status, *s.settings, *s.watch, s.uptime, s.env.Build, s.env.Now()})
	if !reflect.DeepEqual(m, s.vm) {
		s.vm = m
		if s.leaf == nil {
			s.draw()
		}
	}
}

// turn shows a page of its own.
func (s *Screen) turn(l leaf) {
	s.f.Trouble.Show(nil, nil)
	s.leaf = l
	s.f.Page.ScrollToTop()
	l.draw()
}

// goList shows the first page, as things stand now.
func (s *Screen) goList() {
	s.f.Trouble.Show(nil, nil)
	s.leaf, s.vm = nil, viewModel{}
	s.f.Page.ScrollToTop()
	s.refresh()
}

// change changes settings as they stand now, one change after the other; they
// are shown once the guard took them. Where it did not, what stands is shown
// again.
func (s *Screen) change(fn func(*app.Settings)) {
	s.changes = append(s.changes, fn)
	if len(s.changes) == 1 {
		s.changeNext()
	}
}

// changeNext does the first of the changes that wait.
func (s *Screen) changeNext() {
	fn := s.changes[0]
	s.env.Go(func(ctx context.Context) func() {
		was, err := s.env.Service.Settings(ctx)
		known := err == nil
		set := was
		if known {
			set.Muted = slices.Clone(was.Muted)
			fn(&set)
			err = s.env.Service.SetSettings(ctx, set)
		}
		return func() {
			s.f.Trouble.Show(err, func() { s.change(fn) })
			switch {
			case err == nil:
				s.settings = &set
			case known:
				s.settings = &was
			}
			if err != nil {
				s.vm = viewModel{} // what is shown was not taken
			}
			s.refresh()
			if s.changes = s.changes[1:]; len(s.changes) > 0 {
				s.changeNext()
			}
		}
	})
}

// changeWatch changes what is watched and whom it is told; done is called once
// the guard took it.
func (s *Screen) changeWatch(secrets app.Secrets, fn func(*app.WatchSettings), done func()) {
	var set app.WatchSettings
	s.f.Worker.Ask(func(ctx context.Context) (err error) {
		set, err = screen.ChangeWatch(ctx, s.env.Service, secrets, fn)
		return err
	}, func() {
		s.watch = &set
		done()
	}, func() { s.changeWatch(secrets, fn, done) })
}

func (s *Screen) backButton() *widgets.Button {
	return widgets.NewButton(s.env.T("back"), func() { s.Back() })
}

// card is a card with a title, what it is about, and what can be done.
func (s *Screen) card(title, hint string, objects ...fyne.CanvasObject) *widgets.Card {
	rows := []fyne.CanvasObject{widgets.NewText(title, widgets.Sub()), widgets.NewText(hint, widgets.Caption())}
	return widgets.NewCard(widgets.Column(widgets.Gap8, append(rows, objects...)...))
}

func (s *Screen) facts(title string, facts []fact, buttons ...fyne.CanvasObject) fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.NewText(title, widgets.Sub())}
	for _, f := range facts {
		rows = append(rows, widgets.Columns([]float32{30, 70}, widgets.NewText(f.Title, widgets.Muted()), widgets.NewText(f.Value, widgets.Body())))
	}
	if len(buttons) > 0 {
		rows = append(rows, widgets.Leading(buttons...))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap8, rows...))
}

// draw shows the first page.
func (s *Screen) draw() {
	t := s.env.T
	part := func(p screen.Part, o fyne.CanvasObject) fyne.CanvasObject {
		s.parts[p] = o
		return o
	}
	s.parts = map[screen.Part]fyne.CanvasObject{}
	objects := []fyne.CanvasObject{
		widgets.NewText(t("nav.settings"), widgets.Heading()),
		widgets.Grid(widgets.Gap16, 320, 2, s.languageCard(), s.themeCard()),
		part(screen.PartAlerts, s.alertsCard()), part(screen.PartStorefront, s.frontCard()), s.heartbeatCard(), s.noticesCard(),
		s.card(t("settings.start"), t("settings.autostart.hint"), widgets.NewCheck(t("settings.autostart"), s.vm.Autostart, func(on bool) {
			s.change(func(set *app.Settings) { set.Autostart = on })
		})),
		part(screen.PartPower, s.powerCard()), s.limitCard(), part(screen.PartKeep, s.keepCard()), part(screen.PartQuiet, s.quietCard()),
	}
	if s.vm.CanSetUp {
		objects = append(objects, s.card(t("settings.vault"), t("sources.novault"), widgets.Leading(
			widgets.NewPrimary(t("home.button.empty"), func() { s.env.Show(screen.Place{Screen: screen.Setup}) }))))
	} else {
		objects = append(objects, s.facts(t("settings.vault"), s.vm.Vault))
	}
	s.f.Put(append(objects, s.helpCard(), s.newer.object, s.facts(t("settings.about"), s.vm.Facts, widgets.NewButton(t("settings.licences.open"), s.openLicences),
		widgets.NewButton(t("help.open"), func() { s.env.Show(screen.Place{Screen: screen.Help}) })))...)
}

func (s *Screen) languageCard() fyne.CanvasObject {
	t := s.env.T
	pick := widgets.NewSelect(s.vm.Languages, s.vm.Language, func(i int) {
		tag := ""
		if i > 0 {
			tag = assets.Languages()[i-1]
		}
		s.change(func(set *app.Settings) { set.Language = tag })
	})
	return s.card(t("settings.language"), t("settings.language.hint"), widgets.Leading(widgets.Sized(240, 0, pick)))
}

func (s *Screen) themeCard() fyne.CanvasObject {
	t := s.env.T
	var words []string
	at := 0
	for i, th := range app.Themes() {
		key := string(th)
		if th == app.ThemeSystem {
			key = "system"
		}
		words = append(words, t("settings.theme."+key))
		if th == s.settings.Theme {
			at = i
		}
	}
	pick := widgets.NewSelect(words, at, func(i int) {
		if i >= 0 {
			s.change(func(set *app.Settings) { set.Theme = app.Themes()[i] })
		}
	})
	return s.card(t("settings.theme"), t("settings.theme.hint"), widgets.Leading(widgets.Sized(240, 0, pick)))
}

func (s *Screen) limitCard() fyne.CanvasObject {
	t := s.env.T
	shown := s.vm.Limit
	if s.typed != nil {
		shown = *s.typed
	}
	s.save = widgets.NewButton(t("settings.limit.save"), s.saveLimit)
	said := widgets.NewText(t("settings.limit.hint"), widgets.Caption())
	check := func(v string) {
		_, ok := parseLimit(v)
		s.save.SetEnabled(ok && v != s.vm.Limit)
		if ok {
			said.Set(t("settings.limit.hint"))
		} else {
			said.Set(t("settings.limit.bad"))
		}
	}
	s.limit = widgets.NewEntry(shown, func(v string) { s.typed = &v; check(v) })
	check(shown)
	return widgets.NewCard(widgets.Column(widgets.Gap8, widgets.NewText(t("settings.limit"), widgets.Sub()), said,
		widgets.Leading(widgets.Sized(140, 0, s.limit), s.save)))
}

func (s *Screen) saveLimit() {
	if n, ok := parseLimit(s.limit.Text); ok {
		s.typed = nil
		s.change(func(set *app.Settings) { set.UploadLimit = n })
	}
}
