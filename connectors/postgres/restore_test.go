//go:build unix

package postgres

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_applyTwiceIsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	want := w.dump(w.name)
	point, stats, _ := w.point()
	w.do("DELETE FROM sale")
	r := w.restore(point, stats)
	for range 2 {
		if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
		same(t, w.dump(w.name), want)
	}
	// The shop went on before the second Apply, as after a crash in between:
	// what it sold stays.
	w.do("INSERT INTO sale (goods, n) VALUES (1, 77)")
	if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	if n := w.one("SELECT count(*)::text FROM sale WHERE n = 77"); n != "1" {
		t.Errorf("%s sales made since", n)
	}
	if old := w.column("postgres", "SELECT datname FROM pg_database WHERE datname = '"+w.name+"_kvart_old'"); len(old) != 1 {
		t.Error("the old database is gone before anybody verified")
	}
	checks := w.verify(r)
	if !slices.ContainsFunc(checks, func(c app.Check) bool { return strings.Contains(c.Detail, "since") }) {
		t.Errorf("checks %+v", checks)
	}
	if old := w.column("postgres", "SELECT datname FROM pg_database WHERE datname = '"+w.name+"_kvart_old'"); len(old) != 0 {
		t.Error("the old database is still there")
	}
	// A new restore of the same point is one, not the old one done.
	w.collectPresent()
	w.apply(r)
	same(t, w.dump(w.name), want)
}

// collectPresent makes a safety point.
func (w *world) collectPresent() string {
	w.t.Helper()
	c, err := w.c.Present(w.t.Context(), w.access())
	if err != nil {
		w.t.Fatalf("present: %v", err)
	}
	dir, problems := connectortest.Collect(w.t, c)
	if len(problems) > 0 {
		w.t.Fatalf("problems: %v", problems)
	}
	return dir
}

func TestConnector_restoreAgainBeforeVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	want := w.dump(w.name)
	point, stats, _ := w.point()
	r := w.restore(point, stats)
	if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	w.do("DELETE FROM sale")
	w.collectPresent() // begins another restore
	w.apply(r)
	same(t, w.dump(w.name), want)
}

func TestConnector_undo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	point, stats, _ := w.point()
	w.do("DELETE FROM sale WHERE id > 100; CREATE TABLE later (x integer)")
	want := w.dump(w.name)
	safety := w.collectPresent()
	w.apply(w.restore(point, stats))
	undo := w.restore(safety, nil)
	undo.Raw, undo.Remove = true, []string{"20-data/x.sql"}
	w.collectPresent()
	for range 2 {
		if err := w.c.Apply(t.Context(), undo, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
		same(t, w.dump(w.name), want)
	}
	if n := w.column("postgres", "SELECT datname FROM pg_database WHERE datname LIKE '"+w.name+"\\_kvart%'"); len(n) != 0 {
		t.Errorf("left behind: %v", n)
	}
}

func TestConnector_lostDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	want := w.dump(w.name)
	point, stats, next := w.point()
	w.on("postgres", "DROP DATABASE "+w.name)
	_, err := w.c.Capture(t.Context(), w.access(), next)
	wantCode(t, err, app.CodeSourceGone, "")
	_, err = w.c.Check(t.Context(), w.access())
	wantCode(t, err, app.CodeSourceGone, "")
	safety := w.collectPresent()
	w.apply(w.restore(point, stats))
	same(t, w.dump(w.name), want)
	undo := w.restore(safety, nil)
	undo.Raw = true
	for range 2 {
		if err := w.c.Apply(t.Context(), undo, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
	}
	_, err = w.c.Check(t.Context(), w.access())
	wantCode(t, err, app.CodeSourceGone, "")
}

