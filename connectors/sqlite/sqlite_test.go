package sqlite

import (
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
	"kvart/connectors/internal/rawfile"
)

func newConnector() *Connector {
	return New(slog.New(slog.NewTextHandler(io.Discard, nil)), &rawfile.Keeper{})
}

// till opens a database the way a till does.
func till(t *testing.T, file, journal string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+file+"?_journal_mode="+journal+"&_busy_timeout=20000")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { closed(t, db) })
	return db
}

func closed(t *testing.T, c io.Closer) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func do(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func sourceAt(file string) app.Source {
	return app.Source{ID: "kassa", Name: "Kassa", Kind: Kind, Settings: map[string]string{fieldPath: file}}
}

func accessTo(file string) app.Access { return app.Access{Source: sourceAt(file)} }

// shop makes a till's database of a few hundred rows, closed again.
func shop(t *testing.T, dir, journal string) app.Source {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(dir, "till"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "till", "kassa ångström 100%.db")
	db := till(t, file, journal)
	do(t, db,
		`CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT NOT NULL COLLATE NOCASE, price REAL, added DATETIME)`,
		`CREATE TABLE sale (id INTEGER PRIMARY KEY AUTOINCREMENT, product INTEGER REFERENCES product, n INTEGER, at TEXT)`,
		`CREATE INDEX sale_product ON sale (product)`,
		`WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 300)
			INSERT INTO product SELECT i, 'Vara ' || i, i * 1.1, '2024-01-01 00:00:00' FROM c`,
		`INSERT INTO sale (product, n, at) SELECT id, id % 7, 'idag' FROM product`)
	closed(t, db)
	return sourceAt(file)
}

// chinook copies the sample shop.
func chinook(t *testing.T, journal string) app.Source {
	t.Helper()
	data, err := os.ReadFile("../../../shared/data/chinook.sqlite")
	if err != nil {
		t.Skipf("KVART-SKIP shared: no sample database: %v", err)
	}
	file := filepath.Join(t.TempDir(), "chinook.sqlite")
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	db := till(t, file, journal)
	do(t, db, `CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, pad TEXT)`)
	closed(t, db)
	return sourceAt(file)
}

// rowsOf describes every row of every table of the database at file.
func rowsOf(t *testing.T, file string) string {
	t.Helper()
	c, err := open(t.Context(), file, readOnly)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, c)
	tables, err := c.tables(t.Context(), "main")
	if err != nil {
		t.Fatalf("read %s: %v", file, err)
	}
	var b strings.Builder
	for _, table := range tables {
		columns, err := c.stored(t.Context(), "main", table)
		if err != nil {
			t.Fatal(err)
		}
		quoted := joined(columns, ` || ',' || `, func(n string) string { return `typeof(` + quote(n) + `) || quote(` + quote(n) + `)` })
		rows, err := c.column(t.Context(), `SELECT `+quoted+` AS r FROM `+quote(table)+` ORDER BY r`)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s %d\n%s\n", table, len(rows), strings.Join(rows, "\n"))
	}
	return b.String()
}

// healthy checks a database file from the first page to the last.
func healthy(t *testing.T, file string) {
	t.Helper()
	c, err := open(t.Context(), file, immutable)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, c)
	if got, err := c.column(t.Context(), `PRAGMA integrity_check`); err != nil || !slices.Equal(got, []string{"ok"}) {
		t.Errorf("integrity of %s: %q, %v", file, got, err)
	}
}

func TestConnector(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"wal", "delete", "persist"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Harness{
				New:    func(*testing.T) app.Connector { return newConnector() },
				Source: func(t *testing.T, dir string) app.Source { return shop(t, dir, journal) },
				Path:   func(s app.Source) string { return s.Settings[fieldPath] },
				Change: func(t *testing.T, s app.Source) {
					db := till(t, s.Settings[fieldPath], journal)
					do(t, db, `INSERT INTO sale (product, n) VALUES (1, 1)`, `UPDATE product SET price = price + 1 WHERE id < 9`)
					closed(t, db)
				},
				Content: rowsOf,
			})
		})
	}
}

// A till that is open all day keeps its WAL and its -shm file; the marker must
// stand still then too, though the backup itself moves pages.
func TestConnector_Capture_idleBesideOpenTill(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"wal", "delete"} {
		s := shop(t, t.TempDir(), journal)
		db := till(t, s.Settings[fieldPath], journal)
		c := newConnector()
		for range 3 {
			do(t, db, `INSERT INTO sale (product, n) VALUES (1, 1)`)
			first, err := c.Capture(t.Context(), app.Access{Source: s}, "")
			if err != nil {
				t.Fatal(err)
			}
			connectortest.Collect(t, first)
			second, err := c.Capture(t.Context(), app.Access{Source: s}, first.Next)
			if err != nil {
				t.Fatal(err)
			}
			if !second.Idle {
				t.Errorf("%s: not idle", journal)
			}
			closed(t, closer(second.Close))
			do(t, db, `UPDATE sale SET n = n + 1 WHERE id = 1`)
			third, err := c.Capture(t.Context(), app.Access{Source: s}, first.Next)
			if err != nil {
				t.Fatal(err)
			}
			if third.Idle {
				t.Errorf("%s: idle after a commit", journal)
			}
			closed(t, closer(third.Close))
		}
	}
}

type closer func() error

func (c closer) Close() error { return c() }

