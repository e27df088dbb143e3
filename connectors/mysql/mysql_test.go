package mysql

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kvart/app"
)

// sakila loads the sample shop of MySQL's.
func sakila(t *testing.T, s *server) string {
	t.Helper()
	db := s.fresh(t, "sakila")
	for _, part := range []string{"schema", "data"} {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "data", "sakila-mariadb-"+part+".sql"))
		if err != nil {
			t.Skipf("KVART-SKIP: no sample data: %v", err)
		}
		sql := strings.NewReplacer("DROP SCHEMA IF EXISTS sakila;", "", "CREATE SCHEMA sakila;", "", "USE sakila;", "", "sakila.", "").Replace(string(b))
		s.pipe(t, db, sql)
	}
	return db
}

// dataTypes is a database with every type of column, and what else is hard to
// bring back.
func dataTypes(t *testing.T, s *server) string {
	t.Helper()
	db := s.fresh(t, "types")
	s.in(t, db,
		"SET NAMES utf8mb4", "SET sql_mode = ''", "SET foreign_key_checks = 0",
		"CREATE TABLE `every type` (id BIGINT UNSIGNED PRIMARY KEY AUTO_INCREMENT, ti TINYINT, si SMALLINT, mi MEDIUMINT, b1 BIT(1), b64 BIT(64), bo BOOLEAN,"+
			" d DECIMAL(65,30), f FLOAT, db DOUBLE, da DATE, ti6 TIME(6), dt DATETIME(6), ts TIMESTAMP NULL, y YEAR, c CHAR(10), v VARCHAR(200), bi BINARY(8), vb VARBINARY(20),"+
			" tb TINYBLOB, bl LONGBLOB, tt TINYTEXT, lt LONGTEXT, e ENUM('å','b''','c,d'), st SET('x','y','z'), j JSON, g GEOMETRY, p POINT, po POLYGON, u UUID, i6 INET6,"+
			" gs INT AS (ti * 2) STORED, gv VARCHAR(20) AS (CONCAT(c, '!')) VIRTUAL, KEY (gs)) CHARACTER SET utf8mb4 COMMENT 'it''s; -- Table structure for table `x`'",
		"INSERT INTO `every type` (ti, si, mi, b1, b64, bo, d, f, db, da, ti6, dt, ts, y, c, v, bi, vb, tb, bl, tt, lt, e, st, j, g, p, po, u, i6) VALUES"+
			" (-128, 32767, -8388608, b'1', b'1000000000000000000000000000000000000000000000000000000000000001', 1, '-12345678901234567890.123456789012345678901234567890', 1.17549e-38, 2.2250738585072014e-308,"+
			" '0000-00-00', '-838:59:59.000001', '0000-00-00 00:00:00', '1970-01-02 00:00:01', 1901, 'å', '😀 4 bytes', 0x0001FF00, 0x00270A0D1A5C22, 0x00, 0x00FF27225C0A0D1A, '', 'a\\nb\\r\\0\\Z\\\\ '' \" \\n-- Table structure for table `y`\\n',"+
			" 'b''', 'x,z', '{\"a\": \"\\\\u00e5\"}', ST_GeomFromText('POINT(1 2)', 4326), POINT(3,4), ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))'), '123e4567-e89b-12d3-a456-426614174000', '::1'),"+
			" (127, NULL, 0, b'0', 0, 0, 0, -0.0, 1.7976931348623157e308, '9999-12-31', '00:00:00', '2024-02-30 12:00:00.123456', NULL, 2155, '', '   ', '', '', NULL, NULL, NULL, NULL, 'å', '', 'null', NULL, NULL, NULL, NULL, NULL)",
		"CREATE TABLE latin (t VARCHAR(50), UNIQUE (t)) CHARACTER SET latin1",
		"INSERT INTO latin VALUES ('smörgåsbord'), ('€ \x7f')",
		"CREATE TABLE utf16 (t VARCHAR(50)) CHARACTER SET utf16", "INSERT INTO utf16 VALUES ('smörgås 😀')",
		"CREATE TABLE `we``ird;'\"\\ name` (`col``umn` INT PRIMARY KEY, `-- x` INT)", "INSERT INTO `we``ird;'\"\\ name` VALUES (1, 2), (0, 3)",
		"CREATE TABLE `a/b:c*` (a INT)", "INSERT INTO `a/b:c*` VALUES (7)",
		"CREATE TABLE `tom` (a INT) COMMENT='empty'",
		"CREATE TABLE zero (id INT AUTO_INCREMENT PRIMARY KEY, d DATE DEFAULT '0000-00-00')", "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO'", "INSERT INTO zero VALUES (0, '0000-00-00'), (5, NULL)", "SET sql_mode = ''",
		"CREATE TABLE parent (id INT PRIMARY KEY, up INT, CONSTRAINT self FOREIGN KEY (up) REFERENCES parent (id))",
		"CREATE TABLE child (id INT PRIMARY KEY, p INT, CONSTRAINT fk_child FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE, CHECK (id > 0))",
		"CREATE TABLE aaa_before (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id))",
		"INSERT INTO parent VALUES (1, 2), (2, 1)", "INSERT INTO child VALUES (1, 1), (2, 2)", "INSERT INTO aaa_before VALUES (1, 2)",
		"CREATE TABLE parts (id INT, y INT) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (2000), PARTITION p1 VALUES LESS THAN MAXVALUE)", "INSERT INTO parts VALUES (1, 1999), (2, 2024)",
		"CREATE TABLE isam (id INT PRIMARY KEY, t TEXT, FULLTEXT (t)) ENGINE=MyISAM", "INSERT INTO isam VALUES (1, 'one'), (2, 'two')",
		"CREATE TABLE aria (id INT PRIMARY KEY) ENGINE=Aria", "INSERT INTO aria VALUES (1)",
		"CREATE SEQUENCE numbers START WITH 100 INCREMENT BY 5", "DO NEXTVAL(numbers), NEXTVAL(numbers)",
		"CREATE TABLE numbered (id INT DEFAULT NEXTVAL(numbers), t TEXT)", "INSERT INTO numbered (t) VALUES ('a')",
		"CREATE VIEW b_view AS SELECT * FROM child",
	)
	definitions(t, s, db)
	s.in(t, db, "SET NAMES utf8mb4", "CREATE VIEW a_view AS SELECT id, 'smörgås 😀' AS t FROM b_view WHERE double_it(id) > 0")
	return db
}

