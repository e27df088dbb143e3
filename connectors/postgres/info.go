package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"kvart/app"
)

// info is what a database was when it was captured.
type info struct {
	Format     int       `json:"format"`
	ID         string    `json:"id"` // of this capture, told from every other
	Taken      time.Time `json:"taken"`
	Database   string    `json:"database"`
	Server     string    `json:"server"`
	Encoding   string    `json:"encoding"`
	Collate    string    `json:"collate"`
	CType      string    `json:"ctype"`
	Provider   string    `json:"provider"` // of sorting: "c", "i" for ICU, "b" for the server's own
	Locale     string    `json:"locale,omitempty"`
	Extensions []string  `json:"extensions,omitempty"`
	Tables     int       `json:"tables"`
	NoPublic   bool      `json:"noPublic,omitempty"` // the schema every new database has was dropped
}

// format is raised when older versions could not restore what is written.
const format = 1

// texts are the files made of queries.
type texts struct{ info, roles, database string }

// info reads them in the snapshot, or what they say of the whole server as it
// is now.
func (s *snapshot) info(ctx context.Context, now time.Time) (t texts, err error) {
	about := info{
		Format: format, ID: rand.Text(), Taken: now.UTC(), Database: display(s.database), Server: s.version, Encoding: s.encoding, Tables: len(s.tables),
	}
	if err := s.locale(ctx, &about); err != nil {
		return t, fmt.Errorf("read the database's settings: %w", err)
	}
	if about.Extensions, err = column[string](ctx, s.conn, "SELECT extname || ' ' || extversion FROM pg_catalog.pg_extension ORDER BY extname"); err != nil {
		return t, fmt.Errorf("list extensions: %w", err)
	}
	if about.NoPublic, err = one[bool](ctx, s.conn, "SELECT NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = 'public')"); err != nil {
		return t, fmt.Errorf("list schemas: %w", err)
	}
	raw, err := json.MarshalIndent(about, "", "  ")
	if err != nil {
		return t, fmt.Errorf("describe the database: %w", err)
	}
	t.info = string(raw) + "\n"
	if t.roles, err = roles(ctx, s.conn, s.encoding); err != nil {
		return t, fmt.Errorf("list roles: %w", err)
	}
	if t.database, err = databaseSettings(ctx, s.conn, s.encoding); err != nil {
		return t, fmt.Errorf("read the database's settings: %w", err)
	}
	return t, nil
}

func (s *snapshot) locale(ctx context.Context, about *info) error {
	locale := "''"
	switch {
	case s.server >= 17:
		locale = "COALESCE(datlocale, '')"
	case s.server >= 15:
		locale = "COALESCE(daticulocale, '')"
	}
	provider := "'c'"
	if s.server >= 15 {
		provider = "datlocprovider::text"
	}
	return s.conn.QueryRow(ctx, "SELECT datcollate::text, datctype::text, "+provider+", "+locale+
		" FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()").
		Scan(&about.Collate, &about.CType, &about.Provider, &about.Locale)
}

