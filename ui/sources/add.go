package sources

import (
	"context"
	"slices"
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
	access  *screen.Access // nil until a kind is chosen
	name    *widgets.Entry
	named   bool // the owner wrote a name
	add     *widgets.Button
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
	if a.access != nil {
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
			widgets.NewText(t("source."+string(k.Kind)+".hint"), widgets.Caption())), func() { a.choose(k, app.Found{}) }))
	}
	if len(kinds) > 0 {
		objects = append(objects, widgets.NewText(t("sources.kinds"), widgets.Sub()), widgets.Grid(widgets.Gap16, 240, 3, kinds...))
	}
	a.s.put(append(objects, widgets.Leading(back))...)
}

// choose shows the form of a kind, filled in with what was found.
func (a *adder) choose(k app.KindSpec, f app.Found) {
	a.spec = k
	a.access = screen.NewAccess(a.s.env, a.s.worker.Ask, k, screen.Filling{Settings: f.Settings})
	a.access.OnChanged = a.changed
	a.access.OnShape = func() { widgets.Relayout(a.s.object) }
	a.access.Reveal = func(part fyne.CanvasObject) { widgets.ScrollTo(a.s.object, part) }
	a.access.OnTake = a.take
	a.name = widgets.NewEntry("", func(string) { a.named = true; a.check() })
	if f.Name != "" {
		a.name.Text = screen.UniqueName(a.s.env.Words, f.Name, a.s.names)
	}
	a.named = f.Name != ""
	a.add = widgets.NewPrimary(a.s.env.T("sources.add"), a.submit)
	a.s.worker.OnBusy = a.check
	a.check()
	a.s.object.ScrollToTop()
	a.draw()
}

// changed suggests a name until the owner wrote one.
func (a *adder) changed() {
	if name := screen.SuggestName(a.access.Settings()); !a.named && name != "" {
		a.name.SetText(screen.UniqueName(a.s.env.Words, name, a.s.names))
		a.named = false
	}
	a.check()
}

func (a *adder) check() {
	if a.access == nil || a.s.adding != a {
		return
	}
	a.access.Check(a.s.worker.Busy())
	a.add.SetEnabled(!a.s.worker.Busy() && a.access.Complete() && strings.TrimSpace(a.name.Text) != "")
}

func (a *adder) formCard() fyne.CanvasObject {
	t := a.s.env.T
	kind := "source." + string(a.spec.Kind)
	return widgets.NewCard(widgets.Column(widgets.Gap16,
		widgets.Column(widgets.Gap4, widgets.NewText(t(kind), widgets.Sub()), widgets.NewText(t(kind+".hint"), widgets.Caption())),
		a.access.Object(widgets.Column(widgets.Gap4, widgets.NewText(t("sources.name"), widgets.Strong()), a.name,
			widgets.NewText(t("sources.name.hint"), widgets.Caption())), a.add)))
}

// submit adds what is filled in, once it was seen to work.
func (a *adder) submit() {
	if a.access == nil {
		return
	}
	if a.access.Complete() && a.add.Disabled() {
		return
	}
	a.access.Enter()
}

func (a *adder) take(admin string, secrets app.Secrets) {
	name := strings.TrimSpace(a.name.Text)
	if name == "" {
		name = screen.UniqueName(a.s.env.Words, screen.SuggestName(a.access.Settings()), a.s.names)
	}
	a.send(app.AddSourceRequest{Kind: a.spec.Kind, Name: name, Settings: a.access.Settings(), Admin: admin, Secrets: secrets})
}

// addFound adds what was found, or asks for what could not be.
func (a *adder) addFound(f app.Found) {
	i := slices.IndexFunc(a.forms.Sources, func(k app.KindSpec) bool { return k.Kind == f.Kind })
	if i >= 0 && screen.Asks(a.forms.Sources[i], f.Settings) {
		a.s.trouble.Show(nil, nil)
		a.choose(a.forms.Sources[i], f)
		return
	}
	a.send(app.AddSourceRequest{Kind: f.Kind, Name: screen.UniqueName(a.s.env.Words, f.Name, a.s.names), Settings: f.Settings})
}

// send adds a source. What is wrong with what was filled in is said beside it.
func (a *adder) send(r app.AddSourceRequest) {
	access := a.access
	var refused error
	a.s.worker.Ask(func(ctx context.Context) error {
		_, err := a.s.env.Service.AddSource(ctx, r)
		if refused = err; access != nil {
			return nil
		}
		return err
	}, func() {
		switch {
		case a.s.adding != a:
		case refused == nil:
			a.s.closeAdder()
		case !access.Meets(refused, access.Enter):
			access.Fail(refused)
		}
	}, func() { a.send(r) })
}
