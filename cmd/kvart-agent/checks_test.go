package main

import (
	"strings"
	"testing"

	"kvart/app"
	"kvart/assets"
)

// TestCommand_checks: a terminal says what the window says, and of what failed what
// was noted as well, marked as such.
func TestCommand_checks(t *testing.T) {
	t.Parallel()
	w, err := assets.NewWords("sv")
	if err != nil {
		t.Fatal(err)
	}
	rows := app.Check{Code: "rows", Detail: "38 tables; kvitto: 9 rows, 12 expected", Part: "lager.db"}
	rows.See(app.RowsOff("kvitto", 9, 12))
	rows.See(app.Named(app.SeenTablesMissing, "kund"))
	var out strings.Builder
	c := &command{stdio: stdio{out: &out}, words: w}
	c.checks([]app.Check{
		{Code: "opens", OK: true, Detail: "MariaDB 10.11"},
		{Code: "integrity", OK: true, Detail: "1 tables", Counted: app.Counted{Tables: 1}},
		rows,
		{Code: "files"},
	})
	const want = `  ✓ Databasen går att öppna: Det är granskat, och inget fel hittades.
  ✓ Databasen är hel: 1 tabell
  ✗ Alla rader finns på plats (lager.db): 3 rader saknas, i kvitto. 1 tabell saknas: kund.
      Detaljer för IT-hjälpen: 38 tables; kvitto: 9 rows, 12 expected
  ✗ Alla filer finns på plats: Det är inte som i säkerhetskopian.
`
	if out.String() != want {
		t.Errorf("it reads\n%s\nwant\n%s", out.String(), want)
	}
}