// The commit that falls between the marker and the snapshot, or while the
// snapshot is read, must be seen the next time.
func TestConnector_Capture_commitMeanwhile(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "wal")
	db := till(t, s.Settings[fieldPath], "wal")
	do(t, db, `INSERT INTO sale (product, n) VALUES (1, 1)`)
	before := rowsOf(t, s.Settings[fieldPath])
	c := newConnector()
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	for range 50 {
		do(t, db, `INSERT INTO sale (product, n) VALUES (2, 2)`, `PRAGMA wal_checkpoint(PASSIVE)`)
	}
	dir, _ := connectortest.Collect(t, capture)
	file := filepath.Join(dir, filepath.Base(s.Settings[fieldPath]))
	healthy(t, file)
	if got := rowsOf(t, file); got != before {
		t.Errorf("the snapshot moved:\n%s\nwant:\n%s", got, before)
	}
	next, err := c.Capture(t.Context(), app.Access{Source: s}, capture.Next)
	if err != nil {
		t.Fatal(err)
	}
	if next.Idle {
		t.Error("idle after commits during the capture")
	}
	closed(t, closer(next.Close))
}

// In rollback mode the till waits only while the file is read.
func TestConnector_Capture_lockLength(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	db, err := sql.Open("sqlite3", "file:"+s.Settings[fieldPath]+"?_busy_timeout=1")
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, db)
	write := func() error { _, err := db.Exec(`INSERT INTO sale (product, n) VALUES (1, 1)`); return err }
	capture, err := newConnector().Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, closer(capture.Close))
	if err := write(); err != nil {
		t.Errorf("before the items are asked for: %v", err)
	}
	for item, err := range capture.Items {
		if err != nil {
			t.Fatal(err)
		}
		r, err := item.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := write(); !locked(err) {
			t.Errorf("while it is read: %v", err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		closed(t, r)
		again, err := item.Open(t.Context())
		if err != nil {
			t.Fatalf("nothing was written, and yet: %v", err)
		}
		closed(t, again)
		if err := write(); err != nil {
			t.Errorf("after it was read: %v", err)
		}
		if _, err := item.Open(t.Context()); app.CodeOf(err) != app.CodeItemChanged {
			t.Errorf("open again after a commit: %v", err)
		}
		if err := write(); err != nil {
			t.Errorf("after a second reading that failed: %v", err)
		}
	}
}

// Reading raw, checking and discovering in the same process must not take the
// capture's lock away: POSIX gives all of a process's locks on a file up when
// it closes any descriptor of it.
func TestConnector_Capture_keepsItsLock(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shop(t, dir, "delete")
	c := newConnector()
	c.Roots = []string{dir}
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	for item, err := range capture.Items {
		if err != nil {
			t.Fatal(err)
		}
		r, err := item.Open(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Check(t.Context(), app.Access{Source: s}); err != nil {
			t.Error(err)
		}
		if found, err := c.Discover(t.Context()); err != nil || len(found) != 1 {
			t.Errorf("found %v, %v", found, err)
		}
		f, err := c.files.Open(s.Settings[fieldPath])
		if err != nil {
			t.Fatal(err)
		}
		closed(t, f)
		if out := helper(t, "write", s.Settings[fieldPath]).wait(); out != "locked" {
			t.Errorf("another process wrote under the lock: %q", out)
		}
		closed(t, r)
	}
	closed(t, closer(capture.Close))
	if out := helper(t, "write", s.Settings[fieldPath]).wait(); out != "written" {
		t.Errorf("after the capture: %q", out)
	}
	if n := connectortest.OpenBelow(t, dir); n != 0 {
		t.Errorf("%d files left open", n)
	}
}

func TestConnector_Capture_copiesOutWhenTooBusy(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "wal")
	db := till(t, s.Settings[fieldPath], "wal")
	do(t, db, `INSERT INTO sale (product, n) VALUES (1, 1)`)
	c := newConnector()
	c.tries = 0
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	want := rowsOf(t, s.Settings[fieldPath])
	do(t, db, `INSERT INTO sale (product, n) VALUES (2, 2)`)
	dir, _ := connectortest.Collect(t, capture)
	file := filepath.Join(dir, filepath.Base(s.Settings[fieldPath]))
	healthy(t, file)
	if rowsOf(t, file) != want {
		t.Error("not the state it was captured in")
	}
	if capture.Stats()["table.sale"] != 301 {
		t.Errorf("stats %v", capture.Stats())
	}
	if n := connectortest.OpenBelow(t, tempDir()+"/"+tempPrefix); n != 0 {
		t.Errorf("%d files left open", n)
	}
}

func TestConnector_Discover(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shop(t, dir, "wal")
	skipped := filepath.Join(dir, "firefox", "places.sqlite")
	other := filepath.Join(dir, "a", "b", "notes.SQLITE3")
	for _, file := range []string{skipped, other} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		db := till(t, file, "delete")
		do(t, db, `CREATE TABLE notes (t)`)
		closed(t, db)
	}
	if err := os.WriteFile(filepath.Join(dir, "text.db"), []byte("no database"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := connectortest.Tree(t, dir)
	c := newConnector()
	c.Roots = []string{dir, filepath.Join(dir, "till"), filepath.Join(dir, "missing")}
	found, err := c.Discover(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range found {
		got = append(got, fmt.Sprintf("%s %t", f.Settings[fieldPath], f.Likely))
	}
	slices.Sort(got)
	want := []string{other + " false", s.Settings[fieldPath] + " true"}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if connectortest.Tree(t, dir) != before {
		t.Error("discovery changed something")
	}
}
