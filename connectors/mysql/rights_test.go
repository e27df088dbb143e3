package mysql

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"kvart/app"
)

func TestBackupGrants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    session
		lock bool
		want []string
	}{
		{session{maria: true, version: "10.6"}, false, []string{"SELECT, SHOW VIEW, TRIGGER, EVENT ON `my\\_shop`.*", "SELECT ON `mysql`.`proc`"}},
		{session{maria: true, version: "11.4"}, true, []string{"SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES, SHOW CREATE ROUTINE ON `my\\_shop`.*"}},
		{session{version: "5.7"}, false, []string{"SELECT, SHOW VIEW, TRIGGER, EVENT ON `my\\_shop`.*", "SELECT ON `mysql`.`proc`"}},
		{session{version: "8.0.36"}, false, []string{"SELECT, SHOW VIEW, TRIGGER, EVENT ON `my\\_shop`.*", "SHOW_ROUTINE ON *.*"}},
		{session{version: "8.0.11"}, false, []string{"SELECT, SHOW VIEW, TRIGGER, EVENT ON `my\\_shop`.*", "SELECT ON *.*"}},
	} {
		var want []string
		for _, w := range c.want {
			want = append(want, "GRANT "+w+" TO 'a'@'b';")
		}
		got := c.s.backupGrants("my_shop", "'a'@'b'", c.lock)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", c.s.version, got, want)
		}
		// What is said to be enough is, and is not said to be too much.
		var g grants
		for _, q := range got {
			g.add(strings.ReplaceAll(strings.TrimSuffix(q, ";"), "'", "`"))
		}
		s := c.s
		s.cfg = config{database: "my_shop", lock: c.lock}
		if missing, excess := s.missingRights(g), s.excess(g); len(missing)+len(excess) > 0 {
			t.Errorf("%s: missing %q, excess %q", c.s.version, missing, excess)
		}
	}
}

