package history

import (
	"bytes"
	"strings"
	"time"
	"unicode/utf8"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// fieldsShown is how many fields of a record are shown before the owner asks
// for all.
const fieldsShown = 24

// Keys of what stands on the left beside the shelves.
const (
	navFiles = "/files"
	navDiff  = "/diff"
	navFind  = "/find"
)

type fieldRow struct {
	Name, Then, Now string
	Differs         bool
}

type fieldsModel struct {
	Rows      []fieldRow
	Then, Now string // heads; Now is "" when nothing is beside
	More      string // text of the button for the rest
	Differs   string // the mark in words
}

func shelfName(w *assets.Words, sh app.Shelf) string {
	if key := "shop.kind." + sh.Code; sh.Known && w.Has(key) {
		return w.T(key)
	}
	return sh.Code
}

// navRows lists what the point holds: shelves, each followed by those that
// belong to it, files, and what can be asked about the whole.
func navRows(w *assets.Words, s state) []navRow {
	var out []navRow
	open := ""
	switch s.Pane {
	case paneShelf, paneRecord:
		open = s.Shelf
	case paneDiff:
		open = navDiff
	case paneFind:
		open = navFind
	default:
		open = navFiles
	}
	var add func(parent string, inner bool)
	add = func(parent string, inner bool) {
		for _, sh := range s.Shelves {
			_, known := s.shelf(sh.Parent)
			if sh.Parent != parent && (parent != "" || known) || sh.Parent == sh.Code && parent != "" {
				continue
			}
			row := navRow{Key: sh.Code, Name: shelfName(w, sh), Inner: inner, Chosen: sh.Code == open}
			if sh.Count >= 0 {
				row.Count = w.Number(sh.Count)
			}
			out = append(out, row)
			if !inner {
				add(sh.Code, true)
			}
		}
	}
	add("", false)
	out = append(out, navRow{Key: navFiles, Name: w.T("history.files")}, navRow{Key: navDiff, Name: w.T("history.compare")}, navRow{Key: navFind, Name: w.T("history.find")})
	for i := range out {
		out[i].Chosen = out[i].Key == open
	}
	return out
}

func shelfModel(w *assets.Words, s state, v *viewModel) {
	sh, _ := s.shelf(s.Shelf)
	v.Title, v.Heads, v.Tall = shelfName(w, sh), sh.Columns, len(sh.Columns) == 0
	switch {
	case s.Text != "" && s.Begun:
		v.Where = w.N("history.matches", int64(s.Rows))
		if s.Rows == 0 && s.Left == 0 {
			v.Empty = w.T("history.nomatch")
		}
	case s.Begun && s.Rows == 0 && s.Left == 0:
		v.Empty = w.T("history.empty")
	}
}

func recordModel(w *assets.Words, s state, now time.Time, v *viewModel) {
	if s.View == nil {
		return
	}
	v.Title, v.Where = s.View.Record.Title, s.View.Record.Under
	when := assets.Args{"When": w.When(s.Point.Time, now)}
	v.Field = fieldsModel{Then: w.When(s.Point.Time, now), Now: w.T("history.now"), Differs: w.T("history.differs")}
	if s.With != app.Live {
		v.Field.Now = w.When(s.WithTime, now)
	}
	differ := 0
	for _, f := range s.View.Fields {
		row := fieldRow{Name: fieldName(w, f.Name), Then: valueWords(w, f.Value, now), Now: valueWords(w, f.With, now), Differs: f.Differs}
		if f.Differs {
			differ++
		}
		v.Field.Rows = append(v.Field.Rows, row)
	}
	switch {
	case s.View.Gone:
		v.Field.Now = ""
		v.Pill = pill{w.T("history.record.gone"), widgets.ToneDanger}
		if s.With != app.Live {
			v.Pill.Text = w.T("history.record.lacks", assets.Args{"When": w.When(s.WithTime, now)})
		}
	case differ > 0 && s.With == app.Live:
		v.Pill = pill{w.T("history.record.changed", when), widgets.ToneDanger}
	case differ > 0:
		v.Pill = pill{w.N("history.record.differs", int64(differ)), widgets.ToneWarn}
	default:
		v.Pill = pill{w.T("history.record.same", when), widgets.ToneGood}
	}
	if hidden := len(v.Field.Rows) - fieldsShown; hidden > 0 && !s.All {
		v.Field.Rows = shortened(v.Field.Rows)
		v.Field.More = w.N("history.fields.more", int64(len(s.View.Fields)-len(v.Field.Rows)))
	}
}

// shortened returns the first fields, and those further down that differ.
func shortened(rows []fieldRow) []fieldRow {
	out := append([]fieldRow{}, rows[:fieldsShown]...)
	for _, r := range rows[fieldsShown:] {
		if r.Differs {
			out = append(out, r)
		}
	}
	return out
}

// fieldName is what a field is called, as the platform has it where Kvart has no
// word for it.
func fieldName(w *assets.Words, name string) string {
	if key := "field." + name; w.Has(key) {
		return w.T(key)
	}
	return name
}

// valueWords writes a value as the language does.
func valueWords(w *assets.Words, v string, now time.Time) string {
	switch v {
	case "":
		return w.T("history.value.empty")
	case "true":
		return w.T("history.value.yes")
	case "false":
		return w.T("history.value.no")
	}
	if t, err := time.Parse(time.RFC3339, v); err == nil {
		return w.When(t, now)
	}
	return v
}

// previewText returns the beginning of a file as text, or says that it is
// none.
func previewText(w *assets.Words, b []byte) string {
	if len(b) == 0 {
		return w.T("history.preview.empty")
	}
	// The last rune may be cut off.
	for i := 0; i < utf8.UTFMax && len(b) > 0 && !utf8.Valid(b); i++ {
		b = b[:len(b)-1]
	}
	if !utf8.Valid(b) || bytes.IndexByte(b, 0) >= 0 {
		return w.T("history.preview.binary")
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}
