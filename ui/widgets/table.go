package widgets

import (
	"fyne.io/fyne/v2"
	fynetheme "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"kvart/ui/theme"
)

// Bounds of a table's columns.
const (
	columnLeast = 64
	columnMost  = 240
)

// Table is Fyne's table of rows and columns that scrolls both ways, with heads
// that stay, and hands Enter and Escape to the window. It can be long: only the
// cells that are seen exist.
type Table struct {
	widget.Table
	heads []string
}

// NewTable returns a table without columns.
func NewTable(length func() int, cell func(row, column int) string) *Table {
	t := &Table{}
	t.Length = func() (int, int) { return length(), len(t.heads) }
	t.CreateCell = func() fyne.CanvasObject { return tableCell(Body()) }
	t.UpdateCell = func(id widget.TableCellID, o fyne.CanvasObject) { setCell(o, cell(id.Row, id.Col)) }
	t.ShowHeaderRow = true
	t.CreateHeader = func() fyne.CanvasObject { return tableCell(Caption()) }
	t.UpdateHeader = func(id widget.TableCellID, o fyne.CanvasObject) {
		head := ""
		if id.Col >= 0 && id.Col < len(t.heads) {
			head = t.heads[id.Col]
		}
		setCell(o, head)
	}
	t.ExtendBaseWidget(t)
	return t
}

func tableCell(l Look) fyne.CanvasObject { return Inset(8, 6, NewText("", l.Cut())) }

func setCell(o fyne.CanvasObject, s string) { o.(*fyne.Container).Objects[0].(*Text).Set(s) }

// SetColumns sets the heads, and widths that are enough for them and for some
// rows of samples.
func (t *Table) SetColumns(heads []string, samples [][]string) {
	t.heads = heads
	size := t.Theme().Size(theme.SizePill)
	for i, h := range heads {
		w := fyne.MeasureText(h, size, fyne.TextStyle{}).Width
		for _, row := range samples {
			if i < len(row) {
				w = max(w, fyne.MeasureText(row[i], t.Theme().Size(fynetheme.SizeNameText), fyne.TextStyle{}).Width)
			}
		}
		t.SetColumnWidth(i, min(max(w+4*Gap4+2, columnLeast), columnMost))
	}
	t.Refresh()
}

// TypedKey implements [fyne.Focusable].
func (t *Table) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeyEscape, fyne.KeyReturn, fyne.KeyEnter:
		PassKey(t, k)
	default:
		t.Table.TypedKey(k)
	}
}
