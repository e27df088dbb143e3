package screen

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/widgets"
)

// Filling is what a form begins with.
type Filling struct {
	Settings map[string]string
	Secrets  app.Secrets
	// Keep reports that secrets are kept already: those left empty stay.
	Keep bool
	// Hide names fields that are asked for elsewhere on the page.
	Hide []string
}

// Form asks for the fields of a kind of source or storage. Fields that few
// need are shown when asked for; those a preset fills in are told and can be
// shown too.
type Form struct {
	env    Env
	area   string // "source" or "storage"
	spec   app.KindSpec
	fill   Filling
	values map[string]string
	rows   map[string]fyne.CanvasObject
	set    map[string]func(string)      // shows another value of a field
	paired map[string]fyne.CanvasObject // the row that a field's belongs beside
	// entries are the fields that are typed in.
	entries map[string]*widgets.Entry
	preset  *presetPart // nil where there are none
	guide   *GuideBox   // nil where none is needed
	plain   *fyne.Container
	more    *fyne.Container
	toggle  *widgets.Button
	object  fyne.CanvasObject

	// OnChanged is called after every change.
	OnChanged func()
	// OnShape is called when rows came or went, so that the page makes room.
	OnShape func()
}

// NewForm returns a form, filled in where it was filled in before, and else
// with the defaults.
func NewForm(env Env, area string, spec app.KindSpec, fill Filling) *Form {
	f := &Form{
		env: env, area: area, spec: spec, fill: fill,
		values: map[string]string{}, rows: map[string]fyne.CanvasObject{}, set: map[string]func(string){}, entries: map[string]*widgets.Entry{},
		plain: widgets.Column(widgets.Gap12), more: widgets.Column(widgets.Gap12),
	}
	opened := false
	for _, field := range spec.Fields {
		f.values[field.Key] = field.Default
		if v, ok := fill.Settings[field.Key]; ok {
			f.values[field.Key] = v
		}
		if v := fill.Secrets[field.Key]; !v.IsZero() {
			f.values[field.Key] = v.Reveal()
		}
		if field.Key != presetKey && !slices.Contains(fill.Hide, field.Key) {
			f.rows[field.Key] = f.row(field)
			opened = opened || field.Advanced && f.values[field.Key] != field.Default
		}
	}
	f.pair()
	f.toggle = widgets.NewButton("", func() { f.showMore(!f.more.Visible()) })
	parts := []fyne.CanvasObject{f.plain, widgets.Leading(f.toggle), f.more}
	if len(spec.Presets) > 0 {
		f.preset = newPresetPart(f)
		parts = append([]fyne.CanvasObject{f.preset.object}, parts...)
	}
	if f.guide = newGuideBox(f); f.guide != nil {
		parts = append([]fyne.CanvasObject{f.guide.object}, parts...)
		f.guide.follow()
	}
	f.object = widgets.Column(widgets.Gap12, parts...)
	f.arrange()
	f.showMore(opened)
	return f
}

// Object returns the form itself.
func (f *Form) Object() fyne.CanvasObject { return f.object }

func (f *Form) showMore(on bool) {
	if on {
		f.more.Show()
		f.toggle.SetText(f.env.T("form.less"))
	} else {
		f.more.Hide()
		f.toggle.SetText(f.env.T("form.more"))
	}
	f.shape()
}

// Reveal brings a field into view that may be hidden among those few need.
func (f *Form) Reveal(key string) {
	field, ok := f.spec.Field(key)
	if !ok {
		return
	}
	if f.preset != nil {
		f.preset.shown = true
	}
	f.arrange()
	if field.Advanced {
		f.showMore(true)
	}
}

// arrange draws what the preset needs anew, and then [Form.place]s the rest.
func (f *Form) arrange() {
	if f.preset != nil {
		f.preset.draw()
	}
	f.place()
}

// place puts every field where it is asked for: in plain view, among those few
// need, with the preset, or not at all where the preset filled it in.
func (f *Form) place() {
	f.plain.RemoveAll()
	f.more.RemoveAll()
	last, told := map[*fyne.Container]string{}, map[string]bool{}
	for _, field := range f.spec.Fields {
		row := f.rows[field.Key]
		switch {
		case row == nil, f.preset != nil && (f.preset.fills(field.Key) || f.preset.asks(field.Key)):
		case field.Advanced:
			f.add(f.more, field, row, last, told)
		default:
			f.add(f.plain, field, row, last, told)
		}
	}
	Visible(f.toggle, len(f.more.Objects) > 0)
	f.shape()
}

// add adds a field's row, below the heading of its group where it is the first
// of one, with what is to be said of the group where that was not said before.
func (f *Form) add(to *fyne.Container, field app.Field, row fyne.CanvasObject, last map[*fyne.Container]string, told map[string]bool) {
	group := f.group(field)
	switch {
	case group == last[to]:
	case group == "":
		to.Add(widgets.Line())
	default:
		rows := []fyne.CanvasObject{widgets.NewText(f.env.T(group), widgets.Sub())}
		if !told[group] && f.env.Words.Has(group+".hint") {
			rows = append(rows, widgets.NewText(f.env.T(group+".hint"), widgets.Caption()))
		}
		to.Add(widgets.Line())
		to.Add(widgets.Column(widgets.Gap4, rows...))
	}
	last[to], told[group] = group, true
	if n := len(to.Objects); n > 0 && f.paired[field.Key] != nil && to.Objects[n-1] == f.paired[field.Key] {
		to.Objects[n-1] = widgets.Grid(widgets.Gap16, 240, 2, f.paired[field.Key], row)
		return
	}
	to.Add(row)
}

