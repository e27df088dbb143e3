package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"kvart/app"
	"kvart/connectors/internal/tool"
	"kvart/connectors/internal/tunnel"
)

// session is one connection to the server.
type session struct {
	cfg  config
	db   *sql.DB
	conn *sql.Conn
	tun  *tunnel.Tunnel

	host string // as the programs reach it: the tunnel's near end, if there is one
	port int

	version   string // "10.11.6"
	banner    string // "10.11.6-MariaDB-0+deb12u1"
	maria     bool
	encrypted bool
}

// silence drops what the driver would print.
type silence struct{}

func (silence) Print(...any) {}

// connect reaches the server, without choosing a database.
func (c *Connector) connect(ctx context.Context, a app.Access) (*session, error) {
	cfg, err := readConfig(a)
	if err != nil {
		return nil, err
	}
	return c.dial(ctx, cfg)
}

func (c *Connector) dial(ctx context.Context, cfg config) (_ *session, err error) {
	const op = "mysql: connect"
	if err := ctx.Err(); err != nil {
		return nil, &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	}
	s := &session{cfg: cfg, host: cfg.host, port: cfg.port}
	defer func() {
		if err != nil {
			err = errors.Join(cfg.codeOf(ctx, op, err), s.Close())
		}
	}()
	if cfg.through {
		network, remote := "tcp", cfg.where()
		if cfg.socket != "" {
			network = "unix"
		}
		if s.tun, err = tunnel.Open(ctx, cfg.tunnel, network, remote); err != nil {
			return nil, err
		}
		s.host, s.port = s.tun.Address()
		s.cfg.socket = ""
	}
	d, err := s.driverConfig()
	if err != nil {
		return nil, err
	}
	connector, err := driver.NewConnector(d)
	if err != nil {
		return nil, fmt.Errorf("prepare connection: %w", err)
	}
	s.db = sql.OpenDB(connector)
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, err
	}
	return s, s.greet(ctx)
}

// lockPatience is how many seconds a statement of ours waits for a lock, where
// nothing shorter is set.
const lockPatience = "60"

func (s *session) driverConfig() (*driver.Config, error) {
	d := driver.NewConfig()
	d.User, d.Passwd = s.cfg.user, s.cfg.password.Reveal()
	d.Net, d.Addr = "tcp", net.JoinHostPort(s.host, strconv.Itoa(s.port))
	if s.cfg.socket != "" {
		d.Net, d.Addr = "unix", s.cfg.socket
	}
	conf, plain, err := s.cfg.tlsConfig()
	if err != nil {
		return nil, err
	}
	d.TLS, d.AllowFallbackToPlaintext = conf, conf != nil && plain
	d.ConnectionAttributes = "program_name:" + ownProgram
	d.Timeout, d.InterpolateParams, d.Logger = 10*time.Second, true, silence{}
	// Names are quoted with backticks whatever the server's own mode.
	d.Params = map[string]string{"sql_mode": "''", "sql_quote_show_create": "1", "lock_wait_timeout": lockPatience}
	if err := d.Apply(driver.Charset("utf8mb4", "")); err != nil {
		return nil, fmt.Errorf("choose character set: %w", err)
	}
	return d, nil
}

// greet learns who answers.
func (s *session) greet(ctx context.Context) error {
	if err := s.one(ctx, `SELECT VERSION()`, &s.banner); err != nil {
		return err
	}
	s.version, s.maria = readVersion(s.banner)
	if s.version == "" {
		return fmt.Errorf("a server of unknown version %q", s.banner)
	}
	var name, cipher string
	if err := s.one(ctx, `SHOW SESSION STATUS LIKE 'Ssl_cipher'`, &name, &cipher); err != nil {
		return err
	}
	s.encrypted = cipher != ""
	if !s.maria && s.atLeast("8.0") {
		// Else sizes and times are up to a day old.
		return s.exec(ctx, `SET SESSION information_schema_stats_expiry = 0`)
	}
	return nil
}

// readVersion reads what a server says of itself. MariaDB 10 puts a version of
// MySQL before its own where it believes to talk to a replica.
func readVersion(banner string) (version string, maria bool) {
	maria = strings.Contains(strings.ToLower(banner), "mariadb")
	if maria {
		banner = strings.TrimPrefix(banner, "5.5.5-")
	}
	return regexp.MustCompile(`^[0-9]+(\.[0-9]+)+`).FindString(banner), maria
}

func (s *session) atLeast(version string) bool { return tool.Compare(s.version, version) >= 0 }

// Close ends the connection. It may be called twice.
func (s *session) Close() error {
	var errs []error
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
		s.conn = nil
	}
	if s.db != nil {
		errs = append(errs, s.db.Close())
		s.db = nil
	}
	if s.tun != nil {
		errs = append(errs, s.tun.Close())
		s.tun = nil
	}
	for i, err := range errs {
		if errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrInvalidConn) {
			errs[i] = nil // the server ended it first
		}
	}
	return errors.Join(errs...)
}

func (s *session) exec(ctx context.Context, query string, args ...any) error {
	if _, err := s.conn.ExecContext(ctx, query, args...); err != nil {
		return fmt.Errorf("%.80s: %w", query, err)
	}
	return nil
}

func (s *session) one(ctx context.Context, query string, dest ...any) error {
	if err := s.conn.QueryRowContext(ctx, query).Scan(dest...); err != nil {
		return fmt.Errorf("%.80s: %w", query, err)
	}
	return nil
}

// column returns a query's first column.
func (s *session) column(ctx context.Context, query string, args ...any) (out []string, err error) {
	rows, err := s.rows(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		out = append(out, r.first)
	}
	return out, nil
}

// row is one row of an answer, by the columns' names in lower case: servers
// differ in how they spell them, and in which there are.
type row struct {
	first  string
	values map[string]string
	nulls  map[string]bool
}

func (r row) str(column string) string { return r.values[column] }

func (r row) int(column string) int64 {
	n, err := strconv.ParseInt(r.values[column], 10, 64)
	if err != nil {
		return 0 // NULL, or beyond what is worth counting
	}
	return n
}

func (s *session) rows(ctx context.Context, query string, args ...any) (out []row, err error) {
	rows, err := s.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%.80s: %w", query, err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values := make([]sql.NullString, len(names))
	dest := make([]any, len(names))
	for i := range values {
		dest[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return nil, fmt.Errorf("%.80s: %w", query, err)
		}
		r := row{first: values[0].String, values: map[string]string{}, nulls: map[string]bool{}}
		for i, name := range names {
			name = strings.ToLower(name)
			r.values[name], r.nulls[name] = values[i].String, !values[i].Valid
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%.80s: %w", query, err)
	}
	return out, nil
}

// quote quotes a name.
func quote(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// literal quotes a string; the sessions and programs here all use backslashes.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\x00", `\0`, "\x1a", `\Z`).Replace(s) + "'"
}
