package connectortest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kvart/app"
)

// Collect writes everything a capture yields to a new folder, as a vault would
// keep it, and closes the capture. Optional items that fail are in the map, by
// path.
func Collect(t *testing.T, c *app.Capture) (dir string, problems map[string]error) {
	t.Helper()
	return collect(t, c, false)
}

// collect is Collect; flat captures yield no folders.
func collect(t *testing.T, c *app.Capture, flat bool) (dir string, problems map[string]error) {
	t.Helper()
	dir = t.TempDir()
	problems = map[string]error{}
	if c.Idle {
		t.Fatal("the capture is idle")
	}
	defer func() {
		if err := errors.Join(c.Close(), c.Close()); err != nil {
			t.Errorf("close capture: %v", err)
		}
	}()
	var folders []app.Item
	for item, err := range c.Items {
		if err != nil {
			t.Fatalf("items: %v", err)
		}
		if item.Mode.IsDir() {
			folders = append(folders, item)
		}
		if flat {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, filepath.FromSlash(item.Path))), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		if err := write(t.Context(), dir, item); err != nil {
			if !item.Optional {
				t.Fatalf("item %s: %v", item.Path, err)
			}
			problems[item.Path] = err
		}
	}
	// Last and from the bottom: writing into a folder moves its time.
	for _, item := range slices.Backward(folders) {
		at := filepath.Join(dir, filepath.FromSlash(item.Path))
		if err := errors.Join(os.Chtimes(at, item.ModTime, item.ModTime), os.Chmod(at, item.Mode.Perm())); err != nil {
			t.Fatal(err)
		}
	}
	return dir, problems
}

func write(ctx context.Context, dir string, item app.Item) (err error) {
	if !fs.ValidPath(item.Path) {
		return fmt.Errorf("%q is no valid path", item.Path)
	}
	at := filepath.Join(dir, filepath.FromSlash(item.Path))
	switch {
	case item.Mode.IsDir():
		return os.MkdirAll(at, 0o755)
	case item.Mode&fs.ModeSymlink != 0:
		return os.Symlink(item.Link, at)
	}
	r, err := item.Open(ctx)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(at, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return errors.Join(err, r.Close())
	}
	n, err := io.Copy(f, r)
	err = errors.Join(err, r.Close(), f.Close())
	if err == nil && item.Size >= 0 && n != item.Size {
		err = fmt.Errorf("%s: %d bytes read, %d announced", item.Path, n, item.Size)
	}
	return errors.Join(err, os.Chmod(at, item.Mode.Perm()), os.Chtimes(at, item.ModTime, item.ModTime))
}

// Tree describes everything below dir: names, kinds, modes, sizes, times,
// links and a hash of every file. Two equal trees are equal in all of it.
func Tree(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %v", strings.TrimPrefix(at, dir), fi.Mode())
		switch {
		case fi.Mode()&fs.ModeSymlink != 0:
			link, err := os.Readlink(at)
			fmt.Fprintf(&b, " -> %s\n", link)
			return err
		case !fi.Mode().IsRegular():
			b.WriteString("\n")
			return nil
		}
		data, err := os.ReadFile(at)
		fmt.Fprintf(&b, " %d %d %x\n", fi.Size(), fi.ModTime().UnixNano(), sha256.Sum256(data))
		return err
	})
	if err != nil {
		t.Fatalf("describe %s: %v", dir, err)
	}
	return b.String()
}

// OpenBelow counts this process's descriptors of files below dir. Only Linux
// tells; elsewhere it is always 0.
func OpenBelow(t *testing.T, dir string) (open int) {
	t.Helper()
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	for _, fd := range fds {
		to, err := os.Readlink(filepath.Join("/proc/self/fd", fd.Name()))
		if err == nil && strings.HasPrefix(to, dir+string(filepath.Separator)) {
			open++
		}
	}
	return open
}

// Silent is progress nobody watches.
type Silent struct{}

// Expect implements [app.Progress].
func (Silent) Expect(int64, int64) {}

// Done implements [app.Progress].
func (Silent) Done(int64, int64) {}
