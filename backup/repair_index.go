package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/content"
	"github.com/kopia/kopia/repo/manifest"

	"kvart/app"
	"kvart/backup/storage"
)

const (
	// asideName is the folder for what had to be taken out of the storage.
	asideName = "aside"
	// lockBlobText is how Kopia tells that the lock settings can't be read.
	lockBlobText = "blob config"
	// recoverFlush is after how many packs what was recovered is written.
	recoverFlush = 64
)

// Rescue mends a vault that [Provider.Open] calls damaged, so that it opens
// again: format blobs and index blobs that are missing or can't be read are
// brought back from the copies. Without a copy the index is made anew of what
// every pack says about itself, and what could not be read is set aside in the
// state folder before it is taken out of the storage. Nothing that can be read
// is touched. Repair does the rest.
func (p *Provider) Rescue(ctx context.Context, s app.VaultSetup, copies []app.StorageSpec) (app.RepairReport, error) {
	ctx = withLog(ctx, p.log)
	v, err := p.Open(ctx, s)
	if err == nil {
		return app.RepairReport{}, v.Close(ctx)
	}
	if code := app.CodeOf(err); code != app.CodeVaultDamaged && code != app.CodeVaultMissing && !strings.Contains(err.Error(), lockBlobText) {
		return app.RepairReport{}, err
	}
	loc, err := storage.Open(ctx, s.Storage, false)
	if err != nil {
		return app.RepairReport{}, err
	}
	rep, err := p.rescue(ctx, loc, s, copies)
	if err = errors.Join(err, loc.Close(ctx)); err != nil {
		return app.RepairReport{}, stopped(ctx, "rescue vault", err)
	}
	return rep, nil
}

func (p *Provider) rescue(ctx context.Context, loc *storage.Location, s app.VaultSetup, copies []app.StorageSpec) (rep app.RepairReport, err error) {
	m := &mending{v: &Vault{log: p.log, now: p.now, loc: loc}}
	m.copies = openCopies(ctx, m.v, copies)
	defer func() { err = errors.Join(err, m.close(ctx)) }()
	if err := m.rescueFormat(ctx, s); err != nil {
		return rep, err
	}
	if m.v, err = p.vaultIn(ctx, loc, s); err != nil {
		return rep, err
	}
	loc.Store.Settle()
	fm, err := formatOf(ctx, loc.Store, m.v.passphrase(), p.now)
	if err != nil {
		return rep, err
	}
	m.open = openerOf(fm)
	if m.lock, err = lockOptions(ctx, fm); err != nil {
		return rep, err
	}
	bad, lost, err := m.mendIndex(ctx)
	if err != nil {
		return rep, err
	}
	if err := m.rebuild(ctx, bad, lost); err != nil {
		return rep, err
	}
	return m.report, nil
}

// openIndexes mends the index of a vault that is open. Its connection knows the
// index as it was.
func (m *mending) openIndexes(ctx context.Context) error {
	bad, lost, err := m.mendIndex(ctx)
	if err != nil || !lost {
		return err
	}
	if err := m.recoverIndex(ctx, true); err != nil {
		return err
	}
	if err := m.takeOut(ctx, bad); err != nil {
		return err
	}
	return m.v.refresh(ctx)
}

// mendIndex brings index blobs back from the copies, and returns the bad ones
// that no copy has, and whether anything is lost. Then it brings also those of a
// copy that the vault has no more: together they may know what the lost ones
// did.
func (m *mending) mendIndex(ctx context.Context) (bad []blob.ID, lost bool, err error) {
	there, err := indexBlobs(ctx, m.v.loc.Store)
	if err != nil {
		return nil, false, err
	}
	for _, id := range there {
		b, err := m.v.readStored(ctx, id)
		if err != nil {
			return nil, false, fmt.Errorf("read %s: %w", id, err)
		}
		if b != nil && m.open.openIndex(id, b) == nil {
			continue
		}
		m.report.Damaged++
		whole, err := m.fromCopies(ctx, id, func(b []byte) bool { return m.open.openIndex(id, b) == nil })
		if err != nil {
			return nil, false, err
		}
		if whole == nil {
			bad = append(bad, id)
			continue
		}
		if err := put(ctx, m.v.loc.Store, id, whole, m.lock); err != nil {
			return nil, false, err
		}
		m.report.Restored++
	}
	if len(bad) == 0 && len(there) > 0 {
		return nil, false, nil
	}
	return bad, true, m.bringIndex(ctx, there)
}

