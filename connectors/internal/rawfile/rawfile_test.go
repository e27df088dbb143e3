package rawfile

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// isOpen reports whether the descriptor under f still works.
func isOpen(f *File) bool {
	_, err := f.File.Stat()
	return err == nil
}

// files makes files and returns their paths by name.
func files(t *testing.T, dir string, names ...string) map[string]string {
	t.Helper()
	paths := map[string]string{}
	for _, name := range names {
		paths[name] = filepath.Join(dir, name)
		if err := os.WriteFile(paths[name], []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func TestKeeper(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("locks belong to handles there")
	}
	dir := t.TempDir()
	paths := files(t, dir, "till.db", "till.db-shm", "other-shm", "other.db")
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink(paths["till.db"], link); err != nil {
		t.Fatal(err)
	}
	var k Keeper
	first, err := k.Hold(paths["till.db"])
	if err != nil {
		t.Fatal(err)
	}
	second, err := k.Hold(link)
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]*File{}
	for _, at := range append([]string{link}, paths["till.db"], paths["till.db-shm"], paths["other-shm"], paths["other.db"]) {
		f, err := k.Open(at)
		if err != nil {
			t.Fatal(err)
		}
		open[filepath.Base(at)] = f
		for range 2 {
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect := func(when string, parked bool) {
		t.Helper()
		for name, want := range map[string]bool{"link.db": parked, "till.db": parked, "till.db-shm": parked, "other-shm": false, "other.db": false} {
			if got := isOpen(open[name]); got != want {
				t.Errorf("%s: %s open %t, want %t", when, name, got, want)
			}
		}
	}
	expect("held twice", true)
	for range 2 { // the second call of the same release does nothing
		if err := first(); err != nil {
			t.Fatal(err)
		}
	}
	expect("held once", true)
	if err := second(); err != nil {
		t.Fatal(err)
	}
	expect("released", false)
	if _, err := k.Hold(filepath.Join(dir, "missing")); err == nil {
		t.Error("held what is not there")
	}
}
