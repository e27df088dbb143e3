package history

import (
	"context"
	"errors"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kvart/app"
	"kvart/ui/uitest"
)

// cup returns a picture that is w wide and h high, as a PNG.
func cup(t *testing.T, w, h int) string {
	t.Helper()
	var b strings.Builder
	if err := png.Encode(&b, image.NewNRGBA(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReadPicture(t *testing.T) {
	t.Parallel()
	svc := uitest.NewService(uitest.Safe())
	text, failure := "", error(nil)
	svc.CatFunc = func(app.PathRequest) (string, error) { return text, failure }
	read := func() (image.Image, error) {
		return readPicture(t.Context(), svc, app.PathRequest{Path: "media/a.png"}, 72, 72)
	}
	text = cup(t, 400, 200)
	if p, err := read(); err != nil || p.Bounds().Dx() != 72 || p.Bounds().Dy() != 36 {
		t.Errorf("%v, %v", p, err)
	}
	text = cup(t, 3, 900)
	if p, err := read(); err != nil || p.Bounds().Dx() != 1 || p.Bounds().Dy() != 72 {
		t.Errorf("%v, %v", p, err)
	}
	// The head of a picture of 60,000 by 60,000 points is never unpacked.
	huge := []byte(cup(t, 4, 4))
	copy(huge[16:24], []byte{0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60})
	for name, bad := range map[string]string{"text": "no picture", "empty": "", "cut": cup(t, 40, 40)[:60], "huge": string(huge), "long": strings.Repeat("x", pictureBytes+1)} {
		text = bad
		if p, err := read(); err == nil {
			t.Errorf("%s gives %v", name, p.Bounds())
		}
	}
	failure = errors.New("gone")
	if _, err := read(); !errors.Is(err, failure) {
		t.Errorf("%v", err)
	}
}

func TestWriteTable(t *testing.T) {
	t.Parallel()
	svc := uitest.NewService(uitest.Safe())
	dir := t.TempDir()
	var n atomic.Int64
	at := filepath.Join(dir, "ut.csv")
	if err := writeTable(t.Context(), svc, app.ExportRequest{}, at, &n); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(at)
	if err != nil || int64(len(b)) != n.Load() || n.Load() == 0 {
		t.Errorf("%q, %d told, %v", b, n.Load(), err)
	}
	if err := os.Remove(at); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	if err := writeTable(stopped, svc, app.ExportRequest{}, at, &n); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("stopped: %v", err)
	}
	if err := writeTable(t.Context(), svc, app.ExportRequest{}, filepath.Join(dir, "none", "ut.csv"), &n); app.CodeOf(err) != app.CodeTargetReadOnly {
		t.Errorf("no folder: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestCompared_manyChanges(t *testing.T) {
	t.Parallel()
	s := state{Shelves: uitest.ShopShelves()}
	var changes []app.Change
	for _, p := range []string{"products/0/0/1.json", "sale", "Bilder/a.jpg", "products", "productsx/1"} {
		changes = append(changes, app.Change{Path: p, Kind: app.ChangeRemoved})
	}
	s.Shelves = append(s.Shelves, app.Shelf{Code: "sale", Columns: []string{"id"}, Path: "tables/sale.sql"})
	got := map[string]int{}
	for _, g := range s.compared(changes).groups {
		got[g.code] = len(g.changes)
	}
	if got["products"] != 2 || got[groupTables] != 1 || got[groupFiles] != 2 || len(got) != 3 {
		t.Errorf("%v", got)
	}
}

func TestValueWords(t *testing.T) {
	t.Parallel()
	w := english(t)
	for in, want := range map[string]string{"": "(empty)", "true": "Yes", "false": "No", "129.00 SEK": "129.00 SEK", uitest.Now().Add(-time.Hour).Format(time.RFC3339): "today 13:34"} {
		if got := valueWords(w, in, uitest.Now()); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
