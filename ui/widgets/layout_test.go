package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"kvart/ui/theme"
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

// TestRow_stacksWhereThereIsNoRoom: a title beside a long state once stood in a
// column one letter wide.
func TestRow_stacksWhereThereIsNoRoom(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(theme.New())
	title := NewText("Space left", Sub())
	pill := NewPill("Full in about five months at this pace", ToneNeutral)
	r := Row(Gap12, nil, title, pill)
	for width, stacked := range map[float32]bool{320: true, 700: false} {
		for range 2 {
			r.Resize(fyne.NewSize(width, r.MinSize().Height))
		}
		if below := pill.Position().Y >= title.Size().Height; below != stacked {
			t.Errorf("at %v the state stands at %v", width, pill.Position())
		}
		if h := title.Size().Height; h > 30 {
			t.Errorf("at %v the title is %v high", width, h)
		}
	}
}
