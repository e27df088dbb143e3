package safety

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// adder is the page on which a second place is added.
type adder struct {
	s      *Screen
	loc    *screen.Location
	picker *screen.Picker
	name   string
	named  bool // the owner wrote the name
	add    *widgets.Button
}

func (s *Screen) openAdder() {
	s.trouble.Show(nil, nil)
	s.page = pageCopy
	s.object.ScrollToTop()
	a := &adder{s: s, loc: screen.NewLocation()}
	s.adder = a
	a.picker = screen.NewPicker(s.env, a.loc)
	a.picker.NoForever = true
	a.picker.Ask, a.picker.Redraw, a.picker.Fail, a.picker.OnChanged = s.worker.Ask, a.draw, s.trouble.Show, a.check
	a.picker.Relayout = func() { widgets.Relayout(s.object) }
	a.picker.Reveal = func(part fyne.CanvasObject) { widgets.ScrollTo(s.object, part) }
	a.draw()
	a.load()
}

func (a *adder) load() {
	a.s.worker.Ask(func(ctx context.Context) error {
		forms, err := a.s.env.Service.Forms(ctx)
		if err == nil {
			a.loc.Kinds = forms.Storages
		}
		return err
	}, func() {
		if a.s.adder == a {
			a.draw()
		}
	}, a.load)
}

// back goes one step back within the page and reports whether there was one.
func (a *adder) back() bool { return a.picker.Back() }

func (a *adder) draw() {
	s, t := a.s, a.s.env.T
	objects := []fyne.CanvasObject{s.title("safety.copy.add", "safety.copy.add.text")}
	if a.loc.Kinds == nil {
		s.put(append(objects, widgets.NewText(t("setup.busy"), widgets.Muted()), s.backButton())...)
		return
	}
	objects = append(objects, a.picker.Objects()...)
	a.add = widgets.NewPrimary(t("safety.copy.add.yes"), a.submit)
	if a.loc.Ready() {
		if !a.named {
			a.name = t("storage." + string(a.loc.Kind))
		}
		objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap8,
			widgets.NewText(t("safety.copy.name"), widgets.Strong()),
			widgets.Sized(280, 0, widgets.NewEntry(a.name, func(v string) { a.name, a.named = v, true; a.check() })))))
	}
	s.put(append(objects, widgets.Leading(widgets.NewButton(t("back"), func() { s.Back() }), a.add))...)
	a.check()
}

func (a *adder) ready() bool {
	return !a.s.worker.Busy() && a.loc.Ready() && strings.TrimSpace(a.name) != ""
}

func (a *adder) check() {
	if a.add != nil {
		a.add.SetEnabled(a.ready())
	}
	a.picker.Check(a.s.worker.Busy())
}

func (a *adder) submit() {
	if !a.ready() {
		return
	}
	spec := a.loc.Storage()
	r := app.CopyRequest{Name: strings.TrimSpace(a.name), Storage: spec, Secrets: spec.Secrets}
	a.s.worker.Ask(func(ctx context.Context) error {
		_, err := a.s.env.Service.AddCopy(ctx, r)
		return err
	}, func() {
		a.loc.Forget()
		if a.s.adder == a {
			a.s.goList()
		}
	}, a.submit)
}

// leastPassphrase is how many characters a passphrase must have here; the
// guard judges the rest.
const leastPassphrase = 12

// passphrase is the page on which the passphrase is changed.
type passphrase struct {
	s             *Screen
	first, second string
	said          *widgets.Text
	yes           *widgets.Button
}

func (s *Screen) openPassphrase() {
	s.trouble.Show(nil, nil)
	s.page = pagePass
	s.object.ScrollToTop()
	p := &passphrase{s: s, said: widgets.NewText("", widgets.Caption())}
	s.pass = p
	t := s.env.T
	ask := func(key string, to *string) fyne.CanvasObject {
		e := widgets.NewPassword(func(v string) { *to = v; p.check() })
		return widgets.Column(widgets.Gap4, widgets.NewText(t(key), widgets.Strong()), e)
	}
	p.yes = widgets.NewPrimary(t("safety.pass.yes"), p.submit)
	s.put(s.title("safety.pass.title", "safety.pass.page"), widgets.NewCard(widgets.Column(widgets.Gap12,
		ask("safety.pass.first", &p.first), ask("safety.pass.second", &p.second), p.said)),
		widgets.NewText(t("safety.pass.then"), widgets.Body().In(widgets.ToneWarn.Text())),
		widgets.Leading(widgets.NewButton(t("back"), func() { s.Back() }), p.yes))
	p.check()
}

// passLack tells what is wrong with a new passphrase, as the end of a key; ""
// for nothing.
func passLack(first, second string) string {
	switch {
	case len([]rune(first)) < leastPassphrase:
		return "short"
	case first != second:
		return "differ"
	}
	return ""
}

func (p *passphrase) check() {
	lack := passLack(p.first, p.second)
	words := ""
	if lack != "" {
		words = p.s.env.T("setup.lack.pass." + lack)
	}
	p.said.Set(words)
	p.yes.SetEnabled(lack == "" && !p.s.worker.Busy())
}

// submit changes the passphrase and goes on to the kit, since the old one opens
// nothing any more.
func (p *passphrase) submit() {
	if p.yes.Disabled() {
		return
	}
	r := app.PassphraseRequest{Secrets: app.Secrets{app.PassphraseKey: app.NewSecret(p.first)}}
	p.s.worker.Ask(func(ctx context.Context) error { return p.s.env.Service.ChangePassphrase(ctx, r) }, func() {
		p.s.pass = nil
		p.s.openKit(true)
	}, p.submit)
}
