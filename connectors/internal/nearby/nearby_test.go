package nearby

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// calls records where a finder connects to.
type calls struct {
	mu   sync.Mutex
	list []string
}

func (c *calls) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.mu.Lock()
	c.list = append(c.list, network+" "+address)
	c.mu.Unlock()
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// listen serves every connection to a port of this computer with fn.
func listen(t *testing.T, network, address string, fn func(net.Conn)) net.Addr {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
				fn(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		wg.Wait()
	})
	return l.Addr()
}

func tcp(t *testing.T, fn func(net.Conn)) int {
	return listen(t, "tcp", "127.0.0.1:0", fn).(*net.TCPAddr).Port
}

// handshake is what a MySQL server begins with.
func handshake(version string, number uint32) []byte {
	body := append([]byte{10}, version...)
	body = binary.LittleEndian.AppendUint32(append(body, 0), number)
	body = append(body, make([]byte, 30)...)
	return append([]byte{byte(len(body)), byte(len(body) >> 8), 0, 0}, body...)
}

// counting is a MySQL server that counts its connections.
func counting(version string) func(net.Conn) {
	var mu sync.Mutex
	n := uint32(40)
	return func(c net.Conn) {
		mu.Lock()
		n++
		b := handshake(version, n)
		mu.Unlock()
		c.Write(b)
		io.Copy(io.Discard, c)
	}
}

// waits answers once the client has said enough.
func waits(request int, answer ...byte) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := io.ReadFull(c, make([]byte, request)); err == nil {
			c.Write(answer)
		}
		io.Copy(io.Discard, c)
	}
}

func finder(listening Listening, c *calls) Finder {
	listening.Whole = true
	return Finder{Dial: c.dial, Listening: func(context.Context) Listening { return listening }}
}

func at(port int, owner string) Listener {
	return Listener{Hosts: []string{"127.0.0.1", "::1"}, Port: port, Owner: owner}
}

func describe(list []Server) (out []string) {
	for _, s := range list {
		text := fmt.Sprintf("%s %s:%d %s", s.Name(), s.Host, s.Port, filepath.Base(s.Socket))
		out = append(out, strings.TrimSuffix(text, " ."))
	}
	slices.Sort(out)
	return out
}

func TestFinder_Servers(t *testing.T) {
	t.Parallel()
	maria := tcp(t, counting("5.5.5-10.11.6-MariaDB-0+deb12u1"))
	eight := tcp(t, counting("8.4.3"))
	full := tcp(t, func(c net.Conn) { c.Write([]byte("\x17\x00\x00\x00\xff\x10\x04Too many connections")) })
	pg := tcp(t, waits(8, 'N'))
	tls := tcp(t, waits(8, 'S'))
	ms := tcp(t, waits(26, 4, 1, 0, 25, 0, 0, 1, 0, 0, 0, 11, 0, 6, 0xff, 0, 0, 0, 0, 0, 16, 0, 0x10, 0x64, 0, 0))
	var c calls
	f := finder(Listening{Ports: []Listener{
		at(maria, ""), at(eight, "mysqld"), at(full, "mysqld"), at(pg, "postgres"),
		{Hosts: []string{"127.0.0.1"}, Port: tls, Inner: 5432},
		{Hosts: []string{"127.0.0.1"}, Port: ms, Owner: "docker-proxy"},
	}}, &c)
	for e, want := range map[Engine][]string{
		MySQL:     {fmt.Sprintf("MariaDB 10.11 127.0.0.1:%d", maria), fmt.Sprintf("MySQL 127.0.0.1:%d", full), fmt.Sprintf("MySQL 8.4 127.0.0.1:%d", eight)},
		Postgres:  {fmt.Sprintf("PostgreSQL 127.0.0.1:%d", pg), fmt.Sprintf("PostgreSQL 127.0.0.1:%d", tls)},
		SQLServer: {fmt.Sprintf("SQL Server 2022 127.0.0.1:%d", ms)},
	} {
		slices.Sort(want)
		if got := describe(f.Servers(t.Context(), e)); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", e, got, want)
		}
	}
}

