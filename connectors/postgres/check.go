package postgres

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// Check implements [app.Connector]. It asks only the catalogue. What the user
// may not read is an error that names the statements which help.
func (c *Connector) Check(ctx context.Context, a app.Access) (app.SourceInfo, error) {
	const op = "postgres: check"
	l, err := c.open(ctx, a)
	if err != nil {
		return app.SourceInfo{}, err
	}
	defer l.close()
	conn, err := l.connect(ctx, l.database)
	if err != nil {
		return app.SourceInfo{}, err
	}
	defer l.let(ctx, conn)
	_, version := major(conn)
	program, err := l.program(ctx, version)
	if err != nil {
		return app.SourceInfo{}, err
	}
	list, err := tables(ctx, conn)
	if err != nil {
		return app.SourceInfo{}, l.codeOf(ctx, op, err)
	}
	if err := l.mayRead(ctx, conn, list); err != nil {
		return app.SourceInfo{}, l.codeOf(ctx, op, err)
	}
	info := app.SourceInfo{Files: int64(len(list)), Changed: time.Now(), Details: map[string]string{
		"version": version, "program": program.Path + " " + program.Version,
		"encoding": conn.PgConn().ParameterStatus("server_encoding"), "tables": strconv.Itoa(len(list)),
	}}
	var super, create bool
	var conns int64
	err = conn.QueryRow(ctx, `
SELECT pg_catalog.pg_database_size(pg_catalog.current_database()),
  COALESCE((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false),
  COALESCE((SELECT rolcreatedb OR rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false),
  (SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid())`).
		Scan(&info.Bytes, &super, &create, &conns)
	if err != nil {
		return app.SourceInfo{}, l.codeOf(ctx, op, err)
	}
	info.Details["connections"] = strconv.FormatInt(conns, 10)
	info.Details["create_databases"] = strconv.FormatBool(create)
	if super {
		info.Details["superuser"] = "true"
		n, _ := major(conn)
		info.Details["statement"] = Statements(n, "kvart", l.database, schemasOf(list)...)
	}
	return info, nil
}

func schemasOf(list []table) (names []string) {
	for _, t := range list {
		if !slices.Contains(names, t.schema) {
			names = append(names, t.schema)
		}
	}
	return names
}

// mayRead names every right that is missing before anything is read.
func (l *link) mayRead(ctx context.Context, conn *pgx.Conn, list []table) error {
	var schemas, reads, names []string
	for _, t := range list {
		if !t.mayUse {
			schemas = append(schemas, "GRANT USAGE ON SCHEMA "+ident(t.schema)+" TO "+ident(l.user)+";")
		}
		if !t.mayRead {
			reads = append(reads, "GRANT SELECT ON TABLE "+t.sql()+" TO "+ident(l.user)+";")
		}
		if !t.mayUse || !t.mayRead {
			names = append(names, fullName(t.schema, t.name))
		}
	}
	seqs, err := listSequences(ctx, conn)
	if err != nil {
		return err
	}
	for _, s := range seqs {
		if !s.mayRead {
			reads = append(reads, "GRANT SELECT ON SEQUENCE "+s.sql()+" TO "+ident(l.user)+";")
			names = append(names, fullName(s.schema, s.name))
		}
	}
	// Of these pg_dump wants to be let in too, although they hold no rows.
	parents, err := column[string](ctx, conn, `SELECT c.oid::regclass::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'p' AND `+ownSchemas+` AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') ORDER BY 1`)
	if err != nil {
		return fmt.Errorf("list partitioned tables: %w", err)
	}
	for _, p := range parents {
		reads = append(reads, "GRANT SELECT ON TABLE "+p+" TO "+ident(l.user)+";")
		names = append(names, display(p))
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(schemas)
	return l.unreadable("postgres: look at rights", reasonRights, fmt.Errorf("may not read %s", strings.Join(names, ", "))).
		With("right", "SELECT: "+strings.Join(names[:min(5, len(names))], ", ")).
		With("statement", strings.Join(append(slices.Compact(schemas), reads...), "\n"))
}

// Statements returns the SQL that a server's owner runs, connected to
// database, to make a role that can be backed up with and can do nothing else.
// The password is set afterwards, with psql's \password. server is the
// server's major version; schemas are the database's, "public" when none are
// named. Large objects have rights of their own, which no statement gives for
// all of them; the same goes for tables with row security, which the role is
// let past.
func Statements(server int, role, database string, schemas ...string) string {
	if len(schemas) == 0 {
		schemas = []string{"public"}
	}
	lines := []string{
		"CREATE ROLE " + ident(role) + " LOGIN BYPASSRLS NOSUPERUSER NOCREATEDB NOCREATEROLE;",
		"GRANT CONNECT ON DATABASE " + ident(database) + " TO " + ident(role) + ";",
	}
	if server >= 14 {
		return strings.Join(append(lines, "GRANT pg_read_all_data TO "+ident(role)+";"), "\n")
	}
	for _, s := range schemas {
		lines = append(lines,
			"GRANT USAGE ON SCHEMA "+ident(s)+" TO "+ident(role)+";",
			"GRANT SELECT ON ALL TABLES IN SCHEMA "+ident(s)+" TO "+ident(role)+";",
			"GRANT SELECT ON ALL SEQUENCES IN SCHEMA "+ident(s)+" TO "+ident(role)+";",
			"ALTER DEFAULT PRIVILEGES IN SCHEMA "+ident(s)+" GRANT SELECT ON TABLES TO "+ident(role)+";",
			"ALTER DEFAULT PRIVILEGES IN SCHEMA "+ident(s)+" GRANT SELECT ON SEQUENCES TO "+ident(role)+";")
	}
	return strings.Join(lines, "\n")
}
