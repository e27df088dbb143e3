package sqlite

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_errors(t *testing.T) {
	t.Parallel()
	random := make([]byte, 65536)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, file string)
		want   app.Code
	}{
		{"missing", func(t *testing.T, file string) { removed(t, file) }, app.CodeSourceMissing},
		{"share gone", func(t *testing.T, file string) { removed(t, filepath.Dir(file)) }, app.CodeSourceShareGone},
		{"a folder", func(t *testing.T, file string) { removed(t, file); made(t, file) }, app.CodeSourceNotDB},
		{"text", func(t *testing.T, file string) { put(t, file, []byte(strings.Repeat("kvitto;", 2000))) }, app.CodeSourceNotDB},
		{"a few bytes", func(t *testing.T, file string) { put(t, file, []byte("SQLite")) }, app.CodeSourceNotDB},
		{"a picture", func(t *testing.T, file string) { put(t, file, append([]byte("\xff\xd8\xff\xe0"), random[4:]...)) }, app.CodeSourceNotDB},
		{"encrypted", func(t *testing.T, file string) { put(t, file, random) }, app.CodeSourceEncrypted},
		{"nonsense after the magic", func(t *testing.T, file string) {
			put(t, file, append([]byte("SQLite format 3\x00"), random...))
		}, app.CodeSourceDamaged},
		{"cut off", func(t *testing.T, file string) {
			if err := os.Truncate(file, 4096*2); err != nil {
				t.Fatal(err)
			}
		}, app.CodeSourceDamaged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := shop(t, t.TempDir(), "delete")
			tt.damage(t, s.Settings[fieldPath])
			c := newConnector()
			if _, err := c.Check(t.Context(), app.Access{Source: s}); app.CodeOf(err) != tt.want {
				t.Errorf("check: %v", err)
			}
			if _, err := c.Capture(t.Context(), app.Access{Source: s}, ""); app.CodeOf(err) != tt.want {
				t.Errorf("capture: %v", err)
			}
			if n := connectortest.OpenBelow(t, filepath.Dir(s.Settings[fieldPath])); n != 0 {
				t.Errorf("%d files left open", n)
			}
		})
	}
	if _, err := newConnector().Check(t.Context(), app.Access{}); app.CodeOf(err) != app.CodeUsage {
		t.Errorf("no path: %v", err)
	}
}

func removed(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func made(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestConnector_Capture_locked(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	p := helper(t, "lock", s.Settings[fieldPath])
	p.line()
	c := newConnector()
	c.lockWait = 300 * time.Millisecond
	if _, err := c.Capture(t.Context(), app.Access{Source: s}, ""); app.CodeOf(err) != app.CodeSourceLocked {
		t.Errorf("capture: %v", err)
	}
	if _, err := c.Check(t.Context(), app.Access{Source: s}); app.CodeOf(err) != app.CodeSourceLocked {
		t.Errorf("check: %v", err)
	}
	p.stop()
	if _, err := c.Check(t.Context(), app.Access{Source: s}); err != nil {
		t.Errorf("after the till let go: %v", err)
	}
}

// A file of no bytes is a database nothing was stored in yet; but one that
// held data before lost it.
func TestConnector_Capture_noBytes(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "ny.db")
	put(t, file, nil)
	capture, err := newConnector().Capture(t.Context(), accessTo(file), "")
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := connectortest.Collect(t, capture)
	if fi, err := os.Stat(filepath.Join(dir, "ny.db")); err != nil || fi.Size() != 0 {
		t.Errorf("captured %v, %v", fi, err)
	}
	s := shop(t, t.TempDir(), "delete")
	if capture, err = newConnector().Capture(t.Context(), app.Access{Source: s}, ""); err != nil {
		t.Fatal(err)
	}
	connectortest.Collect(t, capture)
	put(t, s.Settings[fieldPath], nil)
	if _, err := newConnector().Capture(t.Context(), app.Access{Source: s}, capture.Next); app.CodeOf(err) != app.CodeSourceDamaged {
		t.Errorf("emptied: %v", err)
	}
}

// A database with a page of nonsense may be all the owner has: it is captured,
// its stats say that it is damaged, and a drill says so too.
func TestConnector_Capture_damagedPage(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	file := s.Settings[fieldPath]
	db := till(t, file, "delete")
	var page int64
	if err := db.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'sale'`).Scan(&page); err != nil {
		t.Fatal(err)
	}
	do(t, db, `DROP INDEX sale_product`) // or counting would go by the index
	closed(t, db)
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte(strings.Repeat("\xa5", 4096)), (page-1)*4096); err != nil {
		t.Fatal(err)
	}
	closed(t, f)
	c := newConnector()
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := connectortest.Collect(t, capture)
	stats := capture.Stats()
	if _, counted := stats["table.sale"]; counted || stats["damaged"] != 1 || stats["table.product"] != 300 {
		t.Errorf("stats %v", stats)
	}
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(dir), Stats: stats, Target: app.Target{Dir: t.TempDir()}}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	checks, err := c.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	ok := map[string]bool{}
	for _, check := range checks {
		ok[check.Code] = check.OK
	}
	if !ok["opens"] || ok["integrity"] || ok["rows"] {
		t.Errorf("checks %+v", checks)
	}
	if got, want := connectortest.Seen(t, checks), "integrity: database_damaged\nintegrity: damaged_before\nrows: tables_unread 1 sale"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
}

// A till that died in the middle of a commit left a hot journal. Backing up
// rolls it back, as the till's next start would; checking and planning do not.
func TestConnector_hotJournal(t *testing.T) {
	t.Parallel()
	s := shop(t, t.TempDir(), "delete")
	file := s.Settings[fieldPath]
	want := rowsOf(t, file)
	helper(t, "die", file).wait()
	before := connectortest.Tree(t, filepath.Dir(file))
	if !strings.Contains(before, "-journal") {
		t.Fatal("no journal was left")
	}
	c := newConnector()
	if _, err := c.Check(t.Context(), app.Access{Source: s}); err != nil {
		t.Error(err)
	}
	present, err := c.Present(t.Context(), app.Access{Source: s})
	if err != nil {
		t.Fatal(err)
	}
	safety, _ := connectortest.Collect(t, present)
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(safety), Raw: true}
	if plan, err := c.Plan(t.Context(), r); err != nil || len(plan.Blockers) != 0 || plan.Files != 2 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	if after := connectortest.Tree(t, filepath.Dir(file)); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	dir, _ := connectortest.Collect(t, capture)
	if rowsOf(t, filepath.Join(dir, filepath.Base(file))) != want {
		t.Error("half a commit was captured")
	}
	// The safety point brings the half commit back with its journal, which
	// makes the same of it.
	for range 2 {
		if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
		if got := onlyName(t, filepath.Dir(file)); got != filepath.Base(file)+" "+filepath.Base(file)+"-journal" {
			t.Errorf("put back: %s", got)
		}
	}
	db := till(t, file, "delete")
	do(t, db, `SELECT count(*) FROM sale`)
	closed(t, db)
	if rowsOf(t, file) != want {
		t.Error("not rolled back")
	}
}
