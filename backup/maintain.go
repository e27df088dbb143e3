package backup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/maintenance"

	"kvart/app"
)

const (
	// strayAge is when a half-written file is taken for one a crash left, and
	// an index of the cache for one that nobody opens any more.
	strayAge = 24 * time.Hour
	// fullOverdue is how long full maintenance may wait for a quiet hour.
	fullOverdue = 48 * time.Hour
	// indexSuffix ends the names of Kopia's cached indexes, in indexFolder of
	// its cache.
	indexSuffix = ".sndx"
	indexFolder = "indexes"
)

// Maintain implements [app.Vault].
func (v *Vault) Maintain(ctx context.Context, keep app.Retention) error {
	return v.MaintainWithin(ctx, keep, true)
}

// MaintainWithin is Maintain, heavy work included only if full is set: freeing
// storage, and extending locks, which read and write for minutes. Once that has
// waited for two days it is done all the same. On a computer that does not
// maintain the vault it does nothing.
func (v *Vault) MaintainWithin(ctx context.Context, keep app.Retention, full bool) error {
	ctx = withLog(ctx, v.log)
	end, err := v.beginWriting(ctx, "maintain")
	if err != nil {
		return err
	}
	defer end()
	return v.failed(ctx, "maintain", v.maintain(ctx, keep, full))
}

func (v *Vault) maintain(ctx context.Context, keep app.Retention, full bool) error {
	mine, err := v.maintains(ctx)
	if err != nil || !mine {
		return errors.Join(err, v.sweepIndexCache(ctx))
	}
	if err := v.expire(ctx, keep); err != nil {
		return err
	}
	// A storage that refuses the lock must not stop maintenance.
	relocked, refused := v.strengthenLock(ctx)
	if err := v.settleParams(ctx); err != nil {
		return err
	}
	mode, err := v.due(ctx, full, relocked)
	if err != nil {
		return err
	}
	if err := v.run(ctx, mode); err != nil {
		return err
	}
	v.recount()
	return errors.Join(refused, v.sweepIndexCache(ctx), v.loc.Sweep(ctx, strayAge))
}

// due tells which maintenance to run now. A time that lies further ahead than
// any could have been set is a clock's mistake.
func (v *Vault) due(ctx context.Context, full, force bool) (maintenance.Mode, error) {
	schedule, err := maintenance.GetSchedule(ctx, v.rep)
	if err != nil {
		return maintenance.ModeNone, fmt.Errorf("read maintenance schedule: %w", err)
	}
	params := maintenance.DefaultParams()
	nextFull := schedule.NextFullMaintenanceTime
	if nextFull.IsZero() {
		nextFull = v.marker.Created
	}
	since := func(next time.Time, every time.Duration) time.Duration {
		if late := v.now().Sub(next); late > -2*every {
			return late
		}
		return 0
	}
	late := since(nextFull, params.FullCycle.Interval)
	switch {
	case force, full && late >= 0, late > fullOverdue:
		return maintenance.ModeFull, nil
	case since(schedule.NextQuickMaintenanceTime, params.QuickCycle.Interval) >= 0:
		return maintenance.ModeQuick, nil
	}
	return maintenance.ModeNone, nil
}

// run runs Kopia's maintenance.
func (v *Vault) run(ctx context.Context, mode maintenance.Mode) error {
	if mode == maintenance.ModeNone {
		return nil
	}
	ctx, done := v.loc.Store.Bound(ctx)
	defer done()
	// Kopia's local lock is a file beside its config; the folder may be gone.
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return stateDirError(err)
	}
	err := repo.DirectWriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart maintain"}, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		return v.maintainAround(ctx, w, mode)
	})
	if err != nil {
		return fmt.Errorf("run maintenance: %w", err)
	}
	return v.refresh(ctx)
}

// expire deletes the points that keep does not keep.
func (v *Vault) expire(ctx context.Context, keep app.Retention) error {
	all, err := v.loadHeld(ctx, v.rep)
	if err != nil {
		return err
	}
	points := make([]app.Point, 0, len(all.points))
	byID := map[app.PointID]held{}
	for _, h := range all.points {
		points = append(points, h.point)
		byID[h.point.ID] = h
	}
	gone := expired(points, keep, v.now())
	if len(gone) == 0 {
		return nil
	}
	err = repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart expire"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		if err := v.noteExpired(ctx, w, gone); err != nil {
			return err
		}
		for _, p := range gone {
			if err := v.forget(ctx, w, byID[p.ID].ids...); err != nil {
				return fmt.Errorf("delete point %s: %w", p.ID, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("expire: %w", err)
	}
	return v.refresh(ctx)
}

// sweepIndexCache removes from this computer cached indexes that the storage
// has no more, and what a crash left half-written: neither counts towards the
// limits of Kopia's caches.
func (v *Vault) sweepIndexCache(ctx context.Context) error {
	cache := v.usualCache().CacheDirectory
	if cache == "" {
		return nil
	}
	there, err := v.rep.IndexBlobs(ctx, true)
	if err != nil {
		return fmt.Errorf("list index: %w", err)
	}
	known := map[blob.ID]bool{}
	for _, b := range there {
		known[b.BlobID] = true
	}
	dir := filepath.Join(cache, indexFolder)
	files, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return stateDirError(err)
	}
	var errs []error
	for _, f := range files {
		if id, ok := strings.CutSuffix(f.Name(), indexSuffix); ok && known[blob.ID(id)] {
			continue
		}
		info, err := f.Info()
		if err != nil || time.Since(info.ModTime()) < strayAge {
			continue // gone already, or still in use by somebody
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, stateDirError(err))
		}
	}
	return errors.Join(errs...)
}
