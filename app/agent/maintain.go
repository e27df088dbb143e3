package agent

import (
	"context"
	"fmt"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// upkeepLate is how long maintenance may fail before the owner is told: what it
// leaves undone costs storage, not backups.
const upkeepLate = 3 * 24 * time.Hour

// upkeep is why maintenance fails, and since when.
type upkeep struct {
	Since time.Time  `json:"since"`
	Error *app.Error `json:"error"`
}

// StartMaintain implements [app.VaultService].
func (a *Agent) StartMaintain(context.Context) (app.JobID, error) {
	if a.Store.Document().Vault == nil {
		return "", app.Errorf(app.CodeVaultNone, "maintain vault", "no vault is set up")
	}
	return a.startWork(app.JobMaintain, nil, func(ctx context.Context, j *job) error {
		j.at(app.StepMaintain, "")
		v, err := a.openVault(ctx)
		if err != nil {
			return err
		}
		// tried counts as done: what fails now would fail again in a minute
		if err := a.Journal.SetMetaTime(ctx, journal.KeyMaintained, a.Now()); err != nil {
			return err
		}
		err = a.maintain(ctx, v)
		if noted := a.noteUpkeep(ctx, err); err == nil {
			err = noted
		}
		return err
	})
}

func (a *Agent) maintain(ctx context.Context, v app.Vault) error {
	if err := a.remember(ctx, v); err != nil {
		return err
	}
	kept, err := a.retention(ctx, v)
	if err != nil {
		return err
	}
	if q, ok := v.(app.QuietMaintainer); ok {
		err = q.MaintainWithin(ctx, kept, a.quiet(a.Now()))
	} else {
		err = v.Maintain(ctx, kept)
	}
	if err != nil {
		a.noteSession(ctx, err)
		return err
	}
	if _, err := a.lost(ctx, v); err != nil { // forgets what was expired
		return err
	}
	if err := a.noteUse(ctx, v); err != nil {
		return err
	}
	return a.Journal.Trim(ctx, a.Now().Add(-journalKept))
}

// noteUpkeep remembers since when maintenance has been failing.
func (a *Agent) noteUpkeep(ctx context.Context, err error) error {
	if err == nil {
		return a.Journal.SetMeta(ctx, journal.KeyUpkeep, "")
	}
	if app.CodeOf(err) == app.CodeCanceled {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	was, recallErr := recall[upkeep](ctx, a.Journal, journal.KeyUpkeep)
	if recallErr != nil {
		return recallErr
	}
	now := upkeep{Since: a.Now(), Error: app.AsError(err)}
	if was != nil {
		now.Since = was.Since
	}
	return keep(ctx, a.Journal, journal.KeyUpkeep, now)
}

// Quiet hours where the owner chose none.
const (
	quietFrom = 20
	quietTo   = 7
)

// retention is how long backups are kept: as the owner chose last, on whichever
// computer.
func (a *Agent) retention(ctx context.Context, v app.Vault) (app.Retention, error) {
	if frozen, err := a.frozen(ctx); err != nil || frozen {
		return everything(), err
	}
	if asked, err := a.unanswered(ctx); err != nil || asked {
		return everything(), err
	}
	d := a.Store.Document()
	computers, err := roster(ctx, v)
	if err != nil {
		return app.Retention{}, err
	}
	if len(computers) > 1 {
		all, err := a.states(ctx, v)
		if err != nil {
			return app.Retention{}, err
		}
		for _, st := range all {
			if st.Frozen {
				return everything(), nil // another computer asks its owner
			}
			if st.KeepSince.After(d.KeepSince) && st.KeepSince.Before(a.Now().Add(clockSlack)) {
				d.KeepSince, d.Settings.Keep = st.KeepSince, st.Settings.Keep
			}
		}
	}
	keep := d.Settings.Keep
	if keep == (app.Retention{}) {
		keep = app.DefaultRetention()
	}
	stored, err := keepStored(ctx, v, keep, a.Now())
	if err != nil {
		return app.Retention{}, err
	}
	dense := a.keepDense(keep, a.Now())
	dense.Latest = max(dense.Latest, stored.Latest)
	return dense, nil
}

// checkKeep refuses a retention under which a backup would be gone before
// anybody could miss something in it.
func checkKeep(k app.Retention) error {
	if k == (app.Retention{}) {
		return nil
	}
	for name, n := range map[string]int{"latest": k.Latest, "hourly": k.Hourly, "daily": k.Daily, "weekly": k.Weekly, "monthly": k.Monthly} {
		if n < 0 {
			return app.Errorf(app.CodeUsage, "change settings", "%s is below zero", name).With("field", name)
		}
	}
	if k.Latest < 4 || k.Daily < 7 && k.Weekly < 2 && k.Monthly < 1 {
		return app.Errorf(app.CodeUsage, "change settings", "keep at least %d quarters and %d days", 4, 7).With("field", "keep").
			With("choices", fmt.Sprintf("latest ≥ %d, daily ≥ %d", 4, 7))
	}
	return nil
}
