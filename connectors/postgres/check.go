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
	}
	return info, nil
}

// lack is what a user may not read, and the statements that help.
type lack struct {
	names           []string
	schemas, tables []string
}

func (l lack) statements() []string {
	slices.Sort(l.schemas)
	return append(slices.Compact(l.schemas), l.tables...)
}

// mayRead names every right that is missing before anything is read.
func (l *link) mayRead(ctx context.Context, conn *pgx.Conn, list []table) error {
	not, err := l.lacks(ctx, conn, list)
	if err != nil || len(not.names) == 0 {
		return err
	}
	return l.fail(app.CodeSourceRight, "postgres: look at rights", fmt.Errorf("may not read %s", strings.Join(not.names, ", "))).
		With("right", "SELECT: "+strings.Join(not.names[:min(5, len(not.names))], ", ")).
		With("statement", strings.Join(not.statements(), "\n"))
}

func (l *link) lacks(ctx context.Context, conn *pgx.Conn, list []table) (not lack, err error) {
	for _, t := range list {
		if !t.mayUse {
			not.schemas = append(not.schemas, "GRANT USAGE ON SCHEMA "+ident(t.schema)+" TO "+ident(l.user)+";")
		}
		if !t.mayRead {
			not.tables = append(not.tables, "GRANT SELECT ON TABLE "+t.sql()+" TO "+ident(l.user)+";")
		}
		if !t.mayUse || !t.mayRead {
			not.names = append(not.names, fullName(t.schema, t.name))
		}
	}
	seqs, err := listSequences(ctx, conn)
	if err != nil {
		return not, err
	}
	for _, s := range seqs {
		if !s.mayRead {
			not.tables = append(not.tables, "GRANT SELECT ON SEQUENCE "+s.sql()+" TO "+ident(l.user)+";")
			not.names = append(not.names, fullName(s.schema, s.name))
		}
	}
	// Of these pg_dump wants to be let in too, although they hold no rows.
	parents, err := column[string](ctx, conn, `SELECT c.oid::regclass::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'p' AND `+ownSchemas+` AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT') ORDER BY 1`)
	if err != nil {
		return not, fmt.Errorf("list partitioned tables: %w", err)
	}
	for _, p := range parents {
		not.tables = append(not.tables, "GRANT SELECT ON TABLE "+p+" TO "+ident(l.user)+";")
		not.names = append(not.names, display(p))
	}
	return not, nil
}
