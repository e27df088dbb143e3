package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/kopia/kopia/repo"
	"github.com/kopia/kopia/repo/blob"
	"github.com/kopia/kopia/repo/maintenance"

	"kvart/app"
	"kvart/backup/storage"
)

const (
	// ownerIdle is how long the computer that maintains may not have done it
	// before another one takes over.
	ownerIdle = 7 * 24 * time.Hour
	// clockAgrees is how far this computer's clock and the storage's may be
	// apart for the one to judge what the other dated; Kopia maintains with no
	// more either.
	clockAgrees = 5 * time.Minute
	// clockProbe begins the names of blobs that only tell the storage's time.
	clockProbe = "kvart-probe-clock-"
)

// maintenanceType is Kopia's manifest of who maintains, and how.
const maintenanceType = "maintenance"

// ownerOf is a computer as Kopia's maintenance names its owner.
func (v *Vault) ownerOf(id app.ComputerID) string { return userOf(id) + "@" + v.host }

// maintains reports whether this computer maintains the vault. Where nobody
// does any more it becomes the one, but not yet: of two that do so at once only
// one is still the owner when it is asked again.
func (v *Vault) maintains(ctx context.Context) (bool, error) {
	own, err := v.mayStore(ctx)
	switch code := app.CodeOf(err); {
	case code == app.CodeReplaced, code == app.CodeTwoGuards:
		return false, nil // Save says so
	case err != nil:
		return false, err
	}
	free, owner, err := v.unmaintained(ctx)
	if err != nil {
		return false, err
	}
	me := v.ownerOf(v.computer.ID)
	if owner != me && !free {
		return false, nil
	}
	claim := !v.claimed && v.computer.ID != ""
	if owner == me && !claim {
		return true, nil
	}
	err = repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart owner"}, func(ctx context.Context, w repo.RepositoryWriter) error {
		if claim {
			if err := v.enter(ctx, w, own); err != nil {
				return err
			}
		}
		if owner == me {
			return nil
		}
		return v.setParams(ctx, w)
	})
	if err != nil {
		return false, fmt.Errorf("claim maintenance: %w", err)
	}
	v.claimed = v.computer.ID != ""
	if owner != me {
		v.log.InfoContext(ctx, "Maintenance taken over", "from", owner)
	}
	return owner == me, v.refresh(ctx)
}

// unmaintained reports whether this computer should take maintenance over from
// its owner.
func (v *Vault) unmaintained(ctx context.Context) (free bool, owner string, err error) {
	has, err := maintenance.HasParams(ctx, v.rep)
	if err != nil {
		return false, "", fmt.Errorf("look for maintenance parameters: %w", err)
	}
	if !has {
		return true, "", nil
	}
	params, err := maintenance.GetParams(ctx, v.rep)
	if err != nil {
		return false, "", fmt.Errorf("read maintenance parameters: %w", err)
	}
	switch params.Owner {
	case v.ownerOf(v.computer.ID):
		return false, params.Owner, nil
	case "", v.ownerOf(""):
		return true, params.Owner, nil
	}
	all, err := v.loadRoster(ctx)
	if err != nil {
		return false, "", err
	}
	for _, e := range all {
		if v.ownerOf(e.ID) == params.Owner && e.ReplacedBy != "" {
			return true, params.Owner, nil
		}
	}
	idle, err := v.ownerIsIdle(ctx)
	return idle, params.Owner, err
}

// ownerIsIdle reports whether the owner has neither maintained nor become the
// owner lately. What is dated in the future tells nothing. A clock that the
// storage does not agree with may not judge.
func (v *Vault) ownerIsIdle(ctx context.Context) (bool, error) {
	schedule, err := maintenance.GetSchedule(ctx, v.rep)
	if err != nil {
		return false, fmt.Errorf("read maintenance schedule: %w", err)
	}
	now := v.now()
	recent := func(t time.Time) bool {
		age := now.Sub(t)
		return age < ownerIdle && age > -clockAgrees
	}
	for _, runs := range schedule.Runs {
		for _, r := range runs {
			if r.Success && recent(r.End) {
				return false, nil
			}
		}
	}
	claims, err := v.rep.FindManifests(ctx, map[string]string{"type": maintenanceType})
	if err != nil {
		return false, fmt.Errorf("find maintenance parameters: %w", err)
	}
	for _, m := range claims {
		if recent(m.ModTime) {
			return false, nil
		}
	}
	skew, err := v.clockSkew(ctx)
	if err != nil {
		return false, err
	}
	if skew > clockAgrees {
		v.log.WarnContext(ctx, "Maintenance not taken over with a clock that is off", "skew", skew)
		return false, nil
	}
	return true, nil
}

// clockSkew returns how far this computer's clock and the storage's are apart,
// whichever is ahead.
func (v *Vault) clockSkew(ctx context.Context) (time.Duration, error) {
	id := blob.ID(clockProbe + strings.ToLower(v.guard))
	before := v.now()
	if err := v.loc.Base.PutBlob(ctx, id, storage.Bytes(id), blob.PutOptions{}); err != nil {
		return 0, fmt.Errorf("ask the storage's time: %w", err)
	}
	took := v.now().Sub(before)
	m, err := v.loc.Base.GetMetadata(ctx, id)
	if err = errors.Join(err, v.loc.Base.DeleteBlob(context.WithoutCancel(ctx), id)); err != nil {
		return 0, fmt.Errorf("ask the storage's time: %w", err)
	}
	return max(m.Timestamp.Sub(before).Abs()-took, 0), nil
}

// setParams makes this computer the one that maintains.
func (v *Vault) setParams(ctx context.Context, w repo.RepositoryWriter) error {
	params, err := v.wantedParams(ctx)
	if err != nil {
		return err
	}
	labels := map[string]string{"type": maintenanceType}
	old, err := w.FindManifests(ctx, labels)
	if err != nil {
		return fmt.Errorf("find maintenance parameters: %w", err)
	}
	for _, m := range old {
		if err := v.forget(ctx, w, m.ID); err != nil {
			return err
		}
	}
	if _, err := w.PutManifest(ctx, labels, params); err != nil {
		return fmt.Errorf("set maintenance parameters: %w", err)
	}
	return nil
}

// wantedParams are how this computer maintains: Kopia's defaults, and locks
// that are extended for as long as what they lock is needed.
func (v *Vault) wantedParams(ctx context.Context) (maintenance.Params, error) {
	params := maintenance.DefaultParams()
	params.Owner = v.ownerOf(v.computer.ID)
	lock, err := v.lock(ctx)
	if err != nil {
		return params, err
	}
	params.ExtendObjectLocks = lock.Mode != app.LockNone
	return params, nil
}

// settleParams corrects parameters that are not as they should be.
func (v *Vault) settleParams(ctx context.Context) error {
	want, err := v.wantedParams(ctx)
	if err != nil {
		return err
	}
	have, err := maintenance.GetParams(ctx, v.rep)
	if err != nil {
		return fmt.Errorf("read maintenance parameters: %w", err)
	}
	if have.ExtendObjectLocks == want.ExtendObjectLocks && have.FullCycle == want.FullCycle && have.QuickCycle == want.QuickCycle {
		return nil
	}
	err = repo.WriteSession(ctx, v.rep, repo.WriteSessionOptions{Purpose: "kvart maintenance"}, v.setParams)
	if err != nil {
		return fmt.Errorf("correct maintenance parameters: %w", err)
	}
	return v.refresh(ctx)
}
