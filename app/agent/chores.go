package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kvart/app"
	"kvart/app/agent/journal"
)

// How often chores are done.
const (
	maintainEvery = time.Hour
	checkEvery    = 24 * time.Hour
	drillEvery    = 7 * 24 * time.Hour
	journalKept   = 400 * 24 * time.Hour
)

// rollingPercent is the share of files that the daily check of a vault that is
// far away reads in full: reading costs money and time there.
const rollingPercent = 2

// chores does what is due less often than a quarter, one thing a call, and
// nothing while other work runs.
func (a *Agent) chores(ctx context.Context) error {
	d := a.Store.Document()
	a.mu.Lock()
	reachable := a.vaultErr == nil
	a.mu.Unlock()
	if d.Vault == nil || len(d.Sources) == 0 || len(a.running()) > 0 || !reachable {
		return nil // a vault that can't be reached is tried every quarter, and that is enough
	}
	due := func(key string, every time.Duration) (bool, error) {
		last, err := a.Journal.MetaTime(ctx, key)
		age := a.Now().Sub(last)
		return err == nil && (age >= every || age < -every), err
	}
	if yes, err := due(journal.KeyMaintained, maintainEvery); err != nil || yes {
		if err != nil {
			return err
		}
		_, err := a.StartMaintain(ctx)
		return err
	}
	if yes, err := due(journal.KeyChecked, checkEvery); err != nil || yes {
		if err != nil {
			return err
		}
		r, err := a.rollingCheck(ctx, d)
		if err == nil {
			_, err = a.StartVerify(ctx, r)
		}
		return err
	}
	return a.drillDue(ctx, d)
}

// rollingCheck says what the day's check reads: the newest backup of every
// source in full where the vault is near, a sample of all where it is not.
func (a *Agent) rollingCheck(ctx context.Context, d Document) (app.VerifyRequest, error) {
	sample := app.VerifyRequest{Percent: rollingPercent}
	a.mu.Lock()
	far := a.info == nil || a.info.OffSite
	a.mu.Unlock()
	if far {
		return sample, nil
	}
	newest := app.VerifyRequest{Percent: 100}
	for _, s := range d.Sources {
		place, err := a.Journal.Place(ctx, s.ID)
		if err != nil {
			return sample, err
		}
		if place.Point != "" {
			newest.Points = append(newest.Points, place.Point)
		}
	}
	if len(newest.Points) == 0 {
		return sample, nil
	}
	return newest, nil
}

