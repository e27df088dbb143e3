package ui

import (
	"slices"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

// TestHistory_chosenPointIsInSight: where History is sent to an old backup, that
// one is seen in the list, which shows more than a few.
func TestHistory_chosenPointIsInSight(t *testing.T) {
	r := newRig(t, uitest.Safe())
	driver := fyne.CurrentApp().Driver()
	place := func(name string) (top, bottom float32) {
		t.Helper()
		o := uitest.Pressable(r.c, name, 0)
		if o == nil {
			t.Fatalf("no %s", name)
		}
		top = driver.AbsolutePositionForObject(o).Y
		return top, top + o.Size().Height
	}
	r.show(screen.Place{Screen: screen.History, Source: "Kassan", Point: "Kassan-12"})
	first, end := place("14:30")
	row := end - first
	if row <= 0 || row > 60 {
		t.Fatalf("a row is %v high", row)
	}
	if top, _ := place("13:45"); top-first > 200 { // the fourth
		t.Fatalf("the fourth is %v below the first", top-first)
	}
	r.show(screen.Place{Screen: screen.History, Source: "Kassan", Point: "Kassan-1"})
	if top, bottom := place("11:45"); top < first-8 || bottom > first+208 {
		t.Errorf("the chosen one is at %v–%v, the list begins at %v", top, bottom, first)
	}
	r.show(screen.Place{Screen: screen.History, Source: "Kassan", Point: "Kassan-11"})
	if top, bottom := place("14:15"); top < first-8 || bottom > first+208 {
		t.Errorf("the chosen one is at %v–%v, the list begins at %v", top, bottom, first)
	}
}

// TestHistory_openMenuKeepsItsSources: what is chosen in a menu that was open
// while a source went is what stands there.
func TestHistory_openMenuKeepsItsSources(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("History")
	var menu *widgets.Select
	for _, o := range uitest.Visible(r.c) {
		if s, ok := o.(*widgets.Select); ok && slices.Contains(s.Options, "Bilder") {
			menu = s
		}
	}
	if menu == nil {
		t.Fatal("no choice of a source")
	}
	var asked []string
	r.svc.DayFunc = func(q app.DayRequest) ([]app.Quarter, error) {
		asked = append(asked, q.Source)
		return uitest.Quarters(q.Day), nil
	}
	st := uitest.Safe()
	st.Sources = st.Sources[1:] // Kassan was removed
	r.svc.Push(st)
	asked = nil
	menu.SetSelected("Lager")
	if len(asked) == 0 || slices.ContainsFunc(asked, func(s string) bool { return s != "Lager" }) {
		t.Errorf("shows %v", asked)
	}
}
