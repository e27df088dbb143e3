package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"
)

// up tells what has the keyboard that a key went up, as the driver does.
func up(c fyne.Canvas, k fyne.KeyName) {
	if f, ok := c.Focused().(desktop.Keyable); ok {
		f.KeyDown(&fyne.KeyEvent{Name: k})
		f.KeyUp(&fyne.KeyEvent{Name: k})
	}
}

// longPage is a page of everything that can have the keyboard, far apart, with
// a part that scrolls by itself at its end.
func longPage() (page, inner *container.Scroll, parts []fyne.CanvasObject) {
	list := Sized(0, 60, NewList(func() int { return 3 }, func(int) ListRow { return ListRow{Name: "x"} }, func(int) {}))
	table := Sized(0, 60, NewTable(func() int { return 3 }, func(int, int) string { return "x" }))
	last := NewButton("last", nil)
	inner = container.NewVScroll(Column(0, Sized(0, 300, NewText("", Body())), last))
	month := NewMonth(nil)
	month.Set(make([]MonthDay, 30), 0, 0, "")
	strip := NewStrip()
	strip.Set(make([]Bar, 96), "")
	parts = []fyne.CanvasObject{
		NewButton("first", nil), NewCheck("check", false, nil), NewSelect([]string{"a"}, 0, nil), NewEntry("", nil), strip, month,
		NewChoice("choice", NewText("x", Body()), nil), list.Objects[0], table.Objects[0],
	}
	rows := []fyne.CanvasObject{}
	for i, p := range parts {
		switch i {
		case len(parts) - 2:
			p = list
		case len(parts) - 1:
			p = table
		}
		rows = append(rows, NewCard(p), Sized(0, 500, NewText("", Body())))
	}
	link := NewProse(Run{Text: "a link", Tapped: func() {}})
	rows = append(rows, link, Sized(0, 500, NewText("", Body())), Sized(0, 100, inner))
	page = Page(rows...)
	return page, inner, append(parts, link, last)
}

// TestReveal_afterTab: wherever the Tab key leads, forward and back, it is seen.
func TestReveal_afterTab(t *testing.T) {
	test.NewTempApp(t)
	page, inner, parts := longPage()
	w := test.NewTempWindow(t, page)
	w.SetPadded(false)
	w.Resize(fyne.NewSize(400, 420))
	seen := func(part fyne.CanvasObject) bool {
		y, ok := offsetIn(page, part)
		return ok && y >= 0 && y+part.Size().Height <= page.Size().Height
	}
	for i, p := range parts {
		test.FocusNext(w.Canvas())
		up(w.Canvas(), fyne.KeyTab)
		if !seen(p) {
			y, _ := offsetIn(page, p)
			t.Errorf("%d: %T is at %v of %v", i, p, y, page.Size())
		}
	}
	if y, _ := offsetIn(inner, parts[len(parts)-1]); y < 0 || y > inner.Size().Height {
		t.Errorf("in the part that scrolls by itself it is at %v of %v", y, inner.Size())
	}
	for i := len(parts) - 2; i >= 0; i-- {
		test.FocusPrevious(w.Canvas())
		up(w.Canvas(), fyne.KeyTab)
		if !seen(parts[i]) {
			t.Errorf("back: %T is out of view", parts[i])
		}
	}
	if page.Offset.Y > 40 {
		t.Errorf("at the first part the page is at %v", page.Offset)
	}
}

// TestReveal_onlyAfterTab: a page does not move for a press, for other keys, or
// for focus that a program gave.
func TestReveal_onlyAfterTab(t *testing.T) {
	test.NewTempApp(t)
	page, _, parts := longPage()
	w := test.NewTempWindow(t, page)
	w.Resize(fyne.NewSize(400, 420))
	entry := parts[3].(*Entry)
	w.Canvas().Focus(entry)
	test.Type(entry, "x")
	up(w.Canvas(), fyne.KeyReturn)
	if page.Offset.Y != 0 {
		t.Errorf("the page moved to %v", page.Offset)
	}
	page.ScrollToOffset(fyne.NewPos(0, 900))
	KeepFocus(page.Content, func() { page.Content.Refresh() })
	if page.Offset.Y != 900 {
		t.Errorf("the page moved to %v", page.Offset)
	}
}