// drillDue starts the week's drill for the sources that have something to
// restore.
func (a *Agent) drillDue(ctx context.Context, d Document) error {
	var names []string
	for _, s := range d.Sources {
		last, err := a.Journal.LastDrill(ctx, s.ID)
		if err != nil {
			return err
		}
		place, err := a.Journal.Place(ctx, s.ID)
		if err != nil {
			return err
		}
		if place.Point != "" && (last == nil || a.Now().Sub(last.At).Abs() >= drillEvery) {
			names = append(names, s.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	_, err := a.StartDrill(ctx, names)
	return err
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
		if err := a.remember(ctx, v); err != nil {
			return err
		}
		if err := a.Journal.SetMetaTime(ctx, journal.KeyExpiring, a.Now()); err != nil {
			return err
		}
		if err := v.Maintain(ctx, app.DefaultRetention()); err != nil {
			a.noteSession(ctx, err)
			return err
		}
		// what was there before and is gone now was expired: forget it
		if err := a.forgetExpired(ctx, v); err != nil {
			return err
		}
		return a.Journal.Trim(ctx, a.Now().Add(-journalKept))
	})
}

// remember looks whether every point that was once verified is still in the
// vault. A vault whose index was lost opens and lists nothing: that is an
// alarm, never an empty history.
func (a *Agent) remember(ctx context.Context, v app.Vault) error {
	lost, err := a.lost(ctx, v)
	if err != nil || len(lost) == 0 {
		return err
	}
	if expiring, err := a.Journal.Meta(ctx, journal.KeyExpiring); err != nil || expiring != "" {
		// a maintenance was cut off after it had expired points
		return errors.Join(err, a.forgetExpired(ctx, v))
	}
	if err := a.setDamaged(ctx, app.CodeVaultForgot, fmt.Sprintf("%d", len(lost))); err != nil {
		return err
	}
	return app.Errorf(app.CodeVaultForgot, "look at vault", "%d points that were verified are not there any more", len(lost)).With("count", fmt.Sprint(len(lost)))
}

func (a *Agent) lost(ctx context.Context, v app.Vault) ([]app.PointID, error) {
	points, err := v.Points(ctx, app.PointFilter{Kinds: []app.PointKind{app.PointBackup, app.PointSafety, app.PointState}})
	if err != nil {
		return nil, err
	}
	there := map[app.PointID]bool{}
	for _, p := range points {
		there[p.ID] = true
	}
	verified, err := a.Journal.Verified(ctx)
	if err != nil {
		return nil, err
	}
	var lost []app.PointID
	for id := range verified {
		if !there[id] {
			lost = append(lost, id)
		}
	}
	return lost, nil
}

func (a *Agent) forgetExpired(ctx context.Context, v app.Vault) error {
	lost, err := a.lost(ctx, v)
	if err != nil {
		return err
	}
	if err := a.Journal.Forget(ctx, lost...); err != nil {
		return err
	}
	return a.Journal.SetMeta(ctx, journal.KeyExpiring, "")
}

// setDamaged keeps a finding against the vault until a check passes; "" clears.
func (a *Agent) setDamaged(ctx context.Context, code app.Code, detail string) error {
	value := ""
	if code != "" {
		value = string(code) + " " + detail
	}
	defer a.bus.poke()
	return a.Journal.SetMeta(ctx, journal.KeyDamaged, value)
}

// StartVerify implements [app.VaultService].
func (a *Agent) StartVerify(_ context.Context, r app.VerifyRequest) (app.JobID, error) {
	if a.Store.Document().Vault == nil {
		return "", app.Errorf(app.CodeVaultNone, "verify vault", "no vault is set up")
	}
	if r.Percent < 0 || r.Percent > 100 {
		return "", app.Errorf(app.CodeUsage, "verify vault", "percent is from 0 to 100, not %g", r.Percent)
	}
	return a.startWork(app.JobVerify, nil, func(ctx context.Context, j *job) error {
		j.at(app.StepVerify, "")
		v, err := a.openVault(ctx)
		if err != nil {
			return err
		}
		if err := a.Journal.SetMetaTime(ctx, journal.KeyChecked, a.Now()); err != nil {
			return err
		}
		rep, err := v.Verify(ctx, r, j)
		if err != nil {
			return err
		}
		j.update(func(s *app.Job) { s.Verify = &rep })
		return a.verified(ctx, v, r, rep)
	})
}

// verified draws the conclusions of a check: damaged points are trusted no
// longer, points read in full are, and what is lost was reported and is
// forgotten.
func (a *Agent) verified(ctx context.Context, v app.Vault, r app.VerifyRequest, rep app.VerifyReport) error {
	lost, err := a.lost(ctx, v)
	if err != nil {
		return err
	}
	if err := a.Journal.Forget(ctx, append(lost, rep.DamagedPoints...)...); err != nil {
		return err
	}
	if n := len(rep.Damaged); n > 0 {
		if err := a.setDamaged(ctx, app.CodeVaultDamaged, fmt.Sprint(n)); err != nil {
			return err
		}
		return app.Errorf(app.CodeVaultDamaged, "verify vault", "%d files in %d points can't be read, the first is %s", n, len(rep.DamagedPoints), rep.Damaged[0].Path).
			With("count", fmt.Sprint(n))
	}
	if len(lost) > 0 {
		return app.Errorf(app.CodeVaultForgot, "verify vault", "%d points that were verified are not there any more", len(lost)).With("count", fmt.Sprint(len(lost)))
	}
	if r.Percent < 100 {
		return nil
	}
	if err := a.trust(ctx, v, r.Points); err != nil || len(r.Points) > 0 {
		return err // some points being sound says nothing of the others
	}
	return a.setDamaged(ctx, "", "")
}

// distrust draws the conclusion of a point that could not be read: the vault
// has damage, and the point counts as verified no longer. Any other failure
// says nothing about the point.
func (a *Agent) distrust(ctx context.Context, id app.PointID, err error) error {
	if code := app.CodeOf(err); code != app.CodeVaultDamaged && code != app.CodeReadBack {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	return errors.Join(a.Journal.Forget(ctx, id), a.setDamaged(ctx, app.CodeVaultDamaged, "1"))
}

// trust records points that were read in full; all when none is named.
func (a *Agent) trust(ctx context.Context, v app.Vault, ids []app.PointID) error {
	points, err := v.Points(ctx, app.PointFilter{})
	if err != nil {
		return err
	}
	named := map[app.PointID]bool{}
	for _, id := range ids {
		named[id] = true
	}
	for _, p := range points {
		if len(ids) > 0 && !named[p.ID] {
			continue
		}
		if err := a.Journal.AddVerified(ctx, journal.Verified{Point: p.ID, Source: p.Source, Seq: p.Seq, At: a.Now()}); err != nil {
			return err
		}
	}
	return nil
}
