package app

import (
	"context"
	"errors"
	"log/slog"
)

// Secret is a string that does not print, log or marshal.
type Secret struct{ s string }

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the secret itself, for the one call that needs it.
func (s Secret) Reveal() string { return s.s }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.s == "" }

func (Secret) String() string   { return "[secret]" }
func (Secret) GoString() string { return "[secret]" }

// LogValue implements [slog.LogValuer].
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText refuses: a secret leaves the process only where code says so.
func (Secret) MarshalText() ([]byte, error) { return nil, errors.New("a secret cannot be marshalled") }

// Secrets holds secrets by field key.
type Secrets map[string]Secret

// PassphraseKey is the key of the vault's passphrase among [Secrets].
const PassphraseKey = "passphrase"

// SecretBearer is implemented by requests that carry secrets beside their JSON
// document, so that whoever moves the request over the socket has to move them
// on purpose.
type SecretBearer interface{ Carried() *Secrets }

// SecretStore keeps secrets for this user account between runs of the guard.
type SecretStore interface {
	// Secret returns the secret kept under key; [CodeSecretMissing] when
	// there is none, [CodeKeychain] when the store does not answer.
	Secret(ctx context.Context, key string) (Secret, error)
	SetSecret(ctx context.Context, key string, s Secret) error
	// DeleteSecret is a no-op when there is none.
	DeleteSecret(ctx context.Context, key string) error
	// Backend tells where secrets are kept: "keychain" or "file".
	Backend() string
}
