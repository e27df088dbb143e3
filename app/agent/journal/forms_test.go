package journal

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// written makes a journal as an earlier program wrote it.
func written(t *testing.T, script string) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "Åsas dator")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), string(b)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rows counts a journal's rows, table by table.
func rows(t *testing.T, dir string) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+filepath.Join(dir, "journal.db")+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	names, err := collect(t.Context(), db, func(r *sql.Rows) (string, error) { var s string; return s, r.Scan(&s) }, `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]int{}
	for _, n := range names {
		var count int
		if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM "`+n+`"`).Scan(&count); err != nil {
			t.Fatal(err)
		}
		out[n] = count
	}
	return out
}

// TestOpen_everyEarlierForm: a journal of any earlier program opens, and
// nothing that it holds is lost.
func TestOpen_everyEarlierForm(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/form-*.sql")
	if err != nil || len(scripts) < len(migrations)-1 {
		t.Fatalf("%d journals of earlier forms, and this is form %d: %v", len(scripts), len(migrations), err)
	}
	for _, script := range scripts {
		t.Run(filepath.Base(script), func(t *testing.T) {
			t.Parallel()
			form, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(filepath.Base(script), "form-"), ".sql"))
			if err != nil {
				t.Fatal(err)
			}
			dir := written(t, script)
			before := rows(t, dir)
			for range 2 { // and once more: it is up to date
				j, err := Open(t.Context(), dir, quiet())
				if err != nil {
					t.Fatal(err)
				}
				holds(t, j, form)
				if err := j.Close(); err != nil {
					t.Fatal(err)
				}
			}
			after := rows(t, dir)
			for table, n := range before {
				if after[table] != n {
					t.Errorf("%s had %d rows and has %d", table, n, after[table])
				}
			}
			if aside, err := filepath.Glob(filepath.Join(dir, "*.damaged-*")); err != nil || len(aside) > 0 {
				t.Errorf("set aside: %v, %v", aside, err)
			}
		})
	}
}

// holds makes sure that what the earlier journals hold is read as it was.
func holds(t *testing.T, j *Journal, form int) {
	t.Helper()
	ctx, at := t.Context(), time.UnixMilli(1763800000000)
	last, stored, err := j.LastRun(ctx, "kassan")
	if err != nil || last == nil || stored.Result.Point != "p1" || stored.Result.BytesUploaded != 7 {
		t.Errorf("run %+v, %+v, %v", last, stored, err)
	}
	if last, _, err = j.LastRun(ctx, "bilder"); err != nil || last.Code() != app.CodeStorageFull {
		t.Errorf("failed run %+v, %v", last, err)
	}
	if p, err := j.Place(ctx, "kassan"); err != nil || p.Marker != "m1" || !p.SafeUntil.Equal(at) {
		t.Errorf("place %+v, %v", p, err)
	}
	if v, err := j.Verified(ctx); err != nil || v["p1"].Seq != 3 {
		t.Errorf("verified %+v, %v", v, err)
	}
	if d, err := j.LastDrill(ctx, "kassan"); err != nil || d == nil || !d.OK {
		t.Errorf("drill %+v, %v", d, err)
	}
	if r, err := j.Restores(ctx); err != nil || len(r) != 1 || r[0].State != app.RestoreDone {
		t.Errorf("restores %+v, %v", r, err)
	}
	if m, err := j.MetaTime(ctx, KeyMaintained); err != nil || !m.Equal(at) {
		t.Errorf("maintained %v, %v", m, err)
	}
	if p, err := j.Pauses(ctx, at.Add(-time.Hour), at.Add(2*time.Hour)); err != nil || len(p) != 1 {
		t.Errorf("pauses %+v, %v", p, err)
	}
	if u, err := j.Uses(ctx, at.Add(-24*time.Hour)); err != nil || (len(u) == 1) != (form >= 2) {
		t.Errorf("uses %+v, %v", u, err)
	}
	if i, err := j.OpenIncident(ctx); err != nil || (i != nil) != (form >= 3) || i != nil && i.Playbook != app.PlaybookHacked {
		t.Errorf("incident %+v, %v", i, err)
	}
}

// TestMigrations_stay: what was released once is never changed. When a form is
// released its sum is added here.
func TestMigrations_stay(t *testing.T) {
	t.Parallel()
	for i, want := range []string{"e9d9c889cdcc", "761ecbf15eb9", "48acdac52a6b", "a3d493d830b0"} {
		if got := fmt.Sprintf("%x", sha256.Sum256([]byte(migrations[i])))[:12]; got != want {
			t.Errorf("migration to form %d was changed: %s", i+1, got)
		}
	}
}

// TestOpen_newerFormChangesNothing: not a byte of what a newer program wrote is
// changed, and nothing is set aside.
func TestOpen_newerFormChangesNothing(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/form-*.sql")
	if err != nil || len(scripts) == 0 {
		t.Fatal(err)
	}
	dir := written(t, scripts[0])
	db, err := sql.Open("sqlite3", filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), fmt.Sprintf(`CREATE TABLE later (x); PRAGMA user_version = %d`, len(migrations)+1)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(filepath.Join(dir, "journal.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), dir, quiet()); app.CodeOf(err) != app.CodeGuardVersion {
		t.Fatalf("got %v", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, "journal.db"))
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("it was changed: %v", err)
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("there lies %v, %v", files, err)
	}
}
