//go:build unix

package postgres

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// spoilt is a world whose table "sale" has 3 rows and an index for its primary
// key that is damaged on the disk. The database is copied file by file, so that
// the server has none of its pages in memory.
func spoilt(t *testing.T, more string) *world {
	t.Helper()
	w := newWorld(t)
	w.do("CREATE TABLE sale (id integer PRIMARY KEY, item text); INSERT INTO sale VALUES (1, 'a'), (2, 'b'), (1042, 'c');" + more)
	name := w.name + "_spoilt"
	strategy := ""
	if w.one("SELECT (current_setting('server_version_num')::int >= 150000)::text") == "true" {
		strategy = " STRATEGY FILE_COPY" // older ones know no other
	}
	w.on("postgres", "CREATE DATABASE "+name+" TEMPLATE "+w.name+strategy)
	number := w.column("postgres", "SELECT oid::text FROM pg_database WHERE datname = '"+name+"'")[0]
	file := filepath.Join(w.dir, "data", "base", number, w.one("SELECT relfilenode::text FROM pg_class WHERE relname = 'sale_pkey'"))
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	junk := make([]byte, fi.Size())
	for i := range junk {
		junk[i] = byte(i*7 + 1)
	}
	if _, err := f.WriteAt(junk, 0); err != nil || len(junk) == 0 {
		t.Fatal(err, len(junk))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	bad := *w
	bad.name = name // dropped with the other one
	return &bad
}

// rowsOf are the rows in a table's file.
func rowsOf(t *testing.T, file []byte) string {
	t.Helper()
	_, rest, begun := strings.Cut(string(file), " FROM stdin;\n")
	rows, _, ended := strings.Cut(rest, endOfData+"\n")
	if !begun || !ended {
		t.Fatalf("no rows in %q", file)
	}
	return rows
}

// An index that is damaged costs the number of the newest order, and nothing
// else: the rows are all there, and are backed up, also as the state before a
// restore.
func TestConnector_Capture_damagedIndex(t *testing.T) {
	t.Parallel()
	w := spoilt(t, "")
	check := func(c *app.Capture, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("capture: %v", err)
		}
		dir, problems := connectortest.Collect(t, c)
		stats := c.Stats()
		if _, ok := stats[app.StatNewestOrder]; ok || stats["table.sale"] != 3 || len(problems) > 0 {
			t.Errorf("%v, problems %v", stats, problems)
		}
		b, err := os.ReadFile(filepath.Join(dir, "20-data", "sale.sql"))
		if err != nil {
			t.Fatal(err)
		}
		if rows := rowsOf(t, b); rows != "1\ta\n2\tb\n1042\tc\n" {
			t.Errorf("rows %q", rows)
		}
	}
	first := w.capture("")
	check(first, nil)
	w.do("CREATE TABLE other (i integer)") // so that it is not idle
	check(w.c.Capture(t.Context(), w.access(), first.Next))
	check(w.c.Present(t.Context(), w.access()))
}

// What fails because of the connection is no answer left out: the capture fails.
func TestSnapshot_spare_connectionLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE sale (id integer PRIMARY KEY)")
	l, err := w.c.open(t.Context(), w.access())
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.close(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	if err := s.spare(t.Context(), "ask", "sale", func() error { return perform(t.Context(), s.conn, "SELECT 1/0") }); err != nil {
		t.Errorf("a question that fails: %v", err)
	}
	if got, err := one[int](t.Context(), s.conn, "SELECT 7"); got != 7 || err != nil {
		t.Errorf("afterwards: %d, %v", got, err)
	}
	err = s.spare(t.Context(), "ask", "sale", func() error {
		return perform(t.Context(), s.conn, "SELECT pg_terminate_backend(pg_backend_pid())")
	})
	if err == nil {
		t.Error("a connection that is lost goes unnoticed")
	}
	if err := s.newestOrder(t.Context(), app.Stats{}); err == nil {
		t.Error("asked again, and it goes unnoticed")
	}
}
