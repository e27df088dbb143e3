package backup

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/format"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/snapshot"
	"github.com/kopia/kopia/snapshot/policy"

	"kvart/app"
)

const (
	// userName and the shop id are the client's whole identity: a renamed or
	// replaced computer stays the maintenance owner and keeps its history.
	userName = "kvart"
	// shopIDBytes of the repository's random unique id make the shop id, which
	// is thereby known before the passphrase has been tried.
	shopIDBytes = 8

	markerType      = "kvart-vault"
	cacheBytes      = 200 << 20
	compressor      = "zstd-fastest"
	configName      = "repository.config"
	listCacheMaxAge = 30 // seconds
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
func (p *Provider) connect(ctx context.Context, loc *location, s app.VaultSetup) (*Vault, repositoryState, error) {
	formatBlob, err := readBlob(ctx, loc.base, format.KopiaRepositoryBlobID)
	if err != nil {
		return nil, 0, fmt.Errorf("read format blob: %w", err)
	}
	parsed, err := format.ParseKopiaRepositoryJSON(formatBlob)
	if err != nil || len(parsed.UniqueID) < shopIDBytes {
		return nil, 0, app.Errorf(app.CodeVaultDamaged, "read format blob", "not a format blob: %w", err)
	}
	id := hex.EncodeToString(parsed.UniqueID)
	if s.ExpectID != "" && s.ExpectID != id {
		return nil, 0, app.Errorf(app.CodeVaultOther, "open vault", "vault %s, expected %s", id, s.ExpectID).With("where", loc.where)
	}
	dir, err := filepath.Abs(filepath.Join(s.StateDir, "vault-"+id[:2*shopIDBytes]))
	if err != nil {
		return nil, 0, fmt.Errorf("resolve state folder: %w", err)
	}
	v := &Vault{
		log: p.log, loc: loc, id: id, host: id[:2*shopIDBytes], dir: dir, pass: s.Passphrase,
		turn: make(chan struct{}, 1), done: make(chan struct{}), distrust: map[string]bool{},
	}
	if err := errors.Join(sweepOld(dir, spoolPrefix+"*"), sweepOld(dir, nearPrefix+"*"), sweepOld(dir, "*.new"), sweepOld(filepath.Join(dir, "segments"), "*.new")); err != nil {
		p.log.WarnContext(ctx, "State folder not swept", "err", err)
	}
	v.rep, err = v.openRepository(ctx, dir, v.usualCache())
	if err != nil {
		return nil, 0, err
	}
	loc.store.settled.Store(true)
	state, err := v.state(ctx)
	if err != nil {
		return nil, 0, errors.Join(err, v.rep.Close(ctx))
	}
	if err := v.keepFormat(formatBlob); err != nil {
		p.log.WarnContext(ctx, "Format blob not copied", "err", err)
	}
	return v, state, nil
}

// usualCache is the cache of the connection that lives as long as the vault. A
// folder gets none: it would cost more than it saves there.
func (v *Vault) usualCache() content.CachingOptions {
	if !v.loc.remote {
		return content.CachingOptions{}
	}
	return content.CachingOptions{
		CacheDirectory:              filepath.Join(v.dir, "cache"),
		ContentCacheSizeBytes:       cacheBytes * 8 / 10,
		ContentCacheSizeLimitBytes:  cacheBytes,
		MetadataCacheSizeBytes:      cacheBytes * 8 / 10,
		MetadataCacheSizeLimitBytes: cacheBytes,
		MaxListCacheDuration:        listCacheMaxAge,
	}
}

// openRepository opens the repository with a config file of its own in dir.
//
// It writes the file itself instead of calling [repo.Connect], which opens the
// repository with default options to try it out: those end the process on a
// fatal error and wait for ever on somebody's upgrade.
func (v *Vault) openRepository(ctx context.Context, dir string, cache content.CachingOptions) (repo.DirectRepository, error) {
	file := filepath.Join(dir, configName)
	info := v.loc.store.ConnectionInfo()
	b, err := json.Marshal(repo.LocalConfig{
		Storage: &info,
		Caching: &cache,
		ClientOptions: repo.ClientOptions{
			Hostname: v.host, Username: userName, Description: app.Name,
			FormatBlobCacheDuration: -1, // look at the storage when opening
		},
	})
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", configName, err)
	}
	if err := writeFile(file, b); err != nil {
		return nil, stateDirError(err)
	}
	rep, err := repo.Open(ctx, file, v.pass.Reveal(), &repo.Options{
		OnFatalError:         func(err error) { v.log.ErrorContext(ctx, "Kopia gave up", "err", err) },
		DoNotWaitForUpgrade:  true,
		DisableRepositoryLog: true,
	})
	if err != nil {
		return nil, fmt.Errorf("open repository: %w", err)
	}
	direct, ok := rep.(repo.DirectRepository)
	if !ok {
		return nil, errors.Join(fmt.Errorf("open repository: %T is not direct", rep), rep.Close(ctx))
	}
	return direct, nil
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
	err = v.loc.base.ListBlobs(ctx, content.PackBlobIDPrefixRegular, func(blob.Metadata) error { return stop })
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
	v.marker = marker{Shop: shop, ShopID: v.host, Created: time.Now().UTC()}
	err := repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart create"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		if err := policy.SetPolicy(ctx, w, policy.GlobalPolicySourceInfo, globalPolicy()); err != nil {
			return fmt.Errorf("set policy: %w", err)
		}
		if err := v.ownMaintenance(ctx, w); err != nil {
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

func (v *Vault) ownMaintenance(ctx context.Context, w repo.RepositoryWriter) error {
	params := maintenance.DefaultParams()
	params.Owner = v.rep.ClientOptions().UsernameAtHost()
	if err := maintenance.SetParams(ctx, w, &params); err != nil {
		return fmt.Errorf("set maintenance owner: %w", err)
	}
	return nil
}

// claimMaintenance makes this client the owner of maintenance where it isn't. A
// vault on a storage that can't be written to must still open, so a failure is
// only logged; Maintain claims again.
func (v *Vault) claimMaintenance(ctx context.Context) {
	owned, err := maintenance.IsOwnedByThisUser(ctx, v.rep)
	if err == nil && owned {
		return
	}
	if err == nil {
		err = repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart owner"}, v.ownMaintenance)
	}
	if err == nil {
		err = v.refresh(ctx)
	}
	if err != nil {
		v.log.WarnContext(ctx, "Maintenance not claimed", "err", err)
	}
}

// keepFormat keeps a copy of the format blob, encrypted as it is: without it
// the passphrase opens nothing.
func (v *Vault) keepFormat(b []byte) error {
	return writeFile(filepath.Join(v.dir, format.KopiaRepositoryBlobID), b)
}

func readBlob(ctx context.Context, st blob.Reader, id blob.ID) ([]byte, error) {
	var b outputBuffer
	if err := st.GetBlob(ctx, id, 0, -1, &b); err != nil {
		return nil, fmt.Errorf("read blob %s: %w", id, err)
	}
	return b.Bytes(), nil
}

// outputBuffer is a [blob.OutputBuffer].
type outputBuffer struct{ bytes.Buffer }

func (b *outputBuffer) Length() int { return b.Len() }

// inputBytes is a [blob.Bytes].
type inputBytes []byte

func (b inputBytes) Length() int { return len(b) }

func (b inputBytes) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(b)
	return int64(n), err
}

func (b inputBytes) Reader() io.ReadSeekCloser { return nopCloser{bytes.NewReader(b)} }

type nopCloser struct{ io.ReadSeeker }

func (nopCloser) Close() error { return nil }

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
	if isFull(err) {
		return &app.Error{Code: app.CodeTargetFull, Op: "write state folder", Err: err}
	}
	return &app.Error{Code: app.CodeHomeReadOnly, Op: "write state folder", Err: err}
}