// Listeners that answer nothing, garbage, or without end are no servers, and
// cost no more than the time one may take to answer.
func TestFinder_Servers_hostile(t *testing.T) {
	t.Parallel()
	kinds := []func(net.Conn){
		func(c net.Conn) { io.Copy(io.Discard, c) },
		func(c net.Conn) {},
		func(c net.Conn) { c.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n")); io.Copy(io.Discard, c) },
		func(c net.Conn) { c.Write([]byte("NO\r\n")); io.Copy(io.Discard, c) },
		func(c net.Conn) { io.Copy(c, c) },
		func(c net.Conn) { c.Write([]byte("\xff\xff\xff\x00\x0a")); io.Copy(io.Discard, c) },
		func(c net.Conn) { c.Write([]byte("\x05\x00\x00\x00\x0aabcd")); io.Copy(io.Discard, c) },
		func(c net.Conn) { c.Write([]byte("\x03\x00\x00\x00\xff\x10")); io.Copy(io.Discard, c) },
		func(c net.Conn) {
			c.Write([]byte{4, 1, 0, 20, 0, 0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff})
			io.Copy(io.Discard, c)
		},
		func(c net.Conn) {
			c.Write(append([]byte{4, 1, 0, 26, 0, 0, 1, 0}, make([]byte, 18)...))
			io.Copy(io.Discard, c)
		},
		func(c net.Conn) {
			for b := make([]byte, 1<<16); ; {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		},
	}
	var ports []Listener
	for _, fn := range kinds {
		port := tcp(t, fn)
		ports = append(ports, at(port, "docker-proxy"))
	}
	closed := tcp(t, kinds[0])
	ports = append(ports, Listener{Hosts: []string{"127.0.0.1"}, Port: closed + 1, Owner: "docker-proxy"})
	var c calls
	start := time.Now()
	for _, e := range []Engine{MySQL, Postgres, SQLServer} {
		if got := finder(Listening{Ports: ports}, &c).Servers(t.Context(), e); len(got) != 0 {
			t.Errorf("%s: found %q", e, describe(got))
		}
	}
	if took := time.Since(start); took > 8*greetTime {
		t.Errorf("took %v", took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start = time.Now()
	finder(Listening{Ports: ports}, &c).Servers(ctx, Postgres)
	if took := time.Since(start); took > greetTime {
		t.Errorf("canceled, and yet it took %v", took)
	}
}

// Nothing but this computer is ever connected to, whatever listeners, settings
// and names say, and nothing is sent where no server is to be expected.
func TestFinder_staysHere(t *testing.T) {
	t.Parallel()
	heard := make(chan byte, 100)
	terminal := tcp(t, func(c net.Conn) {
		b := make([]byte, 1)
		if n, _ := c.Read(b); n > 0 {
			heard <- b[0]
		}
	})
	var c calls
	f := finder(Listening{Ports: []Listener{
		at(terminal, ""), at(9100, ""), at(80, "postgres-export"),
		{Hosts: []string{"192.168.1.7"}, Port: 3306},
		{Hosts: []string{"example.com"}, Port: 5432},
		{Hosts: []string{"0.0.0.0"}, Port: 1433},
	}, Instances: []string{"KASSA"}}, &c)
	usual := f
	usual.Listening = func(context.Context) Listening { return Listening{} }
	for _, e := range []Engine{MySQL, Postgres, SQLServer} {
		f.Servers(t.Context(), e)
		usual.Servers(t.Context(), e)
	}
	if len(c.list) == 0 {
		t.Fatal("nothing was looked at")
	}
	for _, call := range c.list {
		_, address, _ := strings.Cut(call, " ")
		host, port, err := net.SplitHostPort(address)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			t.Errorf("connected to %s", call)
		}
		if port == "9100" || port == "80" {
			t.Errorf("connected to %s", call)
		}
	}
	select {
	case b := <-heard:
		t.Errorf("a listener nobody knows was sent %q", b)
	default:
	}
}

// A server met on its port and on its socket is one server; two of the same
// version are two.
func TestFinder_Servers_oneOfTwo(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "kn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	shop, other := counting("10.11.6-MariaDB"), counting("10.11.6-MariaDB")
	for range 5 { // this one is busier
		p1, p2 := net.Pipe()
		go func() { other(p1) }()
		p2.Read(make([]byte, 200))
		p2.Close()
	}
	port := tcp(t, shop)
	listen(t, "unix", filepath.Join(dir, "mysql.sock"), shop)
	listen(t, "unix", filepath.Join(dir, "mysql-other.sock"), other)
	listen(t, "unix", filepath.Join(dir, "mysqlx.sock"), other)
	pg := tcp(t, waits(8, 'S'))
	listen(t, "unix", filepath.Join(dir, fmt.Sprintf(".s.PGSQL.%d", pg)), waits(8, 'N'))
	listen(t, "unix", filepath.Join(dir, ".s.PGSQL.77"), waits(8, 'N'))
	var c calls
	f := finder(Listening{Ports: []Listener{at(port, "mariadbd"), at(pg, "postgres")}, Sockets: []string{filepath.Join(dir, "mysql-other.sock")}}, &c)
	f.Sockets = []string{filepath.Join(dir, "*.sock"), filepath.Join(dir, ".s.PGSQL.*")}
	want := []string{"MariaDB 10.11 :0 mysql-other.sock", fmt.Sprintf("MariaDB 10.11 127.0.0.1:%d mysql.sock", port)}
	slices.Sort(want)
	if got := describe(f.Servers(t.Context(), MySQL)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	put(t, filepath.Join(dir, "15", "main", "postgresql.conf"), "#port = 5432\nport = 77\t\t# (change requires restart)\n")
	f.Clusters = []string{filepath.Join(dir, "*", "*", "postgresql.conf")}
	want = []string{fmt.Sprintf("PostgreSQL 127.0.0.1:%d .s.PGSQL.%d", pg, pg), "PostgreSQL 15 :0 .s.PGSQL.77"}
	slices.Sort(want)
	if got := describe(f.Servers(t.Context(), Postgres)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestListener_may(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		l    Listener
		want string
	}{
		{Listener{Port: 3306}, "mysql"},
		{Listener{Port: 5432}, "mysql postgres"},
		{Listener{Port: 5432, Owner: "postgres"}, "postgres"},
		{Listener{Port: 5432, Owner: "mysql"}, "mysql"},
		{Listener{Port: 1433, Owner: "sqlservr"}, "sqlserver"},
		{Listener{Port: 49732, Owner: "sqlservr", Instance: "KASSA"}, "sqlserver"},
		{Listener{Port: 40000}, "mysql"},
		{Listener{Port: 40000, Owner: "rootlessport"}, "mysql postgres sqlserver"},
		{Listener{Port: 40000, Inner: 5432, Owner: "root"}, "postgres"},
		{Listener{Port: 3306, Inner: 80}, ""},
		{Listener{Port: 9100}, ""},
		{Listener{Port: 443}, ""},
	} {
		var got []string
		for _, e := range []Engine{MySQL, Postgres, SQLServer} {
			if tt.l.may(e) {
				got = append(got, string(e))
			}
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%+v: %q, want %q", tt.l, got, tt.want)
		}
	}
}

func TestReadListeners(t *testing.T) {
	t.Parallel()
	const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   108        0 4711 1 0 100 0 0 10 0
   1: 00000000:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 0701A8C0:0CEB 00000000:0000 0A 00000000:00000000 00:00000000 00000000   108        0 4713 1 0 100 0 0 10 0
   3: 0100007F:0CEC 0100007F:9999 01 00000000:00000000 00:00000000 00000000   108        0 4714 1 0 100 0 0 10 0
   4: 3500007F:0035 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4715 1 0 100 0 0 10 0
   5: 00000000000000000000000000000000:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4716 1
   6: 00000000000000000000000001000000:1539 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4717 1
   7: 000080FE00000000FF005450B9ADFEFF:153A 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 4718 1
   8: nonsense
   9: 0100007F:zz 00000000:0000 0A 00000000:00000000 00:00000000 00000000   108        0 4711 1 0 100 0 0 10 0
`
	owner := func(uid, inode string) string { return uid + "/" + inode }
	var got []string
	for _, l := range joined(readListeners(strings.NewReader(table), owner)) {
		got = append(got, fmt.Sprintf("%v %d %s", l.Hosts, l.Port, l.Owner))
	}
	want := []string{"[127.0.0.1] 3306 108/4711", "[127.0.0.1 ::1] 5432 0/4712", "[127.0.0.53] 53 101/4715", "[::1] 5433 0/4717"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestPublished(t *testing.T) {
	t.Parallel()
	line := strings.Join([]string{"/usr/bin/docker-proxy", "-proto", "tcp", "-host-ip", "0.0.0.0", "-host-port", "15432", "-container-ip", "172.17.0.2", "-container-port", "5432"}, "\x00") + "\x00"
	if port, inner := published(line); port != 15432 || inner != 5432 {
		t.Errorf("%d leads to %d", port, inner)
	}
	for _, line := range []string{"", "\x00", "docker-proxy", "docker-proxy\x00-host-port", "/bin/sh\x00-host-port\x001"} {
		if port, _ := published(line); port != 0 {
			t.Errorf("%q: %d", line, port)
		}
	}
}

// What the system tells of this very process must be right.
func TestListening(t *testing.T) {
	t.Parallel()
	port := tcp(t, func(net.Conn) {})
	w := listening(t.Context())
	if runtime.GOOS != "linux" {
		return // there it tells of services, if of anything
	}
	i := slices.IndexFunc(w.Ports, func(l Listener) bool { return l.Port == port })
	if !w.Whole || i < 0 || w.Ports[i].Owner == "" || w.Ports[i].Hosts[0] != "127.0.0.1" {
		t.Errorf("port %d is not in %+v", port, w.Ports)
	}
}

func TestReadInstances(t *testing.T) {
	t.Parallel()
	const answer = "ServerName;KASSAN;InstanceName;SQLEXPRESS;IsClustered;No;Version;15.0.2000.5;tcp;49732;;" +
		"ServerName;KASSAN;InstanceName;NAKEN;IsClustered;No;Version;16.0.1000.6;np;\\\\KASSAN\\pipe\\sql\\query;;"
	if got := describe(readInstances(answer)); !slices.Equal(got, []string{"SQL Server 2019 SQLEXPRESS 127.0.0.1:49732"}) {
		t.Errorf("got %q", got)
	}
	for _, text := range []string{"", ";;;;", "tcp", strings.Repeat("a;b;", 1<<12)} {
		if got := readInstances(text); len(got) != 0 {
			t.Errorf("%.20q: %+v", text, got)
		}
	}
}

func TestOptionOf(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`"C:\Program Files\MariaDB 10.11\bin\mysqld.exe" "--defaults-file=C:\Program Files\MariaDB 10.11\data\my.ini" "MariaDB"`: `C:\Program Files\MariaDB 10.11\data\my.ini`,
		`C:\xampp\mysql\bin\mysqld.exe --defaults-file=C:\xampp\mysql\bin\my.ini mysql`:                                          `C:\xampp\mysql\bin\my.ini`,
		`mysqld.exe --defaults-file="C:\a b\my.ini" MySQL`:                                                                       `C:\a b\my.ini`,
		`mysqld.exe MySQL`: "",
	} {
		if got := optionOf(line, "--defaults-file"); got != want {
			t.Errorf("%s: %q", line, got)
		}
	}
	if got := optionOf(`"C:\PG\bin\pg_ctl.exe" runservice -N "postgresql-x64-16" -D "C:\PG\16\data" -w`, "-D"); got != `C:\PG\16\data` {
		t.Errorf("data folder %q", got)
	}
}
