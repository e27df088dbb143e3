package backup

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/format"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/policy"

	"kvart/app"
	"kvart/backup/storage"
)

const (
	// userName and the shop id name every snapshot, so that history goes on
	// when another computer takes a source over. They were also the client's
	// whole identity before computers had one of their own.
	userName = "kvart"
	// shopIDBytes of the repository's random unique id make the shop id, which
	// is thereby known before the passphrase has been tried.
	shopIDBytes = 8

	markerType = "kvart-vault"
	cacheBytes = 200 << 20
	compressor = "zstd-fastest"
	configName = "repository.config"
	// pastPrefix begins the folders of vaults that are shown as they were.
	pastPrefix = "past-"
)

// marker is the manifest that makes a repository a vault. It is written last
// when one is made, so that its absence tells a half-made one.
type marker struct {
	Shop    string    `json:"shop"`
	ShopID  string    `json:"shopId"`
	Created time.Time `json:"created"`
}

// repositoryState tells what an opened repository is.
type repositoryState int

const (
	stateFinished repositoryState = iota
	stateHalfMade                 // initialised, and nothing more
	stateForeign                  // snapshots, but no marker
	stateForgot                   // data, but an index that knows nothing of it
)

// connect opens the repository that lies in loc. The vault it returns is
// usable for reading only if the state is stateFinished.
func (p *Provider) connect(ctx context.Context, loc *storage.Location, s app.VaultSetup) (*Vault, repositoryState, error) {
	v, err := p.vaultIn(ctx, loc, s)
	if err != nil {
		return nil, 0, err
	}
	if err := v.prepareDir(ctx); err != nil {
		return nil, 0, err
	}
	v.rep, err = v.openRepository(ctx, v.dir, v.usualCache())
	if err != nil {
		return nil, 0, errors.Join(err, v.leaveDir())
	}
	loc.Store.Settle()
	state, err := v.state(ctx)
	if err == nil {
		_, err = v.knownLock(ctx)
	}
	if err != nil {
		return nil, 0, errors.Join(err, v.leave(ctx))
	}
	if v.asOf.IsZero() {
		if err := v.keepFormat(ctx); err != nil {
			p.log.WarnContext(ctx, "Format blob not copied", "err", err)
		}
	}
	return v, state, nil
}

// vaultIn reads the format blob in loc and returns the vault it tells of, not
// yet opened.
func (p *Provider) vaultIn(ctx context.Context, loc *storage.Location, s app.VaultSetup) (*Vault, error) {
	formatBlob, err := storage.ReadBlob(ctx, loc.Store, format.KopiaRepositoryBlobID)
	if err != nil {
		return nil, fmt.Errorf("read format blob: %w", err)
	}
	id, err := vaultID(formatBlob)
	if err != nil {
		return nil, err
	}
	if s.ExpectID != "" && s.ExpectID != id {
		return nil, app.Errorf(app.CodeVaultOther, "open vault", "vault %s, expected %s", id, s.ExpectID).With("where", loc.Where)
	}
	dir, err := stateDir(s.StateDir, id)
	if err != nil {
		return nil, err
	}
	return &Vault{
		log: p.log, now: p.now, loc: loc, id: id, host: id[:2*shopIDBytes], dir: dir, pass: s.Passphrase, asOf: s.Storage.AsOf,
		computer: s.Computer, guard: rand.Text(),
		turn: make(chan struct{}, 1), done: make(chan struct{}), distrust: map[string]bool{},
	}, nil
}

// vaultID returns the id that a format blob gives the vault.
func vaultID(formatBlob []byte) (string, error) {
	parsed, err := format.ParseKopiaRepositoryJSON(formatBlob)
	if err != nil || len(parsed.UniqueID) < shopIDBytes {
		return "", app.Errorf(app.CodeVaultDamaged, "read format blob", "not a format blob: %w", err)
	}
	return hex.EncodeToString(parsed.UniqueID), nil
}

