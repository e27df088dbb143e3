package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// passwordMark stands for a new password in statements that are shown.
const passwordMark = "<password>"

// Rights implements [app.Granter].
func (c *Connector) Rights(ctx context.Context, a app.Access) (r app.Rights, err error) {
	const op = "postgres: look at rights"
	l, err := c.open(ctx, a)
	if err != nil {
		return r, err
	}
	defer l.close()
	conn, err := l.connect(ctx, l.database)
	if err != nil {
		return r, err
	}
	defer l.let(ctx, conn)
	r.User = l.user
	if r.Missing, err = l.missing(ctx, conn); err == nil {
		r.Excess, err = l.excess(ctx, conn)
	}
	if err != nil {
		return r, l.codeOf(ctx, op, err)
	}
	n, err := l.needs(ctx, conn)
	if err != nil {
		return r, l.codeOf(ctx, op, err)
	}
	r.Statements = n.statements(passwordMark)
	r.Restoring = n.restoring(app.BackupUser)
	return r, nil
}

// MakeUser implements [app.Granter], in one transaction. The server gets to
// see what proves the password, not the password: statements end up in logs.
// Of a database that is gone nobody knows whose it was: then the user may make
// it anew, and no more.
func (c *Connector) MakeUser(ctx context.Context, admin app.Access, password app.Secret, restoring bool) error {
	const op = "postgres: make user"
	l, err := c.open(ctx, admin)
	if err != nil {
		return err
	}
	defer l.close()
	conn, err := l.connect(ctx, l.database)
	gone := restoring && app.CodeOf(err) == app.CodeSourceGone
	if gone {
		conn, err = l.maintain(ctx)
	}
	if err != nil {
		return err
	}
	defer l.let(ctx, conn)
	n, err := l.needs(ctx, conn)
	if err != nil {
		return l.codeOf(ctx, op, err)
	}
	proof, err := verifier(password.Reveal())
	if err != nil {
		return l.codeOf(ctx, op, err)
	}
	if gone {
		n = needs{server: n.server, known: n.known}
	}
	statements := n.statements(proof)
	switch {
	case restoring:
		statements = append(statements, n.restoring(app.BackupUser)...)
	case n.known:
		statements = append(n.taking(), statements...) // what is taken may be what it reads with
	}
	// Several commands at once are one transaction of their own.
	if err := perform(ctx, conn, strings.Join(statements, "\n")); err != nil {
		if sqlState(err) == "42501" {
			return l.fail(app.CodeSourceRight, op, err).With("right", "CREATEROLE, GRANT OPTION")
		}
		return l.codeOf(ctx, op, err)
	}
	return nil
}

// verifier turns a password into what the server keeps of it: SCRAM-SHA-256,
// as libpq's PQencryptPasswordConn does. Only ASCII needs no preparation, and
// the guard's own passwords are nothing else.
func verifier(password string) (string, error) {
	if strings.ContainsFunc(password, func(r rune) bool { return r < ' ' || r > '~' }) {
		return "", errors.New("the new password is not plain ASCII")
	}
	const rounds = 4096
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("draw salt: %w", err)
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("derive password: %w", err)
	}
	sign := func(text string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, b64(salt), b64(stored[:]), b64(sign("Server Key"))), nil
}

// needs is what the statements that make the user depend on.
type needs struct {
	server   int
	database string
	owner    string   // of the database
	known    bool     // the user is there
	given    []string // roles it was made a member of, but for those it reads with
	owns     bool     // something in this database, or a database
	schemas  []string // with something to read in them
	owners   []string // of what is in them
	secured  bool     // tables have row security, which would hide rows
	objects  bool     // there are large objects, with rights of their own
}

