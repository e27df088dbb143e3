//go:build unix

package webhotel

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
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

	"golang.org/x/crypto/ssh"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// servant returns whom a server without privileges runs as: itself, or, where
// root runs the tests, an account every Debian has.
func servant(t *testing.T, what string) (string, *syscall.Credential) {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if u.Uid != "0" {
		return u.Username, nil
	}
	if u, err = user.Lookup("www-data"); err != nil {
		t.Skipf("KVART-SKIP %s: %v", what, err)
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

// hand gives everything below dir to whom the server runs as.
func hand(t *testing.T, dir string, to *syscall.Credential) {
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

// serverRoot makes a folder the server's account can reach, unlike the test's
// own.
func serverRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "kvart-hotel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// start runs a server until the test ends.
func start(t *testing.T, dir string, as *syscall.Credential, port int, program string, args ...string) {
	t.Helper()
	log := &strings.Builder{}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr, cmd.Dir = log, log, &syscall.SysProcAttr{Credential: as}, dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // killed by the test's context
		if t.Failed() {
			t.Logf("%s said: %s", program, log)
		}
	})
	at := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", at); err == nil {
			_ = c.Close()
			return
		}
	}
	t.Fatalf("nobody listens at %s", at)
}

func write1(t *testing.T, at string, text []byte, mode os.FileMode) string {
	t.Helper()
	if err := os.WriteFile(at, text, mode); err != nil {
		t.Fatal(err)
	}
	return at
}

func sshKey(t *testing.T, at string) (ssh.PublicKey, app.Secret) {
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
	write1(t, at, text, 0o600)
	return signer.PublicKey(), app.NewSecret(string(text))
}

// openSSH serves the folder "site" below dir with the server most hotels have.
func openSSH(t *testing.T) (dir string, as *syscall.Credential, a app.Access) {
	t.Helper()
	const program = "/usr/sbin/sshd"
	if _, err := os.Stat(program); err != nil {
		t.Skipf("KVART-SKIP sshd: %v", err)
	}
	who, as := servant(t, "sshd")
	dir = serverRoot(t)
	host, _ := sshKey(t, filepath.Join(dir, "host"))
	login, secret := sshKey(t, filepath.Join(dir, "login"))
	authorized := write1(t, filepath.Join(dir, "authorized"), ssh.MarshalAuthorizedKey(login), 0o644)
	port := freePort(t)
	config := write1(t, filepath.Join(dir, "config"), fmt.Appendf(nil, "ListenAddress 127.0.0.1:%d\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\nMaxStartups 100\nLogLevel ERROR\n",
		port, filepath.Join(dir, "host"), authorized), 0o644)
	hand(t, dir, as)
	start(t, dir, as, port, program, "-D", "-e", "-f", config)
	return dir, as, app.Access{
		Source: app.Source{ID: "butiken", Name: "Butiken", Kind: Kind, Settings: map[string]string{
			fieldHost: "127.0.0.1", fieldPort: strconv.Itoa(port), fieldUser: who, fieldPath: filepath.Join(dir, "site"),
			fieldHostKey: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host))),
		}},
		Secrets: app.Secrets{fieldKey: secret},
	}
}

// TestConnector_OpenSSH proves it all against OpenSSH's own SFTP server.
func TestConnector_OpenSSH(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, *Connector, app.Access, string){
		"round trip": func(t *testing.T, c *Connector, a app.Access, site string) { roundTrip(t, c, a, site, content) },
		"markers":    markers,
		"undo":       func(t *testing.T, c *Connector, a app.Access, site string) { undo(t, c, a, site, content) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, as, a := openSSH(t)
			site := filepath.Join(dir, "site")
			shopSite(t, site, true)
			hand(t, site, as)
			test(t, quick(t, &fakeDB{}), a, site)
		})
	}
}

// A folder that is closed makes a point incomplete and is no deletion.
func TestConnector_OpenSSH_closed(t *testing.T) {
	t.Parallel()
	dir, as, a := openSSH(t)
	site := filepath.Join(dir, "site")
	shopSite(t, site, false)
	hand(t, site, as)
	c := quick(t, &fakeDB{})
	_, _, next := point(t, c, a)
	for _, name := range []string{"wp-content/uploads", "index.php"} {
		if err := os.Chmod(filepath.Join(site, name), 0); err != nil {
			t.Fatal(err)
		}
	}
	cp := capture1(t, c, a, next)
	problems := problemsOf(t, cp)
	for _, name := range []string{"wp-content/uploads", "index.php"} {
		wantCode(t, problems[filesDir+"/"+name], app.CodeItemUnreadable)
	}
	if err := os.Chmod(site, 0); err != nil {
		t.Fatal(err)
	}
	_, err := c.Capture(t.Context(), a, next)
	wantCode(t, err, app.CodeSourceUnreadable)
	from := t.TempDir()
	put1(t, filepath.Join(from, filesDir, "index.php"), "x", past)
	r := app.Restore{Access: a, From: os.DirFS(from)}
	if _, err := c.Plan(t.Context(), r); err == nil {
		t.Error("a restore was planned into a closed folder")
	}
	if err := os.Chmod(site, 0o755); err != nil {
		t.Fatal(err)
	}
}

