package agent

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"slices"

	"golang.org/x/sync/errgroup"

	"kvart/app"
)

// StartRestore implements [app.RestoreService].
func (a *Agent) StartRestore(ctx context.Context, r app.RestoreRequest) (app.JobID, error) {
	return a.startRestore(ctx, r, "")
}

// startRestore starts a restore, for a step of an incident or for "".
func (a *Agent) startRestore(ctx context.Context, r app.RestoreRequest, step string) (app.JobID, error) {
	if err := a.infected(ctx, r); err != nil {
		return "", err
	}
	sources, err := a.restorable(ctx, r)
	if err != nil {
		return "", err
	}
	a.makeWay()
	return a.startWork(app.JobRestore, sources, func(ctx context.Context, j *job) error {
		j.at(app.StepPlan, "")
		v, stand, err := a.vaultToRestore(ctx)
		if err != nil {
			return err
		}
		parts, left, err := a.parts(ctx, v, r)
		if err != nil {
			return err
		}
		defer a.closeParts(ctx, parts)
		return a.restore(ctx, j, parts, app.RestoreRecord{Target: r.Target, Left: left, Copy: stand, For: step})
	})
}

// startWork starts a job that holds the right to use vault and sources.
func (a *Agent) startWork(kind app.JobKind, sources []app.Source, work func(context.Context, *job) error) (app.JobID, error) {
	j, err := a.start(kind, sources, func(ctx context.Context, j *job) error {
		if err := a.lock(ctx); err != nil {
			return err
		}
		defer a.unlock()
		err := work(ctx, j)
		if kind == app.JobRestore || kind == app.JobUndo {
			a.tellRestore(ctx, j.snapshot(), err)
		}
		a.tellOwner(context.WithoutCancel(ctx))
		return err
	})
	if err != nil {
		return "", err
	}
	return j.snapshot().ID, nil
}

// restore plans, saves the present state, puts the parts back and checks them.
// Until the present state is saved nothing is touched.
func (a *Agent) restore(ctx context.Context, j *job, parts []*part, rec app.RestoreRecord) error {
	for _, p := range parts {
		p.restore.Agreed = true
	}
	plan, err := a.plan(ctx, parts)
	if err != nil {
		return err
	}
	if b := plan.Blocked(); b != nil {
		return b
	}
	rec.ID, rec.State, rec.Started = app.RestoreID(rand.Text()[:12]), app.RestoreSaving, a.Now()
	rec.Asked = j.snapshot().Started
	for i, p := range parts {
		rec.Sources = append(rec.Sources, app.RestoredPart{
			ID: p.source.ID, Source: p.source.Name, Point: p.point.ID, Time: p.point.Time,
			Paths: p.restore.Paths, Dir: p.restore.Target.Dir, Database: p.restore.Target.Database, Where: plan.Sources[i].Plan.Where, Raw: p.restore.Raw,
		})
	}
	if err := a.putRestore(ctx, j, rec); err != nil {
		return err
	}
	if rec.Target.Original() {
		if err := a.saveFirst(ctx, j, parts, &rec); err != nil {
			return a.failRestore(ctx, j, rec, err)
		}
		rec.Saved = a.Now()
	}
	rec.State = app.RestoreApplying
	if err := a.putRestore(ctx, j, rec); err != nil {
		return err
	}
	return a.apply(ctx, j, parts, rec)
}

// putRestore records a restore as it stands.
func (a *Agent) putRestore(ctx context.Context, j *job, rec app.RestoreRecord) error {
	rec.Sources = slices.Clone(rec.Sources)
	j.update(func(s *app.Job) { s.Restore = &rec })
	return a.Journal.PutRestore(context.WithoutCancel(ctx), rec)
}

func (a *Agent) failRestore(ctx context.Context, j *job, rec app.RestoreRecord, err error) error {
	for _, p := range rec.Sources {
		err = errors.Join(err, a.distrust(ctx, p.Point, err))
	}
	e := app.AsError(err)
	if rec.State == app.RestoreApplying && a.jobs.ctx.Err() != nil {
		// the guard ends, and nobody asked for half a shop: the next one goes on
		e = app.Errorf(app.CodeInterrupted, "restore", "cut off by the guard's end: %w", err)
	}
	rec.State, rec.Error, rec.Ended = app.RestoreFailed, e, a.Now()
	return errors.Join(err, a.putRestore(ctx, j, rec))
}

