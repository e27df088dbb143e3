package mysql

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"kvart/app"
)

// grant is one line of SHOW GRANTS.
type grant struct {
	rights []string // upper case; "ALL PRIVILEGES"
	schema string   // as a pattern; "*" for all
	table  string   // "*" for all
	pass   bool     // may give them to others
	public bool     // everybody has them
}

// grants are what the user may do.
type grants struct{ list []grant }

// grants reads the rights of the user, with those of the roles in use.
func (s *session) grants(ctx context.Context) (g grants, err error) {
	query := `SHOW GRANTS`
	if !s.maria && s.atLeast("8.0") {
		var roles string
		if err := s.one(ctx, `SELECT CURRENT_ROLE()`, &roles); err != nil {
			return g, err
		}
		if roles != "NONE" && roles != "" {
			query = `SHOW GRANTS FOR CURRENT_USER() USING ` + roles
		}
	}
	lines, err := s.column(ctx, query)
	if err != nil {
		return g, err
	}
	for _, line := range lines {
		g.add(line)
	}
	return g, nil
}

// scope finds what a line grants rights on: `shop`.*, `shop`.`sale`, *.*.
var scope = regexp.MustCompile("^(GRANT|REVOKE) (.*?) ON (\\*|`(?:[^`]|``)*`)\\.(\\*|`(?:[^`]|``)*`) (?:TO|FROM) ")

// everybody matches to whom a line grants when that is everybody: MariaDB's
// PUBLIC, or the user without a name.
var everybody = regexp.MustCompile("^(?:`?PUBLIC`?(?: |$)|``@|''@)")

var columns = regexp.MustCompile(`\([^)]*\)`)

func (g *grants) add(line string) {
	m := scope.FindStringSubmatch(line)
	if m == nil {
		return // of a routine, a proxy, a role
	}
	one := grant{schema: unquote(m[3]), table: unquote(m[4]), pass: strings.Contains(line, "WITH GRANT OPTION"), public: everybody.MatchString(line[len(m[0]):])}
	// Rights on single columns are "SELECT (`a`, `b`)": less than the right.
	rights := columns.ReplaceAllStringFunc(m[2], func(list string) string { return strings.ReplaceAll(list, ",", "") })
	for _, r := range strings.Split(rights, ",") {
		one.rights = append(one.rights, strings.ToUpper(strings.TrimSpace(r)))
	}
	if m[1] == "REVOKE" {
		// A part taken away again: what is left is not worth working out.
		g.list = append(g.list, grant{rights: []string{"-"}, schema: one.schema, table: one.table})
		return
	}
	g.list = append(g.list, one)
}

func unquote(name string) string {
	if name == "*" {
		return name
	}
	return strings.ReplaceAll(name[1:len(name)-1], "``", "`")
}

// has reports whether the user has a right on all of a database, or with db
// "" on the whole server.
func (g grants) has(right, db string) bool {
	for _, one := range g.list {
		if one.table != "*" || one.schema != "*" && (db == "" || !matches(one.schema, db)) {
			continue
		}
		if slices.Contains(one.rights, right) || slices.Contains(one.rights, "ALL PRIVILEGES") {
			return db == "" || !g.revoked(db)
		}
	}
	return false
}

func (g grants) revoked(db string) bool {
	return slices.ContainsFunc(g.list, func(one grant) bool { return one.rights[0] == "-" && one.schema == db })
}

// hasTable reports whether the user has a right on one table.
func (g grants) hasTable(right, db, table string) bool {
	return g.has(right, db) || slices.ContainsFunc(g.list, func(one grant) bool {
		return one.schema == db && one.table == table && slices.Contains(one.rights, right)
	})
}

// matches compares a database's name with a pattern of a grant, in which "_"
// and "%" stand for others unless escaped.
func matches(pattern, name string) bool {
	var re strings.Builder
	re.WriteString("^")
	for i := 0; i < len(pattern); i++ {
		switch ch := pattern[i]; {
		case ch == '\\' && i+1 < len(pattern):
			i++
			re.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		case ch == '%':
			re.WriteString(".*")
		case ch == '_':
			re.WriteString(".")
		default:
			re.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	re.WriteString("$")
	exp, err := regexp.Compile("(?s)" + re.String())
	return err == nil && exp.MatchString(name)
}

// pattern escapes a database's name for a grant.
func pattern(name string) string {
	return quote(strings.NewReplacer(`_`, `\_`, `%`, `\%`).Replace(name))
}

// missing returns what a backup lacks. Without these rights the server does
// not refuse, it leaves things out: a backup would be short of them and not
// know it.
func (s *session) missingRights(g grants) (missing []string) {
	need := []string{"SELECT", "SHOW VIEW", "TRIGGER", "EVENT"}
	if s.cfg.lock {
		need = append(need, "LOCK TABLES")
	}
	for _, right := range need {
		if !g.has(right, s.cfg.database) {
			missing = append(missing, right)
		}
	}
	if !s.seesRoutines(g) {
		missing = append(missing, s.routineRight())
	}
	return missing
}

// seesRoutines reports whether the user sees other users' routines.
func (s *session) seesRoutines(g grants) bool {
	switch {
	case s.maria:
		return g.hasTable("SELECT", "mysql", "proc") || g.has(rightShowRoutineMaria, s.cfg.database)
	case s.atLeast("8.0.20"):
		return g.has(rightShowRoutine, "") || g.has("SELECT", "")
	case s.atLeast("8.0"):
		return g.has("SELECT", "")
	}
	return g.hasTable("SELECT", "mysql", "proc")
}

func restoreGrants(database, account string) []string {
	var out []string
	for _, db := range []string{database, beside(database, newSuffix), beside(database, oldSuffix)} {
		out = append(out, fmt.Sprintf("GRANT ALL PRIVILEGES ON %s.* TO %s;", pattern(db), account))
	}
	return out
}

// account returns the account the server knows the user by, quoted.
func (s *session) account(ctx context.Context) (string, error) {
	var name string
	if err := s.one(ctx, `SELECT CURRENT_USER()`, &name); err != nil {
		return "", err
	}
	at := strings.LastIndexByte(name, '@')
	if at < 0 {
		return literal(name), nil
	}
	return literal(name[:at]) + "@" + literal(name[at+1:]), nil
}

// allowed makes sure that a backup sees everything.
func (s *session) allowed(ctx context.Context, op string, g grants) error {
	missing := s.missingRights(g)
	if len(missing) == 0 {
		return nil
	}
	return s.rightsError(ctx, op, missing, s.backupGrants)
}

// rightsError says which rights are missing and which statements grant them.
func (s *session) rightsError(ctx context.Context, op string, missing []string, statements func(db, account string, lock bool) []string) error {
	account, err := s.account(ctx)
	if err != nil {
		return err
	}
	e := s.cfg.fail(app.CodeSourceRight, op, fmt.Errorf("%s lacks %s on %s", account, strings.Join(missing, ", "), s.cfg.database))
	return e.With("right", strings.Join(missing, ", ")).With("statement", strings.Join(statements(s.cfg.database, account, s.cfg.lock), " "))
}
