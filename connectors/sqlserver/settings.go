package sqlserver

import (
	"crypto/x509"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"unicode/utf16"

	"kvart/app"
)

// Fields of the settings.
const (
	fieldHost         = "host"
	fieldPort         = "port"
	fieldInstance     = "instance"
	fieldUser         = "user"
	fieldDatabase     = "database"
	fieldPassword     = "password"
	fieldTrusted      = "trusted"
	fieldFolder       = "folder"
	fieldServerFolder = "server_folder"
	fieldTLS          = "tls"
	fieldCA           = "ca_file"
)

// Choices of [fieldTLS]. "prefer" goes without TLS only where nobody can
// listen: on this computer.
const (
	tlsPrefer  = "prefer"
	tlsRequire = "require"
	tlsVerify  = "verify"
	tlsOff     = "off"
)

// config is how a server is reached.
type config struct {
	source       app.SourceID
	host         string
	port         int // 0 for 1433, or for what the SQL Browser says of instance
	instance     string
	user         string
	password     app.Secret
	trusted      bool // logs in as the Windows user Kvart runs as
	database     string
	origin       string // the source's database, where database is a restore's target
	folder       string
	serverFolder string
	tls          string
	roots        *x509.CertPool // nil for the system's own
}

// maxName is the longest name of a database, in UTF-16 units.
const maxName = 128

func readConfig(a app.Access) (cfg config, err error) {
	s := a.Source.Settings
	cfg = config{
		source: a.Source.ID, host: strings.Trim(strings.TrimSpace(s[fieldHost]), "[]"), instance: strings.TrimSpace(s[fieldInstance]),
		user: s[fieldUser], password: a.Secrets[fieldPassword], trusted: s[fieldTrusted] == "true", database: s[fieldDatabase], origin: s[fieldDatabase],
		folder: s[fieldFolder], serverFolder: strings.TrimSpace(s[fieldServerFolder]), tls: s[fieldTLS],
	}
	if cfg.tls == "" {
		cfg.tls = tlsPrefer
	}
	// "SERVER\SQLEXPRESS" is how everybody writes it.
	if host, instance, ok := strings.Cut(cfg.host, `\`); ok && cfg.instance == "" {
		cfg.host, cfg.instance = host, instance
	}
	switch strings.ToLower(cfg.host) {
	case "", ".", "(local)", "localhost":
		cfg.host = "127.0.0.1"
	}
	if strings.EqualFold(cfg.instance, "MSSQLSERVER") {
		cfg.instance = "" // the default one's own name
	}
	if cfg.serverFolder == "" {
		cfg.serverFolder = cfg.folder
	}
	if p := s[fieldPort]; p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return cfg, bad(fieldPort, "%q is no port", p)
		}
		cfg.port = int(n)
	}
	if err := cfg.check(); err != nil {
		return cfg, err
	}
	return cfg, cfg.readRoots(s[fieldCA])
}

func (c config) check() error {
	switch {
	case strings.ContainsAny(c.host, "/@ \n;"):
		return bad(fieldHost, "%q is no host", c.host)
	case strings.ContainsAny(c.instance, "/\\@ \n;"):
		return bad(fieldInstance, "%q is no instance", c.instance)
	case c.trusted && runtime.GOOS != "windows":
		return bad(fieldTrusted, "a Windows login is only to be had on Windows")
	case !c.trusted && c.user == "":
		return bad(fieldUser, "no user")
	case c.folder == "":
		return bad(fieldFolder, "no folder")
	case strings.ContainsAny(c.serverFolder, "\x00\n\r"):
		return bad(fieldServerFolder, "%q is no folder", c.serverFolder)
	}
	return checkName(fieldDatabase, c.database)
}

// checkName refuses what no server takes for a database's name, and the
// server's own databases, which a restore would ruin.
func checkName(field, name string) error {
	if name == "" || len(utf16.Encode([]rune(name))) > maxName || strings.ContainsAny(name, "\x00\n\r") || strings.TrimSpace(name) != name {
		return bad(field, "%q is no database's name", name)
	}
	switch strings.ToLower(name) {
	case "master", "tempdb", "model", "msdb", "distribution", "mssqlsystemresource":
		return bad(field, "%q is the server's own", name)
	}
	return nil
}

func (c *config) readRoots(file string) error {
	if c.tls != tlsVerify || file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return bad(fieldCA, "read certificate: %w", err)
	}
	c.roots = x509.NewCertPool()
	if !c.roots.AppendCertsFromPEM(pem) {
		return bad(fieldCA, "%s holds no certificate", file)
	}
	return nil
}

func bad(field, format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "sqlserver: settings", format, args...).With("field", field)
}

// local reports whether the server runs on this computer.
func (c config) local() bool {
	ip := net.ParseIP(c.host)
	return ip != nil && ip.IsLoopback()
}

// where names the server for the owner.
func (c config) where() string {
	switch {
	case c.port != 0:
		return net.JoinHostPort(c.host, strconv.Itoa(c.port))
	case c.instance != "":
		return c.host + `\` + c.instance
	}
	return net.JoinHostPort(c.host, "1433")
}

// account names who logs in.
func (c config) account() string {
	if c.trusted {
		return "Windows"
	}
	return c.user
}

// serverPath returns a file of the folder as the server sees it.
func (c config) serverPath(name string) string { return join(c.serverFolder, name) }

// join adds a name to a folder the way the server's system writes paths, which
// need not be this computer's.
func join(folder, name string) string {
	sep := "/"
	if strings.Contains(folder, `\`) || len(folder) > 1 && folder[1] == ':' {
		sep = `\`
	}
	return strings.TrimRight(folder, `/\`) + sep + name
}
