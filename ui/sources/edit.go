package sources

import (
	"context"
	"slices"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// edit shows the form of a source that is set up: to change it, or to enter
// again what is in no backup.
func (s *Screen) edit(name string) {
	s.trouble.Show(nil, nil)
	s.adding, s.editing, s.form = nil, name, nil
	s.object.ScrollToTop()
	s.drawEdit(nil)
	var forms app.Forms
	s.worker.Ask(func(ctx context.Context) (err error) {
		forms, err = s.env.Service.Forms(ctx)
		return err
	}, func() {
		if s.editing == name {
			s.drawEdit(&forms)
		}
	}, func() { s.edit(name) })
}

func (s *Screen) drawEdit(forms *app.Forms) {
	t := s.env.T
	name := map[string]any{"Name": s.editing}
	title, text := t("sources.change.title", name), t("sources.change.text")
	back := widgets.Leading(widgets.NewButton(t("back"), func() { s.Back() }))
	i := slices.IndexFunc(s.status.Sources, func(src app.SourceStatus) bool { return src.Source.Name == s.editing })
	if i >= 0 && screen.NeedsSecret(s.status.Sources[i]) {
		title, text = t("source.form.missing", name), t("source.form.missing.text")
	}
	head := widgets.Column(widgets.Gap8, widgets.NewText(title, widgets.Heading()), widgets.NewText(text, widgets.Muted()))
	if forms == nil || i < 0 {
		s.put(head, back)
		return
	}
	src := s.status.Sources[i]
	k := slices.IndexFunc(forms.Sources, func(k app.KindSpec) bool { return k.Kind == src.Source.Kind })
	if k < 0 {
		s.trouble.Show(app.Errorf(app.CodeSourceKind, "change source", "kind %s", src.Source.Kind).With("source", s.editing), nil)
		s.put(head, back)
		return
	}
	s.form = screen.NewSourceForm(s.env, s.worker.Ask, forms.Sources[k], src, func() { s.closeAdder() })
	s.form.OnShape(func() { widgets.Relayout(s.object) })
	s.form.Reveal = func(part fyne.CanvasObject) { widgets.ScrollTo(s.object, part) }
	var rows []fyne.CanvasObject
	rows = append(rows, widgets.NewText(t("source."+string(src.Source.Kind)), widgets.Sub()), s.form.Object())
	s.put(head, widgets.NewCard(widgets.Column(widgets.Gap12, rows...)), back)
	if !screen.NeedsSecret(src) {
		s.form.ShowRights()
	}
}
