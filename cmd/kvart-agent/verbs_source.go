package main

import (
	"cmp"
	"context"
	"net"

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
				c.line("%-10s %-24s %10s  %s", f.Kind, f.Name, c.words.Bytes(f.Bytes), whereOf(f.Settings))
			}
			return c.document(found)
		})
	}
}

// whereOf tells where a source lies: its path or address, or its server with
// the database after it.
func whereOf(settings map[string]string) string {
	where := cmp.Or(settings["path"], settings["url"], settings["shop"], settings["socket"], settings["host"])
	switch {
	case settings["socket"] == "" && settings["host"] != "" && settings["port"] != "":
		where = net.JoinHostPort(settings["host"], settings["port"])
	case settings["instance"] != "":
		where += `\` + settings["instance"]
	}
	if db := settings["database"]; db != "" {
		where += " " + db
	}
	return where
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
				c.line("%-24s %-8s %s", src.Source.Name, src.Source.Kind, whereOf(src.Source.Settings))
			}
			return c.document(out)
		})
	}
}

func setupSourceAdd(c *command) func(context.Context) error {
	set, secrets := pairs{}, pairs{}
	name := c.flags.String("name", "", "the source's name")
	admin := adminFlag(c)
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
			src, err := s.AddSource(ctx, app.AddSourceRequest{Kind: app.Kind(kind), Name: *name, Settings: set, Admin: *admin, Secrets: sec})
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
	set, files := pairs{}, pairs{}
	kind := c.flags.String("kind", "", "the kind of a source that is not set up: nothing of it is stored")
	c.flags.Var(set, "set", "a setting of it, `key=value`")
	c.flags.Var(files, "secret", "a secret of it, `key=FILE`")
	return func(ctx context.Context) error {
		if *kind != "" {
			return c.trySource(ctx, app.Kind(*kind), set, files)
		}
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

// trySource checks access to a source that is not set up.
func (c *command) trySource(ctx context.Context, kind app.Kind, set, files pairs) error {
	secrets, err := secretsFrom(files)
	if err != nil {
		return err
	}
	return c.with(ctx, func(ctx context.Context, s app.Service) error {
		forms, err := s.Forms(ctx)
		if err != nil {
			return err
		}
		if err := set.absolute(forms.Sources, kind); err != nil {
			return err
		}
		info, err := s.TrySource(ctx, app.AddSourceRequest{Kind: kind, Settings: set, Secrets: secrets})
		if err != nil {
			return err
		}
		c.result(info, "%s · %s", c.words.T("source."+string(kind)), c.words.Bytes(info.Bytes))
		return nil
	})
}

func setupSourceChange(c *command) func(context.Context) error {
	set, files := pairs{}, pairs{}
	admin := adminFlag(c)
	restoring := c.flags.Bool("restoring", false, "with --admin: the user "+app.BackupUser+" may also put things back, until the source is changed with --admin and without this")
	c.flags.Var(set, "set", "a setting of the source, `key=value`")
	c.flags.Var(files, "secret", "a secret of the source, `key=FILE`")
	other := arrangeFlags(c)
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
				now, all, err := other.arrange(ctx, c, s, src.Source)
				if err != nil {
					return err
				}
				if all {
					c.result(now, "%s", c.words.T("cli.source_changed", map[string]any{"Source": now.Name}))
					return nil
				}
				name = string(now.ID)
			}
			src, err := s.ChangeSource(ctx, app.ChangeSourceRequest{Source: name, Settings: set, Admin: *admin, Restoring: *restoring, Secrets: secrets})
			if err != nil {
				return err
			}
			c.result(src, "%s", c.words.T("cli.source_changed", map[string]any{"Source": src.Name}))
			return nil
		})
	}
}

func adminFlag(c *command) *string {
	return c.flags.String("admin", "", "an administrator of the source's server, who makes the user "+app.BackupUser+"; his password is the secret "+app.AdminPasswordKey)
}

func setupSourceRights(c *command) func(context.Context) error {
	set, files := pairs{}, pairs{}
	kind := c.flags.String("kind", "", "the kind of a source that is not set up yet")
	c.flags.Var(set, "set", "a setting of it, `key=value`")
	c.flags.Var(files, "secret", "a secret of it, `key=FILE`")
	return func(ctx context.Context) error {
		r := app.RightsRequest{Kind: app.Kind(*kind), Settings: set}
		var err error
		if *kind == "" {
			if r.Source, err = c.arg("N"); err != nil {
				return err
			}
		}
		if r.Secrets, err = secretsFrom(files); err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			rights, err := s.Rights(ctx, r)
			if err != nil {
				return err
			}
			c.showRights(rights)
			return c.document(rights)
		})
	}
}

func (c *command) showRights(r app.Rights) {
	c.line("%s", c.words.T("cli.rights_user", map[string]any{"User": r.User}))
	for _, part := range []struct {
		key, none string
		list      []string
	}{
		{"cli.rights_missing", "cli.rights_nothing_missing", r.Missing},
		{"cli.rights_excess", "cli.rights_nothing_excess", r.Excess},
		{"cli.rights_statements", "", r.Statements},
		{"cli.rights_restoring", "", r.Restoring},
	} {
		switch {
		case len(part.list) > 0:
			c.line("%s", c.words.T(part.key))
		case part.none != "":
			c.line("%s", c.words.T(part.none))
		}
		for _, text := range part.list {
			c.line("  %s", text)
		}
	}
}
