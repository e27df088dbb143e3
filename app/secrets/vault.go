package secrets

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"sync"

	"golang.org/x/crypto/chacha20poly1305"

	"kvart/app"
)

// magic begins the encrypted file and is authenticated with it.
const magic = "kvart secrets 1\n"

// vault keeps secrets in an encrypted file with its key in a file beside it.
//
// This protects against one of the files being copied, synchronised or left in
// some other backup. It does not protect against somebody who can read this
// user account: they read both. Only a keychain can do better.
type vault struct {
	dir  string
	aead cipher.AEAD

	mu sync.Mutex // one change of the file at a time
}

// openVault opens or makes the file. A file that cannot be read is reported
// and left as it is: a new one would lose what is in it.
func openVault(dir string) (*vault, error) {
	key, err := os.ReadFile(filepath.Join(dir, keyFile))
	if errors.Is(err, fs.ErrNotExist) && !exists(dir, vaultFile) {
		key, err = makeKey(dir)
	}
	if err != nil {
		return nil, vaultError(dir, keyFile, err)
	}
	if err := tighten(filepath.Join(dir, keyFile)); err != nil {
		return nil, vaultError(dir, keyFile, err)
	}
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, vaultError(dir, keyFile, err)
	}
	v := &vault{dir: dir, aead: aead}
	if _, err := v.load(); err != nil {
		return nil, err
	}
	return v, nil
}

func makeKey(dir string) ([]byte, error) {
	key := make([]byte, chacha20poly1305.KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	if err := writeFile(dir, keyFile, key); err != nil {
		return nil, err
	}
	return key, nil
}

// tighten takes away what others may do with a file.
func tighten(path string) error {
	st, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" || st.Mode().Perm() == 0o600 {
		return err
	}
	return os.Chmod(path, 0o600)
}

func (v *vault) get(_ context.Context, key string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	all, err := v.load()
	if err != nil {
		return "", err
	}
	value, ok := all[key]
	if !ok {
		return "", missing(key)
	}
	return value, nil
}

func (v *vault) set(_ context.Context, key, value string) error {
	return v.change(func(all map[string]string) { all[key] = value })
}

func (v *vault) remove(_ context.Context, key string) error {
	return v.change(func(all map[string]string) { delete(all, key) })
}

func (v *vault) change(fn func(map[string]string)) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	all, err := v.load()
	if err != nil {
		return err
	}
	before := maps.Clone(all)
	fn(all)
	if maps.Equal(before, all) {
		return nil
	}
	return v.save(all)
}

// load reads the file anew, so that two processes see each other's changes.
func (v *vault) load() (map[string]string, error) {
	b, err := os.ReadFile(filepath.Join(v.dir, vaultFile))
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, vaultError(v.dir, vaultFile, err)
	}
	head := len(magic) + v.aead.NonceSize()
	if len(b) < head || string(b[:len(magic)]) != magic {
		return nil, vaultError(v.dir, vaultFile, errors.New("not a file of secrets, or one cut short"))
	}
	plain, err := v.aead.Open(nil, b[len(magic):head], b[head:], []byte(magic))
	if err != nil {
		return nil, vaultError(v.dir, vaultFile, err)
	}
	all := map[string]string{}
	if err := json.Unmarshal(plain, &all); err != nil {
		return nil, vaultError(v.dir, vaultFile, errors.New("its content is not understood"))
	}
	return all, nil
}

func (v *vault) save(all map[string]string) error {
	plain, err := json.Marshal(all)
	if err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	nonce := make([]byte, v.aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return fmt.Errorf("keep secret: %w", err)
	}
	b := v.aead.Seal(append([]byte(magic), nonce...), nonce, plain, []byte(magic))
	if err := writeFile(v.dir, vaultFile, b); err != nil {
		return homeError("keep secret", v.dir, err)
	}
	return nil
}

// writeFile replaces a file whole or not at all, and returns once it lies on
// the disk. Only this user can read it.
func writeFile(dir, name string, content []byte) error {
	f, err := os.CreateTemp(dir, name+".*.tmp") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(dir)
}

// syncDir makes the names in a folder last. Windows has no such call.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func vaultError(dir, name string, err error) error {
	path := filepath.Join(dir, name)
	if e := homeError("open secrets", dir, err); app.CodeOf(e) == app.CodeHomeReadOnly {
		return e
	}
	return app.Errorf(app.CodeKeychain, "open secrets", "%s: %w", name, err).With("path", path)
}
