package volume

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"kvart/app"
)

func TestError(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, missing := os.Stat(filepath.Join(dir, "x"))
	_, parent := os.Stat(filepath.Join(dir, "gone", "x"))
	known := app.Errorf(app.CodeSourceDamaged, "x", "x")
	for _, tt := range []struct {
		path string
		err  error
		want app.Code
	}{
		{"x", nil, ""},
		{"x", missing, app.CodeSourceMissing},
		{"gone/x", parent, app.CodeSourceShareGone},
		{"x", os.ErrPermission, app.CodeSourceUnreadable},
		{"x", fmt.Errorf("read: %w", syscall.EIO), disconnectedCode(syscall.EIO)},
		{"x", known, app.CodeSourceDamaged},
	} {
		if got := app.CodeOf(Error("test", filepath.Join(dir, filepath.FromSlash(tt.path)), tt.err)); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.err, got, tt.want)
		}
	}
}

// disconnectedCode is what an error of the system becomes where it means that
// a disk went.
func disconnectedCode(err error) app.Code {
	if Gone(err) {
		return app.CodeSourceShareGone
	}
	return app.CodeSourceUnreadable
}

func TestUnplugged(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("drives are named otherwise there")
	}
	for path, want := range map[string]string{
		"/media/anna/USB-finns-inte/till/kassa.db": "/media/anna/USB-finns-inte",
		"/mnt/finns-inte/kassa.db":                 "/mnt/finns-inte",
		"/mnt/kassa.db":                            "",
		"/home/finns-inte/kassa.db":                "",
		filepath.Join(t.TempDir(), "a", "b"):       "",
	} {
		if got := Unplugged(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestBlockers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there", "yet")
	if got := Blockers(dir, 1); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	if got := Blockers(dir, math.MaxInt64); len(got) != 1 || got[0].Code != app.CodeTargetFull {
		t.Errorf("got %v", got)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Error("looking made the folder")
	}
}
