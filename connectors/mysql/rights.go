package mysql

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/tool"
)

// Rights that let a user see what routines consist of.
const (
	rightShowRoutine      = "SHOW_ROUTINE"        // MySQL from 8.0.20
	rightShowRoutineMaria = "SHOW CREATE ROUTINE" // MariaDB from 11.3
)

// passwordMark stands for a new password in statements that are shown.
const passwordMark = "<password>"

// Rights implements [app.Granter]. The database need not be there.
func (c *Connector) Rights(ctx context.Context, a app.Access) (r app.Rights, err error) {
	const op = "mysql: look at rights"
	s, err := c.connect(ctx, a)
	if err != nil {
		return r, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.cfg.codeOf(ctx, op, err) }()
	g, err := s.grants(ctx)
	if err != nil {
		return r, err
	}
	if err := s.one(ctx, `SELECT CURRENT_USER()`, &r.User); err != nil {
		return r, err
	}
	r.Missing, r.Excess = s.missingRights(g), s.excess(g)
	account, err := s.backupAccount(ctx)
	if err != nil {
		return r, err
	}
	known, err := s.knows(ctx, account)
	if err != nil {
		return r, err
	}
	r.Statements = append(c.userStatements(ctx, s, account, known, passwordMark), processGrant(account))
	r.Restoring = append(restoringGrants(s.cfg.database, account), s.definerGrants(account)...)
	return r, nil
}

// MakeUser implements [app.Granter]. The server commits each statement by
// itself, so a failure takes back what was done: a user that is new goes
// again, one that was there gets the rights it had. What gives definitions back
// to their owners few administrators of rented servers may grant: without it
// they become the restoring user's own, as [identity] says.
func (c *Connector) MakeUser(ctx context.Context, admin app.Access, password app.Secret, restoring bool) (err error) {
	const op = "mysql: make user"
	s, err := c.connect(ctx, admin)
	if err != nil {
		return err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.granting(ctx, op, err) }()
	account, err := s.backupAccount(ctx)
	if err != nil {
		return err
	}
	known, err := s.knows(ctx, account)
	if err != nil {
		return err
	}
	var before []string
	if known {
		if before, err = s.column(ctx, `SHOW GRANTS FOR `+account); err != nil {
			return err
		}
	}
	statements := c.userStatements(ctx, s, account, known, password.Reveal())
	if restoring {
		statements = append(statements, restoringGrants(s.cfg.database, account)...)
	} else if known {
		if err := s.dispensable(ctx, op, account); err != nil {
			return err
		}
		statements = append(revokes(s.cfg.database, account, before), statements...)
	}
	for _, q := range statements {
		if err := s.secretly(ctx, q); err != nil {
			return errors.Join(err, s.takeBack(context.WithoutCancel(ctx), account, known, before))
		}
	}
	if err := s.secretly(ctx, processGrant(account)); err != nil {
		c.log.Info("Every table is dumped each time: what is under way can't be seen", "connector", string(Kind), "error", err)
	}
	if !restoring {
		return ctx.Err()
	}
	for _, q := range s.definerGrants(account) {
		if err := s.secretly(ctx, q); err != nil {
			c.log.Info("Definitions can't be given back to their owners", "connector", string(Kind), "error", err)
			return ctx.Err()
		}
	}
	return nil
}

// processGrant lets a user see what is under way: without that no table can be
// taken over as unchanged, and who has the database open stays unknown. Not
// every administrator may grant it, and nothing stands still without it.
func processGrant(account string) string { return "GRANT PROCESS ON *.* TO " + account + ";" }

// secretly runs a statement that may hold a password: no error quotes it.
func (s *session) secretly(ctx context.Context, query string) error {
	if _, err := s.conn.ExecContext(ctx, strings.TrimSuffix(query, ";")); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(strings.Fields(query)[:2], " "), err)
	}
	return nil
}

func (s *session) takeBack(ctx context.Context, account string, known bool, before []string) error {
	if !known {
		return s.exec(ctx, `DROP USER IF EXISTS `+account)
	}
	err := s.exec(ctx, `REVOKE ALL PRIVILEGES, GRANT OPTION FROM `+account)
	for _, q := range before {
		err = errors.Join(err, s.secretly(ctx, q))
	}
	return err
}

// granting gives an error of an administrator's statement its code: that he may
// not grant is told as a login that failed, by the same number.
func (s *session) granting(ctx context.Context, op string, err error) error {
	switch numberOf(err) {
	case errAccessDenied, errDBDenied, errTableDenied, errNeedRight:
		return s.cfg.fail(app.CodeSourceRight, op, err).With("right", "CREATE USER, GRANT OPTION")
	}
	return s.cfg.codeOf(ctx, op, err)
}

