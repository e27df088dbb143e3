// Package nearby finds the database servers and web sites of this very
// computer: who listens where, what a server says of itself before anybody
// logged in, and what a site's own settings tell of its database.
//
// It looks without asking for rights and without leaving the computer: every
// connection goes through [Finder.dial], which knows no way but to a loopback
// address or a socket. Servers that speak first are only listened to. To those
// that wait for the client a few bytes of their own protocol are sent, and only
// where the port, the program or its user says that they are such a server: a
// card terminal's or a receipt printer's port is nobody's to try things on.
// Passwords in what is read are passed over and never kept.
package nearby

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Limits of a look around.
const (
	greetTime = 700 * time.Millisecond // for one server to say who it is
	atOnce    = 16                     // servers greeted at the same time
	most      = 256                    // places looked at
)

// Engine is a family of database servers that speak one protocol.
type Engine string

// The engines.
const (
	MySQL     Engine = "mysql" // and MariaDB
	Postgres  Engine = "postgres"
	SQLServer Engine = "sqlserver"
)

// Server is a database server that answered.
type Server struct {
	Engine  Engine
	Product string // "MariaDB"
	Version string // as far as it tells without a password: "10.11.6", ""

	Host     string // "" when it is reached by Socket alone
	Port     int
	Socket   string // path of its unix socket, "" when none was found
	Instance string // SQL Server's name for it

	number uint32 // of the connection, counted by the server; 0 unknown
}

// Name names the server for the owner, in any language: "MariaDB 10.11".
func (s Server) Name() string {
	parts := strings.SplitN(s.Version, ".", 3)
	version := parts[0]
	if s.Engine == MySQL && len(parts) > 1 {
		version += "." + parts[1]
	}
	if s.Instance != "" {
		version = strings.TrimSpace(version + " " + s.Instance)
	}
	return strings.TrimSpace(s.Product + " " + version)
}

// Finder looks around. Its fields are for tests and stay as [New] sets them
// otherwise.
type Finder struct {
	// Dial connects to a loopback address or a unix socket.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Listening tells who listens, as far as the system does.
	Listening func(ctx context.Context) Listening
	// Sockets are patterns of the unix sockets of servers.
	Sockets []string
	// Configs are patterns of the configuration files of MySQL and MariaDB.
	Configs []string
	// Clusters are patterns of the configuration files of PostgreSQL in folders
	// named after its version and the cluster, as Debian has them.
	Clusters []string
	// WebRoots are folders with web sites in them.
	WebRoots []string
}

// New returns a finder for this computer.
func New() Finder {
	home, err := os.UserHomeDir()
	if err != nil {
		home = "" // then nothing of this account's is looked at
	}
	var d net.Dialer
	return Finder{
		Dial: d.DialContext, Listening: listening,
		Sockets: usualSockets(runtime.GOOS), Configs: usualConfigs(runtime.GOOS, home),
		Clusters: []string{"/etc/postgresql/*/*/postgresql.conf"}, WebRoots: usualWebRoots(runtime.GOOS, home),
	}
}

// dial is the only way out, and it leads nowhere but to this computer.
func (f Finder) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "unix" {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("dial: %w", err)
		}
		if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
			return nil, fmt.Errorf("dial %s: not on this computer", address)
		}
	}
	conn, err := f.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(greetTime)); err != nil {
		return nil, cmp.Or(conn.Close(), err)
	}
	return conn, nil
}

// Servers returns the servers of one engine that run on this computer and
// answer, sorted by port. It gives up with what it has when ctx ends.
func (f Finder) Servers(ctx context.Context, e Engine) []Server {
	var found collection
	var wg sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	try := func(fn func() (Server, bool)) {
		wg.Go(func() {
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			defer func() { <-slots }()
			if s, ok := fn(); ok {
				found.add(s)
			}
		})
	}
	who := f.Listening(ctx)
	for _, l := range f.candidates(who, e) {
		try(func() (Server, bool) { return f.greetPort(ctx, e, l) })
	}
	for _, path := range f.socketFiles(who, e) {
		try(func() (Server, bool) { return f.greet(ctx, e, Server{Engine: e, Socket: path}) })
	}
	wg.Wait()
	list := found.list
	if e == SQLServer {
		list = append(list, f.instances(ctx, who)...)
	}
	slices.SortFunc(list, func(a, b Server) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), strings.Compare(a.Socket, b.Socket))
	})
	list = f.merge(ctx, list)
	if e == Postgres {
		f.nameClusters(list)
	}
	return list
}

