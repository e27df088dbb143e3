package sources

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// adder is the page on which a source is added: one that was found, or one
// that the owner describes.
type adder struct {
	s       *Screen
	found   []app.Found
	looking bool
	forms   app.Forms
	spec    app.KindSpec
	form    *screen.Form // nil until a kind is chosen
	name    *widgets.Entry
	named   bool // the owner wrote a name
	add     *widgets.Button
	busy    bool
}

func newAdder(s *Screen) *adder { return &adder{s: s} }

// discover looks for sources and for the kinds there are.
func (a *adder) discover() {
	a.looking = true
	a.draw()
	a.s.env.Go(func(ctx context.Context) func() {
		forms, err := a.s.env.Service.Forms(ctx)
		var found []app.Found
		if err == nil {
			found, err = a.s.env.Service.Discover(ctx)
		}
		return func() {
			if a.s.adding != a {
				return
			}
			a.looking, a.forms, a.found = false, forms, found
			a.s.trouble.Show(err, a.discover)
			a.draw()
		}
	})
}

func (a *adder) draw() {
	env, t := a.s.env, a.s.env.T
	back := widgets.NewButton(t("back"), func() { a.s.Back() })
	objects := []fyne.CanvasObject{widgets.Column(widgets.Gap8,
		widgets.NewText(t("sources.add.title"), widgets.Heading()), widgets.NewText(t("sources.add.text"), widgets.Muted()))}
	if a.form != nil {
		objects = append(objects, a.formCard(), widgets.Leading(back))
		a.s.put(objects...)
		return
	}
	rows := []fyne.CanvasObject{widgets.NewText(t("sources.found"), widgets.Sub())}
	for _, f := range a.found {
		rows = append(rows, widgets.Line(), widgets.Row(widgets.Gap16, nil, widgets.Column(2,
			widgets.NewText(f.Name, widgets.Strong()), widgets.NewText(screen.DetailsOf(env.Words, f, env.Now()), widgets.Caption())),
			widgets.NewButton(t("sources.add.this"), func() { a.addFound(f) })))
	}
	switch {
	case a.looking:
		rows = append(rows, widgets.NewText(t("sources.looking"), widgets.Muted()))
	case len(a.found) == 0:
		rows = append(rows, widgets.NewText(t("sources.found.none"), widgets.Muted()))
	}
	objects = append(objects, widgets.NewCard(widgets.Column(widgets.Gap12, rows...)))
	var kinds []fyne.CanvasObject
	for _, k := range a.forms.Sources {
		title := t("source." + string(k.Kind))
		kinds = append(kinds, widgets.NewChoice(title, widgets.Column(widgets.Gap4, widgets.NewText(title, widgets.Strong()),
			widgets.NewText(t("source."+string(k.Kind)+".hint"), widgets.Caption())), func() { a.choose(k) }))
	}
	if len(kinds) > 0 {
		objects = append(objects, widgets.NewText(t("sources.kinds"), widgets.Sub()), widgets.Grid(widgets.Gap16, 240, 3, kinds...))
	}
	a.s.put(append(objects, widgets.Leading(back))...)
}

// choose shows the form of a kind.
func (a *adder) choose(k app.KindSpec) {
	a.spec, a.named = k, false
	a.form = screen.NewForm(a.s.env, "source", k, screen.Filling{})
	a.form.OnChanged = a.changed
	a.form.OnShape = func() { widgets.Relayout(a.s.object) }
	a.name = widgets.NewEntry("", func(string) { a.named = true; a.check() })
	a.add = widgets.NewPrimary(a.s.env.T("sources.add"), a.submit)
	a.check()
	a.draw()
}

// changed suggests a name until the owner wrote one.
func (a *adder) changed() {
	if where := screen.WhereOf(a.form.Settings()); !a.named && where != "" {
		a.name.SetText(screen.UniqueName(a.s.env.Words, screen.NameFor(where), a.s.names))
		a.named = false
	}
	a.check()
}

func (a *adder) check() {
	a.add.SetEnabled(!a.busy && a.form.Complete() && strings.TrimSpace(a.name.Text) != "")
}

func (a *adder) formCard() fyne.CanvasObject {
	t := a.s.env.T
	kind := "source." + string(a.spec.Kind)
	return widgets.NewCard(widgets.Column(widgets.Gap16,
		widgets.Column(widgets.Gap4, widgets.NewText(t(kind), widgets.Sub()), widgets.NewText(t(kind+".hint"), widgets.Caption())),
		a.form.Object(),
		widgets.Column(widgets.Gap4, widgets.NewText(t("sources.name"), widgets.Strong()), a.name, widgets.NewText(t("sources.name.hint"), widgets.Caption())),
		widgets.Leading(a.add)))
}

func (a *adder) submit() {
	if a.form == nil || a.add.Disabled() {
		return
	}
	a.send(app.AddSourceRequest{Kind: a.spec.Kind, Name: strings.TrimSpace(a.name.Text), Settings: a.form.Settings(), Secrets: a.form.Secrets()})
}

func (a *adder) addFound(f app.Found) {
	a.send(app.AddSourceRequest{Kind: f.Kind, Name: screen.UniqueName(a.s.env.Words, f.Name, a.s.names), Settings: f.Settings})
}

func (a *adder) send(r app.AddSourceRequest) {
	if a.busy {
		return
	}
	a.busy = true
	a.s.trouble.Show(nil, nil)
	a.s.env.Go(func(ctx context.Context) func() {
		_, err := a.s.env.Service.AddSource(ctx, r)
		return func() {
			a.busy = false
			a.s.trouble.Show(err, func() { a.send(r) })
			if err == nil && a.s.adding == a {
				a.s.closeAdder()
				return
			}
			a.s.object.ScrollToTop()
			if a.form != nil {
				a.check()
			}
		}
	})
}
