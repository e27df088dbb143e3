//go:build unix

package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5"
)

const shopDatabase = "butik"

// found looks a program up, where systems put servers and in PATH.
func found(name string) (string, error) {
	// Debian keeps PostgreSQL's programs out of PATH, together in one folder.
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin/" + name, "/usr/sbin/" + name} {
		if list, err := filepath.Glob(pattern); err == nil && len(list) > 0 {
			return list[len(list)-1], nil
		}
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not installed", name)
	}
	return p, nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a port: %w", err)
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

// served is a server's process, whose data lies in a folder of its own.
type served struct {
	dir  string
	port int
	cmd  *exec.Cmd
}

func (s *served) start(name string, as *syscall.SysProcAttr, args ...string) error {
	log, err := os.Create(filepath.Join(s.dir, "log"))
	if err != nil {
		return fmt.Errorf("make log: %w", err)
	}
	s.cmd = exec.Command(name, args...)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr, s.cmd.SysProcAttr = s.dir, log, log, as
	if err := errors.Join(s.cmd.Start(), log.Close()); err != nil {
		return fmt.Errorf("start server: %w", err)
	}
	return nil
}

// until waits for a server to answer.
func (s *served) until(ctx context.Context, ping func() error) error {
	var err error
	for range 300 {
		if err = ping(); err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(100 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return fmt.Errorf("the server does not answer: %w\n%.2000s", err, log)
}

// stop kills the server: nobody needs its data any more.
func (s *served) stop() error {
	if s.cmd == nil || s.cmd.Process == nil {
		return nil
	}
	sig := syscall.SIGKILL
	if filepath.Base(s.cmd.Path) == "postgres" {
		sig = syscall.SIGQUIT // its children would stay
	}
	err := s.cmd.Process.Signal(sig)
	_ = s.cmd.Wait() // it ends by our signal
	s.cmd = nil
	if errors.Is(err, os.ErrProcessDone) {
		err = nil
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// mariaServer is a MariaDB server as Debian sets it up: every commit on the
// disk, but with a buffer pool as large as a shop's server would have.
type mariaServer struct {
	served
	db    *sql.DB
	loads int
}

func (b *bench) mariadb(ctx context.Context) error {
	s := &mariaServer{served: served{dir: filepath.Join(b.dir, "mariadb")}}
	if err := s.begin(ctx); err != nil {
		return errors.Join(err, s.stop())
	}
	p := &shopPart{bench: b, name: "MariaDB", dumper: "mariadb-dump", loader: "mariadb < dump", bytes: 1. / 15, server: s}
	return p.run(ctx)
}

func (s *mariaServer) begin(ctx context.Context) (err error) {
	install, err := found("mariadb-install-db")
	if err != nil {
		return err
	}
	server, err := found("mariadbd")
	if err != nil {
		return err
	}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return fmt.Errorf("make server: %w", err)
	}
	root := []string{}
	if os.Geteuid() == 0 {
		root = append(root, "--user=root")
	}
	data := filepath.Join(s.dir, "data")
	if _, err := timed(command(ctx, install, append([]string{"--no-defaults", "--datadir=" + data, "--tmpdir=" + s.dir, "--auth-root-authentication-method=normal", "--skip-test-db"}, root...)...)); err != nil {
		return err
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	if err := s.start(server, nil, append([]string{
		"--no-defaults", "--datadir=" + data, "--tmpdir=" + s.dir, "--socket=" + s.dir + "/s", "--bind-address=127.0.0.1", "--port=" + strconv.Itoa(s.port), "--pid-file=" + s.dir + "/pid",
		"--innodb-buffer-pool-size=1G", "--innodb-log-file-size=256M", "--local-infile=1",
	}, root...)...); err != nil {
		return err
	}
	c := mysql.NewConfig()
	c.User, c.Net, c.Addr, c.AllowAllFiles, c.Logger = "root", "unix", s.dir+"/s", true, quiet{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	s.db = sql.OpenDB(connector)
	s.db.SetMaxOpenConns(1)
	if err := s.until(ctx, func() error { return s.db.PingContext(ctx) }); err != nil {
		return err
	}
	if err := os.WriteFile(s.secret(), []byte("bench\n"), 0o600); err != nil {
		return fmt.Errorf("write password: %w", err)
	}
	return execAll(ctx, s.db, "CREATE USER kvart@'127.0.0.1' IDENTIFIED BY 'bench'", "GRANT ALL ON *.* TO kvart@'127.0.0.1'")
}

type quiet struct{}

func (quiet) Print(...any) {}

func (s *mariaServer) create(ctx context.Context) error {
	return execAll(ctx, s.db, "DROP DATABASE IF EXISTS "+shopDatabase, "CREATE DATABASE "+shopDatabase+" CHARACTER SET utf8mb4", "USE "+shopDatabase, "SET NAMES utf8mb4, time_zone = '+00:00'")
}

func (s *mariaServer) query(ctx context.Context, statements ...string) error {
	return execAll(ctx, s.db, append([]string{"USE " + shopDatabase}, statements...)...)
}

func (s *mariaServer) load(ctx context.Context, table string, rows io.Reader) error {
	s.loads++
	name := fmt.Sprintf("rows%d", s.loads)
	mysql.RegisterReaderHandler(name, func() io.Reader { return rows })
	defer mysql.DeregisterReaderHandler(name)
	return execAll(ctx, s.db, "LOAD DATA LOCAL INFILE 'Reader::"+name+"' INTO TABLE "+table+" CHARACTER SET utf8mb4")
}

func (s *mariaServer) types() (text, id string) { return "LONGTEXT", "BIGINT UNSIGNED" }

func (s *mariaServer) args() []string {
	return []string{"--no-defaults", "--socket=" + s.dir + "/s", "--user=root"}
}

func (s *mariaServer) dump(ctx context.Context) *exec.Cmd {
	return command(ctx, "mariadb-dump", append(s.args(), "--single-transaction", "--quick", "--skip-dump-date", "--routines", "--events", shopDatabase)...)
}

func (s *mariaServer) save(ctx context.Context, file string) (cost, error) {
	return toFile(s.dump(ctx), file)
}

func (s *mariaServer) bringBack(ctx context.Context, file string) (cost, error) {
	return fromFile(command(ctx, "mariadb", append(s.args(), shopDatabase)...), file)
}

func (s *mariaServer) secret() string { return filepath.Join(s.dir, "password") }

func (s *mariaServer) source() []string {
	return []string{"mysql", "--name", "Butiken", "--set", "host=127.0.0.1", "--set", "port=" + strconv.Itoa(s.port), "--set", "database=" + shopDatabase, "--set", "user=kvart", "--secret", "password=" + s.secret()}
}

func (s *mariaServer) lose(ctx context.Context) error {
	return execAll(ctx, s.db, "DROP DATABASE "+shopDatabase)
}

// settle waits until times of whole seconds tell what comes from what was.
func (s *mariaServer) settle(ctx context.Context) error { return nap(ctx, 4*time.Second) }

func (s *mariaServer) stop() error {
	if s.db != nil {
		_ = s.db.Close()
	}
	return s.served.stop()
}

// postgresServer is a PostgreSQL server as it is set up.
type postgresServer struct {
	served
	bin  string
	conn *pgx.Conn
}

func (b *bench) postgres(ctx context.Context) error {
	s := &postgresServer{served: served{dir: filepath.Join(b.dir, "postgres")}}
	if err := s.begin(ctx); err != nil {
		return errors.Join(err, s.stop())
	}
	p := &shopPart{bench: b, name: "PostgreSQL", dumper: "pg_dump", loader: "pg_restore", bytes: 1. / 10, server: s}
	return p.run(ctx)
}

// asOther is the user the server runs as: it refuses to run as root.
func asOther(dir string) (*syscall.SysProcAttr, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("find the server's user: %w", err)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err := errors.Join(err1, err2, os.Chown(dir, uid, gid)); err != nil {
		return nil, fmt.Errorf("give the server its folder: %w", err)
	}
	return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil
}

func (s *postgresServer) begin(ctx context.Context) error {
	initdb, err := found("initdb")
	if err != nil {
		return err
	}
	s.bin = filepath.Dir(initdb)
	if err := os.Mkdir(s.dir, 0o755); err != nil {
		return fmt.Errorf("make server: %w", err)
	}
	as, err := asOther(s.dir)
	if err != nil {
		return err
	}
	data := filepath.Join(s.dir, "data")
	c := command(ctx, initdb, "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
	c.Dir, c.SysProcAttr = s.dir, as
	if _, err := timed(c); err != nil {
		return err
	}
	if s.port, err = freePort(); err != nil {
		return err
	}
	if err := s.start(filepath.Join(s.bin, "postgres"), as, "-D", data, "-p", strconv.Itoa(s.port), "-k", s.dir, "-c", "listen_addresses=127.0.0.1", "-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"); err != nil {
		return err
	}
	return s.until(ctx, func() error {
		conn, err := pgx.Connect(ctx, s.dsn("postgres"))
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	})
}

func (s *postgresServer) dsn(database string) string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=admin dbname=%s sslmode=disable", s.port, database)
}

// outside runs statements in no transaction, outside of the database.
func (s *postgresServer) outside(ctx context.Context, statements ...string) (err error) {
	if err := s.let(ctx); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, s.dsn("postgres"))
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	for _, q := range statements {
		if _, err := conn.Exec(ctx, q); err != nil {
			return fmt.Errorf("%.80s: %w", q, err)
		}
	}
	return nil
}

func (s *postgresServer) let(ctx context.Context) error {
	if s.conn == nil {
		return nil
	}
	conn := s.conn
	s.conn = nil
	return conn.Close(ctx)
}

func (s *postgresServer) create(ctx context.Context) error {
	return s.outside(ctx, "DROP DATABASE IF EXISTS "+shopDatabase+" WITH (FORCE)", "CREATE DATABASE "+shopDatabase)
}

func (s *postgresServer) open(ctx context.Context) (err error) {
	if s.conn != nil {
		return nil
	}
	s.conn, err = pgx.Connect(ctx, s.dsn(shopDatabase))
	return err
}

func (s *postgresServer) query(ctx context.Context, statements ...string) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	for _, q := range statements {
		if _, err := s.conn.Exec(ctx, q); err != nil {
			return fmt.Errorf("%.80s: %w", q, err)
		}
	}
	return nil
}

func (s *postgresServer) load(ctx context.Context, table string, rows io.Reader) error {
	if err := s.open(ctx); err != nil {
		return err
	}
	if _, err := s.conn.PgConn().CopyFrom(ctx, rows, "COPY "+table+" FROM STDIN"); err != nil {
		return fmt.Errorf("load %s: %w", table, err)
	}
	return nil
}

func (s *postgresServer) types() (text, id string) { return "TEXT", "BIGINT" }

func (s *postgresServer) dump(ctx context.Context) *exec.Cmd {
	return command(ctx, filepath.Join(s.bin, "pg_dump"), "--dbname="+s.dsn(shopDatabase))
}

// save writes the format that pg_restore reads.
func (s *postgresServer) save(ctx context.Context, file string) (cost, error) {
	return timed(command(ctx, filepath.Join(s.bin, "pg_dump"), "-Fc", "-f", file, "--dbname="+s.dsn(shopDatabase)))
}

func (s *postgresServer) bringBack(ctx context.Context, file string) (cost, error) {
	return timed(command(ctx, filepath.Join(s.bin, "pg_restore"), "--exit-on-error", "--dbname="+s.dsn(shopDatabase), file))
}

func (s *postgresServer) source() []string {
	return []string{"postgres", "--name", "Butiken", "--set", "host=127.0.0.1", "--set", "port=" + strconv.Itoa(s.port), "--set", "database=" + shopDatabase, "--set", "user=admin"}
}

func (s *postgresServer) lose(ctx context.Context) error {
	return s.outside(ctx, "DROP DATABASE "+shopDatabase+" WITH (FORCE)")
}

// settle lets go of the database, with nothing left to be written.
func (s *postgresServer) settle(ctx context.Context) error {
	if err := s.query(ctx, "ANALYZE", "CHECKPOINT"); err != nil {
		return err
	}
	return s.let(ctx)
}

func (s *postgresServer) stop() error {
	_ = s.let(context.Background())
	return s.served.stop()
}
