package app_test

import (
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"kvart/app"
)

// TestWriteDocument_refused writes to a folder that is there and refuses it. It
// runs as somebody who may not write; root, who may write everywhere, becomes
// one for files on this thread alone.
func TestWriteDocument_refused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o555); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		runtime.LockOSThread() // and never unlocked: the thread ends with the test
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := syscall.Setfsuid(0); err != nil {
				t.Error(err)
			}
		}()
	}
	err := app.WriteDocument(filepath.Join(dir, "händelse.pdf"), []byte("x"))
	if e := app.AsError(err); e == nil || e.Code != app.CodeDocument || e.Args["reason"] != "denied" || e.Args["path"] != dir {
		t.Errorf("%v", err)
	}
}

// TestWriteDocument_full writes to a disk without room.
func TestWriteDocument_full(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no full disk on this system:", err)
	}
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, err = f.Write([]byte("x"))
	if e := app.AsError(app.DocumentError("/x", err)); e.Args["reason"] != "full" {
		t.Errorf("%v", e)
	}
}
