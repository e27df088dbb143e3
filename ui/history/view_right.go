package history

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/widgets"
)

// right is the part of the screen that shows what is looked at.
type right struct {
	title, where     *widgets.Text
	pillBox          *fyne.Container
	up               *widgets.Button
	turning          *widget.Activity
	wait             *fyne.Container
	waitText         *widgets.Text
	cancelled, going *widgets.Button
	empty, note      *widgets.Text
	search, asked    *widgets.Entry
	searchRow        *fyne.Container
	askRow           *fyne.Container
	groups           *fyne.Container
	groupBox         *fyne.Container
	body             *fyne.Container
	records, files   *widgets.List
	changes          *widgets.List
	table            *widgets.Table
	tableBox         *narrow
	fields, found    *fyne.Container
	fieldBox         *container.Scroll
	foundBox         *container.Scroll
	text             *widget.TextGrid
	picture          *canvas.Image
	restore          *widgets.Button
	with, now        *widgets.Button
	copy, export     *widgets.Button
	untick           *widgets.Button
	file             *widgets.Text
	openFile         *widgets.Button
	bulk             *fyne.Container
	buttons          *fyne.Container
}

func (v *view) newRight() fyne.CanvasObject {
	v.title, v.where = widgets.NewText("", widgets.Sub().Cut()), widgets.NewText("", widgets.Caption())
	v.pillBox = widgets.Leading()
	v.up = widgets.NewButton(v.env.T("history.up"), v.s.up)
	v.empty, v.note = widgets.NewText("", widgets.Muted()), widgets.NewText("", widgets.Body().In(widgets.ToneWarn.Text()))
	v.groups = widgets.Leading()
	v.groupBox = widgets.Scrolled(groupHeight, v.groups)
	v.newWait()
	v.newSearch()
	v.newBody()
	v.newButtons()
	return widgets.NewCard(widgets.Fill(widgets.Gap12, v.body,
		widgets.Row(widgets.Gap12, nil, widgets.Column(2, v.title, v.where), v.pillBox, v.up),
		v.searchRow, v.askRow, v.wait, v.note, v.empty, v.groupBox, v.body, v.buttons))
}

func (v *view) newWait() {
	t := v.env.T
	v.turning = widget.NewActivity()
	v.waitText = widgets.NewText("", widgets.Muted())
	v.cancelled = widgets.NewButton(t("history.cancel"), v.s.cancel)
	v.going = widgets.NewButton(t("remedy.retry"), v.s.resume)
	v.wait = widgets.Row(widgets.Gap12, []fyne.CanvasObject{v.turning}, v.waitText, v.cancelled, v.going)
}

func (v *view) newSearch() {
	t := v.env.T
	v.search = widgets.NewEntry("", v.s.searchFor)
	v.search.SetPlaceHolder(t("history.search"))
	v.searchRow = widgets.Column(0, v.search)
	v.asked = widgets.NewEntry("", nil)
	v.asked.SetPlaceHolder(t("history.find.hint"))
	v.askRow = widgets.Row(widgets.Gap12, nil, v.asked, widgets.NewPrimary(t("history.find.button"), v.s.look))
}

func (v *view) newBody() {
	s := v.s
	v.records = widgets.NewTallList(s.records.Len, v.recordRow, s.openRow)
	v.records.OnTick = s.tickRow
	v.files = widgets.NewList(func() int { return len(v.vm.Files) }, v.fileRow, s.openFile)
	v.files.OnTick = s.tickFile
	v.changes = widgets.NewTallList(func() int { return len(v.vm.Changes) }, v.changeRow, s.openChange)
	v.changes.OnTick = s.tickChange
	v.table = widgets.NewTable(s.records.Len, func(row, column int) string {
		if r, ok := s.records.Item(row); ok && column >= 0 && column < len(r.Cells) {
			return r.Cells[column]
		}
		return ""
	})
	v.tableBox = newNarrow(v.table, v.records)
	v.fields, v.found = widgets.Column(0), widgets.Column(0)
	v.fieldBox, v.foundBox = container.NewVScroll(v.fields), container.NewVScroll(v.found)
	v.text = widget.NewTextGrid()
	v.text.Scroll = fyne.ScrollBoth
	v.picture = canvas.NewImageFromImage(nil)
	v.picture.FillMode = canvas.ImageFillContain
	v.body = widgets.Sized(0, bodyHeight, container.NewStack(v.tableBox, v.files, v.changes, v.fieldBox, v.foundBox, v.text, v.picture))
}

func (v *view) newButtons() {
	t, s := v.env.T, v.s
	v.restore = widgets.NewPrimary("", s.restore)
	v.copy = widgets.NewButton(t("history.copy"), s.saveCopy)
	v.export = widgets.NewButton(t("history.export"), s.export)
	v.with = widgets.NewButton(t("history.with"), s.pickWith)
	v.now = widgets.NewButton(t("history.with.now"), s.withNow)
	v.untick = widgets.NewButton(t("history.untick"), s.untick)
	v.bulk = widgets.Leading()
	v.file = widgets.NewText("", widgets.Caption())
	v.openFile = widgets.NewButton(t("history.export.open"), s.openTable)
	v.buttons = widgets.Column(widgets.Gap8,
		widgets.Row(widgets.Gap12, nil, v.file, v.openFile),
		v.bulk, widgets.Leading(v.restore, v.copy, v.export, v.with, v.now, v.untick))
}

