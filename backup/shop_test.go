package backup

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// shop is a location that several computers store in, each with a clock and a
// state folder of its own.
type shop struct {
	t    *testing.T
	spec app.StorageSpec
	dirs map[app.ComputerID]string
	// locks, where set, tells what the server was told to lock.
	locks func() map[string]time.Time
}

func shopInFolder(t *testing.T) *shop {
	dir := filepath.Join(t.TempDir(), "vault")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	spec := app.StorageSpec{Kind: "folder", Settings: map[string]string{"path": dir}}
	return &shop{t: t, spec: spec, dirs: map[app.ComputerID]string{}}
}

// shopInBucket is in a bucket in memory.
func shopInBucket(t *testing.T, s *s3test.Server) *shop {
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return shopAt(t, strings.TrimPrefix(srv.URL, "http://"), s3test.Bucket, "access", "secret")
}

func shopAt(t *testing.T, endpoint, bucket, access, secret string) *shop {
	return &shop{t: t, dirs: map[app.ComputerID]string{}, spec: app.StorageSpec{
		Kind:     "s3",
		Settings: map[string]string{"endpoint": endpoint, "bucket": bucket, "prefix": "shop", "access_key": access, "insecure": "true"},
		Secrets:  app.Secrets{"secret_key": app.NewSecret(secret)},
	}}
}

// clock returns one that is off.
func clock(off time.Duration) func() time.Time {
	return func() time.Time { return time.Now().Add(off) }
}

func (s *shop) setup(id app.ComputerID) app.VaultSetup {
	if s.dirs[id] == "" {
		s.dirs[id] = s.t.TempDir()
	}
	return app.VaultSetup{
		Storage: s.spec, Passphrase: app.NewSecret(vaulttest.Passphrase), Shop: "Boden", StateDir: s.dirs[id],
		Computer: app.Computer{ID: id, Name: "Datorn " + string(id)},
	}
}

func provide(now func() time.Time) *Provider {
	p := New(slog.New(slog.DiscardHandler))
	p.now = now
	return p
}

// create makes the vault.
func (s *shop) create(id app.ComputerID, now func() time.Time) *Vault {
	s.t.Helper()
	return s.opened(provide(now).Create(s.t.Context(), s.setup(id)))
}

// open opens it.
func (s *shop) open(id app.ComputerID, now func() time.Time) *Vault {
	s.t.Helper()
	return s.opened(provide(now).Open(s.t.Context(), s.setup(id)))
}

func (s *shop) opened(v app.Vault, err error) *Vault {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = v.Close(context.WithoutCancel(s.t.Context())) }) // a test may have closed it
	return v.(*Vault)
}

// save saves a point of a source.
func (s *shop) save(v *Vault, source app.SourceID, items ...app.Item) app.Point {
	s.t.Helper()
	if len(items) == 0 {
		items = []app.Item{vaulttest.File("a", []byte(source))}
	}
	return vaulttest.Save(s.t, v, vaulttest.Request(source, items...)).Point
}

func (s *shop) wantCode(err error, want app.Code) {
	s.t.Helper()
	if got := app.CodeOf(err); got != want {
		s.t.Errorf("code %q (%v), want %q", got, err, want)
	}
}

// maintainer returns the computer that maintains.
func (s *shop) maintainer(v *Vault) app.ComputerID {
	s.t.Helper()
	for _, c := range vaulttest.Computers(s.t, v) {
		if c.Maintains {
			return c.ID
		}
	}
	return ""
}

func (s *shop) maintain(v *Vault) {
	s.t.Helper()
	if err := v.Maintain(s.t.Context(), app.DefaultRetention()); err != nil {
		s.t.Fatalf("maintain: %v", err)
	}
}
