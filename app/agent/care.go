package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

const (
	// checkSlices is in how many hourly slices everything is read: at eight
	// hours a day that are 20 days, which leaves room to promise 30.
	checkSlices = 160
	// checkLeast is read in a slice at the least.
	checkLeast = 64 << 20
	// checkPromise is how long a stored byte may go unread.
	checkPromise = 30 * 24 * time.Hour
	// repairEvery bounds how often damage that stays is tried to be mended.
	repairEvery = 24 * time.Hour
)

// StartCheck implements [app.CareService].
func (a *Agent) StartCheck(context.Context) (app.JobID, error) {
	if a.Store.Document().Vault == nil {
		return "", app.Errorf(app.CodeVaultNone, "check vault", "no vault is set up")
	}
	return a.startWork(app.JobCheck, nil, func(ctx context.Context, j *job) error {
		j.at(app.StepVerify, "")
		v, err := a.openVault(ctx)
		if err != nil {
			return err
		}
		c, ok := v.(app.Checker)
		if !ok {
			return app.Errorf(app.CodeInternal, "check vault", "%T can't", v)
		}
		if err := a.Journal.SetMetaTime(ctx, journal.KeyRead, a.Now()); err != nil {
			return err
		}
		last, err := recall[app.CheckReport](ctx, a.Journal, journal.KeyCheck)
		if err != nil {
			return err
		}
		var total int64
		if last != nil {
			total = last.BytesTotal
		}
		rep, err := c.Check(ctx, max(total/checkSlices, checkLeast), j)
		if err != nil {
			return err
		}
		j.update(func(s *app.Job) { s.Check = &rep })
		if err := a.checked(ctx, rep); err != nil {
			return err
		}
		if len(rep.Damaged) > 0 {
			return app.Errorf(app.CodeVaultDamaged, "check vault", "%d objects can't be read, the first is %s", len(rep.Damaged), rep.Damaged[0]).
				With("count", fmt.Sprint(len(rep.Damaged)))
		}
		return nil
	})
}

// checked remembers what a check found.
func (a *Agent) checked(ctx context.Context, rep app.CheckReport) error {
	err := keep(ctx, a.Journal, journal.KeyCheck, rep)
	if len(rep.Damaged) > 0 {
		err = errors.Join(err, a.setDamaged(ctx, app.CodeVaultDamaged, fmt.Sprint(len(rep.Damaged))))
	}
	return err
}

// keep remembers a document under a key of the journal.
func keep(ctx context.Context, j *journal.Journal, key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	return j.SetMeta(ctx, key, string(b))
}

// recall returns what keep remembered, nil when nothing is.
func recall[T any](ctx context.Context, j *journal.Journal, key string) (*T, error) {
	s, err := j.Meta(ctx, key)
	if err != nil || s == "" {
		return nil, err
	}
	v := new(T)
	if err := json.Unmarshal([]byte(s), v); err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	return v, nil
}

// StartRepair implements [app.CareService].
func (a *Agent) StartRepair(context.Context) (app.JobID, error) {
	if a.Store.Document().Vault == nil {
		return "", app.Errorf(app.CodeVaultNone, "repair vault", "no vault is set up")
	}
	return a.startWork(app.JobRepair, nil, func(ctx context.Context, j *job) error {
		j.at(app.StepRepair, "")
		if err := a.Journal.SetMetaTime(ctx, journal.KeyRepaired, a.Now()); err != nil {
			return err
		}
		copies, err := a.copySpecs(ctx)
		if err != nil {
			return err
		}
		v, err := a.openVault(ctx)
		var rescued app.RepairReport
		torn := app.CodeOf(err) == app.CodeVaultDamaged
		if torn {
			if rescued, err = a.rescue(ctx, j, copies); err == nil {
				v, err = a.openVault(ctx)
			}
		}
		if err != nil {
			return err
		}
		r, ok := v.(app.Repairer)
		if !ok {
			return app.Errorf(app.CodeInternal, "repair vault", "%T can't", v)
		}
		rep, err := r.Repair(ctx, copies, j)
		if err != nil {
			return err
		}
		rep.Damaged += rescued.Damaged
		rep.Restored += rescued.Restored
		rep.Forgotten += rescued.Forgotten
		j.update(func(s *app.Job) { s.Repair = &rep })
		if err := a.repaired(ctx, rep); err != nil || !torn {
			return err
		}
		return a.remember(ctx, v) // what the index could no longer list is not there to be found damaged
	})
}

// Rescuer is implemented by providers that can mend a vault that does not even
// open.
type Rescuer interface {
	Rescue(ctx context.Context, s app.VaultSetup, copies []app.StorageSpec) (app.RepairReport, error)
}

// rescue mends a vault whose index is damaged, so that it opens again. Only
// reading everything then tells whether all of it is there.
func (a *Agent) rescue(ctx context.Context, j *job, copies []app.StorageSpec) (app.RepairReport, error) {
	r, ok := a.Vaults.(Rescuer)
	if !ok {
		return app.RepairReport{}, app.Errorf(app.CodeVaultDamaged, "repair vault", "%T can't mend an index", a.Vaults)
	}
	setup, err := a.vaultSetup(ctx, *a.Store.Document().Vault)
	if err != nil {
		return app.RepairReport{}, err
	}
	rep, err := r.Rescue(ctx, setup, copies)
	if err != nil {
		return rep, err
	}
	j.update(func(s *app.Job) { s.Repair = &rep })
	return rep, a.setDamaged(ctx, app.CodeVaultDamaged, fmt.Sprint(max(rep.Damaged, 1)))
}

// repaired draws the conclusions of a repair, which has read everything: points
// that can't be read are trusted no longer, and what the vault forgot is
// captured anew.
func (a *Agent) repaired(ctx context.Context, rep app.RepairReport) error {
	if err := a.Journal.Forget(ctx, rep.Points...); err != nil {
		return err
	}
	if rep.Forgotten > 0 {
		for _, s := range a.Store.Document().Sources {
			if err := a.Journal.ForgetPlace(ctx, s.ID); err != nil {
				return err
			}
		}
		// the backup that stores it again, and the check that finds it sound,
		// are for the chores
		if err := a.Journal.SetMeta(ctx, journal.KeyMending, "1"); err != nil {
			return err
		}
	}
	if n := len(rep.Points); n > 0 {
		if err := a.setDamaged(ctx, app.CodeVaultDamaged, fmt.Sprint(n)); err != nil {
			return err
		}
		return app.Errorf(app.CodeVaultDamaged, "repair vault", "%d backups can't be read in full", n).With("count", fmt.Sprint(n))
	}
	return a.setDamaged(ctx, "", "")
}

// ProveLock implements [app.CareService].
func (a *Agent) ProveLock(ctx context.Context) (app.LockProof, error) {
	v, err := a.openVault(ctx)
	if err != nil {
		return app.LockProof{}, err
	}
	p, ok := v.(app.LockProver)
	if !ok {
		return app.LockProof{}, app.Errorf(app.CodeLockNone, "prove lock", "%T has none", v)
	}
	proof, err := p.ProveLock(ctx)
	if err != nil {
		return proof, err
	}
	proof.At = a.Now()
	err = keep(ctx, a.Journal, journal.KeyLock, proof)
	a.tellOwner(ctx)
	a.bus.poke()
	return proof, err
}