// pair remembers the rows that belong side by side: a server and its port, a
// user and the password.
func (f *Form) pair() {
	f.paired = map[string]fyne.CanvasObject{}
	for i, field := range f.spec.Fields {
		if i == 0 || f.area != "source" || field.Multiline {
			continue
		}
		for first, second := range map[string]string{"host": "port", "user": "password"} {
			before := f.spec.Fields[i-1].Key
			if prefix, ok := strings.CutSuffix(before, first); ok && field.Key == prefix+second {
				f.paired[field.Key] = f.rows[before]
			}
		}
	}
}

// group returns the key of the words that fields of a kind are gathered under:
// those whose keys begin alike, "ssh_host" and "ssh_user". "" for none.
func (f *Form) group(field app.Field) string {
	prefix, _, _ := strings.Cut(field.Key, "_")
	if key := "form.group." + prefix; f.area == "source" && f.env.Words.Has(key) {
		return key
	}
	return ""
}

// Put fills in a field as if it were typed.
func (f *Form) Put(key, value string) {
	if set := f.set[key]; set != nil {
		set(value)
	}
}

func (f *Form) shape() {
	if f.object != nil {
		f.object.Refresh()
	}
	if f.OnShape != nil {
		f.OnShape()
	}
}

func (f *Form) key(field app.Field) string {
	return f.area + "." + string(f.spec.Kind) + ".field." + field.Key
}

func (f *Form) change(key, value string) {
	f.values[key] = value
	if f.preset != nil {
		f.preset.follow(key)
	}
	if f.guide != nil {
		f.guide.follow()
	}
	if f.OnChanged != nil {
		f.OnChanged()
	}
}

func (f *Form) row(field app.Field) fyne.CanvasObject {
	label := f.env.T(f.key(field))
	input := f.input(field, label)
	rows := []fyne.CanvasObject{input}
	if field.Type != app.FieldSwitch {
		rows = []fyne.CanvasObject{f.label(field, label), input}
	}
	if f.env.Words.Has(f.key(field) + ".hint") {
		rows = append(rows, widgets.NewText(f.env.T(f.key(field)+".hint"), widgets.Caption()))
	}
	if f.fill.Keep && field.Type == app.FieldSecret {
		rows = append(rows, widgets.NewText(f.env.T("form.keep"), widgets.Caption()))
	}
	return widgets.Column(widgets.Gap4, rows...)
}

func (f *Form) label(field app.Field, label string) fyne.CanvasObject {
	if f.required(field) || f.area == "source" && field.Default != "" {
		return widgets.NewText(label, widgets.Strong())
	}
	return widgets.NewText(f.env.T("form.optional", map[string]any{"Field": label}), widgets.Body())
}

func (f *Form) required(field app.Field) bool {
	return field.Required && !(f.fill.Keep && field.Type == app.FieldSecret)
}

func (f *Form) input(field app.Field, label string) fyne.CanvasObject {
	changed := func(s string) { f.change(field.Key, s) }
	switch {
	case field.Type == app.FieldSwitch:
		return f.check(field, label)
	case field.Type == app.FieldChoice:
		return f.choice(field)
	case field.Type == app.FieldNumber:
		return f.number(field)
	case field.Type == app.FieldSecret && field.Multiline:
		t := NewSecretText(f.env, f.values[field.Key], changed)
		t.OnShape = f.shape
		return t.Object()
	}
	return f.entry(field, changed)
}

// Settings returns what was filled in, but for the secrets. Blanks around a
// value are never meant: a blank typed on a button lands in the next field.
func (f *Form) Settings() map[string]string {
	out := map[string]string{}
	for _, field := range f.spec.Fields {
		if slices.Contains(f.fill.Hide, field.Key) || field.Key == presetKey {
			continue
		}
		if v := strings.TrimSpace(f.values[field.Key]); field.Type != app.FieldSecret && v != "" {
			out[field.Key] = v
		}
	}
	if _, ok := f.spec.Field(presetKey); ok && f.preset != nil && f.preset.chosen != nil {
		out[presetKey] = f.preset.chosen.Key
	}
	return out
}

// Secrets returns the secrets that were filled in.
func (f *Form) Secrets() app.Secrets {
	out := app.Secrets{}
	for _, field := range f.spec.Fields {
		v := strings.TrimSpace(f.values[field.Key])
		if field.Type != app.FieldSecret || v == "" {
			continue
		}
		if field.Multiline {
			v += "\n" // a key file ends its last line
		}
		out[field.Key] = app.NewSecret(v)
	}
	return out
}

// Complete reports whether everything required is filled in, but for the
// fields given.
func (f *Form) Complete(without ...string) bool {
	spec := f.spec
	spec.Fields = slices.Clone(spec.Fields)
	for i, field := range spec.Fields {
		spec.Fields[i].Required = f.required(field) && !slices.Contains(f.fill.Hide, field.Key) && !slices.Contains(without, field.Key)
	}
	return spec.CheckSettings(f.Settings(), f.Secrets()) == nil && (f.preset == nil || f.preset.complete())
}

// Visible shows or hides a part of a page.
func Visible(o fyne.CanvasObject, on bool) {
	if on == o.Visible() {
		return
	}
	if on {
		o.Show()
	} else {
		o.Hide()
	}
}
