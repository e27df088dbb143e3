package ui

import (
	"fmt"
	"testing"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/screen"
	"kvart/ui/uitest"
)

// shop returns a status whose first source is an online shop.
func shop() app.Status {
	s := uitest.Safe()
	s.Sources[0].Source.Name, s.Sources[0].Source.Kind = "Kafferosteriet.se", "woocommerce"
	return s
}

// plans remembers what is asked to be planned.
func (r *rig) plans() *app.RestoreRequest {
	var planned app.RestoreRequest
	r.svc.PlanFunc = func(q app.RestoreRequest) (app.RestorePlan, error) {
		planned = q
		return uitest.Plan(r.svc.Current(), q), nil
	}
	return &planned
}

func TestHistory_productsByName(t *testing.T) {
	r := newRig(t, shop())
	var asked []app.RecordsRequest
	r.svc.RecordsFunc = func(q app.RecordsRequest) (app.RecordsPage, error) {
		asked = append(asked, q)
		return uitest.Page(uitest.ShelfRecords(q.Shelf), q), nil
	}
	r.press("History")
	r.sees("Products", "418", "Orders", "12,940", "Blå kopp 25 cl", "129.00 SEK · KOPP-1", "Files")
	if r.svc.Called("Cat") == 0 {
		t.Error("no picture was asked for")
	}
	r.press("Customers")
	r.sees("kund1@example.se")
	uitest.Write(t, r.c, 0, "d2@")
	r.sees("1 match", "kund2@example.se")
	r.lacks("kund1@example.se")
	uitest.Write(t, r.c, 0, "nobody")
	r.sees("Nothing here by that name or number")
	last := asked[len(asked)-1]
	if last.Text != "nobody" || last.Shelf != "customers" || last.Point != "Kafferosteriet.se-12" {
		t.Errorf("asked for %+v", last)
	}
	r.press("Orders")
	r.sees("#14000")
	if f := uitest.Fields(r.c)[0].Text; f != "" {
		t.Errorf("still looks for %q", f)
	}
}

func TestHistory_hundredThousandRecords(t *testing.T) {
	r := newRig(t, shop())
	const all = 100_000
	calls := 0
	r.svc.RecordsFunc = func(q app.RecordsRequest) (app.RecordsPage, error) {
		calls++
		p := app.RecordsPage{Total: all}
		for i := q.Offset; i < min(q.Offset+q.Limit, all); i++ {
			p.Records = append(p.Records, app.Record{Path: fmt.Sprintf("products/%d.json", i), Title: fmt.Sprintf("Vara %d", i), Picture: fmt.Sprintf("media/%d.png", i)})
		}
		return p, nil
	}
	r.press("History")
	r.sees("Vara 0")
	l := r.list()
	for i := range 60 {
		l.ScrollTo(i * (all / 60))
	}
	l.ScrollTo(all - 1)
	r.sees("Vara 99999")
	objects := len(uitest.Visible(r.c))
	if calls > 140 {
		t.Errorf("%d calls for 61 places", calls)
	}
	if objects > 1500 {
		t.Errorf("%d objects on the screen", objects)
	}
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	r.sees("Vara 1")
}

