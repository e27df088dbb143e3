package history

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
	"kvart/ui/uitest"
)

func english(t *testing.T) *assets.Words {
	t.Helper()
	w, err := assets.NewWords("en")
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestPreviewText(t *testing.T) {
	t.Parallel()
	w := english(t)
	for name, tt := range map[string][2]string{
		"text":        {"a\r\nb", "a\nb"},
		"cut rune":    {"kopp å"[:6], "kopp "},
		"binary":      {"a\x00b", w.T("history.preview.binary")},
		"not unicode": {"\xff\xfe\xfd\xfc\xfb\xfa", w.T("history.preview.binary")},
		"empty":       {"", w.T("history.preview.empty")},
	} {
		if got := previewText(w, []byte(tt[0])); got != tt[1] {
			t.Errorf("%s: %q, want %q", name, got, tt[1])
		}
	}
}

// TestPointAt: the clock may have been set back, so the newest goes by Seq.
func TestPointAt(t *testing.T) {
	t.Parallel()
	at := uitest.Now()
	points := []app.Point{{ID: "a", Seq: 1, Time: at.Add(-time.Hour)}, {ID: "b", Seq: 3, Time: at.Add(-30 * time.Minute)}, {ID: "c", Seq: 2, Time: at.Add(-20 * time.Minute)}}
	if p, ok := pointAt(points, at.Add(-15*time.Minute)); !ok || p.ID != "b" {
		t.Errorf("%s, %v", p.ID, ok)
	}
	if p, ok := pointAt(points, at.Add(-50*time.Minute)); !ok || p.ID != "a" {
		t.Errorf("%s, %v", p.ID, ok)
	}
	if _, ok := pointAt(points, at.Add(-3*time.Hour)); ok {
		t.Error("there is a point before the first")
	}
}

func TestPointsOf(t *testing.T) {
	t.Parallel()
	if n := len(pointsOf(uitest.Points("Kassan"), uitest.Now())); n != 12 {
		t.Errorf("%d points today", n)
	}
	if n := len(pointsOf(uitest.Points("Kassan"), uitest.Now().AddDate(0, 0, -1))); n != 0 {
		t.Errorf("%d points yesterday", n)
	}
}

func TestModel(t *testing.T) {
	t.Parallel()
	w := english(t)
	s := state{Sources: []string{"Kassan", "Lager"}, Source: "Lager", Day: uitest.Now(), Some: true}
	s.leave()
	v := model(w, s, uitest.Now())
	if v.NoPoints != w.T("history.nopoints") {
		t.Errorf("without points: %q", v.NoPoints)
	}
	s.Some = false
	if v = model(w, s, uitest.Now()); v.NoPoints != w.T("history.first") {
		t.Errorf("without any backup: %q", v.NoPoints)
	}
	s.Points = uitest.Points("Lager")
	v = model(w, s, uitest.Now())
	if v.Source != 1 || v.Next || v.Do.Restore != "" || len(v.Points) != 12 || len(v.Nav) != 0 {
		t.Errorf("%+v", v)
	}
	s.Point, s.Entries = &s.Points[0], uitest.Entries("")
	v = model(w, s, uitest.Now())
	if len(v.Files) != 4 || v.Up || v.Do.Restore != "Restore this…" || !v.Points[0].Chosen {
		t.Errorf("%+v", v)
	}
	s.Path = "Produkter/Koppar"
	if v = model(w, s, uitest.Now()); !v.Up || !strings.Contains(v.Do.Restore, "Koppar") {
		t.Errorf("%+v", v)
	}
	s.Day = uitest.Now().AddDate(0, 0, -1)
	if v = model(w, s, uitest.Now()); !v.Next {
		t.Error("there is no way forward from yesterday")
	}
}

func TestModel_marksOfPoints(t *testing.T) {
	t.Parallel()
	w := english(t)
	p := app.Point{ID: "p", Time: uitest.Now(), Verified: true, Files: 3}
	marks := func(p app.Point, u ...app.Unusual) string {
		return strings.Join(rowOfPoint(w, p, u, false).Marks, "|")
	}
	for name, tt := range map[string]struct{ got, want string }{
		"verified": {marks(p), "Proven"},
		"unproven": {marks(app.Point{ID: "p"}), "Not proven by reading back"},
		"pinned":   {marks(app.Point{ID: "p", Verified: true, Pinned: true}), "Proven|Kept, never thinned out"},
		"safety":   {marks(app.Point{ID: "p", Verified: true, Kind: app.PointSafety}), "Saved before a restore|Proven"},
		"missing":  {marks(app.Point{ID: "p", Verified: true, Incomplete: 2}), "2 files are missing"},
		"unusual":  {marks(p, app.Unusual{Point: "p"}), "Proven|Something looked wrong"},
		"owner's":  {marks(p, app.Unusual{Point: "p", Yes: true}), "Proven"},
		"kept":     {marks(p, app.Unusual{Point: "q", Pinned: []app.PointID{"p"}}), "Proven|Kept, never thinned out"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", name, tt.got, tt.want)
		}
	}
}

func TestModel_unusualSentence(t *testing.T) {
	t.Parallel()
	w := english(t)
	at := uitest.Now().Add(-79 * time.Minute)
	u := app.Unusual{At: at, GoodTime: at.Add(-15 * time.Minute), Reasons: []app.UnusualReason{{Code: app.UnusualPrices, Kind: "products", Count: 412, Of: 418}}}
	s := state{Day: uitest.Now(), Unusual: []app.Unusual{u}}
	got := unusualWords(w, s)
	if len(got) != 1 || got[0] != "13:15: Products: 412 of 418 got other prices. Kvart keeps the backup of today 13:00 safe." {
		t.Errorf("%q", got)
	}
	s.Day = uitest.Now().AddDate(0, 0, -1)
	if got := unusualWords(w, s); len(got) != 0 {
		t.Errorf("the day before: %q", got)
	}
}

func TestModel_navigation(t *testing.T) {
	t.Parallel()
	s := state{Pane: paneShelf, Shelf: "orders", Shelves: append(uitest.ShopShelves(),
		app.Shelf{Code: "order_notes", Known: true, Parent: "orders", Count: -1}, app.Shelf{Code: "x", Parent: "gone", Count: 3})}
	var got []string
	for _, n := range navRows(english(t), s) {
		mark := ""
		if n.Inner {
			mark = ">"
		}
		if n.Chosen {
			mark += "*"
		}
		got = append(got, mark+n.Name+" "+n.Count)
	}
	want := "Products 418|*Orders 12,940|>Notes on orders |Customers 8,122|Pages 46|Settings 212|x 3|Files |Compare with now |When was it deleted? "
	if strings.Join(got, "|") != want {
		t.Errorf("%s\nwant %s", strings.Join(got, "|"), want)
	}
}

func TestModel_record(t *testing.T) {
	t.Parallel()
	w := english(t)
	p := uitest.Points("Shop")[2]
	view := uitest.View(app.Record{Title: "Kanna", Path: "products/0/0/2.json"}, app.Live)
	s := state{Point: &p, Pane: paneRecord, With: app.Live, Shelf: "products", Shelves: uitest.ShopShelves(), View: &view, Record: "products/0/0/2.json"}
	v := model(w, s, uitest.Now())
	if v.Pill.Text != "Changed since today 14:00" || v.Do.Restore != "Restore this product…" || v.Field.Rows[1].Then != "129.00 SEK" || !v.Field.Rows[1].Differs {
		t.Errorf("%+v %+v %+v", v.Pill, v.Do, v.Field)
	}
	if v.Field.Rows[3].Now != "(empty)" || !strings.HasPrefix(v.Field.Rows[5].Then, "today ") || v.Field.Rows[6].Name != "yoast_score" {
		t.Errorf("%+v", v.Field.Rows)
	}
	view.Gone = true
	if v = model(w, s, uitest.Now()); v.Pill.Text != "Not there any more" || v.Field.Now != "" {
		t.Errorf("%+v %+v", v.Pill, v.Field)
	}
	view = uitest.View(view.Record, "")
	if v = model(w, s, uitest.Now()); v.Pill.Text != "The same as today 14:00" {
		t.Errorf("%+v", v.Pill)
	}
	for range 60 {
		view.Fields = append(view.Fields, app.RecordField{Name: "x", Value: "1"})
	}
	view.Fields[60].Differs = true
	if v = model(w, s, uitest.Now()); len(v.Field.Rows) != fieldsShown+1 || v.Field.More != "Show 42 more fields" {
		t.Errorf("%d rows, %q", len(v.Field.Rows), v.Field.More)
	}
}

func TestModel_comparison(t *testing.T) {
	t.Parallel()
	w := english(t)
	p := uitest.Points("Shop")[2]
	s := state{Point: &p, Pane: paneDiff, With: app.Live, Shelves: uitest.ShopShelves(), Chosen: map[string]string{}}
	s.Diff = s.compared([]app.Change{
		{Path: "media/a.jpg", Kind: app.ChangeAdded},
		{Path: "orders/0/0/1.json", Kind: app.ChangeRemoved},
		{Path: "products/0/0/1.json", Kind: app.ChangeChanged},
		{Path: "products/0/0/2.json", Kind: app.ChangeChanged},
		{Path: "products/0/0/3.json", Kind: app.ChangeAdded},
	})
	s.Group = "products"
	v := model(w, s, uitest.Now())
	var groups []string
	for _, g := range v.Group {
		groups = append(groups, g.Text)
	}
	if got := strings.Join(groups, "|"); got != "Products: 2 changed, 0 gone, 1 new|Orders: 0 changed, 1 gone, 0 new|Files: 0 changed, 0 gone, 1 new" {
		t.Error(got)
	}
	if len(v.Do.Bulk) != 1 || v.Do.Bulk[0].Text != "Restore all 2 changed products…" || len(v.Do.Bulk[0].Paths) != 2 || len(v.Changes) != 3 {
		t.Errorf("%+v", v.Do)
	}
	row := changeRow(w, app.Change{Path: "p", Kind: app.ChangeChanged, By: "Åsa", Fields: []app.FieldChange{{Name: "price"}, {Name: "stock_quantity"}, {Name: "price"}}}, app.Record{Title: "Kanna"})
	if row.Name != "Kanna" || row.Under != "Changed by Åsa: Price, In stock" || row.Detail != "changed" {
		t.Errorf("%+v", row)
	}
}

func TestMarksOf(t *testing.T) {
	t.Parallel()
	first := startOfMonth(uitest.Now())
	day := func(d int) time.Time { return first.AddDate(0, 0, d-1).Add(13 * time.Hour) }
	got := marksOf(first, []app.Point{{Time: day(3)}, {Time: day(4)}, {Time: day(5)}, {Time: day(40)}}, map[int]bool{4: true, 6: true, 7: false}, []app.Unusual{{At: day(5)}, {At: day(-3)}})
	for d, want := range map[int]dayMark{2: dayNone, 3: daySaved, 4: dayFailed, 5: dayUnusual, 6: dayFailed, 7: dayNone} {
		if got[d] != want {
			t.Errorf("day %d: %q, want %q", d, got[d], want)
		}
	}
}
