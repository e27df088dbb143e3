package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"

	"kvart/app"
	"kvart/connectors/internal/volume"
)

// target returns the folder a restore writes to.
func target(r app.Restore) (string, error) {
	root, _, err := source(r.Access)
	if err != nil {
		return "", err
	}
	if r.Target.Original() {
		return root, nil
	}
	return filepath.Abs(r.Target.Dir)
}

// selection lists what a restore brings back: everything in the point, or what
// lies at and below the paths, with the folders that lead there.
func selection(ctx context.Context, r app.Restore) ([]entry, error) {
	const op = "folder: read point"
	paths := r.Paths
	if len(paths) == 0 {
		paths = []string{"."}
	}
	found := map[string]entry{}
	for _, p := range paths {
		p = path.Clean(strings.TrimSuffix(p, "/"))
		if !fs.ValidPath(p) {
			return nil, app.Errorf(app.CodeUsage, op, "%q is no path in a point", p).With("path", p)
		}
		if _, err := fs.Lstat(r.From, p); errors.Is(err, fs.ErrNotExist) && p != "." {
			return nil, app.Errorf(app.CodePathUnknown, op, "%s: %w", p, err).With("path", p)
		}
		for up := path.Dir(p); up != "."; up = path.Dir(up) {
			if err := add(r.From, up, found); err != nil {
				return nil, err
			}
		}
		err := fs.WalkDir(r.From, p, func(name string, d fs.DirEntry, err error) error {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				return err
			}
			return add(r.From, name, found)
		})
		if err != nil {
			return nil, fmt.Errorf("read %s in the point: %w", p, err)
		}
	}
	list := make([]entry, 0, len(found))
	for _, e := range found {
		list = append(list, e)
	}
	return sorted(list), nil
}

// add reads one entry of the point. A name that would leave the folder it is
// restored to, or mean a device there, is refused.
func add(from fs.FS, name string, found map[string]entry) error {
	if _, ok := found[name]; ok || name == "." {
		return nil
	}
	if !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) {
		return app.Errorf(app.CodeUsage, "folder: read point", "%q can't be a name here", name).With("path", name)
	}
	fi, err := fs.Lstat(from, name)
	if err != nil {
		return fmt.Errorf("look at %s in the point: %w", name, err)
	}
	e := entry{path: name, mtime: fi.ModTime(), mode: fi.Mode()}
	switch {
	case fi.IsDir():
	case fi.Mode()&fs.ModeSymlink != 0:
		if e.link, err = fs.ReadLink(from, name); err != nil {
			return fmt.Errorf("read link %s in the point: %w", name, err)
		}
	case fi.Mode().IsRegular():
		e.size = fi.Size()
	default:
		return nil
	}
	found[name] = e
	return nil
}

// Plan implements [app.Restorer]. Files at the target that are not in the
// point stay, so nothing is removed, but for a safety point: that one holds
// everything that lay there, and what came since goes.
func (c *Connector) Plan(ctx context.Context, r app.Restore) (app.TargetPlan, error) {
	const op = "folder: plan restore"
	dir, err := target(r)
	if err != nil {
		return app.TargetPlan{}, err
	}
	list, err := selection(ctx, r)
	if err != nil {
		return app.TargetPlan{}, err
	}
	plan := app.TargetPlan{Where: dir}
	plan.Files, plan.Bytes = total(list)
	var need int64
	for _, e := range list {
		if e.mode.IsDir() {
			continue
		}
		at := filepath.Join(dir, filepath.FromSlash(e.path))
		fi, err := os.Lstat(at)
		switch {
		case err != nil:
			plan.Create++
			need += e.size
		case !looksSame(e, fi, at):
			plan.Overwrite++
			need += e.size
			if !r.Target.Original() && len(plan.Blockers) == 0 {
				plan.Blockers = append(plan.Blockers, inTheWay(op, at))
			}
		}
	}
	if err := c.planPresent(r, dir, &plan); err != nil {
		return plan, err
	}
	plan.Blockers = append(plan.Blockers, volume.Blockers(dir, need)...)
	return plan, nil
}

// planPresent looks at what lies at the target already.
func (c *Connector) planPresent(r app.Restore, dir string, plan *app.TargetPlan) error {
	if !r.Target.Original() {
		return nil
	}
	if fi, err := os.Stat(dir); err != nil || !fi.IsDir() {
		return nil // not there, which is nothing to save, or among the blockers
	}
	plan.Exists = true
	for _, name := range r.Remove {
		if fi, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name))); err == nil && !fi.IsDir() {
			plan.Remove++
		}
	}
	return nil
}

func inTheWay(op, at string) *app.Error {
	return app.Errorf(app.CodeTargetExists, op, "%s is there already", at).With("path", at)
}

// looksSame reports whether a file at the target is, by its outside, the one
// in the point.
func looksSame(e entry, fi fs.FileInfo, at string) bool {
	if e.mode&fs.ModeSymlink != 0 {
		link, err := os.Readlink(at)
		return err == nil && link == e.link
	}
	return fi.Mode().IsRegular() && fi.Size() == e.size && fi.ModTime().Equal(e.mtime)
}

// extras returns what is at the target and not in the point, children before
// parents. Where the file system takes two spellings for one name, the file is
// the point's own and no extra.
func extras(dir string, present, list []entry) []entry {
	fold := func(s string) string { return strings.ToLower(norm.NFC.String(s)) }
	exact, folded := map[string]bool{}, map[string]string{}
	for _, e := range list {
		exact[e.path] = true
		folded[fold(e.path)] = e.path
	}
	var out []entry
	for i := len(present) - 1; i >= 0; i-- {
		e := present[i]
		if exact[e.path] {
			continue
		}
		if twin, ok := folded[fold(e.path)]; ok && sameFile(dir, e.path, twin) {
			continue
		}
		out = append(out, e)
	}
	return out
}

func sameFile(dir, a, b string) bool {
	fa, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(a)))
	if err != nil {
		return false
	}
	fb, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(b)))
	return err == nil && os.SameFile(fa, fb)
}
