package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

// TestScrollTo_whatWasNotDrawnYet: a part that came just now is below what
// wraps, and inside cards, which the driver knows nothing of.
func TestScrollTo_whatWasNotDrawnYet(t *testing.T) {
	test.NewTempApp(t)
	part := NewText("here", Body())
	var rows []fyne.CanvasObject
	for range 60 {
		rows = append(rows, NewText("Words that do not fit on one line of a page as narrow as this one is.", Body()))
	}
	late := Column(Gap8)
	page := Page(NewCard(Column(Gap8, append(rows, NewSurface("", late))...)))
	w := test.NewTempWindow(t, page)
	w.Resize(fyne.NewSize(300, 400))
	late.Objects = []fyne.CanvasObject{NewCard(part)}
	for range 40 {
		late.Add(NewText("More", Body()))
	}
	ScrollTo(page, part)
	y, ok := offsetIn(page.Content, part)
	if at := y - page.Offset.Y; !ok || at < 0 || at > page.Size().Height/2 {
		t.Errorf("it is at %v of %v, found %v", at, page.Size().Height, ok)
	}
	before := page.Offset
	ScrollTo(page, NewText("elsewhere", Body()))
	if page.Offset != before {
		t.Error("a part of another page moves this one")
	}
}
