package rest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"kvart/app"
)

// Plan implements [app.Restorer]. Files and Bytes are of the records picked;
// Overwrite, Create, Republish and Remove are calls that change the shop.
func (e *Engine) Plan(ctx context.Context, r app.Restore) (plan app.TargetPlan, err error) {
	if !r.Target.Original() {
		return e.planToDir(ctx, r)
	}
	s, done, err := e.begin(ctx, r, false, true)
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
	if _, err := e.writable(ctx, r.Access); err != nil {
		if app.CodeOf(err) != app.CodeSecretMissing {
			return plan, err
		}
		plan.Blockers = append(plan.Blockers, app.AsError(err))
	}
	return plan, nil
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

// Verify implements [app.Restorer]: it compares once more, and finds nothing
// left to do.
func (e *Engine) Verify(ctx context.Context, r app.Restore) (checks []app.Check, err error) {
	if !r.Target.Original() {
		return e.verifyDir(ctx, r)
	}
	s, done, err := e.begin(ctx, r, false, false)
	if err != nil {
		return nil, canceled(ctx, err)
	}
	e.mu.Lock()
	delete(e.saved, r.Access.Source.ID) // the restore ends here
	e.mu.Unlock()
	defer func() { err = canceled(ctx, errors.Join(err, done())) }()
	for _, k := range e.kinds {
		if !s.sel.touches(k) || !s.allowed(k) {
			continue
		}
		var picked app.TargetPlan
		if err := s.weigh(ctx, k, &picked); err != nil {
			return nil, err
		}
		if bad := s.broken(k); bad != nil && picked.Files > 0 {
			checks = append(checks, app.Check{Source: r.Access.Source.Name, Code: "records", Detail: fmt.Sprintf("%s: %s", k.Name, bad.Code)})
			continue
		}
		ops, err := s.plan(ctx, k)
		if err != nil {
			return nil, err
		}
		if picked.Files == 0 && len(ops) == 0 {
			continue
		}
		checks = append(checks, s.check(k, ops, picked.Files))
	}
	if len(checks) == 0 {
		checks = append(checks, app.Check{Source: r.Access.Source.Name, Code: "records", OK: true, Detail: "0"})
	}
	return checks, nil
}

// check says whether a kind is as the point has it.
func (s *restore) check(k Kind, ops []Op, picked int64) app.Check {
	c := app.Check{Source: s.r.Access.Source.Name, Code: "records", OK: len(ops) == 0, Detail: fmt.Sprintf("%s: %d", k.Name, picked)}
	if c.OK {
		return c
	}
	op := ops[slices.IndexFunc(ops, func(Op) bool { return true })]
	c.Detail = fmt.Sprintf("%s: %d differ, the first %s", k.Name, len(ops), k.place(op.Was))
	if len(op.Fields) > 0 {
		c.Detail += fmt.Sprintf(" in %s", op.Fields[0])
	}
	return c
}
