package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// twoShops makes a till's database and one that it attaches, beside it as in a
// point.
func twoShops(t *testing.T, dir, journal, other string) app.Source {
	t.Helper()
	s := shop(t, dir, journal)
	lager := filepath.Join(dir, "till", "with", "lager.db")
	made(t, filepath.Dir(lager))
	db := till(t, lager, other)
	do(t, db, `CREATE TABLE artikel (id INTEGER PRIMARY KEY, n INTEGER)`, `INSERT INTO artikel (n) VALUES (1), (2), (3)`)
	closed(t, db)
	s.Settings[fieldWith] = "\n " + lager + "\n"
	return s
}

func lagerOf(s app.Source) string { return strings.TrimSpace(s.Settings[fieldWith]) }

// Databases that belong together go through everything one does.
func TestConnector_together(t *testing.T) {
	t.Parallel()
	for _, modes := range [][2]string{{"wal", "wal"}, {"delete", "delete"}, {"persist", "wal"}} {
		t.Run(modes[0]+" and "+modes[1], func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Harness{
				New:    func(*testing.T) app.Connector { return newConnector() },
				Source: func(t *testing.T, dir string) app.Source { return twoShops(t, dir, modes[0], modes[1]) },
				Path:   func(s app.Source) string { return s.Settings[fieldPath] },
				Change: func(t *testing.T, s app.Source) {
					db := till(t, s.Settings[fieldPath], modes[0])
					do(t, db, `ATTACH '`+filepath.Join(filepath.Dir(s.Settings[fieldPath]), "with", "lager.db")+`' AS l`, `BEGIN`, `UPDATE product SET price = price + 1 WHERE id < 9`, `INSERT INTO l.artikel (n) VALUES (4)`, `COMMIT`)
					closed(t, db)
				},
				Content: func(t *testing.T, path string) string {
					return rowsOf(t, path) + rowsOf(t, filepath.Join(filepath.Dir(path), "with", "lager.db"))
				},
			})
		})
	}
}

// Rows of every database are counted, and the attached one's are looked at
// after a restore as well.
func TestConnector_together_verify(t *testing.T) {
	t.Parallel()
	s := twoShops(t, t.TempDir(), "delete", "wal")
	c := newConnector()
	info, err := c.Check(t.Context(), app.Access{Source: s})
	if err != nil || info.Files != 2 || info.Details["with"] != "1" {
		t.Errorf("check %+v, %v", info, err)
	}
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	point, _ := connectortest.Collect(t, capture)
	if st := capture.Stats(); st["table.product"] != 300 || st["table.with/lager.db/artikel"] != 3 {
		t.Errorf("stats %v", st)
	}
	if left, _ := filepath.Glob(filepath.Join(point, "*", "*-*")); len(left) > 0 {
		t.Errorf("in the point: %v", left)
	}
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point), Stats: capture.Stats(), Target: app.Target{Dir: filepath.Join(t.TempDir(), "drill")}}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	db := till(t, filepath.Join(r.Target.Dir, "with", "lager.db"), "delete")
	do(t, db, `DELETE FROM artikel WHERE n = 2`)
	closed(t, db)
	checks, err := c.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	bad := 0
	for _, ch := range checks {
		if !ch.OK {
			bad++
			if !strings.HasPrefix(ch.Detail, "lager.db: ") || ch.Part != "lager.db" {
				t.Errorf("check %+v", ch)
			}
		}
	}
	if bad != 1 || len(checks) != 6 {
		t.Errorf("%d of %d checks failed", bad, len(checks))
	}
	if got, want := connectortest.Seen(t, checks), "rows: rows_missing 1 artikel"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
}

// A restore while a program has only the second database open stops before it
// changed either.
func TestConnector_together_inUse(t *testing.T) {
	t.Parallel()
	s := twoShops(t, t.TempDir(), "delete", "delete")
	c := newConnector()
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	point, _ := connectortest.Collect(t, capture)
	c.lockWait = 50 * time.Millisecond
	p := helper(t, "lock", lagerOf(s))
	p.line()
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point)}
	plan, err := c.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeTargetInUse || plan.Overwrite != 2 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	before := connectortest.Tree(t, filepath.Dir(s.Settings[fieldPath]))
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeTargetInUse {
		t.Errorf("apply: %v", err)
	}
	if connectortest.Tree(t, filepath.Dir(s.Settings[fieldPath])) != before {
		t.Error("something was changed")
	}
}

