//go:build unix

package postgres

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// testBin is where Debian keeps the server's programs.
const testBin = "/usr/lib/postgresql/15/bin"

// testServer is a server of the tests' own.
type testServer struct {
	dir  string // socket, certificate
	port int
	why  string // why there is none
	cmd  *exec.Cmd
	end  io.Closer // the server ends when it is closed, also when the tests are killed
}

// testbed starts the server when the first test asks for it.
type testbed struct {
	once sync.Once
	testServer
}

var bed testbed // one server for all tests

func TestMain(m *testing.M) {
	if os.Getenv("KVART_TEST_APPLY") != "" {
		os.Exit(applyAndDie())
	}
	if os.Getenv("KVART_TEST_REHEARSE") != "" {
		os.Exit(rehearseElsewhere())
	}
	code := m.Run()
	if bed.cmd != nil {
		_ = bed.end.Close()
		_ = bed.cmd.Wait()
	}
	if bed.dir != "" {
		_ = os.RemoveAll(bed.dir)
	}
	os.Exit(code)
}

// asPostgres lets a command run as a user that may run a server.
func asPostgres(cmd *exec.Cmd) error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return err
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("user postgres: %w %w", err1, err2)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return nil
}

func (b *testbed) start() (err error) {
	if _, err := os.Stat(filepath.Join(testBin, "initdb")); err != nil {
		b.why = "PostgreSQL 15 is not installed"
		return nil
	}
	if b.dir, err = os.MkdirTemp("/tmp", "kvpg"); err != nil {
		return err
	}
	run := func(name string, args ...string) error {
		cmd := exec.Command(name, args...)
		cmd.Dir = b.dir
		if err := asPostgres(cmd); err != nil {
			return err
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, out)
		}
		return nil
	}
	if os.Geteuid() == 0 {
		if out, err := exec.Command("chown", "postgres:", b.dir).CombinedOutput(); err != nil {
			return fmt.Errorf("chown: %w: %s", err, out)
		}
	}
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return err
	}
	data := filepath.Join(b.dir, "data")
	if err := run(filepath.Join(testBin, "initdb"), "-D", data, "-U", "admin", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"); err != nil {
		return err
	}
	hba := "local all locked scram-sha-256\nlocal all all trust\nhostssl all locked 127.0.0.1/32 scram-sha-256\nhost all locked 127.0.0.1/32 reject\nhost all kvart_backup 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(hba), 0o644); err != nil {
		return err
	}
	if err := certificate(b.dir, data); err != nil {
		return err
	}
	if os.Geteuid() == 0 {
		if out, err := exec.Command("chown", "-R", "postgres:", b.dir).CombinedOutput(); err != nil {
			return fmt.Errorf("chown: %w: %s", err, out)
		}
	}
	return b.launch(data)
}

// launch runs the server on a port that is free, and waits until it answers.
func (b *testbed) launch(data string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	b.port = l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return err
	}
	cmd := exec.Command("sh", "-c", `dir=$1; shift; "$@" & pid=$!; cat >/dev/null; kill -QUIT $pid; wait $pid; rm -rf "$dir"`, "sh", b.dir,
		filepath.Join(testBin, "postgres"), "-D", data, "-p", strconv.Itoa(b.port), "-k", b.dir,
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "ssl=on", "-c", "max_connections=200", "-c", "max_prepared_transactions=5",
		"-c", "autovacuum=off", "-c", "log_min_messages=fatal", "-c", "bgwriter_delay=10s")
	cmd.Dir = b.dir
	if err := asPostgres(cmd); err != nil {
		return err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	b.cmd, b.end = cmd, stdin
	for range 200 {
		if conn, err := pgx.Connect(context.Background(), b.dsn("postgres")); err == nil {
			_, err = conn.Exec(context.Background(), "CREATE ROLE locked LOGIN PASSWORD 'hemligt:\\ord'")
			_ = conn.Close(context.Background())
			return err
		}
		time.Sleep(50 * time.Millisecond)
	}
	return fmt.Errorf("the server did not start")
}

// certificate makes an authority and a server's certificate for "localhost".
func certificate(dir, data string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, content := range map[string][]byte{
		filepath.Join(dir, "ca.pem"): cert, filepath.Join(data, "server.crt"): cert,
		filepath.Join(data, "server.key"): pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw}),
	} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (s *testServer) dsn(database string) string {
	return fmt.Sprintf("host=%s port=%d user=admin dbname='%s' sslmode=disable", s.dir, s.port, strings.ReplaceAll(database, "'", `\'`))
}
