package ui

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"kvart/app"
	"kvart/ui/uitest"
)

// failedChecks are checks of a restore in which much went wrong, one of them as an
// earlier program kept it.
func failedChecks() []app.Check {
	rows := app.Check{Source: "Kassan", Code: "rows", Detail: "38 tables, 41 200 rows; kvitto: 499 rows, 500 expected", Counted: app.Counted{Tables: 38, Rows: 41200}}
	rows.See(app.RowsOff("kvitto", 499, 500))
	rows.See(app.Named(app.SeenTablesMissing, "presentkort"))
	records := app.Check{Source: "Webbutiken", Code: "records", Detail: "products: 12 differ, the first products/1/12.json in price"}
	records.See(app.Seen{Code: app.SeenRecordsDiffer, Kind: "products", Count: 12, Of: 400, Names: []string{"Espresso, hela bönor 1 kg", "Bryggkaffe Granen", "Presentask stor"}, More: 9})
	unread := app.Check{Source: "Webbutiken", Code: "records", Detail: "orders: source_denied"}
	unread.See(app.Seen{Code: app.SeenRecordsUnread, Kind: "orders", Why: app.CodeSourceDenied})
	return []app.Check{
		{Source: "Kassan", Code: "opens", OK: true, Detail: "MariaDB 10.11", Seen: []app.Seen{app.Named(app.SeenOpened, "MariaDB 10.11")}},
		{Source: "Kassan", Code: "integrity", OK: true, Detail: "38 tables", Counted: app.Counted{Tables: 38}},
		rows, records, unread,
		{Source: "Bilder", Code: "files", Detail: "1204 files, 3100000000 bytes; omslag.jpg: 0 bytes, 81920 expected"},
	}
}

// TestRecover_failedChecksAreToldInTheOwnersLanguage: what was noted in English is
// seen only by whoever asks for it, with a button to copy all of it.
func TestRecover_failedChecksAreToldInTheOwnersLanguage(t *testing.T) {
	for lang, says := range map[string][]string{
		"en": {
			"1 row is missing, in kvitto.", "1 table is missing: presentkort.", "Products: 12 of 400 differ from the backup",
			"Orders: couldn't be compared.", "It isn't as in the backup.", "Opened with MariaDB 10.11.",
		},
		"sv": {
			"1 rad saknas, i kvitto.", "1 tabell saknas: presentkort.", "Varor: 12 av 400 skiljer sig från säkerhetskopian",
			"Beställningar: gick inte att jämföra.", "Det är inte som i säkerhetskopian.", "Öppnad med MariaDB 10.11.",
		},
	} {
		s := uitest.Restoring()
		s.Language = lang
		r := newRig(t, s, func(o *Options) { o.Screen = "recover" })
		r.win.Resize(fyne.NewSize(1024, 700))
		rec := uitest.Restored()
		rec.Checks = failedChecks()
		rec.Error = app.Errorf(app.CodeCheckFailed, "check restore", "Kassan: rows").With("source", "Kassan")
		r.svc.WaitFunc = func(app.JobID) (app.Job, error) { return done(*s.Job, rec), nil }
		after := uitest.Safe()
		after.Language = lang
		r.svc.Push(after)
		r.sees(says...)
		r.lacks("expected", "differ, the first", "source_denied")
		r.tall("recover-failed-" + lang)
		r.press(r.words.T("checks.help.show"))
		r.sees("FAILED: Kassan: rows: 38 tables, 41 200 rows; kvitto: 499 rows, 500 expected", "ok: Kassan: opens: MariaDB 10.11")
		r.tall("recover-failed-help-" + lang)
		for _, fault := range uitest.Faults(r.c, r.words) {
			t.Errorf("%s: %s", lang, fault)
		}
		r.press(r.words.T("copy"))
		if got := r.app.Clipboard().Content(); strings.Count(got, "\n") != 5 || !strings.HasPrefix(got, "FAILED: Kassan: rows") {
			t.Errorf("%s: copied %q", lang, got)
		}
		r.press(r.words.T("checks.help.hide"))
		r.lacks("FAILED")
		r.Close()
	}
}

// TestDrills_wrongIsToldInTheOwnersLanguage: also of drills that are past.
func TestDrills_wrongIsToldInTheOwnersLanguage(t *testing.T) {
	s := uitest.Safe()
	s.Language = "sv"
	r := newRig(t, s)
	r.svc.DrillsFunc = func(string) ([]app.DrillResult, error) {
		return []app.DrillResult{
			{Source: "Kassan", At: s.LastBackup.Add(-time.Hour), Seconds: 31, Checks: failedChecks()},
			{Source: "Lager", At: s.LastBackup.Add(-time.Hour), Seconds: 12, OK: true, Checks: []app.Check{
				{Code: "rehearsed", OK: true, Detail: "no server to restore into: the dump was read through and counted", Seen: []app.Seen{{Code: app.SeenTriedReading}}},
			}},
		}, nil
	}
	r.press("Återställ")
	r.press(r.words.T("recover.drills.button"))
	r.sees("Kontrollen ”Alla rader finns på plats” blev underkänd. 1 rad saknas, i kvitto.", "Det fanns ingen server att återställa till")
	r.lacks("expected", "read through")
	r.tall("recover-drills-failed-sv")
	r.press("Trygghet")
	r.sees("blev underkänd. 1 rad saknas, i kvitto.", "Det fanns ingen server att återställa till")
	r.lacks("expected", "read through")
	r.tall("safety-drills-failed-sv")
}

// tall is shoot, of a page as long as it is.
func (r *rig) tall(name string) {
	r.t.Helper()
	size := r.win.Content().Size()
	r.win.Resize(fyne.NewSize(1024, 1500))
	r.shoot(name)
	r.win.Resize(size)
}

// TestIncident_failedChecksAreTold: in the guided way too, on the step that failed.
func TestIncident_failedChecksAreTold(t *testing.T) {
	for _, name := range []app.StepCode{"restore", "check"} {
		bad := uitest.Hacked()
		s := step(t, &bad, name)
		s.State, s.Ready, s.Error = app.StepFailed, true, app.Errorf(app.CodeCheckFailed, "check restore", "Kassan: rows").With("source", "Kassan")
		for _, c := range failedChecks() {
			if !c.OK {
				s.Facts = append(s.Facts, app.Fact{Code: "check_failed", Source: c.Source, Check: &c})
			}
		}
		r := inIncident(t, bad, func(st *app.Status) { st.Language = "sv" })
		r.press("Återställ")
		r.tall("incident-failed-" + string(name))
		r.sees("Kassan: kontrollen ”Alla rader finns på plats” blev underkänd. 1 rad saknas, i kvitto.", "Bilder: kontrollen ”Alla filer finns på plats” blev underkänd. Det är inte som i säkerhetskopian.")
		r.lacks("expected", "differ, the first")
	}
}
