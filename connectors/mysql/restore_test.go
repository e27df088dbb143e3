package mysql

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// shop is a small shop with everything in it that a restore has to take care
// of.
func shop(t *testing.T, s *server) string {
	t.Helper()
	db := s.fresh(t, "shop")
	s.in(t, db,
		"CREATE TABLE customer (id INT PRIMARY KEY AUTO_INCREMENT, name VARCHAR(100))",
		"CREATE TABLE sale (id INT PRIMARY KEY AUTO_INCREMENT, customer INT, amount DECIMAL(10,2), CONSTRAINT fk_sale FOREIGN KEY (customer) REFERENCES customer (id))",
		"CREATE TABLE journal (what TEXT)",
		"INSERT INTO customer (name) VALUES ('Åsa'), ('Örjan 😀'), ('O''Hara')",
		"INSERT INTO sale (customer, amount) SELECT 1 + seq % 3, seq * 1.25 FROM seq_1_to_500",
		"CREATE TRIGGER sold AFTER INSERT ON sale FOR EACH ROW INSERT INTO journal VALUES (CONCAT('sale ', NEW.id))",
		"CREATE VIEW totals AS SELECT customer, SUM(amount) AS total FROM sale GROUP BY customer",
		"CREATE PROCEDURE sell(IN c INT) INSERT INTO sale (customer, amount) VALUES (c, 1)",
		"CREATE EVENT tidy ON SCHEDULE EVERY 1 DAY STARTS '2031-01-01' DO DELETE FROM journal",
	)
	return db
}

// spoil changes what a restore of a shop has to bring back.
func spoil(t *testing.T, s *server, db string) {
	t.Helper()
	s.in(t, db, "UPDATE sale SET amount = 0 WHERE id > 100", "DELETE FROM sale WHERE id > 400", "DROP VIEW totals", "DROP TRIGGER sold", "DROP PROCEDURE sell", "DROP EVENT tidy",
		"CREATE TABLE extra (a INT)", "INSERT INTO extra VALUES (1)", "CREATE TRIGGER other BEFORE INSERT ON sale FOR EACH ROW SET NEW.amount = 1",
		"CREATE VIEW newest AS SELECT MAX(id) AS id FROM sale", "ALTER TABLE customer ADD COLUMN mail TEXT")
}

func TestConnector_restoreCutOff(t *testing.T) {
	t.Parallel()
	steps := []string{"made", "loaded", "prepared", "dropped", "renamed", "exchanged", "discarded", "defined", "cleaning"}
	for _, step := range steps {
		for _, then := range []string{"the same", "another"} {
			t.Run(step+" then "+then, func(t *testing.T) {
				t.Parallel()
				s, c := shared(t), connector(t)
				db := shop(t, s)
				want := s.content(t, db)
				from, stats, _ := point(t, c, s.access(db))
				r := app.Restore{Access: s.access(db), From: from, Stats: stats}
				spoil(t, s, db)
				before := s.content(t, db)

				cut := connector(t)
				cut.step = func(name string) error {
					if name == step {
						return errStopped
					}
					return nil
				}
				if err := cut.Apply(t.Context(), r, connectortest.Silent{}); !errors.Is(err, errStopped) {
					t.Fatalf("apply: %v", err)
				}
				if at := slices.Index(steps, step); at < slices.Index(steps, "dropped") {
					same(t, s.content(t, db), before)
				} else if at > slices.Index(steps, "dropped") {
					if n := s.number(t, "SELECT COUNT(*) FROM "+quote(db)+".sale"); n != 500 {
						t.Errorf("%d sales after the exchange", n)
					}
				}
				if then == "another" {
					// Another point is wanted now: the present state's.
					s2 := s.fresh(t, "other")
					s.in(t, s2, "CREATE TABLE customer (id INT)", "INSERT INTO customer VALUES (9)")
					r.From, r.Stats, _ = point(t, c, s.access(s2))
					want = s.content(t, s2)
				}
				apply(t, c, r)
				same(t, s.content(t, db), want)
				s.nothingBeside(t, db)
			})
		}
	}
}

