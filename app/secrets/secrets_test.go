package secrets

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"kvart/app"
)

func open(t *testing.T, dir string) (*Store, error) {
	t.Helper()
	return Open(t.Context(), dir, slog.New(slog.DiscardHandler))
}

func mustOpen(t *testing.T, dir, backend string) *Store {
	t.Helper()
	s, err := open(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Backend() != backend {
		t.Fatalf("secrets are kept in the %s, want %s", s.Backend(), backend)
	}
	return s
}

func set(t *testing.T, s *Store, key, value string) {
	t.Helper()
	if err := s.SetSecret(t.Context(), key, app.NewSecret(value)); err != nil {
		t.Fatal(err)
	}
}

// want checks what is kept under key; "" means nothing.
func want(t *testing.T, s *Store, key, value string) {
	t.Helper()
	got, err := s.Secret(t.Context(), key)
	if value == "" {
		if app.CodeOf(err) != app.CodeSecretMissing {
			t.Errorf("%s: %v, want it missing", key, err)
		}
		return
	}
	if err != nil || got.Reveal() != value {
		t.Errorf("%s: %q, %v, want %q", key, got.Reveal(), err, value)
	}
}

// withBus makes the keychain look reachable; the tests' keychain is a mock.
func withBus(t *testing.T) {
	t.Setenv(forceVar, "")
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")
}

func roundTrip(t *testing.T, backend string) {
	dir := t.TempDir()
	s := mustOpen(t, dir, backend)
	want(t, s, "passphrase", "")
	set(t, s, "passphrase", "fyra ord åäö\n\"'")
	set(t, s, "s3/secret_key", "x")
	set(t, s, "passphrase", "fyra nya ord åäö\n\"'")

	s = mustOpen(t, dir, backend)
	want(t, s, "passphrase", "fyra nya ord åäö\n\"'")
	want(t, s, "s3/secret_key", "x")
	for range 2 {
		if err := s.DeleteSecret(t.Context(), "s3/secret_key"); err != nil {
			t.Fatal(err)
		}
	}
	want(t, s, "s3/secret_key", "")
	want(t, mustOpen(t, dir, backend), "passphrase", "fyra nya ord åäö\n\"'")
}

func TestStore_file(t *testing.T) {
	t.Setenv(forceVar, "file")
	roundTrip(t, "file")
}

func TestStore_keychain(t *testing.T) {
	withBus(t)
	keyring.MockInit()
	roundTrip(t, "keychain")
}

func TestStore_foldersAreApart(t *testing.T) {
	withBus(t)
	keyring.MockInit()
	a, b := mustOpen(t, t.TempDir(), "keychain"), mustOpen(t, t.TempDir(), "keychain")
	set(t, a, "passphrase", "of a")
	want(t, b, "passphrase", "")
}

func TestOpen_probeLeavesNothing(t *testing.T) {
	withBus(t)
	keyring.MockInit()
	dir := t.TempDir()
	mustOpen(t, dir, "keychain")
	c, err := readChoice(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keyring.Get(app.ID, c.Profile+"/probe"); !errors.Is(err, keyring.ErrNotFound) {
		t.Errorf("the probe is still there: %v", err)
	}
}

// TestOpen_staysWithItsChoice lets the keychain come and go.
func TestOpen_staysWithItsChoice(t *testing.T) {
	withBus(t)
	broken := errors.New("the keychain is on strike")

	t.Run("a chosen file stays", func(t *testing.T) {
		dir := t.TempDir()
		keyring.MockInitWithError(broken)
		set(t, mustOpen(t, dir, "file"), "passphrase", "in the file")
		keyring.MockInit()
		want(t, mustOpen(t, dir, "file"), "passphrase", "in the file")
	})
	t.Run("a file that is there is used without a choice", func(t *testing.T) {
		dir := t.TempDir()
		keyring.MockInitWithError(broken)
		set(t, mustOpen(t, dir, "file"), "passphrase", "in the file")
		if err := os.Remove(filepath.Join(dir, choiceFile)); err != nil {
			t.Fatal(err)
		}
		keyring.MockInit()
		want(t, mustOpen(t, dir, "file"), "passphrase", "in the file")
	})
	t.Run("a chosen keychain stays", func(t *testing.T) {
		dir := t.TempDir()
		keyring.MockInit()
		set(t, mustOpen(t, dir, "keychain"), "passphrase", "in the chain")
		keyring.MockInitWithError(broken)
		s := mustOpen(t, dir, "keychain")
		if _, err := s.Secret(t.Context(), "passphrase"); app.CodeOf(err) != app.CodeKeychain {
			t.Errorf("read: %v", err)
		}
		if err := s.SetSecret(t.Context(), "passphrase", app.NewSecret("new")); app.CodeOf(err) != app.CodeKeychain {
			t.Errorf("write: %v", err)
		}
		if err := s.DeleteSecret(t.Context(), "passphrase"); app.CodeOf(err) != app.CodeKeychain {
			t.Errorf("delete: %v", err)
		}
		if exists(dir, vaultFile) || exists(dir, keyFile) {
			t.Error("a file was made beside the keychain")
		}
	})
	t.Run("force is for as long as it is set", func(t *testing.T) {
		dir := t.TempDir()
		keyring.MockInit()
		set(t, mustOpen(t, dir, "keychain"), "passphrase", "in the chain")
		t.Setenv(forceVar, "file")
		set(t, mustOpen(t, dir, "file"), "passphrase", "in the file")
		t.Setenv(forceVar, "")
		want(t, mustOpen(t, dir, "keychain"), "passphrase", "in the chain")
	})
}

// TestKeychain_hangs calls a keychain that answers only after the test.
func TestKeychain_hangs(t *testing.T) {
	k := newKeychain("p")
	release := make(chan struct{})
	order := make(chan string, 2)
	hang := func() (string, error) {
		<-release
		order <- "first"
		return "", nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := k.call(ctx, hang); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	// A second call does not start while the first hangs.
	if _, err := k.call(ctx, func() (string, error) { order <- "never"; return "", nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	close(release)
	if _, err := k.call(t.Context(), func() (string, error) { order <- "second"; return "", nil }); err != nil {
		t.Fatal(err)
	}
	if a, b := <-order, <-order; a != "first" || b != "second" {
		t.Errorf("ran %s, %s", a, b)
	}
	if got := app.CodeOf(keychainError("x", "k", context.DeadlineExceeded)); got != app.CodeKeychain {
		t.Errorf("a keychain that hangs is %s", got)
	}
}

// TestVault_damaged changes the files in every way that loses secrets: each is
// reported, and nothing is written over.
func TestVault_damaged(t *testing.T) {
	flip := func(b []byte) []byte { b[len(b)-1] ^= 1; return b }
	for _, tt := range []struct {
		name, file string
		change     func([]byte) []byte // nil removes the file
	}{
		{"a bit of the secrets", vaultFile, flip},
		{"a bit of the nonce", vaultFile, func(b []byte) []byte { b[len(magic)] ^= 1; return b }},
		{"cut short", vaultFile, func(b []byte) []byte { return b[:20] }},
		{"empty", vaultFile, func([]byte) []byte { return nil }},
		{"another key", keyFile, flip},
		{"half a key", keyFile, func(b []byte) []byte { return b[:7] }},
		{"no key", keyFile, nil},
		{"no sense in the choice", choiceFile, func([]byte) []byte { return []byte("{") }},
		{"an unknown choice", choiceFile, func([]byte) []byte { return []byte(`{"backend":"post-it"}`) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv(forceVar, "file")
			s := mustOpen(t, dir, "file")
			set(t, s, "passphrase", "irreplaceable")
			t.Setenv(forceVar, "")
			path := filepath.Join(dir, tt.file)
			if tt.change == nil {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			} else {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, tt.change(b), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			before := snapshot(t, dir)
			_, err := open(t, dir)
			if app.CodeOf(err) != app.CodeKeychain || app.AsError(err).Args["path"] == "" {
				t.Errorf("open: %v", err)
			}
			if tt.file == vaultFile {
				if err := s.SetSecret(t.Context(), "other", app.NewSecret("x")); app.CodeOf(err) != app.CodeKeychain {
					t.Errorf("set: %v", err)
				}
			}
			if after := snapshot(t, dir); after != before {
				t.Errorf("the folder changed from\n%q to\n%q", before, after)
			}
		})
	}
}

// snapshot returns the names and content of a folder's files.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, path))
		b.WriteString(path + "=" + string(content) + "\n")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestVault_onDisk(t *testing.T) {
	t.Setenv(forceVar, "file")
	dir := filepath.Join(t.TempDir(), "new", "folder")
	s := mustOpen(t, dir, "file")
	set(t, s, "passphrase", "irreplaceable")
	first := snapshot(t, dir)
	set(t, s, "passphrase", "irreplaceable")
	if snapshot(t, dir) != first {
		t.Error("an equal secret was written again")
	}
	set(t, s, "passphrase", "another one")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("another")) || bytes.Contains(b, []byte("passphrase")) {
			t.Errorf("%s can be read: %q", f.Name(), b)
		}
		if runtime.GOOS == "windows" {
			continue
		}
		if st, err := f.Info(); err != nil || st.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, %v", f.Name(), st.Mode(), err)
		}
	}
	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(filepath.Join(dir, keyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	want(t, mustOpen(t, dir, "file"), "passphrase", "another one")
	if st, err := os.Stat(filepath.Join(dir, keyFile)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the key is still open to others: %v, %v", st.Mode(), err)
	}
}
