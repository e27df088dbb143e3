package main

import (
	"context"

	"kvart/app"
	"kvart/assets"
)

func setupVaultStorages(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			forms, err := s.Forms(ctx)
			if err != nil {
				return err
			}
			for _, k := range forms.Storages {
				c.line("%-8s %s", k.Kind, c.words.T("storage."+string(k.Kind)))
				for _, f := range k.Fields {
					flag := "--set"
					if f.Type == app.FieldSecret {
						flag = "--secret"
					}
					c.line("         %s %s: %s", flag, f.Key, c.words.T("storage."+string(k.Kind)+".field."+f.Key))
				}
			}
			return c.document(forms.Storages)
		})
	}
}

func setupVaultProbe(c *command) func(context.Context) error {
	var f storageFlags
	f.register(c)
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			spec, err := f.spec(ctx, s)
			if err != nil {
				return err
			}
			rep, err := s.ProbeStorage(ctx, spec)
			if err != nil {
				return err
			}
			for _, w := range rep.Warnings {
				title, meaning, _ := assets.ErrorWords(c.words, w)
				c.line("%s: %s", title, meaning)
			}
			c.result(rep, "%s", c.words.T("cli.probed", map[string]any{"Ms": rep.RoundTrip.Milliseconds()}))
			return nil
		})
	}
}

func setupVaultCheck(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			id, err := s.StartCheck(ctx)
			if err != nil {
				return err
			}
			j, err := c.wait(ctx, s, id)
			if j.Check == nil {
				return err
			}
			c.result(j.Check, "%s", c.words.T("cli.checked", map[string]any{
				"Bytes": c.words.Bytes(j.Check.Bytes), "Total": c.words.Bytes(j.Check.BytesTotal), "Unread": c.words.Bytes(j.Check.Unread),
			}))
			return c.quietly(err)
		})
	}
}

func setupVaultRepair(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			id, err := s.StartRepair(ctx)
			if err != nil {
				return err
			}
			j, err := c.wait(ctx, s, id)
			if j.Repair == nil {
				return err
			}
			c.result(j.Repair, "%s", c.words.T("cli.repaired", map[string]any{
				"Damaged": j.Repair.Damaged, "Restored": j.Repair.Restored, "Forgotten": j.Repair.Forgotten,
			}))
			return c.quietly(err)
		})
	}
}

func setupVaultLock(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			proof, err := s.ProveLock(ctx)
			if err != nil {
				return err
			}
			c.result(proof, "%s", c.words.T("cli.lock."+string(proof.State)))
			switch proof.State {
			case app.LockOpen:
				return c.quietly(app.Errorf(app.CodeLockOpen, "prove lock", "the storage deleted the probe"))
			case app.LockLifted:
				return c.quietly(app.Errorf(app.CodeLockLifted, "prove lock", "the key may lift the lock"))
			}
			return nil
		})
	}
}

func setupVaultRewind(c *command) func(context.Context) error {
	yes := c.flags.Bool("yes", false, "do it")
	return func(ctx context.Context) error {
		if !*yes {
			return app.Errorf(app.CodeUsage, "rewind storage", "--yes is missing").With("field", "yes")
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if err := s.Rewind(ctx); err != nil {
				return err
			}
			c.result(map[string]any{"state": app.JobDone}, "%s", c.words.T("cli.rewound"))
			return nil
		})
	}
}

func setupVaultPassword(c *command) func(context.Context) error {
	file := c.flags.String("new-passphrase-file", "", "file with the new passphrase")
	return func(ctx context.Context) error {
		if *file == "" {
			return app.Errorf(app.CodeUsage, "read flags", "--new-passphrase-file is missing").With("field", "new-passphrase-file")
		}
		secrets, err := secretsFrom(pairs{app.PassphraseKey: *file})
		if err != nil {
			return err
		}
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			if err := s.ChangePassphrase(ctx, app.PassphraseRequest{Secrets: secrets}); err != nil {
				return err
			}
			c.result(map[string]any{"state": app.JobDone}, "%s", c.words.T("cli.passphrase_changed"))
			return nil
		})
	}
}

func setupVaultKeep(c *command) func(context.Context) error {
	n := map[string]*int{}
	for _, name := range []string{"latest", "hourly", "daily", "weekly", "monthly"} {
		n[name] = c.flags.Int(name, -1, "how many "+name+" backups are kept")
	}
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			set, err := s.Settings(ctx)
			if err != nil {
				return err
			}
			if set.Keep == (app.Retention{}) {
				set.Keep = app.DefaultRetention()
			}
			before := set.Keep
			for name, to := range map[string]*int{
				"latest": &set.Keep.Latest, "hourly": &set.Keep.Hourly, "daily": &set.Keep.Daily, "weekly": &set.Keep.Weekly, "monthly": &set.Keep.Monthly,
			} {
				if *n[name] >= 0 {
					*to = *n[name]
				}
			}
			if set.Keep != before {
				if err := s.SetSettings(ctx, set); err != nil {
					return err
				}
			}
			k := set.Keep
			c.result(k, "%s", c.words.T("cli.keep", map[string]any{
				"Latest": k.Latest, "Hourly": k.Hourly, "Daily": k.Daily, "Weekly": k.Weekly, "Monthly": k.Monthly,
			}))
			return nil
		})
	}
}