// A site that may only be read is told before anything was changed.
func TestConnector_OpenSSH_readOnly(t *testing.T) {
	t.Parallel()
	dir, as, a := openSSH(t)
	site := filepath.Join(dir, "site")
	shopSite(t, site, false)
	hand(t, site, as)
	c := quick(t, &fakeDB{})
	got, stats, _ := point(t, c, a)
	put1(t, filepath.Join(site, "index.php"), "changed", past)
	want := content(t, site)
	if err := os.Chmod(site, 0o555); err != nil {
		t.Fatal(err)
	}
	err := c.Apply(t.Context(), app.Restore{Access: a, From: os.DirFS(got), Stats: stats}, connectortest.Silent{})
	wantCode(t, err, app.CodeTargetReadOnly)
	if content(t, site) != want {
		t.Error("something was changed")
	}
}

// hotel serves the folder "site" with vsftpd, which takes a data connection only
// when it goes on with the control connection's TLS session.
func hotel(t *testing.T, more string) (dir string, as *syscall.Credential, a app.Access) {
	t.Helper()
	const program = "/usr/sbin/vsftpd"
	if _, err := os.Stat(program); err != nil {
		t.Skipf("KVART-SKIP vsftpd: %v", err)
	}
	_, as = servant(t, "vsftpd")
	dir = serverRoot(t)
	cert, text := certificate(t)
	key, err := x509.MarshalECPrivateKey(cert.PrivateKey.(*ecdsa.PrivateKey))
	if err != nil {
		t.Fatal(err)
	}
	pemFile := write1(t, filepath.Join(dir, "hotel.pem"), append(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: key}), text...), 0o600)
	root := filepath.Join(dir, "ftp")
	if err := os.MkdirAll(filepath.Join(root, "site"), 0o755); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	config := write1(t, filepath.Join(dir, "vsftpd.conf"), []byte(strings.Join([]string{
		"listen=YES", "listen_address=127.0.0.1", "listen_port=" + strconv.Itoa(port), "run_as_launching_user=YES", "background=NO",
		"anonymous_enable=YES", "no_anon_password=YES", "anon_root=" + root, "write_enable=YES", "anon_upload_enable=YES", "anon_mkdir_write_enable=YES",
		"anon_other_write_enable=YES", "anon_world_readable_only=NO", "anon_umask=022", "mdtm_write=YES", "seccomp_sandbox=NO", "xferlog_enable=NO",
		"ssl_enable=YES", "allow_anon_ssl=YES", "force_anon_data_ssl=YES", "force_anon_logins_ssl=YES", "rsa_cert_file=" + pemFile, "ssl_ciphers=HIGH",
	}, "\n")+"\n"+more), 0o644)
	hand(t, dir, as)
	start(t, dir, as, port, program, config)
	ca := write1(t, filepath.Join(t.TempDir(), "ca.pem"), text, 0o600)
	return root, as, app.Access{
		Source: app.Source{ID: "butiken", Name: "Butiken", Kind: Kind, Settings: map[string]string{
			fieldProtocol: protoFTPS, fieldHost: "127.0.0.1", fieldPort: strconv.Itoa(port), fieldUser: "anonymous", fieldPath: "site", fieldCA: ca,
		}},
		Secrets: app.Secrets{fieldPassword: app.NewSecret("guest")},
	}
}

// TestConnector_Vsftpd proves it all against vsftpd, which lists in minutes and
// wants the session's TLS to go on.
func TestConnector_Vsftpd(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]func(*testing.T, *Connector, app.Access, string){
		"round trip": func(t *testing.T, c *Connector, a app.Access, site string) { roundTrip(t, c, a, site, modeless) },
		"markers":    markers,
		"undo":       func(t *testing.T, c *Connector, a app.Access, site string) { undo(t, c, a, site, modeless) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root, as, a := hotel(t, "")
			site := filepath.Join(root, "site")
			shopSite(t, site, false)
			hand(t, site, as)
			test(t, quick(t, &fakeDB{}), a, site)
		})
	}
}

// modeless is timeless without modes: nobody lets a guest change them.
func modeless(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	for line := range strings.Lines(timeless(t, dir)) {
		at := strings.LastIndex(line, `" `)
		out = append(out, line[:at+3]+line[at+12:])
	}
	return strings.Join(out, "")
}

func TestConnector_Vsftpd_limits(t *testing.T) {
	t.Parallel()
	root, as, a := hotel(t, "max_per_ip=1\nmax_clients=2\n")
	site := filepath.Join(root, "site")
	shopSite(t, site, true)
	hand(t, site, as)
	want := content(t, site)
	got, _, _ := point(t, quick(t, &fakeDB{}), a)
	if timeless(t, filepath.Join(got, filesDir)) != timeless(t, site) {
		t.Errorf("captured:\n%s\nwant:\n%s", content(t, filepath.Join(got, filesDir)), want)
	}
	if err := os.Chmod(filepath.Join(site, "wp-content", "uploads"), 0o300); err != nil {
		t.Fatal(err)
	}
	problems := problemsOf(t, capture1(t, quick(t, &fakeDB{}), a, ""))
	wantCode(t, problems[filesDir+"/wp-content/uploads"], app.CodeItemUnreadable)
	a.Source.Settings[fieldProtocol], a.Source.Settings[fieldPlain] = protoFTP, "true"
	_, err := quick(t, &fakeDB{}).Check(t.Context(), a)
	wantCode(t, err, app.CodeSourceDenied)
}
