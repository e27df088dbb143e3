package sqlite

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// pointOf captures a source into a folder.
func pointOf(t *testing.T, s app.Source) (string, app.Stats) {
	t.Helper()
	capture, err := newConnector().Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := connectortest.Collect(t, capture)
	return dir, capture.Stats()
}

func TestConnector_Restore_inUse(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"wal", "delete"} {
		for _, how := range []string{"hold", "lock"} {
			t.Run(journal+" "+how, func(t *testing.T) {
				t.Parallel()
				s := shop(t, t.TempDir(), journal)
				file := s.Settings[fieldPath]
				dir, stats := pointOf(t, s)
				p := helper(t, how, file)
				p.line()
				before := connectortest.Tree(t, filepath.Dir(file))
				c := newConnector()
				c.lockWait = 0
				r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(dir), Stats: stats}
				plan, err := c.Plan(t.Context(), r)
				if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeTargetInUse {
					t.Fatalf("plan %+v, %v", plan, err)
				}
				exe, _ := os.Executable()
				want := filepath.Base(exe)
				if runtime.GOOS == "windows" {
					want = "another program" // which does not say who it is
				}
				if plan.Blockers[0].Args["program"] != want {
					t.Errorf("args %v", plan.Blockers[0].Args)
				}
				if err := c.Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeTargetInUse {
					t.Errorf("apply: %v", err)
				}
				if after := connectortest.Tree(t, filepath.Dir(file)); after != before {
					t.Errorf("before:\n%s\nafter:\n%s", before, after)
				}
				p.stop()
				if plan, err = c.Plan(t.Context(), r); err != nil || len(plan.Blockers) != 0 {
					t.Errorf("after the till ended: %+v, %v", plan, err)
				}
			})
		}
	}
}

// A crashed till leaves a WAL full of commits. After a restore none of them
// may be played into the restored database.
func TestConnector_Restore_overLeftWAL(t *testing.T) {
	t.Parallel()
	s, live := shop(t, t.TempDir(), "wal"), t.TempDir()
	file := filepath.Join(live, "kassa.db")
	s.Settings[fieldPath], s = file, copySource(t, s, file)
	dir, stats := pointOf(t, s)
	want := rowsOf(t, file)
	crashed := crashedWAL(t, file)
	c := newConnector()
	present, err := c.Present(t.Context(), app.Access{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	safety, _ := connectortest.Collect(t, present)
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(dir), Stats: stats}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if got := onlyName(t, live); got != "kassa.db" {
		t.Errorf("beside the database: %s", got)
	}
	healthy(t, file)
	if rowsOf(t, file) != want {
		t.Error("the old WAL was played into the restored database")
	}
	// And back: the commits that were only in the WAL are there again.
	r = app.Restore{Access: app.Access{Source: s}, From: os.DirFS(safety), Raw: true}
	for range 2 {
		if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
	}
	checks, err := c.Verify(t.Context(), r)
	if err != nil || len(checks) != 1 || !checks[0].OK {
		t.Errorf("checks %+v, %v", checks, err)
	}
	if got := rowsOf(t, file); got != crashed {
		t.Errorf("undone:\n%.300s\nwant:\n%.300s", got, crashed)
	}
}

// copySource copies a database file and returns it as a source.
func copySource(t *testing.T, s app.Source, to string) app.Source {
	t.Helper()
	from, err := filepath.Glob(filepath.Join(filepath.Dir(filepath.Dir(to)), "*", "till", "*.db"))
	if err != nil || len(from) == 0 {
		t.Fatalf("no database to copy: %v", err)
	}
	data, err := os.ReadFile(from[0])
	if err != nil {
		t.Fatal(err)
	}
	put(t, to, data)
	return sourceAt(to)
}

// crashedWAL makes file what a till leaves that lost power: its last commits
// are in the WAL only. It returns the rows there should be.
func crashedWAL(t *testing.T, file string) (rows string) {
	t.Helper()
	work := filepath.Join(t.TempDir(), "kassa.db")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	put(t, work, data)
	db := till(t, work, "wal")
	do(t, db, `PRAGMA wal_autocheckpoint = 0`, `UPDATE product SET name = 'crashed ' || id`, `INSERT INTO sale (product, n) SELECT id, 99 FROM product`)
	for _, suffix := range []string{"", "-wal"} {
		if data, err = os.ReadFile(work + suffix); err != nil {
			t.Fatal(err)
		}
		put(t, file+suffix, data)
	}
	rows = rowsOf(t, work)
	closed(t, db)
	return rows
}

// A restore that was killed left its half-written files; the next one cleans
// up after it.
func TestConnector_Restore_afterCrash(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	file := s.Settings[fieldPath]
	want := rowsOf(t, file)
	dir, stats := pointOf(t, s)
	put(t, file+newSuffix, []byte("half"))
	put(t, file+"-wal"+newSuffix, []byte("half"))
	removed(t, file)
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(dir), Stats: stats}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if got := onlyName(t, filepath.Dir(file)); got != filepath.Base(file) {
		t.Errorf("left: %s", got)
	}
	if rowsOf(t, file) != want {
		t.Error("tables differ")
	}
}