// roles writes down every role with what it may do, but without passwords,
// which only a superuser may read. A role that is there already is left alone. What
// Kvart's own user is a member of is not written down: it changes with whether it may
// restore, and a restore must not give it back what was taken from it since.
func roles(ctx context.Context, conn *pgx.Conn, encoding string) (string, error) {
	var b strings.Builder
	b.WriteString(header("roles, without passwords; those that are there are left alone", encoding))
	rows, err := conn.Query(ctx, `SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit,
  COALESCE(rolvaliduntil::text, '') FROM pg_catalog.pg_roles WHERE rolname !~ '^pg_' ORDER BY rolname COLLATE "C"`)
	if err != nil {
		return "", err
	}
	for rows.Next() {
		var name, until string
		var can [7]bool
		var limit int
		if err := rows.Scan(&name, &can[0], &can[1], &can[2], &can[3], &can[4], &can[5], &can[6], &limit, &until); err != nil {
			return "", err
		}
		words := []string{"SUPERUSER", "INHERIT", "CREATEROLE", "CREATEDB", "LOGIN", "REPLICATION", "BYPASSRLS"}
		for i, w := range words {
			if !can[i] {
				words[i] = "NO" + w
			}
		}
		if limit >= 0 {
			words = append(words, fmt.Sprintf("CONNECTION LIMIT %d", limit))
		}
		if until != "" {
			words = append(words, "VALID UNTIL "+literal(until))
		}
		unless(&b, "SELECT FROM pg_catalog.pg_roles WHERE rolname = "+literal(name), "CREATE ROLE "+ident(name)+" "+strings.Join(words, " "))
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	rows, err = conn.Query(ctx, `SELECT DISTINCT r.rolname, m.rolname, a.admin_option FROM pg_catalog.pg_auth_members a
JOIN pg_catalog.pg_roles r ON r.oid = a.roleid JOIN pg_catalog.pg_roles m ON m.oid = a.member
WHERE m.rolname <> `+literal(app.BackupUser)+` OR r.rolname = 'pg_read_all_data' ORDER BY 1, 2, 3`)
	if err != nil {
		return "", err
	}
	for rows.Next() {
		var role, member string
		var admin bool
		if err := rows.Scan(&role, &member, &admin); err != nil {
			return "", err
		}
		grant := "GRANT " + ident(role) + " TO " + ident(member)
		if admin {
			grant += " WITH ADMIN OPTION"
		}
		unless(&b, "SELECT FROM pg_catalog.pg_auth_members a JOIN pg_catalog.pg_roles r ON r.oid = a.roleid JOIN pg_catalog.pg_roles m ON m.oid = a.member WHERE r.rolname = "+
			literal(role)+" AND m.rolname = "+literal(member), grant)
	}
	return b.String(), rows.Err()
}

// unless writes a statement that is run when a query has no row.
func unless(b *strings.Builder, query, statement string) {
	fmt.Fprintf(b, "DO %s;\n", literal("BEGIN IF NOT EXISTS ("+query+") THEN EXECUTE "+literal(statement)+"; END IF; END"))
}

// listSettings are settings that hold lists, quoted already.
const listSettings = " local_preload_libraries search_path session_preload_libraries shared_preload_libraries temp_tablespaces unix_socket_directories "

// databaseSettings writes down what is set for the database as a whole. The
// statements find the name of the database they are run in themselves.
func databaseSettings(ctx context.Context, conn *pgx.Conn, encoding string) (string, error) {
	var b strings.Builder
	b.WriteString(header("settings of the database", encoding))
	var owner, comment string
	var limit int
	err := conn.QueryRow(ctx, `SELECT pg_catalog.pg_get_userbyid(datdba), datconnlimit, COALESCE(pg_catalog.shobj_description(oid, 'pg_database'), '')
FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`).Scan(&owner, &limit, &comment)
	if err != nil {
		return "", err
	}
	alter := func(command, rest string) {
		statement := "EXECUTE pg_catalog.format(" + literal(command+" %I "+strings.ReplaceAll(rest, "%", "%%")) + ", pg_catalog.current_database())"
		fmt.Fprintf(&b, "DO %s;\n", literal("BEGIN "+statement+"; END"))
	}
	if _, own := cutMark(comment); own != "" {
		alter("COMMENT ON DATABASE", "IS "+literal(own))
	}
	rows, err := conn.Query(ctx, `SELECT COALESCE(r.rolname, ''), unnest(s.setconfig) FROM pg_catalog.pg_db_role_setting s
LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
WHERE s.setdatabase = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()) ORDER BY 1, 2`)
	if err != nil {
		return "", err
	}
	for rows.Next() {
		var role, setting string
		if err := rows.Scan(&role, &setting); err != nil {
			return "", err
		}
		key, value, _ := strings.Cut(setting, "=")
		if !strings.Contains(listSettings, " "+key+" ") {
			value = literal(value)
		}
		if value == "" {
			value = "''"
		}
		command := "ALTER DATABASE"
		if role != "" {
			command = "ALTER ROLE " + strings.ReplaceAll(ident(role), "%", "%%") + " IN DATABASE"
		}
		alter(command, "SET "+ident(key)+" TO "+value)
	}
	if err := rows.Err(); err != nil {
		return "", err
	}
	if limit >= 0 {
		alter("ALTER DATABASE", fmt.Sprintf("CONNECTION LIMIT %d", limit))
	}
	rights, err := databaseRights(ctx, conn)
	if err != nil {
		return "", err
	}
	for _, r := range rights {
		alter(r[0], r[1])
	}
	alter("ALTER DATABASE", "OWNER TO "+ident(owner))
	return b.String(), nil
}

// databaseRights returns the statements, before and after the database's name,
// that give the rights on it, if they are not the usual ones.
func databaseRights(ctx context.Context, conn *pgx.Conn) ([][2]string, error) {
	const here = "d.datname = pg_catalog.current_database()"
	usual, err := one[bool](ctx, conn, "SELECT datacl IS NULL FROM pg_catalog.pg_database d WHERE "+here)
	if err != nil || usual {
		return nil, err
	}
	rows, err := conn.Query(ctx, `SELECT x.privilege_type, CASE WHEN x.grantee = 0 THEN '' ELSE pg_catalog.pg_get_userbyid(x.grantee)::text END, x.is_grantable
FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) x WHERE `+here+` AND x.grantee <> d.datdba ORDER BY 2, 1`)
	if err != nil {
		return nil, err
	}
	rights := [][2]string{{"REVOKE ALL ON DATABASE", "FROM PUBLIC"}}
	for rows.Next() {
		var right, role string
		var grant bool
		if err := rows.Scan(&right, &role, &grant); err != nil {
			return nil, err
		}
		to := "TO PUBLIC"
		if role != "" {
			to = "TO " + ident(role)
		}
		if grant {
			to += " WITH GRANT OPTION"
		}
		rights = append(rights, [2]string{"GRANT " + right + " ON DATABASE", to})
	}
	return rights, rows.Err()
}
