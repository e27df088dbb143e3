package webhotel

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"kvart/app"
)

// TestConnector_hundredThousandFiles: what is listed again and did not change is
// not read again, and listing takes a time a quarter has room for.
func TestConnector_hundredThousandFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("KVART-SKIP: a hundred thousand files are not for short runs")
	}
	t.Parallel()
	const folders, each = 500, 200
	dir := t.TempDir()
	manyFiles(t, dir, folders, each)
	c, a := quick(t, &fakeDB{}), serveSFTP(t).site(t, dir)
	type state struct {
		size int64
		mod  time.Time
		mode os.FileMode
	}
	// What a vault goes by when it decides whether to open a file.
	have := map[string]state{}
	changed := func(cp *app.Capture) (n int) {
		for item, err := range cp.Items {
			if err != nil {
				t.Fatal(err)
			}
			now := state{item.Size, item.ModTime, item.Mode}
			if item.Open != nil && have[item.Path] != now {
				n++
			}
			have[item.Path] = now
		}
		if err := cp.Close(); err != nil {
			t.Error(err)
		}
		return n
	}
	began := time.Now()
	first := capture1(t, c, a, "")
	took := time.Since(began)
	if n := changed(first); n != folders*each {
		t.Errorf("%d files, want %d", n, folders*each)
	}
	if stats := first.Stats(); stats["files"] != folders*each {
		t.Errorf("stats %v", stats)
	}
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	t.Logf("listed %d files in %v, %d MB in use", folders*each, took, mem.HeapInuse>>20)
	if took > time.Minute {
		t.Errorf("listing took %v", took)
	}
	put1(t, filepath.Join(dir, "uploads-123", "ny.jpg"), "ny", past)
	if n := changed(capture1(t, c, a, first.Next)); n != 1 {
		t.Errorf("%d files would be read, one is new", n)
	}
}

// manyFiles makes folders with files in them.
func manyFiles(t *testing.T, dir string, folders, each int) {
	t.Helper()
	for i := range folders {
		at := filepath.Join(dir, fmt.Sprintf("uploads-%03d", i))
		if err := os.Mkdir(at, 0o755); err != nil {
			t.Fatal(err)
		}
		one := filepath.Join(at, "bild-000.jpg")
		put1(t, one, "", past)
		for k := 1; k < each; k++ { // links are the quickest files to make
			if err := os.Link(one, filepath.Join(at, fmt.Sprintf("bild-%03d.jpg", k))); err != nil {
				t.Fatal(err)
			}
		}
	}
}
