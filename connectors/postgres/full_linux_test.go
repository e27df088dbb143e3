package postgres

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// TestConnector_restoreToFullServer has a server whose databases lie on a small
// disk.
func TestConnector_restoreToFullServer(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(testBin, "initdb")); err != nil {
		t.Skip("KVART-SKIP: PostgreSQL 15 is not installed")
	}
	disk, err := os.MkdirTemp("/tmp", "kvpgfull")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(disk) })
	if err := unix.Mount("none", disk, "tmpfs", 0, "size=60m,mode=0777"); err != nil {
		t.Skipf("KVART-SKIP: no disk can be made here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	place := filepath.Join(disk, "place")
	if err := os.Mkdir(place, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(place, 0o777); err != nil {
		t.Fatal(err)
	}
	small := &testbed{}
	if err := small.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = small.end.Close()
		_ = small.cmd.Wait()
	})
	if os.Geteuid() == 0 {
		fi, err := os.Stat(filepath.Join(small.dir, "data"))
		if err != nil {
			t.Fatal(err)
		}
		own := fi.Sys().(*syscall.Stat_t)
		if err := os.Chown(place, int(own.Uid), int(own.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	w := &world{testServer: &small.testServer, t: t, name: "shop", c: New(slog.New(slog.DiscardHandler)), user: "admin"}
	w.c.Folders = []string{testBin}
	w.on("postgres", "CREATE TABLESPACE small LOCATION '"+place+"'")
	w.on("postgres", "ALTER DATABASE template0 SET TABLESPACE small") // which all databases are made like
	w.on("postgres", "CREATE DATABASE shop TEMPLATE template0")
	w.do("CREATE TABLE big AS SELECT i, repeat(md5(i::text), 30) AS t FROM generate_series(1, 25000) i")
	point, stats, _ := w.point()
	w.do("DELETE FROM big WHERE i = 1")
	err = w.c.Apply(t.Context(), w.restore(point, stats), connectortest.Silent{})
	wantCode(t, err, app.CodeTargetFull, "")
	if n := w.one("SELECT count(*)::text FROM big"); n != "24999" {
		t.Errorf("%s rows after a restore that found no room", n)
	}
	if names := strings.Join(w.column("postgres", "SELECT datname::text FROM pg_database ORDER BY 1"), " "); names != "postgres shop template0 template1" {
		t.Errorf("left behind: %s", names)
	}
	// What a full server can't hold twice is backed up all the same.
	w.point()
}
