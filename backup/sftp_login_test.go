package backup_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"kvart/app"
	"kvart/backup/vaulttest"
)

func TestProvider_SFTPLogIn(t *testing.T) {
	t.Parallel()
	_, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := ssh.MarshalPrivateKey(priv, "")
	if err != nil {
		t.Fatal(err)
	}
	closed, err := ssh.MarshalPrivateKeyWithPassphrase(priv, "", []byte("öppna"))
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	keys := serveSFTP(t)
	keys.password, keys.key = "", signer.PublicKey()
	questions := serveSFTP(t)
	questions.asks = true
	secret := func(p *pem.Block) app.Secret { return app.NewSecret(string(pem.EncodeToMemory(p))) }
	_, other, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	wrong, err := ssh.MarshalPrivateKey(other, "")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name    string
		s       *sshServer
		secrets app.Secrets
		want    app.Code
		field   string
	}{
		{"a key", keys, app.Secrets{"private_key": secret(plain)}, "", ""},
		{"a key with a passphrase", keys, app.Secrets{"private_key": secret(closed), "key_passphrase": app.NewSecret("öppna")}, "", ""},
		{"no passphrase", keys, app.Secrets{"private_key": secret(closed)}, app.CodeUsage, "key_passphrase"},
		{"the wrong passphrase", keys, app.Secrets{"private_key": secret(closed), "key_passphrase": app.NewSecret("nej")}, app.CodeUsage, "key_passphrase"},
		{"no key at all", keys, app.Secrets{"private_key": app.NewSecret("-----BEGIN")}, app.CodeUsage, "private_key"},
		{"another key", keys, app.Secrets{"private_key": secret(wrong)}, app.CodeStorageDenied, ""},
		{"a password where only keys will do", keys, app.Secrets{"password": app.NewSecret(sftpPassword)}, app.CodeStorageDenied, ""},
		{"nothing", keys, app.Secrets{}, app.CodeUsage, "password"},
		{"a password as an answer", questions, app.Secrets{"password": app.NewSecret(sftpPassword)}, "", ""},
		{"the wrong answer", questions, app.Secrets{"password": app.NewSecret("nej")}, app.CodeStorageDenied, ""},
	}
	for _, tt := range tests {
		spec := tt.s.spec(t.TempDir())
		spec.Secrets = tt.secrets
		_, err := provider(t).Probe(t.Context(), spec)
		if app.CodeOf(err) != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
		if tt.field != "" && app.AsError(err).Args["field"] != tt.field {
			t.Errorf("%s: args %v, want field %s", tt.name, app.AsError(err).Args, tt.field)
		}
	}
}

func TestProvider_SFTPRefusesSoon(t *testing.T) {
	t.Parallel()
	s := serveSFTP(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "fil"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	silent, nobody := silentServer(t), silentServer(t)
	if err := nobody.Close(); err != nil {
		t.Fatal(err)
	}
	with := func(kv ...string) app.StorageSpec {
		spec := s.spec(dir)
		for i := 0; i < len(kv); i += 2 {
			spec.Settings[kv[i]] = kv[i+1]
		}
		return spec
	}
	port := func(l net.Listener) string { return strconv.Itoa(l.Addr().(*net.TCPAddr).Port) }
	wrong := with()
	wrong.Secrets = app.Secrets{"password": app.NewSecret("fel lösenord")}
	other := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newHostKey(t).PublicKey())))
	const ecdsa = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBEmKSENjQEezOmxkZMy7opKgwFB9nkt5YRrYMjNuG5N87uRgg6CLrbo5wAdT/y6v0mKV0U2w0WZ2YB/++Tpockg="
	tests := []struct {
		name string
		spec app.StorageSpec
		want app.Code
	}{
		{"wrong password", wrong, app.CodeStorageDenied},
		{"first contact", with("host_key", ""), app.CodeHostKeyUnknown},
		{"another host key", with("host_key", other), app.CodeHostKeyChanged},
		{"a host key of a type the server has no more", with("host_key", ecdsa), app.CodeHostKeyChanged},
		{"a key copied from known_hosts", with("host_key", "[127.0.0.1]:22 "+s.line()), ""},
		{"no host key", with("host_key", "SHA256:abc"), app.CodeUsage},
		{"no folder", with("path", filepath.ToSlash(dir)+"/saknas"), app.CodeStorageGone},
		{"a file", with("path", filepath.ToSlash(dir)+"/fil"), app.CodeUsage},
		{"nobody there", with("port", port(nobody)), app.CodeStorageOffline},
		{"nobody answers", with("port", port(silent)), app.CodeStorageOffline},
		{"no such host", with("host", "nosuch.invalid"), app.CodeStorageOffline},
		{"no port", with("port", "70000"), app.CodeUsage},
		{"a whole address", with("host", "sftp://x"), app.CodeUsage},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wantSoon(t, tt.spec, tt.want, 6*time.Second, sftpPassword, "fel lösenord", "ClientConfig", "0x")
		})
	}
}

// The key that a first contact shows can be confirmed and set as it is.
func TestProvider_SFTPFirstContact(t *testing.T) {
	t.Parallel()
	f, s := sftpFixture(t)
	delete(f.Spec.Settings, "host_key")
	_, err := f.Provider.Create(t.Context(), f.Setup())
	wantCode(t, err, app.CodeHostKeyUnknown)
	args := app.AsError(err).Args
	if args["fingerprint"] != ssh.FingerprintSHA256(s.hostKey.PublicKey()) || args["host_key"] != s.line() {
		t.Errorf("args %v", args)
	}
	f.Spec.Settings["host_key"] = args["host_key"]
	v := f.Create(t)
	if err := save(t, v, vaulttest.File("a", []byte("1"))); err != nil {
		t.Fatal(err)
	}
	// Somebody else answers in the server's place.
	s.setHostKey(newHostKey(t))
	s.hangUp()
	err = save(t, v, vaulttest.File("a", []byte("22")))
	wantCode(t, err, app.CodeHostKeyChanged)
	if got := app.AsError(err).Args["fingerprint"]; got != ssh.FingerprintSHA256(s.hostKey.PublicKey()) {
		t.Errorf("fingerprint %s", got)
	}
}

// silentServer lets everybody in and says nothing.
func silentServer(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// wantSoon probes a storage that can't be used: the code has to come soon, and
// the error must not hold what is secret.
func wantSoon(t *testing.T, spec app.StorageSpec, want app.Code, limit time.Duration, secrets ...string) *app.Error {
	t.Helper()
	start := time.Now()
	_, err := provider(t).Probe(t.Context(), spec)
	wantCode(t, err, want)
	if took := time.Since(start); took > limit {
		t.Errorf("took %v", took)
	}
	if err == nil {
		return &app.Error{}
	}
	for _, bad := range secrets {
		if strings.Contains(err.Error(), bad) {
			t.Errorf("the error holds %q: %v", bad, err)
		}
	}
	return app.AsError(err)
}