// saveFirst stores the present state of every part's original place, damaged
// or not, in one session.
func (a *Agent) saveFirst(ctx context.Context, j *job, parts []*part, rec *app.RestoreRecord) error {
	j.at(app.StepSafety, "")
	v, err := a.vaultNamed(ctx, rec.Copy)
	if err != nil {
		return err
	}
	var reqs []app.SaveRequest
	var which []int
	for i, p := range parts {
		c, err := j.present(ctx, p.restorer, p.restore.Access)
		if err != nil {
			return err
		}
		if c.Close != nil {
			defer func() {
				if err := c.Close(); err != nil {
					a.Log.WarnContext(ctx, "Present state not closed", "source", p.source.ID, "error", err)
				}
			}()
		}
		items, any, err := drain(c)
		if err != nil {
			return err
		}
		if !any {
			rec.Sources[i].Absent = true
			continue
		}
		reqs = append(reqs, app.SaveRequest{Source: p.source.ID, Name: p.source.Name, Kind: app.PointSafety, Time: a.Now(), Items: sequence(items), Far: c.Far})
		which = append(which, i)
	}
	if len(reqs) == 0 {
		return nil
	}
	results, err := v.Save(ctx, reqs, j)
	if rec.Copy == "" { // how a copy stands says nothing of the vault
		a.noteSession(ctx, err)
	}
	if err != nil {
		return err
	}
	for k, res := range results {
		if res.Err != nil {
			return res.Err
		}
		if err := a.notSaved(ctx, parts[which[k]].source.Name, res.Problems, rec); err != nil {
			return err
		}
		if !res.Point.Verified {
			return app.Errorf(app.CodeReadBack, "save present state", "point %s was not read back", res.Point.ID)
		}
		rec.Sources[which[k]].Safety = res.Point.ID
	}
	return nil
}

// drain collects a capture's items; any tells whether there is a file or link
// among them.
func drain(c *app.Capture) (items []app.Item, any bool, err error) {
	if c.Items == nil {
		return nil, false, nil
	}
	for it, err := range c.Items {
		if err != nil {
			return nil, false, err
		}
		items = append(items, it)
		any = any || !it.Mode.IsDir()
	}
	return items, any, nil
}

// sequence yields items that were collected.
func sequence(items []app.Item) func(func(app.Item, error) bool) {
	return func(yield func(app.Item, error) bool) {
		for _, it := range items {
			if !yield(it, nil) {
				return
			}
		}
	}
}

func (a *Agent) check(ctx context.Context, j *job, parts []*part, rec app.RestoreRecord) error {
	rec.Applied, rec.Sources = a.Now(), slices.Clone(rec.Sources)
	found := make([][]app.Check, len(parts))
	var g errgroup.Group
	g.SetLimit(restoresAtOnce)
	for i, p := range parts {
		if p.restore.Raw {
			continue // a safety point is brought back as it was, sound or not
		}
		g.Go(func() (err error) {
			j.at(app.StepCheck, p.source.Name)
			began := a.Now()
			found[i], err = p.restorer.Verify(ctx, p.restore)
			rec.Sources[i].CheckSeconds = a.Now().Sub(began).Seconds()
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return a.failRestore(ctx, j, rec, err)
	}
	for i, checks := range found {
		for _, c := range checks {
			c.Source = parts[i].source.Name
			rec.Checks = append(rec.Checks, c)
		}
	}
	for _, c := range rec.Checks {
		if !c.OK {
			return a.failRestore(ctx, j, rec, app.Errorf(app.CodeCheckFailed, "check restore", "%s: %s: %s", c.Source, c.Code, c.Detail).
				With("source", c.Source).With("detail", c.Detail))
		}
	}
	rec.State, rec.Ended = app.RestoreDone, a.Now()
	return a.putRestore(ctx, j, rec)
}

// stored returns the paths of a restore that lie in the point itself: none,
// meaning all, where one is a view made of it, such as a table's dump.
func stored(r app.Restore) []string {
	for _, p := range r.Paths {
		if _, err := fs.Stat(r.From, p); err != nil {
			return nil
		}
	}
	return r.Paths
}

// nowhere is progress that nobody looks at.
type nowhere struct{}

func (nowhere) Expect(int64, int64) {}
func (nowhere) Done(int64, int64)   {}

// Restores implements [app.RestoreService].
func (a *Agent) Restores(ctx context.Context) ([]app.RestoreRecord, error) {
	return a.Journal.Restores(ctx)
}
