// Package history is the screen that shows what the vault holds: a day quarter
// by quarter, what was in a backup, and how that differs from now.
package history

import (
	"bytes"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/screen"
	"kvart/ui/widgets"
)

// previewBytes is how much of a file is shown.
const previewBytes = 64 << 10

// pane is what the right side shows.
type pane string

const (
	paneList    pane = "list"
	panePreview pane = "preview"
	paneDiff    pane = "diff"
)

// state is what is looked at.
type state struct {
	Sources  []string
	Source   string
	Day      time.Time
	Quarters []app.Quarter
	Points   []app.Point // of the day, newest first
	Point    *app.Point  // the one chosen
	Path     string      // folder looked at, or file previewed
	Entries  []app.Entry
	Pane     pane
	Preview  []byte
	Changes  []app.Change
	Picked   string // path of the change picked
	Busy     bool
}

type pointRow struct {
	ID     app.PointID
	Clock  string
	Detail string
	Tone   widgets.Tone
	Chosen bool
}

type entryRow struct {
	Path, Name, Detail string
	Icon               fyne.ThemeIconName
}

type viewModel struct {
	Sources  []string
	Source   int
	DayTitle string
	Next     bool // there may be a later day
	Bars     []widgets.Bar
	Hint     string
	Points   []pointRow
	NoPoints string

	Title   string // of the point
	Where   string // path looked at
	Up      bool   // there is a folder above
	Pane    pane
	Rows    []entryRow
	Empty   string
	Text    string
	Restore string // text of the button
}

func model(w *assets.Words, s state, now time.Time) viewModel {
	v := viewModel{Sources: s.Sources, Source: -1, Pane: s.Pane, Bars: screen.Bars(w, s.Quarters)}
	for i, name := range s.Sources {
		if name == s.Source {
			v.Source = i
		}
	}
	v.DayTitle = w.Day(s.Day)
	v.Next = startOfDay(s.Day).Before(startOfDay(now))
	v.Hint = w.T("history.hint")
	for _, p := range s.Points {
		v.Points = append(v.Points, rowOfPoint(w, p, s.Point != nil && p.ID == s.Point.ID))
	}
	if len(v.Points) == 0 && !s.Busy {
		v.NoPoints = w.T("history.nopoints")
	}
	if s.Point == nil {
		v.Empty = w.T("history.choose")
		return v
	}
	v.Title = w.T("history.title.point", assets.Args{"When": w.When(s.Point.Time, now)})
	v.Where, v.Up = s.Path, s.Path != "" || s.Pane != paneList
	v.Restore = restoreText(w, s)
	switch s.Pane {
	case panePreview:
		v.Text = previewText(w, s.Preview)
	case paneDiff:
		v.Where = w.T("history.diff.title")
		for _, c := range s.Changes {
			v.Rows = append(v.Rows, changeRow(w, c))
		}
		if len(s.Changes) == 0 {
			v.Empty = w.T("history.diff.none")
		}
	default:
		for _, e := range s.Entries {
			v.Rows = append(v.Rows, rowOf(w, e))
		}
		if len(s.Entries) == 0 {
			v.Empty = w.T("history.empty")
		}
	}
	if s.Busy {
		v.Empty = w.T("history.busy")
	}
	return v
}

func rowOfPoint(w *assets.Words, p app.Point, chosen bool) pointRow {
	row := pointRow{
		ID: p.ID, Clock: w.Clock(p.Time), Tone: widgets.ToneNeutral, Chosen: chosen,
		Detail: w.N("history.point", p.Files, assets.Args{"Bytes": w.Bytes(p.Bytes)}),
	}
	switch {
	case !p.Verified:
		row.Detail, row.Tone = w.T("history.point.unproven"), widgets.ToneWarn
	case p.Incomplete > 0:
		row.Detail, row.Tone = w.N("history.point.incomplete", p.Incomplete), widgets.ToneWarn
	}
	return row
}

// chosenPath is what would be restored, "" for everything.
func (s state) chosenPath() string {
	if s.Pane == paneDiff {
		return s.Picked
	}
	return s.Path
}

func restoreText(w *assets.Words, s state) string {
	p := s.chosenPath()
	if p == "" {
		return w.T("history.restore.all")
	}
	return w.T("history.restore.path", assets.Args{"Name": path.Base(p)})
}

func rowOf(w *assets.Words, e app.Entry) entryRow {
	r := entryRow{Path: e.Path, Name: path.Base(e.Path), Icon: fynetheme.IconNameFile, Detail: w.Bytes(e.Size)}
	switch {
	case e.Dir:
		r.Icon, r.Detail = fynetheme.IconNameFolder, w.T("history.folder")
	case e.Rows > 0:
		r.Icon, r.Detail = fynetheme.IconNameList, w.N("history.rows", e.Rows)
	}
	return r
}

func changeRow(w *assets.Words, c app.Change) entryRow {
	r := entryRow{Path: c.Path, Name: c.Path, Icon: changeIcon(c.Kind), Detail: w.T("history.change." + string(c.Kind))}
	if c.Kind == app.ChangeChanged && c.Added+c.Removed+c.Changed > 0 {
		r.Detail = w.T("history.change.rows", assets.Args{"Added": w.Number(c.Added), "Removed": w.Number(c.Removed), "Changed": w.Number(c.Changed)})
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

func startOfDay(t time.Time) time.Time {
	t = t.Local()
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.Local)
}

// pointsOf returns the points of a local day.
func pointsOf(points []app.Point, day time.Time) []app.Point {
	from := startOfDay(day)
	to := from.AddDate(0, 0, 1)
	var out []app.Point
	for _, p := range points {
		if !p.Time.Before(from) && p.Time.Before(to) {
			out = append(out, p)
		}
	}
	return out
}

// pointAt returns the newest point that existed at the end of a quarter.
func pointAt(points []app.Point, quarter time.Time) (app.Point, bool) {
	end := quarter.Add(app.QuarterLength)
	var best app.Point
	found := false
	for _, p := range points {
		if p.Time.Before(end) && (!found || p.Seq > best.Seq) {
			best, found = p, true
		}
	}
	return best, found
}
