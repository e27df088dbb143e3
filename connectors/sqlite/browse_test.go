package sqlite

import (
	"database/sql"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// Every table of a view, loaded into an empty database, is the table again:
// the sample shop's, and one table for every kind of awkwardness.
func TestConnector_Browse_roundTrip(t *testing.T) {
	t.Parallel()
	sources := map[string]app.Source{"sample": chinook(t, "delete"), "awkward": awkward(t)}
	for name, s := range sources {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, _ := pointOf(t, s)
			view := browse(t, os.DirFS(dir))
			file := filepath.Join(t.TempDir(), "loaded.db")
			db := till(t, file, "delete")
			tables, err := fs.ReadDir(view, "tables")
			if err != nil || len(tables) < 3 {
				t.Fatalf("tables %v, %v", tables, err)
			}
			for _, table := range tables {
				text, err := fs.ReadFile(view, "tables/"+table.Name())
				if err != nil {
					t.Fatal(err)
				}
				// One by one: the driver copies what is left of a text for every
				// statement in it.
				for statement := range strings.SplitSeq(string(text), ";\n") {
					do(t, db, statement)
				}
				fi, err := fs.Stat(view, "tables/"+table.Name())
				if err != nil || fi.Sys().(int64) != int64(strings.Count("\n"+string(text), "\nINSERT INTO")) {
					t.Errorf("%s: %v rows, %v", table.Name(), fi.Sys(), err)
				}
			}
			closed(t, db)
			if got, want := rowsOf(t, file), rowsOf(t, s.Settings[fieldPath]); got != want {
				t.Errorf("got:\n%.2000s\nwant:\n%.2000s", got, want)
			}
		})
	}
}

func browse(t *testing.T, from fs.FS) app.PointFS {
	t.Helper()
	view, err := newConnector().Browse(t.Context(), from, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, view); closed(t, view) })
	return view
}

// awkward makes a database of everything a dump can stumble over.
func awkward(t *testing.T) app.Source {
	t.Helper()
	file := filepath.Join(t.TempDir(), "awkward.db")
	db := till(t, file, "delete")
	do(t, db,
		`CREATE TABLE "it's ""a"" table/with 100%" ("col ""x""" TEXT, [select] INTEGER, `+"`b`"+` BLOB)`,
		`INSERT INTO "it's ""a"" table/with 100%" VALUES ('it''s', 1, X'00ff27'), ('rad 1
rad 2; -- inte slut', -9223372036854775808, zeroblob(0)), (NULL, NULL, NULL), ('', 9223372036854775807, 'text in a blob column')`,
		`CREATE TABLE noid (a TEXT, b INTEGER, c REAL, PRIMARY KEY (b, a)) WITHOUT ROWID`,
		`INSERT INTO noid VALUES ('å', 1, 1.5), ('ä', 1, 1e300), ('ö', 0, -0.0)`,
		`CREATE TABLE made (a INTEGER, b INTEGER AS (a * 2), c INTEGER AS (a * 3) STORED, d TEXT)`,
		`INSERT INTO made (a, d) VALUES (1, 'x'), (2, NULL)`,
		`CREATE TABLE typed (b BOOLEAN, d DATETIME, n DECIMAL(10,2), anything)`,
		`INSERT INTO typed VALUES (1, '2024-02-30 25:61', 12.30, 5.0), ('true', 1709979072, '12.3x', 5), (NULL, '2024-01-01 00:00:00', 1e400, -1e400)`,
		`CREATE TABLE strict (a INT, b ANY, c TEXT) STRICT`,
		`INSERT INTO strict VALUES (1, '1', 'x'), (2, 1.0, 'y'), (3, X'01', 'z')`,
		`CREATE TABLE bytes (t TEXT)`,
		`INSERT INTO bytes VALUES ('before' || char(0) || 'after'), (CAST(X'ff41fe' AS TEXT)), (char(0x1F600))`,
		`CREATE TABLE reals (id INTEGER PRIMARY KEY, r REAL, s)`,
		`CREATE TABLE empty (x)`,
		`CREATE INDEX typed_d ON typed (d DESC)`,
		`CREATE VIEW seen AS SELECT * FROM typed`,
		`CREATE VIRTUAL TABLE words USING fts4(body)`,
		`INSERT INTO words VALUES ('kaffe')`)
	do(t, db, `BEGIN`)
	for range 2_000 {
		v := math.Float64frombits(rand.Uint64())
		if _, err := db.Exec(`INSERT INTO reals (r, s) VALUES (?, ?)`, v, rand.Float64()*1000); err != nil {
			t.Fatal(err)
		}
	}
	for _, v := range []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, 0x1p-1022, 0.1, 1.0 / 3, 123456789.01, 1e22, 1e23} {
		if _, err := db.Exec(`INSERT INTO reals (r, s) VALUES (?, ?)`, v, -v); err != nil {
			t.Fatal(err)
		}
	}
	do(t, db, `COMMIT`)
	closed(t, db)
	return sourceAt(file)
}

