package main

import (
	"context"

	"kvart/app"
)

func setupSourceDiscover(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			found, err := s.Discover(ctx)
			if err != nil {
				return err
			}
			if found == nil {
				found = []app.Found{}
			}
			for _, f := range found {
				c.line("%-8s %-24s %10s  %s", f.Kind, f.Name, c.words.Bytes(f.Bytes), f.Settings["path"])
			}
			return c.document(found)
		})
	}
}

func setupSourceList(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			out := []app.Source{}
			for _, src := range st.Sources {
				out = append(out, src.Source)
				c.line("%-24s %-8s %s", src.Source.Name, src.Source.Kind, src.Source.Settings["path"])
			}
			return c.document(out)
		})
	}
}

func setupSourceAdd(c *command) func(context.Context) error {
	set, secrets := pairs{}, pairs{}
	name := c.flags.String("name", "", "the source's name")
	c.flags.Var(set, "set", "a setting, `key=value`")
	c.flags.Var(secrets, "secret", "a secret, `key=FILE`")
	return func(ctx context.Context) error {
		kind, err := c.arg("KIND")
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			sec, err := secretsFrom(secrets)
			if err != nil {
				return err
			}
			forms, err := s.Forms(ctx)
			if err != nil {
				return err
			}
			if err := set.absolute(forms.Sources, app.Kind(kind)); err != nil {
				return err
			}
			src, err := s.AddSource(ctx, app.AddSourceRequest{Kind: app.Kind(kind), Name: *name, Settings: set, Secrets: sec})
			if err != nil {
				return err
			}
			c.result(src, "%s", c.words.T("cli.source_added", map[string]any{"Source": src.Name}))
			return nil
		})
	}
}

func setupSourceRemove(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		name, err := c.arg("N")
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if err := s.RemoveSource(ctx, name); err != nil {
				return err
			}
			c.result(map[string]any{"removed": name}, "%s", c.words.T("cli.source_removed", map[string]any{"Source": name}))
			return nil
		})
	}
}

func setupSourceCheck(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		name, err := c.arg("N")
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			info, err := s.CheckSource(ctx, name)
			if err != nil {
				return err
			}
			c.result(info, "%s · %s", name, c.words.Bytes(info.Bytes))
			return nil
		})
	}
}

func setupSourceChange(c *command) func(context.Context) error {
	set, files := pairs{}, pairs{}
	c.flags.Var(set, "set", "a setting of the source, `key=value`")
	c.flags.Var(files, "secret", "a secret of the source, `key=FILE`")
	return func(ctx context.Context) error {
		name, err := c.arg("N")
		if err != nil {
			return err
		}
		secrets, err := secretsFrom(files)
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			forms, err := s.Forms(ctx)
			if err != nil {
				return err
			}
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			for _, src := range st.Sources {
				if src.Source.Name != name && string(src.Source.ID) != name {
					continue
				}
				if err := set.absolute(forms.Sources, src.Source.Kind); err != nil {
					return err
				}
			}
			src, err := s.ChangeSource(ctx, app.ChangeSourceRequest{Source: name, Settings: set, Secrets: secrets})
			if err != nil {
				return err
			}
			c.result(src, "%s", c.words.T("cli.source_changed", map[string]any{"Source": src.Name}))
			return nil
		})
	}
}
