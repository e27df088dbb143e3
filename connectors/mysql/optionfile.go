package mysql

import (
	"fmt"
	"strings"

	"kvart/connectors/internal/tool"
)

// optionFile is what the vendor's programs are told beside their arguments:
// how to reach the server, and the password. They are pointed at it with
// --defaults-file, so that no option file of the owner's changes what a dump
// holds.
type optionFile struct{ b strings.Builder }

// clientFile is what an option file is called.
const clientFile = "client.cnf"

func (o *optionFile) section(name string) { fmt.Fprintf(&o.b, "[%s]\n", name) }

// set adds an option. Option files know quotes and escapes of their own.
func (o *optionFile) set(key, value string) {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(value)
	fmt.Fprintf(&o.b, "%s=\"%s\"\n", key, quoted)
}

// options writes the option file for the programs; ignore are tables a dump
// leaves out.
func (s *session) options(dir string, ignore []string) (path string, remove func() error, err error) {
	var o optionFile
	o.section("client")
	o.set("user", s.cfg.user)
	o.set("password", s.cfg.password.Reveal())
	if s.cfg.socket != "" {
		o.set("protocol", "socket")
		o.set("socket", s.cfg.socket)
	} else {
		o.set("protocol", "tcp")
		o.set("host", s.host)
		o.set("port", fmt.Sprint(s.port))
	}
	o.set("default-character-set", "utf8mb4")
	o.set("max-allowed-packet", "1073741824")
	s.encrypt(&o)
	o.section("mysqldump") // mariadb-dump reads it too
	o.set("loose-init-command", "SET SESSION lock_wait_timeout = "+lockPatience)
	for _, name := range ignore {
		o.set("ignore-table", s.cfg.database+"."+name)
	}
	return tool.SecretFile(dir, clientFile, o.b.String())
}

// encrypt says what the connection of the programs must be like. They are
// started only after a connection of our own was encrypted as it should be,
// since MariaDB's, told to encrypt and not to verify, goes on without when the
// server can't.
func (s *session) encrypt(o *optionFile) {
	if s.cfg.socket != "" {
		return
	}
	if s.maria {
		if !s.encrypted {
			o.set("loose-ssl", "0")
			return
		}
		o.set("ssl", "1")
		if s.cfg.tls == tlsVerify && !s.cfg.through {
			o.set("ssl-verify-server-cert", "1")
		} else {
			o.set("loose-ssl-verify-server-cert", "0")
		}
	} else {
		switch {
		case !s.encrypted:
			o.set("loose-ssl-mode", "DISABLED")
			o.set("loose-get-server-public-key", "1")
			return
		case s.cfg.tls == tlsVerify && s.cfg.through:
			o.set("ssl-mode", "VERIFY_CA")
		case s.cfg.tls == tlsVerify:
			o.set("ssl-mode", "VERIFY_IDENTITY")
		default:
			o.set("ssl-mode", "REQUIRED")
		}
	}
	if s.cfg.tls == tlsVerify && s.cfg.caFile != "" {
		o.set("ssl-ca", s.cfg.caFile)
	}
}
