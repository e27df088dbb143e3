package agent

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"kvart/app"
)

// drillFolder holds what drills unpack; it is emptied before and after each.
const drillFolder = "drill"

// StartDrill implements [app.JobService].
func (a *Agent) StartDrill(_ context.Context, names []string) (app.JobID, error) {
	d := a.Store.Document()
	if d.Vault == nil {
		return "", app.Errorf(app.CodeVaultNone, "drill", "no vault is set up")
	}
	sources, err := d.pick(names)
	if err != nil {
		return "", err
	}
	return a.startWork(app.JobDrill, sources, func(ctx context.Context, j *job) error {
		if _, err := a.openVault(ctx); err != nil {
			return err // proves nothing of the backups, either way
		}
		var first error
		for _, s := range sources {
			res := a.drill(ctx, j, s)
			if res.Error != nil && res.Error.Code == app.CodeCanceled {
				return res.Error
			}
			if err := a.Journal.AddDrill(context.WithoutCancel(ctx), s.ID, res); err != nil {
				return err
			}
			j.update(func(st *app.Job) { st.Drills = append(st.Drills, res) })
			if !res.OK && first == nil {
				first = res.Error
			}
		}
		return first
	})
}

// drill restores a source's newest point to a safe place, checks it and says
// how long that took. Nothing real is touched.
func (a *Agent) drill(ctx context.Context, j *job, s app.Source) app.DrillResult {
	res := app.DrillResult{Source: s.Name, At: a.Now()}
	dir := filepath.Join(a.Dir, drillFolder, string(s.ID))
	err := os.RemoveAll(dir)
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = a.drillInto(ctx, j, s, dir, &res)
	}
	res.Seconds = a.Now().Sub(res.At).Seconds()
	if rmErr := os.RemoveAll(filepath.Join(a.Dir, drillFolder)); rmErr != nil {
		err = errors.Join(err, rmErr) // the shop's data must not stay behind in the clear
	}
	for _, c := range res.Checks {
		if !c.OK && err == nil {
			err = app.Errorf(app.CodeCheckFailed, "drill", "%s: %s", c.Code, c.Detail).With("source", s.Name).With("detail", c.Detail)
		}
	}
	if err == nil && len(res.Checks) == 0 {
		err = app.Errorf(app.CodeCheckFailed, "drill", "nothing was checked").With("source", s.Name)
	}
	if distrustErr := a.distrust(ctx, res.Point, err); distrustErr != nil {
		err = errors.Join(err, distrustErr)
	}
	res.Error = app.AsError(err)
	res.OK = err == nil
	return res
}

func (a *Agent) drillInto(ctx context.Context, j *job, s app.Source, dir string, res *app.DrillResult) error {
	j.at(app.StepRestore, s.Name)
	v, err := a.openVault(ctx)
	if err != nil {
		return err
	}
	point, err := a.choose(ctx, v, s, "", time.Time{})
	if err != nil {
		return err
	}
	res.Point = point.ID
	p, err := a.part(ctx, v, s, point, app.RestoreRequest{Target: app.Target{Dir: dir}})
	if err != nil {
		return err
	}
	defer a.closeParts(ctx, []*part{p})
	if err := prefetch(ctx, p.restore.From); err != nil {
		return err
	}
	if r, ok := p.restorer.(app.Rehearser); ok {
		p.restore.Target = app.Target{}
		checks, err := r.Rehearse(ctx, p.restore, dir, j)
		addChecks(res, checks)
		return err
	}
	checks, err := a.restoreInto(ctx, j, p)
	addChecks(res, checks)
	return err
}

// restoreInto restores a part to its target, where nothing is, and checks it.
func (a *Agent) restoreInto(ctx context.Context, j *job, p *part) ([]app.Check, error) {
	plan, err := p.restorer.Plan(ctx, p.restore)
	if err != nil {
		return nil, err
	}
	for _, b := range plan.Blockers {
		return nil, b
	}
	if err := p.restorer.Apply(ctx, p.restore, j); err != nil {
		return nil, err
	}
	j.at(app.StepCheck, p.source.Name)
	return p.restorer.Verify(ctx, p.restore)
}

func addChecks(res *app.DrillResult, checks []app.Check) {
	for _, c := range checks {
		c.Source = res.Source
		res.Checks = append(res.Checks, c)
	}
}
