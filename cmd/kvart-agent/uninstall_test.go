package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUninstall: nothing is done unasked, backups stay whatever is asked, and
// what opens them goes only when that is asked for.
func TestUninstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.set("KVART_DATA", filepath.Join(s.root, "Åsas data [1]"))
	s.data = filepath.Join(s.root, "Åsas data [1]")
	s.small()
	s.protect()
	s.must([]string{"backup"})
	own := s.write("Åsas data [1]/inköpslista.txt", []byte("kaffe"))
	g := s.guard()
	s.expect(exitUsage, []string{"uninstall"}, "error.code", "usage")
	s.expect(exitUsage, []string{"uninstall", "--yes", "--keep", "--forget-secrets"}, "error.code", "usage")
	s.answers(g) // nothing was done

	s.must([]string{"uninstall", "--yes"}, "forgotten", "false", "backups", s.vault)
	if err := g.Wait(); err != nil {
		t.Errorf("the guard ended with %v", err)
	}
	s.must([]string{"uninstall", "--yes"}) // again
	s.must([]string{"backup"})             // it could go on: everything is there
	if found := s.names(s.root, "*.desktop"); len(found) > 0 {
		t.Errorf("starts at login: %v", found)
	}

	s.must([]string{"uninstall", "--yes", "--forget-secrets"}, "forgotten", "true", "backups", s.vault)
	left, err := os.ReadDir(s.data)
	if err != nil || len(left) != 1 || left[0].Name() != filepath.Base(own) {
		t.Errorf("there lies %v, %v", left, err)
	}
	s.must([]string{"vault", "open", "--storage", "folder", "--set", "path=" + s.vault, "--passphrase-file", filepath.Join(s.root, "pass")})
	s.must([]string{"restore", "--source", "Bilder", "--to", filepath.Join(s.root, "back"), "--yes"})
	if err := os.Remove(own); err != nil {
		t.Fatal(err)
	}
	s.must([]string{"uninstall", "--yes", "--forget-secrets"})
	if _, err := os.Stat(s.data); !os.IsNotExist(err) {
		t.Errorf("the empty folder stays: %v", err)
	}
	s.must([]string{"uninstall", "--yes", "--forget-secrets"}) // nothing was ever set up
}

// TestRemoveOwn_backupsInside: a vault that somebody put into the data folder is
// not Kvart's to delete.
func TestRemoveOwn_backupsInside(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{"vault", "vault/here", "mine", "."} {
		dir := t.TempDir()
		backups := filepath.Join(dir, filepath.FromSlash(inside))
		if err := os.MkdirAll(backups, 0o700); err != nil {
			t.Fatal(err)
		}
		kept := filepath.Join(backups, "kopia.repository.f")
		for _, f := range []string{kept, filepath.Join(dir, "settings.json")} {
			if err := os.WriteFile(f, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := removeOwn(dir, backups); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(kept); err != nil {
			t.Errorf("backups in %s: %v", inside, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "settings.json")); err == nil && !strings.HasPrefix(inside, ".") {
			t.Errorf("settings stay with backups in %s", inside)
		}
	}
}
