//go:build unix

package all_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"database/sql"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"
	"golang.org/x/crypto/ssh"

	"kvart/app"
	"kvart/connectors/all"
	"kvart/connectors/connectortest"
)

// TestWebhotel_wholeShop takes a WordPress shop through its worst day: its files
// behind OpenSSH and its database on MariaDB, which only the hotel itself
// reaches, are captured as one point, lost, and brought back.
func TestWebhotel_wholeShop(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("KVART-SKIP: a database server is not for short runs")
	}
	db, dbPort := mariaDB(t)
	dir, as, a := sshd(t)
	site := filepath.Join(dir, "site")
	config := fmt.Sprintf("<?php\ndefine('DB_NAME', 'shop');\ndefine('DB_USER', 'wp');\ndefine('DB_PASSWORD', 'it\\'s secret');\ndefine('DB_HOST', '127.0.0.1:%d');\n", dbPort)
	put(t, site, "wp-config.php", config)
	put(t, site, "wp-load.php", "<?php")
	put(t, site, "wp-content/uploads/socka.jpg", strings.Repeat("socka", 5000))
	give(t, site, as)
	run(t, db, "CREATE DATABASE shop", "CREATE USER wp@'%' IDENTIFIED BY 'it''s secret'", "GRANT ALL ON *.* TO wp@'%'",
		"CREATE TABLE shop.wp_posts (id INT PRIMARY KEY, title VARCHAR(200)) ENGINE=InnoDB", "INSERT INTO shop.wp_posts VALUES (1, 'Socka'), (2, 'Mössa')")

	c, err := all.Registry(slog.New(slog.DiscardHandler), all.Options{}).Connector("webhotel")
	if err != nil {
		t.Fatal(err)
	}
	info, err := c.Check(t.Context(), a)
	if err != nil || info.Details["site"] != "wordpress" || info.Details["database.tables"] != "1" {
		t.Fatalf("%+v, %v", info, err)
	}
	cp, err := c.Capture(t.Context(), a, "")
	if err != nil {
		t.Fatal(err)
	}
	point, problems := connectortest.Collect(t, cp)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	r := app.Restore{Access: a, From: os.DirFS(point), Stats: cp.Stats()}
	if r.Stats["database.table.wp_posts"] != 2 || r.Stats["files"] != 3 {
		t.Errorf("stats %v", r.Stats)
	}
	checked(t, func() ([]app.Check, error) {
		return c.(app.Rehearser).Rehearse(t.Context(), r, t.TempDir(), connectortest.Silent{})
	})
	// The worst day.
	run(t, db, "DROP TABLE shop.wp_posts", "CREATE TABLE shop.hacked (id INT)")
	if err := os.RemoveAll(site); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Capture(t.Context(), a, cp.Next); app.CodeOf(err) != app.CodeSourceGone {
		t.Errorf("a wiped site: %v", err)
	}
	restorer := c.(app.Restorer)
	plan, err := restorer.Plan(t.Context(), r)
	if err != nil || len(plan.Blockers) > 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	safety, err := restorer.Present(t.Context(), a)
	if err != nil {
		t.Fatal(err)
	}
	saved, _ := connectortest.Collect(t, safety)
	if _, err := os.Stat(filepath.Join(saved, "database", "tables", "hacked.sql")); err != nil {
		t.Errorf("the database as it is was not saved first: %v", err)
	}
	for range 2 {
		if err := restorer.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
	}
	checked(t, func() ([]app.Check, error) { return restorer.Verify(t.Context(), r) })
	var titles string
	if err := db.QueryRow("SELECT GROUP_CONCAT(title ORDER BY id) FROM shop.wp_posts").Scan(&titles); err != nil || titles != "Socka,Mössa" {
		t.Errorf("%q, %v", titles, err)
	}
	if b, err := os.ReadFile(filepath.Join(site, "wp-config.php")); err != nil || string(b) != config {
		t.Errorf("%q, %v", b, err)
	}
}

