// Package settings is the screen for the few things the owner may choose, and
// for what is good to know about this Kvart.
package settings

import (
	"context"
	"reflect"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// megabyte is the unit the upload limit is asked in.
const megabyte = 1_000_000

type fact struct{ Title, Value string }

type viewModel struct {
	Languages []string
	Language  int // 0 is the computer's own
	Autostart bool
	Limit     string // megabytes a second, "" for none
	Keep      keepName
	Retention app.Retention // as chosen, with the usual one in place of none
	KeepWords string
	QuietFrom int
	QuietTo   int
	Facts     []fact
	Vault     []fact
	CanSetUp  bool
}

func model(w *assets.Words, s app.Status, set app.Settings, build string) viewModel {
	v := viewModel{Languages: []string{w.T("settings.language.system")}, Autostart: set.Autostart}
	for i, l := range assets.Languages() {
		v.Languages = append(v.Languages, w.T("language."+l))
		if l == set.Language {
			v.Language = i + 1
		}
	}
	if set.UploadLimit > 0 {
		v.Limit = strconv.FormatFloat(float64(set.UploadLimit)/megabyte, 'f', -1, 64)
	}
	v.Keep, v.Retention = keepOf(set.Keep)
	v.KeepWords = keepWords(w, v.Retention)
	v.QuietFrom, v.QuietTo = quietHours(set)
	v.Facts = []fact{{w.T("settings.build"), build}, {w.T("settings.secrets"), w.T("none")}}
	if s.Secrets != "" {
		v.Facts[1].Value = w.T("settings.secrets." + s.Secrets)
	}
	v.CanSetUp = s.Vault == nil
	if i := s.Vault; i != nil {
		yes := map[bool]string{true: w.T("yes"), false: w.T("no")}
		stored := w.T("none")
		if i.Bytes >= 0 {
			stored = w.Bytes(i.Bytes)
		}
		v.Vault = []fact{
			{w.T("settings.vault.shop"), i.Shop},
			{w.T("settings.vault.kind"), w.T("storage." + string(i.Storage))},
			{w.T("settings.vault.where"), i.Where},
			{w.T("settings.vault.bytes"), stored},
			{w.T("settings.vault.offsite"), yes[i.OffSite]},
			{w.T("settings.vault.locked"), yes[s.Locked()]},
			{w.T("settings.vault.open"), w.T("storage." + string(i.Storage) + ".unprotected")},
		}
	}
	return v
}

// parseLimit reads megabytes a second; nothing, or nothing sensible, is false.
func parseLimit(s string) (bytesPerSecond int64, ok bool) {
	s = strings.ReplaceAll(strings.TrimSpace(s), ",", ".")
	if s == "" {
		return 0, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > 0 && f <= 100_000) { // NaN is neither
		return 0, false
	}
	return int64(f * megabyte), true
}

// Screen is Settings.
type Screen struct {
	env      screen.Env
	status   app.Status
	settings *app.Settings // nil until the guard told them
	vm       viewModel
	object   *container.Scroll
	body     *fyne.Container
	trouble  *screen.Trouble
	confirm  *screen.Confirm
	more     bool // own numbers are shown
	limit    *widgets.Entry
	save     *widgets.Button
}

var _ screen.Screen = (*Screen)(nil)

// New returns Settings without a status yet.
func New(env screen.Env) *Screen {
	s := &Screen{env: env, body: widgets.Column(widgets.Gap16), trouble: screen.NewTrouble(env), confirm: screen.NewConfirm(env)}
	s.object = widgets.Page(widgets.NewText(env.T("nav.settings"), widgets.Heading()), s.trouble.Object(), s.confirm.Object(), s.body)
	s.trouble.OnChanged = func() { widgets.Relayout(s.object) }
	s.confirm.OnChanged = s.trouble.OnChanged
	return s
}

// Object implements [screen.Screen].
func (s *Screen) Object() fyne.CanvasObject { return s.object }

// Open implements [screen.Screen].
func (s *Screen) Open(screen.Place) {
	s.trouble.Show(nil, nil)
	s.confirm.Close()
	s.load()
}

func (s *Screen) load() {
	s.env.Go(func(ctx context.Context) func() {
		set, err := s.env.Service.Settings(ctx)
		return func() {
			s.trouble.Show(err, s.load)
			if err == nil {
				s.settings = &set
				s.refresh()
			}
		}
	})
}

// Enter implements [screen.Screen].
func (s *Screen) Enter() {
	if s.save != nil && !s.save.Disabled() {
		s.saveLimit()
	}
}

// Back implements [screen.Screen].
func (s *Screen) Back() bool { return s.confirm.Close() }

// Set implements [screen.Screen].
func (s *Screen) Set(st app.Status) {
	s.status = st
	s.refresh()
}

func (s *Screen) refresh() {
	if s.settings == nil {
		return
	}
	if m := model(s.env.Words, s.status, *s.settings, s.env.Build); !reflect.DeepEqual(m, s.vm) {
		s.vm = m
		s.draw()
	}
}

// change sends changed settings; they are shown once the guard took them.
func (s *Screen) change(fn func(*app.Settings)) {
	set := *s.settings
	fn(&set)
	s.env.Go(func(ctx context.Context) func() {
		err := s.env.Service.SetSettings(ctx, set)
		return func() {
			s.trouble.Show(err, func() { s.change(fn) })
			if err == nil {
				s.settings = &set
			} else {
				s.vm = viewModel{} // what is shown was not taken
			}
			s.refresh()
		}
	})
}

func (s *Screen) saveLimit() {
	if n, ok := parseLimit(s.limit.Text); ok {
		s.change(func(set *app.Settings) { set.UploadLimit = n })
	}
}

func (s *Screen) draw() {
	t := s.env.T
	language := widgets.NewSelect(s.vm.Languages, s.vm.Language, func(i int) {
		tag := ""
		if i > 0 {
			tag = assets.Languages()[i-1]
		}
		s.change(func(set *app.Settings) { set.Language = tag })
	})
	autostart := widgets.NewCheck(t("settings.autostart"), s.vm.Autostart, func(on bool) {
		s.change(func(set *app.Settings) { set.Autostart = on })
	})
	s.save = widgets.NewButton(t("settings.limit.save"), s.saveLimit)
	s.save.Disable()
	said := widgets.NewText(t("settings.limit.hint"), widgets.Caption())
	s.limit = widgets.NewEntry(s.vm.Limit, func(v string) {
		_, ok := parseLimit(v)
		s.save.SetEnabled(ok && v != s.vm.Limit)
		if ok {
			said.Set(t("settings.limit.hint"))
		} else {
			said.Set(t("settings.limit.bad"))
		}
	})
	objects := []fyne.CanvasObject{
		s.card(t("settings.language"), t("settings.language.hint"), widgets.Leading(widgets.Sized(240, 0, language))),
		s.card(t("settings.start"), t("settings.autostart.hint"), autostart),
		widgets.NewCard(widgets.Column(widgets.Gap8, widgets.NewText(t("settings.limit"), widgets.Sub()), said,
			widgets.Leading(widgets.Sized(140, 0, s.limit), s.save))),
		s.keepCard(), s.quietCard(),
	}
	if s.vm.CanSetUp {
		objects = append(objects, s.card(t("settings.vault"), t("sources.novault"), widgets.Leading(
			widgets.NewPrimary(t("home.button.empty"), func() { s.env.Show(screen.Place{Screen: screen.Setup}) }))))
	} else {
		objects = append(objects, s.facts(t("settings.vault"), s.vm.Vault))
	}
	s.body.Objects = append(objects, s.facts(t("settings.about"), s.vm.Facts))
	widgets.Relayout(s.object)
}

func (s *Screen) card(title, hint string, o fyne.CanvasObject) fyne.CanvasObject {
	return widgets.NewCard(widgets.Column(widgets.Gap8, widgets.NewText(title, widgets.Sub()), widgets.NewText(hint, widgets.Caption()), o))
}

func (s *Screen) facts(title string, facts []fact) fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.NewText(title, widgets.Sub())}
	for _, f := range facts {
		rows = append(rows, widgets.Columns([]float32{30, 70}, widgets.NewText(f.Title, widgets.Muted()), widgets.NewText(f.Value, widgets.Body())))
	}
	return widgets.NewCard(widgets.Column(widgets.Gap8, rows...))
}
