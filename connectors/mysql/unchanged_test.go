package mysql

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"kvart/app"
)

// collected captures with a marker and reads everything, as a vault would that
// does not hold the point. same are the tables it was told it need not read.
func collected(t *testing.T, c *Connector, a app.Access, since app.Marker) (same []string, read map[string]string, next app.Marker) {
	t.Helper()
	capture, err := c.Capture(t.Context(), a, since)
	if err != nil {
		t.Fatal(err)
	}
	defer capture.Close()
	read = map[string]string{}
	mem := remembered(since)
	for item, err := range capture.Items {
		if err != nil {
			t.Fatal(err)
		}
		if item.Open == nil {
			continue
		}
		r, err := item.Open(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", item.Path, err)
		}
		b, err := io.ReadAll(r)
		if err != nil || r.Close() != nil {
			t.Fatalf("%s: %v", item.Path, err)
		}
		read[item.Path] = string(b)
		name := tableName(item.Path)
		if k, ok := mem.Tables[name]; ok && item.Size == k.Size && item.ModTime.Equal(time.Unix(0, k.Time)) {
			same = append(same, name)
			if int64(len(b)) != k.Size {
				t.Errorf("%s: %d bytes, %d announced", name, len(b), k.Size)
			}
		}
	}
	slices.Sort(same)
	return same, read, capture.Next
}

// A table is taken over only while nothing happened to its rows, however it
// happens, and what is taken over is what would be read.
func TestConnector_takesOverOnlyWhatIsTheSame(t *testing.T) {
	t.Parallel()
	s, c := own(t), connector(t)
	db := s.fresh(t, "same")
	s.in(t, db, "CREATE TABLE parent (id INT PRIMARY KEY)", "CREATE TABLE child (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parent (id) ON DELETE CASCADE)",
		"CREATE TABLE cause (id INT PRIMARY KEY AUTO_INCREMENT)", "CREATE TABLE effect (id INT)", "CREATE TRIGGER tr AFTER INSERT ON cause FOR EACH ROW INSERT INTO effect VALUES (1)",
		"CREATE TABLE halves (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2", "CREATE TABLE isam (id INT) ENGINE=MyISAM")
	tables := []string{"upd", "del", "ins", "emptied", "undone", "numbered", "quiet", "beside"}
	for _, name := range tables {
		s.in(t, db, "CREATE TABLE "+name+" (id INT PRIMARY KEY AUTO_INCREMENT, n INT)", "INSERT INTO "+name+" SELECT seq, 0 FROM seq_1_to_200")
	}
	s.in(t, db, "INSERT INTO parent VALUES (1), (2)", "INSERT INTO child VALUES (1, 1), (2, 2)", "INSERT INTO cause VALUES (1)", "INSERT INTO halves VALUES (1), (2)", "INSERT INTO isam VALUES (1)")
	time.Sleep(4 * time.Second) // times are in seconds, and young ones not trusted
	a := s.access(db)
	_, before, marker := collected(t, c, a, "")
	want := slices.Sorted(slices.Values(append([]string{"parent", "child", "cause", "effect"}, tables...)))
	for _, tt := range []struct {
		sql     []string
		changed []string
	}{
		{[]string{"INSERT INTO halves VALUES (9)", "INSERT INTO isam VALUES (9)"}, nil}, // of those nothing is known
		{[]string{"UPDATE upd SET n = 1 WHERE id = 7"}, []string{"upd"}},
		{[]string{"DELETE FROM del WHERE id = 7"}, []string{"del"}},
		{[]string{"BEGIN", "DELETE FROM ins WHERE id = 7", "INSERT INTO ins VALUES (7, 0)", "COMMIT"}, []string{"ins"}},
		{[]string{"BEGIN", "UPDATE undone SET n = 1", "ROLLBACK"}, []string{"undone"}},
		{[]string{"DELETE FROM parent WHERE id = 1"}, []string{"parent", "child"}},
		{[]string{"INSERT INTO cause VALUES (NULL)"}, []string{"cause", "effect"}},
		{[]string{"TRUNCATE emptied"}, []string{"emptied"}},
		{[]string{"BEGIN", "INSERT INTO numbered VALUES (NULL, 1)", "ROLLBACK"}, []string{"numbered"}},
	} {
		s.in(t, db, tt.sql...)
		same, now, _ := collected(t, c, a, marker)
		want = slices.DeleteFunc(want, func(name string) bool { return slices.Contains(tt.changed, name) })
		// Whether a change that was undone counts is the server's own affair.
		if same = slices.DeleteFunc(same, func(name string) bool { return name == "undone" && !slices.Contains(want, name) }); !slices.Equal(same, want) {
			t.Errorf("%q: the same are %v, want %v", tt.sql, same, want)
		}
		for _, name := range same {
			if now[tableFile(name)] != before[tableFile(name)] {
				t.Errorf("%q: %s was to be taken over and differs", tt.sql, name)
			}
		}
	}
	// It says nothing of tables that are defined anew while it looks elsewhere.
	s.in(t, db, "ALTER TABLE beside ADD COLUMN more INT DEFAULT 3")
	if same, _, _ := collected(t, c, a, marker); len(same) > 0 {
		t.Errorf("after ALTER TABLE the same are %v", same)
	}
	// A restart forgets what the server knew.
	time.Sleep(4 * time.Second)
	_, _, marker = collected(t, c, a, "")
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	_ = s.db.Close()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	same, _, marker := collected(t, c, a, marker)
	if len(same) > 0 {
		t.Errorf("after a restart the same are %v", same)
	}
	// Nobody wrote since: the server has no time for most tables.
	s.in(t, db, "INSERT INTO halves VALUES (10)")
	if same, _, _ = collected(t, c, a, marker); !slices.Contains(same, "quiet") || slices.Contains(same, "halves") || slices.Contains(same, "isam") {
		t.Errorf("untouched since a restart are %v", same)
	}
	s.in(t, db, "UPDATE quiet SET n = 5 WHERE id = 1", "CREATE TABLE other (a INT)")
	if same, _, _ = collected(t, c, a, marker); len(same) > 0 {
		t.Errorf("after CREATE TABLE untouched are %v", same)
	}
}