// Reals come back to the last bit, which quote() alone would not show.
func TestDump_reals(t *testing.T) {
	t.Parallel()
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, db)
	bad := 0
	for range 20_000 {
		v := math.Float64frombits(rand.Uint64())
		if math.IsNaN(v) {
			continue
		}
		var got float64
		if err := db.QueryRow(`SELECT ` + realLiteral(v)).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if math.Float64bits(got) != math.Float64bits(v) {
			if bad++; bad < 5 {
				t.Errorf("%s reads back as %g, not %g", realLiteral(v), got, v)
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d wrong", bad)
	}
}

func TestConnector_Browse_view(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "wal")
	dir, _ := pointOf(t, s)
	tmp := t.TempDir()
	view, err := newConnector().Browse(t.Context(), os.DirFS(dir), tmp)
	if err != nil {
		t.Fatal(err)
	}
	list, err := fs.ReadDir(view, ".")
	if err != nil || len(list) != 2 || list[1].Name() != "tables" || !list[1].IsDir() {
		t.Errorf("root %v, %v", list, err)
	}
	if onlyName(t, tmp) != "" {
		t.Error("unpacked before it was asked for")
	}
	for _, name := range []string{"tables/none.sql", "tables/sale", "none"} {
		if _, err := view.Open(name); err == nil {
			t.Errorf("%s opened", name)
		}
		if _, err := fs.Stat(view, name); err == nil {
			t.Errorf("%s found", name)
		}
	}
	if fi, err := fs.Stat(view, "tables/sale.sql"); err != nil || fi.Sys() != any(int64(300)) || fi.ModTime().IsZero() {
		t.Errorf("sale %v, %v", fi, err)
	}
	f, err := view.Open("tables/sale.sql")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	// Closing in the middle of a table waits for nobody.
	closed(t, view)
	closed(t, f)
	if _, err := fs.ReadDir(view, "tables"); err == nil {
		t.Error("read after close")
	}
	if n := connectortest.OpenBelow(t, tmp); n != 0 {
		t.Errorf("%d files left open", n)
	}
}

func TestConnector_Diff(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "wal")
	file := s.Settings[fieldPath]
	db := till(t, file, "wal")
	do(t, db,
		`CREATE TABLE old (x)`, `INSERT INTO old VALUES (1), (2)`,
		`CREATE TABLE widened (id INTEGER PRIMARY KEY, a)`, `INSERT INTO widened VALUES (1, 1)`,
		`CREATE TABLE "100%s" (a TEXT, b, PRIMARY KEY (a, b)) WITHOUT ROWID`, `INSERT INTO "100%s" VALUES ('a', 1), ('b', 2)`,
		`CREATE TABLE rekeyed (a INTEGER, b INTEGER, PRIMARY KEY (a))`, `INSERT INTO rekeyed VALUES (1, 1)`,
		`CREATE TABLE same (a, rowid TEXT)`, `INSERT INTO same VALUES (1, 'x')`)
	dir, _ := pointOf(t, s)
	do(t, db,
		`DELETE FROM sale WHERE id <= 10`, `INSERT INTO sale (product, n) VALUES (1, 1), (2, 2)`, `UPDATE sale SET n = n + 1 WHERE id BETWEEN 20 AND 24`,
		`UPDATE product SET name = upper(name) WHERE id = 7`, // equal to SQL, in this column
		`DROP TABLE old`, `CREATE TABLE new (y)`, `INSERT INTO new VALUES (1), (2), (3)`,
		`ALTER TABLE widened ADD COLUMN b`,
		`UPDATE "100%s" SET b = 3 WHERE a = 'b'`,
		`DROP TABLE rekeyed`, `CREATE TABLE rekeyed (a INTEGER, b INTEGER, PRIMARY KEY (b))`, `INSERT INTO rekeyed VALUES (1, 1)`)
	c := newConnector()
	live, err := c.Live(t.Context(), app.Access{Source: s}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	changes, err := c.Diff(t.Context(), os.DirFS(dir), live, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	want := []app.Change{
		{Path: "tables/100%25s.sql", Kind: app.ChangeChanged, Added: 1, Removed: 1, Before: 2, After: 2},
		{Path: "tables/new.sql", Kind: app.ChangeAdded, Added: 3, After: 3},
		{Path: "tables/old.sql", Kind: app.ChangeRemoved, Removed: 2, Before: 2},
		{Path: "tables/product.sql", Kind: app.ChangeChanged, Changed: 1, Before: 300, After: 300},
		{Path: "tables/rekeyed.sql", Kind: app.ChangeChanged, Added: 1, Removed: 1, Before: 1, After: 1},
		{Path: "tables/sale.sql", Kind: app.ChangeChanged, Added: 2, Removed: 10, Changed: 5, Before: 300, After: 292},
		{Path: "tables/widened.sql", Kind: app.ChangeChanged, Before: 1, After: 1},
	}
	if fmt.Sprint(changes) != fmt.Sprint(want) {
		t.Errorf("got  %+v\nwant %+v", changes, want)
	}
}

// The page of the lock byte holds no data and is never read: on Windows a till
// that holds its lock would make that fail.
func TestRead_lockPage(t *testing.T) {
	t.Parallel()
	r := &read{snap: &snapshot{pageSize: 4096, size: 2 << 30}}
	for _, tt := range []struct {
		off  int64
		n    int
		want int
	}{
		{0, 4096, 0},
		{lockByte - 4096, 4096, 0},
		{lockByte - 4096, 8192, -4096},
		{lockByte - 10, 5000, -10},
		{lockByte, 100, 100},
		{lockByte + 100, 8192, 3996},
		{lockByte + 4096, 8192, 0},
	} {
		r.off = tt.off
		if got := r.lockPage(make([]byte, tt.n)); got != tt.want {
			t.Errorf("at %d for %d: %d, want %d", tt.off, tt.n, got, tt.want)
		}
	}
}

func TestMainFile(t *testing.T) {
	t.Parallel()
	f := &fstest.MapFile{}
	for _, tt := range []struct {
		from fstest.MapFS
		want string
	}{
		{fstest.MapFS{"kassa.db": f, "kassa.db-wal": f}, "kassa.db"},
		{fstest.MapFS{"old.db": f, "old.db-wal": f}, "old.db"},
		{fstest.MapFS{"a.db": f, "b.db": f}, ""},
		{fstest.MapFS{}, ""},
	} {
		if got, err := mainFile(tt.from, "kassa.db"); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%v: %q, %v", tt.from, got, err)
		}
	}
}