func (v *view) tickOf(path string) widgets.Tick {
	if path == "" {
		return widgets.TickNone
	}
	if _, on := v.s.st.Chosen[path]; on {
		return widgets.TickOn
	}
	return widgets.TickOff
}

func (v *view) recordRow(i int) widgets.ListRow {
	r, ok := v.s.records.Item(i)
	if !ok {
		return widgets.ListRow{Name: v.env.T("history.row.coming")}
	}
	row := widgets.ListRow{Name: r.Title, Under: r.Under, Tick: v.tickOf(r.Path), Picture: v.s.pictureOf(r)}
	if len(r.Cells) > 0 {
		row.Under = v.cellWords(r)
	}
	if r.Picture != "" && row.Picture == nil {
		row.Icon = fynetheme.IconNameFileImage
	}
	return row
}

// cellWords writes a row of a table as a card, where there is no room for
// columns.
func (v *view) cellWords(r app.Record) string {
	if len(r.Cells) < 2 || len(v.vm.Heads) < len(r.Cells) {
		return r.Under
	}
	at := 1
	for i := 1; i < len(r.Cells); i++ {
		if r.Cells[i] == r.Under {
			at = i
		}
	}
	return v.env.T("history.cell", assets.Args{"Head": v.vm.Heads[at], "Value": r.Cells[at]})
}

func (v *view) fileRow(i int) widgets.ListRow {
	r := v.vm.Files[i]
	return widgets.ListRow{Icon: r.Icon, Name: r.Name, Detail: r.Detail, Tick: v.tickOf(r.Path)}
}

func (v *view) changeRow(i int) widgets.ListRow {
	c := v.vm.Changes[i]
	row := changeRow(v.env.Words, c, v.s.nameOf(c))
	if canRestore(c) {
		row.Tick = v.tickOf(c.Path)
	}
	return row
}

func (v *view) setRight(old, m viewModel) {
	v.title.Set(m.Title)
	show(v.title, m.Title != "")
	v.where.Set(m.Where)
	show(v.where, m.Where != "")
	if old.Pill != m.Pill {
		v.pillBox.Objects = nil
		if m.Pill.Text != "" {
			v.pillBox.Objects = []fyne.CanvasObject{widgets.NewPill(m.Pill.Text, m.Pill.Tone)}
		}
	}
	show(v.pillBox, m.Pill.Text != "")
	show(v.up, m.Up)
	v.setWait(m.Wait)
	v.empty.Set(m.Empty)
	show(v.empty, m.Empty != "")
	v.note.Set(m.Note)
	show(v.note, m.Note != "")
	show(v.searchRow, m.Pane == paneShelf && m.Title != "")
	show(v.askRow, m.Pane == paneFind)
	if m.Pane == paneShelf && v.search.Text != v.s.st.Text {
		v.search.SetText(v.s.st.Text)
	}
	if old.Pane != m.Pane && m.Pane == paneFind {
		v.asked.SetText(v.s.st.Asked)
	}
	if !slices.Equal(old.Group, m.Group) {
		widgets.KeepFocus(v.groups, v.drawGroups)
	}
	show(v.groupBox, len(m.Group) > 0)
	v.setBody(old, m)
	v.setButtons(old, m)
}

func (v *view) setWait(m waiting) {
	v.waitText.Set(m.Text)
	show(v.turning, m.Turning)
	if m.Turning {
		v.turning.Start()
	} else {
		v.turning.Stop()
	}
	show(v.cancelled, m.Cancel)
	show(v.going, m.Goon)
	show(v.wait, m.Text != "")
}

func (v *view) setBody(old, m viewModel) {
	v.showBody(m)
	if v.text.Text() != m.Text {
		v.text.SetText(m.Text)
	}
	if v.picture.Image != m.Picture {
		v.picture.Image = m.Picture
		v.picture.Refresh()
	}
	if !sameFields(old.Field, m.Field) {
		widgets.KeepFocus(v.fields, v.drawFields)
		v.fieldBox.ScrollToTop()
	}
	if !slices.Equal(old.Found, m.Found) {
		v.drawFound()
	}
	moved := old.Where != m.Where || old.Pane != m.Pane || old.Title != m.Title
	switch m.Pane {
	case paneList:
		refresh(v.files, moved)
	case paneDiff:
		refresh(v.changes, moved && old.Pane != paneRecord)
	}
}

// showBody shows the part that the pane is made of.
func (v *view) showBody(m viewModel) {
	quiet := m.Empty != ""
	show(v.tableBox, m.Pane == paneShelf && !quiet)
	v.tableBox.wants(len(m.Heads) > 0)
	show(v.files, m.Pane == paneList && len(m.Files) > 0)
	show(v.changes, m.Pane == paneDiff && len(m.Changes) > 0)
	show(v.fieldBox, m.Pane == paneRecord && len(m.Field.Rows) > 0)
	show(v.foundBox, m.Pane == paneFind && len(m.Found) > 0)
	show(v.text, m.Pane == panePreview && m.Picture == nil && !quiet && m.Text != "")
	show(v.picture, m.Pane == panePreview && m.Picture != nil)
}

// refresh draws a list anew, from its top where it shows something else.
func refresh(l *widgets.List, top bool) {
	l.Refresh()
	if top {
		l.Reset()
	}
}
