package main

import (
	"context"
	"path/filepath"

	"kvart/app"
)

func setupComputerList(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			all, err := s.Computers(ctx)
			if err != nil {
				return err
			}
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			for _, m := range all {
				c.line("%s · %s · %s%s", m.Name, m.ID, m.Seen.Local().Format("2006-01-02 15:04"), c.roles(m, st.Self))
			}
			if all == nil {
				all = []app.Computer{}
			}
			return c.document(all)
		})
	}
}

// roles says what a computer is to the others.
func (c *command) roles(m app.Computer, self app.ComputerID) (out string) {
	for role, is := range map[string]bool{"this": m.ID == self, "maintains": m.Maintains, "replaced": m.ReplacedBy != ""} {
		if is {
			out += " · " + c.words.T("cli.computer."+role)
		}
	}
	return out
}

func setupComputerInvite(c *command) func(context.Context) error {
	out := c.flags.String("out", "", "write the invitation to this `FILE`")
	return func(ctx context.Context) error {
		if *out == "" {
			return app.Errorf(app.CodeUsage, "read flags", "--out is missing").With("field", "out")
		}
		path, err := filepath.Abs(*out)
		if err != nil {
			return app.Errorf(app.CodeUsage, "read flags", "%w", err).With("path", *out)
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			i, err := s.Invite(ctx, path)
			if err != nil {
				return err
			}
			c.result(i, "%s", c.words.T("cli.invited", map[string]any{"Code": i.Code, "Path": i.Path}))
			return nil
		})
	}
}

func setupComputerUse(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if err := s.StepIn(ctx); err != nil {
				return err
			}
			c.result(map[string]any{"state": app.JobDone}, "%s", c.words.T("cli.stepped_in"))
			return nil
		})
	}
}
