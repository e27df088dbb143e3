package history

import (
	"path"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// groupRow is one sort of things in a comparison.
type groupRow struct {
	Code, Text string
	Chosen     bool
}

// foundRow is one thing that a search of all points found.
type foundRow struct {
	Title, Under, Seen string
	Gone               bool
}

// bulk is a restore of all changes of one kind.
type bulk struct {
	Text  string
	Paths []string
}

// actions are what can be done with what is looked at.
type actions struct {
	Restore string // text of the primary button; "" for none
	Bulk    []bulk
	Ticked  bool   // some are ticked
	Copy    bool   // save a copy to a folder
	Export  bool   // as a table
	With    bool   // another point to compare with
	Now     bool   // back to comparing with now
	File    string // what was written
}

func diffModel(w *assets.Words, s state, now time.Time, v *viewModel) {
	v.Title = w.T("history.diff.title")
	if s.With != app.Live {
		v.Title = w.T("history.diff.between", assets.Args{"When": w.When(s.WithTime, now)})
	}
	if s.Diff == nil {
		return
	}
	if len(s.Diff.groups) == 0 {
		v.Empty = w.T("history.diff.none")
		if s.With != app.Live {
			v.Empty = w.T("history.diff.same")
		}
		return
	}
	v.Changes = s.group().changes
	for _, g := range s.Diff.groups {
		n := func(k app.ChangeKind) string { return w.Number(int64(len(g.paths[k]))) }
		v.Group = append(v.Group, groupRow{Code: g.code, Chosen: g.code == s.Group, Text: w.T("history.group", assets.Args{
			"Kind": groupName(w, s, g.code), "Changed": n(app.ChangeChanged), "Gone": n(app.ChangeRemoved), "New": n(app.ChangeAdded),
		})})
	}
}

func groupName(w *assets.Words, s state, code string) string {
	switch code {
	case groupTables:
		return w.T("history.tables")
	case groupFiles:
		return w.T("history.files")
	}
	sh, _ := s.shelf(code)
	return shelfName(w, sh)
}

// changeRow tells one change; rec is the record it is about, where that is
// known.
func changeRow(w *assets.Words, c app.Change, rec app.Record) widgets.ListRow {
	r := widgets.ListRow{Name: c.Path, Icon: changeIcon(c.Kind), Detail: w.T("history.change." + string(c.Kind))}
	if rec.Title != "" {
		r.Name, r.Under = rec.Title, rec.Under
	}
	switch {
	case len(c.Fields) > 0:
		var names []string
		for _, f := range c.Fields {
			if name := fieldName(w, f.Name); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		args := assets.Args{"Fields": strings.Join(names, ", "), "By": c.By}
		r.Under = w.T("history.change.fields", args)
		if c.By != "" {
			r.Under = w.T("history.change.by", args)
		}
	case c.Kind == app.ChangeChanged && c.Added+c.Removed+c.Changed > 0:
		r.Under = w.T("history.change.rows", assets.Args{"Added": w.Number(c.Added), "Removed": w.Number(c.Removed), "Changed": w.Number(c.Changed)})
	}
	return r
}

func changeIcon(k app.ChangeKind) fyne.ThemeIconName {
	switch k {
	case app.ChangeAdded:
		return fynetheme.IconNameContentAdd
	case app.ChangeRemoved:
		return fynetheme.IconNameContentRemove
	}
	return fynetheme.IconNameDocumentCreate
}

func findModel(w *assets.Words, s state, now time.Time, v *viewModel) {
	v.Title, v.Where = w.T("history.find"), w.T("history.find.text")
	if s.Found == nil {
		return
	}
	for _, h := range s.Found.Hits {
		row := foundRow{Title: h.Path, Gone: !h.Now, Seen: w.T("history.find.there", assets.Args{"First": w.When(h.First.Time, now)})}
		if h.Title != "" {
			row.Title, row.Under = h.Title, h.Under
		}
		if row.Gone {
			row.Seen = w.T("history.find.gone", assets.Args{"First": w.When(h.First.Time, now), "Last": w.When(h.Last.Time, now)})
		}
		v.Found = append(v.Found, row)
	}
	if len(v.Found) == 0 {
		v.Empty = w.T("history.find.none")
	}
	if !s.Found.All {
		v.Note = w.T("history.find.part", assets.Args{"Looked": w.Number(int64(s.Found.Looked)), "Of": w.Number(int64(s.Found.Points))})
	}
}

// actionsOf tells what can be done with what is looked at.
func actionsOf(w *assets.Words, s state) actions {
	a := actions{File: s.File}
	if s.Busy || s.Pane == paneFind || s.Pane == paneRecord && s.View == nil {
		return a
	}
	if n := int64(len(s.Chosen)); n > 0 && s.Pane != paneRecord {
		a.Ticked, a.Restore, a.Copy = true, w.N("history.restore.ticked", n), true
	}
	sh, ok := s.shelf(s.Shelf)
	switch s.Pane {
	case paneDiff:
		a.With, a.Now, a.Bulk = true, s.With != app.Live, bulksOf(w, s)
	case paneRecord:
		a.Restore, a.Copy, a.With, a.Now = restoreOne(w, s.Shelf), true, true, s.With != app.Live
	case paneShelf:
		a.Export = ok && sh.Export != ""
		if a.Restore == "" && ok && sh.Path != "" {
			a.Restore, a.Copy = w.T("history.restore.shelf", assets.Args{"Kind": shelfName(w, sh)}), true
		}
	default:
		if a.Restore == "" {
			a.Restore, a.Copy = restoreText(w, s), true
		}
	}
	return a
}

// bulksOf returns the restores of all that changed, and of all that is gone.
func bulksOf(w *assets.Words, s state) (out []bulk) {
	if s.Group == groupTables {
		return nil // a table comes back as a whole
	}
	for _, k := range []app.ChangeKind{app.ChangeChanged, app.ChangeRemoved} {
		if paths := s.group().paths[k]; len(paths) > 0 {
			out = append(out, bulk{bulkText(w, s, k, len(paths)), paths})
		}
	}
	return out
}

func bulkText(w *assets.Words, s state, k app.ChangeKind, n int) string {
	key := "history.all." + string(k)
	if w.Has(key + "." + s.Group) {
		return w.N(key+"."+s.Group, int64(n))
	}
	return w.N(key, int64(n), assets.Args{"Kind": groupName(w, s, s.Group)})
}

func restoreOne(w *assets.Words, shelf string) string {
	if key := "history.restore.one." + shelf; w.Has(key) {
		return w.T(key)
	}
	return w.T("history.restore.one")
}

func restoreText(w *assets.Words, s state) string {
	if s.Path == "" {
		return w.T("history.restore.all")
	}
	return w.T("history.restore.path", assets.Args{"Name": path.Base(s.Path)})
}
