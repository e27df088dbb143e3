//go:build linux

package backup_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// openSSH starts an OpenSSH server without any privileges and returns the spec
// of folders on it, below a folder of its own.
func openSSH(t *testing.T) func(t *testing.T) app.StorageSpec {
	t.Helper()
	program := os.Getenv("KVART_TEST_SFTP")
	if program == "" {
		program = "/usr/sbin/sshd"
	}
	if _, err := os.Stat(program); err != nil {
		t.Skipf("KVART-SKIP sshd: %v; KVART_TEST_SFTP may name it", err)
	}
	who, credential := sshUser(t)
	dir := serverDir(t)
	host, _ := keyFile(t, filepath.Join(dir, "host"))
	login, loginKey := keyFile(t, filepath.Join(dir, "login"))
	authorized := filepath.Join(dir, "authorized")
	if err := os.WriteFile(authorized, ssh.MarshalAuthorizedKey(login), 0o644); err != nil {
		t.Fatal(err)
	}
	l := silentServer(t)
	address, port := l.Addr().String(), l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	config := sshConfig(t, dir, address, authorized, credential)
	log := &strings.Builder{}
	cmd := exec.CommandContext(t.Context(), program, "-D", "-e", "-f", config)
	cmd.Stderr, cmd.SysProcAttr, cmd.Dir = log, &syscall.SysProcAttr{Credential: credential}, dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // killed by the test's context
		if t.Failed() {
			t.Logf("sshd said: %s", log)
		}
	})
	await(t, address)
	return func(t *testing.T) app.StorageSpec {
		folder, err := os.MkdirTemp(dir, "vault")
		if err == nil && credential != nil {
			err = os.Chown(folder, int(credential.Uid), int(credential.Gid))
		}
		if err != nil {
			t.Fatal(err)
		}
		return app.StorageSpec{
			Kind: "sftp",
			Settings: map[string]string{
				"host": "127.0.0.1", "port": strconv.Itoa(port), "user": who, "path": folder,
				"host_key": strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host))),
			},
			Secrets: app.Secrets{"private_key": loginKey},
		}
	}
}

// sshConfig writes the server's settings, and gives what it reads to its user.
func sshConfig(t *testing.T, dir, address, authorized string, credential *syscall.Credential) string {
	t.Helper()
	config := filepath.Join(dir, "config")
	text := fmt.Sprintf("ListenAddress %s\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nUsePAM no\nStrictModes no\nPasswordAuthentication no\nSubsystem sftp internal-sftp\nMaxStartups 100\nLogLevel ERROR\n",
		address, filepath.Join(dir, "host"), authorized)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if credential != nil {
		for _, name := range []string{dir, filepath.Join(dir, "host")} {
			if err := os.Chown(name, int(credential.Uid), int(credential.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return config
}

// sshUser returns who logs in: a server without privileges serves only its own
// user, and one started by root would change the system.
func sshUser(t *testing.T) (string, *syscall.Credential) {
	t.Helper()
	u, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if u.Uid != "0" {
		return u.Username, nil
	}
	// Every Debian has it; "nobody" counts as locked there.
	if u, err = user.Lookup("www-data"); err != nil {
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

func keyFile(t *testing.T, name string) (ssh.PublicKey, app.Secret) {
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
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return signer.PublicKey(), app.NewSecret(string(text))
}

// await waits until somebody listens.
func await(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	t.Fatalf("nobody listens at %s", address)
}

// TestProvider_ConformanceOverOpenSSH runs against the server most people have.
func TestProvider_ConformanceOverOpenSSH(t *testing.T) {
	t.Parallel()
	if os.Getenv("KVART_TEST_SFTP") == "" {
		t.Skip("KVART-SKIP sftp: KVART_TEST_SFTP does not name a server's program; the lap below does without")
	}
	vaulttest.Run(t, provider, openSSH(t))
}

func TestVault_OpenSSHLap(t *testing.T) {
	t.Parallel()
	lap(t, openSSH(t)(t))
}

func TestProvider_OpenSSHTellsRoomAndRefuses(t *testing.T) {
	t.Parallel()
	spec := openSSH(t)(t)
	r, err := provider(t).Probe(t.Context(), spec)
	if err != nil || r.Free <= 0 || r.OffSite {
		t.Errorf("probe: %+v, %v", r, err)
	}
	if err := os.Chmod(spec.Settings["path"], 0o500); err != nil {
		t.Fatal(err)
	}
	if _, err := provider(t).Probe(t.Context(), spec); app.CodeOf(err) != app.CodeStorageDenied {
		t.Errorf("probe of a folder that may not be written: %v", err)
	}
	_, spec.Secrets["private_key"] = keyFile(t, filepath.Join(t.TempDir(), "other"))
	if _, err := provider(t).Probe(t.Context(), spec); app.CodeOf(err) != app.CodeStorageDenied {
		t.Errorf("probe with another key: %v", err)
	}
}

// The protocol has no word for a full disk.
func TestVault_OpenSSHStorageFull(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("KVART-SKIP root: needs a mount of its own, which only root may make")
	}
	f := &vaulttest.Fixture{Provider: provider(t), Spec: openSSH(t)(t), StateDir: t.TempDir()}
	dir := f.Spec.Settings["path"]
	tmpfs(t, dir, "size=8m,mode=777")
	v := f.Create(t)
	first := vaulttest.File("a", []byte("1"))
	kept := vaulttest.Save(t, v, vaulttest.Request("s", first)).Point.ID
	it := vaulttest.File("b", vaulttest.Noise(20<<20, 1))
	it.Optional = true
	wantCode(t, save(t, v, it), app.CodeStorageFull)
	vaulttest.Compare(t, v, kept, first)
	if err := v.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