func TestConnector_restoreFailsWhole(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	spoil(t, s, db)
	before := s.content(t, db)
	broken := t.TempDir()
	if err := os.CopyFS(broken, from); err != nil {
		t.Fatal(err)
	}
	sale := filepath.Join(broken, "tables", "sale.sql")
	b, err := os.ReadFile(sale)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]string{
		"a row lost":     strings.Replace(string(b), "(1,2,1.25),\n", "", 1),
		"cut off":        string(b[:len(b)-200]),
		"not SQL at all": string(b) + "\nnonsense;\n",
	} {
		if damage == string(b) {
			t.Fatalf("%s: nothing damaged", name)
		}
		if err := os.WriteFile(sale, []byte(damage), 0o600); err != nil {
			t.Fatal(err)
		}
		err := c.Apply(t.Context(), app.Restore{Access: s.access(db), From: os.DirFS(broken), Stats: stats}, connectortest.Silent{})
		if err == nil {
			t.Errorf("%s: restored", name)
		}
		same(t, s.content(t, db), before)
		s.nothingBeside(t, db)
	}
}

func TestConnector_restoreWhileTheShopHoldsATable(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	c.lockWait = 1
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	before := s.content(t, db)
	tx, err := s.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE " + quote(db) + ".customer SET name = 'x'"); err != nil {
		t.Fatal(err)
	}
	r := app.Restore{Access: s.access(db), From: from, Stats: stats}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeTargetInUse {
		t.Errorf("apply: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	same(t, s.content(t, db), before)
	s.nothingBeside(t, db)
	restore(t, c, r)
}

func TestConnector_restoreToNewDatabase(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	want := s.content(t, db)
	from, stats, _ := point(t, c, s.access(db))
	spoil(t, s, db)
	before := s.content(t, db)
	other := s.fresh(t, "copy")
	s.exec(t, "DROP DATABASE "+quote(other))
	r := app.Restore{Access: s.access(db), From: from, Stats: stats, Target: app.Target{Database: other}}
	for range 2 {
		restore(t, c, r)
		got := strings.ReplaceAll(s.content(t, other), "enabled:false", "enabled:true")
		same(t, got, strings.ReplaceAll(want, "enabled:false", "enabled:true"))
	}
	if n := s.number(t, "SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ? AND STATUS = 'ENABLED'", other); n != 0 {
		t.Error("an event runs in the copy")
	}
	same(t, s.content(t, db), before)
	s.nothingBeside(t, other)

	s.in(t, other, "UPDATE sale SET amount = 7 WHERE id = 1")
	plan, err := c.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) == 0 || plan.Blockers[0].Code != app.CodeTargetExists {
		t.Errorf("plan %+v, %v", plan, err)
	}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeTargetExists {
		t.Errorf("apply: %v", err)
	}
	for _, name := range []string{db, "mysql", "a\nb", strings.Repeat("x", 65)} {
		r.Target.Database = name
		if _, err := c.Plan(t.Context(), r); app.CodeOf(err) != app.CodeUsage {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestConnector_restoreSingleTables(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	sales := s.number(t, "SELECT CAST(SUM(amount)*100 AS SIGNED) FROM "+quote(db)+".sale")
	spoil(t, s, db)
	s.in(t, db, "UPDATE customer SET name = 'changed'")
	r := app.Restore{Access: s.access(db), From: from, Stats: stats, Paths: []string{"tables/sale.sql"}}
	for range 2 {
		restore(t, c, r)
	}
	if now := s.number(t, "SELECT CAST(SUM(amount)*100 AS SIGNED) FROM "+quote(db)+".sale"); now != sales {
		t.Errorf("sales of %d, had %d", now, sales)
	}
	if n := s.number(t, "SELECT COUNT(*) FROM "+quote(db)+".customer WHERE name = 'changed'"); n != 3 {
		t.Error("another table was restored too")
	}
	for _, refuses := range []string{"INSERT INTO sale (customer, amount) VALUES (99, 1)", "DELETE FROM customer"} {
		if _, err := s.db.Exec(strings.NewReplacer("sale (", quote(db)+".sale (", "FROM customer", "FROM "+quote(db)+".customer").Replace(refuses)); err == nil {
			t.Errorf("the foreign key is gone: %s", refuses)
		}
	}
	s.in(t, db, "INSERT INTO sale (customer, amount) VALUES (1, 1)")
	if n := s.number(t, "SELECT COUNT(*) FROM "+quote(db)+".journal WHERE what LIKE 'sale %'"); n != 1 {
		t.Errorf("the trigger ran %d times", n)
	}
	s.nothingBeside(t, db)

	// What others refer to can't be exchanged alone.
	r.Paths = []string{"tables/customer.sql"}
	plan, err := c.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) == 0 || plan.Blockers[0].Args["table"] != "sale" {
		t.Errorf("plan %+v, %v", plan, err)
	}
	for _, p := range []string{"views.sql", "tables/none.sql"} {
		r.Paths = []string{p}
		if _, err := c.Plan(t.Context(), r); err == nil {
			t.Errorf("%s can be restored", p)
		}
	}
	r.Paths = []string{"tables/customer.sql", "tables/sale.sql"}
	restore(t, c, r)
	if n := s.number(t, "SELECT COUNT(*) FROM "+quote(db)+".customer WHERE name = 'changed'"); n != 0 {
		t.Error("not restored")
	}
}

func TestConnector_restoreToFolder(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	dir := filepath.Join(t.TempDir(), "new", "place")
	r := app.Restore{Access: s.access(db), From: from, Stats: stats, Target: app.Target{Dir: dir}}
	for range 2 {
		restore(t, c, r)
	}
	if a, b := text(t, from), text(t, os.DirFS(dir)); a != b {
		t.Error("the files differ")
	}
	r.Paths, r.Target.Dir = []string{"tables/sale.sql", "views.sql"}, t.TempDir()
	restore(t, c, r)
	if list, err := os.ReadDir(r.Target.Dir); err != nil || len(list) != 2 {
		t.Errorf("%v, %v", list, err)
	}
	if err := os.WriteFile(filepath.Join(r.Target.Dir, "views.sql"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); app.CodeOf(err) != app.CodeTargetExists {
		t.Errorf("apply: %v", err)
	}
	checks, err := c.Verify(t.Context(), r)
	if err != nil || checks[0].OK {
		t.Errorf("%+v, %v", checks, err)
	}
	if got, want := connectortest.Seen(t, checks), "files: files_differ 1 views.sql"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
}

func TestConnector_undo(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	spoil(t, s, db)
	want := s.content(t, db)
	safety := present(t, c, s.access(db))
	restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	for range 2 {
		restore(t, c, app.Restore{Access: s.access(db), From: safety, Raw: true, Remove: created(t, from, safety)})
		same(t, s.content(t, db), want)
	}
}

func TestConnector_undoToNothing(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	s.exec(t, "DROP DATABASE "+quote(db))
	safety := present(t, c, s.access(db))
	restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	for range 2 {
		restore(t, c, app.Restore{Access: s.access(db), From: safety, Raw: true, Remove: created(t, from, safety)})
		if got := s.content(t, db); got != "none" {
			t.Errorf("left: %s", got)
		}
	}
	s.nothingBeside(t, db)
}

func TestConnector_undoSingleTable(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	s.in(t, db, "DROP TABLE journal", "DELETE FROM sale")
	want := s.content(t, db)
	safety := present(t, c, s.access(db))
	paths := []string{"tables/sale.sql", "tables/journal.sql"}
	restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats, Paths: paths})
	restore(t, c, app.Restore{Access: s.access(db), From: safety, Raw: true, Paths: paths, Remove: []string{"tables/journal.sql"}})
	same(t, s.content(t, db), want)
}

func present(t *testing.T, c *Connector, a app.Access) fs.FS {
	t.Helper()
	capture, err := c.Present(t.Context(), a)
	if err != nil {
		t.Fatalf("present: %v", err)
	}
	dir, problems := connectortest.Collect(t, capture)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	return os.DirFS(dir)
}

func created(t *testing.T, point, safety fs.FS) (names []string) {
	t.Helper()
	err := fs.WalkDir(point, ".", func(p string, _ fs.DirEntry, err error) error {
		if err != nil || p == "." {
			return err
		}
		if _, err := fs.Stat(safety, p); errors.Is(err, fs.ErrNotExist) {
			names = append(names, p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestConnector_planReadsOnly(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	spoil(t, s, db)
	before := s.content(t, db)
	plan, err := c.Plan(t.Context(), app.Restore{Access: s.access(db), From: from, Stats: stats})
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Exists || plan.Overwrite != 3 || plan.Create != 0 || plan.Remove != 1 || plan.Bytes <= 0 || plan.Files < 5 || !strings.Contains(plan.Where, db) {
		t.Errorf("plan %+v", plan)
	}
	same(t, s.content(t, db), before)
	s.nothingBeside(t, db)

	// A key from outside would follow the old table away.
	outside := s.fresh(t, "outside")
	s.in(t, outside, "CREATE TABLE o (id INT PRIMARY KEY, FOREIGN KEY (id) REFERENCES "+quote(db)+".customer (id))")
	plan, err = c.Plan(t.Context(), app.Restore{Access: s.access(db), From: from, Stats: stats})
	if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Args["table"] != outside+".o" {
		t.Errorf("plan %+v, %v", plan, err)
	}
	s.exec(t, "DROP DATABASE "+quote(outside))
}
