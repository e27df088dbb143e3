package screen

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

func (f *Form) entry(field app.Field, changed func(string)) fyne.CanvasObject {
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
	f.set[field.Key], f.entries[field.Key] = e.SetText, e
	choose := f.env.ChooseFile
	switch field.Type {
	case app.FieldFolder:
		choose = f.env.ChooseFolder
	case app.FieldFile:
	default:
		return e
	}
	b := widgets.NewButton(f.env.T("form.choose"), func() { choose(e.SetText) })
	return widgets.Row(widgets.Gap8, nil, e, b)
}

func (f *Form) check(field app.Field, label string) fyne.CanvasObject {
	c := widgets.NewCheck(label, f.values[field.Key] == "true", func(on bool) {
		v := "false"
		if on {
			v = "true"
		}
		f.change(field.Key, v)
	})
	f.set[field.Key] = func(v string) { c.SetChecked(v == "true") }
	return c
}

func (f *Form) choice(field app.Field) fyne.CanvasObject {
	values := field.Choices
	if !field.Required && field.Default == "" {
		values = append([]string{""}, values...)
	}
	words := make([]string, 0, len(values))
	for _, v := range values {
		if v == "" {
			words = append(words, f.env.T("form.choice.none"))
		} else {
			words = append(words, f.env.T(f.key(field)+"."+v))
		}
	}
	s := widgets.NewSelect(words, slices.Index(values, f.values[field.Key]), func(i int) {
		if i >= 0 {
			f.change(field.Key, values[i])
		}
	})
	s.PlaceHolder = f.env.T("form.pick")
	f.set[field.Key] = func(v string) { s.SetSelectedIndex(slices.Index(values, v)) }
	if slices.ContainsFunc(words, func(word string) bool { return len(word) > mostNarrow }) {
		return s
	}
	return widgets.Leading(widgets.Sized(280, 0, s))
}

// mostNarrow is how long the words of a choice can be to fit beside others.
const mostNarrow = 34

func (f *Form) number(field app.Field) fyne.CanvasObject {
	said := widgets.NewText(f.env.T("form.number"), widgets.Caption().In(widgets.ToneDanger.Text()))
	said.Hide()
	e := widgets.NewEntry(f.values[field.Key], func(v string) {
		if bad := !isNumber(v); bad == said.Hidden {
			Visible(said, bad)
			f.shape()
		}
		f.change(field.Key, v)
	})
	f.set[field.Key] = e.SetText
	return widgets.Column(widgets.Gap4, widgets.Leading(widgets.Sized(140, 0, e)), said)
}

// isNumber reports whether what was typed is a whole number, or nothing yet.
func isNumber(s string) bool {
	s = strings.TrimSpace(s)
	return len(s) < 10 && strings.Trim(s, "0123456789") == ""
}