func (l *link) needs(ctx context.Context, conn *pgx.Conn) (n needs, err error) {
	n.server, _ = major(conn)
	n.database = l.database
	err = conn.QueryRow(ctx, `
SELECT pg_catalog.pg_get_userbyid(datdba)::text, EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = `+literal(app.BackupUser)+`),
  EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relrowsecurity AND `+ownSchemas+`),
  EXISTS (SELECT FROM pg_catalog.pg_largeobject_metadata)
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`).Scan(&n.owner, &n.known, &n.secured, &n.objects)
	if err != nil {
		return n, fmt.Errorf("look at the database: %w", err)
	}
	n.schemas, err = column[string](ctx, conn, `SELECT n.nspname::text FROM pg_catalog.pg_namespace n WHERE `+ownSchemas+` ORDER BY n.nspname COLLATE "C"`)
	if err != nil {
		return n, fmt.Errorf("list schemas: %w", err)
	}
	n.owners, err = column[string](ctx, conn, `SELECT DISTINCT pg_catalog.pg_get_userbyid(c.relowner)::text FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm', 'S', 'v', 'f') AND `+ownSchemas+` ORDER BY 1`)
	if err != nil {
		return n, fmt.Errorf("list owners: %w", err)
	}
	n.given, err = column[string](ctx, conn, `SELECT DISTINCT pg_catalog.pg_get_userbyid(m.roleid)::text FROM pg_catalog.pg_auth_members m
WHERE m.member = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = `+literal(app.BackupUser)+`) ORDER BY 1`)
	if err != nil {
		return n, fmt.Errorf("list memberships: %w", err)
	}
	n.owns, err = one[bool](ctx, conn, `SELECT EXISTS (SELECT FROM pg_catalog.pg_shdepend s WHERE s.refclassid = 'pg_catalog.pg_authid'::regclass AND s.deptype = 'o'
  AND s.refobjid = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = `+literal(app.BackupUser)+`)
  AND (s.dbid = 0 OR s.dbid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())))`)
	if err != nil {
		return n, fmt.Errorf("look at what it owns: %w", err)
	}
	n.given = slices.DeleteFunc(n.given, func(role string) bool { return role == "pg_read_all_data" })
	return n, nil
}

// statements make the user. Before version 14 there is no right to read
// everything: those on what comes later are given beforehand, for each role
// that owns something now. Large objects of later can't be covered: a backup
// that meets one says which statement helps.
func (n needs) statements(password string) []string {
	role := ident(app.BackupUser)
	verb, more := "CREATE", ""
	if n.known {
		verb = "ALTER"
	}
	if n.secured {
		more = " BYPASSRLS"
	}
	out := []string{verb + " ROLE " + role + " LOGIN" + more + " PASSWORD " + literal(password) + ";"}
	if n.database != "" {
		out = append(out, "GRANT CONNECT ON DATABASE "+ident(n.database)+" TO "+role+";")
	}
	if n.server >= 14 {
		out = append(out, "GRANT pg_read_all_data TO "+role+";")
	} else {
		for _, s := range n.schemas {
			out = append(out,
				"GRANT USAGE ON SCHEMA "+ident(s)+" TO "+role+";",
				"GRANT SELECT ON ALL TABLES IN SCHEMA "+ident(s)+" TO "+role+";",
				"GRANT SELECT ON ALL SEQUENCES IN SCHEMA "+ident(s)+" TO "+role+";")
			for _, o := range n.owners {
				later := "ALTER DEFAULT PRIVILEGES FOR ROLE " + ident(o) + " IN SCHEMA " + ident(s) + " GRANT SELECT ON "
				out = append(out, later+"TABLES TO "+role+";", later+"SEQUENCES TO "+role+";")
			}
		}
	}
	if n.objects {
		out = append(out, "DO "+literal("DECLARE o oid; BEGIN FOR o IN SELECT oid FROM pg_catalog.pg_largeobject_metadata LOOP EXECUTE pg_catalog.format('GRANT SELECT ON LARGE OBJECT %s TO "+role+"', o); END LOOP; END")+";")
	}
	return out
}

