package screen

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// Fact is one thing told of a source.
type Fact struct{ Title, Value string }

// CheckView is what a check of a source found.
type CheckView struct {
	Works  string
	Facts  []Fact   // what is captured, and of what
	Notes  []string // what the owner should know about it
	Warned bool     // a note is worth stopping for
	Rights string   // what is amiss with its user's rights; "" for nothing
}

// ModelCheck tells what a check of a source found. What a source says of itself
// is told as far as there are words for it: "sources.detail.…" for a fact,
// "sources.note.…" for what should be known, or with the kind's own words
// "source.<kind>.detail.…", "….note.…" and, to be stopped for, "….warn.…". What a
// kind tells of a database it holds begins
// with "database.".
func ModelCheck(w *assets.Words, kind app.Kind, info app.SourceInfo, r *app.Rights) CheckView {
	v := CheckView{Works: w.T("sources.checked", assets.Args{"Bytes": w.Bytes(info.Bytes)})}
	for _, key := range slices.Sorted(maps.Keys(info.Details)) {
		value := info.Details[key]
		if value == "" || value == "false" {
			continue
		}
		for _, words := range []string{"source." + string(kind) + ".%." + key, "sources.%." + strings.TrimPrefix(key, "database.")} {
			if k := strings.Replace(words, "%", "detail", 1); w.Has(k) {
				fact := Fact{w.T(k), valueOf(w, value)}
				if named := k + "." + value; w.Has(named) {
					fact.Value = w.T(named)
				}
				if !slices.Contains(v.Facts, fact) {
					v.Facts = append(v.Facts, fact)
				}
				break
			}
			note, warn := strings.Replace(words, "%", "note", 1), strings.Replace(words, "%", "warn", 1)
			if w.Has(warn) {
				note, v.Warned = warn, true
			}
			if w.Has(note) {
				v.Notes = append(v.Notes, w.T(note, assets.Args{"Value": value}))
				break
			}
		}
	}
	switch {
	case r == nil:
	case len(r.Missing) > 0:
		v.Rights = w.T("rights.missing.title")
	case len(r.Excess) > 0 && ours(*r):
		v.Rights = w.T("rights.given.title")
	case len(r.Excess) > 0:
		v.Rights = w.T("rights.excess.title")
	}
	return v
}

// valueOf tells a detail's value: numbers and yes in the owner's way.
func valueOf(w *assets.Words, value string) string {
	if n, err := strconv.ParseInt(value, 10, 64); err == nil {
		return w.Number(n)
	}
	if value == "true" {
		return w.T("yes")
	}
	return value
}

// Rows shows it, but for the rights.
func (v CheckView) Rows() []fyne.CanvasObject {
	rows := []fyne.CanvasObject{widgets.Leading(widgets.NewPill(v.Works, widgets.ToneGood))}
	if len(v.Facts) > 0 {
		rows = append(rows, FactGrid(v.Facts))
	}
	for _, n := range v.Notes {
		rows = append(rows, widgets.NewText(n, widgets.Caption().In(widgets.ToneWarn.Text())))
	}
	return rows
}

// FactGrid shows facts side by side.
func FactGrid(facts []Fact) fyne.CanvasObject {
	var cells []fyne.CanvasObject
	for _, f := range facts {
		cells = append(cells, widgets.Column(2, widgets.NewText(f.Title, widgets.Caption()), widgets.NewText(f.Value, widgets.Body())))
	}
	return widgets.Grid(widgets.Gap12, 160, 3, cells...)
}
