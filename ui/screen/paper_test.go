package screen

import (
	"os"
	"path/filepath"
	"testing"

	"kvart/app"
)

func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "rapport å.pdf")
	for _, text := range []string{"first, which is longer", "second"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q, %v", b, err)
		}
	}
	if err := WriteFile(filepath.Join(dir, "no", "x.pdf"), nil); app.CodeOf(err) != app.CodeDocument {
		t.Errorf("into no folder: %v", err)
	}
	// What stands in the way stays, and nothing half-written is left.
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "folder"), []byte("x")); app.CodeOf(err) != app.CodeDocument {
		t.Errorf("over a folder: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("left %v, %v", left, err)
	}
}
