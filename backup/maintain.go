package backup

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/maintenance"
	"github.com/kopia/kopia/snapshot/snapshotmaintenance"

	"kvart/app"
)

// strayAge is when a half-written file is taken for one a crash left.
const strayAge = 24 * time.Hour

// Maintain implements [app.Vault].
func (v *Vault) Maintain(ctx context.Context, keep app.Retention) error {
	ctx = withLog(ctx, v.log)
	end, err := v.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	return v.failed(ctx, "maintain", v.maintain(ctx, keep))
}

func (v *Vault) maintain(ctx context.Context, keep app.Retention) error {
	if err := v.expire(ctx, keep); err != nil {
		return err
	}
	v.claimMaintenance(ctx)
	// Kopia's local lock is a file beside its config; the folder may be gone.
	if err := os.MkdirAll(v.dir, 0o700); err != nil {
		return stateDirError(err)
	}
	err := repo.DirectWriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart maintain"}, func(ctx context.Context, w repo.DirectRepositoryWriter) error {
		return snapshotmaintenance.Run(ctx, w, maintenance.ModeAuto, false, maintenance.SafetyFull)
	})
	if err != nil {
		return fmt.Errorf("run maintenance: %w", err)
	}
	if err := v.refresh(ctx); err != nil {
		return err
	}
	v.mu.Lock()
	v.sizeAt = time.Time{}
	v.mu.Unlock()
	return v.loc.sweep(ctx, strayAge)
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
	gone := expired(points, keep, time.Now())
	if len(gone) == 0 {
		return nil
	}
	err = repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart expire"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		for _, p := range gone {
			if err := w.DeleteManifest(ctx, byID[p.ID].man.ID); err != nil {
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
