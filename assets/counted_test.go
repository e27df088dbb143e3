package assets

import (
	"strings"
	"testing"

	"kvart/app"
)

// TestWords_Counted: what a check counted is told in the owner's words.
func TestWords_Counted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		counted app.Counted
		en, sv  string
	}{
		{app.Counted{}, "", ""},
		{app.Counted{Tables: 1, Rows: 500}, "1 table, 500 rows", "1 tabell, 500 rader"},
		{app.Counted{Tables: 4, Rows: 1}, "4 tables, 1 row", "4 tabeller, 1 rad"},
		{app.Counted{Tables: 2}, "2 tables", "2 tabeller"},
		{app.Counted{Rows: 12}, "12 rows", "12 rader"},
		{app.Counted{Files: 1, Bytes: 2_000_000}, "1 file, 2.0 MB", "1 fil, 2,0 MB"},
		{app.Counted{Files: 3}, "3 files", "3 filer"},
		{app.Counted{Bytes: 2_000_000}, "2.0 MB", "2,0 MB"},
	} {
		for lang, want := range map[string]string{"en": c.en, "sv": c.sv} {
			w, err := NewWords(lang)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.ReplaceAll(w.Counted(c.counted), "\u00a0", " "); got != want {
				t.Errorf("%s: %+v is %q, want %q", lang, c.counted, got, want)
			}
		}
	}
}
