package sqlserver

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"kvart/app"
)

// grants are what the user may do.
type grants struct {
	missing []string // that a backup needs
	excess  []string // that it has no use for
	sees    bool     // VIEW SERVER STATE: the marker, and who has the database open
	create  bool     // databases
	alter   bool     // any database
}

const rightsQuery = `SELECT IS_SRVROLEMEMBER(N'sysadmin') AS sysadmin, IS_SRVROLEMEMBER(N'securityadmin') AS securityadmin,
 IS_SRVROLEMEMBER(N'serveradmin') AS serveradmin, IS_SRVROLEMEMBER(N'processadmin') AS processadmin, IS_SRVROLEMEMBER(N'dbcreator') AS dbcreator,
 IS_SRVROLEMEMBER(N'bulkadmin') AS bulkadmin, HAS_PERMS_BY_NAME(NULL, NULL, N'CONTROL SERVER') AS control_server,
 HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW SERVER STATE') AS sees, HAS_PERMS_BY_NAME(NULL, NULL, N'CREATE ANY DATABASE') AS create_any,
 HAS_PERMS_BY_NAME(N'master', N'DATABASE', N'CREATE DATABASE') AS create_here, HAS_PERMS_BY_NAME(NULL, NULL, N'ALTER ANY DATABASE') AS alter_any,
 HAS_PERMS_BY_NAME(QUOTENAME(@p1), N'DATABASE', N'BACKUP DATABASE') AS back_up, HAS_PERMS_BY_NAME(QUOTENAME(@p1), N'DATABASE', N'VIEW DEFINITION') AS define,
 HAS_PERMS_BY_NAME(QUOTENAME(@p1), N'DATABASE', N'CONTROL') AS control, HAS_PERMS_BY_NAME(QUOTENAME(@p1), N'DATABASE', N'INSERT') AS ins,
 HAS_PERMS_BY_NAME(QUOTENAME(@p1), N'DATABASE', N'UPDATE') AS upd, HAS_PERMS_BY_NAME(QUOTENAME(@p1), N'DATABASE', N'DELETE') AS del`

// grants reads the rights of the user.
func (s *session) grants(ctx context.Context) (g grants, err error) {
	r, err := s.one(ctx, "ask for rights", rightsQuery, s.cfg.database)
	if err != nil {
		return g, err
	}
	for _, need := range []struct {
		ok   bool
		name string
	}{
		{r.yes("back_up"), "BACKUP DATABASE"}, {r.yes("define"), "VIEW DEFINITION"}, {r.yes("create_any") || r.yes("create_here"), "CREATE ANY DATABASE"},
	} {
		if !need.ok {
			g.missing = append(g.missing, need.name)
		}
	}
	g.sees, g.create, g.alter = r.yes("sees"), r.yes("create_any") || r.yes("create_here"), r.yes("alter_any")
	if r.yes("sysadmin") {
		g.excess = []string{"sysadmin"}
		return g, nil
	}
	for _, role := range []string{"securityadmin", "serveradmin", "processadmin", "dbcreator", "bulkadmin"} {
		if r.yes(role) {
			g.excess = append(g.excess, role)
		}
	}
	if r.yes("control_server") {
		g.excess = append(g.excess, "CONTROL SERVER")
	}
	if r.yes("control") {
		g.excess = append(g.excess, "db_owner")
		return g, nil
	}
	for _, over := range [][2]string{{"ins", "INSERT"}, {"upd", "UPDATE"}, {"del", "DELETE"}} {
		if r.yes(over[0]) {
			g.excess = append(g.excess, over[1])
		}
	}
	return g, nil
}

// allowed makes sure that a backup can be made and be checked.
func (s *session) allowed(ctx context.Context, op string) (grants, error) {
	g, err := s.grants(ctx)
	if err != nil || len(g.missing) == 0 {
		return g, err
	}
	return g, s.lacks(op, g.missing, strings.Join(granting(s.cfg.database, s.server.user), " "))
}

