package ui

import (
	"strings"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/uitest"
	"kvart/ui/widgets"
)

func (r *rig) list() *widgets.List {
	for _, o := range uitest.Visible(r.c) {
		if l, ok := o.(*widgets.List); ok {
			return l
		}
	}
	r.t.Fatal("there is no list")
	return nil
}

func TestHistory_findAndRestoreOneFile(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("History")
	r.press("Files")
	r.sees("Thursday 19 November", "As it was today 14:30", "Produkter", "12,940 rows", "Not proven by reading back")
	if uitest.Enabled(r.c, "Next day ›") {
		t.Error("tomorrow has no history")
	}
	var asked []app.PathRequest
	r.svc.ListFunc = func(q app.PathRequest) ([]app.Entry, error) {
		asked = append(asked, q)
		return uitest.Entries(q.Path), nil
	}
	r.press("14:15")
	r.sees("As it was today 14:15")
	r.press("Files")
	r.list().Select(0)
	r.sees("kopp.jpg")
	if last := asked[len(asked)-1]; last.Path != "Produkter" || last.Point != "Kassan-11" || last.Source != "Kassan" {
		t.Errorf("asked for %+v", last)
	}
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Priser 2026.csv")
	r.list().Select(2)
	r.sees("Blå kopp 25 cl;129,00")
	r.shoot("history-preview")
	var planned app.RestoreRequest
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		planned = q
		return uitest.Plan(r.svc.Current(), q), nil
	}
	r.press("Restore Priser 2026.csv…")
	r.sees("Bring Priser 2026.csv back to Kassan")
	if len(planned.Paths) != 1 || planned.Paths[0] != "Priser 2026.csv" || planned.Point != "Kassan-11" || !planned.Target.Original() {
		t.Errorf("plans %+v", planned)
	}
	r.shoot("recover-plan")
}

func TestHistory_compareAndExport(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("History")
	r.press("Compare with now")
	r.sees("What has changed since then", "New rows: 3, gone: 0, changed: 1")
	r.shoot("history-diff")
	r.press("Files: 0 changed, 1 gone, 0 new")
	r.press("☐ Priser 2026.csv")
	var planned app.RestoreRequest
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		planned = q
		return uitest.Plan(r.svc.Current(), q), nil
	}
	r.press("Save a copy…")
	r.sees("Goes to a folder of its own")
	if planned.Target.Dir != "/media/backup/kvart" || len(planned.Paths) != 1 {
		t.Errorf("plans %+v", planned)
	}
	if !uitest.Enabled(r.c, "Export") {
		t.Error("the export cannot be started")
	}
}

func TestHistory_otherDaysAndTroubles(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("History")
	r.press("‹ Previous day")
	r.sees("Wednesday 18 November", "No backup on this day")
	r.press("Next day ›")
	r.sees("Thursday 19 November")
	r.press("Files")
	r.svc.CatFunc = func(app.PathRequest) (string, error) { return "a\x00b", nil }
	r.list().Select(2)
	r.sees("This file isn't text")
	r.svc.ListFunc = func(app.PathRequest) ([]app.Entry, error) {
		return nil, app.Errorf(app.CodeStorageOffline, "list", "offline")
	}
	r.press("‹ Back")
	r.sees("Try again")
	r.svc.ListFunc = nil
	r.press("Try again")
	r.sees("Produkter")
}

func TestSources_addCheckRemove(t *testing.T) {
	r := newRig(t, uitest.Safe())
	r.press("Sources")
	r.sees("Kassan", "/home/asa/Kassa/kassa.db", "1,204 files")
	r.press("Check connection")
	r.sees("Works: 412 MB can be read")
	r.svc.CheckFunc = func(string) (app.SourceInfo, error) {
		return app.SourceInfo{}, app.Errorf(app.CodeSourceMissing, "check", "gone")
	}
	uitest.PressNth(t, r.c, "Check connection", 1)
	r.sees("Try again")

	r.press("Remove…")
	r.sees("Stop protecting Kassan?", "are kept")
	r.press("No, leave it")
	if r.svc.Called("RemoveSource") != 0 {
		t.Fatal("removed without a yes")
	}
	removed := ""
	r.svc.RemoveFunc = func(name string) error { removed = name; return nil }
	uitest.PressNth(t, r.c, "Remove…", 2)
	r.press("Stop protecting it")
	if removed != "Bilder" {
		t.Errorf("removed %q", removed)
	}

	var added []app.AddSourceRequest
	r.svc.AddFunc = func(q app.AddSourceRequest) error { added = append(added, q); return nil }
	r.press("Add source")
	r.sees("Found on this computer", "lager.db")
	r.shoot("sources-add")
	r.press("Database file (SQLite)")
	if uitest.Enabled(r.c, "Add source") {
		t.Error("an empty form can be sent")
	}
	r.shoot("sources-form")
	r.press("Choose…")
	r.press("Add source")
	if len(added) != 1 || added[0].Name != "ny.db" || added[0].Settings["path"] != "/home/asa/Ny/ny.db" {
		t.Errorf("added %+v", added)
	}
	r.sees("What Kvart protects")
}

func TestSources_problemsAreListed(t *testing.T) {
	s := uitest.Safe()
	s.Sources[2].State = app.SourceIncomplete
	for _, p := range strings.Fields("a.jpg b.jpg c.jpg d.jpg e.jpg f.jpg g.jpg") {
		s.Sources[2].Problems = append(s.Sources[2].Problems, app.Problem{Path: p, Code: app.CodeItemUnreadable})
	}
	r := newRig(t, s)
	r.press("Sources")
	r.sees("Files missing", "e.jpg: ", "and 2 more")
	r.lacks("f.jpg")
}
