package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kvart/app"
	"kvart/connectors/internal/nearby"
)

// Limits of a discovery.
const (
	discoverTime = 2500 * time.Millisecond
	countTime    = time.Second // for counting what is in the folders
)

// Discover implements [app.Discoverer] with modest suggestions: the account's
// documents and pictures, when there is something in them, and the files of
// web sites on this computer. Only a shop's are ticked in advance.
func (c *Connector) Discover(ctx context.Context) ([]app.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	if len(c.Roots) > 0 {
		return c.discover(ctx, c.Roots, nearby.Finder{})
	}
	var roots []string
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Documents", "Dokument", "Pictures", "Bilder"} {
		roots = append(roots, filepath.Join(home, name))
	}
	return c.discover(ctx, roots, nearby.New())
}

func (c *Connector) discover(ctx context.Context, roots []string, f nearby.Finder) ([]app.Found, error) {
	var found []app.Found
	for _, s := range f.Sites(ctx) {
		if s.Files != "" {
			found = append(found, c.site(ctx, s))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	var seen []fs.FileInfo
	for _, root := range roots {
		fi, err := os.Stat(root)
		if err != nil || !fi.IsDir() || slices.ContainsFunc(seen, func(o fs.FileInfo) bool { return os.SameFile(o, fi) }) {
			continue
		}
		seen = append(seen, fi)
		f := app.Found{Kind: Kind, Name: filepath.Base(root), Settings: map[string]string{fieldPath: root}, Changed: fi.ModTime()}
		files, err := measure(ctx, root, &f)
		if err != nil && ctx.Err() == nil {
			return found, err
		}
		if files > 0 {
			found = append(found, f)
		}
	}
	return found, nil
}

// site suggests the files of a web site: what can't be had again by installing
// it anew, and without what it makes by itself all the time.
func (c *Connector) site(ctx context.Context, s nearby.Site) app.Found {
	ctx, cancel := context.WithTimeout(ctx, countTime/4)
	defer cancel()
	f := app.Found{Kind: Kind, Name: s.Name, Settings: map[string]string{fieldPath: s.Files}, Changed: s.Changed, Likely: s.Shop}
	if base := filepath.Base(s.Files); s.Files != s.Dir {
		f.Name += " " + base
	} else {
		f.Settings[fieldExclude] = "/cache\n/var/cache\n/var/logs"
	}
	if _, err := measure(ctx, s.Files, &f); err != nil {
		c.log.InfoContext(ctx, "Site not measured", "connector", string(Kind), "path", s.Files, "error", err)
	}
	return f
}

var errEnough = errors.New("counted long enough")

// measure counts files until the time is up; what can't be read is passed by.
func measure(ctx context.Context, root string, f *app.Found) (files int64, err error) {
	err = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return errEnough
		}
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if fi, err := d.Info(); err == nil {
			files++
			f.Bytes += fi.Size()
			if fi.ModTime().After(f.Changed) {
				f.Changed = fi.ModTime()
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return files, err
}
