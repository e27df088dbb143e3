package backup

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/manifest"
)

// clockGrain is the least time that must lie between writing a manifest and
// deleting it. Some computers' clocks stand still for so long.
const clockGrain = 20 * time.Millisecond

// forget deletes manifests in w; those that are not there any more don't
// matter. Of a manifest and its deletion Kopia believes the later one, by the
// clocks of whoever wrote them: what a computer wrote whose clock was ahead
// could not be deleted until that time has come. Such a manifest is deleted as
// of its own time.
func (v *Vault) forget(ctx context.Context, w repo.RepositoryWriter, ids ...manifest.ID) error {
	for _, id := range ids {
		m, err := w.GetManifest(ctx, id, nil)
		if errors.Is(err, manifest.ErrNotFound) {
			continue
		}
		if err != nil {
			return fmt.Errorf("look up manifest %s: %w", id, err)
		}
		if v.now().Sub(m.ModTime) > clockGrain {
			err = w.DeleteManifest(ctx, id)
		} else {
			err = forgetAt(ctx, w, id, m.ModTime.Add(time.Millisecond))
		}
		if err != nil {
			return fmt.Errorf("delete manifest %s: %w", id, err)
		}
	}
	return nil
}

// forgetAt deletes a manifest of w's repository as of a time.
func forgetAt(ctx context.Context, w repo.RepositoryWriter, id manifest.ID, at time.Time) error {
	direct, ok := w.(repo.DirectRepositoryWriter)
	if !ok {
		return fmt.Errorf("%T is no direct writer", w)
	}
	m, err := manifest.NewManager(ctx, direct.ContentManager(), manifest.ManagerOptions{
		TimeNow: func() time.Time { return at },
	}, nil)
	if err != nil {
		return fmt.Errorf("open manifests: %w", err)
	}
	if err := m.Delete(ctx, id); err != nil {
		return err
	}
	return m.Flush(ctx)
}