func TestConnector_restoreEndsConnections(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	point, stats, _ := w.point()
	// A shop's program that connects again as soon as it is thrown out.
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	defer work.Wait()
	defer cancel()
	for range 3 {
		work.Go(func() {
			for ctx.Err() == nil {
				conn, err := (&link{c: w.c, settings: settings{socket: w.dir, port: w.port, user: "admin", database: w.name, tls: tlsPrefer}}).connect(ctx, w.name)
				if err == nil {
					err = perform(ctx, conn, "SET application_name = 'Kassan'")
				}
				for err == nil {
					_, err = one[int64](ctx, conn, "SELECT count(*) FROM goods")
				}
				if conn != nil {
					_ = conn.Close(context.Background())
				}
			}
		})
	}
	r := w.restore(point, stats)
	plan, err := w.c.Plan(t.Context(), r)
	// a busy computer takes a while to connect
	for start := time.Now(); err == nil && len(plan.Warnings) == 0 && time.Since(start) < time.Minute; {
		time.Sleep(50 * time.Millisecond)
		plan, err = w.c.Plan(t.Context(), r)
	}
	if err != nil || len(plan.Blockers) > 0 || len(plan.Warnings) != 1 || !plan.Exists || plan.Overwrite != 2 || plan.Create != 0 {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	if e := plan.Warnings[0]; e.Code != app.CodeTargetOpen || e.Args["programs"] != "Kassan" || e.Args["hosts"] != "localhost" || e.Args["users"] != "admin" {
		t.Errorf("warning %v", e.Args)
	}
	w.apply(r)
}

func TestConnector_toNewDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	want := w.dump(w.name)
	point, stats, _ := w.point()
	w.do("DELETE FROM sale")
	changed := w.dump(w.name)
	r := w.restore(point, stats)
	r.Target.Database = w.name + "_Ny åäö " + strings.Repeat("x", 30)
	w.apply(r)
	if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); err != nil { // again, as after a crash
		t.Fatal(err)
	}
	same(t, w.dump(r.Target.Database), want)
	same(t, w.dump(w.name), changed)
	r.Target.Database = w.name
	wantCode(t, w.c.Apply(t.Context(), r, connectortest.Silent{}), app.CodeTargetExists, "")
	plan, err := w.c.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) == 0 || plan.Blockers[0].Code != app.CodeTargetExists {
		t.Errorf("plan %+v, %v", plan, err)
	}
}

func TestConnector_tables(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoo(t, w)
	want := w.dump(w.name)
	point, stats, _ := w.point()
	w.do(`UPDATE loop_b SET a = NULL; DELETE FROM sale WHERE n = 1; UPDATE product SET price = 0; UPDATE "PRODUCT" SET x = 2; INSERT INTO customer (mail) VALUES ('c@d')`)
	r := w.restore(point, stats)
	r.Paths = []string{"20-data/sale_2024_one.sql", "20-data/sale_2023.sql", "20-data/product.sql", "20-data/loop_b.sql", "20-data/PRODUCT~2.sql"}
	w.apply(r)
	w.apply(r)
	w.do("DELETE FROM customer WHERE mail = 'c@d'; SELECT setval('customer_id_seq', 4000)")
	// Constraints that were there NOT VALID are so again.
	same(t, w.dump(w.name), want)
	r.Paths = []string{"10-schema.sql"}
	wantCode(t, w.c.Apply(t.Context(), r, connectortest.Silent{}), app.CodePathUnknown, "")
}

func TestConnector_tableThatFitsNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	point, stats, _ := w.point()
	w.do("DELETE FROM goods WHERE id = 5")
	before := w.dump(w.name)
	r := w.restore(point, stats)
	r.Paths = []string{"20-data/sale.sql"} // sells goods that are gone
	if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); sqlState(err) != "23503" {
		t.Errorf("got %v", err)
	}
	same(t, w.dump(w.name), before)
}

func TestConnector_insideIsAllOrNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.limited("")
	shop(w)
	point, stats, _ := w.point()
	w.do("DELETE FROM sale")
	before := w.dump(w.name)
	stats["table.sale"]++
	r := w.restore(point, stats)
	wantCode(t, w.c.Apply(t.Context(), r, connectortest.Silent{}), app.CodeCheckFailed, "")
	same(t, w.dump(w.name), before)
}