// stateDir returns a vault's part of the state folder.
func stateDir(root, id string) (string, error) {
	dir, err := filepath.Abs(filepath.Join(root, "vault-"+id[:2*shopIDBytes]))
	if err != nil {
		return "", fmt.Errorf("resolve state folder: %w", err)
	}
	return dir, nil
}

// prepareDir sweeps the vault's part of the state folder. A view of the past
// gets a folder of its own: what is cached there is not so any more.
func (v *Vault) prepareDir(ctx context.Context) error {
	err := errors.Join(
		sweepOld(v.dir, spoolPrefix+"*"), sweepOld(v.dir, nearPrefix+"*"), sweepOld(v.dir, pastPrefix+"*"),
		sweepOld(v.dir, "*.new"), sweepOld(filepath.Join(v.dir, "segments"), "*.new"),
	)
	if err != nil {
		v.log.WarnContext(ctx, "State folder not swept", "err", err)
	}
	if v.asOf.IsZero() {
		return nil
	}
	return v.moveToOwnDir()
}

// moveToOwnDir gives the vault a folder that goes with it.
func (v *Vault) moveToOwnDir() error {
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return stateDirError(err)
	}
	dir, err := os.MkdirTemp(v.dir, pastPrefix)
	if err != nil {
		return stateDirError(err)
	}
	v.dir, v.ownDir = dir, true
	return nil
}

// leave closes the repository and removes a folder of its own.
func (v *Vault) leave(ctx context.Context) error {
	return errors.Join(v.rep.Close(ctx), v.leaveDir())
}

func (v *Vault) leaveDir() error {
	if !v.ownDir {
		return nil
	}
	if err := os.RemoveAll(v.dir); err != nil {
		return fmt.Errorf("remove state of the past: %w", err)
	}
	return nil
}

// usualCache is the cache of the connection that lives as long as the vault. A
// folder gets none: it would cost more than it saves there. Lists are never
// cached: another computer may have stored something a second ago.
func (v *Vault) usualCache() content.CachingOptions {
	if !v.loc.Remote {
		return content.CachingOptions{}
	}
	return content.CachingOptions{
		CacheDirectory:              filepath.Join(v.dir, "cache"),
		ContentCacheSizeBytes:       cacheBytes * 8 / 10,
		ContentCacheSizeLimitBytes:  cacheBytes,
		MetadataCacheSizeBytes:      cacheBytes * 8 / 10,
		MetadataCacheSizeLimitBytes: cacheBytes,
	}
}

