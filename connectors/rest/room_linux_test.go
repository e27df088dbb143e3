package rest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kvart/app"
	"kvart/connectors/rest"
)

// disk mounts a disk of its own at dir, and returns what makes it larger.
func disk(t *testing.T, dir, size string) (grow func(size string)) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("KVART-SKIP tmpfs: not root")
	}
	if err := unix.Mount("kvart-test", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Skipf("KVART-SKIP tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return func(size string) {
		if err := unix.Mount("kvart-test", dir, "tmpfs", unix.MS_REMOUNT, "size="+size); err != nil {
			t.Fatal(err)
		}
	}
}

// The disk is full while the mirror is written: that is said, and what the mirror
// had is kept. With room again the capture is whole.
func TestEngine_Capture_diskFull(t *testing.T) {
	t.Parallel()
	s, _, a := newStall(t)
	dir := t.TempDir()
	grow := disk(t, dir, "512k")
	e := rest.New(s, rest.Options{Dir: dir})
	s.add("1", map[string]any{"name": "Te"})
	capture(t, e, a)
	for i := range 400 {
		s.add(fmt.Sprint(i+2), map[string]any{"name": strings.Repeat("Kaffe ", 500)})
	}
	for range 2 {
		if c, err := e.Capture(t.Context(), a, ""); app.CodeOf(err) != app.CodeTempFull {
			t.Fatalf("capture %v: %v", c, err)
		}
	}
	if at, err := filepath.Glob(filepath.Join(dir, "*", "mirror.db")); err != nil || len(at) != 1 {
		t.Errorf("mirrors %v, %v", at, err)
	}
	grow("64m")
	point, problems := capture(t, e, a)
	n := 0
	for p := range point {
		if strings.HasPrefix(p, "notes/") {
			n++
		}
	}
	if n != 401 || len(problems) > 0 {
		t.Errorf("%d records, problems %v", n, problems)
	}
}
