package ipc

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"kvart/app"
)

// TestSocketPath_share: a network drive holds no sockets.
func TestSocketPath_share(t *testing.T) {
	t.Parallel()
	data, temp := filepath.Join(t.TempDir(), "kvart"), filepath.Join(string(filepath.Separator), "tmp")
	local, err := socketPath(data, temp, false)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := socketPath(data, temp, true)
	if err != nil || strings.HasPrefix(shared, data) || shared == local {
		t.Errorf("%q, %v", shared, err)
	}
	if other, err := socketPath(data+"2", temp, true); err != nil || other == shared {
		t.Errorf("two folders share %q, %v", other, err)
	}
}

// TestLock_share: on a network drive two of this computer never both get in,
// whatever the drive says of its locks.
func TestLock_share(t *testing.T) {
	t.Parallel()
	data, temp := t.TempDir(), t.TempDir()
	lies := func(file string) (func() error, bool, error) {
		if strings.HasPrefix(file, data) {
			return func() error { return nil }, true, nil // and gives it to everybody
		}
		return take(file)
	}
	unlock, err := lock(data, temp, true, lies)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(data, temp, true, lies); app.CodeOf(err) != app.CodeGuardRunning {
		t.Errorf("a second one: %v", err)
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	again, err := lock(data, temp, true, take)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock(data, t.TempDir(), true, take); app.CodeOf(err) != app.CodeGuardRunning {
		t.Errorf("from another computer: %v", err)
	}
	if err := again(); err != nil {
		t.Fatal(err)
	}

	// no locks at all: nothing says that nobody else is in it
	none := func(file string) (func() error, bool, error) {
		if strings.HasPrefix(file, data) {
			return nil, false, os.NewSyscallError("flock", syscall.ENOSYS)
		}
		return take(file)
	}
	for range 2 { // and it leaves none behind
		if _, err := lock(data, temp, true, none); app.CodeOf(err) != app.CodeHomeShare || app.AsError(err).Args["path"] != data {
			t.Errorf("without locks: %v", err)
		}
	}
	if _, err := lock(data, temp, false, none); app.CodeOf(err) != app.CodeHomeReadOnly {
		t.Errorf("on a disk: %v", err)
	}
	denied := func(string) (func() error, bool, error) { return nil, false, errors.Join(os.ErrPermission) }
	if _, err := lock(data, temp, true, denied); app.CodeOf(err) != app.CodeHomeReadOnly {
		t.Errorf("denied: %v", err)
	}
}