// nameClusters adds the versions that PostgreSQL keeps to itself, where its
// configuration tells them.
func (f Finder) nameClusters(list []Server) {
	for _, file := range existing(f.Clusters) {
		port := postgresConf(file)
		for i := range list {
			if version := filepath.Base(filepath.Dir(filepath.Dir(file))); port != 0 && postgresPort(list[i]) == port {
				list[i].Version = version
			}
		}
	}
}

// collection gathers what is found at the same time.
type collection struct {
	mu   sync.Mutex
	list []Server
}

func (c *collection) add(s Server) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, s)
}

// greetPort asks a listener who it is, by its first address that answers.
func (f Finder) greetPort(ctx context.Context, e Engine, l Listener) (Server, bool) {
	for _, host := range l.Hosts {
		if s, ok := f.greet(ctx, e, Server{Engine: e, Host: host, Port: l.Port, Instance: l.Instance}); ok {
			return s, true
		}
	}
	return Server{}, false
}

// merge makes one of a server that was met on its port and on its socket, or
// by its port and by its name.
func (f Finder) merge(ctx context.Context, list []Server) (out []Server) {
	for _, s := range list {
		i := slices.IndexFunc(out, func(o Server) bool { return f.same(ctx, o, s) })
		if i < 0 {
			out = append(out, s)
			continue
		}
		o := &out[i]
		o.Host, o.Port = cmp.Or(o.Host, s.Host), cmp.Or(o.Port, s.Port)
		o.Socket, o.Instance = cmp.Or(o.Socket, s.Socket), cmp.Or(o.Instance, s.Instance)
		o.Version = cmp.Or(o.Version, s.Version)
	}
	return out
}

func (f Finder) same(ctx context.Context, a, b Server) bool {
	switch a.Engine {
	case Postgres:
		return postgresPort(a) == postgresPort(b)
	case SQLServer:
		return a.Port != 0 && a.Port == b.Port || a.Instance != "" && strings.EqualFold(a.Instance, b.Instance)
	}
	if a.Product != b.Product || a.Version != b.Version || (a.Host == "") == (b.Host == "") {
		return false
	}
	return f.between(ctx, a, b)
}

// between tells by the numbers a server gives its connections whether a port
// and a socket are of one server: a connection by the one has a number between
// those of two by the other.
func (f Finder) between(ctx context.Context, a, b Server) bool {
	const near = 8 // a busy server's other clients come in between
	var numbers [3]uint32
	for i, s := range []Server{a, b, a} {
		got, ok := f.greet(ctx, MySQL, Server{Engine: MySQL, Host: s.Host, Port: s.Port, Socket: s.Socket})
		if !ok || got.number == 0 {
			return false
		}
		numbers[i] = got.number
	}
	return numbers[0] < numbers[1] && numbers[1] < numbers[2] && numbers[2]-numbers[0] < near
}

// postgresPort returns the port that tells servers on one computer apart, also
// where there is only a socket: its name ends in it.
func postgresPort(s Server) int {
	if s.Port != 0 {
		return s.Port
	}
	return socketPort(s.Socket)
}

// existing returns the files that match one of patterns, no link twice.
func existing(patterns []string) (out []string) {
	var seen []os.FileInfo
	for _, p := range patterns {
		matches, err := filepath.Glob(p)
		if err != nil {
			continue // the pattern is of a folder's name with brackets
		}
		for _, m := range matches {
			fi, err := os.Stat(m)
			if err != nil || slices.ContainsFunc(seen, func(o os.FileInfo) bool { return os.SameFile(o, fi) }) {
				continue
			}
			seen = append(seen, fi)
			out = append(out, m)
		}
	}
	return out
}