func checked(t *testing.T, fn func() ([]app.Check, error)) {
	t.Helper()
	checks, err := fn()
	if err != nil || len(checks) < 4 {
		t.Errorf("%+v, %v", checks, err)
	}
	for _, ch := range checks {
		if !ch.OK {
			t.Errorf("%+v", ch)
		}
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	at := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func give(t *testing.T, dir string, to *syscall.Credential) {
	t.Helper()
	if to == nil {
		return
	}
	err := filepath.WalkDir(dir, func(at string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(at, int(to.Uid), int(to.Gid))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func run(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func port(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// place makes a folder that servers of other accounts reach too.
func place(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "kvh")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mariaDB starts a server of the test's own.
func mariaDB(t *testing.T) (*sql.DB, int) {
	t.Helper()
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		t.Skipf("KVART-SKIP mariadb: %v", err)
	}
	dir, at := place(t), port(t)
	args := []string{"--no-defaults", "--datadir=" + dir + "/data", "--tmpdir=" + dir, "--innodb-log-file-size=16M"}
	if os.Getuid() == 0 {
		args = append(args, "--user=root")
	}
	if out, err := exec.Command(install, append(args, "--auth-root-authentication-method=normal", "--skip-test-db")...).CombinedOutput(); err != nil {
		t.Skipf("KVART-SKIP mariadb: %v: %s", err, out)
	}
	program, err := exec.LookPath("mariadbd")
	if err != nil {
		program = "/usr/sbin/mariadbd"
	}
	cmd := exec.CommandContext(t.Context(), program, append(args, "--socket="+dir+"/s", "--bind-address=127.0.0.1", "--port="+strconv.Itoa(at), "--innodb-buffer-pool-size=32M")...)
	if err := cmd.Start(); err != nil {
		t.Skipf("KVART-SKIP mariadb: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed by the test's context
	conf := driver.NewConfig()
	conf.User, conf.Net, conf.Addr, conf.Logger = "root", "unix", dir+"/s", &driver.NopLogger{}
	connector, err := driver.NewConnector(conf)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector)
	t.Cleanup(func() { _ = db.Close() })
	for range 300 {
		if err = db.Ping(); err == nil {
			return db, at
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("server does not come up: %v", err)
	return nil, 0
}

// sshd serves a folder "site" as most hotels do.
func sshd(t *testing.T) (dir string, as *syscall.Credential, a app.Access) {
	t.Helper()
	const program = "/usr/sbin/sshd"
	if _, err := os.Stat(program); err != nil {
		t.Skipf("KVART-SKIP sshd: %v", err)
	}
	who, as := servant(t)
	dir = place(t)
	host, _ := key(t, filepath.Join(dir, "host"))
	login, secret := key(t, filepath.Join(dir, "login"))
	put(t, dir, "authorized", string(ssh.MarshalAuthorizedKey(login)))
	at := port(t)
	put(t, dir, "config", fmt.Sprintf("ListenAddress 127.0.0.1:%d\nHostKey %s/host\nAuthorizedKeysFile %s/authorized\nPidFile none\nUsePAM no\nStrictModes no\nSubsystem sftp internal-sftp\nMaxStartups 100\nLogLevel ERROR\n", at, dir, dir))
	give(t, dir, as)
	cmd := exec.CommandContext(t.Context(), program, "-D", "-e", "-f", filepath.Join(dir, "config"))
	cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Credential: as}, dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // killed by the test's context
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(at))
	for range 400 {
		if conn, err := net.Dial("tcp", address); err == nil {
			_ = conn.Close()
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	return dir, as, app.Access{
		Source: app.Source{ID: "butiken", Name: "Butiken", Kind: "webhotel", Settings: map[string]string{
			"host": "127.0.0.1", "port": strconv.Itoa(at), "user": who, "path": filepath.Join(dir, "site"), "db": "auto",
			"host_key": strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host))),
		}},
		Secrets: app.Secrets{"key": secret},
	}
}

// servant returns whom a server without privileges runs as.
func servant(t *testing.T) (string, *syscall.Credential) {
	t.Helper()
	u, err := user.Current()
	if err == nil && u.Uid == "0" {
		u, err = user.Lookup("www-data")
	} else if err == nil {
		return u.Username, nil
	}
	if err != nil {
		t.Skipf("KVART-SKIP sshd: %v", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	return u.Username, &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func key(t *testing.T, at string) (ssh.PublicKey, app.Secret) {
	t.Helper()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(block)
	if err := os.WriteFile(at, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return signer.PublicKey(), app.NewSecret(string(text))
}