// bringIndex puts into the vault the index blobs of copies that it lacks. One
// that was replaced by a later one since does no harm: of two entries the later
// counts.
func (m *mending) bringIndex(ctx context.Context, there []blob.ID) error {
	for _, loc := range m.copies {
		ids, err := indexBlobs(ctx, loc.Store)
		if err != nil {
			m.v.log.WarnContext(ctx, "Copy not listed", "where", loc.Where, "err", err)
			continue
		}
		for _, id := range ids {
			if slices.Contains(there, id) {
				continue
			}
			b, err := storage.ReadBlob(ctx, loc.Store, id)
			if err != nil || m.open.openIndex(id, b) != nil {
				m.v.log.WarnContext(ctx, "Index blob of a copy not used", "where", loc.Where, "object", id, "err", err)
				continue
			}
			if err := put(ctx, m.v.loc.Store, id, b, m.lock); err != nil {
				return err
			}
			m.report.Damaged++
			m.report.Restored++
			there = append(there, id)
		}
	}
	return ctx.Err()
}

// indexBlobs lists the objects that say where things lie.
func indexBlobs(ctx context.Context, st blob.Reader) ([]blob.ID, error) {
	var ids []blob.ID
	err := st.ListBlobs(ctx, indexPrefix, func(m blob.Metadata) error {
		if _, ok := indexIV(m.BlobID); ok {
			ids = append(ids, m.BlobID)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list index: %w", err)
	}
	slices.Sort(ids)
	return ids, nil
}

// rebuild opens the repository as if the bad index blobs were not there, adds
// to its index what packs know, and only then takes the bad ones out: cut off
// at any point, the vault does not open rather than open without its past.
func (m *mending) rebuild(ctx context.Context, bad []blob.ID, lost bool) (err error) {
	base := m.v.loc.Store.Storage
	m.v.loc.Store.Storage = &without{base, bad}
	defer func() { m.v.loc.Store.Storage = base }()
	near, err := m.v.openBare(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, near.close(ctx)) }()
	m.rep, m.v.rep = near.rep, near.rep
	if lost {
		if err := m.recoverIndex(ctx, false); err != nil {
			return err
		}
		if err := m.rep.Refresh(ctx); err != nil {
			return fmt.Errorf("refresh: %w", err)
		}
	}
	if err := m.manifests(ctx); err != nil {
		return err
	}
	if err := m.takeOut(ctx, bad); err != nil {
		return err
	}
	if err := m.v.dropAllCaches(); err != nil {
		m.v.log.WarnContext(ctx, "Caches not dropped", "err", err)
	}
	return nil
}

// openBare opens a connection of its own without any cache.
func (v *Vault) openBare(ctx context.Context) (*nearby, error) {
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return nil, stateDirError(err)
	}
	dir, err := os.MkdirTemp(v.dir, nearPrefix)
	if err != nil {
		return nil, stateDirError(err)
	}
	rep, err := v.openRepository(ctx, dir, content.CachingOptions{})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &nearby{rep, dir}, nil
}