func TestConnector_wrongPointChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	before := w.dump(w.name)
	whole, stats, _ := w.point()
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"a row too few":   func(t *testing.T, dir string) { replace(t, dir+"/20-data/goods.sql", "7\tg7\n", "") },
		"no end of rows":  func(t *testing.T, dir string) { replace(t, dir+"/20-data/goods.sql", "\\.\n", "") },
		"no table":        func(t *testing.T, dir string) { remove(t, dir+"/20-data/sale.sql") },
		"no schema":       func(t *testing.T, dir string) { remove(t, dir+"/10-schema.sql") },
		"schema cut off":  func(t *testing.T, dir string) { replace(t, dir+"/90-after.sql", dumpTrailer, "--") },
		"objects cut off": func(t *testing.T, dir string) { replace(t, dir+"/40-large-objects.sql", objectsTrailer, "--") },
		"an order to psql": func(t *testing.T, dir string) {
			replace(t, dir+"/10-schema.sql", "SET lock_timeout = 0;", "\\! touch /tmp/x\n")
		},
		"a wrong sequence": func(t *testing.T, dir string) {
			replace(t, dir+"/30-sequences.sql", "SELECT pg_catalog.setval(", "SELECT pg_catalog.length('x' || ")
		},
		"not a description": func(t *testing.T, dir string) { replace(t, dir+"/database.json", "{", "[") },
	} {
		point := t.TempDir()
		if err := os.CopyFS(point, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		spoil(t, point)
		if err := w.c.Apply(t.Context(), w.restore(point, stats), connectortest.Silent{}); err == nil {
			t.Errorf("%s: no error", name)
		}
		same(t, w.dump(w.name), before)
		if n := w.column("postgres", "SELECT datname FROM pg_database WHERE datname LIKE '"+w.name+"\\_kvart%'"); len(n) != 0 {
			t.Errorf("%s: left behind: %v", name, n)
		}
	}
}

func replace(t *testing.T, path, old, new string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(b), old, new, 1)
	if changed == string(b) {
		t.Fatalf("%s holds no %q", path, old)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestConnector_undoOfATable takes a table that was gone away again.
func TestConnector_undoOfATable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	point, stats, _ := w.point()
	w.do("DROP TABLE sale; DELETE FROM goods WHERE id > 10")
	want := w.dump(w.name)
	safety := w.collectPresent()
	r := w.restore(point, stats)
	r.Paths = []string{"20-data/sale.sql", "20-data/goods.sql"}
	w.apply(r)
	if n := w.one("SELECT (SELECT count(*) FROM sale) || ' ' || (SELECT count(*) FROM goods)"); n != "300 300" {
		t.Errorf("got %s", n)
	}
	undo := w.restore(safety, nil)
	undo.Raw, undo.Paths, undo.Remove = true, r.Paths, []string{"20-data/sale.sql"}
	for range 2 {
		if err := w.c.Apply(t.Context(), undo, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
		same(t, w.dump(w.name), want)
	}
}

func TestConnector_sorting(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "LOCALE_PROVIDER icu ICU_LOCALE 'sv-SE' LC_COLLATE 'C.UTF-8' LC_CTYPE 'C.UTF-8'")
	shop(w)
	want := w.dump(w.name)
	point, stats, _ := w.point()
	w.apply(w.restore(point, stats))
	same(t, w.dump(w.name), want)
	if got := strings.Join(w.column("postgres", "SELECT datlocprovider::text || ' ' || daticulocale FROM pg_database WHERE datname = '"+w.name+"'"), ""); got != "i sv-SE" {
		t.Errorf("sorted by %s", got)
	}
	// A system that has another name for it, or does not know it at all.
	replace(t, point+"/"+fileInfo, `"provider": "i"`, `"provider": "c"`)
	replace(t, point+"/"+fileInfo, `"collate": "C.UTF-8"`, `"collate": "Swedish_Sweden.1252"`)
	r := w.restore(point, stats)
	r.Target.Database = w.name + "_elsewhere"
	w.apply(r)
	same(t, w.dump(r.Target.Database), want)
}

// A connection that the user may not end keeps databases from being exchanged:
// that is said before anything is done.
func TestPlan_connectionsThatStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	point, stats, _ := w.point()
	owner := "owner_" + w.name
	w.on("postgres", "CREATE ROLE "+owner+" LOGIN CREATEDB; ALTER DATABASE "+w.name+" OWNER TO "+owner)
	t.Cleanup(func() {
		w.dropAll()
		w.on("postgres", "DROP ROLE "+owner)
	})
	conn := w.connect(w.name) // as a superuser
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	w.user = owner
	plan, err := w.c.Plan(t.Context(), w.restore(point, stats))
	if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeTargetInUse || plan.Blockers[0].Args["program"] != "admin" || len(plan.Warnings) > 0 {
		t.Errorf("plan %+v, %v", plan, err)
	}
	w.user = "admin"
	plan, err = w.c.Plan(t.Context(), w.restore(point, stats))
	if err != nil || len(plan.Blockers) > 0 || len(plan.Warnings) != 1 {
		t.Errorf("plan %+v, %v", plan, err)
	}
}
