package mysql

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_lockedTable(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	c.lockWait = time.Second
	db := shop(t, s)
	for name, lock := range map[string]string{
		"for writing": "LOCK TABLES " + quote(db) + ".sale WRITE",
		"by the disk": "FLUSH TABLES " + quote(db) + ".journal WITH READ LOCK", // may be read
	} {
		conn, err := s.db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.ExecContext(t.Context(), lock); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		capture, err := c.Capture(t.Context(), s.access(db), "")
		if want := map[bool]app.Code{true: app.CodeSourceLocked}[name == "for writing"]; app.CodeOf(err) != want {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			connectortest.Collect(t, capture)
		}
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("%s: waited %s", name, took)
		}
		if _, err := conn.ExecContext(t.Context(), "UNLOCK TABLES"); err != nil {
			t.Error(err)
		}
		_ = conn.Close()
	}
	if left, _ := filepath.Glob(filepath.Join(c.temp(), spoolPrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	point(t, c, s.access(db))
}

// The server's files may not grow any more, as on a full disk.
func TestConnector_restoreToFullServer(t *testing.T) {
	t.Parallel()
	s, c := own(t, "--innodb-file-per-table=0", "--innodb-data-file-path=ibdata1:12M:autoextend:max:24M"), connector(t)
	db := shop(t, s)
	s.in(t, db, "CREATE TABLE big (id INT PRIMARY KEY, t LONGTEXT)", "INSERT INTO big SELECT seq, REPEAT(MD5(seq), 90) FROM seq_1_to_2000")
	before := s.content(t, db)
	from, stats, _ := point(t, c, s.access(db))
	err := c.Apply(t.Context(), app.Restore{Access: s.access(db), From: from, Stats: stats}, connectortest.Silent{})
	if app.CodeOf(err) != app.CodeTargetFull {
		t.Fatalf("%v", err)
	}
	// Such a server may not even be able to drop what was loaded: the next
	// restore does.
	same(t, s.content(t, db), before)
	// What a full server can't hold twice is backed up all the same.
	point(t, c, s.access(db))
}

// A program that is not strict may have sent more than its tables take.
func TestConnector_fourBytesInThree(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := s.fresh(t, "utf8mb3")
	s.in(t, db, "SET sql_mode = ''", "ALTER DATABASE "+quote(db)+" CHARACTER SET utf8mb3",
		"CREATE TABLE three (id INT PRIMARY KEY, t VARCHAR(50), m VARCHAR(50) CHARACTER SET utf8mb4, b BLOB) CHARACTER SET utf8mb3",
		"INSERT INTO three VALUES (1, 'kopp 😀 blå', 'kopp 😀 blå', 'kopp 😀 blå'), (2, CONCAT('a', CHAR(0xE28099 USING utf8mb3)), '’', NULL)",
		"CREATE VIEW lost AS SELECT t, '😀' AS four FROM three WHERE m LIKE '%😀%'",
		"CREATE PROCEDURE say() SELECT '😀 åäö'")
	want := s.content(t, db)
	if !strings.Contains(want, "😀") {
		t.Fatal("nothing of four bytes to lose")
	}
	from, stats, _ := point(t, c, s.access(db))
	s.in(t, db, "DROP TABLE three", "DROP VIEW lost", "DROP PROCEDURE say")
	restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	same(t, s.content(t, db), want)
}

// A row may be larger than what the server hands out today.
func TestConnector_rowOverThePacket(t *testing.T) {
	t.Parallel()
	s, c := own(t, "--max-allowed-packet=64M"), connector(t)
	db := s.fresh(t, "packet")
	s.in(t, db, "CREATE TABLE big (id INT PRIMARY KEY, b LONGBLOB)", "INSERT INTO big VALUES (1, REPEAT('x', 20000000)), (2, 'y')")
	want := s.content(t, db)
	s.exec(t, "SET GLOBAL max_allowed_packet = 1048576")
	from, stats, _ := point(t, c, s.access(db)) // all of it, or an error: never less
	if stats["table.big"] != 2 {
		t.Fatalf("stats %v", stats)
	}
	s.in(t, db, "TRUNCATE big")
	restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	same(t, s.content(t, db), want)
}

// Where the clock of the server stands, and its time zone, is no matter: times
// are moments.
func TestConnector_otherTimeZone(t *testing.T) {
	t.Parallel()
	s, c := own(t, "--default-time-zone=-03:30"), connector(t)
	db := s.fresh(t, "zone")
	s.in(t, db, "CREATE TABLE sold (id INT PRIMARY KEY, at TIMESTAMP NOT NULL, wall DATETIME)",
		"INSERT INTO sold VALUES (1, FROM_UNIXTIME(1700000000), '2023-11-14 22:13:20'), (2, FROM_UNIXTIME(1711846800), '2024-03-31 02:30:00')",
		"CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY STARTS '2031-01-01 03:00:00' DO DELETE FROM sold WHERE id < 0")
	from, stats, _ := point(t, c, s.access(db))
	s.exec(t, "SET GLOBAL time_zone = '+12:45'")
	s.in(t, db, "DROP TABLE sold", "DROP EVENT tidy")
	restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	if n := s.number(t, "SELECT COUNT(*) FROM "+quote(db)+".sold WHERE UNIX_TIMESTAMP(at) IN (1700000000, 1711846800) AND wall IN ('2023-11-14 22:13:20', '2024-03-31 02:30:00')"); n != 2 {
		t.Errorf("%d times are the same", n)
	}
}
