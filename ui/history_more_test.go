package ui

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func TestHistory_tables(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("History")
	r.sees("sale", "12,940", "sold_at", "Stamkund", "20.50")
	r.win.Resize(fyne.NewSize(520, 700))
	r.sees("sold_at: 2026-11-19 13:04:11")
	r.win.Resize(fyne.NewSize(1120, 740))
	planned := r.plans()
	r.press("Restore all of sale…")
	if len(planned.Paths) != 1 || planned.Paths[0] != "tables/sale.sql" {
		t.Errorf("plans %+v", planned)
	}
}

func TestHistory_exportATable(t *testing.T) {
	r := newRig(t, shop())
	dir := t.TempDir()
	r.pickSave = func(name string, done func(string)) {
		if !strings.HasPrefix(name, "Products 2026-11-19") {
			t.Errorf("proposes %q", name)
		}
		done(filepath.Join(dir, "ut.csv"))
	}
	r.svc.ExportFunc = func(app.ExportRequest) (string, error) {
		return "", app.Errorf(app.CodeStorageOffline, "export", "offline")
	}
	r.press("History")
	r.press("Export…")
	r.sees("Try again")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	r.svc.ExportFunc = nil
	r.press("Try again")
	r.sees("Saved as")
	if b, err := os.ReadFile(filepath.Join(dir, "ut.csv")); err != nil || !strings.Contains(string(b), "Blå kopp") {
		t.Errorf("wrote %q, %v", b, err)
	}
	opened := ""
	r.openFile = func(path string) error { opened = path; return nil }
	r.press("Open it")
	if filepath.Base(opened) != "ut.csv" {
		t.Errorf("opened %q", opened)
	}
}

func TestHistory_troubles(t *testing.T) {
	r := newRig(t, shop())
	gone := app.Errorf(app.CodePointUnknown, "open", "gone").With("source", "Kafferosteriet.se")
	r.press("History")
	for _, code := range []app.Code{app.CodeStorageOffline, app.CodeWrongPassphrase, app.CodeVaultDamaged, app.CodeItemUnreadable} {
		r.svc.RecordsFunc = func(app.RecordsRequest) (app.RecordsPage, error) {
			return app.RecordsPage{}, app.Errorf(code, "list", "no")
		}
		r.press("Orders")
		title, _, _ := screenWords(r, code)
		r.sees(title, "Try again")
		r.lacks("Nothing here.")
		r.svc.RecordsFunc = nil
		r.press("Try again")
		r.sees("#14000")
		r.press("Products")
	}
	r.svc.RecordFunc = func(app.RecordRequest) (app.RecordView, error) { return app.RecordView{}, gone }
	r.list().Select(1)
	days := r.svc.Called("Day")
	r.press("Try again")
	r.sees("Blå kopp 25 cl")
	if r.svc.Called("Day") != days+1 {
		t.Error("the day was not read anew")
	}
	r.svc.CatFunc = func(app.PathRequest) (string, error) { return "no picture", nil }
	r.press("14:15")
	r.sees("Blå kopp 25 cl")
	r.lacks("Try again")
	r.svc.CatFunc = func(app.PathRequest) (string, error) { return "", errors.New("unreadable") }
	r.press("14:00")
	r.sees("Blå kopp 25 cl")
	r.lacks("Try again")
}

// screenWords returns what a failure is called.
func screenWords(r *rig, code app.Code) (title, meaning, next string) {
	p := screen.Explain(r.words, &app.Error{Code: code}, "")
	return p.Title, p.Meaning, p.Next
}

func TestHistory_noBackupsYet(t *testing.T) {
	s := uitest.FirstDay()
	r := newRig(t, s)
	r.svc.PointsFunc = func(app.PointsRequest) ([]app.Point, error) { return nil, nil }
	r.press("History")
	r.sees("No backup yet", "Choose a backup to see what it holds")
}

