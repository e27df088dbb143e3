package recovery

import (
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/assets"
)

// TestReport_failedChecks: what failed is told in the report's language, and what
// was noted of it stands apart, at the end.
func TestReport_failedChecks(t *testing.T) {
	t.Parallel()
	rows := app.Check{Source: "Kassan", Code: "rows", Detail: "38 tables; kvitto: 9 rows, 12 expected"}
	rows.See(app.RowsOff("kvitto", 9, 12))
	at := time.Date(2026, 11, 27, 9, 0, 0, 0, time.Local)
	rec := app.RestoreRecord{ID: "r1", State: app.RestoreFailed, Started: at, Error: app.Errorf(app.CodeCheckFailed, "check", "rows").With("source", "Kassan"), Checks: []app.Check{
		{Source: "Kassan", Code: "opens", OK: true, Detail: "MariaDB 10.11"}, rows, {Source: "Lager", Code: "files", Detail: "lager.db differs"},
	}}
	for lang, want := range map[string]struct {
		says []string
		help string
	}{
		"en": {[]string{
			"2 checks failed", "Kassan: the check “All the rows are there” failed. 3 rows are missing, in kvitto.",
			"Lager: the check “All the files are there” failed. It isn't as in the backup.",
		}, "Details for IT help"},
		"sv": {[]string{
			"2 kontroller underkända", "Kassan: kontrollen ”Alla rader finns på plats” blev underkänd. 3 rader saknas, i kvitto.",
			"Lager: kontrollen ”Alla filer finns på plats” blev underkänd. Det är inte som i säkerhetskopian.",
		}, "Detaljer för IT-hjälpen"},
	} {
		w, err := assets.NewWords(lang)
		if err != nil {
			t.Fatal(err)
		}
		r := report{w: w, i: app.Incident{Playbook: app.PlaybookCrashed, Started: at}, now: at, restores: []app.RestoreRecord{rec}}
		text, noted, ok := strings.Cut(string((*Engine)(nil).Markdown(r.paper())), want.help)
		wants(t, text, want.says...)
		if !ok || strings.Contains(text, "expected") || strings.Contains(text, "differs") {
			t.Errorf("%s: what was noted stands among what is told:\n%s", lang, text)
		}
		wants(t, noted, "Kassan: rows: 38 tables; kvitto: 9 rows, 12 expected", "Lager: files: lager.db differs")
		if strings.Contains(noted, "MariaDB") {
			t.Errorf("%s: what went well is among what failed:\n%s", lang, noted)
		}
		r.restores[0].Checks = r.restores[0].Checks[:1]
		if text := string((*Engine)(nil).Markdown(r.paper())); strings.Contains(text, want.help) {
			t.Errorf("%s: nothing failed:\n%s", lang, text)
		}
	}
}
