package main

import (
	"context"

	"kvart/app"
)

func setupSourceApprove(c *command) func(context.Context) error {
	set := pairs{}
	c.flags.Var(set, "set", "a setting of the source, `key=value`: its address")
	return func(ctx context.Context) error {
		kind, err := c.arg("KIND")
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			a, err := s.Approval(ctx, app.ApprovalRequest{Kind: app.Kind(kind), Settings: set})
			if err != nil {
				return err
			}
			c.line("%s", c.words.T("approve.open", map[string]any{"App": a.App}))
			c.line("  %s", a.URL)
			c.line("%s", c.words.T("approve.then", map[string]any{"Field": a.Field, "User": a.UserField}))
			return c.document(a)
		})
	}
}