// TestHistory_fits looks at every page in both languages at the smallest size.
func TestHistory_fits(t *testing.T) {
	for _, lang := range []string{"en", "sv"} {
		s := shop()
		s.Language = lang
		r := newRig(t, s)
		w := r.words
		u := uitest.Question()
		u.Source, u.SourceID, u.At, u.Point = "Kafferosteriet.se", "Kafferosteriet.se", uitest.Now().Add(-79*time.Minute), "Kafferosteriet.se-7"
		u.GoodTime = u.At.Add(-15 * time.Minute)
		u.Reasons = []app.UnusualReason{{Code: app.UnusualPrices, Kind: "products", Count: 412, Of: 418}}
		r.svc.AnsweredBefore = []app.Unusual{u}
		var changes []app.Change
		for i := range 412 {
			changes = append(changes, app.Change{Path: fmt.Sprintf("products/0/%d/%d.json", i/50, i+1), Kind: app.ChangeChanged, Fields: []app.FieldChange{{Name: "price"}}})
		}
		changes = append(changes, app.Change{Path: "customers/0/0/1.json", Kind: app.ChangeRemoved})
		r.svc.DiffFunc = func(app.DiffRequest) ([]app.Change, error) { return changes, nil }
		look := func(name string) {
			t.Helper()
			r.lacks("⟦", "<no value>", "{{")
			for _, size := range []fyne.Size{fyne.NewSize(1024, 700), fyne.NewSize(1120, 740)} {
				if size.Width > 1100 && os.Getenv("KVART_SHOTS") == "" {
					continue // the smaller one tells
				}
				r.win.Resize(size)
				if least := r.win.Content().MinSize(); least.Width > size.Width || least.Height > size.Height {
					t.Errorf("%s in %s at %v needs %v", name, lang, size, least)
				}
				r.shoot(fmt.Sprintf("%s-%s-%.0f", name, lang, size.Width))
			}
		}
		r.show(screen.Place{Screen: screen.History})
		look("1-products")
		r.press("☐ Blå kopp 25 cl")
		look("1-ticked")
		r.list().Select(0)
		look("2-record")
		r.press(w.T("history.with"))
		look("2-with")
		uitest.Key(r.c, fyne.KeyEscape)
		r.press(w.T("history.compare"))
		look("3-compare")
		r.press(w.T("history.find"))
		uitest.Write(t, r.c, 0, "kopp")
		r.press(w.T("history.find.button"))
		look("4-find")
		r.press(w.T("history.files"))
		look("5-files")
		r.press(w.T("history.calendar"))
		look("6-calendar")
		r.press(w.T("history.calendar"))
		r.show(screen.Place{Screen: screen.History, Source: "Lager"})
		look("7-table")
		r.Close()
	}
}

// slowly makes answers wait until the returned function lets the oldest come.
func (r *rig) slowly() (step func() bool) {
	var waiting []func()
	r.run = runner{background: func(f func()) { waiting = append(waiting, f) }, inside: func(f func()) { f() }}
	return func() bool {
		if len(waiting) == 0 {
			return false
		}
		f := waiting[0]
		waiting = waiting[1:]
		f()
		return true
	}
}

func TestHistory_answersThatComeLate(t *testing.T) {
	r := newRig(t, shop())
	r.press("History")
	step := r.slowly()
	r.press("Orders")
	r.press("Customers")
	for step() {
	}
	r.sees("kund1@example.se")
	r.lacks("#14000")
	asked := r.svc.Called("Records")
	uitest.Write(t, r.c, 0, "und2@")
	for step() {
	}
	r.sees("1 match", "kund2@example.se")
	if n := r.svc.Called("Records") - asked; n != 1 {
		t.Errorf("asked %d times for one word", n)
	}
	r.press("Compare with now")
	r.sees("Comparing. It can take as long as a restore")
	s := shop()
	p := *s.Sources[0].Point
	p.ID = "newer"
	s.Sources[0].Point = &p
	r.svc.Push(s) // a new backup does not end the comparison
	r.sees("Comparing.")
	r.press("Cancel")
	r.sees("Stopped. Nothing was changed.")
	for step() {
	}
	r.lacks("Files: 1 changed")
	r.press("Try again")
	for step() {
	}
	r.sees("Files: 1 changed, 1 gone, 0 new")
	r.show(screen.Place{Screen: screen.History, Source: "Kafferosteriet.se", Point: "Kafferosteriet.se-9", Paths: []string{"products/0/0/2.json"}})
	for step() {
	}
	r.sees("As it was today 13:45", "Changed since today 13:45")
}

func TestHistory_byKeyboard(t *testing.T) {
	r := newRig(t, shop())
	r.press("History")
	var names []string
	reach := func(want string) {
		t.Helper()
		for range 60 {
			r.c.FocusNext()
			name := ""
			switch f := r.c.Focused().(type) {
			case *widgets.List:
				name = "list"
			case *widgets.Strip:
				name = "strip"
			case *widgets.Button:
				name = f.Text
			case *widgets.Choice:
				name = f.Name()
			}
			if names = append(names, name); name == want {
				return
			}
		}
		t.Fatalf("%q is not reached: %q", want, names)
	}
	reach("strip")
	uitest.Key(r.c, fyne.KeyLeft)
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("As it was today 14:15")
	reach("Orders")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("#14000")
	reach("list")
	uitest.Key(r.c, fyne.KeyDown)
	uitest.Key(r.c, fyne.KeySpace)
	r.sees("Restore 1 selected…")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("Restore this order…", "Changed since today 14:15")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("#14000", "Restore 1 selected…")
	reach("Clear selection")
	uitest.Key(r.c, fyne.KeyReturn)
	r.lacks("Restore 1 selected…")
	planned := r.plans()
	r.c.Unfocus()
	uitest.Key(r.c, fyne.KeyReturn)
	if len(planned.Paths) != 1 || planned.Paths[0] != "orders" {
		t.Errorf("plans %+v", planned)
	}
}
