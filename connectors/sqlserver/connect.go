package sqlserver

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	mssql "github.com/microsoft/go-mssqldb"
	"github.com/microsoft/go-mssqldb/msdsn"

	"kvart/app"
)

// programName is what the server's administrator sees Kvart as.
const programName = "Kvart"

// session is one connection to the server, in its database master: no
// connection of ours stands in the way of what is restored.
type session struct {
	cfg    config
	db     *sql.DB
	conn   *sql.Conn
	server server
}

// connect reaches the server.
func (c *Connector) connect(ctx context.Context, cfg config) (_ *session, err error) {
	const op = "sqlserver: connect"
	if err := ctx.Err(); err != nil {
		return nil, &app.Error{Code: app.CodeCanceled, Op: op, Err: err}
	}
	s, err := c.reach(ctx, cfg, cfg.encryption())
	if err != nil && cfg.tls == tlsPrefer && cfg.local() && isHandshake(err) {
		// A server's own certificate of the oldest kind can't be read any more.
		// On this computer nobody can listen.
		s, err = c.reach(ctx, cfg, msdsn.EncryptionDisabled)
	}
	if err != nil {
		return nil, cfg.codeOf(ctx, op, err)
	}
	if err := s.greet(ctx); err != nil {
		c.warn("Could not end connection", s.Close())
		return nil, cfg.codeOf(ctx, op, err)
	}
	return s, nil
}

// encryption returns what to ask the server for.
func (c config) encryption() msdsn.Encryption {
	switch {
	case c.tls == tlsOff:
		return msdsn.EncryptionDisabled
	case c.tls == tlsPrefer && c.local():
		return msdsn.EncryptionOff // of the login alone
	}
	return msdsn.EncryptionRequired
}

// isHandshake reports whether TLS failed, of which the driver keeps the words
// only.
func isHandshake(err error) bool { return strings.Contains(err.Error(), "TLS Handshake failed") }

func (c *Connector) reach(ctx context.Context, cfg config, encryption msdsn.Encryption) (*session, error) {
	trust := &trust{cfg: cfg}
	p := msdsn.Config{
		Host: cfg.host, Port: uint64(cfg.port), Instance: cfg.instance, Database: "master", AppName: programName,
		Encryption: encryption, Protocols: []string{"tcp"}, ProtocolParameters: map[string]any{}, Parameters: map[string]string{},
		DialTimeout: 10 * time.Second, KeepAlive: 30 * time.Second, DisableRetry: true, BrowserMessage: msdsn.BrowserAllInstances,
		Encoding: msdsn.EncodeParameters{Timezone: time.UTC},
	}
	if !cfg.trusted {
		p.User, p.Password = cfg.user, cfg.password.Reveal()
	}
	if name, err := os.Hostname(); err == nil {
		p.Workstation = name
	}
	if encryption != msdsn.EncryptionDisabled {
		p.TLSConfig = trust.config()
		p.TrustServerCertificate = cfg.tls != tlsVerify
	}
	connector := mssql.NewConnectorConfig(p)
	if c.dial != nil {
		connector.Dialer = c.dial
	}
	s := &session{cfg: cfg, db: sql.OpenDB(connector)}
	var err error
	if s.conn, err = s.db.Conn(ctx); err != nil {
		return nil, errors.Join(trust.why(), err, s.Close())
	}
	return s, nil
}

// trust decides about the server's certificate, and remembers why not: the
// driver passes on the words of TLS's errors only.
type trust struct {
	cfg config
	mu  sync.Mutex
	err error
}

func (t *trust) config() *tls.Config {
	return &tls.Config{
		// What is to be checked, verify checks. Without a certificate to check
		// nothing keeps a forger out, but nobody who only listens gets anything.
		InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, ServerName: t.cfg.host,
		DynamicRecordSizingDisabled: true, VerifyConnection: t.verify,
	}
}

func (t *trust) verify(state tls.ConnectionState) error {
	if t.cfg.tls != tlsVerify {
		return nil
	}
	options := x509.VerifyOptions{Roots: t.cfg.roots, DNSName: t.cfg.host, Intermediates: x509.NewCertPool()}
	for _, cert := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(cert)
	}
	_, err := state.PeerCertificates[0].Verify(options)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = err
	return err
}

func (t *trust) why() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

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
	for i, err := range errs {
		if errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) {
			errs[i] = nil // the server ended it first
		}
	}
	return errors.Join(errs...)
}

// exec runs a statement. What it is called goes into the error, never the
// statement itself: it may hold a password.
func (s *session) exec(ctx context.Context, what, statement string) error {
	if _, err := s.conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// row is one row of an answer, by the columns' names in lower case: versions
// differ in which there are.
type row struct {
	values map[string]sql.NullString
}

func (r row) str(column string) string { return r.values[column].String }

func (r row) null(column string) bool { return !r.values[column].Valid }

func (r row) int(column string) int64 {
	text, _, _ := strings.Cut(r.values[column].String, ".")
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0 // NULL, or beyond what is worth counting
	}
	return n
}

// yes reads a bit, which the driver makes "true", or a number that is one.
func (r row) yes(column string) bool {
	return r.str(column) == "true" || r.int(column) == 1
}

func (s *session) rows(ctx context.Context, what, query string, args ...any) (out []row, err error) {
	rows, err := s.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
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
			return nil, fmt.Errorf("%s: %w", what, err)
		}
		r := row{values: map[string]sql.NullString{}}
		for i, name := range names {
			r.values[strings.ToLower(name)] = values[i]
		}
		out = append(out, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return out, nil
}

// one returns the single row of an answer.
func (s *session) one(ctx context.Context, what, query string, args ...any) (row, error) {
	rows, err := s.rows(ctx, what, query, args...)
	if err != nil {
		return row{}, err
	}
	if len(rows) != 1 {
		return row{}, fmt.Errorf("%s: %d rows in the answer", what, len(rows))
	}
	return rows[0], nil
}

// quote quotes a name.
func quote(name string) string { return "[" + strings.ReplaceAll(name, "]", "]]") + "]" }

// literal quotes a string.
func literal(s string) string { return "N'" + strings.ReplaceAll(s, "'", "''") + "'" }