// recoverIndex adds to the index what every pack says about itself; all of it,
// or what the index lacks. Packs that don't tell are passed over: what is in
// them is lost unless something else knows where.
func (m *mending) recoverIndex(ctx context.Context, all bool) error {
	var packs []blob.Metadata
	for _, prefix := range content.PackBlobIDPrefixes {
		err := m.v.loc.Store.ListBlobs(ctx, prefix, func(b blob.Metadata) error {
			packs = append(packs, b)
			return nil
		})
		if err != nil {
			return fmt.Errorf("list packs: %w", err)
		}
	}
	return m.write(ctx, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		for i, b := range packs {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := m.recoverPack(ctx, w, b, all); err != nil {
				return err
			}
			if i%recoverFlush == recoverFlush-1 {
				if err := w.ContentManager().Flush(ctx); err != nil {
					return fmt.Errorf("write index: %w", err)
				}
			}
		}
		return nil
	})
}

func (m *mending) recoverPack(ctx context.Context, w repo.DirectRepositoryWriter, b blob.Metadata, all bool) error {
	cm := w.ContentManager()
	infos, err := cm.RecoverIndexFromPackBlob(ctx, b.BlobID, b.Length, false)
	if err != nil {
		if ctx.Err() != nil || !storage.IsDamage(err) {
			return fmt.Errorf("read what %s holds: %w", b.BlobID, err)
		}
		m.v.log.WarnContext(ctx, "Pack does not tell what it holds", "pack", b.BlobID, "err", err)
		return nil
	}
	lacks := slices.ContainsFunc(infos, func(i content.Info) bool {
		_, err := w.ContentInfo(ctx, i.ContentID)
		return errors.Is(err, content.ErrContentNotFound)
	})
	if !all && !lacks {
		return nil
	}
	if _, err := cm.RecoverIndexFromPackBlob(ctx, b.BlobID, b.Length, true); err != nil {
		return fmt.Errorf("add what %s holds: %w", b.BlobID, err)
	}
	return nil
}

// manifests mends the packs that hold manifests: nothing opens without them.
func (m *mending) manifests(ctx context.Context) error {
	err := func() error {
		if _, err := notesOf(ctx, m.rep); err != nil {
			return err
		}
		return m.dropExpired(ctx)
	}()
	if err == nil || !storage.IsDamage(err) {
		return err
	}
	packs := map[blob.ID]bool{}
	err = m.rep.ContentReader().IterateContents(ctx, content.IterateOptions{}, func(i content.Info) error {
		if i.ContentID.Prefix() == manifest.ContentPrefix {
			packs[i.PackBlobID] = true
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("list manifests: %w", err)
	}
	lost, err := m.packs(ctx, packs)
	if err != nil {
		return err
	}
	return m.forgetPieces(ctx, lost)
}

// takeOut keeps bad objects on this computer and deletes them from the storage.
func (m *mending) takeOut(ctx context.Context, bad []blob.ID) error {
	for _, id := range bad {
		b, err := m.v.readStored(ctx, id)
		if err != nil {
			return fmt.Errorf("read %s: %w", id, err)
		}
		if b != nil {
			if err := m.v.setAside(id, b); err != nil {
				return err
			}
		}
		if err := m.v.loc.Store.DeleteBlob(ctx, id); err != nil {
			return fmt.Errorf("take out %s: %w", id, err)
		}
		m.v.log.WarnContext(ctx, "Damaged index blob set aside", "object", id)
	}
	return nil
}

func (v *Vault) setAside(id blob.ID, b []byte) error {
	if err := writeFile(filepath.Join(v.dir, asideName, string(id)), b); err != nil {
		return stateDirError(err)
	}
	return nil
}

// without is a storage in which some blobs seem not to lie.
type without struct {
	blob.Storage

	ids []blob.ID
}

// ListBlobs implements [blob.Storage].
func (w *without) ListBlobs(ctx context.Context, prefix blob.ID, fn func(blob.Metadata) error) error {
	return w.Storage.ListBlobs(ctx, prefix, func(m blob.Metadata) error {
		if slices.Contains(w.ids, m.BlobID) {
			return nil
		}
		return fn(m)
	})
}
