//go:build unix

package postgres

import (
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// Rows are counted and indexes looked into over as many connections as the server
// gives, and what that took is gone afterwards, whoever uses the database.
func TestJob_survey(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]bool{"sound": false, "damaged": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := spoilt(t, "CREATE TABLE other (n int UNIQUE); INSERT INTO other SELECT generate_series(1, 2000)")
			if !bad {
				w.do("REINDEX INDEX sale_pkey")
			}
			l, conn := linked(t, w)
			gone := *l
			gone.port++
			stats := app.Stats{"table.sale": 3, "table.other": 2000}
			for _, tt := range []struct {
				how  string
				l    *link
				want expected
				ok   bool
				says string
			}{
				{"alone", l, expected{alone: true}, !bad, "2 indexes checked"},
				{"alone, one connection", &gone, expected{alone: true}, !bad, "2 indexes checked"},
				{"in use", l, expected{}, !bad, "2 indexes checked"},
				{"in use, one connection", &gone, expected{}, !bad, "2 indexes checked"},
				{"in a transaction", l, expected{brief: true}, true, "no invalid indexes"},
				{"looked into before", l, expected{looked: true}, true, "no invalid indexes; indexes checked before the switch"},
			} {
				tt.want.stats = stats
				rows, check, err := (&job{link: tt.l}).survey(t.Context(), conn, tt.want)
				if err != nil || check.OK != tt.ok || check.Code != checkIntegrity || tt.ok && check.Detail != tt.says {
					t.Errorf("%s: %+v, %v", tt.how, check, err)
				}
				if got := connectortest.Seen(t, []app.Check{check}); !tt.ok && got != "integrity: database_damaged" {
					t.Errorf("%s: the owner is told %q", tt.how, got)
				}
				// The server plans no count of a table whose index it can't read.
				told, total := "", int64(2003)
				if bad {
					told, total = "rows: tables_unread 1 sale", 2000
				}
				if got := connectortest.Seen(t, []app.Check{rows}); got != told || rows.Counted != (app.Counted{Tables: 2, Rows: total}) {
					t.Errorf("%s: told %q of %+v", tt.how, got, rows)
				}
				if left := w.column(w.name, "SELECT extname FROM pg_extension WHERE extname = 'amcheck' UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'kvart%'"); len(left) != 0 {
					t.Errorf("%s: left in the database: %s", tt.how, left)
				}
			}
		})
	}
}

// A table that can't be counted, has too many rows or is missing is told of,
// whichever connection came upon it.
func TestJob_survey_wrongRows(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(`CREATE TABLE sale (id int); INSERT INTO sale VALUES (1), (2); CREATE TABLE goods (id int); CREATE TABLE staff (id int);
		CREATE ROLE ` + w.name + `_clerk; ALTER TABLE staff OWNER TO ` + w.name + `_clerk`)
	t.Cleanup(func() { w.do("DROP OWNED BY " + w.name + "_clerk; DROP ROLE " + w.name + "_clerk") })
	l, conn := linked(t, w)
	if err := perform(t.Context(), conn, "GRANT SELECT ON public.sale, public.goods TO "+w.name+"_clerk; REVOKE SELECT ON public.staff FROM "+w.name+"_clerk; SET ROLE "+w.name+"_clerk"); err != nil {
		t.Fatal(err)
	}
	gone := *l
	gone.port++
	want := expected{stats: app.Stats{"table.sale": 3, "table.goods": 0, "table.staff": 0, "table.till": 5}, alone: true}
	rows, check, err := (&job{link: &gone}).survey(t.Context(), conn, want)
	if err != nil || rows.OK || rows.Counted != (app.Counted{Tables: 3, Rows: 2}) {
		t.Fatalf("%+v, %v", rows, err)
	}
	for _, says := range []string{"sale: 2 rows, 3 expected", "staff: ERROR: permission denied", "till: missing, 5 rows expected"} {
		if !strings.Contains(rows.Detail, says) {
			t.Errorf("%q is not in %q", says, rows.Detail)
		}
	}
	if !check.OK || len(check.Seen) != 1 || check.Seen[0].Code != app.SeenIndexesUnseen {
		t.Errorf("a user who may not look into indexes: %+v", check)
	}
}

// A database's own amcheck is used where it lies, and stays.
func TestJob_survey_ownAmcheck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do(`CREATE SCHEMA "Åsas"; CREATE EXTENSION amcheck SCHEMA "Åsas"; CREATE TABLE sale (id int PRIMARY KEY)`)
	l, conn := linked(t, w)
	for _, alone := range []bool{true, false} {
		_, check, err := (&job{link: l}).survey(t.Context(), conn, expected{stats: app.Stats{"table.sale": 0}, alone: alone})
		if err != nil || !check.OK || check.Detail != "1 indexes checked" {
			t.Errorf("alone %v: %+v, %v", alone, check, err)
		}
	}
	if got := w.column(w.name, `SELECT n.nspname FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'amcheck'`); len(got) != 1 || got[0] != "Åsas" {
		t.Errorf("the database's own amcheck is in %s", got)
	}
}

