package mysql

import (
	"errors"
	"testing"
	"time"

	"kvart/app"
)

func TestConnector_idle(t *testing.T) {
	t.Parallel()
	s, c := own(t), connector(t)
	db := shop(t, s)
	idle := func(next app.Marker) bool {
		t.Helper()
		capture, err := c.Capture(t.Context(), s.access(db), next)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(capture.Close(), capture.Close()); err != nil {
			t.Error(err)
		}
		return capture.Idle
	}
	// What the server still has to do after the last change is done soon.
	settle := func() (next app.Marker) {
		t.Helper()
		for range 60 {
			_, _, next = point(t, c, s.access(db))
			if next == "" {
				t.Fatal("no marker")
			}
			if idle(next) {
				return next
			}
			time.Sleep(500 * time.Millisecond)
		}
		t.Fatal("never idle")
		return ""
	}
	next := settle()
	for range 3 {
		if !idle(next) {
			t.Error("reading counts as a change")
		}
	}
	for _, change := range []string{
		"UPDATE sale SET amount = amount + 1 WHERE id = 1", "INSERT INTO customer (name) VALUES ('x')", "DELETE FROM sale WHERE id = 2", "TRUNCATE journal",
		"ALTER TABLE customer COMMENT = 'new'", "CREATE TABLE n (a INT)", "DROP TABLE n", "CREATE VIEW n AS SELECT 1 AS a", "DROP VIEW n",
		"CREATE TRIGGER n BEFORE INSERT ON customer FOR EACH ROW SET NEW.name = 'x'", "DROP TRIGGER n", "CREATE PROCEDURE n() SELECT 1", "ALTER PROCEDURE n COMMENT 'x'", "DROP PROCEDURE n",
		"ALTER EVENT tidy DISABLE", "ALTER EVENT tidy ENABLE", "ALTER DATABASE CHARACTER SET latin1",
	} {
		s.in(t, db, change)
		if idle(next) {
			t.Errorf("idle after %s", change)
		}
		next = settle()
	}
	// A server that went down may have lost what was captured, and count on
	// from where it was before.
	s.in(t, db, "UPDATE sale SET amount = amount + 1 WHERE id = 1")
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = s.db.Close()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	if idle(next) {
		t.Error("idle after a restart")
	}
	// MyISAM tables are in no log.
	s.in(t, db, "CREATE TABLE isam (a INT) ENGINE=MyISAM", "INSERT INTO isam VALUES (1)")
	if _, _, next = point(t, c, s.access(db)); next != "" {
		t.Error("a marker with a table changed a moment ago")
	}
	time.Sleep(3 * time.Second)
	next = settle()
	s.in(t, db, "UPDATE isam SET a = 2")
	if idle(next) {
		t.Error("idle after a change of a MyISAM table")
	}
	s.in(t, db, "CREATE TABLE mem (a INT) ENGINE=MEMORY")
	if _, _, next = point(t, c, s.access(db)); next != "" {
		t.Error("a marker with a table nothing is known of")
	}
}

func TestConnector_lockMyISAM(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	s.in(t, db, "CREATE TABLE isam (a INT) ENGINE=MyISAM", "INSERT INTO isam VALUES (1)")
	a := s.access(db)
	a.Source.Settings[fieldLock] = "true"
	from, stats, _ := point(t, c, a)
	if stats["table.isam"] != 1 {
		t.Errorf("stats %v", stats)
	}
	s.in(t, db, "INSERT INTO isam VALUES (2)") // let go again
	restore(t, c, app.Restore{Access: a, From: from, Stats: stats})
	info, err := c.Check(t.Context(), a)
	if err != nil || info.Details["not_transactional"] != "isam" {
		t.Errorf("%+v, %v", info, err)
	}
}