// openRepository opens the repository with a config file of its own in dir.
//
// It writes the file itself instead of calling [repo.Connect], which opens the
// repository with default options to try it out: those end the process on a
// fatal error and wait for ever on somebody's upgrade.
func (v *Vault) openRepository(ctx context.Context, dir string, cache content.CachingOptions) (repo.DirectRepository, error) {
	file := filepath.Join(dir, configName)
	info := v.loc.Store.ConnectionInfo()
	b, err := json.Marshal(repo.LocalConfig{
		Storage: &info,
		Caching: &cache,
		ClientOptions: repo.ClientOptions{
			Hostname: v.host, Username: userOf(v.computer.ID), Description: app.Name,
			ReadOnly:                !v.asOf.IsZero(),
			FormatBlobCacheDuration: -1, // look at the storage when opening
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", configName, err)
	}
	if err := writeFile(file, b); err != nil {
		return nil, stateDirError(err)
	}
	bound, done := v.loc.Store.Bound(ctx)
	defer done()
	rep, err := repo.Open(bound, file, v.passphrase().Reveal(), &repo.Options{
		OnFatalError:         func(err error) { v.log.ErrorContext(ctx, "Kopia gave up", "err", err) },
		TimeNowFunc:          v.now,
		DoNotWaitForUpgrade:  true,
		DisableRepositoryLog: true,
	})
	if err != nil && ctx.Err() == nil && bound.Err() != nil {
		err = context.Cause(bound)
	}
	if err != nil {
		return nil, fmt.Errorf("open repository: %w", err)
	}
	direct, ok := rep.(repo.DirectRepository)
	if !ok {
		return nil, errors.Join(fmt.Errorf("open repository: %T is not direct", rep), rep.Close(ctx))
	}
	return direct, nil
}

// userOf is the user that a computer is to Kopia, which tells from it who
// maintains the repository. "kvart" is one whose ID is not known.
func userOf(id app.ComputerID) string {
	if id == "" {
		return userName
	}
	user := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, string(id))
	if user == userName {
		user += "-"
	}
	return user
}

// state looks what kind of repository was opened, and reads the marker.
func (v *Vault) state(ctx context.Context) (repositoryState, error) {
	found, err := v.rep.FindManifests(ctx, map[string]string{"type": markerType})
	if err != nil {
		return 0, fmt.Errorf("find marker: %w", err)
	}
	if len(found) > 0 {
		if _, err := v.rep.GetManifest(ctx, found[0].ID, &v.marker); err != nil {
			return 0, fmt.Errorf("read marker: %w", err)
		}
		return stateFinished, nil
	}
	snapshots, err := snapshot.ListSnapshotManifests(ctx, v.rep, nil, nil)
	if err != nil {
		return 0, fmt.Errorf("list snapshots: %w", err)
	}
	if len(snapshots) > 0 {
		return stateForeign, nil
	}
	// Kopia opens a repository that lost its whole index without a word. Data
	// packs appear only after the marker.
	stop := errors.New("found")
	err = v.loc.Base.ListBlobs(ctx, content.PackBlobIDPrefixRegular, func(blob.Metadata) error { return stop })
	switch {
	case errors.Is(err, stop):
		return stateForgot, nil
	case err != nil:
		return 0, fmt.Errorf("list packs: %w", err)
	}
	return stateHalfMade, nil
}

// finish writes what a new repository needs to be a vault.
func (v *Vault) finish(ctx context.Context, shop string) error {
	v.marker = marker{Shop: shop, ShopID: v.host, Created: v.now().UTC()}
	err := repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart create"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		if err := policy.SetPolicy(ctx, w, policy.GlobalPolicySourceInfo, globalPolicy()); err != nil {
			return fmt.Errorf("set policy: %w", err)
		}
		if err := v.setParams(ctx, w); err != nil {
			return err
		}
		if _, err := w.PutManifest(ctx, map[string]string{"type": markerType}, v.marker); err != nil {
			return fmt.Errorf("write marker: %w", err)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("finish vault: %w", err)
	}
	return v.refresh(ctx)
}

// globalPolicy is for stock Kopia, and for the checkpoints of its uploader:
// both expire by the clock, which may be wrong, so neither may expire anything.
// Points expire by [expired] alone.
func globalPolicy() *policy.Policy {
	all := policy.OptionalInt(math.MaxInt32)
	return &policy.Policy{
		RetentionPolicy:           policy.RetentionPolicy{KeepLatest: &all},
		CompressionPolicy:         policy.CompressionPolicy{CompressorName: compressor},
		MetadataCompressionPolicy: policy.MetadataCompressionPolicy{CompressorName: compressor},
		SchedulingPolicy:          policy.SchedulingPolicy{Manual: true},
	}
}

// writeFile replaces file whole or not at all, for this user's eyes only.
func writeFile(file string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return fmt.Errorf("make state folder: %w", err)
	}
	tmp, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.new")
	if err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	_, err = tmp.Write(b)
	err = errors.Join(err, tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return fmt.Errorf("write state: %w", errors.Join(err, os.Remove(tmp.Name())))
	}
	return nil
}

// stateDirError tells a fault of this computer's own disk from one of the
// storage.
func stateDirError(err error) error {
	if storage.IsFull(err) {
		return &app.Error{Code: app.CodeTargetFull, Op: "write state folder", Err: err}
	}
	return &app.Error{Code: app.CodeHomeReadOnly, Op: "write state folder", Err: err}
}
