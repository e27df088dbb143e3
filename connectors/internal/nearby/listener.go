package nearby

import (
	"bufio"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Listening is what a system tells of who listens on this computer.
type Listening struct {
	Ports   []Listener
	Whole   bool     // Ports are all there are; else the usual ones are tried too
	Sockets []string // unix sockets
	// Instances are SQL Servers that run, and of which no port is known: they
	// may be set up to be reached by their name alone.
	Instances []string
}

// Listener is a port of this computer that somebody listens on.
type Listener struct {
	Hosts    []string // loopback addresses that reach it, the likeliest first
	Port     int
	Owner    string // program or user, as far as the system tells; "" unknown
	Inner    int    // port inside the container it leads into, 0 for none
	Instance string // name of a SQL Server that is set up to listen there
}

// usualPorts are the ports servers of an engine have by custom: the vendors',
// and those of packages and of people who run two.
func usualPorts(e Engine) []int {
	switch e {
	case MySQL:
		return []int{3306, 3307, 3308, 3309, 3310, 8889, 13306, 23306, 33306}
	case Postgres:
		return []int{5432, 5433, 5434, 5435, 5436, 15432, 25432, 54321, 55432}
	}
	return []int{1433, 1434, 11433, 14330, 14333, 21433}
}

// owners are the users and programs servers of an engine run as.
func owners(e Engine) []string {
	switch e {
	case MySQL:
		return []string{"mysql", "mysqld", "mariadbd", "mariadb", "_mysql"}
	case Postgres:
		return []string{"postgres", "postmaster", "_postgres", "postgresql"}
	}
	return []string{"mssql", "sqlservr"}
}

// forwarders are the programs that publish a container's ports, where the
// system doesn't tell which: any server may be behind them.
func forwarders() []string {
	return []string{"rootlessport", "rootlesskit", "slirp4netns", "pasta", "pasta.avx2", "conmon", "docker-proxy", "com.docker.backend", "wslrelay"}
}

// candidates returns the listeners that may be servers of an engine.
func (f Finder) candidates(who Listening, e Engine) (out []Listener) {
	for _, l := range who.Ports {
		if l.may(e) {
			out = append(out, l)
		}
	}
	if who.Whole {
		return out[:min(len(out), most)]
	}
	ports := usualPorts(e)
	if e == MySQL {
		ports = append(configured(f.Configs).ports, ports...)
	}
	for _, port := range ports {
		if !slices.ContainsFunc(out, func(l Listener) bool { return l.Port == port }) {
			out = append(out, Listener{Hosts: []string{"127.0.0.1", "::1"}, Port: port})
		}
	}
	return out[:min(len(out), most)]
}

// may reports whether the listener may be a server of an engine, so that it is
// right to connect to it.
func (l Listener) may(e Engine) bool {
	if l.Inner != 0 {
		return slices.Contains(usualPorts(e), l.Inner)
	}
	if l.Instance != "" {
		return e == SQLServer
	}
	for _, other := range []Engine{MySQL, Postgres, SQLServer} {
		if slices.Contains(owners(other), l.Owner) {
			return other == e
		}
	}
	if slices.Contains(forwarders(), l.Owner) || slices.Contains(usualPorts(e), l.Port) {
		return true
	}
	// MySQL speaks first: it costs nobody a byte to listen.
	return e == MySQL && l.Port >= 1024 && !quiet(l.Port)
}

// quiet reports whether a port is of devices and services that take even a
// connection for a job: printers, screens, card terminals.
func quiet(port int) bool {
	switch {
	case port >= 9100 && port <= 9109, port >= 6000 && port <= 6063, port >= 5900 && port <= 5999:
		return true
	}
	return slices.Contains([]int{2404, 4100, 4102, 5015, 8008, 8009, 20002, 20007, 22000, 30002}, port)
}

// readListeners reads a table of the kernel's, in the form of /proc/net/tcp.
// Ports that only other computers reach are left out.
func readListeners(r io.Reader, owner func(uid, inode string) string) (out []Listener) {
	lines := bufio.NewScanner(r)
	for lines.Scan() && len(out) < most {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[3] != "0A" {
			continue
		}
		addr, hexPort, ok := strings.Cut(fields[1], ":")
		port, err := strconv.ParseUint(hexPort, 16, 16)
		if !ok || err != nil || port == 0 {
			continue
		}
		if hosts := loopback(addr); hosts != nil {
			out = append(out, Listener{Hosts: hosts, Port: int(port), Owner: owner(fields[7], fields[9])})
		}
	}
	return out
}

// loopback returns the loopback addresses that reach a listener on an address,
// which is spelled as the kernel does.
func loopback(addr string) []string {
	switch {
	case len(addr) == 8 && (strings.HasSuffix(addr, "7F") || addr == "00000000"):
		if strings.HasSuffix(addr, "7F") && addr != "0100007F" {
			return []string{reversed(addr)}
		}
		return []string{"127.0.0.1"}
	case addr == strings.Repeat("0", 32):
		return []string{"127.0.0.1", "::1"}
	case addr == strings.Repeat("0", 24)+"01000000":
		return []string{"::1"}
	case strings.HasPrefix(addr, "0000000000000000FFFF0000") && strings.HasSuffix(addr, "7F"):
		return []string{"127.0.0.1"}
	}
	return nil
}

// reversed spells the kernel's hexadecimal address with dots.
func reversed(addr string) string {
	parts := make([]string, 0, 4)
	for i := 6; i >= 0; i -= 2 {
		n, err := strconv.ParseUint(addr[i:i+2], 16, 8)
		if err != nil {
			return "127.0.0.1"
		}
		parts = append(parts, strconv.FormatUint(n, 10))
	}
	return strings.Join(parts, ".")
}

// joined makes one of the listeners on one port.
func joined(list []Listener) (out []Listener) {
	for _, l := range list {
		i := slices.IndexFunc(out, func(o Listener) bool { return o.Port == l.Port })
		if i < 0 {
			l.Hosts = slices.Clone(l.Hosts)
			out = append(out, l)
			continue
		}
		for _, h := range l.Hosts {
			if !slices.Contains(out[i].Hosts, h) {
				out[i].Hosts = append(out[i].Hosts, h)
			}
		}
		if out[i].Owner == "" {
			out[i].Owner = l.Owner
		}
	}
	return out
}

// published reads the command line of the program that publishes a container's
// port: which port of this computer leads to which inside.
func published(cmdline string) (port, inner int) {
	args := strings.Split(strings.TrimRight(cmdline, "\x00"), "\x00")
	if filepath.Base(args[0]) != "docker-proxy" {
		return 0, 0
	}
	number := func(flag string) int {
		for i, a := range args {
			value, ok := strings.CutPrefix(a, flag+"=")
			if a == flag && i+1 < len(args) {
				value, ok = args[i+1], true
			}
			if n, err := strconv.Atoi(value); ok && err == nil {
				return n
			}
		}
		return 0
	}
	return number("-host-port"), number("-container-port")
}

// socketFiles returns the unix sockets that may be servers' of an engine.
func (f Finder) socketFiles(who Listening, e Engine) []string {
	all := append(slices.Clone(who.Sockets), f.Sockets...)
	if e == MySQL {
		all = append(all, configured(f.Configs).sockets...)
	}
	all = slices.DeleteFunc(existing(all), func(path string) bool {
		fi, err := os.Stat(path)
		return socketOf(path) != e || err != nil || fi.Mode()&os.ModeSocket == 0
	})
	return all[:min(len(all), most)]
}

// socketOf tells whose socket a path is by its name.
func socketOf(path string) Engine {
	name := strings.ToLower(filepath.Base(path))
	switch {
	case strings.HasPrefix(name, ".s.pgsql.") && !strings.HasSuffix(name, ".lock"):
		return Postgres
	case strings.HasSuffix(name, ".sock") && !strings.Contains(name, "mysqlx") && (strings.Contains(name, "mysql") || strings.Contains(name, "maria")):
		return MySQL
	}
	return ""
}

// socketPort returns the port that the name of PostgreSQL's socket ends in.
func socketPort(path string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(filepath.Base(path), ".s.PGSQL."))
	if err != nil {
		return 0
	}
	return n
}

func usualSockets(system string) []string {
	switch system {
	case "windows":
		return nil
	case "darwin":
		return []string{
			"/tmp/mysql.sock", "/opt/homebrew/var/mysql/mysql.sock", "/Applications/MAMP/tmp/mysql/mysql.sock",
			"/Applications/XAMPP/xamppfiles/var/mysql/mysql.sock", "/tmp/.s.PGSQL.*", "/var/pgsql_socket/.s.PGSQL.*",
		}
	}
	return []string{
		"/run/mysqld/mysqld.sock", "/run/mysql/mysql.sock", "/var/lib/mysql/mysql.sock", "/tmp/mysql.sock", "/tmp/mysqld.sock",
		"/opt/lampp/var/mysql/mysql.sock", "/opt/bitnami/mariadb/tmp/mysql.sock", "/opt/bitnami/mysql/tmp/mysql.sock",
		"/run/postgresql/.s.PGSQL.*", "/tmp/.s.PGSQL.*",
	}
}