// A shop's event trigger that keeps a book of what is made has no more in it after
// a restore than before; one that refuses it makes no database look damaged.
func TestConnector_restore_eventTriggers(t *testing.T) {
	t.Parallel()
	for name, does := range map[string]string{"keeps a book": "INSERT INTO public.made VALUES (tg_tag)", "refuses": "RAISE EXCEPTION 'not here'"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.do(`CREATE TABLE made (what text); CREATE TABLE sale (id int PRIMARY KEY); INSERT INTO sale VALUES (1);
				CREATE FUNCTION note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN ` + does + `; END $$;
				CREATE EVENT TRIGGER noted ON ddl_command_end EXECUTE FUNCTION note()`)
			point, stats, _ := w.point()
			w.do("DELETE FROM sale")
			for _, check := range w.apply(w.restore(point, stats)) {
				seen := []app.Seen{{Code: app.SeenIndexesUnseen}}
				if name == "keeps a book" {
					seen = []app.Seen{{Code: app.SeenIndexesBefore}}
				}
				if check.Code == checkIntegrity && !reflect.DeepEqual(check.Seen, seen) {
					t.Errorf("%+v", check)
				}
			}
			if n := w.one("SELECT count(*)::text FROM made"); n != "0" {
				t.Errorf("%s things noted", n)
			}
		})
	}
}

// What was counted before the database took its place is not counted again: what
// the shop has written since is no fault of the restore.
func TestConnector_verify_writtenSince(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop(w)
	point, stats, _ := w.point()
	rows := int64(0)
	for key, n := range stats {
		if strings.HasPrefix(key, statTable) {
			rows += n
		}
	}
	w.do("DELETE FROM sale")
	r := w.restore(point, stats)
	if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	w.do("INSERT INTO sale (goods, n) VALUES (1, 77)")
	for _, check := range w.verify(r) {
		if !check.OK {
			t.Errorf("%+v", check)
		}
		if check.Code == checkRows && (check.Counted.Rows != rows || len(check.Seen) != 1 || check.Seen[0].Code != app.SeenRowsBefore) {
			t.Errorf("of %d rows: %+v", rows, check)
		}
	}
	if n := w.one("SELECT count(*)::text FROM sale WHERE n = 77"); n != "1" {
		t.Errorf("%s sales made since", n)
	}
	// The restore is over with that: what is there now is counted.
	checks, err := w.c.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	for _, check := range checks {
		if check.Code == checkRows && (check.OK || !strings.Contains(check.Detail, "sale: ")) {
			t.Errorf("a sale more than in the point: %+v", check)
		}
	}
}

// What is told of after the switch is true: a table that is gone is missing, and
// indexes that nobody looked into, or another process did, are not called looked into.
func TestConnector_verify_afterTheSwitch(t *testing.T) {
	t.Parallel()
	seen := func(checks []app.Check, code string) (out []app.SeenCode) {
		for _, c := range checks {
			for _, s := range c.Seen {
				if c.Code == code {
					out = append(out, s.Code)
				}
			}
		}
		return out
	}
	for _, tt := range []struct {
		how, before, after string
		anew               bool
		rows, indexes      app.SeenCode
	}{
		{"untouched", "", "", false, app.SeenRowsBefore, app.SeenIndexesBefore},
		{"after a restart", "", "", true, app.SeenRowsBefore, app.SeenIndexesRight},
		{"no room for amcheck", "CREATE SCHEMA kvart_amcheck", "", false, app.SeenRowsBefore, app.SeenIndexesUnseen},
		{"a table gone", "", "DROP TABLE sale", false, app.SeenTablesMissing, app.SeenIndexesBefore},
	} {
		t.Run(tt.how, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.do("CREATE TABLE sale (id int PRIMARY KEY); INSERT INTO sale VALUES (1); CREATE TABLE goods (id int);" + tt.before)
			point, stats, _ := w.point()
			r := w.restore(point, stats)
			if err := w.c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
				t.Fatal(err)
			}
			if tt.after != "" {
				w.do(tt.after)
			}
			c := w.c
			if tt.anew {
				c = New(slog.New(slog.DiscardHandler))
				c.Folders = []string{testBin}
			}
			checks, err := c.Verify(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if rows, indexes := seen(checks, checkRows), seen(checks, checkIntegrity); !slices.Equal(rows, []app.SeenCode{tt.rows}) || !slices.Equal(indexes, []app.SeenCode{tt.indexes}) {
				t.Errorf("rows %s, indexes %s: %+v", rows, indexes, checks)
			}
			if ok := !slices.ContainsFunc(checks, func(c app.Check) bool { return !c.OK }); ok != (tt.after == "") {
				t.Errorf("%+v", checks)
			}
		})
	}
}

// A copy under another name keeps its mark, and is counted whenever it is verified.
func TestConnector_verify_copyWrittenTo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.do("CREATE TABLE sale (id int PRIMARY KEY); INSERT INTO sale VALUES (1)")
	point, stats, _ := w.point()
	r := w.restore(point, stats)
	r.Target.Database = w.name + "_copy"
	w.apply(r)
	w.on(r.Target.Database, "INSERT INTO sale VALUES (2)")
	checks, err := w.c.Verify(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if got := connectortest.Seen(t, checks); got != "rows: rows_extra 1 sale" && got != "rows: rows_extra 1/1 sale" {
		t.Errorf("told %q of %+v", got, checks)
	}
}
