package screen

import (
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// Form asks for the fields of a kind of source or storage.
type Form struct {
	env    Env
	area   string // "source" or "storage"
	spec   app.KindSpec
	values map[string]string
	object fyne.CanvasObject

	// OnChanged is called after every change.
	OnChanged func()
}

// NewForm returns a form, filled with settings and secrets, and else with the
// defaults.
func NewForm(env Env, area string, spec app.KindSpec, settings map[string]string, secrets app.Secrets) *Form {
	f := &Form{env: env, area: area, spec: spec, values: map[string]string{}}
	var rows []fyne.CanvasObject
	for _, field := range spec.Fields {
		f.values[field.Key] = field.Default
		if v, ok := settings[field.Key]; ok {
			f.values[field.Key] = v
		}
		if v := secrets[field.Key]; !v.IsZero() {
			f.values[field.Key] = v.Reveal()
		}
		rows = append(rows, f.row(field))
	}
	f.object = widgets.Column(widgets.Gap12, rows...)
	return f
}

// Object returns the form itself.
func (f *Form) Object() fyne.CanvasObject { return f.object }

func (f *Form) key(field app.Field) string {
	return f.area + "." + string(f.spec.Kind) + ".field." + field.Key
}

func (f *Form) set(key, value string) {
	f.values[key] = value
	if f.OnChanged != nil {
		f.OnChanged()
	}
}

func (f *Form) row(field app.Field) fyne.CanvasObject {
	label := f.env.T(f.key(field))
	var rows []fyne.CanvasObject
	if field.Type == app.FieldSwitch {
		rows = append(rows, widgets.NewCheck(label, f.values[field.Key] == "true", func(on bool) {
			v := "false"
			if on {
				v = "true"
			}
			f.set(field.Key, v)
		}))
	} else {
		rows = append(rows, f.label(field, label), f.input(field))
	}
	if f.env.Words.Has(f.key(field) + ".hint") {
		rows = append(rows, widgets.NewText(f.env.T(f.key(field)+".hint"), widgets.Caption()))
	}
	return widgets.Column(widgets.Gap4, rows...)
}

func (f *Form) label(field app.Field, label string) fyne.CanvasObject {
	if field.Required {
		return widgets.NewText(label, widgets.Strong())
	}
	return widgets.NewText(f.env.T("form.optional", map[string]any{"Field": label}), widgets.Body())
}

func (f *Form) input(field app.Field) fyne.CanvasObject {
	changed := func(s string) { f.set(field.Key, s) }
	var e *widgets.Entry
	switch field.Type {
	case app.FieldLines:
		e = widgets.NewLines(f.values[field.Key], changed)
	case app.FieldSecret:
		e = widgets.NewPassword(changed)
		e.Text = f.values[field.Key]
	default:
		e = widgets.NewEntry(f.values[field.Key], changed)
	}
	choose := f.env.ChooseFile
	switch field.Type {
	case app.FieldFolder:
		choose = f.env.ChooseFolder
	case app.FieldFile:
	default:
		return e
	}
	b := widgets.NewButton(f.env.T("form.choose"), func() { choose(func(path string) { e.SetText(path) }) })
	return widgets.Row(widgets.Gap8, nil, e, b)
}

// Settings returns what was filled in, but for the secrets. Blanks around a
// value are never meant: a blank typed on a button lands in the next field.
func (f *Form) Settings() map[string]string {
	out := map[string]string{}
	for _, field := range f.spec.Fields {
		if v := strings.TrimSpace(f.values[field.Key]); field.Type != app.FieldSecret && v != "" {
			out[field.Key] = v
		}
	}
	return out
}

// Secrets returns the secrets that were filled in.
func (f *Form) Secrets() app.Secrets {
	out := app.Secrets{}
	for _, field := range f.spec.Fields {
		if v := strings.TrimSpace(f.values[field.Key]); field.Type == app.FieldSecret && v != "" {
			out[field.Key] = app.NewSecret(v)
		}
	}
	return out
}

// Complete reports whether everything required is filled in.
func (f *Form) Complete() bool {
	return f.spec.CheckSettings(f.Settings(), f.Secrets()) == nil
}
