package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kvart/app"
)

// asNobody makes the calling goroutine an ordinary user to the file system,
// who may read below dir and write nowhere in it.
func asNobody(t *testing.T, dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("KVART-SKIP root: only root can become somebody else")
	}
	for ; strings.HasPrefix(dir, os.TempDir()) && dir != os.TempDir(); dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	runtime.LockOSThread() // and the thread ends with the test
	if err := unix.Setfsuid(65534); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Setfsuid(0); err != nil {
			t.Error(err)
		}
	})
}

// readAll reads a capture to its end and returns the bytes.
func readAll(t *testing.T, s app.Source) (n int64, err error) {
	t.Helper()
	capture, err := newConnector().Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		return 0, err
	}
	defer closed(t, closer(capture.Close))
	for item, err := range capture.Items {
		if err != nil {
			return 0, err
		}
		r, err := item.Open(t.Context())
		if err != nil {
			return 0, err
		}
		for buf := make([]byte, 1<<16); err == nil; {
			var k int
			k, err = r.Read(buf)
			n += int64(k)
		}
		closed(t, r)
	}
	return n, nil
}

func TestConnector_Capture_closedToUs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shop(t, dir, "delete")
	if err := os.Chmod(s.Settings[fieldPath], 0o600); err != nil {
		t.Fatal(err)
	}
	asNobody(t, filepath.Dir(s.Settings[fieldPath]))
	if _, err := readAll(t, s); app.CodeOf(err) != app.CodeSourceUnreadable {
		t.Errorf("capture: %v", err)
	}
	if _, err := newConnector().Check(t.Context(), app.Access{Source: s}); app.CodeOf(err) != app.CodeSourceUnreadable {
		t.Errorf("check: %v", err)
	}
}

// A till that runs as another user leaves us its database to read and nothing
// to write.
func TestConnector_Capture_onlyReadable(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"delete", "wal"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			s := shop(t, t.TempDir(), journal)
			file := s.Settings[fieldPath]
			p := helper(t, "busy "+journal, withLog(t, file, journal))
			p.line()
			asNobody(t, filepath.Dir(file))
			n, err := readAll(t, s)
			if err != nil || n < 4096 {
				t.Errorf("%d bytes, %v", n, err)
			}
		})
	}
}

// withLog gives a shop the table a busy till writes.
func withLog(t *testing.T, file, journal string) string {
	t.Helper()
	db := till(t, file, journal)
	do(t, db, `CREATE TABLE log (id INTEGER PRIMARY KEY, a INTEGER, b INTEGER, pad TEXT)`)
	closed(t, db)
	return file
}
