//go:build unix

package postgres

import (
	"context"
	"slices"
	"strings"
	"testing"

	"kvart/app"
)

// TestGranter makes the one user there is, so its parts run one after the
// other.
func TestGranter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Cleanup(func() { // after the databases, in which it has rights
		w.dropAll()
		w.on("postgres", "DROP ROLE IF EXISTS kvart_backup; DROP ROLE IF EXISTS half_"+w.name+"; DROP ROLE IF EXISTS boss_"+w.name)
	})
	shop(w)
	w.on("postgres", "CREATE ROLE boss_"+w.name+" CREATEDB; ALTER DATABASE "+w.name+" OWNER TO boss_"+w.name)
	w.do(`CREATE SCHEMA more; CREATE TABLE more.t (x serial); INSERT INTO more.t DEFAULT VALUES; ALTER TABLE goods ENABLE ROW LEVEL SECURITY;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$; CREATE TRIGGER stamped BEFORE INSERT ON sale FOR EACH ROW EXECUTE FUNCTION stamp()`)
	made := func(password string) app.Access {
		return w.tcp(map[string]string{fieldUser: app.BackupUser}, password)
	}
	rights := func(a app.Access) app.Rights {
		t.Helper()
		r, err := w.c.Rights(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}

	r := rights(w.access())
	if r.User != "admin" || !slices.Equal(r.Excess, []string{"SUPERUSER"}) || len(r.Missing) > 0 || !strings.HasPrefix(r.Statements[0], `CREATE ROLE "kvart_backup" LOGIN BYPASSRLS PASSWORD '<password>'`) {
		t.Errorf("admin: %+v", r)
	}
	// An administrator who may not give what he has not got leaves nobody behind.
	w.on("postgres", "CREATE ROLE half_"+w.name+" LOGIN CREATEROLE")
	if err := w.c.MakeUser(t.Context(), w.tcp(map[string]string{fieldUser: "half_" + w.name}, ""), app.NewSecret("x"), false); app.CodeOf(err) != app.CodeSourceRight {
		t.Errorf("half an administrator: %v", err)
	}
	if n := w.one("SELECT count(*)::text FROM pg_roles WHERE rolname = 'kvart_backup'"); n != "0" {
		t.Error("half a user is left behind")
	}
	if err := w.c.MakeUser(t.Context(), w.access(), app.NewSecret("first word"), false); err != nil {
		t.Fatal(err)
	}
	if r := rights(made("first word")); r.User != app.BackupUser || len(r.Missing)+len(r.Excess) > 0 || !strings.HasPrefix(r.Statements[0], "ALTER ROLE") {
		t.Errorf("made: %+v", r)
	}
	w.writesNothing(made("first word"))
	if err := w.c.MakeUser(t.Context(), w.access(), app.NewSecret("second"), false); err != nil {
		t.Fatal(err)
	}
	_, err := w.c.Check(t.Context(), made("first word"))
	wantCode(t, err, app.CodeSourceDenied, "")
	if err := w.c.MakeUser(t.Context(), w.access(), app.NewSecret("lösen"), false); err == nil {
		t.Error("a password that another program would send otherwise is taken")
	}

	want := w.dump(w.name)
	w.user = app.BackupUser
	point, stats, _ := w.point()
	w.user = "admin"
	r = rights(w.access())
	copied := w.restore(point, stats)
	copied.Target.Database = w.name + "_copy"
	w.apply(copied)
	same(t, strings.ReplaceAll(w.dump(copied.Target.Database), copied.Target.Database, w.name), want)

	blocked := w.restore(point, stats)
	blocked.Access = made("second")
	if plan, err := w.c.Plan(t.Context(), blocked); err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeSourceRight ||
		plan.Blockers[0].Args["statement"] != strings.Join(r.Restoring, " ") {
		t.Errorf("before it may restore: %+v, %v", plan, err)
	}
	blocked.Paths = []string{"20-data/sale.sql"}
	if plan, err := w.c.Plan(t.Context(), blocked); err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeSourceRight {
		t.Errorf("before it may restore a table: %+v, %v", plan, err)
	}
	owners := "SELECT string_agg(relname || ' ' || pg_get_userbyid(relowner), ', ' ORDER BY relname) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
	w.do("ALTER TABLE sale OWNER TO boss_" + w.name)
	whose := w.one(owners)
	w.user = app.BackupUser
	point, stats, _ = w.point()
	w.user = "admin"
	if err := w.c.MakeUser(t.Context(), w.access(), app.NewSecret("third"), true); err != nil {
		t.Fatal(err)
	}
	if r := rights(made("third")); !slices.Contains(r.Excess, "CREATEDB") || !slices.Contains(r.Excess, "OWNER OF DATABASE "+w.name) || !slices.Contains(r.Excess, "pg_signal_backend") {
		t.Errorf("may restore: %+v", r)
	}
	allowed, allowedStats, _ := w.point()
	w.do("DELETE FROM sale")
	w.user = app.BackupUser
	w.apply(w.restore(point, stats))
	w.user = "admin"
	if n := w.one("SELECT count(*)::text FROM sale"); n != "300" {
		t.Errorf("%s sales", n)
	}
	if now := w.one(owners); now != whose {
		t.Errorf("tables belonged to %s and belong to %s", whose, now)
	}
	w.do("CREATE TABLE left_over (a integer); ALTER TABLE left_over OWNER TO kvart_backup")
	if err := w.c.MakeUser(t.Context(), w.access(), app.NewSecret("fourth"), false); err != nil {
		t.Fatal(err)
	}
	if r := rights(made("fourth")); len(r.Missing)+len(r.Excess) > 0 {
		t.Errorf("taken away: %+v", r)
	}
	w.writesNothing(made("fourth"))
	w.apply(w.restore(allowed, allowedStats)) // of when it might restore
	w.writesNothing(made("fourth"))
	w.user = app.BackupUser
	point, stats, _ = w.point()
	w.user = "admin"

	// On the bad day there may be no database at all.
	w.on("postgres", "DROP DATABASE "+w.name)
	if err := w.c.MakeUser(t.Context(), w.access(), app.NewSecret("fifth"), false); app.CodeOf(err) != app.CodeSourceGone {
		t.Errorf("a user that only reads, of nothing: %v", err)
	}
	if err := w.c.MakeUser(t.Context(), w.access(), app.NewSecret("fifth"), true); err != nil {
		t.Fatal(err)
	}
	w.user = app.BackupUser
	w.apply(w.restore(point, stats))
	w.user = "admin"
	if n := w.one("SELECT count(*)::text FROM sale"); n != "300" {
		t.Errorf("%s sales", n)
	}
	if err := w.c.MakeUser(t.Context(), w.access(), app.NewSecret("sixth"), false); err != nil {
		t.Fatal(err)
	}
	w.writesNothing(made("sixth"))
}

