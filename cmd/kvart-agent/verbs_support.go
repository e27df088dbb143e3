package main

import (
	"context"

	"kvart/app"
)

// supportDoc is what "support" prints.
type supportDoc struct {
	Path  string            `json:"path"`
	Files []app.SupportFile `json:"files"`
}

func setupSupport(c *command) func(context.Context) error {
	out := c.flags.String("out", "", "where to write it: FILE.zip; without it, it is only shown")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			b, err := s.Support(ctx)
			if err != nil {
				return err
			}
			if *out == "" {
				for _, f := range b.Files {
					c.line("== %s ==\n%s", f.Name, f.Text)
				}
				return c.document(supportDoc{Files: b.Files})
			}
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			z, err := b.Zip(st.Now)
			if err != nil {
				return err
			}
			if err := app.WriteDocument(*out, z); err != nil {
				return err
			}
			c.result(supportDoc{*out, b.Files}, "%s", *out)
			return nil
		})
	}
}
