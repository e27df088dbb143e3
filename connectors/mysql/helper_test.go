package mysql

import (
	"database/sql"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// server is a MariaDB server of the tests' own.
type server struct {
	dir    string
	socket string
	port   int
	args   []string
	cmd    *exec.Cmd
	db     *sql.DB
}

// theServer is the one most tests share: databases keep them apart.
var theServer = sync.OnceValues(func() (*server, error) {
	started.Store(true)
	return newServer("--log-bin-trust-function-creators=1")
})

// started tells whether there is a server to stop at the end.
var started atomic.Bool

// template is a server's data with nothing in it yet.
var template = sync.OnceValues(func() (string, error) {
	install, err := program("mariadb-install-db")
	if err != nil {
		return "", fmt.Errorf("mariadb-server is not installed: %w", err)
	}
	dir, err := os.MkdirTemp("", "kvm")
	if err != nil {
		return "", err
	}
	out, err := exec.Command(install, asRoot("--no-defaults", "--datadir="+dir, "--tmpdir="+dir, "--auth-root-authentication-method=normal", "--skip-test-db", smallLog)...).CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("%w: %s", err, out)
	}
	return dir, nil
})

const smallLog = "--innodb-log-file-size=16M"

func TestMain(m *testing.M) {
	code := m.Run()
	if !started.Load() {
		os.Exit(code)
	}
	if s, err := theServer(); err == nil {
		s.stop()
		_ = os.RemoveAll(s.dir)
	}
	if dir, err := template(); err == nil {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func program(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	return exec.LookPath("/usr/sbin/" + name)
}

// asRoot lets a server run where the tests run as root.
func asRoot(args ...string) []string {
	if os.Getuid() == 0 {
		args = append(args, "--user=root")
	}
	return args
}

func newServer(args ...string) (*server, error) {
	from, err := template()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "kvm") // a socket's path must be short
	if err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir+"/data", os.DirFS(from)); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, socket: dir + "/s", port: l.Addr().(*net.TCPAddr).Port, args: args}
	if err := l.Close(); err != nil {
		return nil, err
	}
	return s, s.start()
}

func (s *server) start() error {
	bin, err := program("mariadbd")
	if err != nil {
		return err
	}
	args := append([]string{
		"--no-defaults", "--datadir=" + s.dir + "/data", "--socket=" + s.socket, "--bind-address=127.0.0.1", "--port=" + strconv.Itoa(s.port),
		"--pid-file=" + s.dir + "/pid", "--tmpdir=" + s.dir, "--innodb-buffer-pool-size=64M", "--innodb-flush-log-at-trx-commit=0", smallLog,
	}, s.args...)
	s.cmd = exec.Command(bin, asRoot(args...)...)
	log, err := os.Create(s.dir + "/log")
	if err != nil {
		return err
	}
	s.cmd.Stderr, s.cmd.Stdout = log, log
	if err := s.cmd.Start(); err != nil {
		return err
	}
	d := driver.NewConfig()
	d.User, d.Net, d.Addr, d.MultiStatements, d.InterpolateParams, d.Logger = "root", "unix", s.socket, true, true, silence{}
	c, err := driver.NewConnector(d)
	if err != nil {
		return err
	}
	s.db = sql.OpenDB(c)
	for range 300 {
		if err = s.db.Ping(); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	text, _ := os.ReadFile(s.dir + "/log")
	return fmt.Errorf("server does not come up: %w\n%s", err, text)
}

func (s *server) stop() {
	_ = s.db.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// shared returns the server most tests share.
func shared(t *testing.T) *server {
	t.Helper()
	if testing.Short() {
		t.Skip("KVART-SKIP: a database server is not for short runs")
	}
	s, err := theServer()
	if err != nil {
		t.Skipf("KVART-SKIP: %v", err)
	}
	return s
}

// own returns a server of the test's own.
func own(t *testing.T, args ...string) *server {
	t.Helper()
	shared(t)
	s, err := newServer(args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.stop()
		_ = os.RemoveAll(s.dir)
	})
	return s
}

func (s *server) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := s.db.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatalf("%.100s: %v", query, err)
	}
}