// definitions makes one of everything that is no table.
func definitions(t *testing.T, s *server, db string) {
	t.Helper()
	s.in(t, db,
		"SET NAMES utf8mb4", "SET sql_mode = 'STRICT_ALL_TABLES,PIPES_AS_CONCAT'",
		"CREATE FUNCTION double_it(n INT) RETURNS INT DETERMINISTIC\nBEGIN\n-- Table structure for table `child`\n-- FUNCTION `other`\n  DECLARE s TEXT DEFAULT ';; å 😀 -- ';\n  RETURN n * 2; -- ;;\nEND -- last",
		"CREATE PROCEDURE `odd ``proc`(IN x INT, OUT y INT) COMMENT 'it''s' BEGIN /* DELIMITER ;; */ SET y = x; SET @q = 'a' || 'b'; END",
		"SET sql_mode = ''",
		"CREATE TRIGGER child_first BEFORE INSERT ON child FOR EACH ROW SET NEW.p = IFNULL(NEW.p, 1)",
		"CREATE TRIGGER child_second BEFORE INSERT ON child FOR EACH ROW FOLLOWS child_first BEGIN IF NEW.id < 0 THEN SET NEW.id = -NEW.id; END IF; END",
		"CREATE TRIGGER child_gone AFTER DELETE ON child FOR EACH ROW INSERT INTO tom VALUES (OLD.id)",
		"CREATE EVENT nightly ON SCHEDULE EVERY 1 DAY STARTS '2031-01-01 03:00:00' COMMENT 'ON COMPLETION' DO DELETE FROM tom WHERE a < 0",
		"CREATE EVENT asleep ON SCHEDULE EVERY 1 HOUR ON COMPLETION PRESERVE DISABLE DO SELECT 1",
		"SET sql_mode = 'ORACLE'",
		"CREATE PACKAGE pack AS FUNCTION one RETURN INT; END", "CREATE PACKAGE BODY pack AS FUNCTION one RETURN INT AS BEGIN RETURN 1; END; END",
	)
}

