package main

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// TestUninstall: nothing is done unasked, backups stay whatever is asked, and
// what opens them goes only when that is asked for and somebody holds a kit.
func TestUninstall(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.set("KVART_DATA", filepath.Join(s.root, "Åsas data [1]"))
	s.data = filepath.Join(s.root, "Åsas data [1]")
	s.small()
	s.protect()
	s.must([]string{"backup"})
	s.must([]string{"page"})
	own := s.write("Åsas data [1]/inköpslista.txt", []byte("kaffe"))
	s.write("Åsas data [1]/bokföring.tmp", []byte("kaffe"))
	g := s.guard()
	s.expect(exitUsage, []string{"uninstall"}, "error.code", "usage")
	s.expect(exitUsage, []string{"uninstall", "--yes", "--keep", "--forget-secrets"}, "error.code", "usage")
	s.expect(exitUsage, []string{"uninstall", "--yes", "--without-kit"}, "error.code", "usage")
	s.expect(exitNoKit, []string{"uninstall", "--yes", "--forget-secrets"}, "error.code", "kit_needed")
	s.must([]string{"kit", "--text", filepath.Join(s.root, "kit.txt")})
	s.expect(exitNoKit, []string{"uninstall", "--yes", "--forget-secrets"}, "error.code", "kit_needed") // not typed back
	s.answers(g)                                                                                        // nothing was done

	s.must([]string{"uninstall", "--yes"}, "forgotten", "false", "backups", s.vault)
	if err := g.Wait(); err != nil {
		t.Errorf("the guard ended with %v", err)
	}
	s.must([]string{"uninstall", "--yes"}) // again
	s.must([]string{"backup"})             // it could go on: everything is there
	if found := s.names(s.root, "*.desktop"); len(found) > 0 {
		t.Errorf("starts at login: %v", found)
	}

	s.must([]string{"kit", "confirm", s.kitCode(filepath.Join(s.root, "kit.txt"))})
	s.must([]string{"uninstall", "--yes", "--forget-secrets"}, "forgotten", "true", "backups", s.vault, "left.len", "2")
	left, err := os.ReadDir(s.data)
	if err != nil || len(left) != 2 || left[0].Name() != "bokföring.tmp" || left[1].Name() != filepath.Base(own) {
		t.Errorf("there lies %v, %v", left, err)
	}
	s.must([]string{"vault", "open", "--storage", "folder", "--set", "path=" + s.vault, "--passphrase-file", filepath.Join(s.root, "pass")})
	s.must([]string{"restore", "--source", "Bilder", "--to", filepath.Join(s.root, "back"), "--yes"})
	for _, e := range left {
		if err := os.Remove(filepath.Join(s.data, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	s.must([]string{"uninstall", "--yes", "--forget-secrets", "--without-kit"})
	if _, err := os.Stat(s.data); !os.IsNotExist(err) {
		t.Errorf("the empty folder stays: %v", err)
	}
	s.must([]string{"uninstall", "--yes", "--forget-secrets"}) // nothing was ever set up
}

// kitCode reads the check code off a kit's text.
func (s *shop) kitCode(file string) string {
	s.Helper()
	text, err := os.ReadFile(file)
	found := regexp.MustCompile(`(?m)^Check code: (\S+)$`).FindSubmatch(text)
	if err != nil || found == nil {
		s.Fatalf("no check code in %s: %v", file, err)
	}
	return string(found[1])
}

// TestUninstall_backupsInside: a vault, or a copy of it, in the data folder was
// deleted with it where --data was relative, or where a link led to it.
func TestUninstall_backupsInside(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.vault = filepath.Join(s.data, "vault", "mitt")
	if err := os.MkdirAll(s.vault, 0o700); err != nil {
		t.Fatal(err)
	}
	s.protect()
	outside := filepath.Join(s.root, "usb")
	copied := filepath.Join(s.data, "shops", "kopior")
	if err := os.MkdirAll(filepath.Join(outside, "kopior"), 0o700); err != nil {
		t.Fatal(err)
	}
	linked := os.Symlink(outside, filepath.Join(s.data, "shops")) == nil
	if !linked {
		t.Log("this account may make no links")
	}
	s.must([]string{"copy", "add", "--name", "USB", "--storage", "folder", "--set", "path=" + copied})
	s.must([]string{"backup"})
	s.must([]string{"copy", "now"})
	before := [2]int{len(s.files(s.vault)), len(s.files(copied))}

	s.without("KVART_DATA")
	s.must([]string{"uninstall", "--yes", "--forget-secrets", "--without-kit", "--data", "data"}, "forgotten", "true", "left.0", "shops", "left.1", "vault", "left.len", "2")
	if after := [2]int{len(s.files(s.vault)), len(s.files(copied))}; after[0] != before[0] || after[1] != before[1] || after[0] == 0 || after[1] == 0 {
		t.Errorf("%v files of backups are left of %v", after, before)
	}
	s.set("KVART_DATA", filepath.Join(s.root, "other"))
	s.must([]string{"vault", "open", "--storage", "folder", "--set", "path=" + copied, "--passphrase-file", filepath.Join(s.root, "pass"), "--replaces", "none"})
}

// TestUninstall_unreadable: where settings can't be read nothing is deleted, and
// nothing is said to be.
func TestUninstall_unreadable(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.createVault()
	for name, spoil := range map[string]func(path string) error{
		"damaged":        func(path string) error { return os.WriteFile(path, []byte("{"), 0o600) },
		"an unknown one": func(path string) error { return os.WriteFile(path, []byte(`{"version":99,"profile":"x"}`), 0o600) },
		"gone":           os.Remove,
	} {
		for _, file := range []string{"settings.json", "settings.json.bak"} {
			if err := spoil(filepath.Join(s.data, file)); err != nil {
				t.Fatal(err)
			}
		}
		before := len(s.files(s.data))
		s.fails("forget_unsure", []string{"uninstall", "--yes", "--forget-secrets", "--without-kit"})
		if after := len(s.files(s.data)); after != before {
			t.Errorf("%s: %d files of %d are left", name, after, before)
		}
		for _, file := range []string{"settings.json", "settings.json.bak"} {
			if err := os.WriteFile(filepath.Join(s.data, file), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestRemoveOwn_backupsInside: a vault that somebody put into the data folder is
// not Kvart's to delete, however the settings name it, and also where they
// don't.
func TestRemoveOwn_backupsInside(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inside string // where the vault lies
		named  string // as the settings have it; "" for not at all
		link   string // made first: "name=target"
	}{
		"a folder of Kvart's":     {inside: "vault", named: "vault"},
		"within one":              {inside: "vault/here", named: "vault/here"},
		"beside":                  {inside: "mine", named: "mine"},
		"the data folder itself":  {inside: ".", named: "."},
		"not named":               {inside: "shops/x", named: ""},
		"not named, deep":         {inside: "tmp/a/b/c", named: ""},
		"through a link":          {inside: "drill/x", named: "link/x", link: "link=drill"},
		"a link to elsewhere":     {inside: "../usb", named: "shops", link: "shops=../usb"},
		"named in capitals":       {inside: "vault/here", named: "VAULT/here"},
		"named with detours":      {inside: "vault/here", named: "run/../vault/here"},
		"not there, disk is gone": {inside: "shops", named: "shops/usb/kopior"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			backups := filepath.Join(dir, filepath.FromSlash(c.inside))
			if err := os.MkdirAll(backups, 0o700); err != nil {
				t.Fatal(err)
			}
			if at, to, ok := strings.Cut(c.link, "="); ok {
				if err := os.MkdirAll(dir, 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(filepath.Join(dir, filepath.FromSlash(to)), filepath.Join(dir, at)); err != nil {
					if runtime.GOOS != "windows" {
						t.Fatal(err)
					}
					t.Skip("this account may make no links:", err)
				}
			}
			var places []string
			if c.named != "" {
				places = []string{dir + string(filepath.Separator) + filepath.FromSlash(c.named)}
			}
			kept := filepath.Join(backups, formatFile)
			if strings.HasPrefix(name, "not there") {
				kept = filepath.Join(backups, "x")
			}
			for _, f := range []string{kept, filepath.Join(dir, "settings.json")} {
				if err := os.WriteFile(f, nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			left, err := removeOwn(dir, places)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(kept); err != nil {
				t.Errorf("the backups are gone: %v", err)
			}
			if to := strings.SplitN(c.link, "=", 2)[0]; to != "" && !slices.Contains(left, to) {
				t.Errorf("the way to them is gone: %v", left)
			}
			if _, err := os.Stat(filepath.Join(dir, "settings.json")); err == nil && c.inside != "." {
				t.Error("settings stay")
			}
		})
	}
}

// TestOwnFiles: everything the guard makes is known by name, every pattern is
// one, and nothing of the owner's is meant by it.
func TestOwnFiles(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.protect()
	g := s.guard()
	s.must([]string{"backup"})
	s.must([]string{"page"})
	s.must([]string{"browse", "--source", "Kassan"})
	s.must([]string{"ls", "--source", "Bilder"})
	known := func(name string) bool {
		return slices.ContainsFunc(ownFiles(), func(pattern string) bool {
			is, err := filepath.Match(pattern, name)
			if err != nil {
				t.Errorf("%s: %v", pattern, err)
			}
			return is
		})
	}
	made, err := os.ReadDir(s.data)
	if err != nil || len(made) < 8 {
		t.Fatalf("%v, %v", made, err)
	}
	for _, e := range made {
		if !known(e.Name()) {
			t.Errorf("%s is not known for Kvart's", e.Name())
		}
	}
	s.end(g)
	for _, own := range []string{"bokföring.tmp", "settings.json.gammal", "kvart.log.zip", "journal.db.kopia", "shops.txt", "vault.zip", "settings.jsonl", "crash.log.txt", "secrets.json.min"} {
		if known(own) {
			t.Errorf("%s is taken for Kvart's", own)
		}
	}
}