// in runs statements with a database chosen.
func (s *server) in(t *testing.T, db string, queries ...string) {
	t.Helper()
	conn, err := s.db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, q := range append([]string{"SET SESSION sql_mode = DEFAULT, foreign_key_checks = 1", "SET NAMES utf8mb4", "USE " + quote(db)}, queries...) {
		if _, err := conn.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%.100s: %v", q, err)
		}
	}
}

func (s *server) number(t *testing.T, query string, args ...any) (n int64) {
	t.Helper()
	if err := s.db.QueryRowContext(t.Context(), query, args...).Scan(&n); err != nil {
		t.Fatalf("%.100s: %v", query, err)
	}
	return n
}

// pipe loads SQL with the client program, as a developer would.
func (s *server) pipe(t *testing.T, db string, sql string) {
	t.Helper()
	cmd := exec.Command("mariadb", "--no-defaults", "--socket="+s.socket, "--user=root", "--default-character-set=utf8mb4", "--max-allowed-packet=1G", "--comments", db)
	cmd.Stdin = strings.NewReader(sql)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// fresh makes an empty database and drops it, and those beside it, at the end.
func (s *server) fresh(t *testing.T, name string) string {
	t.Helper()
	name = fmt.Sprintf("%s_%d", name, time.Now().UnixNano()%1e9)
	s.exec(t, "CREATE DATABASE "+quote(name)+" CHARACTER SET utf8mb4 COLLATE utf8mb4_swedish_ci")
	t.Cleanup(func() {
		for _, db := range []string{name, beside(name, newSuffix), beside(name, oldSuffix)} {
			_, _ = s.db.Exec("DROP DATABASE IF EXISTS " + quote(db))
		}
	})
	return name
}

func (s *server) access(db string) app.Access {
	return app.Access{Source: app.Source{ID: "shop", Name: "Shop", Kind: Kind, Settings: map[string]string{
		fieldHost: "127.0.0.1", fieldPort: strconv.Itoa(s.port), fieldUser: "root", fieldDatabase: db,
	}}}
}

// user makes a user and returns the access by it.
func (s *server) user(t *testing.T, db, name, password string, grants ...string) app.Access {
	t.Helper()
	account := literal(name) + "@" + literal("localhost")
	s.exec(t, "CREATE USER "+account+" IDENTIFIED BY "+literal(password))
	t.Cleanup(func() { _, _ = s.db.Exec("DROP USER IF EXISTS " + account) })
	for _, g := range grants {
		s.exec(t, strings.ReplaceAll(g, "@@", account))
	}
	a := s.access(db)
	a.Source.Settings[fieldUser] = name
	a.Secrets = app.Secrets{fieldPassword: app.NewSecret(password)}
	return a
}

func connector(t *testing.T) *Connector {
	c := New(slog.New(slog.NewTextHandler(testWriter{t}, nil)))
	c.Temp = t.TempDir()
	c.lockWait = 5 * time.Second
	return c
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(b []byte) (int, error) {
	if w.t.Context().Err() == nil {
		w.t.Log(strings.TrimSpace(string(b)))
	}
	return len(b), nil
}

// point captures a database into a folder.
func point(t *testing.T, c *Connector, a app.Access) (from fs.FS, stats app.Stats, next app.Marker) {
	t.Helper()
	capture, err := c.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatalf("capture: %v", err)
	}
	dir, problems := connectortest.Collect(t, capture)
	if len(problems) > 0 {
		t.Fatalf("problems: %v", problems)
	}
	if left, _ := filepath.Glob(filepath.Join(c.temp(), spoolPrefix+"*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	return os.DirFS(dir), capture.Stats(), capture.Next
}

// restore plans, applies and verifies.
func restore(t *testing.T, c *Connector, r app.Restore) []app.Check {
	t.Helper()
	plan, err := c.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		t.Fatalf("plan: %v, blockers %v", err, plan.Blockers)
	}
	return apply(t, c, r)
}

func apply(t *testing.T, c *Connector, r app.Restore) []app.Check {
	t.Helper()
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatalf("apply: %v", err)
	}
	checks, err := c.Verify(t.Context(), r)
	if err != nil {
		t.Fatalf("verify: %v", err)
	}
	if len(checks) == 0 {
		t.Error("nothing was checked")
	}
	for _, ch := range checks {
		if !ch.OK || ch.Source != "Shop" {
			t.Errorf("check %+v", ch)
		}
	}
	return checks
}
