package widgets

import (
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
)

func TestKeepFocus(t *testing.T) {
	test.NewTempApp(t)
	box := Column(0)
	draw := func(names ...string) {
		box.RemoveAll()
		for _, n := range names {
			box.Add(NewCard(Column(0, NewButton(n, nil), NewEntry("text "+n, nil))))
		}
		box.Add(NewFold("fold", NewText("fold", Body()), nil))
		box.Refresh()
	}
	draw("a", "b", "a")
	other := NewButton("other", nil)
	w := test.NewTempWindow(t, Column(0, box, other))
	at := func(card, part int) fyne.Focusable {
		return box.Objects[card].(*Card).content.(*fyne.Container).Objects[part].(fyne.Focusable)
	}

	// The second of two that are called the same stays the second.
	w.Canvas().Focus(at(2, 0))
	KeepFocus(box, func() { draw("a", "b", "a") })
	if w.Canvas().Focused() != at(2, 0) {
		t.Errorf("focused %v", w.Canvas().Focused())
	}

	// An entry keeps its place in the text.
	e := at(1, 1).(*Entry)
	e.CursorColumn = 4
	w.Canvas().Focus(e)
	KeepFocus(box, func() { draw("a", "b", "a") })
	if now, ok := w.Canvas().Focused().(*Entry); !ok || now != at(1, 1) || now.CursorColumn != 4 {
		t.Errorf("focused %v", w.Canvas().Focused())
	}

	fold := box.Objects[3].(*Choice)
	w.Canvas().Focus(fold)
	KeepFocus(box, func() { draw("x") })
	if now, ok := w.Canvas().Focused().(*Choice); !ok || now != box.Objects[1] {
		t.Errorf("focused %v", w.Canvas().Focused())
	}

	// What is elsewhere keeps it, and what is gone gives it to nothing else.
	w.Canvas().Focus(other)
	KeepFocus(box, func() { draw("a") })
	if w.Canvas().Focused() != other {
		t.Errorf("focused %v", w.Canvas().Focused())
	}
	gone := at(0, 0)
	w.Canvas().Focus(gone)
	KeepFocus(box, func() { draw("b") })
	if f := w.Canvas().Focused(); f == at(0, 0) || f == at(0, 1) {
		t.Errorf("focused %v", f)
	}
}