// restoring let a role make a database and exchange it for the one that is
// there, which takes being its owner and ending the connections to it; and give
// what is in it back to those it belongs to, which takes being a member of them.
func (n needs) restoring(who string) []string {
	role := ident(who)
	out := []string{"ALTER ROLE " + role + " CREATEDB;"}
	for _, o := range n.restored() {
		if o != who {
			out = append(out, "GRANT "+ident(o)+" TO "+role+";")
		}
	}
	return append(out, "GRANT pg_signal_backend TO "+role+";")
}

// restored are those to whom a restore has to give things back.
func (n needs) restored() (out []string) {
	for _, o := range append([]string{n.owner}, n.owners...) {
		if o != "" && !slices.Contains(out, o) {
			out = append(out, o)
		}
	}
	return out
}

// adopt gives a new database to whom the old one belongs: nobody else may own
// what is in its public schema. Who may not give it away keeps it.
func adopt(ctx context.Context, admin *pgx.Conn, fresh, old string) error {
	owner, err := one[string](ctx, admin, "SELECT pg_catalog.pg_get_userbyid(datdba)::text FROM pg_catalog.pg_database WHERE datname = "+literal(old))
	if err != nil || owner == "" {
		return err
	}
	if err = perform(ctx, admin, "ALTER DATABASE "+ident(fresh)+" OWNER TO "+ident(owner)); sqlState(err) == "42501" {
		return nil
	}
	return err
}

// taking takes away what [needs.restoring] gave, and what the role came to own
// by it, with which it could go on writing. Who gave a membership counts, so in
// the end it is looked whether it is gone.
func (n needs) taking() []string {
	role := ident(app.BackupUser)
	out := []string{"ALTER ROLE " + role + " NOCREATEDB;"}
	for _, g := range n.given {
		out = append(out, "REVOKE "+ident(g)+" FROM "+role+";")
	}
	if n.owns {
		to := ident(n.owner)
		if n.owner == app.BackupUser {
			to = "CURRENT_USER"
		}
		out = append(out, "REASSIGN OWNED BY "+role+" TO "+to+";")
	}
	check := "BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles u ON u.oid = m.member JOIN pg_catalog.pg_roles r ON r.oid = m.roleid " +
		"WHERE u.rolname = " + literal(app.BackupUser) + " AND r.rolname <> 'pg_read_all_data') THEN RAISE insufficient_privilege; END IF; END"
	return append(out, "DO "+literal(check)+";")
}

// mayNotReplace tells what keeps the user from replacing what is in the
// database, where it is not the database that is exchanged. picked are files of
// tables; none are all. It returns nil where nothing does.
func (j *job) mayNotReplace(ctx context.Context, picked map[string]bool) (*app.Error, error) {
	if !j.rights.exists || j.way != wayInside && j.way != wayTables {
		return nil, nil
	}
	conn, err := j.connect(ctx, j.name)
	if err != nil {
		return nil, err
	}
	defer j.let(ctx, conn)
	what := `WITH x AS (SELECT c.oid, c.relowner AS o, c.relnamespace AS n FROM pg_catalog.pg_class c UNION ALL SELECT p.oid, p.proowner, p.pronamespace FROM pg_catalog.pg_proc p
UNION ALL SELECT n.oid, n.nspowner, n.oid FROM pg_catalog.pg_namespace n WHERE n.nspname <> 'public'),
mine AS (SELECT pg_catalog.pg_has_role(x.o, 'USAGE') AS yes FROM x JOIN pg_catalog.pg_namespace n ON n.oid = x.n
WHERE ` + ownSchemas + ` AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = x.oid AND d.deptype = 'e'))
SELECT true WHERE EXISTS (SELECT FROM mine WHERE NOT yes)
OR NOT EXISTS (SELECT FROM mine) AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public' AND NOT pg_catalog.has_schema_privilege(oid, 'CREATE'))`
	if j.way == wayTables {
		list, err := tables(ctx, conn)
		if err != nil {
			return nil, err
		}
		oids := []string{"0"}
		for _, t := range list {
			if picked[t.file] {
				oids = append(oids, strconv.FormatUint(uint64(t.oid), 10))
			}
		}
		if len(oids) <= len(picked) && !j.rights.create {
			return app.AsError(j.mayNotCreate()), nil // what is gone is made in a database of its own first
		}
		what = `SELECT true FROM pg_catalog.pg_class c WHERE c.oid IN (` + strings.Join(oids, ", ") + `)
AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE') AND NOT pg_catalog.has_table_privilege(c.oid, 'TRUNCATE')`
	}
	if no, err := one[bool](ctx, conn, what+" LIMIT 1"); err != nil || !no {
		return nil, err
	}
	n, err := j.needs(ctx, conn)
	if err != nil {
		return nil, err
	}
	return j.fail(app.CodeSourceRight, opRestore, errors.New("what is there belongs to others")).
		With("right", "OWNER OF "+strings.Join(n.restored(), ", ")).With("statement", strings.Join(n.restoring(j.user), " ")), nil
}

