package main

import (
	"context"
	"path/filepath"

	"kvart/app"
)

func setupKit(c *command) func(context.Context) error {
	out := c.flags.String("out", "", "write the page to print to this `FILE`; recovery-kit.pdf when nothing is said")
	text := c.flags.String("text", "", "write the text, for a program or for typing, to this `FILE`")
	overwrite := c.flags.Bool("overwrite", false, "write over files that are there")
	return func(ctx context.Context) error {
		r := app.KitRequest{Files: map[app.KitFormat]string{}, Overwrite: *overwrite}
		if *out == "" && *text == "" {
			*out = "recovery-kit.pdf"
		}
		for format, path := range map[app.KitFormat]string{app.KitPDF: *out, app.KitText: *text} {
			if path == "" {
				continue
			}
			abs, err := filepath.Abs(path)
			if err != nil {
				return app.Errorf(app.CodeUsage, "read flags", "%w", err).With("path", path)
			}
			r.Files[format] = abs
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.MakeKit(ctx, r)
			if err != nil {
				return err
			}
			c.result(struct {
				app.KitState
				Files map[app.KitFormat]string `json:"files"`
			}{st, r.Files}, "%s", c.words.T("cli.kit_made", map[string]any{"Number": st.Number}))
			return nil
		})
	}
}

func setupKitConfirm(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		code, err := c.arg("CODE")
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.ConfirmKit(ctx, code)
			if err != nil {
				return err
			}
			c.result(st, "%s", c.words.T("cli.kit_confirmed", map[string]any{"Number": st.Number}))
			return nil
		})
	}
}
