package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"kvart/app"
)

// ownFiles are what Kvart makes in its data folder, in the order in which it is
// removed; "*" stands for any text. Whatever else lies there is the owner's. The
// settings go last: until then they say where the backups lie.
func ownFiles() []string {
	return []string{
		"run", "tmp", "drill", "shops", "updates", "vault", "vault-copy", app.PageName, app.PageName + ".tmp",
		"journal.db", "journal.db-wal", "journal.db-shm", "journal.db-journal", "journal.db.damaged-*",
		"kvart.log", "kvart.log.[0-9]", "crash.log", "crash.log.1",
		"secrets.json.*.tmp", "secrets.json.enc.*.tmp", "secrets.key.*.tmp", "secrets.json.enc", "secrets.key", "secrets.json",
		"settings.json.*.tmp", "settings.json.bak.*.tmp", "settings.json.bak", "settings.json", "guard.lock",
	}
}

// formatFile is the one file that no vault in a folder is without.
const formatFile = "kopia.repository.f"

// removeOwn removes what Kvart makes in its data folder, and the folder where
// nothing else lies in it; dir is absolute. What holds one of the places, or a
// vault that no setting names, stays whole. It returns the names of what stays.
// Nothing is removed where it can't be told what may be.
func removeOwn(dir string, places []string) (left []string, err error) {
	own, err := removable(dir, places)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, path := range own {
		failed = errors.Join(failed, os.RemoveAll(path))
	}
	if failed != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "remove settings", "%w", failed).With("path", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "look what is left", "%w", err).With("path", dir)
	}
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if len(left) > 0 {
		return left, nil
	}
	if err := os.Remove(dir); err != nil {
		return nil, app.Errorf(app.CodeHomeReadOnly, "remove data folder", "%w", err).With("path", dir)
	}
	return nil, nil
}

// removable returns the paths of what may be removed, in that order.
func removable(dir string, places []string) ([]string, error) {
	unsure := func(err error) error {
		return app.Errorf(app.CodeForgetUnsure, "see what is Kvart's", "%w", err).With("path", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, unsure(err)
	}
	var out []string
	for _, pattern := range ownFiles() {
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if own, err := filepath.Match(pattern, e.Name()); err != nil || !own || slices.Contains(out, path) {
				continue // the patterns are sound: a test matches each
			}
			holds, err := holdsBackups(dir, path, places)
			if err != nil {
				return nil, unsure(err)
			}
			if !holds {
				out = append(out, path)
			}
		}
	}
	return out, nil
}

// holdsBackups reports whether backups would be lost, or not be found where the
// settings name them, if a path in dir were removed.
func holdsBackups(dir, path string, places []string) (bool, error) {
	for _, place := range places {
		real, err := realPath(place)
		if err != nil {
			return false, err
		}
		for _, at := range []string{place, real} {
			within, err := leadsThrough(at, path)
			if err == nil && !within {
				within, err = same(at, dir) // a vault that lies in the data folder itself
			}
			if err != nil || within {
				return within, err
			}
		}
	}
	return holdsVault(path)
}

// realPath resolves links, also of a path whose end is not there: a disk that
// is not plugged in.
func realPath(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return real, err
	}
	up := filepath.Dir(path)
	if up == path {
		return path, nil
	}
	if real, err = realPath(up); err != nil {
		return "", err
	}
	return filepath.Join(real, filepath.Base(path)), nil
}

// leadsThrough reports whether whoever walks to a place passes through a path,
// whatever either is called there: by its name, its links, or in capitals.
func leadsThrough(place, path string) (bool, error) {
	for at := place; ; at = filepath.Dir(at) {
		if is, err := same(at, path); err != nil || is {
			return is, err
		}
		if filepath.Dir(at) == at {
			return false, nil
		}
	}
}

// same reports whether two paths are one file or folder.
func same(a, b string) (bool, error) {
	if strings.EqualFold(filepath.Clean(a), filepath.Clean(b)) {
		return true, nil // where capitals count it is one too many that stays
	}
	x, err := os.Stat(a)
	if err == nil {
		var y fs.FileInfo
		if y, err = os.Stat(b); err == nil {
			return os.SameFile(x, y), nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return false, err
}

// holdsVault reports whether a vault lies below a path. Links are not followed:
// removing does not follow them either.
func holdsVault(path string) (found bool, err error) {
	err = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && d.Name() == formatFile {
			found = true
			return fs.SkipAll
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return found, nil // removed meanwhile
	}
	return found, err
}
