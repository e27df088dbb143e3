package agent

import (
	"context"
	"errors"
	"fmt"

	"kvart/app"
	"kvart/app/agent/journal"
)

// remember looks whether every point that was once verified is still in the
// vault. A vault whose index was lost opens and lists nothing: that is an
// alarm, never an empty history.
func (a *Agent) remember(ctx context.Context, v app.Vault) error {
	lost, err := a.lost(ctx, v)
	if err != nil || len(lost) == 0 {
		return err
	}
	if err := a.setDamaged(ctx, app.CodeVaultForgot, fmt.Sprintf("%d", len(lost))); err != nil {
		return err
	}
	return app.Errorf(app.CodeVaultForgot, "look at vault", "%d points that were verified are not there any more", len(lost)).With("count", fmt.Sprint(len(lost)))
}

// lost returns the points that were once verified and are neither there nor
// among those that some computer's maintenance let go. The latter are forgotten.
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
	var missing []app.PointID
	for id := range verified {
		if !there[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		return nil, nil
	}
	expired, err := v.Expired(ctx)
	if err != nil {
		return nil, err
	}
	let := map[app.PointID]bool{}
	for _, id := range expired {
		let[id] = true
	}
	var lost, gone []app.PointID
	for _, id := range missing {
		if let[id] {
			gone = append(gone, id)
		} else {
			lost = append(lost, id)
		}
	}
	return lost, a.Journal.Forget(ctx, gone...)
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