// Nothing that is no database ever takes a database's place.
func TestConnector_Restore_refusesNonsense(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	file := s.Settings[fieldPath]
	before := connectortest.Tree(t, filepath.Dir(file))
	dir := t.TempDir()
	put(t, filepath.Join(dir, filepath.Base(file)), []byte(strings.Repeat("nonsense", 1000)))
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(dir)}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeCheckFailed {
		t.Errorf("apply: %v", err)
	}
	if after := connectortest.Tree(t, filepath.Dir(file)); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	r.From = os.DirFS(t.TempDir())
	if _, err := newConnector().Plan(t.Context(), r); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("empty point: %v", err)
	}
}

func TestConnector_Restore_keepsModeAndLink(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode there, and a link takes a right of its own")
	}
	s := shop(t, t.TempDir(), "delete")
	file := s.Settings[fieldPath]
	dir, stats := pointOf(t, s)
	if err := os.Chmod(file, 0o664); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), filepath.Base(file))
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	r := app.Restore{Access: accessTo(link), From: os.DirFS(dir), Stats: stats}
	if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Lstat(link); err != nil || fi.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", fi, err)
	}
	if fi, err := os.Stat(file); err != nil || fi.Mode().Perm() != 0o664 {
		t.Errorf("the file is %v, %v", fi, err)
	}
}

func TestConnector_Verify_findsWrongRows(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	dir, stats := pointOf(t, s)
	stats["table.sale"]++
	stats["table.gone"] = 3
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(dir), Stats: stats}
	checks, err := newConnector().Verify(t.Context(), r)
	if err != nil || len(checks) != 3 || checks[2].OK {
		t.Fatalf("checks %+v, %v", checks, err)
	}
	want := "2 tables, 600 rows; gone: missing, 3 rows expected; sale: 300 rows, 301 expected"
	if checks[2].Detail != want {
		t.Errorf("detail %q, want %q", checks[2].Detail, want)
	}
	if got, want := connectortest.Seen(t, checks), "rows: rows_missing 1 sale\nrows: tables_missing 1 gone"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
}

func TestConnector_Restore_tables(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	dir, _ := pointOf(t, s)
	to := filepath.Join(t.TempDir(), "ut")
	c := newConnector()
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(dir), Paths: []string{"tables/sale.sql"}, Target: app.Target{Dir: to}}
	if plan, err := c.Plan(t.Context(), r); err != nil || plan.Files != 1 || len(plan.Blockers) != 0 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	for range 2 {
		if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
	}
	if checks, err := c.Verify(t.Context(), r); err != nil || len(checks) != 1 || !checks[0].OK {
		t.Errorf("checks %+v, %v", checks, err)
	}
	if text, err := os.ReadFile(filepath.Join(to, "sale.sql")); err != nil || strings.Count(string(text), "INSERT INTO") != 300 {
		t.Errorf("%.200s, %v", text, err)
	}
	r.Paths = []string{"tables/none.sql"}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodePathUnknown {
		t.Errorf("unknown table: %v", err)
	}
	r.Paths, r.Target.Dir = []string{"tables/sale.sql"}, ""
	if _, err := c.Plan(t.Context(), r); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("a table into the original: %v", err)
	}
}

func TestConnector_Present_written(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	capture, err := newConnector().Present(t.Context(), app.Access{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	for item, err := range capture.Items {
		if err != nil || item.Pages != 4096 || item.Optional {
			t.Fatalf("item %+v, %v", item, err)
		}
		r, err := item.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		helper(t, "write", s.Settings[fieldPath]).wait()
		if err := r.Close(); app.CodeOf(err) != app.CodeItemChanged {
			t.Errorf("written meanwhile: %v", err)
		}
	}
}
