package assets

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"kvart/app"
)

// TestCheckWords tells of each kind of wrong, of one thing and of many.
func TestCheckWords(t *testing.T) {
	t.Parallel()
	one := func(c app.SeenCode) app.Seen { return app.Named(c, "kvitto") }
	many := func(c app.SeenCode) app.Seen {
		return app.Seen{Code: c, Count: 12, Of: 1400, Names: []string{"kvitto", "artikel", "kund"}, More: 9, Kind: "products"}
	}
	two := func(c app.SeenCode) app.Seen {
		return app.Seen{Code: c, Count: 2, Of: 400, Names: []string{"Espresso", "Brygg"}, Kind: "products"}
	}
	for _, tt := range []struct {
		seen   app.Seen
		en, sv string
	}{
		{one(app.SeenRowsMissing), "1 row is missing, in kvitto.", "1 rad saknas, i kvitto."},
		{many(app.SeenRowsMissing), "12 rows are missing, in kvitto, artikel, kund and 9 more.", "12 rader saknas, i kvitto, artikel, kund och 9 till."},
		{app.RowsOff("", 1, 3), "2 rows are missing.", "2 rader saknas."},
		{app.RowsOff("kvitto", 3, 1), "There are 2 rows more than in the backup, in kvitto.", "Det finns 2 rader mer än i säkerhetskopian, i kvitto."},
		{one(app.SeenTablesMissing), "1 table is missing: kvitto.", "1 tabell saknas: kvitto."},
		{many(app.SeenTablesDiffer), "12 tables hold other values than the backup: kvitto, artikel, kund and 9 more.", "12 tabeller har andra värden än säkerhetskopian: kvitto, artikel, kund och 9 till."},
		{one(app.SeenTablesDamaged), "1 table is damaged: kvitto.", "1 tabell är skadad: kvitto."},
		{one(app.SeenFilesMissing), "1 file is missing: kvitto.", "1 fil saknas: kvitto."},
		{many(app.SeenFilesDiffer), "12 files aren't as in the backup: kvitto, artikel, kund and 9 more.", "12 filer är inte som i säkerhetskopian: kvitto, artikel, kund och 9 till."},
		{app.Seen{Code: app.SeenFilesNumber, Count: 1, Of: 12}, "The backup holds 1 file, though it should hold 12.", "Säkerhetskopian har 1 fil, fast den borde ha 12."},
		{one(app.SeenDatabaseMissing), "The database isn't there: kvitto.", "Databasen finns inte där: kvitto."},
		{two(app.SeenRecordsDiffer), "Products: 2 of 400 differ from the backup: Espresso and Brygg.", "Varor: 2 av 400 skiljer sig från säkerhetskopian: Espresso och Brygg."},
		{app.Seen{Code: app.SeenRecordsDiffer, Kind: "customers", Count: 1, Of: 1400, More: 1}, "Customers: 1 of 1,400 differs from the backup.", "Kunder: 1 av 1 400 skiljer sig från säkerhetskopian."},
		{two(app.SeenRecordsMissing), "Products: 2 of 400 are missing: Espresso and Brygg.", "Varor: 2 av 400 saknas: Espresso och Brygg."},
		{app.Seen{Code: app.SeenRecordsUnread, Kind: "orders", Why: app.CodeSourceRight}, "Orders: couldn't be compared. Kvart lacks a right on the server.", "Beställningar: gick inte att jämföra. Kvart saknar en rättighet på servern."},
		{app.Seen{Code: app.SeenRecordsSame, Kind: "products", Count: 1}, "Products: 1 compared, and it is as in the backup.", "Varor: 1 har jämförts, och är som i säkerhetskopian."},
		{app.Seen{Code: app.SeenRecordsSame, Kind: "acf_fields", Count: 12}, "acf_fields: 12 compared, and all are as in the backup.", "acf_fields: 12 har jämförts, och alla är som i säkerhetskopian."},
		{app.Seen{Code: app.SeenTriedReading}, "There was no server to restore into, so the backup was read through and counted.", "Det fanns ingen server att återställa till, så säkerhetskopian lästes igenom och räknades."},
	} {
		for lang, want := range map[string]string{"en": tt.en, "sv": tt.sv} {
			w, err := NewWords(lang)
			if err != nil {
				t.Fatal(err)
			}
			_, said := CheckWords(w, app.Check{Code: "rows", Detail: "in English", Counted: app.Counted{Rows: 3}, Seen: []app.Seen{tt.seen}})
			if got := strings.ReplaceAll(strings.Join(said, "|"), "\u00a0", " "); got != want {
				t.Errorf("%s: %+v: %q, want %q", lang, tt.seen, got, want)
			}
		}
	}
}

