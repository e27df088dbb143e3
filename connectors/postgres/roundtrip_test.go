//go:build unix

package postgres

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_everythingComesBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoo(t, w)
	want := w.dump(w.name)
	point, stats, _ := w.point()
	for key, n := range map[string]int64{"table.product": 502, "table.sale_2023": 856, "table.Lager.product": 1, "table.nothing": 2, "large_objects": 3} {
		if stats[key] != n {
			t.Errorf("%s: %d, want %d", key, stats[key], n)
		}
	}
	r := w.restore(point, stats)
	r.Target.Database = w.name + "_copy"
	checks := w.apply(r)
	if !slices.ContainsFunc(checks, func(c app.Check) bool { return strings.Contains(c.Detail, "indexes checked") }) {
		t.Errorf("the indexes were not looked into: %+v", checks)
	}
	same(t, w.dump(r.Target.Database), want)
	same(t, databaseLine(w, r.Target.Database), databaseLine(w, w.name))
	if again := w.dump(w.name); again != want {
		t.Error("the source was touched")
	}
}

// databaseLine describes what is set for a database as a whole.
func databaseLine(w *world, name string) string {
	lines := w.column("postgres", `SELECT concat_ws('|', pg_get_userbyid(datdba), encoding, datcollate, datctype, datconnlimit, ARRAY(SELECT unnest(datacl)::text ORDER BY 1),
  (SELECT string_agg(s.setrole::regrole || ARRAY(SELECT unnest(s.setconfig) ORDER BY 1)::text, ';' ORDER BY s.setrole) FROM pg_db_role_setting s WHERE s.setdatabase = d.oid))
FROM pg_database d WHERE datname = '`+name+`'`)
	comment := strings.Join(w.column("postgres", "SELECT COALESCE(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = '"+name+"'"), "")
	_, own := cutMark(comment)
	return strings.Join(append(lines, own), "\n")
}

// TestConnector_filesLoadWithPsql shows that a point needs nobody but psql.
func TestConnector_filesLoadWithPsql(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoo(t, w)
	point, _, _ := w.point()
	other := w.name + "_psql"
	w.on("postgres", "CREATE DATABASE "+other+" TEMPLATE template0")
	list, err := files(os.DirFS(point))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-o", os.DevNull, "-d", w.dsn(other)}
	for _, f := range list {
		args = append(args, "-f", filepath.Join(point, filepath.FromSlash(f.name)))
	}
	if out, err := exec.Command(filepath.Join(testBin, "psql"), args...).CombinedOutput(); err != nil {
		t.Fatalf("psql: %v\n%s", err, out)
	}
	same(t, w.dump(other), w.dump(w.name))
	same(t, databaseLine(w, other), databaseLine(w, w.name))
}

func TestConnector_sakila(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	sakila(t, w)
	want := w.dump(w.name)
	point, stats, _ := w.point()
	if stats["table.rental"] != 16044 || stats["table.film"] != 1000 {
		t.Errorf("stats %v", stats)
	}
	w.do("DELETE FROM film_actor; DROP TABLE rental CASCADE; UPDATE customer SET first_name = 'X'")
	r := w.restore(point, stats)
	w.apply(r)
	same(t, w.dump(w.name), want)
	if n := w.column("postgres", "SELECT datname FROM pg_database WHERE datname LIKE '"+w.name+"\\_kvart%'"); len(n) != 0 {
		t.Errorf("left behind: %v", n)
	}
	if c := w.column("postgres", "SELECT COALESCE(shobj_description(oid, 'pg_database'), '') FROM pg_database WHERE datname = '"+w.name+"'"); c[0] != "" {
		t.Errorf("comment %q", c)
	}
}

// sakila loads a video shop's database.
func sakila(t *testing.T, w *world) {
	t.Helper()
	for _, part := range []string{"schema", "data"} {
		file := filepath.Join("..", "..", "..", "shared", "data", "sakila-postgres-"+part+".sql")
		if _, err := os.Stat(file); err != nil {
			t.Skip("KVART-SKIP: no example data: " + err.Error())
		}
		cmd := exec.Command(filepath.Join(testBin, "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=0", "-o", os.DevNull, "-d", w.dsn(w.name), "-f", file)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("load %s: %v: %.2000s", part, err, out)
		}
	}
}

func TestConnector_sameStateSameFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	zoo(t, w)
	first, _, _ := w.point()
	w.do("UPDATE product SET price = price + 1 WHERE id = 1")
	second, _, _ := w.point()
	list, err := files(os.DirFS(first))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.name == fileRoles {
			continue // other tests' come and go
		}
		a, err1 := os.ReadFile(filepath.Join(first, f.name))
		b, err2 := os.ReadFile(filepath.Join(second, f.name))
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if equal := string(a) == string(b); equal == (f.name == "20-data/product.sql") {
			t.Errorf("%s: equal %v", f.name, equal)
		}
	}
}

func TestConnector_toFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE a (x integer); INSERT INTO a VALUES (1); CREATE TABLE b (x integer)")
	point, stats, _ := w.point()
	r := w.restore(point, stats)
	r.Target.Dir = filepath.Join(t.TempDir(), "new", "place")
	r.Paths = []string{"20-data/a.sql"}
	w.apply(r)
	r.Paths = nil
	for range 2 {
		if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
		w.verify(r)
	}
	if a, b := connectortest.Tree(t, point), connectortest.Tree(t, r.Target.Dir); strings.Count(a, "\n") != strings.Count(b, "\n") {
		t.Errorf("point:\n%s\nfolder:\n%s", a, b)
	}
	if err := os.WriteFile(filepath.Join(r.Target.Dir, "20-data", "a.sql"), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	wantCode(t, w.c.Apply(t.Context(), r, connectortest.Silent{}), app.CodeTargetExists, "")
	plan, err := w.c.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) == 0 || plan.Blockers[0].Code != app.CodeTargetExists {
		t.Errorf("plan %+v, %v", plan, err)
	}
	r.Paths = []string{"20-data/none.sql"}
	wantCode(t, w.c.Apply(t.Context(), r, connectortest.Silent{}), app.CodePathUnknown, "")
}

func TestConnector_encodings(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"SQL_ASCII", "LATIN1", "WIN1252", "EUC_JP"} {
		t.Run(encoding, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "ENCODING '"+encoding+"' LC_COLLATE 'C' LC_CTYPE 'C'")
			conn := w.connect(w.name)
			defer func() { _ = conn.Close(t.Context()) }()
			name := map[string]string{"SQL_ASCII": "br\xe5te", "LATIN1": "br\xe5te", "WIN1252": "br\xe5te", "EUC_JP": "\xa4\xa2"}[encoding]
			sql := "SET client_encoding = '" + encoding + "'; CREATE TABLE \"" + name + "\" (x text); COMMENT ON TABLE \"" + name + "\" IS '" + name + "'; INSERT INTO \"" + name + "\" VALUES ('" + name + "')"
			if encoding == "SQL_ASCII" {
				sql += ", (E'\\200\\377\\001'), ('caf\xc3\xa9')"
			}
			if encoding == "WIN1252" {
				sql += ", (E'\\x81')" // which no other encoding has
			}
			if err := perform(t.Context(), conn, sql); err != nil {
				t.Fatal(err)
			}
			want := w.dump(w.name)
			point, stats, _ := w.point()
			if raw, err := json.Marshal(stats); err != nil || !json.Valid(raw) {
				t.Errorf("stats %q", fmt.Sprint(stats))
			}
			w.do("CREATE TABLE later (x integer)")
			w.apply(w.restore(point, stats))
			same(t, w.dump(w.name), want)
		})
	}
}
