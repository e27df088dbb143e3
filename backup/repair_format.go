package backup

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/format"

	"kvart/app"
	"kvart/backup/storage"
)

// formatOf opens the format blobs in a storage.
func formatOf(ctx context.Context, st blob.Storage, pass app.Secret, now func() time.Time) (*format.Manager, error) {
	fm, err := format.NewManager(ctx, st, "", -1, pass.Reveal(), now)
	if err != nil {
		return nil, fmt.Errorf("open format blob: %w", err)
	}
	return fm, nil
}

// format puts a format blob of an open vault back that is damaged: from what
// this computer kept of it, or from a copy.
func (m *mending) format(ctx context.Context, id blob.ID) error {
	m.report.Damaged++
	old, err := m.v.readStored(ctx, id)
	if err != nil {
		return fmt.Errorf("read %s: %w", id, err)
	}
	kept, err := keptFormat(filepath.Dir(m.v.dir), m.v.id)
	if err != nil {
		m.v.log.WarnContext(ctx, "Kept copy of the format blob not read", "err", err)
	}
	for _, from := range append([]map[string][]byte{kept}, m.formatsOfCopies(ctx)...) {
		b := from[string(id)]
		if b == nil {
			continue
		}
		fm, err := formatOf(ctx, &overlaid{m.v.loc.Store, map[blob.ID][]byte{id: b}}, m.v.passphrase(), m.v.now)
		if err != nil || fmt.Sprintf("%x", fm.UniqueID()) != m.v.id {
			continue
		}
		if old != nil {
			if err := m.v.setAside(id, old); err != nil {
				return err
			}
		}
		if err := put(ctx, m.v.loc.Store, id, b, m.lock); err != nil {
			return err
		}
		m.report.Restored++
		return nil
	}
	return app.Errorf(app.CodeVaultDamaged, "repair", "%s is damaged, and nowhere whole", id)
}

// formatsOfCopies reads the format blobs of every copy.
func (m *mending) formatsOfCopies(ctx context.Context) []map[string][]byte {
	var all []map[string][]byte
	for _, loc := range m.copies {
		blobs := map[string][]byte{}
		for _, id := range formatBlobs() {
			b, err := storage.ReadBlob(ctx, loc.Store, id)
			if err != nil {
				m.v.log.WarnContext(ctx, "Format blob of a copy not read", "where", loc.Where, "object", id, "err", err)
				continue
			}
			blobs[string(id)] = b
		}
		all = append(all, blobs)
	}
	return all
}

// rescueFormat puts back the format blobs of a vault that does not open for
// want of them. Blobs that belong to another vault, or to another passphrase,
// are not used.
func (m *mending) rescueFormat(ctx context.Context, s app.VaultSetup) error {
	loc := m.v.loc
	_, err := formatOf(ctx, loc.Store, s.Passphrase, m.v.now)
	missing := errors.Is(err, blob.ErrBlobNotFound)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, format.ErrInvalidPassword), !missing && !storage.IsDamage(err):
		return err
	}
	kept, keptErr := keptFormat(s.StateDir, s.ExpectID)
	if keptErr != nil {
		m.v.log.WarnContext(ctx, "Kept copy of the format blob not read", "err", keptErr)
	}
	sources := append(m.formatsOfCopies(ctx), kept, s.Blobs)
	for _, from := range sources {
		blobs, fm := m.fitting(ctx, s, from)
		if fm == nil {
			continue
		}
		lock, err := lockOptions(ctx, fm)
		if err != nil {
			return err
		}
		return m.putFormat(ctx, s, blobs, fmt.Sprintf("%x", fm.UniqueID()), lock)
	}
	return err
}

