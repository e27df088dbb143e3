package screen

import (
	"context"
	"maps"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// SourceForm changes settings and secrets of a source that is set up. Secrets
// that are kept already are never shown, and stay where they are left empty.
type SourceForm struct {
	env    Env
	source app.Source
	form   *Form
	save   *widgets.Button
	ask    Ask
	done   func()
	object fyne.CanvasObject
}

// NeedsSecret reports whether a source can't be read before its secrets are
// entered again.
func NeedsSecret(s app.SourceStatus) bool {
	return app.CodeOf(asError(s.Error)) == app.CodeSecretMissing
}

// asError keeps a nil *[app.Error] from looking like an error.
func asError(e *app.Error) error {
	if e == nil {
		return nil
	}
	return e
}

// NewSourceForm returns the form; done is called once the guard took it.
func NewSourceForm(env Env, ask Ask, spec app.KindSpec, s app.SourceStatus, done func()) *SourceForm {
	f := &SourceForm{env: env, source: s.Source, ask: ask, done: done}
	f.form = NewForm(env, "source", spec, Filling{Settings: s.Source.Settings, Keep: !NeedsSecret(s)})
	f.form.OnChanged = f.check
	f.save = widgets.NewPrimary(env.T("source.form.save"), f.Submit)
	f.object = widgets.Column(widgets.Gap16, f.form.Object(), widgets.Leading(f.save))
	f.check()
	return f
}

// Object returns the form with its button.
func (f *SourceForm) Object() fyne.CanvasObject { return f.object }

// OnShape sets what is called when rows came or went.
func (f *SourceForm) OnShape(fn func()) { f.form.OnShape = fn }

func (f *SourceForm) check() { f.save.SetEnabled(f.form.Complete()) }

// Submit sends what is different; the guard proves it before it takes it.
func (f *SourceForm) Submit() {
	if f.save.Disabled() {
		return
	}
	r := app.ChangeSourceRequest{Source: f.source.Name, Settings: changed(f.source.Settings, f.form.Settings()), Secrets: f.form.Secrets()}
	f.ask(func(ctx context.Context) error {
		_, err := f.env.Service.ChangeSource(ctx, r)
		return err
	}, f.done, f.Submit)
}

// changed returns what is different; what was emptied is named with an empty
// value.
func changed(old, now map[string]string) map[string]string {
	out := maps.Clone(now)
	for k, v := range old {
		if n, ok := now[k]; !ok && v != "" {
			out[k] = ""
		} else if n == v {
			delete(out, k)
		}
	}
	return out
}