// writesNothing has a user try.
func (w *world) writesNothing(a app.Access) {
	w.t.Helper()
	l, err := w.c.open(w.t.Context(), a)
	if err != nil {
		w.t.Fatal(err)
	}
	conn, err := l.connect(w.t.Context(), w.name)
	if err != nil {
		w.t.Fatal(err)
	}
	defer l.let(context.WithoutCancel(w.t.Context()), conn)
	for _, q := range []string{
		"INSERT INTO public.goods (name) VALUES ('x')", "UPDATE public.sale SET n = 2", "DELETE FROM public.sale", "TRUNCATE public.sale", "DROP TABLE public.sale",
		"SELECT pg_catalog.setval('public.sale_id_seq', 1)", "SELECT pg_catalog.lo_put(99, 0, 'y')", "CREATE SCHEMA x", "CREATE TABLE more.x (a integer)", "CREATE DATABASE x_" + w.name,
		"CREATE ROLE mallory", "COPY public.sale TO PROGRAM 'cat'", "SELECT pg_catalog.pg_read_file('PG_VERSION')", "DROP DATABASE " + w.name, "ALTER ROLE kvart_backup CREATEDB",
	} {
		err := perform(w.t.Context(), conn, q)
		if err == nil {
			w.t.Errorf("%s: allowed", q)
		} else if s := sqlState(err); s != "42501" && s != "55006" {
			w.t.Errorf("%s: %v", q, err)
		}
	}
}

// Before version 14 rights are given schema by schema, also on what comes
// later.
func TestNeeds_statementsOfOldServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	t.Cleanup(func() {
		w.dropAll()
		w.on("postgres", "DROP ROLE old_"+w.name)
	})
	shop(w)
	w.do("CREATE SCHEMA more; CREATE TABLE more.t (x serial)")
	l, err := w.c.open(t.Context(), w.access())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := l.connect(t.Context(), w.name)
	if err != nil {
		t.Fatal(err)
	}
	defer l.let(context.WithoutCancel(t.Context()), conn)
	n, err := l.needs(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	n.server, n.known = 13, false
	all := strings.Join(n.statements("x"), "\n")
	if strings.Contains(all, "pg_read_all_data") || strings.Contains(all, "BYPASSRLS") {
		t.Error(all)
	}
	w.do(strings.ReplaceAll(all, ident(app.BackupUser), "old_"+w.name))
	w.do("CREATE TABLE more.later (y serial); INSERT INTO more.later DEFAULT VALUES")
	w.user = "old_" + w.name
	r, err := w.c.Rights(t.Context(), w.access())
	if err != nil || len(r.Missing)+len(r.Excess) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, stats, _ := w.point(); stats["table.more.later"] != 1 {
		t.Errorf("stats %v", stats)
	}
}

func TestRights_missing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := "reader_" + w.name
	t.Cleanup(func() {
		w.dropAll()
		w.on("postgres", "DROP ROLE "+reader)
	})
	shop(w)
	w.do("ALTER TABLE goods ENABLE ROW LEVEL SECURITY")
	w.on(w.name, "CREATE ROLE "+reader+" LOGIN; GRANT SELECT, INSERT ON sale TO "+reader+"; GRANT SELECT ON goods TO "+reader)
	w.user = reader
	r, err := w.c.Rights(t.Context(), w.access())
	if err != nil || !slices.Equal(r.Missing, []string{"SELECT ON goods_id_seq", "SELECT ON sale_id_seq", "SELECT ON LARGE OBJECT 99", "BYPASSRLS"}) || !slices.Equal(r.Excess, []string{"INSERT"}) {
		t.Errorf("%+v, %v", r, err)
	}
	w.user = "admin"
}