// backupAccount returns the account of [app.BackupUser], quoted: for this
// computer as the server sees it when that is its own, and otherwise for
// wherever the user who asks may come from, since addresses change.
func (s *session) backupAccount(ctx context.Context) (string, error) {
	var seen, allowed string
	if err := s.one(ctx, `SELECT USER(), CURRENT_USER()`, &seen, &allowed); err != nil {
		return "", err
	}
	host := allowed[strings.LastIndexByte(allowed, '@')+1:]
	switch h := seen[strings.LastIndexByte(seen, '@')+1:]; h {
	case "localhost", "127.0.0.1", "::1":
		host = h
	}
	return literal(app.BackupUser) + "@" + literal(host), nil
}

// knows reports whether there is an account. Whoever may not look can't make
// one either.
func (s *session) knows(ctx context.Context, account string) (bool, error) {
	rows, err := s.rows(ctx, `SELECT 1 FROM mysql.user WHERE CONCAT(QUOTE(User), '@', QUOTE(Host)) = `+literal(account))
	switch numberOf(err) {
	case errTableDenied, errDBDenied, errColumnDenied:
		return false, nil
	}
	return len(rows) > 0, err
}

// userStatements make the user, or give one that is there the rights and, last,
// the password.
func (c *Connector) userStatements(ctx context.Context, s *session, account string, known bool, password string) []string {
	grants := s.backupGrants(s.cfg.database, account, s.cfg.lock)
	if p, err := c.program(ctx, s, roleDump()); err == nil && flushes(p, s.maria) {
		grants = append(grants, fmt.Sprintf("GRANT FLUSH_TABLES ON *.* TO %s;", account))
	}
	by := account + " IDENTIFIED BY " + literal(password) + ";"
	switch {
	case s.maria && !s.atLeast("10.2"):
		return append([]string{"GRANT USAGE ON *.* TO " + by}, grants...)
	case known:
		return append(grants, "ALTER USER "+by)
	}
	return append([]string{"CREATE USER " + by}, grants...)
}

// flushes reports whether a dump program flushes tables for nothing, which
// takes a right: one version of MySQL's does.
func flushes(p tool.Program, maria bool) bool { return !maria && p.Version == "8.0.32" }

// routineRight is what this server calls the right to see routines.
func (s *session) routineRight() string {
	switch {
	case s.maria && s.atLeast("11.3"):
		return rightShowRoutineMaria
	case !s.maria && s.atLeast("8.0.20"):
		return rightShowRoutine
	case !s.maria && s.atLeast("8.0"):
		return "SELECT ON *.*"
	}
	return "SELECT ON mysql.proc"
}

func (s *session) backupGrants(database, account string, lock bool) []string {
	rights := "SELECT, SHOW VIEW, TRIGGER, EVENT"
	if lock {
		rights += ", LOCK TABLES"
	}
	routine := s.routineRight()
	if routine == rightShowRoutineMaria {
		rights += ", " + routine
	}
	out := []string{fmt.Sprintf("GRANT %s ON %s.* TO %s;", rights, pattern(database), account)}
	switch routine {
	case rightShowRoutine:
		out = append(out, fmt.Sprintf("GRANT %s ON *.* TO %s;", routine, account))
	case "SELECT ON *.*":
		out = append(out, fmt.Sprintf("GRANT SELECT ON *.* TO %s;", account))
	case "SELECT ON mysql.proc":
		out = append(out, fmt.Sprintf("GRANT SELECT ON `mysql`.`proc` TO %s;", account))
	}
	return out
}

// restoringGrants let a user put things back, also beside the database under
// the names that are suggested for that.
func restoringGrants(database, account string) []string {
	besides := strings.TrimSuffix(pattern(database), "`") + "\\_kvart\\_%`"
	return append(restoreGrants(database, account), "GRANT ALL PRIVILEGES ON "+besides+".* TO "+account+";",
		drillGrant(account))
}

// definerRight is what this server calls the right to make what belongs to
// others.
func (s *session) definerRight() string {
	switch {
	case s.maria && s.atLeast("10.5.2"):
		return "SET USER"
	case !s.maria && s.atLeast("8.2"):
		return "SET_ANY_DEFINER"
	case !s.maria && s.atLeast("8.0"):
		return "SET_USER_ID"
	}
	return "SUPER"
}

