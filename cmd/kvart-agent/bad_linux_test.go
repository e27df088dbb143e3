package main

import (
	"errors"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// disk mounts a disk of its own at dir.
func disk(t *testing.T, dir, size string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("KVART-SKIP tmpfs: not root")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("kvart-test", dir, "tmpfs", 0, "mode=0700,size="+size); err != nil {
		t.Skipf("KVART-SKIP tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

func remount(t *testing.T, dir string, flags uintptr, size string) {
	t.Helper()
	if err := unix.Mount("kvart-test", dir, "tmpfs", unix.MS_REMOUNT|flags, "size="+size); err != nil {
		t.Fatal(err)
	}
}

func TestBad_storageFull(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	disk(t, s.vault, "4m")
	s.protect()
	s.must([]string{"backup"}, "runs.0.state", "done", "runs.1.state", "done")
	r := rand.New(rand.NewPCG(1, 3))
	s.write("shop/Bilder/stor.jpg", bytesOf(r, 8<<20))
	s.sql(s.db, "INSERT INTO sale (gen, page) VALUES (1, 'Söder')")
	s.fails("storage_full", []string{"backup"})
	s.must([]string{"status"}, "verdict", "failed")
	s.must([]string{"points"}, "len", "2", "0.verified", "true", "1.verified", "true")
	s.fails("storage_full", []string{"backup"}) // as long as it lasts
	// what there is can be read on a full disk
	s.must([]string{"restore", "--source", "Bilder", "--to", "there", "--yes"}, "state", "done")
	s.must([]string{"vault", "verify"}, "damaged.len", "0")

	remount(t, s.vault, 0, "40m")
	s.must([]string{"backup"}, "runs.0.state", "done", "runs.1.state", "done")
	s.must([]string{"status"}, "verdict", "safe")
	s.must([]string{"vault", "verify"}, "damaged.len", "0")
	s.must([]string{"points"}, "len", "4")
}

func TestBad_storageReadOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	disk(t, s.vault, "16m")
	s.protect()
	s.must([]string{"backup"}, "runs.0.state", "done")
	remount(t, s.vault, unix.MS_RDONLY, "16m")
	s.sql(s.db, "INSERT INTO sale (gen, page) VALUES (1, 'Söder')")
	s.fails("storage_read_only", []string{"backup"}, "runs.0.error.code", "storage_read_only")
	s.must([]string{"status"}, "verdict", "failed")
	s.must([]string{"points"}, "len", "2", "0.verified", "true")
	s.must([]string{"restore", "--source", "Kassan", "--to", "there", "--yes"}, "state", "done")
	s.must([]string{"vault", "verify"}, "damaged.len", "0")
	remount(t, s.vault, 0, "16m")
	s.must([]string{"backup"}, "runs.0.state", "done")
	s.must([]string{"status"}, "verdict", "safe")
}

// The data folder lies on a disk that can't be written to: said, and nothing
// pretended.
func TestBad_homeReadOnly(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	disk(t, s.data, "16m")
	s.protect()
	s.must([]string{"backup"}, "runs.0.state", "done")
	remount(t, s.data, unix.MS_RDONLY, "16m")
	s.fails("home_read_only", []string{"backup"})
	s.fails("home_read_only", []string{"status"})
	if r := s.run("run", "--no-tray"); r.code != exitFailed || !strings.Contains(r.err, "(home_read_only: ") {
		t.Errorf("run: %+v", r)
	}
	remount(t, s.data, 0, "16m")
	s.must([]string{"backup"}, "runs.0.state", "idle")
	s.must([]string{"status"}, "verdict", "safe")
}

// So does the data folder's disk when it is full.
func TestBad_homeFull(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	disk(t, s.data, "16m")
	s.protect()
	s.must([]string{"backup"}, "runs.0.state", "done")
	filler := s.write("data/filler", nil)
	f, err := os.OpenFile(filler, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(make([]byte, 32<<20)); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("filled the disk: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s.sql(s.db, "INSERT INTO sale (gen, page) VALUES (1, 'Söder')")
	r := s.run("backup", "--json")
	if r.code != exitFailed || strings.Contains(r.err, "(internal: ") || strings.Contains(r.err, "(storage_full: ") {
		t.Errorf("backup: %+v", r)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.must([]string{"backup"}, "runs.0.state", "done")
	s.must([]string{"status"}, "verdict", "safe")
	s.must([]string{"vault", "verify"}, "damaged.len", "0")
}
