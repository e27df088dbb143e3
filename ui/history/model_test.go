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
	s := state{Sources: []string{"Kassan", "Lager"}, Source: "Lager", Day: uitest.Now(), Points: uitest.Points("Lager"), Pane: paneList}
	v := model(w, s, uitest.Now())
	if v.Source != 1 || v.Next || v.Restore != "" || len(v.Points) != 12 {
		t.Errorf("%+v", v)
	}
	s.Point, s.Entries = &s.Points[0], uitest.Entries("")
	v = model(w, s, uitest.Now())
	if len(v.Rows) != 4 || v.Up || v.Restore != "Restore this…" || !v.Points[0].Chosen {
		t.Errorf("%+v", v)
	}
	s.Path = "Produkter/Koppar"
	if v = model(w, s, uitest.Now()); !v.Up || !strings.Contains(v.Restore, "Koppar") {
		t.Errorf("%+v", v)
	}
	s.Day = uitest.Now().AddDate(0, 0, -1)
	if v = model(w, s, uitest.Now()); !v.Next {
		t.Error("there is no way forward from yesterday")
	}
}
