package webhotel

import (
	"errors"
	"net"
	"path"
	"strconv"
	"strings"

	"golang.org/x/crypto/ssh"

	"kvart/app"
	"kvart/connectors/internal/exclude"
)

// Fields of the settings, beside the tunnel's.
const (
	fieldProtocol      = "protocol"
	fieldHost          = "host"
	fieldPort          = "port"
	fieldUser          = "user"
	fieldPassword      = "password"
	fieldKey           = "key"
	fieldKeyPassphrase = "key_passphrase"
	fieldHostKey       = "host_key"
	fieldPath          = "path"
	fieldExclude       = "exclude"
	fieldTLS           = "tls"
	fieldCA            = "ca_file"
	fieldCertificate   = "certificate"
	fieldPlain         = "allow_plain"
	fieldDB            = "db"
	fieldDBName        = "db_name"
	fieldDBUser        = "db_user"
	fieldDBPassword    = "db_password"
	fieldDBHost        = "db_host"
	fieldDBPort        = "db_port"
	fieldDBReach       = "db_reach"
)

// Choices.
const (
	protoSFTP = "sftp"
	protoFTPS = "ftps"
	protoFTP  = "ftp"

	tlsExplicit = "explicit" // AUTH TLS on the ordinary port
	tlsImplicit = "implicit" // from the first byte

	dbManual = "manual"
	dbAuto   = "auto" // what the site's own configuration says

	reachTunnel = "tunnel"
	reachDirect = "direct"
)

// config is how a site is reached.
type config struct {
	protocol         string
	host, port, user string
	password         app.Secret
	path             string // as the owner wrote it, cleaned
	exclude          exclude.Patterns

	auth   []ssh.AuthMethod
	pinned ssh.PublicKey // nil before the first contact

	implicit    bool
	caFile      string
	certificate string // fingerprint of the only one that is taken; "" when one is checked as usual
}

func readConfig(a app.Access) (c config, err error) {
	if c, err = readPlace(a); err != nil {
		return c, err
	}
	return c, c.readLogin(a)
}

// readPlace is readConfig for who does not log in.
func readPlace(a app.Access) (c config, err error) {
	s := a.Source.Settings
	c = config{
		protocol: s[fieldProtocol], host: strings.Trim(strings.TrimSpace(s[fieldHost]), "[]"), port: s[fieldPort], user: s[fieldUser],
		password: a.Secrets[fieldPassword], path: serverPath(s[fieldPath]),
		implicit: s[fieldTLS] == tlsImplicit, caFile: s[fieldCA], certificate: plainFingerprint(s[fieldCertificate]),
	}
	if c.protocol == "" {
		c.protocol = protoSFTP
	}
	switch {
	case c.host == "" || strings.ContainsAny(c.host, "/@ \r\n"):
		return c, bad(fieldHost, "%q is no host", c.host)
	case c.user == "" || strings.ContainsAny(c.user, "\r\n"):
		return c, bad(fieldUser, "%q is no user", c.user)
	case strings.ContainsAny(c.path, "\r\n\x00"):
		return c, bad(fieldPath, "%q is no folder", c.path)
	case strings.ContainsAny(c.password.Reveal(), "\r\n") && c.protocol != protoSFTP:
		return c, bad(fieldPassword, "a password of several lines")
	case s[fieldPath] == "":
		return c, bad(fieldPath, "no folder")
	}
	if c.port == "" {
		c.port = map[string]string{protoSFTP: "22", protoFTPS: "21", protoFTP: "21"}[c.protocol]
		if c.protocol == protoFTPS && c.implicit {
			c.port = "990"
		}
	}
	if n, err := strconv.ParseUint(c.port, 10, 16); err != nil || n == 0 {
		return c, bad(fieldPort, "%q is no port", c.port)
	}
	lines, ok := s[fieldExclude]
	if !ok {
		lines = defaultExclude
	}
	c.exclude, err = exclude.Parse("webhotel: settings", fieldExclude, lines, newPrefix)
	return c, err
}

