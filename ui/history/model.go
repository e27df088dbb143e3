// Package history is the screen that shows what the vault holds: a day quarter
// by quarter, a month day by day, what was in a backup as a person thinks of it,
// and how that differs from now or from another backup.
package history

import (
	"image"
	"path"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

type pointRow struct {
	ID     app.PointID
	Clock  string
	Detail string
	Marks  []string
	Tone   widgets.Tone
	Chosen bool
}

type entryRow struct {
	Path, Name, Detail string
	Icon               fyne.ThemeIconName
	Dir                bool
}

// navRow is one thing on the left that can be looked at.
type navRow struct {
	Key, Name, Count string
	Inner, Chosen    bool
}

type viewModel struct {
	Sources  []string
	Source   int
	DayTitle string
	Next     bool // there may be a later day
	Bars     []widgets.Bar
	Hint     string
	Unusual  []string
	Points   []pointRow
	NoPoints string
	Nav      []navRow

	Point   string // what is looked at, on the left
	Title   string // of the pane
	Where   string
	Pill    pill
	Up      bool // there is something above
	Pane    pane
	Files   []entryRow
	Heads   []string // of a table, on paneShelf
	Tall    bool     // paneShelf lists records
	Empty   string
	Note    string
	Text    string
	Picture image.Image
	Changes []app.Change
	Field   fieldsModel
	Found   []foundRow
	Group   []groupRow
	Do      actions
	Wait    waiting
}

type pill struct {
	Text string
	Tone widgets.Tone
}

// waiting is what is said while an answer is waited for.
type waiting struct {
	Text         string
	Turning      bool
	Cancel, Goon bool
}

func model(w *assets.Words, s state, now time.Time) viewModel {
	v := viewModel{Sources: s.Sources, Source: slices.Index(s.Sources, s.Source), Pane: s.Pane, Bars: screen.Bars(w, s.Quarters)}
	v.DayTitle = w.Day(s.Day)
	v.Next = startOfDay(s.Day).Before(startOfDay(now))
	v.Hint = w.T("history.hint")
	v.Unusual = unusualWords(w, s)
	for _, p := range s.Points {
		v.Points = append(v.Points, rowOfPoint(w, p, s.Unusual, s.Point != nil && p.ID == s.Point.ID))
	}
	if len(v.Points) == 0 && !s.Busy {
		v.NoPoints = w.T("history.nopoints")
		if !s.Some {
			v.NoPoints = w.T("history.first")
		}
	}
	v.Wait = waitModel(w, s)
	if s.Point == nil {
		if !s.Busy {
			v.Empty = w.T("history.choose")
		}
		if s.Pane == paneFind {
			findModel(w, s, now, &v)
		}
		return v
	}
	v.Point = w.T("history.title.point", assets.Args{"When": w.When(s.Point.Time, now)})
	v.Nav = navRows(w, s)
	v.Up = s.Path != "" || s.Pane == paneRecord
	paneModel(w, s, now, &v)
	v.Do = actionsOf(w, s)
	if s.Busy || s.Stopped || s.Failed {
		v.Empty = ""
	}
	if s.Picking {
		v.Note = w.T("history.with.pick")
	}
	return v
}

func paneModel(w *assets.Words, s state, now time.Time, v *viewModel) {
	switch s.Pane {
	case paneShelf:
		shelfModel(w, s, v)
	case paneRecord:
		recordModel(w, s, now, v)
	case panePreview:
		v.Title, v.Where = path.Base(s.Path), parent(s.Path)
		if v.Picture = s.Picture; s.Picture == nil {
			v.Text = previewText(w, s.Preview)
		}
	case paneDiff:
		diffModel(w, s, now, v)
	case paneFind:
		findModel(w, s, now, v)
	default:
		v.Title, v.Where = w.T("history.files"), s.Path
		for _, e := range s.Entries {
			v.Files = append(v.Files, rowOf(w, e))
		}
		if len(s.Entries) == 0 {
			v.Empty = w.T("history.empty")
		}
	}
}

func parent(p string) string {
	if dir := path.Dir(p); dir != "." && dir != "/" {
		return dir
	}
	return ""
}

func waitModel(w *assets.Words, s state) waiting {
	switch {
	case s.Busy && s.Pane == paneFind:
		return waiting{Text: w.T("history.find.busy"), Turning: true, Cancel: true}
	case s.Busy && s.Pane == paneDiff:
		return waiting{Text: w.T("history.diff.busy"), Turning: true, Cancel: true}
	case s.Busy && s.Slow:
		return waiting{Text: w.T("history.slow"), Turning: true, Cancel: true}
	case s.Busy:
		return waiting{Text: w.T("history.busy"), Turning: true, Cancel: true}
	case s.Saving:
		return waiting{Text: w.T("history.export.running", assets.Args{"Bytes": w.Bytes(s.Saved)}), Turning: true, Cancel: true}
	case s.Stopped:
		return waiting{Text: w.T("history.stopped"), Goon: true}
	case s.Left > 0 && s.Pane == paneShelf:
		return waiting{Text: w.T("history.reading", assets.Args{"Done": w.Number(int64(s.Rows)), "Of": w.Number(int64(s.Rows) + s.Left)}), Turning: true, Cancel: true}
	}
	return waiting{}
}

// unusualWords tells what looked wrong on the day, oldest first.
func unusualWords(w *assets.Words, s state) []string {
	var out []string
	for _, u := range slices.Backward(s.Unusual) {
		if !startOfDay(u.At).Equal(startOfDay(s.Day)) {
			continue
		}
		u.Reasons = slices.Clone(u.Reasons)
		for i, r := range u.Reasons {
			u.Reasons[i].Kind = shelfName(w, app.Shelf{Code: r.Kind, Known: true})
		}
		for _, why := range assets.UnusualWords(w, u) {
			key, args := "history.unusual", assets.Args{"Clock": w.Clock(u.At), "Why": why}
			if !u.GoodTime.IsZero() {
				key, args["Good"] = "history.unusual.good", w.When(u.GoodTime, u.At)
			}
			if u.Yes {
				key = "history.unusual.yours"
			}
			out = append(out, w.T(key, args))
		}
	}
	return out
}

func rowOfPoint(w *assets.Words, p app.Point, unusual []app.Unusual, chosen bool) pointRow {
	row := pointRow{
		ID: p.ID, Clock: w.Clock(p.Time), Tone: widgets.ToneNeutral, Chosen: chosen,
		Detail: w.N("history.point", p.Files, assets.Args{"Bytes": w.Bytes(p.Bytes)}),
	}
	if p.Kind == app.PointSafety {
		row.Marks = append(row.Marks, w.T("history.mark.safety"))
	}
	switch {
	case !p.Verified:
		row.Marks, row.Tone = append(row.Marks, w.T("history.point.unproven")), widgets.ToneWarn
	case p.Incomplete == 0:
		row.Marks = append(row.Marks, w.T("history.mark.proven"))
	}
	if p.Incomplete > 0 {
		row.Marks, row.Tone = append(row.Marks, w.N("history.point.incomplete", p.Incomplete)), widgets.ToneWarn
	}
	if slices.ContainsFunc(unusual, func(u app.Unusual) bool { return u.Point == p.ID && !u.Yes }) {
		row.Marks, row.Tone = append(row.Marks, w.T("history.mark.unusual")), widgets.ToneDanger
	}
	if p.Pinned || slices.ContainsFunc(unusual, func(u app.Unusual) bool { return slices.Contains(u.Pinned, p.ID) }) {
		row.Marks = append(row.Marks, w.T("history.mark.pinned"))
	}
	return row
}

func rowOf(w *assets.Words, e app.Entry) entryRow {
	r := entryRow{Path: e.Path, Name: path.Base(e.Path), Icon: fynetheme.IconNameFile, Detail: w.Bytes(e.Size), Dir: e.Dir}
	switch {
	case e.Dir:
		r.Icon, r.Detail = fynetheme.IconNameFolder, w.T("history.folder")
	case e.Rows > 0:
		r.Icon, r.Detail = fynetheme.IconNameList, w.N("history.rows", e.Rows)
	case isPicture(e.Path):
		r.Icon = fynetheme.IconNameFileImage
	}
	return r
}

func isPicture(p string) bool {
	switch strings.ToLower(path.Ext(p)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp":
		return true
	}
	return false
}
