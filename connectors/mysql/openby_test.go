package mysql

import (
	"database/sql"
	"errors"
	"testing"

	driver "github.com/go-sql-driver/mysql"

	"kvart/app"
)

// opened is a program that has a database open until the test ends.
func (s *server) opened(t *testing.T, user, db, program string) {
	t.Helper()
	d := driver.NewConfig()
	d.User, d.Net, d.Addr, d.DBName, d.ConnectionAttributes, d.Logger = user, "unix", s.socket, db, "program_name:"+program, silence{}
	c, err := driver.NewConnector(d)
	if err != nil {
		t.Fatal(err)
	}
	pool := sql.OpenDB(c)
	conn, err := pool.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = errors.Join(conn.Close(), pool.Close()) })
}

func TestPlan_warnsOfProgramsThatHaveItOpen(t *testing.T) {
	t.Parallel()
	s, c := own(t, "--performance-schema=ON"), connector(t)
	s.db.SetMaxIdleConns(-1) // the test's own are not to be seen
	db := shop(t, s)
	from, stats, _ := point(t, c, s.access(db))
	r := app.Restore{Access: s.access(db), From: from, Stats: stats}
	if plan, err := c.Plan(t.Context(), r); err != nil || len(plan.Warnings) > 0 {
		t.Fatalf("nobody: %+v, %v", plan.Warnings, err)
	}
	s.exec(t, "CREATE USER till@localhost, kvart_backup@localhost")
	s.exec(t, "GRANT SELECT ON *.* TO till@localhost")
	s.exec(t, "GRANT SELECT ON *.* TO kvart_backup@localhost")
	s.opened(t, "till", db, "Kassan")
	s.opened(t, "root", db, "Lager")
	s.opened(t, "root", db, ownProgram)
	s.opened(t, app.BackupUser, db, "mariadb-dump")
	s.opened(t, "till", "mysql", "Other")
	plan, err := c.Plan(t.Context(), r)
	if err != nil || len(plan.Warnings) != 1 || len(plan.Blockers) > 0 {
		t.Fatalf("plan %+v, %v", plan, err)
	}
	e := plan.Warnings[0]
	if e.Code != app.CodeTargetOpen || e.Args["programs"] != "Kassan, Lager" || e.Args["hosts"] != "localhost" || e.Args["users"] != "root, till" {
		t.Errorf("%s %v", e.Code, e.Args)
	}
	r.Target.Database = db + "_copy"
	if plan, err := c.Plan(t.Context(), r); err != nil || len(plan.Warnings) > 0 {
		t.Errorf("beside: %+v, %v", plan.Warnings, err)
	}
	// Without the server's help a program goes by its user's name.
	a := s.user(t, db, "limited", "p", restoreGrants(db, "@@")...)
	s.exec(t, "GRANT PROCESS ON *.* TO limited@localhost")
	plan, err = c.Plan(t.Context(), app.Restore{Access: a, From: from, Stats: stats})
	if err != nil || len(plan.Warnings) != 1 {
		t.Fatalf("limited: %+v, %v", plan, err)
	}
}
