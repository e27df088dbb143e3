package app_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"kvart/app"
)

// TestWriteDocument: a report is there whole or not at all, and why it isn't is
// said in words that are about a report.
func TestWriteDocument(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "händelse.pdf")
	own := filepath.Join(dir, "händelse.pdf.tmp")
	if err := os.WriteFile(own, []byte("mitt"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"ett", "två"} {
		if err := app.WriteDocument(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if b, err := os.ReadFile(path); err != nil || string(b) != text {
			t.Errorf("%q, %v", b, err)
		}
	}
	if b, err := os.ReadFile(own); err != nil || string(b) != "mitt" {
		t.Errorf("a file of the owner's: %q, %v", b, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
	refused := func(path, reason string) {
		t.Helper()
		err := app.WriteDocument(path, []byte("x"))
		if e := app.AsError(err); e == nil || e.Code != app.CodeDocument || e.Args["reason"] != reason || e.Args["path"] == "" {
			t.Errorf("%s: %v %+v", path, err, e)
		}
	}
	refused(dir, "folder")
	refused(filepath.Join(dir, "finns inte", "x.pdf"), "missing")
	if runtime.GOOS != "windows" { // which says that the path isn't there
		refused(filepath.Join(own, "x.pdf"), "missing")
	}
}
