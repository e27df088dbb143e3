package nearby

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// mostGreeting is how much of an answer is read: a server that talks without
// end is none of ours.
const mostGreeting = 4 << 10

// greet asks who answers at the server's place and completes s with what it
// says. ok is false when it isn't a server of that engine.
func (f Finder) greet(ctx context.Context, e Engine, s Server) (_ Server, ok bool) {
	network, address := "unix", s.Socket
	if s.Host != "" {
		network, address = "tcp", net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
	}
	brief, cancel := context.WithTimeout(ctx, greetTime)
	defer cancel()
	conn, err := f.dial(brief, network, address)
	if err != nil {
		return s, false
	}
	// The deadline ends a connection that hangs; a caller that gives up sooner
	// ends it now.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	switch e {
	case MySQL:
		ok = s.greetMySQL(conn)
	case Postgres:
		ok = s.greetPostgres(conn)
	case SQLServer:
		ok = s.greetSQLServer(conn)
	}
	return s, conn.Close() == nil && ok
}

// greetMySQL reads the handshake with which the server begins.
func (s *Server) greetMySQL(r io.Reader) bool {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return false
	}
	n := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
	if n < 4 || n > mostGreeting || head[3] > 1 {
		return false
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return false
	}
	switch body[0] {
	case 10:
		version, rest, ok := bytes.Cut(body[1:], []byte{0})
		if !ok || len(rest) < 13 {
			return false
		}
		s.Product, s.Version = mysqlVersion(string(version))
		s.number = binary.LittleEndian.Uint32(rest)
		return s.Version != ""
	case 0xff:
		// It is one, but has no room or no wish to say more: too many
		// connections, this host blocked, this host not allowed.
		code := binary.LittleEndian.Uint16(body[1:])
		s.Product = "MySQL"
		return code == 1040 || code == 1129 || code == 1130
	}
	return false
}

// mysqlVersion reads what a server says of itself. MariaDB 10 puts a version of
// MySQL before its own.
func mysqlVersion(banner string) (product, version string) {
	product = "MySQL"
	if strings.Contains(strings.ToLower(banner), "mariadb") {
		product, banner = "MariaDB", strings.TrimPrefix(banner, "5.5.5-")
	}
	return product, regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3})+`).FindString(banner)
}

// greetPostgres asks whether the server can encrypt, which is answered with a
// single letter before anybody is asked who he is. Its version it keeps to
// itself.
func (s *Server) greetPostgres(conn net.Conn) bool {
	if _, err := conn.Write([]byte{0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f}); err != nil {
		return false
	}
	var letter [2]byte
	if _, err := io.ReadFull(conn, letter[:1]); err != nil || letter[0] != 'S' && letter[0] != 'N' {
		return false
	}
	// Others begin a whole sentence with that letter: "SSH-2.0".
	if err := conn.SetReadDeadline(time.Now().Add(40 * time.Millisecond)); err != nil {
		return false
	}
	if n, err := conn.Read(letter[:]); n > 0 || err == nil || errors.Is(err, io.EOF) {
		return false
	}
	s.Product = "PostgreSQL"
	return true
}

// prelogin is the first packet of a client of SQL Server: it asks for the
// version and says that encryption isn't asked for.
func prelogin() []byte {
	options := []byte{
		0, 0, 11, 0, 6, // version: at 11, 6 bytes
		1, 0, 17, 0, 1, // encryption: at 17, 1 byte
		0xff,
		0, 0, 0, 0, 0, 0,
		2,
	}
	return append([]byte{0x12, 1, 0, byte(8 + len(options)), 0, 0, 0, 0}, options...)
}

// greetSQLServer sends the first packet of a client and reads the version from
// the answer.
func (s *Server) greetSQLServer(conn io.ReadWriter) bool {
	if _, err := conn.Write(prelogin()); err != nil {
		return false
	}
	var head [8]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil || head[0] != 4 {
		return false
	}
	n := int(binary.BigEndian.Uint16(head[2:])) - len(head)
	if n < 12 || n > mostGreeting {
		return false
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(conn, body); err != nil || body[0] != 0 {
		return false // the version comes first
	}
	at, size := int(binary.BigEndian.Uint16(body[1:])), int(binary.BigEndian.Uint16(body[3:]))
	if size < 4 || at+size > n {
		return false
	}
	v := body[at:]
	s.Product, s.Version = sqlServerVersion(fmt.Sprintf("%d.%d.%d", v[0], v[1], binary.BigEndian.Uint16(v[2:])))
	return true
}

// sqlServerVersion names a version by the year it is sold under.
func sqlServerVersion(version string) (product, year string) {
	major, _, _ := strings.Cut(version, ".")
	for number, year := range map[string]string{"11": "2012", "12": "2014", "13": "2016", "14": "2017", "15": "2019", "16": "2022", "17": "2025"} {
		if number == major {
			return "SQL Server", year
		}
	}
	return "SQL Server", ""
}

// instances asks the browser service, on this computer, which SQL Servers
// there are, and adds those that are known by their name alone.
func (f Finder) instances(ctx context.Context, who Listening) (out []Server) {
	for _, name := range who.Instances {
		out = append(out, Server{Engine: SQLServer, Product: "SQL Server", Host: "127.0.0.1", Instance: name})
	}
	conn, err := f.dial(ctx, "udp", "127.0.0.1:1434")
	if err != nil {
		return out
	}
	defer func() { _ = conn.Close() }() // nothing was written that could be lost
	if err := conn.SetDeadline(time.Now().Add(greetTime / 2)); err != nil {
		return out
	}
	const list = 3
	if _, err := conn.Write([]byte{list}); err != nil {
		return out
	}
	answer := make([]byte, 64<<10)
	n, err := conn.Read(answer)
	if err != nil || n < 3 || answer[0] != 5 {
		return out
	}
	for _, s := range readInstances(string(answer[3:n])) {
		if !strings.EqualFold(s.Instance, "MSSQLSERVER") {
			out = append(out, s)
		}
	}
	return out
}

// readInstances reads the browser service's answer: names and values, an empty
// one between two servers. Only those with a port are of use.
func readInstances(text string) (out []Server) {
	for one := range strings.SplitSeq(text, ";;") {
		parts := strings.Split(one, ";")
		s := Server{Engine: SQLServer, Host: "127.0.0.1"}
		for i := 0; i+1 < len(parts); i += 2 {
			switch value := parts[i+1]; strings.ToLower(parts[i]) {
			case "instancename":
				s.Instance = value
			case "version":
				s.Product, s.Version = sqlServerVersion(value)
			case "tcp":
				if n, err := strconv.ParseUint(value, 10, 16); err == nil {
					s.Port = int(n)
				}
			}
		}
		if s.Instance != "" && s.Product != "" && s.Port != 0 && len(out) < most {
			out = append(out, s)
		}
	}
	return out
}
