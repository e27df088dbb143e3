package main

import (
	"context"
	"os"

	"kvart/app"
)

// storageFlags are the flags that say where a storage is and what opens it.
type storageFlags struct {
	kind         string
	set, secrets pairs
}

func (f *storageFlags) register(c *command) {
	f.set, f.secrets = pairs{}, pairs{}
	c.flags.StringVar(&f.kind, "storage", "", "kind of storage; vault storages lists them")
	c.flags.Var(f.set, "set", "a setting of the storage, `key=value`")
	c.flags.Var(f.secrets, "secret", "a secret of the storage, `key=FILE`")
}

// spec returns the storage that the flags describe.
func (f *storageFlags) spec(ctx context.Context, s app.Service) (app.StorageSpec, error) {
	secrets, err := secretsFrom(f.secrets)
	if err != nil {
		return app.StorageSpec{}, err
	}
	forms, err := s.Forms(ctx)
	if err != nil {
		return app.StorageSpec{}, err
	}
	if err := f.set.absolute(forms.Storages, app.Kind(f.kind)); err != nil {
		return app.StorageSpec{}, err
	}
	return app.StorageSpec{Kind: app.Kind(f.kind), Settings: f.set, Secrets: secrets}, nil
}

// vaultFlags are the flags of a vault to be made or opened.
type vaultFlags struct {
	storageFlags
	passphrase, shop      string
	kit, invitation, code string
	replaces, at          string
	compliance            bool
}

func (f *vaultFlags) register(c *command) {
	f.storageFlags.register(c)
	c.flags.StringVar(&f.passphrase, "passphrase-file", "", "file with the vault's passphrase")
	c.flags.BoolVar(&f.compliance, "accept-compliance", false, "a compliance lock can be lifted by nobody before it ends, and is paid for until then: accepted")
}

func (f *vaultFlags) request(ctx context.Context, s app.Service) (app.VaultRequest, error) {
	r := app.VaultRequest{Shop: f.shop, Replaces: app.ComputerID(f.replaces), AcceptCompliance: f.compliance, Secrets: app.Secrets{}}
	at, err := parseTime(f.at)
	if err != nil {
		return r, err
	}
	if f.kit != "" || f.invitation != "" {
		r.Storage.AsOf = at
		return r, f.sealed(&r)
	}
	if f.passphrase == "" {
		return r, app.Errorf(app.CodeUsage, "read flags", "--passphrase-file is missing").With("field", "passphrase-file")
	}
	spec, err := f.spec(ctx, s)
	if err != nil {
		return r, err
	}
	pass, err := secretsFrom(pairs{app.PassphraseKey: f.passphrase})
	if err != nil {
		return r, err
	}
	r.Secrets = spec.Secrets
	r.Secrets[app.PassphraseKey] = pass[app.PassphraseKey]
	r.Storage = app.StorageSpec{Kind: spec.Kind, Settings: spec.Settings, AsOf: at}
	return r, nil
}

// sealed fills in what a kit or an invitation says.
func (f *vaultFlags) sealed(r *app.VaultRequest) error {
	if f.kind != "" || f.kit != "" && f.invitation != "" {
		return app.Errorf(app.CodeUsage, "read flags", "--kit, --invitation and --storage are three ways: choose one").With("choices", "--kit, --invitation, --storage")
	}
	files := pairs{app.KitKey: f.kit}
	if f.invitation != "" {
		if f.code == "" {
			return app.Errorf(app.CodeUsage, "read flags", "--code-file is missing").With("field", "code-file")
		}
		b, err := os.ReadFile(f.invitation)
		if err != nil {
			return app.Errorf(app.CodeUsage, "read invitation", "%w", err).With("path", f.invitation)
		}
		r.Invitation = b
		files = pairs{app.InvitationKey: f.code}
	}
	var err error
	r.Secrets, err = secretsFrom(files)
	return err
}

func setupVaultCreate(c *command) func(context.Context) error {
	var f vaultFlags
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
	var f vaultFlags
	f.register(c)
	c.flags.StringVar(&f.kit, "kit", "", "file with a recovery kit's text")
	c.flags.StringVar(&f.invitation, "invitation", "", "file of computer invite")
	c.flags.StringVar(&f.code, "code-file", "", "file with the invitation's code")
	c.flags.StringVar(&f.replaces, "replaces", "", "name of the computer whose place this one takes, or none")
	c.flags.StringVar(&f.at, "at", "", "open the storage as it was at this time, for reading")
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