func TestSession_excess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{"GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` IDENTIFIED VIA unix_socket WITH GRANT OPTION", "ALL PRIVILEGES, GRANT OPTION"},
		{"GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, SHUTDOWN, PROCESS, FILE, CREATE USER ON *.* TO `root`@`%`", "ALL PRIVILEGES"},
		{"GRANT SUPER, PROCESS ON *.* TO `x`@`%`", "SUPER"},
		{"GRANT SELECT ON *.* TO `x`@`%`", "SELECT"},
		{"GRANT ALL PRIVILEGES ON `shop`.* TO `x`@`%`", "ALL PRIVILEGES ON shop.*"},
		{"GRANT SELECT, INSERT (`a`, `b`) ON `shop`.`sale` TO `x`@`%`", "INSERT (`A` `B`) ON shop.sale"},
		{"GRANT SELECT ON `mysql`.`user` TO `x`@`%`", "SELECT ON mysql.user"},
		{"GRANT SELECT, SHOW VIEW ON `other`.* TO `x`@`%`", ""},
		{"GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION", ""},
		{"GRANT USAGE ON *.* TO `x`@`%`", ""},
		{"GRANT SELECT, INSERT, CREATE ON `test`.* TO `PUBLIC`", ""},
		{"GRANT ALL PRIVILEGES ON `test\\_%`.* TO ``@`%`", ""},
		{"GRANT INSERT ON `test`.* TO `PUBLIC`@`%`", "INSERT ON test.*"},
		{"GRANT INSERT ON `shop`.* TO `PUBLIC`", "INSERT ON shop.*"},
	} {
		var g grants
		g.add(c.line)
		s := session{cfg: config{database: "shop"}, version: "8.0.36"}
		if got := strings.Join(s.excess(g), ", "); got != c.want {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
}

func TestRestoringGrants(t *testing.T) {
	t.Parallel()
	var g grants
	for _, q := range restoringGrants("my_shop", "'k'@'%'") {
		g.add(strings.ReplaceAll(strings.TrimSuffix(q, ";"), "'", "`"))
	}
	for db, want := range map[string]bool{"my_shop": true, "my_shop_kvart_new": true, "my_shop_kvart_old": true, "my_shop_kvart_2026_11_22": true, "my_shop_x": false, drillMark(config{}) + "1": true, "your_shop": false, "myxshop": false} {
		if got := g.has("DROP", db); got != want {
			t.Errorf("%s: %v", db, got)
		}
	}
}

// made returns the access by the user that was made.
func (s *server) made(db, password string) app.Access {
	a := s.access(db)
	a.Source.Settings[fieldUser], a.Secrets = app.BackupUser, app.Secrets{fieldPassword: app.NewSecret(password)}
	return a
}

func TestConnector_MakeUser(t *testing.T) {
	t.Parallel()
	s, c := own(t), connector(t)
	db, other := shop(t, s), shop(t, s)
	all, _, _ := point(t, c, s.access(db))
	if r, err := c.Rights(t.Context(), s.access(db)); err != nil || r.User != "root@localhost" || !slices.Equal(r.Excess, []string{"ALL PRIVILEGES", "GRANT OPTION"}) || len(r.Missing) > 0 ||
		r.Statements[0] != "CREATE USER 'kvart_backup'@'localhost' IDENTIFIED BY '<password>';" || len(r.Restoring) != 7 {
		t.Errorf("root: %+v, %v", r, err)
	}
	if err := c.MakeUser(t.Context(), s.access(db), app.NewSecret(`first'"\`), false); err != nil {
		t.Fatal(err)
	}
	a := s.made(db, `first'"\`)
	r, err := c.Rights(t.Context(), a)
	if err != nil || r.User != "kvart_backup@localhost" || len(r.Missing)+len(r.Excess) > 0 || len(r.Statements) < 2 {
		t.Errorf("made: %+v, %v", r, err)
	}
	// What a new server gives everybody is nobody's excess.
	if _, err := s.db.ExecContext(t.Context(), "GRANT SELECT, INSERT, CREATE ON test.* TO PUBLIC"); err != nil {
		t.Logf("no rights for everybody here: %v", err)
	}
	if r, err := c.Rights(t.Context(), a); err != nil || len(r.Excess) > 0 {
		t.Errorf("with what everybody may do: %+v, %v", r, err)
	}
	got, stats, _ := point(t, c, a)
	if text(t, got) != text(t, all) {
		t.Error("the user that was made sees something else than root")
	}
	s.writesNothing(t, db, a)

	// Again, for another database: both can be read then, with the new password.
	if err := c.MakeUser(t.Context(), s.access(other), app.NewSecret("second"), false); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Check(t.Context(), a); app.CodeOf(err) != app.CodeSourceDenied {
		t.Errorf("the old password: %v", err)
	}
	for _, name := range []string{db, other} {
		if _, err := c.Check(t.Context(), s.made(name, "second")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	a = s.made(db, "second")
	restoring := app.Restore{Access: a, From: got, Stats: stats}
	if plan, err := c.Plan(t.Context(), restoring); err != nil || len(plan.Blockers) != 1 || plan.Blockers[0].Code != app.CodeSourceRight {
		t.Errorf("may restore: %+v, %v", plan, err)
	}
	s.roundOfRights(t, c, restoring)
}

// roundOfRights has the user made that may restore, restores with it, and has
// the right taken away again.
func (s *server) roundOfRights(t *testing.T, c *Connector, r app.Restore) {
	t.Helper()
	db := r.Access.Source.Settings[fieldDatabase]
	before := s.granted(t)
	if err := c.MakeUser(t.Context(), s.access(db), app.NewSecret("third"), true); err != nil {
		t.Fatal(err)
	}
	r.Access = s.made(db, "third")
	got, err := c.Rights(t.Context(), r.Access)
	if want := []string{"SET USER", "SELECT (`HOST` `USER`) ON mysql.user", "ALL PRIVILEGES ON " + strings.ReplaceAll(db, "_", `\_`) + ".*"}; err != nil || len(got.Missing) > 0 {
		t.Errorf("may restore: %+v, %v", got, err)
	} else {
		for _, w := range want {
			if !slices.ContainsFunc(got.Excess, func(have string) bool {
				return strings.EqualFold(strings.ReplaceAll(have, "`", ""), strings.ReplaceAll(w, "`", ""))
			}) {
				t.Errorf("%q is not among %q", w, got.Excess)
			}
		}
	}
	spoil(t, s, db)
	restore(t, c, r)
	if n := s.number(t, "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? AND DEFINER LIKE 'kvart%'", db); n > 0 {
		t.Errorf("%d triggers are the restoring user's own", n)
	}
	if err := c.MakeUser(t.Context(), s.access(db), app.NewSecret("third"), false); err != nil {
		t.Fatal(err)
	}
	if after := s.granted(t); !slices.Equal(withoutPassword(after), withoutPassword(before)) {
		t.Errorf("rights were\n%s\nand are\n%s", before, after)
	}
	s.writesNothing(t, db, r.Access)
	point(t, c, r.Access)
	// On the bad day there may be no database at all.
	s.exec(t, "DROP DATABASE "+quote(db))
	for _, restoring := range []bool{true, false} {
		if err := c.MakeUser(t.Context(), s.access(db), app.NewSecret("third"), restoring); err != nil {
			t.Fatal(err)
		}
		if restoring {
			restore(t, c, r)
		}
	}
	s.writesNothing(t, db, r.Access)
	// What works with the user's rights keeps them.
	s.exec(t, "CREATE DEFINER = kvart_backup@localhost PROCEDURE "+quote(db)+".theirs() DELETE FROM sale")
	if err := c.MakeUser(t.Context(), s.access(db), app.NewSecret("third"), false); app.CodeOf(err) != app.CodeTargetInUse || app.AsError(err).Args["count"] != "1" {
		t.Errorf("a procedure would stop working: %v", err)
	}
}

// withoutPassword returns lines of grants, sorted, but for the one with what
// proves the password.
func withoutPassword(grants string) []string {
	lines := slices.DeleteFunc(strings.Split(grants, "\n"), func(line string) bool { return strings.Contains(line, "IDENTIFIED BY") })
	slices.Sort(lines)
	return lines
}

// writesNothing has a user try.
func (s *server) writesNothing(t *testing.T, db string, a app.Access) {
	t.Helper()
	d := driver.NewConfig()
	d.User, d.Passwd, d.Net, d.Addr, d.DBName, d.Logger = a.Source.Settings[fieldUser], a.Secrets[fieldPassword].Reveal(), "unix", s.socket, db, silence{}
	conn, err := driver.NewConnector(d)
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(conn)
	defer pool.Close()
	for _, q := range []string{
		"INSERT INTO sale VALUES ()", "UPDATE sale SET id = id + 1", "DELETE FROM sale", "TRUNCATE sale", "DROP TABLE sale", "CREATE TABLE x (a INT)",
		"ALTER TABLE sale ADD x INT", "CREATE VIEW x AS SELECT 1", "CREATE PROCEDURE x() SELECT 1", "DROP DATABASE " + quote(db), "CREATE DATABASE kvart_drill_x",
		"SELECT * FROM mysql.user", "SET GLOBAL max_connections = 1", "LOCK TABLES sale WRITE", "CREATE USER mallory", "SELECT 1 INTO OUTFILE '/tmp/kvart-x'",
	} {
		if _, err := pool.ExecContext(context.WithoutCancel(t.Context()), q); err == nil {
			t.Errorf("%s: allowed", q)
		} else if n := numberOf(err); n != errTableDenied && n != errDBDenied && n != errNeedRight && n != errAccessDenied && n != errRoutineDenied {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func TestConnector_MakeUser_takenBack(t *testing.T) {
	t.Parallel()
	s, c := own(t), connector(t)
	db := shop(t, s)
	// He may make users, but not give them what he has not got himself.
	half := s.user(t, db, "half", "p", "GRANT CREATE USER, RELOAD ON *.* TO @@", "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON "+quote(db)+".* TO @@ WITH GRANT OPTION", "GRANT SELECT ON mysql.user TO @@", "GRANT SELECT ON mysql.global_priv TO @@")
	for _, admin := range []app.Access{half, s.user(t, db, "nobody", "p", "GRANT SELECT ON "+quote(db)+".* TO @@")} {
		if err := c.MakeUser(t.Context(), admin, app.NewSecret("hemligt"), false); app.CodeOf(err) != app.CodeSourceRight || strings.Contains(err.Error(), "hemligt") {
			t.Errorf("%v", err)
		}
		if n := s.number(t, "SELECT COUNT(*) FROM mysql.user WHERE User = ?", app.BackupUser); n != 0 {
			t.Error("half a user is left behind")
		}
	}
	s.exec(t, "CREATE USER kvart_backup@localhost IDENTIFIED BY 'old'")
	s.exec(t, "GRANT SELECT ON "+quote(db)+".sale TO kvart_backup@localhost")
	before := s.granted(t)
	if err := c.MakeUser(t.Context(), half, app.NewSecret("hemligt"), false); app.CodeOf(err) != app.CodeSourceRight {
		t.Errorf("%v", err)
	}
	if got := s.granted(t); got != before {
		t.Errorf("rights were\n%s\nand are\n%s", before, got)
	}
	wrong := half
	wrong.Secrets = app.Secrets{fieldPassword: app.NewSecret("wrong")}
	if err := c.MakeUser(t.Context(), wrong, app.NewSecret("x"), false); app.CodeOf(err) != app.CodeSourceDenied {
		t.Errorf("%v", err)
	}
}

func (s *server) granted(t *testing.T) string {
	t.Helper()
	rows, err := s.db.QueryContext(t.Context(), "SHOW GRANTS FOR kvart_backup@localhost")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	return strings.Join(all, "\n")
}