// granting returns the statements that let a login back a database up, each
// whole in itself wherever it is run.
func granting(db, login string) []string {
	in := func(statement string) string {
		return "EXEC " + quote(db) + ".sys.sp_executesql " + literal(statement) + ";"
	}
	return []string{
		"USE [master];",
		"GRANT CREATE ANY DATABASE TO " + quote(login) + ";", // without it no backup can be looked at
		"GRANT VIEW SERVER STATE TO " + quote(login) + ";",
		in("IF USER_ID(" + literal(login) + ") IS NULL CREATE USER " + quote(login) + " FOR LOGIN " + quote(login) + " ELSE ALTER USER " + quote(login) + " WITH LOGIN = " + quote(login)),
		in("ALTER ROLE [db_backupoperator] ADD MEMBER " + quote(login)),
		in("GRANT VIEW DEFINITION, VIEW DATABASE STATE TO " + quote(login)),
	}
}

// placeholder stands for the password in [app.Rights].
const placeholder = "<password>"

// making returns the statements that make the backup user.
func making(db, password string) []string {
	login := quote(app.BackupUser)
	all := granting(db, app.BackupUser)
	create := "IF SUSER_ID(" + literal(app.BackupUser) + ") IS NULL CREATE LOGIN " + login + " WITH PASSWORD = " + literal(password) +
		", DEFAULT_DATABASE = [master] ELSE ALTER LOGIN " + login + " WITH PASSWORD = " + literal(password) + ";"
	return append([]string{all[0], create}, all[1:]...)
}

// restoring returns the statements that let a login restore the database as
// well. owner is who has to own it again afterwards, "" when it matters not.
func restoring(login, owner string) []string {
	out := []string{
		"ALTER SERVER ROLE [dbcreator] ADD MEMBER " + quote(login) + ";",
		"GRANT ALTER ANY CONNECTION TO " + quote(login) + ";", // to end what keeps the database open
	}
	if owner != "" {
		out = append(out, "GRANT IMPERSONATE ON LOGIN::"+quote(owner)+" TO "+quote(login)+";")
	}
	return out
}

