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
)

// discoverTime is how long the folders are counted.
const discoverTime = time.Second

// Discover implements [app.Discoverer] with modest suggestions: the account's
// documents and pictures, when there is something in them. None is ticked in
// advance.
func (c *Connector) Discover(ctx context.Context) ([]app.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, discoverTime)
	defer cancel()
	roots := c.Roots
	if len(roots) == 0 {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		for _, name := range []string{"Documents", "Dokument", "Pictures", "Bilder"} {
			roots = append(roots, filepath.Join(home, name))
		}
	}
	var found []app.Found
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