// definerGrants let a user give definitions to those they belonged to. It has
// to know who is there: what belongs to nobody fails when it is used.
func (s *session) definerGrants(account string) []string {
	return []string{"GRANT SELECT (User, Host) ON `mysql`.`user` TO " + account + ";", "GRANT " + s.definerRight() + " ON *.* TO " + account + ";"}
}

// revokes takes away what [restoringGrants] and [session.definerGrants] gave,
// as far as a user's grants show it. What backups need goes with it, and is
// granted again right after.
func revokes(database, account string, before []string) (out []string) {
	var own grants
	for _, q := range restoringGrants(database, "x") {
		own.add(q)
	}
	var have grants
	for _, line := range before {
		have.add(line)
	}
	take := func(what, schema, table string) {
		if schema != "*" {
			schema = quote(schema)
		}
		out = append(out, fmt.Sprintf("REVOKE %s ON %s.%s FROM %s;", what, schema, table, account))
	}
	global := []string{"PROCESS", "SET USER", "SET_USER_ID", "SET_ANY_DEFINER", "SUPER"}
	for _, one := range have.list {
		switch {
		case one.schema == "*":
			if gone := slices.DeleteFunc(slices.Clone(one.rights), func(r string) bool { return !slices.Contains(global, r) }); len(gone) > 0 {
				take(strings.Join(gone, ", "), "*", "*")
			}
		case one.schema == "mysql" && one.table == "user":
			take("SELECT (User, Host)", one.schema, quote(one.table))
		case one.table == "*" && one.rights[0] != "-" && slices.ContainsFunc(own.list, func(g grant) bool { return g.schema == one.schema }):
			take("ALL PRIVILEGES", one.schema, "*")
			if one.pass {
				take("GRANT OPTION", one.schema, "*")
			}
		}
	}
	return out
}

// dispensable makes sure that nothing in the database works with the rights of
// the account: what a restore made its own would stop working without them.
func (s *session) dispensable(ctx context.Context, op, account string) error {
	var n int64
	who := strings.ReplaceAll(account, "'", "")
	mine := " = " + literal(s.cfg.database) + " AND DEFINER = " + literal(who)
	err := s.one(ctx, `SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA`+mine+`)
		+ (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA`+mine+` AND SECURITY_TYPE = 'DEFINER')
		+ (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA`+mine+`)
		+ (SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA`+mine+` AND SECURITY_TYPE = 'DEFINER')`, &n)
	if err != nil || n == 0 {
		return err
	}
	return app.Errorf(app.CodeTargetInUse, op, "%d definitions belong to %s", n, who).
		With("definer", who).With("count", strconv.FormatInt(n, 10))
}

// drillGrant lets a user try restores in databases of their own.
func drillGrant(account string) string {
	return fmt.Sprintf("GRANT ALL PRIVILEGES ON `%s%%`.* TO %s;", strings.ReplaceAll(drillPrefix, "_", `\_`), account)
}

// harmless are rights that reading needs, or that do no harm.
func (s *session) harmless(right string, one grant) bool {
	switch right {
	case "USAGE", "-", "SHOW VIEW", rightShowRoutine, rightShowRoutineMaria, "SHOW DATABASES", "PROCESS", "REPLICATION CLIENT", "BINLOG MONITOR", "FLUSH_TABLES":
		return true
	case "SELECT":
		return one.schema != "*" && !(one.schema == "mysql" && one.table != "proc") || s.routineRight() == "SELECT ON *.*"
	case "TRIGGER", "EVENT":
		return one.schema != "*"
	case "LOCK TABLES":
		return one.schema != "*" && s.cfg.lock
	}
	return false
}

// everything are rights that together are worth all others.
func everything() []string {
	return []string{"INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "SHUTDOWN", "FILE", "CREATE USER"}
}

// excess lists the rights a backup has no use for: those on the whole server
// by their names alone, others with where they are.
func (s *session) excess(g grants) (out []string) {
	add := func(right string) {
		if !slices.Contains(out, right) {
			out = append(out, right)
		}
	}
	for _, one := range g.list {
		if one.public && (one.schema == "test" || one.schema == `test\_%`) {
			continue // a new server gives everybody these, to play with
		}
		where := ""
		if one.schema != "*" {
			where = " ON " + one.schema + "." + one.table
		}
		rights := one.rights
		if where == "" && !slices.ContainsFunc(everything(), func(r string) bool { return !slices.Contains(rights, r) }) {
			rights = []string{"ALL PRIVILEGES"}
		}
		for _, right := range rights {
			if !s.harmless(right, one) {
				add(right + where)
			}
		}
		if one.pass {
			add("GRANT OPTION" + where)
		}
	}
	return out
}