func TestConnector_roundTrip(t *testing.T) {
	t.Parallel()
	for name, make := range map[string]func(*testing.T, *server) string{"sakila": sakila, "every type": dataTypes} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, c := shared(t), connector(t)
			db := make(t, s)
			want := s.content(t, db)
			from, stats, _ := point(t, c, s.access(db))
			for key, n := range stats {
				if table, ok := strings.CutPrefix(key, statTable); ok {
					if now := s.number(t, "SELECT COUNT(*) FROM "+quote(db)+"."+quote(table)); n != now {
						t.Errorf("%s: %d rows counted, has %d", table, n, now)
					}
				}
			}

			// A developer without Kvart.
			by := s.fresh(t, "byhand")
			s.pipe(t, by, text(t, from))
			// A default of a sequence names its database, also in a dump.
			same(t, strings.ReplaceAll(s.content(t, by), "`"+db+"`.", "`«db»`."), want)

			// Over a ruined database.
			s.ruin(t, db)
			r := app.Restore{Access: s.access(db), From: from, Stats: stats}
			for range 2 {
				restore(t, c, r)
				same(t, s.content(t, db), want)
			}
			s.nothingBeside(t, db)

			// Where none is left, and into a new one.
			s.exec(t, "DROP DATABASE "+quote(db))
			restore(t, c, r)
			same(t, s.content(t, db), want)
			again, _, _ := point(t, c, s.access(db))
			if a, b := text(t, from), text(t, again); a != b {
				same(t, b, a)
			}
		})
	}
}

// ruin does to a database what makes an owner restore.
func (s *server) ruin(t *testing.T, db string) {
	t.Helper()
	s.in(t, db, "SET foreign_key_checks = 0", "CREATE TABLE intruder (a INT)", "CREATE VIEW stray AS SELECT 1 AS x", "CREATE PROCEDURE stray() SELECT 1",
		"CREATE TRIGGER stray BEFORE INSERT ON intruder FOR EACH ROW SET NEW.a = 1", "ALTER DATABASE CHARACTER SET latin1")
	rows, err := s.db.Query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME <> 'intruder' ORDER BY 1", db)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			t.Fatal(err)
		}
		names = append(names, n)
	}
	for i, n := range names {
		if i%2 == 0 {
			s.in(t, db, "SET foreign_key_checks = 0", "DELETE FROM "+quote(n))
		}
	}
	s.in(t, db, "SET foreign_key_checks = 0", "DROP TABLE "+quote(names[len(names)-1]))
}

func (s *server) nothingBeside(t *testing.T, db string) {
	t.Helper()
	if n := s.number(t, "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN (?, ?)", beside(db, newSuffix), beside(db, oldSuffix)); n != 0 {
		t.Errorf("%d databases left beside %s", n, db)
	}
}

func TestConnector_layout(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := dataTypes(t, s)
	from, _, _ := point(t, c, s.access(db))
	for _, name := range []string{fileDatabase, fileRoutines, fileSequences, "tables/child.sql", "tables/a%2Fb%3Ac%2A.sql", fileTriggers, fileViews, fileEvents, fileEnd} {
		if fi, err := fs.Stat(from, name); err != nil || fi.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	b, err := fs.ReadFile(from, "tables/child.sql")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), "-- Table structure for table"); n != 1 || strings.Contains(string(b), "TRIGGER") || strings.Contains(string(b), "parent` VALUES") {
		t.Errorf("the table's file holds more than the table:\n%s", b)
	}
	end, err := fs.ReadFile(from, fileEnd)
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(end)), "-- Dump completed") {
		t.Errorf("the end is %q, %v", end, err)
	}
}
