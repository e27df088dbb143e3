package main

import (
	"context"

	"kvart/app"
)

// storageFlags are the flags that say where a vault lies.
type storageFlags struct {
	kind, passphrase, shop string
	set, secrets           pairs
}

func (f *storageFlags) register(c *command) {
	f.set, f.secrets = pairs{}, pairs{}
	c.flags.StringVar(&f.kind, "storage", "", "kind of storage: folder, s3")
	c.flags.Var(f.set, "set", "a setting of the storage, `key=value`")
	c.flags.Var(f.secrets, "secret", "a secret of the storage, `key=FILE`")
	c.flags.StringVar(&f.passphrase, "passphrase-file", "", "file with the vault's passphrase")
}

func (f *storageFlags) request(ctx context.Context, s app.Service) (app.VaultRequest, error) {
	if f.passphrase == "" {
		return app.VaultRequest{}, app.Errorf(app.CodeUsage, "read flags", "--passphrase-file is missing").With("field", "passphrase-file")
	}
	secrets, err := secretsFrom(f.secrets)
	if err != nil {
		return app.VaultRequest{}, err
	}
	pass, err := secretsFrom(pairs{app.PassphraseKey: f.passphrase})
	if err != nil {
		return app.VaultRequest{}, err
	}
	secrets[app.PassphraseKey] = pass[app.PassphraseKey]
	forms, err := s.Forms(ctx)
	if err != nil {
		return app.VaultRequest{}, err
	}
	if err := f.set.absolute(forms.Storages, app.Kind(f.kind)); err != nil {
		return app.VaultRequest{}, err
	}
	return app.VaultRequest{Storage: app.StorageSpec{Kind: app.Kind(f.kind), Settings: f.set}, Shop: f.shop, Secrets: secrets}, nil
}

func setupVaultCreate(c *command) func(context.Context) error {
	var f storageFlags
	f.register(c)
	c.flags.StringVar(&f.shop, "shop", "", "the shop's name")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			r, err := f.request(ctx, s)
			if err != nil {
				return err
			}
			info, err := s.CreateVault(ctx, r)
			if err != nil {
				return err
			}
			c.result(info, "%s: %s", info.Where, c.words.T("cli.vault_created"))
			return nil
		})
	}
}

func setupVaultOpen(c *command) func(context.Context) error {
	var f storageFlags
	f.register(c)
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			r, err := f.request(ctx, s)
			if err != nil {
				return err
			}
			info, err := s.OpenVault(ctx, r)
			if err != nil {
				return err
			}
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			out := struct {
				app.VaultInfo
				Sources []string `json:"sources"`
			}{info, nil}
			for _, src := range st.Sources {
				out.Sources = append(out.Sources, src.Source.Name)
			}
			c.result(out, "%s", c.words.N("cli.vault_opened", int64(len(out.Sources))))
			return nil
		})
	}
}

func setupVaultStatus(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.Status(ctx)
			if err != nil {
				return err
			}
			if st.Vault == nil {
				return app.Errorf(app.CodeVaultNone, "vault status", "none is set up")
			}
			// listing points opens the vault: what is said then is true now
			points, err := s.Points(ctx, app.PointsRequest{})
			if err != nil {
				return err
			}
			if st, err = s.Status(ctx); err != nil {
				return err
			}
			c.result(struct {
				app.VaultInfo
				Points int `json:"points"`
			}{*st.Vault, len(points)}, "%s · %s · %s", st.Vault.Shop, st.Vault.Where, c.words.N("cli.points", int64(len(points))))
			return nil
		})
	}
}

func setupVaultVerify(c *command) func(context.Context) error {
	percent := c.flags.Float64("percent", 100, "share of the files to read in full")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			r := app.VerifyRequest{Percent: *percent}
			for _, a := range c.args {
				r.Points = append(r.Points, app.PointID(a))
			}
			id, err := s.StartVerify(ctx, r)
			if err != nil {
				return err
			}
			j, err := c.wait(ctx, s, id)
			if j.Verify != nil {
				if j.Verify.Damaged == nil {
					j.Verify.Damaged = []app.Problem{}
				}
				c.result(j.Verify, "%s", c.words.T("cli.verified", map[string]any{"Points": j.Verify.Points, "Files": j.Verify.Files, "Bytes": c.words.Bytes(j.Verify.Bytes)}))
				return c.quietly(err)
			}
			return err
		})
	}
}

func setupVaultMaintain(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			id, err := s.StartMaintain(ctx)
			if err != nil {
				return err
			}
			if _, err := c.wait(ctx, s, id); err != nil {
				return err
			}
			c.result(map[string]any{"state": app.JobDone}, "%s", c.words.T("cli.maintained"))
			return nil
		})
	}
}
