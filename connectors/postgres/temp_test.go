package postgres

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestTempDir(t *testing.T) {
	at := t.TempDir()
	t.Setenv("TMPDIR", at)
	t.Setenv("TMP", at)
	old, young, other := filepath.Join(at, tempPrefix+"old"), filepath.Join(at, tempPrefix+"young"), filepath.Join(at, "other")
	for _, dir := range []string{old, young, other} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Now().Add(-tempAge - time.Hour)
	for _, dir := range []string{old, other} {
		if err := os.Chtimes(dir, long, long); err != nil {
			t.Fatal(err)
		}
	}
	dir, err := New(slog.New(slog.DiscardHandler)).tempDir()
	if err != nil || filepath.Dir(dir) != at {
		t.Errorf("%q, %v", dir, err)
	}
	for path, there := range map[string]bool{old: false, young: true, other: true, dir: true} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: %v", path, err)
		}
	}
}
