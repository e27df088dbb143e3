// Package secrets keeps passphrases and keys between runs of the guard: in the
// computer's keychain where there is one that answers, else in an encrypted
// file. It knows nothing of what the secrets open.
package secrets

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"kvart/app"
)

// Names of the files in the data folder.
const (
	choiceFile = "secrets.json"     // which backend holds the secrets
	vaultFile  = "secrets.json.enc" // the secrets, of the file backend
	keyFile    = "secrets.key"      // what vaultFile is encrypted with
)

// Backends, as [Store.Backend] names them.
const (
	backendKeychain = "keychain"
	backendFile     = "file"
)

// forceVar, set to "file", keeps secrets in the file for as long as it is set:
// for servers and tests. It does not change what is remembered.
const forceVar = "KVART_SECRETS"

// Store implements [app.SecretStore]. It is safe for concurrent use.
type Store struct {
	name string
	b    backend
}

var _ app.SecretStore = (*Store)(nil)

// backend is one place for secrets. Its errors are [*app.Error]s.
type backend interface {
	get(ctx context.Context, key string) (string, error)
	set(ctx context.Context, key, value string) error
	remove(ctx context.Context, key string) error // no-op when there is none
}

// choice is what is remembered of the backend, so that a keychain that does
// not answer one morning is not mistaken for one without secrets.
type choice struct {
	Backend string `json:"backend"`
	// Profile keeps the secrets of two data folders apart in one keychain.
	Profile string `json:"profile"`
}

// Open returns the secrets that belong to the data folder dir, which it makes
// when it is not there. The first time it tries the keychain with a secret of
// its own, for up to three seconds, and then stays with what it chose. A
// chosen keychain is not asked until a secret is, so that Open succeeds while
// it is locked.
func Open(ctx context.Context, dir string, log *slog.Logger) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, homeError("open secrets", dir, err)
	}
	c, err := readChoice(dir)
	if errors.Is(err, fs.ErrNotExist) {
		c, err = choose(ctx, dir, log)
	}
	if err != nil {
		return nil, err
	}
	if os.Getenv(forceVar) == backendFile {
		c.Backend = backendFile
	}
	switch c.Backend {
	case backendKeychain:
		return &Store{name: backendKeychain, b: newKeychain(c.Profile)}, nil
	case backendFile:
		b, err := openVault(dir)
		if err != nil {
			return nil, err
		}
		return &Store{name: backendFile, b: b}, nil
	}
	path := filepath.Join(dir, choiceFile)
	return nil, app.Errorf(app.CodeKeychain, "open secrets", "%s names no backend of this version: %q", path, c.Backend).With("path", path)
}

// Backend implements [app.SecretStore].
func (s *Store) Backend() string { return s.name }

// Secret implements [app.SecretStore].
func (s *Store) Secret(ctx context.Context, key string) (app.Secret, error) {
	v, err := s.b.get(ctx, key)
	if err != nil {
		return app.Secret{}, err
	}
	return app.NewSecret(v), nil
}

// SetSecret implements [app.SecretStore].
func (s *Store) SetSecret(ctx context.Context, key string, secret app.Secret) error {
	return s.b.set(ctx, key, secret.Reveal())
}

// DeleteSecret implements [app.SecretStore].
func (s *Store) DeleteSecret(ctx context.Context, key string) error {
	return s.b.remove(ctx, key)
}

// choose decides where secrets go and remembers it.
func choose(ctx context.Context, dir string, log *slog.Logger) (choice, error) {
	id := make([]byte, 8)
	if _, err := rand.Read(id); err != nil {
		return choice{}, fmt.Errorf("make profile: %w", err)
	}
	c := choice{Backend: backendFile, Profile: hex.EncodeToString(id)}
	if !exists(dir, vaultFile) && os.Getenv(forceVar) != backendFile {
		if err := probe(ctx, newKeychain(c.Profile)); err != nil {
			if ctx.Err() != nil {
				return choice{}, &app.Error{Code: app.CodeCanceled, Op: "open secrets", Err: ctx.Err()}
			}
			log.Info("No keychain answers, secrets go to a file", "error", err)
		} else {
			c.Backend = backendKeychain
		}
	}
	b, err := json.Marshal(c)
	if err != nil {
		return choice{}, fmt.Errorf("remember backend: %w", err)
	}
	if err := writeFile(dir, choiceFile, append(b, '\n')); err != nil {
		return choice{}, homeError("remember backend", dir, err)
	}
	return c, nil
}

// readChoice returns an error of [fs.ErrNotExist] when nothing was chosen yet.
func readChoice(dir string) (choice, error) {
	path := filepath.Join(dir, choiceFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return choice{}, err
	}
	var c choice
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err != nil {
		return choice{}, app.Errorf(app.CodeKeychain, "open secrets", "read %s: %w", path, err).With("path", path)
	}
	return c, nil
}

func exists(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

// homeError tells a data folder that cannot be written to from other failures.
func homeError(op, dir string, err error) error {
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return app.Errorf(app.CodeHomeReadOnly, op, "%w", err).With("path", dir)
	}
	return fmt.Errorf("%s: %w", op, err)
}
