package secrets

import (
	"os"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"kvart/app"
)

// TestOpen_homeReadOnly runs as a user who may not write; root, who may write
// everywhere, becomes one for files on this thread alone.
func TestOpen_homeReadOnly(t *testing.T) {
	t.Setenv(forceVar, "file")
	fresh, used := t.TempDir(), t.TempDir()
	s := mustOpen(t, used, "file")
	set(t, s, "passphrase", "x")
	for _, dir := range []string{fresh, used} {
		if err := os.Chmod(dir, 0o555); err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		runtime.LockOSThread() // and never unlocked: the thread ends with the test
		if err := unix.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := unix.Setfsuid(0); err != nil {
				t.Error(err)
			}
		}()
	}
	if _, err := open(t, fresh); app.CodeOf(err) != app.CodeHomeReadOnly || app.AsError(err).Args["path"] != fresh {
		t.Errorf("open: %v", err)
	}
	if os.Getuid() == 0 {
		return // the files of root can't be read by the other user
	}
	if err := s.SetSecret(t.Context(), "passphrase", app.NewSecret("y")); app.CodeOf(err) != app.CodeHomeReadOnly {
		t.Errorf("set: %v", err)
	}
	want(t, s, "passphrase", "x")
}
