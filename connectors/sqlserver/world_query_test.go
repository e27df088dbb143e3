package sqlserver

import (
	"regexp"
	"slices"
	"strings"

	"kvart/connectors/sqlserver/tdstest"
)

// name is a quoted name in a pattern, text a quoted string.
const (
	namePattern = `\[((?:[^\]]|\]\])+)\]`
	textPattern = `N'((?:[^']|'')*)'`
)

func verbatim(sql string) *regexp.Regexp {
	return regexp.MustCompile(`^` + regexp.QuoteMeta(sql) + `$`)
}

// shape makes a pattern of a statement in which § stands for any name and ¤ for any text.
func shape(sql string) *regexp.Regexp {
	p := regexp.QuoteMeta(sql)
	p = strings.ReplaceAll(strings.ReplaceAll(p, "§", namePattern), "¤", textPattern)
	return regexp.MustCompile(`(?s)^` + p + `$`)
}

func unquote(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "]]", "]"), "''", "'")
}

// statements are all that the connector may send.
func statements() []known {
	return append([]known{
		{regexp.MustCompile(`^SELECT CAST\(SERVERPROPERTY\('ProductVersion'\)`), (*world).runGreet},
		{regexp.MustCompile(`^SELECT service_account AS account FROM sys\.dm_server_services`), (*world).runAccount},
		{verbatim(databaseQuery + ` WHERE d.name = @p1`), (*world).runDatabases},
		{verbatim(databaseQuery), (*world).runDatabases},
		{verbatim(rightsQuery), (*world).runRights},
		{verbatim(`SELECT HAS_PERMS_BY_NAME(NULL, NULL, N'VIEW ANY DATABASE') AS sees`), func(_ *world, c call) tdstest.Answer {
			return single("sees", bit(c.may("VIEW ANY DATABASE")))
		}},
		{verbatim(`SELECT HAS_PERMS_BY_NAME(QUOTENAME(@p1), N'LOGIN', N'IMPERSONATE') AS may`), func(_ *world, c call) tdstest.Answer {
			return single("may", bit(c.may("IMPERSONATE "+c.arg(0))))
		}},
		{verbatim(`SELECT IS_SRVROLEMEMBER(N'sysadmin', @p1) AS admin`), func(w *world, c call) tdstest.Answer {
			if l := w.logins[c.arg(0)]; l != nil && c.who.admin {
				return single("admin", bit(l.admin))
			}
			return single("admin", nil) // may not know
		}},
		{verbatim(`SELECT SUSER_ID(@p1) AS id`), func(w *world, c call) tdstest.Answer {
			if w.logins[c.arg(0)] == nil {
				return single("id", nil)
			}
			return single("id", int64(260))
		}},
		{regexp.MustCompile(`(?s)^SELECT s\.name AS s, t\.name AS t, SUM\(.* FROM ` + namePattern + `\.sys\.tables AS t .* t\.is_ms_shipped = 0`), (*world).runTables},
		{shape(`SELECT COUNT_BIG(*) AS n FROM §.§.§`), (*world).runCount},
		{regexp.MustCompile(`^SELECT DB_NAME\(f\.database_id\) AS db, .* FROM sys\.master_files AS f$`), (*world).runFiles},
		{regexp.MustCompile(`^EXEC ` + namePattern + `\.sys\.sp_executesql N'SELECT SUM\(CAST\(FILEPROPERTY\(name, ''SpaceUsed''\)`), (*world).runUsed},
		{regexp.MustCompile(`(?s)^SELECT CONVERT\(.* sys\.dm_db_log_stats\(.* WHERE d\.name = @p1$`), (*world).runPulse},
		{regexp.MustCompile(`^SELECT feature_name AS feature FROM ` + namePattern + `\.sys\.dm_db_persisted_sku_features$`), (*world).runFeatures},
		{regexp.MustCompile(`(?s)^SELECT u\.name AS name FROM ` + namePattern + `\.sys\.database_principals AS u`), (*world).runOrphans},
		{regexp.MustCompile(`(?s)^SELECT DISTINCT RTRIM\(e\.program_name\) AS program.* WHERE e\.database_id = @p1 `), (*world).runSessions},
		{regexp.MustCompile(`^SELECT e\.session_id AS id FROM sys\.dm_exec_sessions AS e WHERE e\.database_id = @p1 `), (*world).runSessions},
	}, deeds()...)
}

func single(column string, v any) tdstest.Answer {
	return tdstest.Answer{Columns: []string{column}, Rows: [][]any{{v}}}
}

func bit(b bool) any {
	if b {
		return int64(1)
	}
	return int64(0)
}