// Rights implements [app.Granter].
func (c *Connector) Rights(ctx context.Context, a app.Access) (_ app.Rights, err error) {
	const op = "sqlserver: look at rights"
	s, err := c.open(ctx, a)
	if err != nil {
		return app.Rights{}, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	defer func() { err = s.codeOf(ctx, op, err) }()
	d, ok, err := s.database(ctx, s.cfg.database)
	if err != nil {
		return app.Rights{}, err
	}
	if !ok {
		return app.Rights{}, s.absent(ctx, op)
	}
	g, err := s.grants(ctx)
	if err != nil {
		return app.Rights{}, err
	}
	owner, err := s.mustOwn(ctx, d.owner, app.BackupUser)
	if err != nil {
		return app.Rights{}, err
	}
	r := app.Rights{User: s.server.user, Missing: g.missing, Excess: g.excess}
	if s.server.mixed {
		r.Statements, r.Restoring = making(d.name, placeholder), restoring(app.BackupUser, owner)
	} else {
		// Only Windows's own users can log in: rights are all there is to give.
		r.Statements, r.Restoring = granting(d.name, s.server.user), restoring(s.server.user, owner)
	}
	return r, nil
}

// mustOwn returns who has to own the database again after a restore, when that
// is neither login itself nor an administrator, who need not own anything.
func (s *session) mustOwn(ctx context.Context, owner, login string) (string, error) {
	if owner == "" || strings.EqualFold(owner, login) {
		return "", nil
	}
	r, err := s.one(ctx, "ask for owner", `SELECT IS_SRVROLEMEMBER(N'sysadmin', @p1) AS admin`, owner)
	if err != nil || r.yes("admin") || strings.EqualFold(owner, "sa") {
		return "", err
	}
	return owner, nil
}

// taking returns the statements that take away what [restoring] gave, whoever
// gave it, and the ownership of a database that nobody else owned. The last
// makes sure of it.
func taking(db, login string) []string {
	who, own := quote(login), literal(login)
	const permissions = "FROM sys.server_permissions p JOIN sys.server_principals u ON u.principal_id = p.grantee_principal_id "
	return []string{
		"IF IS_SRVROLEMEMBER(N'dbcreator', " + own + ") = 1 ALTER SERVER ROLE [dbcreator] DROP MEMBER " + who + ";",
		"REVOKE ALTER ANY CONNECTION FROM " + who + ";",
		"DECLARE @kvart nvarchar(max) = N''; SELECT @kvart += N'REVOKE IMPERSONATE ON LOGIN::' + QUOTENAME(l.name) + N' FROM " + strings.ReplaceAll(who, "'", "''") + " CASCADE; ' " +
			permissions + "JOIN sys.server_principals l ON l.principal_id = p.major_id WHERE u.name = " + own + " AND p.type = 'IM' AND p.class = 101; EXEC (@kvart);",
		"IF EXISTS (SELECT 1 FROM sys.databases WHERE name = " + literal(db) + " AND owner_sid = SUSER_SID(" + own + ")) BEGIN DECLARE @sa nvarchar(max) = N'ALTER AUTHORIZATION ON DATABASE::" +
			strings.ReplaceAll(quote(db), "'", "''") + " TO ' + QUOTENAME(SUSER_SNAME(0x01)); EXEC (@sa); END;",
		"IF IS_SRVROLEMEMBER(N'dbcreator', " + own + ") = 1 OR EXISTS (SELECT 1 " + permissions + "WHERE u.name = " + own + " AND p.type IN ('IM', 'ALCO') AND p.state <> 'D') THROW 50000, N'the right to restore is still there', 1;",
	}
}

// MakeUser implements [app.Granter]: all in one transaction. Of a database that
// is gone nobody knows whose it was: then the user may make it anew.
func (c *Connector) MakeUser(ctx context.Context, admin app.Access, password app.Secret, restore bool) (err error) {
	const op = "sqlserver: make user"
	s, err := c.open(ctx, admin)
	if err != nil {
		return err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	if !s.server.mixed {
		return s.lacks(op, []string{"SQL Server and Windows Authentication mode"},
			`EXEC xp_instance_regwrite N'HKEY_LOCAL_MACHINE', N'Software\Microsoft\MSSQLServer\MSSQLServer', N'LoginMode', REG_DWORD, 2;`)
	}
	if password.IsZero() || strings.ContainsAny(password.Reveal(), "\x00\n\r") {
		return app.Errorf(app.CodeUsage, op, "no password for the new user").With("field", fieldPassword)
	}
	defer func() { err = s.codeOf(ctx, op, err) }()
	d, ok, err := s.database(ctx, s.cfg.database)
	if err != nil {
		return err
	}
	if !ok && !restore {
		return s.absent(ctx, op)
	}
	statements := making(s.cfg.database, password.Reveal())
	if !ok {
		statements = slices.DeleteFunc(statements, func(q string) bool { return strings.HasPrefix(q, "EXEC ") })
	}
	if restore {
		owner, err := s.mustOwn(ctx, d.owner, app.BackupUser)
		if err != nil {
			return err
		}
		statements = append(statements, restoring(app.BackupUser, owner)...)
	} else {
		// Before it is made a user of the database: who owns one is that already.
		statements = slices.Insert(statements, 2, taking(s.cfg.database, app.BackupUser)...)
	}
	// The names of what went wrong are the server's; the statement with the
	// password is not among them.
	script := "SET XACT_ABORT ON; BEGIN TRANSACTION;\n" + strings.Join(statements[1:], "\n") + "\nCOMMIT TRANSACTION;"
	if err := s.exec(ctx, "make user "+app.BackupUser, script); err != nil {
		return err
	}
	r, err := s.one(ctx, "look for user", `SELECT SUSER_ID(@p1) AS id`, app.BackupUser)
	if err == nil && r.null("id") {
		err = fmt.Errorf("the server made no user %s", app.BackupUser)
	}
	return err
}
