package sqlserver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	mssql "github.com/microsoft/go-mssqldb"

	"kvart/app"
)

// Codes of checks.
const (
	checkOpens     = "opens"
	checkIntegrity = "integrity"
	checkRows      = "rows"
	checkFiles     = "files"
	checkLogins    = "logins"
	checkDrill     = "rehearsed"
)

// remember keeps what was found out about a database before it took its place:
// afterwards the user may have no right to look into it any more.
func (c *Connector) remember(tag string, checks []app.Check) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.proven = map[string][]app.Check{tag: checks} // only the last one is asked for
}

func (c *Connector) remembered(tag string) []app.Check {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.proven[tag])
}

// Verify implements [app.Restorer]. What Apply proved about the database before
// it put it in place is not proved again, unless Kvart was started anew since.
func (c *Connector) Verify(ctx context.Context, r app.Restore) (checks []app.Check, err error) {
	j, err := c.job(r)
	if err != nil {
		return nil, err
	}
	defer func() {
		for i := range checks {
			checks[i].Source = r.Access.Source.Name
		}
	}()
	if j.dir != "" {
		return c.verifyDir(ctx, j)
	}
	s, err := c.connect(ctx, j.cfg)
	if err != nil {
		return nil, err
	}
	defer func() { c.warn("Could not end connection", s.Close()) }()
	checks, err = c.verifyDatabase(ctx, s, j)
	return checks, s.targetCode(ctx, "sqlserver: verify", err)
}

func (c *Connector) verifyDatabase(ctx context.Context, s *session, j job) ([]app.Check, error) {
	d, ok, err := s.database(ctx, j.cfg.database)
	if err != nil {
		return nil, err
	}
	if j.drop {
		check := app.Check{Code: checkOpens, OK: !ok, Detail: "no database", Seen: []app.Seen{{Code: app.SeenDatabaseGone}}}
		if ok {
			check.Detail, check.Seen = "the database is still there", []app.Seen{app.Named(app.SeenDatabaseLeft, j.cfg.database)}
		}
		return []app.Check{check}, nil
	}
	if !ok || !d.online() || d.access == "SINGLE_USER" {
		check := app.Check{Code: checkOpens, Detail: strings.TrimSpace(j.cfg.database + " " + d.state + " " + d.access)}
		if check.See(app.Named(app.SeenDatabaseMissing, j.cfg.database)); ok {
			check.Seen = []app.Seen{{Code: app.SeenDatabaseShut}}
		}
		return []app.Check{check}, nil
	}
	files, err := s.filesOf(ctx)
	if err != nil {
		return nil, err
	}
	if !madeBy(files[d.name], j.id) {
		return []app.Check{{Code: checkOpens, Detail: "the database is not the one that was restored", Seen: []app.Seen{{Code: app.SeenDatabaseOther}}}}, nil
	}
	server := "SQL Server " + s.server.version + ", " + s.server.edition
	checks := []app.Check{{Code: checkOpens, OK: true, Detail: server, Seen: []app.Seen{app.Named(app.SeenOpened, server)}}}
	proof := c.remembered(tagOf(files[d.name]))
	if len(proof) == 0 {
		if proof, err = s.prove(ctx, d.name, j); err != nil {
			return nil, err
		}
	}
	checks = append(checks, proof...)
	logins := app.Check{Code: checkLogins, OK: true, Detail: "owner " + d.owner, Seen: []app.Seen{app.Named(app.SeenOwner, d.owner)}}
	lost, err := s.orphans(ctx, d.name)
	switch {
	case err != nil:
		return nil, err
	case len(lost) > 0:
		logins.See(app.Seen{Code: app.SeenLoginsLost, Count: int64(len(lost)), Names: lost})
		logins.Detail += "; users without a login on this server: " + strings.Join(lost, ", ")
	}
	return append(checks, logins), nil
}