func (w *world) runGreet(c call) tdstest.Answer {
	return tdstest.Answer{
		Columns: []string{"version", "edition", "engine", "instance", "data_path", "log_path", "windows_only", "login", "banner"},
		Rows: [][]any{{
			w.version, w.edition, w.engine, "SQLEXPRESS", `D:\Data\`, `D:\Log\`, bit(w.windows), c.user,
			"Microsoft SQL Server (RTM) - " + w.version + " (X64) on Windows Server",
		}},
	}
}

// denied is what a view of the server's state says to those who may not look.
func denied() tdstest.Answer {
	return fail(300, "VIEW SERVER STATE permission was denied on object 'server', database 'master'.")
}

func (w *world) runAccount(c call) tdstest.Answer {
	if !c.may("VIEW SERVER STATE") {
		return denied()
	}
	return single("account", `NT Service\MSSQL$SQLEXPRESS`)
}

func (w *world) runDatabases(c call) tdstest.Answer {
	a := tdstest.Answer{Columns: []string{
		"name", "database_id", "state_desc", "user_access_desc", "recovery_model_desc", "collation_name", "created", "owner",
		"is_auto_close_on", "delayed_durability", "is_encrypted", "reachable",
	}}
	for _, d := range w.dbs {
		if len(c.args) > 0 && !strings.EqualFold(c.arg(0), d.Name) || !c.may("VIEW ANY DATABASE") && d.Owner != c.user {
			continue
		}
		a.Rows = append(a.Rows, []any{
			d.Name, d.ID, d.State, d.Access, "SIMPLE", "Finnish_Swedish_CI_AS", d.Created, d.Owner, d.AutoClose, bit(d.Delayed), d.TDE, bit(true),
		})
	}
	return a
}

func (w *world) runRights(c call) tdstest.Answer {
	d := w.db(c.arg(0))
	owns := d != nil && (d.Owner == c.user || c.who.admin)
	role := func(name string) any { return bit(c.who.admin || slices.Contains(c.who.roles, name)) }
	in := func(right string) any { return bit(d != nil && (owns || c.may(right))) }
	return tdstest.Answer{
		Columns: []string{
			"sysadmin", "securityadmin", "serveradmin", "processadmin", "dbcreator", "bulkadmin", "control_server", "sees", "create_any", "create_here",
			"alter_any", "back_up", "define", "control", "ins", "upd", "del",
		},
		Rows: [][]any{{
			bit(c.who.admin), role("securityadmin"), role("serveradmin"), role("processadmin"), role("dbcreator"), role("bulkadmin"), bit(c.who.admin),
			bit(c.may("VIEW SERVER STATE")), bit(c.may("CREATE ANY DATABASE")), bit(c.may("CREATE ANY DATABASE")), bit(c.may("ALTER ANY DATABASE")),
			in("BACKUP DATABASE"), in("VIEW DEFINITION"), in("CONTROL"), in("INSERT"), in("UPDATE"), in("DELETE"),
		}},
	}
}

// inside returns a database that a user may look into.
func (w *world) inside(c call) (*fakeDB, *tdstest.Answer) {
	name := unquote(c.m[1])
	d := w.db(name)
	if d == nil || d.State != "ONLINE" {
		a := fail(911, "Database '%s' does not exist. Make sure that the name is entered correctly.", name)
		return nil, &a
	}
	if d.Owner != c.user && !c.may("VIEW DEFINITION") {
		a := fail(916, "The server principal %q is not able to access the database %q under the current security context.", c.user, name)
		return nil, &a
	}
	return d, nil
}

func (w *world) runTables(c call) tdstest.Answer {
	d, no := w.inside(c)
	if no != nil {
		return *no
	}
	a := tdstest.Answer{Columns: []string{"s", "t", "n"}}
	for name, rows := range d.Tables {
		at := strings.LastIndex(name, ".")
		schema, table := name[:at], name[at+1:]
		a.Rows = append(a.Rows, []any{schema, table, int64(len(rows))})
	}
	return a
}

func (w *world) runCount(c call) tdstest.Answer {
	d, no := w.inside(c)
	if no != nil {
		return *no
	}
	if !w.ownsInside(d, c) && !c.may("SELECT") {
		return fail(229, "The SELECT permission was denied on the object '%s', database '%s', schema '%s'.", c.m[3], c.m[1], c.m[2])
	}
	return single("n", int64(len(d.Tables[unquote(c.m[2])+"."+unquote(c.m[3])])))
}

// ownsInside reports whether a user is a database's owner inside it too.
func (w *world) ownsInside(d *fakeDB, c call) bool {
	return c.who.admin || d.Owner == c.user && !w.strangers
}

func (w *world) runFiles(call) tdstest.Answer {
	a := tdstest.Answer{Columns: []string{"db", "name", "physical_name", "type", "bytes"}}
	for _, d := range w.dbs {
		for _, f := range d.Files {
			a.Rows = append(a.Rows, []any{d.Name, f.Name, f.Path, int64(strings.Index("DLS", f.Type)), f.Size})
		}
	}
	return a
}

func (w *world) runUsed(c call) tdstest.Answer {
	d, no := w.inside(c)
	if no != nil {
		return *no
	}
	return single("bytes", d.Files[0].Size/2)
}

func (w *world) runPulse(c call) tdstest.Answer {
	if !c.may("VIEW SERVER STATE") {
		return denied()
	}
	a := tdstest.Answer{Columns: []string{"started", "log_end", "others", "writes", "fork", "busy"}}
	if d := w.db(c.arg(0)); d != nil {
		others := int64(0)
		if d.Files[len(d.Files)-1].Type == "S" {
			others = 1
		}
		a.Rows = [][]any{{w.started, "00000022:" + spaced(d.LSN), others, d.Writes, d.Fork, d.Open}}
	}
	return a
}

func (w *world) runFeatures(c call) tdstest.Answer {
	d, no := w.inside(c)
	if no != nil {
		return *no
	}
	a := tdstest.Answer{Columns: []string{"feature"}}
	for _, f := range d.Features {
		a.Rows = append(a.Rows, []any{f})
	}
	return a
}

func (w *world) runOrphans(c call) tdstest.Answer {
	d, no := w.inside(c)
	if no != nil {
		return *no
	}
	a := tdstest.Answer{Columns: []string{"name"}}
	for _, u := range d.Orphans {
		a.Rows = append(a.Rows, []any{u})
	}
	return a
}

func (w *world) runSessions(c call) tdstest.Answer {
	if !c.may("VIEW SERVER STATE") {
		return denied()
	}
	a := tdstest.Answer{Columns: []string{"id", "program", "host"}}
	for id, s := range w.sessions {
		if d := w.db(s.db); d != nil && c.args[0] == d.ID {
			a.Rows = append(a.Rows, []any{int64(id), s.program, s.host})
		}
	}
	return a
}
