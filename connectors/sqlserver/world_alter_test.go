package sqlserver

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"kvart/connectors/sqlserver/tdstest"
)

// failed adds what ALTER DATABASE says after every error.
func failed(number int32, format string, args ...any) tdstest.Answer {
	a := fail(number, format, args...)
	a.Messages = append(a.Messages, tdstest.Message{Number: 5069, Class: 16, Text: "ALTER DATABASE statement failed."})
	return a
}

func isFailed(a tdstest.Answer) bool { return len(a.Messages) > 0 || a.Hangup }

// inUse reports whether somebody has a database open.
func (w *world) inUse(d *fakeDB) bool {
	for _, s := range w.sessions {
		if strings.EqualFold(s.db, d.Name) {
			return true
		}
	}
	return false
}

// alterable finds a database that a user may alter.
func (w *world) alterable(c call, quoted string) (*fakeDB, *tdstest.Answer) {
	d := w.db(unquote(quoted))
	if d == nil || d.Owner != c.user && !c.may("ALTER ANY DATABASE") {
		a := failed(5011, "User does not have permission to alter database '%s', the database does not exist, or the database is not in a state that allows access checks.", unquote(quoted))
		return nil, &a
	}
	return d, nil
}

func (w *world) setAccess(c call, quoted, access string) tdstest.Answer {
	d, no := w.alterable(c, quoted)
	if no != nil {
		return *no
	}
	if d.Access == "SINGLE_USER" && w.inUse(d) {
		return failed(5064, "Changes to the state or options of database '%s' cannot be made at this time. The database is in single-user mode, and a user is currently connected to it.", d.Name)
	}
	for id, s := range w.sessions {
		if strings.EqualFold(s.db, d.Name) {
			delete(w.sessions, id)
		}
	}
	d.Access = access
	if access == "SINGLE_USER" && w.eager > 0 {
		w.eager--
		w.sessions[90+w.eager] = &fakeSession{d.Name, "Kassa 3", "TILL-1", "shop"}
	}
	return tdstest.Answer{}
}

func (w *world) rename(c call, from, to string) tdstest.Answer {
	d, no := w.alterable(c, from)
	if no != nil {
		return *no
	}
	if w.inUse(d) {
		return failed(5030, "The database could not be exclusively locked to perform the operation.")
	}
	name := unquote(to)
	if w.db(name) != nil {
		return fail(1801, "Database '%s' already exists. Choose a different database name.", name)
	}
	delete(w.dbs, strings.ToLower(d.Name))
	d.Name = name
	w.dbs[strings.ToLower(name)] = d
	return tdstest.Answer{}
}

func (w *world) dropDB(c call, quoted string) tdstest.Answer {
	d, no := w.alterable(c, quoted)
	if no != nil {
		return fail(3701, "Cannot drop the database '%s', because it does not exist or you do not have permission.", unquote(quoted))
	}
	if w.inUse(d) {
		return fail(3702, "Cannot drop database \"%s\" because it is currently in use.", d.Name)
	}
	delete(w.dbs, strings.ToLower(d.Name))
	return tdstest.Answer{}
}

func (w *world) runDrop(c call) tdstest.Answer {
	if a := w.setAccess(c, c.m[1], "SINGLE_USER"); isFailed(a) {
		return a
	}
	if w.step() {
		return tdstest.Answer{Hangup: true}
	}
	return w.dropDB(c, c.m[2])
}

// runExchange does what the script says, and can be switched off between any
// two of its statements.
func (w *world) runExchange(c call) tdstest.Answer {
	if a := w.setAccess(c, c.m[1], "SINGLE_USER"); isFailed(a) {
		return a
	}
	if w.step() {
		return tdstest.Answer{Hangup: true}
	}
	if a := w.rename(c, c.m[2], c.m[3]); isFailed(a) {
		return a
	}
	if w.step() {
		return tdstest.Answer{Hangup: true}
	}
	a := w.rename(c, c.m[4], c.m[5])
	if isFailed(a) {
		a.Messages = append(a.Messages, w.rename(c, c.m[6], c.m[7]).Messages...)
	}
	return a
}

func (w *world) runKill(c call) tdstest.Answer {
	if !c.may("ALTER ANY CONNECTION") {
		return fail(6102, "User does not have permission to use the KILL statement.")
	}
	id, err := strconv.Atoi(c.m[1])
	if err != nil || w.sessions[id] == nil {
		return fail(6106, "Process ID %s is not an active process ID.", c.m[1])
	}
	delete(w.sessions, id)
	return tdstest.Answer{}
}

var loginPattern = regexp.MustCompile(`^IF SUSER_ID\(N'kvart_backup'\) IS NULL CREATE LOGIN \[kvart_backup\] WITH PASSWORD = ` + textPattern +
	`, DEFAULT_DATABASE = \[master\] ELSE ALTER LOGIN \[kvart_backup\] WITH PASSWORD = ` + textPattern + `;`)

// runMakeUser does all of it or nothing: it is one transaction.
func (w *world) runMakeUser(c call) tdstest.Answer {
	m := loginPattern.FindStringSubmatch(c.m[1])
	if m == nil || m[1] != m[2] {
		w.t.Errorf("no login is made by %s", c.m[1])
		return fail(102, "Incorrect syntax.")
	}
	if !c.who.admin {
		return fail(15247, "User does not have permission to perform this action.")
	}
	if len(unquote(m[1])) < 8 {
		return fail(15116, "Password validation failed. The password does not meet the requirements of the password filter DLL.")
	}
	for _, part := range []string{
		"GRANT CREATE ANY DATABASE TO [kvart_backup];", "GRANT VIEW SERVER STATE TO [kvart_backup];",
		"EXEC [shop].sys.sp_executesql N'ALTER ROLE [db_backupoperator] ADD MEMBER [kvart_backup]';", "GRANT VIEW DEFINITION, VIEW DATABASE STATE TO [kvart_backup]",
	} {
		if !strings.Contains(c.m[1], part) {
			w.t.Errorf("%s lacks %s", c.m[1], part)
		}
	}
	made := w.logins["kvart_backup"]
	if made == nil {
		made = &fakeLogin{}
		w.logins["kvart_backup"] = made
	}
	made.password = unquote(m[1])
	if strings.Contains(c.m[1], "ALTER SERVER ROLE [dbcreator] DROP MEMBER [kvart_backup];") {
		for _, part := range []string{"REVOKE ALTER ANY CONNECTION FROM [kvart_backup];", "N'REVOKE IMPERSONATE ON LOGIN::'", "owner_sid = SUSER_SID(N'kvart_backup')", "THROW 50000"} {
			if !strings.Contains(c.m[1], part) {
				w.t.Errorf("%s lacks %s", c.m[1], part)
			}
		}
		made.rights, made.roles = backupRights(), nil
	}
	for _, r := range backupRights() {
		if !slices.Contains(made.rights, r) {
			made.rights = append(made.rights, r)
		}
	}
	if strings.Contains(c.m[1], "ALTER SERVER ROLE [dbcreator] ADD MEMBER [kvart_backup];\nGRANT ALTER ANY CONNECTION TO [kvart_backup];\nGRANT IMPERSONATE ON LOGIN::[shop] TO [kvart_backup];") {
		made.roles = []string{"dbcreator"}
		made.rights = append(made.rights, "ALTER ANY DATABASE", "ALTER ANY CONNECTION", "IMPERSONATE shop")
	}
	return tdstest.Answer{}
}
