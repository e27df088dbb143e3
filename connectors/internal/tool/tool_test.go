package tool

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// script writes a program for the shell and returns its path.
func script(t *testing.T, dir, name, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("KVART-SKIP: needs a Unix shell")
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFind(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, v := range []string{"9", "15", "16"} {
		if err := os.MkdirAll(filepath.Join(root, v, "bin"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	nine := script(t, filepath.Join(root, "9", "bin"), "kvdump", `echo "kvdump (KvartSQL) 9.6.24"`)
	fifteen := script(t, filepath.Join(root, "15", "bin"), "kvdump", `echo "kvdump (KvartSQL) 15.6 (Debian 15.6-0+deb12u1)"; echo more`)
	script(t, filepath.Join(root, "16", "bin"), "kvdump", `echo broken >&2; exit 1`)
	if err := os.Symlink(fifteen, filepath.Join(root, "16", "bin", "kvdump2")); err != nil {
		t.Fatal(err)
	}
	found, err := Find(t.Context(), []string{"kvdump", "kvdump2"}, []string{filepath.Join(root, "*", "bin"), "relative/*", "[", filepath.Join(root, "none")})
	if err != nil {
		t.Fatal(err)
	}
	want := []Program{
		{Path: fifteen, Version: "15.6", Banner: "kvdump (KvartSQL) 15.6 (Debian 15.6-0+deb12u1)"},
		{Path: nine, Version: "9.6.24", Banner: "kvdump (KvartSQL) 9.6.24"},
	}
	if !slices.Equal(found, want) {
		t.Errorf("got %+v, want %+v", found, want)
	}
}

func TestFind_nothing(t *testing.T) {
	t.Parallel()
	found, err := Find(t.Context(), []string{"kvart-no-such-program"}, []string{t.TempDir()})
	if err != nil || len(found) != 0 {
		t.Errorf("got %v, %v", found, err)
	}
}

func TestVersionIn(t *testing.T) {
	t.Parallel()
	for banner, want := range map[string]string{
		"pg_dump (PostgreSQL) 15.6 (Debian 15.6-0+deb12u1)":                            "15.6",
		"pg_dump (PostgreSQL) 17beta1":                                                 "17",
		"mysqldump  Ver 10.19 Distrib 10.11.6-MariaDB, for debian-linux-gnu (x86_64)":  "10.11.6",
		"mysqldump  Ver 8.0.36 for Linux on x86_64 (MySQL Community Server - GPL)":     "8.0.36",
		"mariadb-dump from 11.4.2-MariaDB, client 10.19 for debian-linux-gnu (x86_64)": "11.4.2",
		"/opt/mysql8/bin/mysqldump  Ver 8.4.0 for macos14 on arm64 (Homebrew)":         "8.4.0",
		"nothing to see": "",
		"":               "",
	} {
		if got := versionIn(banner); got != want {
			t.Errorf("%q: got %q, want %q", banner, got, want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{{"15", "15.0", 0}, {"9.6", "15", -1}, {"15.10", "15.9", 1}, {"16", "15.99", 1}, {"", "1", -1}} {
		if got := Compare(c.a, c.b); got < 0 != (c.want < 0) || got > 0 != (c.want > 0) {
			t.Errorf("Compare(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

func TestEnvironment_hidesWhatPointsElsewhere(t *testing.T) {
	t.Setenv("PGPASSWORD", "geheim")
	t.Setenv("PGSERVICE", "other")
	t.Setenv("MYSQL_PWD", "geheim")
	t.Setenv("TMPDIR", "/somewhere")
	env := strings.Join(Environment(), "\n")
	if strings.Contains(env, "geheim") || strings.Contains(env, "PGSERVICE") {
		t.Errorf("environment: %s", env)
	}
	if !strings.Contains(env, "TMPDIR=/somewhere") || !strings.Contains(env, "LC_ALL=C") {
		t.Errorf("environment lacks what programs need: %s", env)
	}
}

func TestSecretFile(t *testing.T) {
	t.Parallel()
	path, remove, err := SecretFile(t.TempDir(), "pgpass", "*:*:*:*:geheim\n")
	if err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && fi.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", fi.Mode())
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "*:*:*:*:geheim\n" {
		t.Errorf("holds %q, %v", b, err)
	}
	for range 2 {
		if err := remove(); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}
