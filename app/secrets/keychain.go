package secrets

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/zalando/go-keyring"

	"kvart/app"
)

// Bounds on how long a keychain may think. A probe must not hold up the first
// start; a secret may have to wait until the owner has typed the password of a
// locked keychain.
const (
	probeTimeout = 3 * time.Second
	callTimeout  = 30 * time.Second
)

// keychain is the computer's own store: Keychain on macOS, Credential Manager
// on Windows, Secret Service elsewhere.
type keychain struct {
	profile string
	// turn lets one call at a time through. The library's calls take no
	// context, and one that hangs is left behind: holding the turn keeps it
	// the only one, and keeps late writes in order.
	turn chan struct{}
}

func newKeychain(profile string) *keychain {
	return &keychain{profile: profile, turn: make(chan struct{}, 1)}
}

// user is what a secret is filed under beside the program's name.
func (k *keychain) user(key string) string { return k.profile + "/" + key }

func (k *keychain) get(ctx context.Context, key string) (string, error) {
	v, err := k.call(ctx, func() (string, error) { return keyring.Get(app.ID, k.user(key)) })
	switch {
	case errors.Is(err, keyring.ErrNotFound):
		return "", missing(key)
	case err != nil:
		return "", keychainError("read secret", key, err)
	}
	return v, nil
}

// set reads back what it wrote: a keychain whose prompt was dismissed reports
// success on some systems.
func (k *keychain) set(ctx context.Context, key, value string) error {
	got, err := k.call(ctx, func() (string, error) {
		if err := keyring.Set(app.ID, k.user(key), value); err != nil {
			return "", err
		}
		return keyring.Get(app.ID, k.user(key))
	})
	if err == nil && got != value {
		err = errors.New("the keychain did not keep what it was given")
	}
	if err != nil {
		return keychainError("keep secret", key, err)
	}
	return nil
}

func (k *keychain) remove(ctx context.Context, key string) error {
	_, err := k.call(ctx, func() (string, error) { return "", keyring.Delete(app.ID, k.user(key)) })
	if err != nil && !errors.Is(err, keyring.ErrNotFound) {
		return keychainError("delete secret", key, err)
	}
	return nil
}

// call runs fn and stops waiting for it when ctx ends or it takes too long.
func (k *keychain) call(ctx context.Context, fn func() (string, error)) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := ctx.Err(); err != nil {
		return "", err
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return "", ctx.Err()
	}
	type answer struct {
		value string
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-k.turn }()
		v, err := fn()
		done <- answer{v, err}
	}()
	select {
	case a := <-done:
		return a.value, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// probe proves that a keychain keeps, returns and forgets a secret.
func probe(ctx context.Context, k *keychain) error {
	if err := reachable(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	const key = "probe"
	if err := k.set(ctx, key, "probe"); err != nil {
		return err
	}
	return k.remove(ctx, key)
}

func missing(key string) error {
	return app.Errorf(app.CodeSecretMissing, "read secret", "no secret is kept under %q", key).With("key", key)
}

func keychainError(op, key string, err error) error {
	code := app.CodeKeychain
	if errors.Is(err, context.Canceled) {
		code = app.CodeCanceled
	}
	return &app.Error{Code: code, Op: op, Err: fmt.Errorf("%s: %w", key, err)}
}
