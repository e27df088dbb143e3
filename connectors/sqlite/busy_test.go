package sqlite

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// A till in another process commits every few milliseconds while its database
// is backed up again and again. Every copy must be whole, must hold whole
// commits only, and must count as its stats say.
func TestConnector_Capture_besideWritingTill(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, journal string
		tries         int
	}{
		{"wal, in place", "wal", 1000},
		{"wal, copied out", "wal", 0},
		{"wal, as it comes", "wal", 20},
		{"delete", "delete", 20},
		{"truncate", "truncate", 20},
		{"persist", "persist", 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := chinook(t, tt.journal)
			c := newConnector()
			c.tries = tt.tries
			p := helper(t, "busy "+tt.journal, s.Settings[fieldPath])
			if got := p.line(); got != "ready" {
				t.Fatalf("till said %q", got)
			}
			var since app.Marker
			for range 15 {
				// A moment for a till that waits for its lock.
				if err := nap(t.Context(), 40*time.Millisecond); err != nil {
					t.Fatal(err)
				}
				capture, err := c.Capture(t.Context(), app.Access{Source: s}, since)
				if err != nil {
					t.Fatal(err)
				}
				if capture.Idle {
					continue // the till slept
				}
				dir, _ := connectortest.Collect(t, capture)
				checkCopy(t, filepath.Join(dir, filepath.Base(s.Settings[fieldPath])), capture.Stats())
				since = capture.Next
			}
			commits, err := strconv.Atoi(p.stop())
			if err != nil || commits < 3 {
				t.Errorf("the till made %d commits, %v", commits, err)
			}
			if n := connectortest.OpenBelow(t, filepath.Dir(s.Settings[fieldPath])); n != 0 {
				t.Errorf("%d files left open", n)
			}
		})
	}
}

func checkCopy(t *testing.T, file string, stats app.Stats) {
	t.Helper()
	healthy(t, file)
	db, err := open(t.Context(), file, immutable)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, db)
	var torn int64
	if err := db.one(t.Context(), `SELECT count(*) FROM log WHERE a <> b`, &torn); err != nil || torn != 0 {
		t.Errorf("%d rows of half commits, %v", torn, err)
	}
	tables, err := db.tables(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		n, err := db.rows(t.Context(), "main", table)
		if err != nil || n != stats["table."+table] {
			t.Errorf("%s holds %d rows, stats say %d, %v", table, n, stats["table."+table], err)
		}
	}
	if fi, err := os.Stat(file); err != nil || fi.Size() != stats["bytes"] {
		t.Errorf("size and stats differ: %v, %v", stats, err)
	}
	if len(stats) != len(tables)+2 { // its size, and its newest invoice
		t.Errorf("%d tables, stats %v", len(tables), stats)
	}
}

func TestConnector_Restore_sample(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"wal", "delete"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			s := chinook(t, journal)
			file := s.Settings[fieldPath]
			want := rowsOf(t, file)
			c := newConnector()
			capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
			if err != nil {
				t.Fatal(err)
			}
			dir, _ := connectortest.Collect(t, capture)
			db := till(t, file, journal)
			do(t, db, `DELETE FROM InvoiceLine WHERE rowid % 3 = 0`, `UPDATE Customer SET FirstName = 'x'`, `DROP TABLE PlaylistTrack`, `CREATE TABLE intruder (x)`)
			closed(t, db)
			r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(dir), Stats: capture.Stats()}
			if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
				t.Fatal(err)
			}
			checks, err := c.Verify(t.Context(), r)
			if err != nil || len(checks) != 3 {
				t.Fatalf("checks %+v, %v", checks, err)
			}
			for _, check := range checks {
				if !check.OK {
					t.Errorf("%+v", check)
				}
			}
			if got := onlyName(t, filepath.Dir(file)); got != filepath.Base(file) {
				t.Errorf("left beside the database: %s", got)
			}
			if rowsOf(t, file) != want {
				t.Error("tables differ")
			}
		})
	}
}

// onlyName returns the names in a folder.
func onlyName(t *testing.T, dir string) (names string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range list {
		if i > 0 {
			names += " "
		}
		names += e.Name()
	}
	return names
}