// prove has the server look through a database that was restored, and counts.
// Only its owner may have that done, which is who restored it, and may be so no
// more. Then what RESTORE WITH CHECKSUM saw has to do, and the server's own
// numbers of rows; the check's detail says so.
func (s *session) prove(ctx context.Context, db string, j job) ([]app.Check, error) {
	whole, err := s.checkDatabase(ctx, db)
	if refused(err, 2571, 7983) {
		whole.See(app.Seen{Code: app.SeenPagesRight})
		whole.Detail, err = "every page's checksum was right when it was restored; this user may not run DBCC CHECKDB", nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.compareRows(ctx, db, j)
	if err != nil {
		return nil, err
	}
	return []app.Check{whole, rows}, nil
}

// checkDatabase has the server look at every page. Not being able to look is an
// error, finding damage is not.
func (s *session) checkDatabase(ctx context.Context, db string) (app.Check, error) {
	check := app.Check{Code: checkIntegrity, OK: true, Detail: "DBCC CHECKDB"}
	err := s.exec(ctx, "check database", `DBCC CHECKDB (`+literal(db)+`) WITH NO_INFOMSGS, PHYSICAL_ONLY`)
	found := slices.DeleteFunc(slices.Clone(refusal(err)), func(e mssql.Error) bool { return !damage(e.Number) })
	if err != nil && len(found) == 0 {
		return check, err
	}
	for i, e := range found {
		if check.OK {
			check.OK = false
			check.See(app.Seen{Code: app.SeenDatabaseDamaged})
		}
		if i < 5 {
			check.Detail += "; " + e.Message
		}
	}
	return check, nil
}

// damage reports whether a number is one of DBCC's findings.
func damage(n int32) bool {
	switch {
	case n == 8921, n == 7983: // broken off, not allowed
		return false
	case n == 824, n == 823, n == 825, n >= 2500 && n < 2600 && n != 2571 && n != 2520, n >= 7900 && n < 8000, n >= 8900 && n < 9000:
		return true
	}
	return false
}

// compareRows counts every row of a database and compares with what was counted
// when the point was made.
func (s *session) compareRows(ctx context.Context, db string, j job) (app.Check, error) {
	there, err := s.tables(ctx, db)
	if err != nil {
		return app.Check{}, err
	}
	check := app.Check{Code: checkRows}
	var wrong []string
	var total int64
	counted := ""
	for _, t := range there {
		r, err := s.one(ctx, "count rows", `SELECT COUNT_BIG(*) AS n FROM `+quote(db)+`.`+quote(t.schema)+`.`+quote(t.name))
		got := r.int("n")
		if refused(err, 229) {
			got, err = t.rows, nil
			counted = "the server's own number of "
		}
		if err != nil && refusal(err) == nil {
			return app.Check{}, err
		}
		i := slices.IndexFunc(j.about.Tables, func(n counts) bool { return n.Schema == t.schema && n.Name == t.name })
		switch {
		case err != nil:
			wrong = append(wrong, t.title()+": "+err.Error())
			check.See(app.Named(app.SeenTablesUnread, t.title()))
		case i >= 0 && !j.about.right(j.about.Tables[i], got, t.rows):
			wrong = append(wrong, fmt.Sprintf("%s: %s rows, %s expected", t.title(), spaced(got), spaced(j.about.Tables[i].Rows)))
			check.See(app.RowsOff(t.title(), got, j.about.Tables[i].Rows))
		}
		total += got
	}
	for _, n := range j.about.Tables {
		gone := !slices.ContainsFunc(there, func(t table) bool { return n.Schema == t.schema && n.Name == t.name })
		if gone && n.Moved < max(n.Rows, 1) {
			wrong = append(wrong, fmt.Sprintf("%s: missing, %s rows expected", n.title(), spaced(n.Rows)))
			check.See(app.Named(app.SeenTablesMissing, n.title()))
		}
	}
	slices.Sort(wrong)
	detail := fmt.Sprintf("%d tables, %s%s rows", len(there), counted, spaced(total))
	if counted != "" {
		check.See(app.Seen{Code: app.SeenServersCount})
	}
	check.OK, check.Detail = len(wrong) == 0, strings.Join(append([]string{detail}, wrong...), "; ")
	check.Counted = app.Counted{Tables: int64(len(there)), Rows: total}
	return check, nil
}

// orphans lists users of a database that belong to no login of the server. A
// database that can't be looked into has none to tell of.
func (s *session) orphans(ctx context.Context, db string) (out []string, err error) {
	rows, err := s.rows(ctx, "list users", `SELECT u.name AS name FROM `+quote(db)+`.sys.database_principals AS u
 WHERE u.type IN ('S', 'U', 'G') AND u.authentication_type IN (1, 3) AND u.principal_id > 4 AND SUSER_SNAME(u.sid) IS NULL`)
	var e mssql.Error
	if err != nil {
		if errors.As(err, &e) {
			return nil, nil
		}
		return nil, err
	}
	for _, r := range rows {
		out = append(out, r.str("name"))
	}
	slices.Sort(out)
	return out, nil
}

// spaced writes a number with its digits in groups of three.
func spaced(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}