// TestCheckWords_withoutFacts: of a check of an earlier program, or of a newer
// one, a plain sentence is told, and never what was noted for the log.
func TestCheckWords_withoutFacts(t *testing.T) {
	t.Parallel()
	w, err := NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		check       app.Check
		title, said string
	}{
		{app.Check{Code: "rows", Detail: "499 rows, 500 expected"}, "Alla rader finns på plats", "Det är inte som i säkerhetskopian."},
		{app.Check{Code: "rows", Detail: "x", Counted: app.Counted{Tables: 1, Rows: 499}}, "Alla rader finns på plats", "Det är inte som i säkerhetskopian."},
		{app.Check{Code: "opens", OK: true, Detail: "MariaDB 10.11"}, "Databasen går att öppna", "Det är granskat, och inget fel hittades."},
		{app.Check{Code: "rows", OK: true, Detail: "x", Counted: app.Counted{Tables: 1, Rows: 500}}, "Alla rader finns på plats", "1 tabell, 500 rader"},
		{app.Check{Code: "of_the_future", Detail: "x", Seen: []app.Seen{{Code: "of_the_future"}, {Code: "rows_missing", Count: 2}}}, "Något mer har granskats", "2 rader saknas."},
		{app.Check{Code: "rows", Part: "lager.db", Seen: []app.Seen{{Code: "good"}}}, "Alla rader finns på plats (lager.db)", "Det är inte som i säkerhetskopian."},
	} {
		title, said := CheckWords(w, tt.check)
		if title != tt.title || strings.Join(said, "|") != tt.said {
			t.Errorf("%+v: %q, %q", tt.check, title, said)
		}
	}
}

// TestSeenWords: there is a good sentence for every one, however much is known.
func TestSeenWords(t *testing.T) {
	t.Parallel()
	needed := []app.SeenCode{app.SeenOpened, app.SeenOwner, app.SeenSiteDatabase} // say a name
	for _, lang := range Languages() {
		w, err := NewWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		for _, code := range app.SeenCodes() {
			for _, f := range []app.Seen{
				{Code: code, Kind: "products"},
				{Code: code, Kind: "products", Count: 1, Of: 2, Names: []string{"Espresso"}},
				{Code: code, Kind: "products", Count: 3, Of: 4000, Names: []string{"Espresso", "Brygg", "Te"}, Why: app.CodeSourceDenied},
			} {
				if len(f.Names) > 0 || !slices.Contains(needed, code) {
					checkSentence(t, lang+": "+string(code), SeenWords(w, f), true)
				}
			}
		}
	}
}

// TestSeenCodes_complete: a code that is not listed has no test of its words.
func TestSeenCodes_complete(t *testing.T) {
	t.Parallel()
	f, err := parser.ParseFile(token.NewFileSet(), "../app/seen.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(f, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "SeenCode" {
			return true
		}
		n++
		code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || !slices.Contains(app.SeenCodes(), app.SeenCode(code)) {
			t.Errorf("%s is not listed", spec.Names[0])
		}
		return true
	})
	if n < 50 {
		t.Errorf("only %d codes were read", n)
	}
}
