package mysql

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

func TestConnector_noAccess(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	right := s.user(t, db, "right", `pass"word\#1`, backupRights(db)...)
	with := func(key, value string) app.Access {
		a := right
		a.Source.Settings = map[string]string{}
		for k, v := range right.Source.Settings {
			a.Source.Settings[k] = v
		}
		a.Source.Settings[key] = value
		return a
	}
	wrong := right
	wrong.Secrets = app.Secrets{fieldPassword: app.NewSecret("wrong")}
	for name, tt := range map[string]struct {
		a      app.Access
		code   app.Code
		reason string
	}{
		"right":          {right, "", ""},
		"wrong password": {wrong, app.CodeSourceDenied, ""},
		"wrong user":     {with(fieldUser, "nobody"), app.CodeSourceDenied, ""},
		"wrong port":     {with(fieldPort, "1"), app.CodeSourceOffline, ""},
		"wrong host":     {with(fieldHost, "no-such-host.invalid"), app.CodeSourceOffline, ""},
		"no such socket": {with(fieldSocket, filepath.Join(t.TempDir(), "none")), app.CodeSourceOffline, ""},
		"no TLS there":   {with(fieldTLS, tlsRequire), app.CodeSourcePlain, ""},
		"none to verify": {with(fieldTLS, tlsVerify), app.CodeSourcePlain, ""},
	} {
		for _, do := range []func(app.Access) error{
			func(a app.Access) error { _, err := c.Check(t.Context(), a); return err },
			func(a app.Access) error {
				capture, err := c.Capture(t.Context(), a, "")
				if err == nil {
					err = capture.Close()
				}
				return err
			},
		} {
			err := do(tt.a)
			if app.CodeOf(err) != tt.code || tt.code != "" && app.AsError(err).Args["reason"] != tt.reason {
				t.Errorf("%s: %s: %v", name, app.CodeOf(err), err)
			}
			if err != nil && strings.Contains(fmt.Sprintf("%v %v", err, app.AsError(err).Args), `word\#1`) {
				t.Errorf("%s: the password is told: %v", name, err)
			}
		}
	}
	root := s.access("no_such_database")
	if _, err := c.Check(t.Context(), root); app.CodeOf(err) != app.CodeSourceGone {
		t.Errorf("check: %v", err)
	}
	_, _, next := point(t, c, right)
	s.exec(t, "DROP DATABASE "+quote(db))
	for _, a := range []app.Access{right, s.access(db)} {
		if _, err := c.Capture(t.Context(), a, next); app.CodeOf(err) != app.CodeSourceGone {
			t.Errorf("a dropped database: %v", err)
		}
	}
	s.exec(t, "CREATE DATABASE "+quote(db))
	if _, err := c.Capture(t.Context(), right, next); app.CodeOf(err) != app.CodeSourceEmpty {
		t.Errorf("an emptied database: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Capture(ctx, right, ""); app.CodeOf(err) != app.CodeCanceled {
		t.Errorf("canceled: %v", err)
	}
}

func TestConnector_rightsMissing(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	all := backupRights(db)
	for name, grants := range map[string][]string{
		"none":        {},
		"no trigger":  {"GRANT SELECT, SHOW VIEW, EVENT ON " + quote(db) + ".* TO @@", all[1]},
		"no routines": all[:1],
		"one table":   {"GRANT SELECT ON " + quote(db) + ".sale TO @@", all[1]},
	} {
		a := s.user(t, db, "lacks_"+strings.ReplaceAll(name, " ", "_"), "p", grants...)
		_, err := c.Capture(t.Context(), a, "")
		e := app.AsError(err)
		if e == nil || e.Code != app.CodeSourceRight || !strings.Contains(e.Args["statement"], "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON "+pattern(db)+".* TO 'lacks_") {
			t.Errorf("%s: %v %v", name, err, e)
			continue
		}
		// What it names is what helps.
		for _, q := range strings.SplitAfter(strings.TrimSuffix(e.Args["statement"], ";"), "; ") {
			s.exec(t, strings.TrimSuffix(q, "; "))
		}
		got, _, _ := point(t, c, a)
		if text(t, got) != text(t, from) {
			t.Errorf("%s: captured something else", name)
		}
		r := app.Restore{Access: a, From: from, Stats: stats}
		plan, err := c.Plan(t.Context(), r)
		if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeSourceRight {
			t.Fatalf("%s: plan %+v, %v", name, plan, err)
		}
		for _, q := range strings.SplitAfter(strings.TrimSuffix(plan.Blockers[0].Args["statement"], ";"), "; ") {
			s.exec(t, strings.TrimSuffix(q, "; "))
		}
		spoil(t, s, db)
		restore(t, c, r)
		// By a user who may not give things away they become its own.
		if n := s.number(t, "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? AND DEFINER LIKE 'lacks_%'", db); n != 1 {
			t.Errorf("%s: the trigger is another's", name)
		}
		restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	}
	info, err := c.Check(t.Context(), s.access(db))
	if err != nil || info.Details["too_many_rights"] != "ALL PRIVILEGES, GRANT OPTION" {
		t.Errorf("%+v, %v", info, err)
	}
	info, err = c.Check(t.Context(), s.user(t, db, "least", "p", all...))
	if err != nil || info.Details["too_many_rights"] != "" || info.Bytes <= 0 || info.Changed.IsZero() || info.Details["tables"] != "3" {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestConnector_definers(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := s.fresh(t, "definers")
	s.exec(t, "CREATE USER stays_def@localhost")
	s.exec(t, "CREATE USER leaves_def@`%`")
	s.in(t, db, "CREATE TABLE a (n INT)", "CREATE TABLE b (n INT)", "GRANT ALL ON "+quote(db)+".* TO stays_def@localhost", "GRANT ALL ON "+quote(db)+".* TO leaves_def@`%`",
		"CREATE DEFINER=stays_def@localhost TRIGGER one AFTER INSERT ON a FOR EACH ROW INSERT INTO b VALUES (1)",
		"CREATE DEFINER=leaves_def@`%` TRIGGER two AFTER INSERT ON a FOR EACH ROW INSERT INTO b VALUES (2)",
		"CREATE DEFINER=leaves_def@`%` SQL SECURITY DEFINER VIEW v AS SELECT * FROM a")
	s.exec(t, "DROP USER leaves_def@`%`")
	t.Cleanup(func() { _, _ = s.db.Exec("DROP USER stays_def@localhost") })
	from, stats, _ := point(t, c, s.access(db))
	s.in(t, db, "DROP TRIGGER one", "DROP TRIGGER two", "DROP VIEW v")
	checks := restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	if d := checks[len(checks)-1].Detail; !strings.Contains(d, "2 belong to another account") {
		t.Errorf("told %s", d)
	}
	s.in(t, db, "INSERT INTO a VALUES (1)", "SELECT * FROM v")
	if n := s.number(t, "SELECT SUM(n) FROM "+quote(db)+".b"); n != 3 {
		t.Errorf("the triggers did %d", n)
	}
	if n := s.number(t, "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? AND DEFINER = 'stays_def@localhost'", db); n != 1 {
		t.Error("one lost its owner")
	}
}

func TestConnector_brokenView(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	s.in(t, db, "CREATE TABLE old (a INT)", "CREATE VIEW stale AS SELECT a FROM old", "CREATE VIEW stale2 AS SELECT * FROM stale", "DROP TABLE old")
	from, stats, _ := point(t, c, s.access(db))
	b, err := fs.ReadFile(from, fileViews)
	if err != nil || !strings.Contains(string(b), "-- CREATE ALGORITHM") || stats[statViews] != 1 {
		t.Errorf("%s %v %v", b, stats, err)
	}
	restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	if info, err := c.Check(t.Context(), s.access(db)); err != nil || info.Details["broken_views"] != "" {
		t.Errorf("%+v, %v", info, err)
	}
}

// A table of MyISAM's that a power cut left damaged must cost no other table
// its backup, and be told.
func TestConnector_crashedTable(t *testing.T) {
	t.Parallel()
	s, c := own(t, "--myisam-recover-options=OFF"), connector(t)
	db := shop(t, s)
	s.in(t, db, "CREATE TABLE isam (id INT PRIMARY KEY, t VARCHAR(100)) ENGINE=MyISAM", "INSERT INTO isam SELECT seq, REPEAT('x', 90) FROM seq_1_to_5000", "FLUSH TABLES")
	want := s.content(t, db)
	whole, stats, _ := point(t, c, s.access(db))
	s.exec(t, "FLUSH TABLES")
	file := filepath.Join(s.dir, "data", db, "isam.MYD")
	if err := os.Truncate(file, 1000); err != nil {
		t.Fatal(err)
	}
	for name, capture := range map[string]func() (*app.Capture, error){
		"capture": func() (*app.Capture, error) { return c.Capture(t.Context(), s.access(db), "") },
		"present": func() (*app.Capture, error) { return c.Present(t.Context(), s.access(db)) },
	} {
		got, err := capture()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		dir, problems := connectortest.Collect(t, got)
		if len(problems) != 1 || app.CodeOf(problems["tables/isam.sql"]) != app.CodeSourceDamaged {
			t.Errorf("%s: problems %v", name, problems)
		}
		if st := got.Stats(); st["table.sale"] != 500 || st[app.StatDamaged] != 1 || got.Next != "" {
			t.Errorf("%s: %v, next %q", name, st, got.Next)
		}
		if _, err := os.Stat(filepath.Join(dir, "tables", "sale.sql")); err != nil {
			t.Error(err)
		}
	}
	if err := os.Remove(filepath.Join(s.dir, "data", db, "isam.MYI")); err != nil {
		t.Fatal(err)
	}
	s.exec(t, "FLUSH TABLES")
	got, err := c.Capture(t.Context(), s.access(db), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, problems := connectortest.Collect(t, got); len(problems) != 1 {
		t.Errorf("without its index: %v", problems)
	}
	// What can't be read can be replaced all the same.
	restore(t, c, app.Restore{Access: s.access(db), From: whole, Stats: stats})
	same(t, s.content(t, db), want)
	s.nothingBeside(t, db)
}

// Money that moves between two tables is in one of them in every backup, and
// the shop is never kept waiting for it.
func TestConnector_consistent(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := s.fresh(t, "bank")
	s.in(t, db, "CREATE TABLE a_first (id INT PRIMARY KEY, n INT)", "CREATE TABLE m_big (id INT PRIMARY KEY, t TEXT)", "CREATE TABLE z_last (id INT PRIMARY KEY, n INT)",
		"INSERT INTO a_first SELECT seq, 100 FROM seq_1_to_1000", "INSERT INTO m_big SELECT seq, REPEAT('x', 1000) FROM seq_1_to_20000", "INSERT INTO z_last SELECT seq, 100 FROM seq_1_to_1000")
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	var slowest time.Duration
	moves := 0
	work.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			from := time.Now()
			tx, err := s.db.Begin()
			if err != nil {
				t.Error(err)
				return
			}
			_, err1 := tx.Exec("UPDATE "+quote(db)+".a_first SET n = n - 1 WHERE id = ?", 1+i%1000)
			_, err2 := tx.Exec("UPDATE "+quote(db)+".z_last SET n = n + 1 WHERE id = ?", 1+i%1000)
			if err := errors.Join(err1, err2, tx.Commit()); err != nil {
				t.Error(err)
				return
			}
			slowest = max(slowest, time.Since(from))
			moves++
		}
	})
	for range 3 {
		from, stats, _ := point(t, c, s.access(db))
		other := s.fresh(t, "bankcopy")
		s.exec(t, "DROP DATABASE "+quote(other))
		apply(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats, Target: app.Target{Database: other}})
		sum := s.number(t, "SELECT (SELECT SUM(n) FROM "+quote(other)+".a_first) + (SELECT SUM(n) FROM "+quote(other)+".z_last)")
		if sum != 200000 {
			t.Errorf("the sum is %d", sum)
		}
	}
	cancel()
	work.Wait()
	if moves < 10 {
		t.Errorf("only %d moves", moves)
	}
	t.Logf("%d moves, the slowest took %v", moves, slowest)
}