// fitting returns those of the blobs with which the vault's format opens, and
// with it the vault's index. As little as possible is replaced.
func (m *mending) fitting(ctx context.Context, s app.VaultSetup, from map[string][]byte) (map[blob.ID][]byte, *format.Manager) {
	repository, lock := from[string(format.KopiaRepositoryBlobID)], from[string(format.KopiaBlobCfgBlobID)]
	for _, blobs := range []map[blob.ID][]byte{
		{format.KopiaBlobCfgBlobID: lock},
		{format.KopiaRepositoryBlobID: repository},
		{format.KopiaRepositoryBlobID: repository, format.KopiaBlobCfgBlobID: lock},
	} {
		maps.DeleteFunc(blobs, func(_ blob.ID, b []byte) bool { return len(b) == 0 })
		fm, err := formatOf(ctx, &overlaid{m.v.loc.Store, blobs}, s.Passphrase, m.v.now)
		if err == nil && m.opensVault(ctx, s, fm) {
			return blobs, fm
		}
	}
	return nil, nil
}

// opensVault reports whether a format is that of the vault: whether an index
// blob opens with it, or the id is the one expected.
func (m *mending) opensVault(ctx context.Context, s app.VaultSetup, fm *format.Manager) bool {
	if s.ExpectID != "" {
		return fmt.Sprintf("%x", fm.UniqueID()) == s.ExpectID
	}
	ids, err := indexBlobs(ctx, m.v.loc.Store)
	if err != nil {
		return false
	}
	open := openerOf(fm)
	for _, id := range ids {
		if b, err := storage.ReadBlob(ctx, m.v.loc.Store, id); err == nil && open.openIndex(id, b) == nil {
			return true
		}
	}
	return false
}

// putFormat puts format blobs, what opens the vault last. What lay there is
// kept on this computer.
func (m *mending) putFormat(ctx context.Context, s app.VaultSetup, blobs map[blob.ID][]byte, id string, lock blob.PutOptions) error {
	dir, err := stateDir(s.StateDir, id)
	if err != nil {
		return err
	}
	m.v.dir = dir
	for _, id := range []blob.ID{format.KopiaBlobCfgBlobID, format.KopiaRepositoryBlobID} {
		b, ok := blobs[id]
		if !ok {
			continue
		}
		m.report.Damaged++
		old, err := storage.ReadBlob(ctx, m.v.loc.Store, id)
		switch {
		case err == nil:
			if err := m.v.setAside(id, old); err != nil {
				return err
			}
		case !errors.Is(err, blob.ErrBlobNotFound):
			return fmt.Errorf("read %s: %w", id, err)
		}
		if err := put(ctx, m.v.loc.Store, id, b, lock); err != nil {
			return err
		}
		m.report.Restored++
	}
	return nil
}

// dropAllCaches removes everything Kopia cached of the vault, which must not be
// open.
func (v *Vault) dropAllCaches() error {
	cache := v.usualCache().CacheDirectory
	if cache == "" {
		return nil
	}
	if err := os.RemoveAll(cache); err != nil {
		return fmt.Errorf("drop caches: %w", err)
	}
	return nil
}

// lockOptions returns the options with which objects are put beside Kopia, so
// that they are locked as Kopia would lock them.
func lockOptions(ctx context.Context, fm *format.Manager) (blob.PutOptions, error) {
	cfg, err := fm.BlobCfgBlob(ctx)
	if err != nil {
		return blob.PutOptions{}, fmt.Errorf("read lock settings: %w", err)
	}
	if !cfg.IsRetentionEnabled() {
		return blob.PutOptions{}, nil
	}
	return blob.PutOptions{RetentionMode: cfg.RetentionMode, RetentionPeriod: cfg.RetentionPeriod}, nil
}

// put stores an object beside Kopia and reads it back.
func put(ctx context.Context, st blob.Storage, id blob.ID, b []byte, o blob.PutOptions) error {
	if err := st.PutBlob(ctx, id, storage.Bytes(b), o); err != nil {
		return fmt.Errorf("write %s: %w", id, err)
	}
	got, err := storage.ReadBlob(ctx, st, id)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	if !slices.Equal(got, b) {
		return app.Errorf(app.CodeReadBack, "read back", "%s reads differently from what was written", id)
	}
	return nil
}
