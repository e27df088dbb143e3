package main

import (
	"context"
	"os"
	"runtime"

	"kvart/app"
	"kvart/app/updates"
	"kvart/assets"
)

// dpkgList is where dpkg lists the package's files, where Kvart came as one.
const dpkgList = "/var/lib/dpkg/info/kvart.list"

// newUpdates returns what asks feeds for this computer.
func newUpdates() *updates.Updates {
	kinds := []string{"tar.xz", "deb"}
	switch runtime.GOOS {
	case "windows":
		kinds = []string{"exe"}
	case "darwin":
		kinds = []string{"dmg"}
	default:
		if _, err := os.Stat(dpkgList); err == nil {
			kinds = []string{"deb"}
		}
	}
	return updates.New(updates.Options{System: runtime.GOOS, Arch: runtime.GOARCH, Kinds: kinds})
}

// tellUpdate prints what is known of newer versions.
func (c *command) tellUpdate(st app.UpdateStatus) error {
	args := assets.Args{"Version": st.Version, "Path": st.Path}
	if st.Newer != nil {
		args["Newer"] = st.Newer.Version
	}
	switch {
	case st.Settings.Feed == "":
		c.line("%s", c.words.T("cli.update.off"))
	case st.Newer != nil && st.Newer.File.Name == "":
		c.line("%s", c.words.T("cli.update.foreign", args))
	case st.Newer != nil:
		c.line("%s", c.words.T("cli.update.newer", args))
		if notes := st.Newer.Notes[c.words.Language()]; notes != "" {
			c.line("%s", notes)
		}
	case st.Checked.IsZero():
		c.line("%s", c.words.T("cli.update.unasked", args))
	default:
		c.line("%s", c.words.T("cli.update.none", args))
	}
	if st.Path != "" {
		c.line("%s", c.words.T("cli.update.ready", args))
		if how := "cli.update.how." + st.Newer.File.Kind; c.words.Has(how) {
			c.line("%s", c.words.T(how, args))
		}
	}
	return c.document(st)
}

func setupUpdateCheck(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.CheckUpdate(ctx)
			if err != nil {
				return err
			}
			return c.tellUpdate(st)
		})
	}
}

func setupUpdateDownload(c *command) func(context.Context) error {
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			st, err := s.CheckUpdate(ctx)
			if err != nil {
				return err
			}
			if st.Newer == nil {
				return c.tellUpdate(st)
			}
			id, err := s.StartUpdate(ctx)
			if err != nil {
				return err
			}
			if _, err := c.wait(ctx, s, id); err != nil {
				return err
			}
			if st, err = s.Updates(ctx); err != nil {
				return err
			}
			return c.tellUpdate(st)
		})
	}
}

func setupUpdateSet(c *command) func(context.Context) error {
	feed := c.flags.String("feed", "", "the feed's address, or off")
	key := c.flags.String("key", "", "the public key it is signed with")
	return func(ctx context.Context) error {
		return c.with(ctx, func(ctx context.Context, s app.Service) error {
			set := app.UpdateSettings{Feed: *feed, Key: *key}
			switch *feed {
			case "":
				return app.Errorf(app.CodeUsage, "set updates", "no address").With("field", "feed")
			case "off":
				set = app.UpdateSettings{}
			}
			st, err := s.SetUpdates(ctx, set)
			if err != nil {
				return err
			}
			return c.tellUpdate(st)
		})
	}
}
