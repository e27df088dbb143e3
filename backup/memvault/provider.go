// Package memvault is an [app.VaultProvider] that keeps vaults in memory, for
// the tests of other packages. It behaves as the real one does, without its
// cost, and fails on demand.
package memvault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"sync"
	"time"

	"kvart/app"
)

const minPassphrase = 12

// Provider makes vaults that live as long as it does: a vault that was made at
// a location can be opened there again. The functions, where set, are asked
// first and fail the call with the error they return; set them before use.
type Provider struct {
	FailProbe   func(app.StorageSpec) error
	FailCreate  func(app.VaultSetup) error
	FailOpen    func(app.VaultSetup) error
	FailSave    func([]app.SaveRequest) error // the whole session
	FailRequest func(app.SaveRequest) error   // one request
	FailVerify  func(app.VerifyRequest) error
	FailPoint   func(app.PointID) error // opening a point

	mu     sync.Mutex
	stores map[string]*store
}

// NewProvider returns a provider without vaults.
func NewProvider() *Provider {
	return &Provider{stores: map[string]*store{}}
}

var _ app.VaultProvider = (*Provider)(nil)

// store is a location's contents.
type store struct {
	id, shop, pass string

	mu     sync.Mutex
	seq    uint64
	points []*saved // oldest first
	blocks map[string]bool
	bytes  int64
}

// Storages implements [app.VaultProvider].
func (p *Provider) Storages() []app.KindSpec {
	return []app.KindSpec{
		{Kind: "folder", Fields: []app.Field{{Key: "path", Type: app.FieldFolder, Required: true}}},
		{Kind: "s3", OffSite: true, Fields: []app.Field{
			{Key: "path", Type: app.FieldText, Required: true},
			{Key: "secret_key", Type: app.FieldSecret, Required: true},
		}},
	}
}

func (p *Provider) spec(s app.StorageSpec) (app.KindSpec, error) {
	for _, k := range p.Storages() {
		if k.Kind == s.Kind {
			return k, k.CheckSettings(s.Settings, s.Secrets)
		}
	}
	return app.KindSpec{}, app.Errorf(app.CodeUsage, "memvault", "no kind of storage %q", s.Kind)
}

// Probe implements [app.VaultProvider].
func (p *Provider) Probe(_ context.Context, s app.StorageSpec) (app.StorageReport, error) {
	k, err := p.spec(s)
	if err != nil {
		return app.StorageReport{}, err
	}
	if p.FailProbe != nil {
		if err := p.FailProbe(s); err != nil {
			return app.StorageReport{}, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	r := app.StorageReport{State: app.LocationEmpty, RoundTrip: time.Millisecond, Free: -1, OffSite: k.OffSite}
	if p.stores[s.Settings["path"]] != nil {
		r.State = app.LocationVault
	}
	return r, nil
}

// Create implements [app.VaultProvider].
func (p *Provider) Create(_ context.Context, v app.VaultSetup) (app.Vault, error) {
	k, err := p.spec(v.Storage)
	if err != nil {
		return nil, err
	}
	if p.FailCreate != nil {
		if err := p.FailCreate(v); err != nil {
			return nil, err
		}
	}
	if len([]rune(v.Passphrase.Reveal())) < minPassphrase {
		return nil, app.Errorf(app.CodeWeakPassphrase, "memvault: create", "passphrase too short")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stores[v.Storage.Settings["path"]] != nil {
		return nil, app.Errorf(app.CodeVaultExists, "memvault: create", "a vault lies there")
	}
	s := &store{id: draw(16), shop: v.Shop, pass: v.Passphrase.Reveal(), blocks: map[string]bool{}}
	p.stores[v.Storage.Settings["path"]] = s
	return newVault(p, s, k, v), nil
}

// Open implements [app.VaultProvider].
func (p *Provider) Open(_ context.Context, v app.VaultSetup) (app.Vault, error) {
	k, err := p.spec(v.Storage)
	if err != nil {
		return nil, err
	}
	if p.FailOpen != nil {
		if err := p.FailOpen(v); err != nil {
			return nil, err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stores[v.Storage.Settings["path"]]
	switch {
	case s == nil && v.ExpectID != "":
		return nil, app.Errorf(app.CodeVaultMissing, "memvault: open", "no vault there")
	case s == nil:
		return nil, app.Errorf(app.CodeVaultNone, "memvault: open", "no vault there")
	case v.ExpectID != "" && v.ExpectID != s.id:
		return nil, app.Errorf(app.CodeVaultOther, "memvault: open", "vault %s, expected %s", s.id, v.ExpectID)
	case s.pass != v.Passphrase.Reveal():
		return nil, app.Errorf(app.CodeWrongPassphrase, "memvault: open", "wrong passphrase")
	}
	return newVault(p, s, k, v), nil
}

// draw returns n random bytes as hex.
func draw(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err) // never happens, says crypto/rand
	}
	return hex.EncodeToString(b)
}