// A transaction leaves the time behind at which it began: one that began in the
// second of another's, and commits after the point was made, looks the same.
func TestConnector_takesOverNothingOfOpenTransactions(t *testing.T) {
	t.Parallel()
	s, c := own(t), connector(t)
	db := s.fresh(t, "open")
	s.in(t, db, "CREATE TABLE stock (id INT PRIMARY KEY, n INT)", "INSERT INTO stock VALUES (1, 0), (2, 0)", "CREATE TABLE quiet (id INT PRIMARY KEY)", "INSERT INTO quiet VALUES (1)")
	time.Sleep(2 * time.Second)
	conn, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	exec := func(q string) {
		t.Helper()
		if _, err := conn.ExecContext(context.WithoutCancel(t.Context()), q); err != nil {
			t.Fatal(err)
		}
	}
	exec("USE " + quote(db))
	exec("BEGIN")
	exec("UPDATE stock SET n = 7 WHERE id = 1")
	s.in(t, db, "UPDATE stock SET n = 8 WHERE id = 2")
	time.Sleep(4 * time.Second)
	a := s.access(db)
	_, before, marker := collected(t, c, a, "")
	if !strings.Contains(before[tableFile("stock")], "(2,8)") || strings.Contains(before[tableFile("stock")], "(1,7)") {
		t.Fatalf("captured %q", before[tableFile("stock")])
	}
	exec("COMMIT")
	same, now, _ := collected(t, c, a, marker)
	if slices.Contains(same, "stock") || !strings.Contains(now[tableFile("stock")], "(1,7)") {
		t.Errorf("the same are %v, read %q", same, now[tableFile("stock")])
	}
	if !slices.Contains(same, "quiet") {
		t.Errorf("the same are %v, without a table nobody wrote to", same)
	}
}

// Who may not see what is under way dumps everything.
func TestConnector_takesOverNothingUnseen(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := s.fresh(t, "unseen")
	s.in(t, db, "CREATE TABLE a (id INT PRIMARY KEY)", "INSERT INTO a VALUES (1)")
	time.Sleep(4 * time.Second)
	a := s.user(t, db, "nosy", "hemligt", "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON "+quote(db)+".* TO @@", "GRANT SELECT ON mysql.proc TO @@")
	_, _, marker := collected(t, c, a, "")
	if mem := remembered(marker); len(mem.Tables) > 0 {
		t.Errorf("remembered %v", mem)
	}
}

func TestStates_unchanged(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	k := known{Seen: "1 x", Size: 5, Time: now.Add(-time.Hour).UnixNano()}
	mem := tableMemory{Server: "s", Tables: map[string]known{"a": k}}
	marker, err := remembers("v2 1 abc", mem)
	if err != nil || headOf(marker) != "v2 1 abc" || !heldTables(marker) {
		t.Fatalf("%q, %v", marker, err)
	}
	for name, tt := range map[string]struct {
		since app.Marker
		st    states
		at    time.Time
		kept  int
	}{
		"same":         {marker, states{server: "s", seen: map[string]string{"a": "1 x"}}, now, 1},
		"changed":      {marker, states{server: "s", seen: map[string]string{"a": "1 y"}}, now, 0},
		"gone":         {marker, states{server: "s", seen: map[string]string{}}, now, 0},
		"other server": {marker, states{server: "t", seen: map[string]string{"a": "1 x"}}, now, 0},
		"no server":    {marker, states{seen: map[string]string{"a": "1 x"}}, now, 0},
		"a day later":  {marker, states{server: "s", seen: map[string]string{"a": "1 x"}}, now.Add(24 * time.Hour), 0},
		"clock back":   {marker, states{server: "s", seen: map[string]string{"a": "1 x"}}, now.Add(-2 * time.Hour), 0},
		"old marker":   {"v2 1 abc", states{server: "s", seen: map[string]string{"a": "1 x"}}, now, 0},
		"nonsense":     {"v2 1 abc %%", states{server: "s", seen: map[string]string{"a": "1 x"}}, now, 0},
	} {
		if kept := tt.st.unchanged(tt.since, tt.at); len(kept) != tt.kept {
			t.Errorf("%s: %v", name, kept)
		}
	}
}