// missing lists what the user may not read.
func (l *link) missing(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	list, err := tables(ctx, conn)
	if err != nil {
		return nil, err
	}
	not, err := l.lacks(ctx, conn, list)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, name := range not.names {
		out = append(out, "SELECT ON "+name)
	}
	objects, err := column[string](ctx, conn, `SELECT oid::text FROM pg_catalog.pg_largeobject_metadata o
WHERE NOT COALESCE((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false) AND NOT pg_catalog.pg_has_role(lomowner, 'USAGE')
  AND pg_catalog.current_setting('lo_compat_privileges') = 'off'
  AND NOT EXISTS (SELECT FROM pg_catalog.aclexplode(lomacl) x WHERE x.privilege_type = 'SELECT' AND (x.grantee = 0 OR pg_catalog.pg_has_role(x.grantee, 'USAGE')))
ORDER BY oid`)
	if err != nil {
		return nil, fmt.Errorf("look at large objects: %w", err)
	}
	for _, o := range objects {
		out = append(out, "SELECT ON LARGE OBJECT "+o)
	}
	hidden, err := one[bool](ctx, conn, `SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND `+ownSchemas+` AND pg_catalog.row_security_active(c.oid))`)
	if err != nil {
		return nil, fmt.Errorf("look at row security: %w", err)
	}
	if hidden {
		out = append(out, "BYPASSRLS")
	}
	return out, nil
}

// excess lists what the user may do that reading doesn't take.
func (l *link) excess(ctx context.Context, conn *pgx.Conn) (out []string, err error) {
	var can [5]bool
	err = conn.QueryRow(ctx, `SELECT rolsuper, rolcreaterole, rolcreatedb, rolreplication,
  COALESCE((SELECT pg_catalog.pg_has_role(datdba, 'USAGE') FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()), false)
FROM pg_catalog.pg_roles WHERE rolname = current_user`).Scan(&can[0], &can[1], &can[2], &can[3], &can[4])
	if err != nil {
		return nil, fmt.Errorf("look at the role: %w", err)
	}
	if can[0] {
		return []string{"SUPERUSER"}, nil // which includes all others
	}
	for i, name := range []string{"", "CREATEROLE", "CREATEDB", "REPLICATION", "OWNER OF DATABASE " + l.database} {
		if can[i] && i > 0 {
			out = append(out, name)
		}
	}
	roles, err := column[string](ctx, conn, `SELECT rolname::text FROM pg_catalog.pg_roles
WHERE rolname IN ('pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_signal_backend')
  AND pg_catalog.pg_has_role(oid, 'USAGE') ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("list roles: %w", err)
	}
	writes, err := column[string](ctx, conn, `SELECT DISTINCT p FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace,
  unnest(ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE']) p
WHERE c.relkind IN ('r', 'p') AND `+ownSchemas+` AND pg_catalog.has_table_privilege(c.oid, p) ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("look at rights to write: %w", err)
	}
	return slices.Concat(out, roles, writes), nil
}
