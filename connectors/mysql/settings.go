package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strconv"
	"strings"

	"kvart/app"
	"kvart/connectors/internal/tunnel"
)

// Fields of the settings, beside the tunnel's.
const (
	fieldHost     = "host"
	fieldPort     = "port"
	fieldSocket   = "socket"
	fieldUser     = "user"
	fieldDatabase = "database"
	fieldPassword = "password"
	fieldTLS      = "tls"
	fieldCA       = "ca_file"
	fieldLock     = "lock_myisam"
)

// Choices of [fieldTLS]. "prefer" goes without TLS only where nobody can
// listen: on this computer, or through a tunnel.
const (
	tlsPrefer  = "prefer"
	tlsRequire = "require"
	tlsVerify  = "verify"
	tlsOff     = "off"
)

// config is how a server is reached.
type config struct {
	host     string
	port     int
	socket   string // reached by it instead of host and port
	user     string
	password app.Secret
	database string
	tls      string
	caFile   string
	lock     bool

	tunnel  tunnel.Config
	through bool // the tunnel
}

// maxName is the longest name of a database.
const maxName = 64

func readConfig(a app.Access) (cfg config, err error) {
	s := a.Source.Settings
	cfg = config{
		host: strings.Trim(strings.TrimSpace(s[fieldHost]), "[]"), port: 3306, socket: strings.TrimSpace(s[fieldSocket]),
		user: s[fieldUser], password: a.Secrets[fieldPassword], database: s[fieldDatabase],
		tls: s[fieldTLS], caFile: s[fieldCA], lock: s[fieldLock] == "true",
	}
	if cfg.tls == "" {
		cfg.tls = tlsPrefer
	}
	if cfg.host == "" || strings.EqualFold(cfg.host, "localhost") {
		// By the name the programs would take a socket of their own choice.
		cfg.host = "127.0.0.1"
	}
	switch {
	case strings.ContainsAny(cfg.host, "/@ \n"):
		return cfg, bad(fieldHost, "%q is no host", cfg.host)
	case strings.ContainsAny(cfg.socket, "\n\x00"):
		return cfg, bad(fieldSocket, "%q is no socket", cfg.socket)
	case cfg.user == "":
		return cfg, bad(fieldUser, "no user")
	}
	if err := checkName(fieldDatabase, cfg.database); err != nil {
		return cfg, err
	}
	if p := s[fieldPort]; p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return cfg, bad(fieldPort, "%q is no port", p)
		}
		cfg.port = int(n)
	}
	cfg.tunnel, cfg.through, err = tunnel.Read(s, a.Secrets)
	return cfg, err
}

// checkName refuses what no server takes for a database's name, and the
// server's own databases, which a restore would ruin.
func checkName(field, name string) error {
	switch {
	case name == "" || len([]rune(name)) > maxName || strings.ContainsAny(name, "\x00\n\r") || strings.HasSuffix(name, " "):
		return bad(field, "%q is no database's name", name)
	}
	switch strings.ToLower(name) {
	case "mysql", "information_schema", "performance_schema", "sys":
		return bad(field, "%q is the server's own", name)
	}
	return nil
}

func bad(field, format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "mysql: settings", format, args...).With("field", field)
}

// private reports whether nobody else can listen to what goes to the server.
func (c config) private() bool {
	if c.socket != "" || c.through {
		return true
	}
	ip := net.ParseIP(c.host)
	return ip != nil && ip.IsLoopback()
}

// local reports whether the server runs on this computer.
func (c config) local() bool { return !c.through && c.private() }

// where names the server for the owner.
func (c config) where() string {
	if c.socket != "" {
		return c.socket
	}
	return net.JoinHostPort(c.host, strconv.Itoa(c.port))
}

// tlsConfig returns how to encrypt, nil for not at all; plain reports whether
// a server that can't may go without.
func (c config) tlsConfig() (conf *tls.Config, plain bool, err error) {
	switch {
	case c.tls == tlsOff || c.socket != "":
		return nil, true, nil
	case c.tls != tlsVerify:
		// Without a certificate to check nothing keeps a forger out, but nobody
		// who only listens gets anything.
		return &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}, c.tls == tlsPrefer && c.private(), nil
	}
	conf = &tls.Config{ServerName: c.host, MinVersion: tls.VersionTLS12}
	if c.caFile == "" {
		return conf, false, nil
	}
	pem, err := os.ReadFile(c.caFile)
	if err != nil {
		return nil, false, bad(fieldCA, "read certificate: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(pem) {
		return nil, false, bad(fieldCA, "%s holds no certificate", c.caFile)
	}
	return conf, false, nil
}