// Where nothing that is open can be replaced, as on Windows, the first database
// stays locked while the second is waited for, and no program gets in between.
func TestConnector_together_heldTogether(t *testing.T) {
	t.Parallel()
	s := twoShops(t, t.TempDir(), "delete", "delete")
	c := newConnector()
	c.heldStay = true
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	point, _ := connectortest.Collect(t, capture)
	db := till(t, s.Settings[fieldPath], "delete")
	do(t, db, `UPDATE product SET price = 0`, `PRAGMA busy_timeout = 0`)
	closedOut := func() bool {
		_, err := db.ExecContext(t.Context(), `UPDATE product SET price = price`)
		if err != nil && !locked(err) {
			t.Fatal(err)
		}
		return err != nil
	}
	p := helper(t, "lock", lagerOf(s))
	p.line()
	done := make(chan error, 1)
	go func() {
		done <- c.Apply(t.Context(), app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point)}, connectortest.Silent{})
	}()
	for !closedOut() {
		select {
		case err := <-done:
			t.Fatalf("ended while the second was in use: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	for i := range 30 {
		if !closedOut() {
			t.Errorf("the first was let go after %d looks, while the second was waited for", i)
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	closed(t, db)
	p.stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got, want := rowsOf(t, s.Settings[fieldPath]), rowsOf(t, filepath.Join(point, filepath.Base(s.Settings[fieldPath]))); got != want {
		t.Errorf("restored %q, want %q", got, want)
	}
}

// beTogether commits the same number to two databases, again and again.
func beTogether(file, journal string, end chan struct{}, say func(string)) error {
	first, second, _ := strings.Cut(journal, "+")
	db, err := sql.Open("sqlite3", "file:"+file+"?_busy_timeout=15000&_sync=NORMAL&_txlock=immediate")
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	defer db.Close()
	for _, q := range []string{`ATTACH '` + file + `-2' AS b`, `PRAGMA main.journal_mode = ` + first, `PRAGMA b.journal_mode = ` + second} {
		if _, err := db.Exec(q); err != nil {
			return err
		}
	}
	say("ready")
	for n := 1; ; n++ {
		select {
		case <-end:
			say(fmt.Sprint(n))
			return nil
		default:
		}
		tx, err := db.Begin()
		if err != nil {
			return err
		}
		for _, q := range []string{
			`UPDATE main.t SET n = n + 1`, `UPDATE b.t SET n = n + 1`,
			`UPDATE main.pad SET b = randomblob(3000) WHERE id % 11 = ` + fmt.Sprint(n%11), `UPDATE b.pad SET b = randomblob(3000) WHERE id % 11 = ` + fmt.Sprint(n%11),
		} {
			if _, err := tx.Exec(q); err != nil {
				return err
			}
		}
		if err := tx.Commit(); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
}

// pair makes two databases for beTogether.
func pair(t *testing.T) app.Source {
	t.Helper()
	file := filepath.Join(t.TempDir(), "a.db")
	for _, f := range []string{file, file + "-2"} {
		db := till(t, f, "delete")
		do(t, db, `CREATE TABLE t (n INTEGER)`, `INSERT INTO t VALUES (0)`, `CREATE TABLE pad (id INTEGER PRIMARY KEY, b BLOB)`,
			`WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM x WHERE i < 100) INSERT INTO pad (b) SELECT randomblob(3000) FROM x`)
		closed(t, db)
	}
	s := sourceAt(file)
	s.Settings[fieldWith] = file + "-2"
	return s
}

func number(t *testing.T, file string) (n int64) {
	t.Helper()
	db, err := open(t.Context(), file, immutable)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, db)
	if err := db.one(t.Context(), `SELECT n FROM t`, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// agreed captures a pair and returns the number both hold.
func agreed(t *testing.T, c *Connector, s app.Source) int64 {
	t.Helper()
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	point, _ := connectortest.Collect(t, capture)
	a, b := number(t, filepath.Join(point, "a.db")), number(t, filepath.Join(point, "with", "a.db-2"))
	if a != b {
		t.Errorf("torn: %d and %d", a, b)
	}
	healthy(t, filepath.Join(point, "a.db"))
	healthy(t, filepath.Join(point, "with", "a.db-2"))
	return a
}

// While a program writes across both, every capture has both of one commit.
func TestConnector_together_besideWritingTill(t *testing.T) {
	t.Parallel()
	for _, modes := range []string{"delete+delete", "wal+wal", "wal+delete", "truncate+persist"} {
		t.Run(modes, func(t *testing.T) {
			t.Parallel()
			s := pair(t)
			c := newConnector()
			p := helper(t, "together "+modes, s.Settings[fieldPath])
			p.line()
			moved := map[int64]bool{}
			for range 25 {
				moved[agreed(t, c, s)] = true
			}
			p.stop()
			if len(moved) < 5 {
				t.Errorf("only %d different states were seen", len(moved))
			}
		})
	}
}

// A program that is killed in the middle of a commit across both leaves both to
// be rolled back, or neither.
func TestConnector_together_afterKill(t *testing.T) {
	t.Parallel()
	s := pair(t)
	c := newConnector()
	for i := range 12 {
		p := helper(t, "together delete+delete", s.Settings[fieldPath])
		p.line()
		time.Sleep(time.Duration(7*i%40) * time.Millisecond)
		if err := p.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		p.ended = true
		p.stdin.Close()
		_ = p.cmd.Wait() // it ended as killed
		agreed(t, c, s)
	}
}

// What can't be held together is refused, and says so before the first backup.
func TestConnector_together_refused(t *testing.T) {
	t.Parallel()
	s := twoShops(t, t.TempDir(), "wal", "delete")
	check := func(name string, c *Connector, with string, code app.Code) {
		t.Helper()
		a := app.Access{Source: sourceAt(s.Settings[fieldPath])}
		a.Source.Settings[fieldWith] = with
		_, err := c.Check(t.Context(), a)
		if e := app.AsError(err); e == nil || e.Code != code || code == app.CodeUsage && e.Args["field"] != fieldWith {
			t.Errorf("%s: check %v", name, err)
		}
		if _, err := c.Capture(t.Context(), a, ""); app.CodeOf(err) != code {
			t.Errorf("%s: capture %v", name, err)
		}
	}
	c := newConnector()
	check("itself", c, s.Settings[fieldPath], app.CodeUsage)
	check("twice", c, lagerOf(s)+"\n"+lagerOf(s), app.CodeUsage)
	check("no full path", c, "lager.db", app.CodeUsage)
	check("missing", c, lagerOf(s)+"2", app.CodeSourceMissing)
	var many []string
	for i := range mostWith + 1 {
		many = append(many, fmt.Sprintf("%s-%d", lagerOf(s), i))
	}
	check("too many", c, strings.Join(many, "\n"), app.CodeUsage)
	share := newConnector()
	share.remote = func(string) bool { return true }
	check("WAL on a share", share, lagerOf(s), app.CodeUsage)
	put(t, lagerOf(s), noise(t, 8192))
	check("encrypted", c, lagerOf(s), app.CodeSourceEncrypted)
	removed(t, lagerOf(s))
	put(t, lagerOf(s), nil)
	a := app.Access{Source: s}
	capture, err := c.Capture(t.Context(), a, "2:8192,8192:00")
	if app.CodeOf(err) != app.CodeSourceDamaged {
		t.Errorf("emptied: %v, %v", capture, err)
	}
}

func TestFreeName(t *testing.T) {
	t.Parallel()
	all := []member{{name: "a.db"}}
	for _, want := range []string{"with/a.db", "with/a-2.db", "with/A-3.db"} {
		name := freeName(all, map[bool]string{true: "A.db", false: "a.db"}[want == "with/A-3.db"])
		if name != want {
			t.Errorf("%s, want %s", name, want)
		}
		all = append(all, member{name: name})
	}
}