func TestConnector_alteredMeanwhile(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := s.fresh(t, "altered")
	s.in(t, db, "CREATE TABLE a (id INT PRIMARY KEY, t TEXT)", "INSERT INTO a SELECT seq, REPEAT('x', 1000) FROM seq_1_to_30000", "CREATE TABLE z (id INT PRIMARY KEY)", "INSERT INTO z VALUES (1)")
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			if _, err := s.db.Exec(fmt.Sprintf("ALTER TABLE %s.z ADD COLUMN c%d INT, FORCE", quote(db), i)); err != nil {
				t.Error(err)
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	capture, err := c.Capture(t.Context(), s.access(db), "")
	if err == nil {
		t.Error("captured what changed all the time")
		_ = capture.Close()
	} else if e := app.AsError(err); e.Code != app.CodeSourceAltered {
		t.Errorf("%v", err)
	}
	cancel()
	work.Wait()
	if left, _ := filepath.Glob(filepath.Join(c.temp(), spoolPrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	point(t, c, s.access(db))
}

func TestConnector_serverGoesDown(t *testing.T) {
	t.Parallel()
	s, c := own(t), connector(t)
	db := shop(t, s)
	s.in(t, db, "CREATE TABLE big (id INT PRIMARY KEY, t TEXT)", "INSERT INTO big SELECT seq, REPEAT(UUID(), 50) FROM seq_1_to_90000")
	stop := time.AfterFunc(150*time.Millisecond, func() { _ = s.cmd.Process.Kill() })
	defer stop.Stop()
	if capture, err := c.Capture(t.Context(), s.access(db), ""); err == nil {
		_ = capture.Close()
		t.Log("the dump was faster")
	} else if e := app.AsError(err); e.Code != app.CodeSourceOffline {
		t.Errorf("%s: %v", e.Code, err)
	}
	if left, _ := filepath.Glob(filepath.Join(c.temp(), spoolPrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	_ = s.cmd.Wait()
	_ = s.db.Close()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	want := s.content(t, db)
	from, stats, _ := point(t, c, s.access(db))
	restore(t, c, app.Restore{Access: s.access(db), From: from, Stats: stats})
	same(t, s.content(t, db), want)
}

func TestConnector_packet(t *testing.T) {
	t.Parallel()
	s, c := own(t, "--max-allowed-packet=64M"), connector(t)
	db := s.fresh(t, "packet")
	s.in(t, db, "CREATE TABLE big (id INT PRIMARY KEY, b LONGBLOB)", "INSERT INTO big VALUES (1, REPEAT('x', 20000000)), (2, 'y')")
	want := s.content(t, db)
	from, stats, _ := point(t, c, s.access(db))
	s.exec(t, "SET GLOBAL max_allowed_packet = 1048576")
	r := app.Restore{Access: s.access(db), From: from, Stats: stats}
	limited := s.user(t, db, "limited", "p", restoreGrants(db, "@@")...)
	plan, err := c.Plan(t.Context(), app.Restore{Access: limited, From: from, Stats: stats})
	if err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeSourceTooLarge || !strings.HasPrefix(plan.Blockers[0].Args["statement"], "SET GLOBAL max_allowed_packet = ") {
		t.Errorf("plan %+v, %v", plan, err)
	}
	restore(t, c, r)
	same(t, s.content(t, db), want)
}

// A full disk can't be had without harm to the computer; a table in memory that
// outgrows its bound says the same.
func TestConnector_serverFull(t *testing.T) {
	t.Parallel()
	s, c := own(t), connector(t)
	db := shop(t, s)
	s.in(t, db, "CREATE TABLE mem (id INT, t CHAR(200)) ENGINE=MEMORY", "INSERT INTO mem SELECT seq, 'x' FROM seq_1_to_5000")
	before := s.content(t, db)
	from, stats, _ := point(t, c, s.access(db))
	s.exec(t, "SET GLOBAL max_heap_table_size = 16384")
	err := c.Apply(t.Context(), app.Restore{Access: s.access(db), From: from, Stats: stats}, connectortest.Silent{})
	if app.CodeOf(err) != app.CodeTargetFull {
		t.Errorf("%v", err)
	}
	same(t, s.content(t, db), before)
	s.nothingBeside(t, db)
}

func TestConnector_socket(t *testing.T) {
	t.Parallel()
	s, c := shared(t), connector(t)
	db := shop(t, s)
	a := s.access(db)
	a.Source.Settings[fieldSocket] = s.socket
	a.Source.Settings[fieldPort] = strconv.Itoa(1)
	from, stats, _ := point(t, c, a)
	restore(t, c, app.Restore{Access: a, From: from, Stats: stats})
}
