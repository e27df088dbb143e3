package kit

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

func TestPrint_longPaper(t *testing.T) {
	t.Parallel()
	p := app.Paper{
		Title: "Händelserapport: Kassan har kraschat", Under: "Björnbär & Co 🫐, 27 november 2026",
		Made: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC), Foot: "Händelserapport", Page: "Sida {page} av {count}",
		Parts: []app.PaperPart{{Heading: "Tom"}, {Heading: "Text", Texts: []string{"Rad ett\nRad två", strings.Repeat("lång text ", 400)}}},
	}
	rows := app.PaperPart{Heading: "Tidslinje"}
	for range 120 {
		rows.Rows = append(rows.Rows, app.PaperRow{Left: "09:00:00  +1 min 2 s", Right: "Ta tillbaka: det gick inte (Kvart)", More: []string{"Stäng KassaPos först"}, Bad: true})
	}
	p.Parts = append(p.Parts, rows)
	a, err := (*Press)(nil).Print(p)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(a, []byte("%PDF-")) || bytes.Count(a, []byte("/Type /Page\n")) < 3 {
		t.Errorf("%d bytes, %d pages", len(a), bytes.Count(a, []byte("/Type /Page\n")))
	}
	b, err := (*Press)(nil).Print(p)
	if err != nil || !bytes.Equal(a, b) {
		t.Errorf("the same paper is printed differently: %v", err)
	}
}