func TestHistory_readBitByBit(t *testing.T) {
	r := newRig(t, shop())
	var read int64
	r.svc.RecordsFunc = func(q app.RecordsRequest) (app.RecordsPage, error) {
		read = min(read+4000, 12_000)
		rows := []app.Record{{Path: "products/1.json", Title: fmt.Sprintf("Först av %d", read)}}
		return app.RecordsPage{Records: rows, Total: read, Left: 12_000 - read}, nil
	}
	r.press("History")
	r.sees("Först av 12000")
	r.lacks("so far")
	if n := r.svc.Called("Records"); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

func TestHistory_oneProductThenAndNow(t *testing.T) {
	r := newRig(t, shop())
	var asked []app.RecordRequest
	r.svc.RecordFunc = func(q app.RecordRequest) (app.RecordView, error) {
		asked = append(asked, q)
		return uitest.View(uitest.ShelfRecords("products")[0], q.With), nil
	}
	planned := r.plans()
	r.press("History")
	r.list().Select(0)
	r.sees("Blå kopp 25 cl", "Changed since today 14:30", "Price", "129.00 SEK", "1.00 SEK", "(empty)", "≠ differs", "Now")
	if asked[0].With != app.Live {
		t.Errorf("asked for %+v", asked[0])
	}
	r.press("Compare with another…")
	r.sees("Now choose the other backup")
	r.press("14:00")
	r.sees("3 differences", "today 14:00")
	if asked[1].With != "Kafferosteriet.se-10" || asked[1].Point != "Kafferosteriet.se-12" {
		t.Errorf("asked for %+v", asked[1])
	}
	uitest.PressNth(t, r.c, "Compare with now", 1)
	r.sees("Changed since today 14:30")
	r.press("Restore this product…")
	if len(planned.Paths) != 1 || planned.Paths[0] != "products/0/0/1.json" || planned.Point != "Kafferosteriet.se-12" {
		t.Errorf("plans %+v", planned)
	}
	r.press("History")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Kanna")
}

func TestHistory_goneRecord(t *testing.T) {
	r := newRig(t, shop())
	r.svc.RecordFunc = func(q app.RecordRequest) (app.RecordView, error) {
		v := uitest.View(uitest.ShelfRecords("products")[0], "")
		v.Gone = true
		return v, nil
	}
	r.press("History")
	r.list().Select(0)
	r.sees("Not there any more", "129.00 SEK")
	r.lacks("≠ differs")
}

func TestHistory_restoreSelected(t *testing.T) {
	r := newRig(t, shop())
	planned := r.plans()
	r.press("History")
	r.press("☐ Blå kopp 25 cl")
	l := r.list()
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	l.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	r.sees("Kanna")
	r.press("Restore 2 selected…")
	if len(planned.Paths) != 2 || planned.Paths[0] != "products/0/0/1.json" || planned.Paths[1] != "products/0/0/2.json" {
		t.Errorf("plans %+v", planned)
	}
	r.press("History")
	r.press("Clear selection")
	r.press("Save a copy…")
	if planned.Target.Dir == "" || len(planned.Paths) != 1 || planned.Paths[0] != "products" {
		t.Errorf("plans %+v", planned)
	}
}

func TestHistory_compareAndRestoreAllOfAKind(t *testing.T) {
	r := newRig(t, shop())
	var changes []app.Change
	for i := range 412 {
		changes = append(changes, app.Change{Path: fmt.Sprintf("products/0/%d/%d.json", i/50, i+1), Kind: app.ChangeChanged, Fields: []app.FieldChange{{Name: "price"}}})
	}
	changes = append(changes, app.Change{Path: "customers/0/0/1.json", Kind: app.ChangeRemoved})
	r.svc.DiffFunc = func(app.DiffRequest) ([]app.Change, error) { return changes, nil }
	planned := r.plans()
	r.press("History")
	r.press("Compare with now")
	r.sees("Products: 412 changed, 0 gone, 0 new", "Customers: 0 changed, 1 gone, 0 new", "Blå kopp 25 cl", "Changed: Price")
	r.list().Select(1)
	r.sees("Changed since today 14:30")
	uitest.Key(r.c, fyne.KeyEscape)
	r.press("Restore all 412 changed products…")
	if len(planned.Paths) != 412 {
		t.Errorf("plans %d paths", len(planned.Paths))
	}
	r.press("History")
	r.press("Customers: 0 changed, 1 gone, 0 new")
	r.sees("Restore the missing customer…", "Åsa Berg")
}

func TestHistory_whenWasItDeleted(t *testing.T) {
	r := newRig(t, shop())
	points := uitest.Points("Kafferosteriet.se")
	old := points[11]
	old.ID, old.Time = "old", old.Time.AddDate(0, 0, -3)
	r.svc.PointsFunc = func(q app.PointsRequest) ([]app.Point, error) {
		if q.Safety {
			return nil, nil
		}
		return append(points[:12:12], old), nil
	}
	r.svc.SearchFunc = func(q app.SearchRequest) (app.SearchResult, error) {
		if q.Text != "kopp" || q.Source != "Kafferosteriet.se" {
			t.Errorf("looks for %+v", q)
		}
		return app.SearchResult{Looked: 2, Points: 9, Hits: []app.SearchHit{{Path: "products/0/0/1.json", Shelf: "products", Title: "Blå kopp 25 cl", First: old, Last: old}}}, nil
	}
	r.press("History")
	r.press("When was it deleted?")
	uitest.Write(t, r.c, 0, "kopp")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("Blå kopp 25 cl", "Gone: last in the backup of Monday 16 November", "2 of 9 backups were looked through")
	r.press("Blå kopp 25 cl")
	r.sees("Monday 16 November", "Restore this product…", "Changed since")
	uitest.Key(r.c, fyne.KeyEscape)
	r.sees("Gone: last in")
}

func TestHistory_opensWhereItIsSentTo(t *testing.T) {
	r := newRig(t, shop())
	r.show(screen.Place{Screen: screen.History, Source: "Kafferosteriet.se", Point: "Kafferosteriet.se-9", Paths: []string{"products/0/0/2.json"}})
	r.sees("As it was today 13:45", "Kanna", "Changed since today 13:45")
	r.show(screen.Place{Screen: screen.History, Source: "Kafferosteriet.se", Point: "nope"})
	r.sees("Try again")
}

func TestHistory_calendar(t *testing.T) {
	r := newRig(t, shop())
	r.svc.AnsweredBefore = []app.Unusual{{Source: "Kafferosteriet.se", At: uitest.Now().AddDate(0, 0, -2), Point: "x"}}
	r.press("History")
	r.press("Calendar")
	r.sees("November 2026", "A bar is a day with backups")
	uitest.Key(r.c, fyne.KeyLeft)
	r.sees("Wednesday 18 November: some backups failed")
	uitest.Key(r.c, fyne.KeyLeft)
	r.sees("Tuesday 17 November: something looked wrong")
	uitest.Key(r.c, fyne.KeyPageUp)
	r.sees("October 2026")
	uitest.Key(r.c, fyne.KeyPageDown)
	uitest.Key(r.c, fyne.KeyPageDown)
	r.sees("November 2026")
	uitest.Key(r.c, fyne.KeyReturn)
	r.sees("Tuesday 17 November", "No backup on this day")
	r.lacks("November 2026")
}
