package journal

import (
	"reflect"
	"testing"
	"time"

	"kvart/app"
)

// TestJournal_checks: what a check saw is kept, and a drill that an earlier program
// kept is read as it was.
func TestJournal_checks(t *testing.T) {
	t.Parallel()
	j := openTest(t, t.TempDir())
	const old = `{"source":"Kassan","point":"p1","at":"2026-11-01T12:00:00Z","ok":false,"seconds":4,"checks":[{"source":"Kassan","code":"rows","ok":false,"detail":"1 tables, 499 rows","counted":{"tables":1,"rows":499}}]}`
	if err := j.exec(t.Context(), `INSERT INTO drill (source, at, doc) VALUES (?,?,?)`, "kassan", 1, []byte(old)); err != nil {
		t.Fatal(err)
	}
	d, err := j.LastDrill(t.Context(), "kassan")
	want := []app.Check{{Source: "Kassan", Code: "rows", Detail: "1 tables, 499 rows", Counted: app.Counted{Tables: 1, Rows: 499}}}
	if err != nil || d == nil || !reflect.DeepEqual(d.Checks, want) {
		t.Errorf("an earlier program's is read as %+v, %v", d, err)
	}
	check := app.Check{Source: "Kassan", Code: "rows", Detail: "noted", Part: "lager.db"}
	check.See(app.RowsOff("kvitto", 499, 500))
	check.See(app.Seen{Code: app.SeenRecordsUnread, Kind: "orders", Why: app.CodeSourceDenied})
	if err := j.AddDrill(t.Context(), "kassan", app.DrillResult{Source: "Kassan", Checks: []app.Check{check}}); err != nil {
		t.Fatal(err)
	}
	if d, err = j.LastDrill(t.Context(), "kassan"); err != nil || !reflect.DeepEqual(d.Checks, []app.Check{check}) {
		t.Errorf("drill %+v, %v", d, err)
	}
	if err := j.PutRestore(t.Context(), app.RestoreRecord{ID: "r1", Started: time.Now(), Checks: []app.Check{check}}); err != nil {
		t.Fatal(err)
	}
	if r, err := j.Restores(t.Context()); err != nil || len(r) != 1 || !reflect.DeepEqual(r[0].Checks, []app.Check{check}) {
		t.Errorf("restores %+v, %v", r, err)
	}
}
