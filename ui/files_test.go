package ui

import (
	"os"
	"path/filepath"
	"testing"

	"kvart/ui/screen"
)

func TestRemoveEmpty(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty, full := filepath.Join(dir, "empty"), filepath.Join(dir, "full")
	for path, content := range map[string]string{empty: "", full: "a kit"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := removeEmpty(path); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(empty); !os.IsNotExist(err) {
		t.Errorf("the dialog's empty file is left: %v", err)
	}
	if b, err := os.ReadFile(full); err != nil || string(b) != "a kit" {
		t.Errorf("what the owner had is gone: %q, %v", b, err)
	}
}

func TestFileURL(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"/home/åsa/Kvart kit.pdf": "file:///home/%C3%A5sa/Kvart%20kit.pdf", "C:/Users/kit.pdf": "file:///C:/Users/kit.pdf"} {
		if got := fileURL(path).String(); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
}

func TestReadFile_bounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "film")
	if err := os.WriteFile(path, make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := screen.ReadFile(path); err == nil {
		t.Errorf("took %d bytes", len(b))
	}
	if err := os.Truncate(path, 1<<20); err != nil {
		t.Fatal(err)
	}
	if b, err := screen.ReadFile(path); err != nil || len(b) != 1<<20 {
		t.Errorf("%d bytes, %v", len(b), err)
	}
}
