package rest

import (
	"context"
	"errors"
	"fmt"

	"kvart/app"
)

// Verify implements [app.Restorer]: it compares once more, with the shop as it is
// now and not as the restore believes to have left it, and finds nothing left to
// do.
func (e *Engine) Verify(ctx context.Context, r app.Restore) (checks []app.Check, err error) {
	if !r.Target.Original() {
		return e.verifyDir(ctx, r)
	}
	s, done, err := e.begin(ctx, r, toCheck)
	if err != nil {
		return nil, canceled(ctx, err)
	}
	e.unsave(r.Access.Source.ID) // the restore ends here
	defer func() { err = canceled(ctx, errors.Join(err, done())) }()
	defer s.ungather()
	for _, k := range e.kinds {
		if !s.sel.touches(k) || !s.allowed(k) {
			continue
		}
		if bad := s.broken(k); bad != nil {
			var picked app.TargetPlan
			if err := s.weigh(ctx, k, &picked); err != nil {
				return nil, err
			}
			if picked.Files > 0 {
				checks = append(checks, app.Check{Source: r.Access.Source.Name, Code: "records", Detail: fmt.Sprintf("%s: %s", k.Name, bad.Code), Seen: []app.Seen{{Code: app.SeenRecordsUnread, Kind: k.Name, Why: bad.Code}}})
			}
			continue
		}
		ops, err := s.plan(ctx, k)
		if err != nil {
			return nil, err
		}
		if s.picked[k.Name] == 0 && len(ops) == 0 {
			continue
		}
		checks = append(checks, s.check(k, ops, s.picked[k.Name]))
	}
	if len(checks) == 0 {
		checks = append(checks, app.Check{Source: r.Access.Source.Name, Code: "records", OK: true, Detail: "0", Seen: []app.Seen{{Code: app.SeenRecordsNone}}})
	}
	return checks, nil
}

// check says whether a kind is as the point has it.
func (s *restore) check(k Kind, ops []Op, picked int64) app.Check {
	c := app.Check{Source: s.r.Access.Source.Name, Code: "records", OK: len(ops) == 0, Detail: fmt.Sprintf("%s: %d", k.Name, picked)}
	see(&c, k, ops, picked)
	if c.OK {
		return c
	}
	op := ops[0]
	c.Detail = fmt.Sprintf("%s: %d differ, the first %s", k.Name, len(ops), k.place(op.Was))
	if len(op.Fields) > 0 {
		c.Detail += fmt.Sprintf(" in %s", op.Fields[0])
	}
	return c
}