func (c *config) readLogin(a app.Access) (err error) {
	switch c.protocol {
	case protoSFTP:
		if c.pinned, err = parseHostKey(a.Source.Settings[fieldHostKey]); err != nil {
			return err
		}
		c.auth, err = sshAuth(a.Secrets)
		return err
	case protoFTP:
		if a.Source.Settings[fieldPlain] != "true" {
			return app.Errorf(app.CodeSourcePlain, "webhotel: settings", "plain FTP shows the password to everyone on the way; %s is off", fieldPlain).
				With("where", c.address())
		}
	case protoFTPS:
		if c.certificate != "" && len(c.certificate) != 64 {
			return bad(fieldCertificate, "not a SHA-256 fingerprint")
		}
	default:
		return bad(fieldProtocol, "no protocol %q", c.protocol)
	}
	return nil
}

// serverPath is a path as servers know it: below the user's own folder unless it
// begins with a slash.
func serverPath(p string) string {
	p = strings.TrimSpace(strings.ReplaceAll(p, `\`, "/"))
	if p == "~" {
		p = "."
	}
	return path.Clean(strings.TrimPrefix(p, "~/"))
}

func plainFingerprint(s string) string {
	return strings.ToLower(strings.NewReplacer(":", "", " ", "", "SHA256", "", "sha256", "").Replace(strings.TrimSpace(s)))
}

func bad(field, format string, args ...any) *app.Error {
	return app.Errorf(app.CodeUsage, "webhotel: settings", format, args...).With("field", field)
}

func (c config) address() string { return net.JoinHostPort(c.host, c.port) }

// where names the site for the owner.
func (c config) where() string {
	return c.host + ":" + c.path
}

// sshAuth returns the ways to log in: with the key where there is one, and with
// the password, which some servers want as the answer to a question.
func sshAuth(secrets app.Secrets) (methods []ssh.AuthMethod, err error) {
	if key := secrets[fieldKey]; !key.IsZero() {
		signer, err := parseKey(key, secrets[fieldKeyPassphrase])
		if err != nil {
			return nil, err
		}
		methods = append(methods, ssh.PublicKeys(signer))
	}
	if password := secrets[fieldPassword]; !password.IsZero() {
		answer := func(_, _ string, questions []string, shown []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range questions {
				if shown[i] {
					return nil, errors.New("the server asks for more than a password")
				}
				answers[i] = password.Reveal()
			}
			return answers, nil
		}
		methods = append(methods, ssh.Password(password.Reveal()), ssh.KeyboardInteractive(answer))
	}
	if len(methods) == 0 {
		return nil, bad(fieldPassword, "neither a password nor a key")
	}
	return methods, nil
}

// parseKey leaves the parser's own words out: they are about a secret.
func parseKey(key, passphrase app.Secret) (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey([]byte(key.Reveal()))
	var locked *ssh.PassphraseMissingError
	switch {
	case err == nil:
		return signer, nil
	case !errors.As(err, &locked):
		return nil, bad(fieldKey, "not a private key")
	case passphrase.IsZero():
		return nil, bad(fieldKeyPassphrase, "the key is locked with a passphrase")
	}
	if signer, err = ssh.ParsePrivateKeyWithPassphrase([]byte(key.Reveal()), []byte(passphrase.Reveal())); err != nil {
		return nil, bad(fieldKeyPassphrase, "not the key's passphrase")
	}
	return signer, nil
}

// parseHostKey reads a key as servers show it, "ssh-ed25519 AAAA…", also with
// the names before it that a known_hosts file has.
func parseHostKey(line string) (ssh.PublicKey, error) {
	line = strings.TrimSpace(line)
	if line == "" {
		return nil, nil
	}
	if key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(line)); err == nil {
		return key, nil
	}
	_, _, key, _, _, err := ssh.ParseKnownHosts([]byte(line))
	if err != nil {
		return nil, bad(fieldHostKey, "not a host key: %w", err)
	}
	return key, nil
}
