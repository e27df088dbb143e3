package postgres

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// ownProgram is what sessions of this package are called in the server's list.
const ownProgram = "kvart"

// opened are programs that are connected to a database.
type opened struct {
	n                      int
	programs, hosts, users map[string]bool
}

func newOpened() opened { return opened{0, map[string]bool{}, map[string]bool{}, map[string]bool{}} }

func (o *opened) add(program, host, user string) {
	if program == "" {
		program = user
	}
	o.n++
	o.programs[program], o.hosts[host], o.users[user] = true, true, true
}

// as tells of them, nil when there are none.
func (o *opened) as(code app.Code, op, database string) *app.Error {
	if o.n == 0 {
		return nil
	}
	return app.Errorf(code, op, "%d connections to %s", o.n, database).With("path", database).
		With("programs", listed(o.programs)).With("program", listed(o.programs)).With("hosts", listed(o.hosts)).With("users", listed(o.users))
}

// openBy tells which other programs are connected to a database; stay are
// those among them whose connections the user may not end, which a restore
// that exchanges databases has to. Without the right pg_read_all_stats the
// server names of other users' programs only the user.
func openBy(ctx context.Context, conn *pgx.Conn, database string) (all, stay opened, err error) {
	all, stay = newOpened(), newOpened()
	rows, err := conn.Query(ctx, `
SELECT COALESCE(application_name, ''), usename::text, CASE WHEN client_port = -1 THEN 'localhost' ELSE COALESCE(client_hostname, pg_catalog.host(client_addr), '') END,
  me.rolsuper OR NOT COALESCE(o.rolsuper, false) AND (pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') OR pg_catalog.pg_has_role(usesysid, 'USAGE'))
FROM pg_catalog.pg_stat_activity
LEFT JOIN pg_catalog.pg_roles o ON o.oid = usesysid
JOIN pg_catalog.pg_roles me ON me.rolname = current_user
WHERE datname = `+literal(database)+` AND pid <> pg_catalog.pg_backend_pid() AND usename IS NOT NULL
  AND COALESCE(backend_type, 'client backend') = 'client backend'`)
	if err != nil {
		return all, stay, err
	}
	defer rows.Close()
	for rows.Next() {
		var program, user, host string
		var ends bool
		if err := rows.Scan(&program, &user, &host, &ends); err != nil {
			return all, stay, err
		}
		if program == ownProgram || user == app.BackupUser {
			continue
		}
		all.add(program, host, user)
		if !ends {
			stay.add(program, host, user)
		}
	}
	return all, stay, rows.Err()
}

func listed(set map[string]bool) string {
	delete(set, "")
	return strings.Join(slices.Sorted(maps.Keys(set)), ", ")
}
