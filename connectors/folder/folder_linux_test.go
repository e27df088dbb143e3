package folder

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// asNobody makes the calling goroutine an ordinary user to the file system:
// root may read everything.
func asNobody(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		return
	}
	runtime.LockOSThread() // and the thread ends with the test
	if err := unix.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setfsuid(0); err != nil {
			t.Error(err)
		}
	})
}

func open(t *testing.T, dirs ...string) {
	t.Helper()
	for _, dir := range dirs {
		for ; strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestConnector_Capture_closedToUs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shopFolder(t, dir)
	root := s.Settings[fieldPath]
	put(t, filepath.Join(root, "locked", "x"), "x")
	open(t, root, filepath.Join(root, "under", "djupt"), filepath.Join(root, "mapp"), filepath.Join(root, "tom mapp"))
	for name, mode := range map[string]os.FileMode{"a.txt": 0, "empty": 0o644, composed: 0o644, "under/djupt/b.txt": 0o644, "mapp/" + strings.Repeat("n", 251) + ".txt": 0o644, "locked": 0} {
		if err := os.Chmod(filepath.Join(root, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	out := t.TempDir()
	open(t, out)
	asNobody(t)
	c := captured(t, s, "")
	problems := map[string]app.Code{}
	for item, err := range c.Items {
		if err != nil {
			t.Fatal(err)
		}
		if !item.Optional {
			t.Errorf("%s is not optional", item.Path)
		}
		if item.Open == nil {
			continue
		}
		r, err := item.Open(t.Context())
		if err != nil {
			problems[item.Path] = app.CodeOf(err)
			continue
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if len(problems) != 2 || problems["locked"] != app.CodeItemUnreadable || problems["a.txt"] != app.CodeItemUnreadable {
		t.Errorf("problems %v", problems)
	}
	if got := c.Stats()["files"]; got != 4 {
		t.Errorf("%d files counted", got)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	s.Settings[fieldPath] = filepath.Join(root, "locked")
	_, err := newConnector().Capture(t.Context(), app.Access{Source: s}, "")
	if app.CodeOf(err) != app.CodeSourceUnreadable {
		t.Errorf("closed root: %v", err)
	}
}

func TestConnector_Capture_strangeFiles(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	put(t, filepath.Join(root, "a"), "a")
	put(t, filepath.Join(root, "pr\xe4s.txt"), "latin")
	if err := syscall.Mkfifo(filepath.Join(root, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir, problems := connectortest.Collect(t, captured(t, folderOf(root), ""))
	if len(problems) != 1 || app.CodeOf(problems[`pr\xe4s.txt`]) != app.CodeItemUnreadable {
		t.Errorf("problems %v", problems)
	}
	// Neither keeps a restore from being taken back, and neither is lost.
	safety, _ := connectortest.Collect(t, present(t, folderOf(root)))
	for _, raw := range []bool{false, true} {
		r := app.Restore{Access: app.Access{Source: folderOf(root)}, From: os.DirFS(dir), Raw: raw}
		if raw {
			r.From = os.DirFS(safety)
		}
		if err := newConnector().Apply(t.Context(), r, connectortest.Silent{}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(filepath.Join(root, "pr\xe4s.txt")); err != nil {
		t.Error(err)
	}
}
