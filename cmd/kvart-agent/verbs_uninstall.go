package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kvart/app"
	"kvart/app/agent"
	"kvart/app/autostart"
	"kvart/app/config"
	"kvart/assets"
	"kvart/backup/storage"
)

// uninstallDocument is what uninstall prints with --json.
type uninstallDocument struct {
	Backups   string `json:"backups,omitempty"` // where they stay
	Forgotten bool   `json:"forgotten"`
	// Left are the names of what stays in the data folder: it is the owner's.
	Left []string `json:"left,omitempty"`
}

// setupUninstall makes this account ready for the programs to go: no guard, no
// start at login. Backups stay where they are, whatever is asked for.
func setupUninstall(c *command) func(context.Context) error {
	keep := c.flags.Bool("keep", false, "settings and passwords stay on this computer, which they do anyway")
	forget := c.flags.Bool("forget-secrets", false, "delete passwords, settings and journal of this computer: only the recovery kit or the passphrase opens the backups then")
	without := c.flags.Bool("without-kit", false, "also where nobody holds a recovery kit: the backups may be unreadable for ever then")
	yes := c.flags.Bool("yes", false, "do it")
	return func(ctx context.Context) error {
		switch {
		case *keep && *forget:
			return app.Errorf(app.CodeUsage, "uninstall", "--keep and --forget-secrets contradict each other").With("field", "forget-secrets")
		case *without && !*forget:
			return app.Errorf(app.CodeUsage, "uninstall", "--without-kit is of no use without --forget-secrets").With("field", "without-kit")
		case !*yes:
			return app.Errorf(app.CodeUsage, "uninstall", "nothing is done without --yes").With("field", "yes")
		}
		var err error
		if c.data, err = filepath.Abs(c.data); err != nil {
			return app.Errorf(app.CodeHomeReadOnly, "find data folder", "%w", err).With("path", c.data)
		}
		known, err := hasSettings(c.data)
		if err != nil {
			return err
		}
		if *forget {
			// before anything is done: a shop whose owner is sent away to print
			// a kit goes on being guarded
			if err := c.mayForget(known, *without); err != nil {
				return err
			}
		}
		if err := c.endGuard(ctx); err != nil {
			return err
		}
		exe, err := os.Executable()
		if err != nil {
			return app.Errorf(app.CodeInternal, "find own program", "%w", err)
		}
		if err := autostart.New([]string{exe, "run"}).Set(false); err != nil {
			return app.Errorf(app.CodeAutostart, "uninstall", "%w", err)
		}
		c.line("%s", c.words.T("cli.uninstall.done"))
		doc := uninstallDocument{Forgotten: *forget}
		if !known {
			return c.document(doc) // nothing was ever set up
		}
		if err := c.farewell(ctx, *forget, *without, &doc); err != nil {
			return err
		}
		return c.tellFarewell(doc)
	}
}

// hasSettings reports whether a data folder holds settings, or the copy that
// stands in for them.
func hasSettings(dir string) (bool, error) {
	for _, name := range []string{"settings.json", "settings.json.bak"} {
		_, err := os.Lstat(filepath.Join(dir, name))
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return false, app.Errorf(app.CodeForgetUnsure, "find settings", "%w", err).With("path", dir)
		}
	}
	return false, nil
}

// mayForget returns why nothing may be forgotten. It changes nothing, and takes
// nothing from a guard that runs.
func (c *command) mayForget(known, withoutKit bool) error {
	if !known {
		for _, name := range []string{"secrets.json", "secrets.key", "vault"} {
			if _, err := os.Lstat(filepath.Join(c.data, name)); !errors.Is(err, fs.ErrNotExist) {
				return app.Errorf(app.CodeForgetUnsure, "find backups", "%s is there, but no settings", name).With("path", c.data)
			}
		}
		return nil
	}
	store, err := config.Open(filepath.Join(c.data, "settings.json"), agent.NewDocument, agent.CheckDocument)
	if err != nil {
		return app.Errorf(app.CodeForgetUnsure, "read settings", "%w", err).With("path", c.data)
	}
	d := store.Document()
	if _, err := keptPlaces(d, c.data); err != nil {
		return err
	}
	return d.MayForget(withoutKit)
}

// keptPlaces returns where backups lie on this computer.
func keptPlaces(d agent.Document, dir string) ([]string, error) {
	places, err := d.Places(storage.Kinds())
	if err != nil {
		return nil, app.Errorf(app.CodeForgetUnsure, "find backups", "%w", err).With("path", dir)
	}
	return places, nil
}

// farewell says where the backups are and, if asked to, forgets what opens them.
func (c *command) farewell(ctx context.Context, forget, withoutKit bool, doc *uninstallDocument) error {
	g, err := newGuard(ctx, c.data, nil)
	if err != nil {
		return err
	}
	st, err := g.agent.Status(ctx)
	if err == nil && st.Vault != nil {
		doc.Backups = st.Vault.Where
	}
	var places []string
	if err == nil && forget {
		if places, err = keptPlaces(g.agent.Store.Document(), c.data); err == nil {
			err = g.agent.Forget(ctx, withoutKit)
		}
	}
	if err = errors.Join(err, g.close(context.WithoutCancel(ctx))); err != nil || !forget {
		return err
	}
	doc.Left, err = removeOwn(c.data, places)
	return err
}

func (c *command) tellFarewell(doc uninstallDocument) error {
	if doc.Backups != "" {
		c.line("%s", c.words.T("cli.uninstall.backups", assets.Args{"Where": doc.Backups}))
	}
	if doc.Forgotten {
		c.line("%s", c.words.T("cli.uninstall.forgotten"))
	} else {
		c.line("%s", c.words.T("cli.uninstall.kept"))
	}
	if len(doc.Left) > 0 {
		c.line("%s", c.words.T("cli.uninstall.left", assets.Args{"Path": c.data, "Names": strings.Join(doc.Left, ", ")}))
	}
	return c.document(doc)
}
