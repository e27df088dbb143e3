package agent

import (
	"context"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// How often chores are done.
const (
	maintainEvery = time.Hour
	readEvery     = time.Hour
	copyEvery     = time.Hour
	checkEvery    = 24 * time.Hour
	lockEvery     = 7 * 24 * time.Hour
	lockRetry     = 6 * time.Hour
	drillEvery    = 7 * 24 * time.Hour
	// journalKept holds last year's peak days and the four weeks before them.
	journalKept = 450 * 24 * time.Hour
)

// chores does what is due less often than a quarter, one thing a call, and
// nothing while other work runs.
func (a *Agent) chores(ctx context.Context) error {
	d := a.Store.Document()
	against, free := a.free(d)
	if rule, _ := a.held(d); rule != app.PowerGoOn || !free {
		return nil
	}
	if done, err := a.mend(ctx, against); done || err != nil {
		return err
	}
	if err := a.pinDue(ctx); err != nil {
		return err
	}
	if len(d.Sources) == 0 {
		return nil
	}
	for _, c := range []struct {
		key   string
		every time.Duration
		do    func(context.Context) error
	}{
		{journal.KeyMaintained, maintainEvery, started(a.StartMaintain)},
		{journal.KeyChecked, a.atNight(checkEvery), func(ctx context.Context) error { return a.dailyCheck(ctx, d) }},
		{journal.KeyRead, a.atNight(readEvery), started(a.StartCheck)},
	} {
		if due, err := a.due(ctx, c.key, c.every); err != nil {
			return err
		} else if due {
			return c.do(ctx)
		}
	}
	if done, err := a.copyDue(ctx, d); done || err != nil {
		return err
	}
	if done, err := a.lockDue(ctx); done || err != nil {
		return err
	}
	return a.drillDue(ctx, d)
}

// atNight is how often something heavy is done: over peak days it waits for the
// night, though not for ever.
func (a *Agent) atNight(every time.Duration) time.Duration {
	if a.calm(a.Now()) {
		return every
	}
	return max(every, heavyOverdue)
}

// free reports whether chores can be done now, and what stands against the
// vault all the same. A vault that can't be reached is tried every quarter, and
// that is enough.
func (a *Agent) free(d Document) (against *app.Error, free bool) {
	a.mu.Lock()
	against = a.vaultErr
	a.mu.Unlock()
	if d.Vault == nil || a.busy() || !d.Vault.AsOf.IsZero() {
		return against, false
	}
	return against, against == nil || against.Code == app.CodeVaultDamaged
}

// started makes a chore of what starts a job.
func started(start func(context.Context) (app.JobID, error)) func(context.Context) error {
	return func(ctx context.Context) error {
		_, err := start(ctx)
		return err
	}
}

// due reports whether what is remembered under key was done long enough ago, or
// in the clock's future.
func (a *Agent) due(ctx context.Context, key string, every time.Duration) (bool, error) {
	last, err := a.Journal.MetaTime(ctx, key)
	return err == nil && a.Now().Sub(last).Abs() >= every, err
}

// mend starts a repair where damage is known, and after it the backup that
// stores anew what the vault had to forget.
func (a *Agent) mend(ctx context.Context, against *app.Error) (done bool, err error) {
	damaged, err := a.Journal.Meta(ctx, journal.KeyDamaged)
	if err != nil {
		return false, err
	}
	mending, err := a.Journal.Meta(ctx, journal.KeyMending)
	if err != nil {
		return false, err
	}
	if mending != "" {
		if err := a.Journal.SetMeta(ctx, journal.KeyMending, ""); err != nil {
			return false, err
		}
		if _, err := a.StartBackup(ctx, nil); err != nil {
			return false, err
		}
		// once it has run: is everything there again?
		_, err := a.StartVerify(ctx, app.VerifyRequest{Percent: 100})
		return true, err
	}
	if damaged == "" && against == nil {
		return false, nil
	}
	due, err := a.due(ctx, journal.KeyRepaired, repairEvery)
	if err != nil || !due {
		return false, err
	}
	_, err = a.StartRepair(ctx)
	return true, err
}

// dailyCheck reads the newest backup of every source in full where the vault is
// near. Where it is not, it looks whether everything is there: reading costs
// money and time, and the rolling check does that in turn.
func (a *Agent) dailyCheck(ctx context.Context, d Document) error {
	r := app.VerifyRequest{}
	a.mu.Lock()
	far := a.info == nil || a.info.OffSite
	a.mu.Unlock()
	if !far {
		for _, s := range d.Sources {
			place, err := a.Journal.Place(ctx, s.ID)
			if err != nil {
				return err
			}
			if place.Point != "" {
				r.Points = append(r.Points, place.Point)
			}
		}
		if len(r.Points) > 0 {
			r.Percent = 100
		}
	}
	_, err := a.StartVerify(ctx, r)
	return err
}

// lockDue tries the lock once a week, where there is to be one.
func (a *Agent) lockDue(ctx context.Context) (done bool, err error) {
	d := a.Store.Document()
	if d.Vault.Lock.Mode == app.LockNone {
		return false, nil
	}
	proof, err := recall[app.LockProof](ctx, a.Journal, journal.KeyLock)
	if err != nil || proof != nil && a.Now().Sub(proof.At).Abs() < lockEvery {
		return false, err
	}
	// one that can't be tried must not keep the chores behind it waiting
	if due, err := a.due(ctx, journal.KeyLockTried, lockRetry); err != nil || !due {
		return false, err
	}
	if err := a.Journal.SetMetaTime(ctx, journal.KeyLockTried, a.Now()); err != nil {
		return false, err
	}
	_, err = a.ProveLock(ctx)
	return true, err
}
