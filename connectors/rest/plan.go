package rest

import (
	"context"
	"errors"
	"io/fs"
	"strconv"

	"kvart/app"
)

// Plan implements [app.Restorer]. Files and Bytes are of the records picked;
// Overwrite, Create, Republish and Remove are calls that change the shop.
func (e *Engine) Plan(ctx context.Context, r app.Restore) (plan app.TargetPlan, err error) {
	if !r.Target.Original() {
		return e.planToDir(ctx, r)
	}
	if r.Agreed {
		return e.ready(ctx, r)
	}
	s, done, err := e.begin(ctx, r, toPlan)
	if err != nil {
		return plan, canceled(ctx, err)
	}
	defer func() { err = canceled(ctx, errors.Join(err, done())) }()
	plan.Exists = true
	if plan.Where, err = s.m.meta(ctx, "shop"); err != nil {
		return plan, err
	}
	for _, k := range e.kinds {
		if err := s.weigh(ctx, k, &plan); err != nil {
			return plan, err
		}
		gone, err := s.removals(ctx, k)
		if err != nil {
			return plan, err
		}
		plan.Remove += int64(len(gone))
		ops, err := s.plan(ctx, k)
		if err != nil {
			return plan, err
		}
		plan.Warnings = append(plan.Warnings, s.tally(k, ops, &plan)...)
	}
	if plan.Overwrite+plan.Create+plan.Republish+plan.Remove == 0 {
		return plan, nil
	}
	if _, _, err := e.writable(ctx, r.Access); err != nil {
		if app.CodeOf(err) != app.CodeSecretMissing {
			return plan, err
		}
		plan.Blockers = append(plan.Blockers, app.AsError(err))
	}
	return plan, nil
}

// ready plans a restore that was agreed to: the shop itself is read for the safety
// point, and what has to be done is worked out from that. Without a key that can
// write it is worked out now: there may be nothing to do.
func (e *Engine) ready(ctx context.Context, r app.Restore) (app.TargetPlan, error) {
	_, name, err := e.writable(ctx, r.Access)
	if app.CodeOf(err) == app.CodeSecretMissing {
		r.Agreed = false
		return e.Plan(ctx, r)
	}
	return app.TargetPlan{Exists: true, Where: name}, canceled(ctx, err)
}

// weigh adds what was picked of a kind.
func (s *restore) weigh(ctx context.Context, k Kind, plan *app.TargetPlan) error {
	if !s.sel.touches(k) {
		return nil
	}
	return s.sel.each(ctx, k, func(at string, d fs.DirEntry) bool {
		fi, err := d.Info()
		if err == nil && s.sel.picks(at) {
			plan.Files++
			plan.Bytes += fi.Size()
		}
		return true
	}, func(want) error { return nil })
}

// tally counts the ops of a kind and returns what is worth knowing before.
func (s *restore) tally(k Kind, ops []Op, plan *app.TargetPlan) (warn []*app.Error) {
	count := func(code app.Code, n int64) {
		warn = append(warn, (&app.Error{Code: code, Op: "shop: plan restore"}).With("kind", k.Name).With("count", strconv.FormatInt(n, 10)))
	}
	var made int64
	for _, op := range ops {
		switch op.Do {
		case DoCreate:
			made++
		case DoPublish:
			plan.Republish++
		case DoUpdate:
			plan.Overwrite++
		case DoDelete:
			plan.Remove++
		}
	}
	plan.Create += made
	if made > 0 {
		for _, code := range k.Warnings {
			count(code, made)
		}
	}
	if n := s.kept[k.Name]; n > 0 {
		count(app.CodeEffectKept, n)
	}
	if n := s.manual[k.Name]; n > 0 {
		plan.Manual += n
		count(app.CodeEffectManual, n)
	}
	if bad := s.refused[k.Name]; bad != nil {
		warn = append(warn, bad)
	}
	return warn
}
