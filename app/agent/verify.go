package agent

import (
	"context"

	"kvart/app"
	"kvart/app/agent/journal"
)

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
