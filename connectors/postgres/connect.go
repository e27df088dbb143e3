package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"kvart/app"
	"kvart/connectors/internal/tool"
	"kvart/connectors/internal/tunnel"
)

const (
	defaultHost = "localhost"
	defaultPort = "5432"
	// connectTime is how long a server may take to answer.
	connectTime = 15 * time.Second
)

// settings say how a database is reached.
type settings struct {
	host, socket   string
	port           int
	user, database string
	password       app.Secret
	tls, ca        string
}

// read reads and checks the settings of a source.
func read(a app.Access) (s settings, err error) {
	bad := func(field, format string, args ...any) (settings, error) {
		return settings{}, app.Errorf(app.CodeUsage, "postgres: settings", format, args...).With("field", field)
	}
	get := func(key, otherwise string) string {
		if v := strings.TrimSpace(a.Source.Settings[key]); v != "" {
			return v
		}
		return otherwise
	}
	s = settings{
		host: get(fieldHost, defaultHost), socket: get(fieldSocket, ""), user: get(fieldUser, ""), database: get(fieldDatabase, ""),
		password: a.Secrets[fieldPassword], tls: get(fieldTLS, tlsPrefer), ca: get(fieldCA, ""),
	}
	port, err := strconv.ParseUint(get(fieldPort, defaultPort), 10, 16)
	s.port = int(port)
	switch {
	case err != nil || port == 0:
		return bad(fieldPort, "%q is no port", get(fieldPort, ""))
	case s.user == "":
		return bad(fieldUser, "no user")
	case s.database == "":
		return bad(fieldDatabase, "no database")
	case strings.ContainsAny(s.host, ", /\x00"):
		return bad(fieldHost, "%q is no host", s.host)
	case strings.ContainsAny(s.user+s.database+s.socket+s.ca, "\x00\n"):
		return bad(fieldDatabase, "line breaks in the settings")
	case strings.ContainsAny(s.password.Reveal(), "\x00\n\r"):
		return bad(fieldPassword, "the password has a line break")
	case s.socket != "" && !filepath.IsAbs(s.socket):
		return bad(fieldSocket, "%q is no full path", s.socket)
	}
	return s, nil
}

// where names the server for the owner.
func (s settings) where() string {
	if s.socket != "" {
		return s.socket
	}
	if s.port == 5432 {
		return s.host
	}
	return net.JoinHostPort(s.host, strconv.Itoa(s.port))
}

// link is an open way to a server: directly, or through a tunnel.
type link struct {
	settings
	c      *Connector
	tunnel *tunnel.Tunnel
}

// open opens the way to the source's server. Nothing is asked of it yet.
func (c *Connector) open(ctx context.Context, a app.Access) (*link, error) {
	s, err := read(a)
	if err != nil {
		return nil, err
	}
	l := &link{settings: s, c: c}
	config, wanted, err := tunnel.Read(a.Source.Settings, a.Secrets)
	if err != nil || !wanted {
		return l, err
	}
	network, remote := "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port))
	if s.socket != "" {
		network, remote = "unix", s.socket+"/.s.PGSQL."+strconv.Itoa(s.port)
	}
	if l.tunnel, err = tunnel.Open(ctx, config, network, remote); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *link) close() {
	if l.tunnel != nil {
		l.c.warn("close tunnel", l.tunnel.Close())
	}
}

// conninfo describes the connection to a database as libpq wants it. No secret
// is in it.
func (l *link) conninfo(database string) string {
	pairs := []string{
		"user", l.user, "dbname", database, "sslmode", l.tls, "connect_timeout", strconv.Itoa(int(connectTime / time.Second)),
		"target_session_attrs", "any", "application_name", ownProgram, "gssencmode", "disable",
	}
	switch {
	case l.tunnel != nil && l.socket != "":
		host, port := l.tunnel.Address()
		pairs = append(pairs, "host", host, "port", strconv.Itoa(port))
	case l.tunnel != nil:
		// The certificate is the server's own, wherever the tunnel begins.
		addr, port := l.tunnel.Address()
		pairs = append(pairs, "host", l.host, "hostaddr", addr, "port", strconv.Itoa(port))
	case l.socket != "":
		pairs = append(pairs, "host", l.socket, "port", strconv.Itoa(l.port))
	default:
		pairs = append(pairs, "host", l.host, "port", strconv.Itoa(l.port))
	}
	// Named even when empty: what lies in the user's home folder is meant for
	// other programs.
	pairs = append(pairs, "sslrootcert", l.ca)
	var b strings.Builder
	for i := 0; i < len(pairs); i += 2 {
		value := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(pairs[i+1])
		fmt.Fprintf(&b, "%s='%s' ", pairs[i], value)
	}
	return strings.TrimSpace(b.String())
}

