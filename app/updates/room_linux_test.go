package updates

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"kvart/app"
)

// The disk is full in the middle of a new version: that is said, the guard gets
// the room back, and with room again the version comes whole.
func TestUpdates_Fetch_diskFull(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("KVART-SKIP tmpfs: not root")
	}
	dir := t.TempDir()
	if err := unix.Mount("kvart-test", dir, "tmpfs", 0, "mode=0700,size=400k"); err != nil {
		t.Skipf("KVART-SKIP tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	p := newPublisher(t)
	f := p.found(t)
	if _, err := onLinux().Fetch(t.Context(), f, dir, &tally{}, noPause); app.CodeOf(err) != app.CodeUpdateRoom {
		t.Errorf("%v, want %s", err, app.CodeUpdateRoom)
	}
	if info, err := os.Stat(filepath.Join(dir, f.Name+partEnding)); err == nil && info.Size() > 0 {
		t.Errorf("%d bytes lie there still", info.Size())
	}
	if onLinux().Fetched(f, dir) != "" {
		t.Error("half a version is offered")
	}
	if err := unix.Mount("kvart-test", dir, "tmpfs", unix.MS_REMOUNT, "size=4m"); err != nil {
		t.Fatal(err)
	}
	if path, err := onLinux().Fetch(t.Context(), f, dir, &tally{}, noPause); err != nil || onLinux().Fetched(f, dir) != path {
		t.Errorf("with room again: %q, %v", path, err)
	}
}
