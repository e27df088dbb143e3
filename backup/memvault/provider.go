// Package memvault is an [app.VaultProvider] that keeps vaults in memory, for
// the tests of other packages. It behaves as the real one does, without its
// cost, and fails or is damaged on demand.
package memvault

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"kvart/app"
)

const minPassphrase = 12

// Provider makes vaults that live as long as it does: a vault that was made at
// a location can be opened there again. The functions, where set, are asked
// first and fail the call with the error they return; set all fields before
// use.
type Provider struct {
	FailProbe      func(app.StorageSpec) error
	FailCreate     func(app.VaultSetup) error
	FailOpen       func(app.VaultSetup) error
	FailSave       func([]app.SaveRequest) error // the whole session
	FailRequest    func(app.SaveRequest) error   // one request
	FailVerify     func(app.VerifyRequest) error
	FailPoint      func(app.PointID) error // opening a point
	FailMaintain   func(full bool) error
	FailCheck      func() error
	FailRepair     func() error
	FailCopy       func(to app.StorageSpec) error
	FailPassphrase func() error

	// Proof is what proving a lock finds; nil means that it holds.
	Proof func(context.Context) (app.LockProof, error)
	// Now is the clock, [time.Now] when nil.
	Now func() time.Time
	// Free is what storages say is left; 0 means that they don't tell.
	Free int64

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
	id, shop string
	copied   bool // it is the copy of another
	lock     app.LockSettings

	mu sync.Mutex // guards what follows; a vault's is locked before its copy's
	// pass and format change with the passphrase.
	pass, format string
	hidden       time.Time // when the format blob was deleted, older versions kept
	lost         bool      // the format blob is gone for good
	seq          uint64
	saves        int      // since the last maintenance
	points       []*saved // oldest first
	past         []*saved // that were let go
	blocks       map[string]bool
	bytes        int64

	computers  map[app.ComputerID]*computer
	maintainer app.ComputerID
	maintained time.Time
}

// Storages implements [app.VaultProvider].
func (p *Provider) Storages() []app.KindSpec {
	return []app.KindSpec{
		{Kind: "folder", Fields: []app.Field{{Key: "path", Type: app.FieldFolder, Required: true}}},
		{Kind: "s3", OffSite: true, CanLock: true, Fields: []app.Field{
			{Key: "path", Type: app.FieldText, Required: true},
			{Key: "secret_key", Type: app.FieldSecret, Required: true},
			{Key: "lock_mode", Type: app.FieldChoice, Choices: []string{string(app.LockGovernance), string(app.LockCompliance)}},
			{Key: "lock_days", Type: app.FieldNumber},
		}},
	}
}

func (p *Provider) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

func (p *Provider) spec(s app.StorageSpec) (app.KindSpec, error) {
	for _, k := range p.Storages() {
		if k.Kind != s.Kind {
			continue
		}
		if err := k.CheckSettings(s.Settings, s.Secrets); err != nil {
			return k, err
		}
		if !s.AsOf.IsZero() && !k.CanLock {
			return k, app.Errorf(app.CodeUsage, "memvault", "%s keeps no versions", k.Kind).With("field", "asOf")
		}
		return k, nil
	}
	return app.KindSpec{}, app.Errorf(app.CodeUsage, "memvault", "no kind of storage %q", s.Kind).With("field", "kind")
}

// lockIn returns the lock that settings ask for.
func lockIn(s app.StorageSpec) (app.LockSettings, error) {
	if s.Settings["lock_mode"] == "" {
		return app.LockSettings{}, nil
	}
	days, err := strconv.Atoi(s.Settings["lock_days"])
	if err != nil || days < app.MinLockDays {
		return app.LockSettings{}, app.Errorf(app.CodeLockShort, "memvault", "%q days", s.Settings["lock_days"])
	}
	return app.LockSettings{Mode: app.LockMode(s.Settings["lock_mode"]), Days: days}, nil
}

func where(s app.StorageSpec) string { return s.Settings["path"] }

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
	r := app.StorageReport{State: app.LocationEmpty, RoundTrip: time.Millisecond, Free: p.free(), OffSite: k.OffSite, CanLock: k.CanLock}
	if p.stores[where(s)] != nil {
		r.State = app.LocationVault
	}
	return r, nil
}

func (p *Provider) free() int64 {
	if p.Free == 0 {
		return -1
	}
	return p.Free
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
	if !v.Storage.AsOf.IsZero() {
		return nil, app.Errorf(app.CodeUsage, "memvault: create", "nothing can be made in the past")
	}
	lock, err := lockIn(v.Storage)
	if err != nil {
		return nil, err
	}
	if weak(v.Passphrase) {
		return nil, app.Errorf(app.CodeWeakPassphrase, "memvault: create", "passphrase too short")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stores[where(v.Storage)] != nil {
		return nil, app.Errorf(app.CodeVaultExists, "memvault: create", "a vault lies there")
	}
	s := &store{
		id: draw(16), shop: v.Shop, lock: lock, pass: v.Passphrase.Reveal(), format: draw(16), blocks: map[string]bool{},
		computers: map[app.ComputerID]*computer{}, maintainer: v.Computer.ID, maintained: p.now(),
	}
	p.stores[where(v.Storage)] = s
	return newVault(p, s, k, v), nil
}

func weak(passphrase app.Secret) bool { return len([]rune(passphrase.Reveal())) < minPassphrase }

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
	s := p.stores[where(v.Storage)]
	p.mu.Unlock()
	switch {
	case s == nil && v.ExpectID != "":
		return nil, app.Errorf(app.CodeVaultMissing, "memvault: open", "no vault there")
	case s == nil:
		return nil, app.Errorf(app.CodeVaultNone, "memvault: open", "no vault there")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.presentLocked(v); err != nil {
		return nil, err
	}
	switch {
	case v.ExpectID != "" && v.ExpectID != s.id:
		return nil, app.Errorf(app.CodeVaultOther, "memvault: open", "vault %s, expected %s", s.id, v.ExpectID)
	case s.pass != v.Passphrase.Reveal():
		return nil, app.Errorf(app.CodeWrongPassphrase, "memvault: open", "wrong passphrase")
	}
	return newVault(p, s, k, v), nil
}

// presentLocked returns an error unless the format blob is there, which the
// kit's copy makes it.
func (s *store) presentLocked(v app.VaultSetup) error {
	if !s.hidden.IsZero() {
		if as := v.Storage.AsOf; !as.IsZero() && !as.After(s.hidden) {
			return nil
		}
		return app.Errorf(app.CodeVaultHidden, "memvault: open", "deleted").With("at", s.hidden.UTC().Format(time.RFC3339Nano))
	}
	if !s.lost {
		return nil
	}
	if string(v.Blobs[formatBlob]) != s.format {
		return app.Errorf(app.CodeVaultMissing, "memvault: open", "no format blob")
	}
	s.lost = false
	return nil
}

// draw returns n random bytes as hex.
func draw(n int) string {
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		panic(err) // never happens, says crypto/rand
	}
	return hex.EncodeToString(b)
}
