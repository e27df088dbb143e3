package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"kvart/app"
	"kvart/app/autostart"
	"kvart/assets"
)

// ownFiles are what Kvart keeps in its data folder; "*" stands for an ending.
// Whatever else lies there is the owner's.
func ownFiles() []string {
	return []string{
		"settings.json*", "secrets.json*", "secrets.key", "journal.db*", "kvart.log*", "crash.log*", "*.tmp",
		"run", "vault", "shops", "tmp", "drill", "updates", "guard.lock",
	}
}

// uninstallDocument is what uninstall prints with --json.
type uninstallDocument struct {
	Backups   string `json:"backups,omitempty"` // where they stay
	Forgotten bool   `json:"forgotten"`
}

// setupUninstall makes this account ready for the programs to go: no guard, no
// start at login. Backups stay where they are, whatever is asked for.
func setupUninstall(c *command) func(context.Context) error {
	keep := c.flags.Bool("keep", false, "settings and passwords stay on this computer, which they do anyway")
	forget := c.flags.Bool("forget-secrets", false, "delete passwords, settings and journal of this computer: only the recovery kit or the passphrase opens the backups then")
	yes := c.flags.Bool("yes", false, "do it")
	return func(ctx context.Context) error {
		if *keep && *forget {
			return app.Errorf(app.CodeUsage, "uninstall", "--keep and --forget-secrets contradict each other").With("field", "forget-secrets")
		}
		if !*yes {
			return app.Errorf(app.CodeUsage, "uninstall", "nothing is done without --yes").With("field", "yes")
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
		if _, err := os.Stat(filepath.Join(c.data, "settings.json")); errors.Is(err, fs.ErrNotExist) {
			return c.document(doc) // nothing was ever set up
		}
		if doc.Backups, err = c.farewell(ctx, *forget); err != nil {
			return err
		}
		if doc.Backups != "" {
			c.line("%s", c.words.T("cli.uninstall.backups", assets.Args{"Where": doc.Backups}))
		}
		if *forget {
			c.line("%s", c.words.T("cli.uninstall.forgotten"))
		} else {
			c.line("%s", c.words.T("cli.uninstall.kept"))
		}
		return c.document(doc)
	}
}

// farewell says where the backups are and, if asked to, forgets what opens them.
func (c *command) farewell(ctx context.Context, forget bool) (where string, err error) {
	g, err := newGuard(ctx, c.data, nil)
	if err != nil {
		return "", err
	}
	st, err := g.agent.Status(ctx)
	if err == nil && st.Vault != nil {
		where = st.Vault.Where
	}
	if err == nil && forget {
		err = g.agent.Forget(ctx)
	}
	if err = errors.Join(err, g.close(context.WithoutCancel(ctx))); err != nil || !forget {
		return where, err
	}
	return where, removeOwn(c.data, where)
}

// removeOwn removes what Kvart keeps in its data folder, and the folder where
// nothing else lies in it. Backups that lie inside are never touched.
func removeOwn(dir, backups string) error {
	inside, err := filepath.Rel(dir, backups)
	apart := err != nil || backups == "" || inside == ".." || strings.HasPrefix(inside, ".."+string(filepath.Separator))
	var failed error
	for _, pattern := range ownFiles() {
		paths, err := filepath.Glob(filepath.Join(escapeGlob(dir), pattern))
		failed = errors.Join(failed, err)
		for _, path := range paths {
			if first, _, _ := strings.Cut(inside, string(filepath.Separator)); !apart && (first == filepath.Base(path) || inside == ".") {
				continue
			}
			failed = errors.Join(failed, os.RemoveAll(path))
		}
	}
	if failed != nil {
		return app.Errorf(app.CodeHomeReadOnly, "remove settings", "%w", failed).With("path", dir)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look what is left: %w", err)
	}
	if len(left) > 0 {
		return nil
	}
	return os.Remove(dir)
}

// escapeGlob makes a folder's name stand for itself in a pattern.
func escapeGlob(dir string) string {
	if filepath.Separator == '\\' {
		return dir // Windows knows no escapes, and allows no * or ? in names
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}
