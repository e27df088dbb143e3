package main

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An encrypted database is named as what it is; a plain one that becomes
// encrypted fails its runs and keeps its backups.
func TestBad_encryptedDatabase(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	noise := bytesOf(rand.New(rand.NewPCG(1, 1)), 64<<10)
	other := s.write("shop/other.db", noise)
	s.protect()
	s.fails("source_encrypted", []string{"source", "add", "sqlite", "--name", "Lager", "--set", "path=" + other})
	s.must([]string{"source", "list"}, "len", "2")
	s.must([]string{"backup"}, "runs.0.state", "done")
	was := s.contents(s.db)

	s.write("shop/kassa.db", noise)
	s.fails("source_encrypted", []string{"backup"}, "runs.0.error.code", "source_encrypted", "runs.1.state", "idle")
	s.must([]string{"status"}, "verdict", "failed", "sources.0.state", "failed")
	s.must([]string{"points", "--source", "Kassan"}, "len", "1", "0.verified", "true")
	if b, err := os.ReadFile(s.db); err != nil || !bytes.Equal(b, noise) {
		t.Errorf("a backup changed the source: %v", err)
	}
	s.must([]string{"restore", "--source", "Kassan", "--yes"}, "state", "done")
	if got := s.contents(s.db); got != was {
		t.Errorf("restored %s, want %s", got, was)
	}
	s.must([]string{"backup"})
	s.must([]string{"status"}, "verdict", "safe")
}

// A database with a bad page is kept, since it may be all there is, and never
// called safe.
func TestBad_corruptPage(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.sql(s.db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<500) INSERT INTO sale (gen, page) SELECT 1, randomblob(1000) FROM n")
	s.protect()
	s.must([]string{"backup"}, "runs.0.state", "done")
	s.must([]string{"status"}, "verdict", "safe")
	was := s.contents(s.db)
	good := s.dig(s.must([]string{"points", "--source", "Kassan"}), "0.point")

	page := 4096
	root := s.sql(s.db, "SELECT rootpage FROM sqlite_schema WHERE name='sale'")
	b, err := os.ReadFile(s.db)
	if err != nil {
		t.Fatal(err)
	}
	if got := int(binary.BigEndian.Uint16(b[16:])); got != page || root != "2" {
		t.Fatalf("pages of %d bytes, root %s: the test damages another page than it means to", got, root)
	}
	// the page after the table's root is one of its leaves
	copy(b[2*page:3*page], bytesOf(rand.New(rand.NewPCG(1, 2)), page))
	s.write("shop/kassa.db", b)
	r := s.run("backup", "--json")
	if got := s.dig(r, "runs.0.state"); got != "done" && s.dig(r, "runs.0.error.code") != "source_damaged" {
		t.Errorf("run: %s %s", r.out, r.err)
	}
	st := s.must([]string{"status"}, "verdict", "failed")
	if !bytes.Contains([]byte(st.out), []byte(`"code":"source_damaged"`)) {
		t.Errorf("status does not say source_damaged: %s", st.out)
	}
	s.must([]string{"points", "--source", "Kassan"}, "len", "2") // captured all the same
	s.must([]string{"backup"})                                   // looking again finds nothing new, and does not make it safe
	s.must([]string{"status"}, "verdict", "failed")

	s.must([]string{"restore", "--source", "Kassan", "--point", good, "--yes"}, "state", "done")
	if got := s.contents(s.db); got != was {
		t.Errorf("restored %s, want %s", got, was)
	}
	s.must([]string{"backup"}, "runs.0.state", "done")
	s.must([]string{"status"}, "verdict", "safe")
}

// A storage whose clock is wrong gives its files wrong times. Nothing that is
// still wanted may be taken for old, and the next run works.
func TestBad_storageClock(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"behind": -400 * 24 * time.Hour, "ahead": 400 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t)
			s.small()
			s.protect()
			s.must([]string{"backup"}, "runs.0.state", "done")
			wrong := time.Now().Add(off)
			for _, f := range s.names(s.vault, "*.f") {
				if err := os.Chtimes(f, wrong, wrong); err != nil {
					t.Fatal(err)
				}
			}
			r := s.run("vault", "maintain", "--json")
			t.Logf("maintain: exit code %d %s", r.code, r.err)
			if r.code != exitDone && s.dig(r, "error.code") != "storage_clock" {
				t.Errorf("maintain: %+v", r)
			}
			s.must([]string{"vault", "verify"}, "damaged.len", "0")
			s.write("shop/Bilder/ny.jpg", []byte("ny"))
			s.must([]string{"backup"}, "runs.1.state", "done")
			s.must([]string{"points", "--source", "Bilder"}, "len", "2", "0.verified", "true", "1.verified", "true")
			s.must([]string{"restore", "--to", filepath.Join(s.root, "elsewhere"), "--yes"}, "state", "done")
			s.must([]string{"status"}, "verdict", "safe")
		})
	}
}

// Settings that are damaged right after a source was added: the copy that
// answers knows the source, or the shop is not called safe without it.
func TestBad_settingsDamagedAfterAChange(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.createVault()
	s.must([]string{"source", "add", "folder", "--name", "Bilder", "--set", "path=" + s.pics})
	s.must([]string{"backup"})
	s.must([]string{"source", "add", "sqlite", "--name", "Kassan", "--set", "path=" + s.db})
	if err := os.Truncate(filepath.Join(s.data, "settings.json"), 0); err != nil {
		t.Fatal(err)
	}
	st := s.must([]string{"status"})
	if n, v := s.dig(st, "sources.len"), s.dig(st, "verdict"); n != "2" && v == "safe" {
		t.Errorf("%s of 2 sources are known, and the shop is called %s", n, v)
	}
}

// What a killed writer left beside a file it was about to replace goes after a
// day, like everything else that is half written.
func TestBad_leftoversOfKilledWriters(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.small()
	s.protect()
	s.must([]string{"backup"}, "runs.0.state", "done")
	configs := s.names(s.data, "repository.config")
	if len(configs) != 1 {
		t.Fatalf("configs: %v", configs)
	}
	old := time.Now().Add(-25 * time.Hour)
	var left []string
	for _, f := range []string{configs[0] + ".2035619204.new", filepath.Join(filepath.Dir(configs[0]), "segments", "0123.17.new")} {
		name, err := filepath.Rel(s.root, f)
		if err != nil {
			t.Fatal(err)
		}
		left = append(left, s.write(filepath.ToSlash(name), []byte("half")))
	}
	for _, f := range left {
		if err := os.Chtimes(f, old, old); err != nil {
			t.Fatal(err)
		}
	}
	s.must([]string{"backup"})
	s.must([]string{"vault", "maintain"})
	for _, f := range left {
		if _, err := os.Lstat(f); err == nil {
			t.Errorf("left behind for ever: %s", f)
		}
	}
}