// connect connects to a database of the server. The session waits for no lock
// for ever, reads every name in full, and speaks the database's own encoding,
// so that nothing is lost in a conversion.
func (l *link) connect(ctx context.Context, database string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(l.conninfo(database) + " sslcert='' sslkey='' passfile=''")
	if err != nil {
		return nil, l.codeOf(ctx, "postgres: connect", err)
	}
	config.Password = l.password.Reveal()
	config.RuntimeParams = map[string]string{"application_name": ownProgram}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.ConnectTimeout = connectTime
	if l.tunnel != nil {
		host, port := l.tunnel.Address()
		config.LookupFunc = func(context.Context, string) ([]string, error) { return []string{host}, nil }
		config.DialFunc = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		}
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, l.codeOf(ctx, "postgres: connect", err)
	}
	if err := l.prepare(ctx, conn); err != nil {
		return nil, errors.Join(l.codeOf(ctx, "postgres: connect", err), conn.Close(ctx))
	}
	return conn, nil
}

// session are settings of a session that reads or loads; the file headers have
// them too.
const session = `SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET DateStyle = ISO;
SET IntervalStyle = postgres;
SET extra_float_digits = 3;
SET bytea_output = hex;
SET synchronize_seqscans = off;
`

func (l *link) prepare(ctx context.Context, conn *pgx.Conn) error {
	if n, _ := major(conn); n < oldest {
		return app.Errorf(app.CodeProgramOld, "postgres: connect", "the server is too old").
			With("program", "PostgreSQL").With("version", conn.PgConn().ParameterStatus("server_version")).With("needs", strconv.Itoa(oldest))
	}
	encoding := conn.PgConn().ParameterStatus("server_encoding")
	if err := perform(ctx, conn, session+"SET client_encoding = "+literal(encoding)); err != nil {
		return err
	}
	if n, _ := major(conn); n >= 17 {
		return perform(ctx, conn, "SET transaction_timeout = 0")
	}
	return nil
}

// perform runs statements that return nothing.
func perform(ctx context.Context, conn *pgx.Conn, sql string) error {
	_, err := conn.PgConn().Exec(ctx, sql).ReadAll()
	return err
}

// major returns the server's major version, and the version in full as in
// "15.6".
func major(conn *pgx.Conn) (int, string) {
	version, _, _ := strings.Cut(conn.PgConn().ParameterStatus("server_version"), " ")
	digits := version
	if i := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = version[:i]
	}
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0, version
	}
	return n, version
}

// let closes a connection. That it broke before does not matter any more.
func (l *link) let(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	var broken *pgconn.PgError
	if err := conn.Close(ctx); err != nil && !errors.As(err, &broken) {
		l.c.log.Debug("Connection did not close", "connector", string(Kind), "error", err)
	}
}

// maintain connects to a database of the server that no restore is about.
func (l *link) maintain(ctx context.Context) (conn *pgx.Conn, err error) {
	for _, name := range []string{"postgres", "template1"} {
		if name == l.database {
			continue
		}
		if conn, err = l.connect(ctx, name); err == nil {
			return conn, nil
		}
		if code := sqlState(err); code != "3D000" && code != "42501" && code != "28000" && code != "55000" {
			return nil, err
		}
	}
	return nil, err
}

// passfile writes the password where libpq reads it.
func (l *link) passfile(dir string) (path string, remove func() error, err error) {
	word := strings.NewReplacer(`\`, `\\`, `:`, `\:`).Replace(l.password.Reveal())
	content := "*:*:*:*:" + word + "\n"
	if word == "" {
		content = ""
	}
	return tool.SecretFile(dir, "pgpass", content)
}
