package mysql

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"

	"kvart/app"
)

// ownProgram is what sessions of this package are called in the server's list.
const ownProgram = "kvart"

// openBy warns of other programs that are connected to a database. Without the
// right PROCESS only those of the own user are seen; and a program that has
// chosen no database yet is not counted.
func (s *session) openBy(ctx context.Context, op, db string) ([]*app.Error, error) {
	rows, err := s.rows(ctx, `SELECT ID AS id, USER AS u, HOST AS h FROM information_schema.PROCESSLIST WHERE DB = ? AND ID <> CONNECTION_ID()`, db)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	called, err := s.programNames(ctx)
	if err != nil {
		return nil, err
	}
	programs, hosts, users := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		program, user := called[r.str("id")], r.str("u")
		if program == ownProgram || user == app.BackupUser {
			continue
		}
		if program == "" {
			program = user
		}
		host := r.str("h")
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		programs[program], hosts[host], users[user] = true, true, true
	}
	if len(programs) == 0 {
		return nil, nil
	}
	return []*app.Error{app.Errorf(app.CodeTargetOpen, op, "%d connections to %s", len(rows), db).
		With("programs", listed(programs)).With("hosts", listed(hosts)).With("users", listed(users))}, nil
}

// programNames returns what programs call themselves, by the number of their
// connection. Many servers don't keep it, or don't show it to everybody.
func (s *session) programNames(ctx context.Context) (map[string]string, error) {
	rows, err := s.rows(ctx, `SELECT PROCESSLIST_ID AS id, ATTR_VALUE AS v FROM performance_schema.session_connect_attrs WHERE ATTR_NAME = 'program_name'`)
	switch numberOf(err) {
	case errTableDenied, errDBDenied, errNoTable, errUnknownDB:
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, r := range rows {
		names[r.str("id")] = r.str("v")
	}
	return names, nil
}

func listed(set map[string]bool) string {
	delete(set, "")
	return strings.Join(slices.Sorted(maps.Keys(set)), ", ")
}
