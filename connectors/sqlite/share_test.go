package sqlite

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// onTheShare returns a connector to which everything lies on a share.
func onTheShare() *Connector {
	c := newConnector()
	c.remote = func(string) bool { return true }
	c.shareWait, c.stillWait = 10*time.Millisecond, 5*time.Millisecond
	return c
}

// What lies on a share goes through everything else does.
func TestConnector_share(t *testing.T) {
	t.Parallel()
	for _, journal := range []string{"wal", "delete"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Harness{
				New:    func(*testing.T) app.Connector { return onTheShare() },
				Source: func(t *testing.T, dir string) app.Source { return shop(t, dir, journal) },
				Path:   func(s app.Source) string { return s.Settings[fieldPath] },
				Change: func(t *testing.T, s app.Source) {
					db := till(t, s.Settings[fieldPath], journal)
					do(t, db, `INSERT INTO sale (product, n) VALUES (1, 1)`, `UPDATE product SET price = price + 1 WHERE id < 9`)
					closed(t, db)
				},
				Content: rowsOf,
			})
		})
	}
}

// A database in WAL mode on a share is read without touching a byte beside it,
// and with what is only in its log.
func TestConnector_share_wal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := shop(t, dir, "wal")
	db := till(t, s.Settings[fieldPath], "wal")
	do(t, db, `PRAGMA wal_autocheckpoint = 0`, `INSERT INTO sale (product, n) VALUES (1, 4711)`)
	want := rowsOf(t, s.Settings[fieldPath])
	before := connectortest.Tree(t, dir)
	c := onTheShare()
	info, err := c.Check(t.Context(), app.Access{Source: s})
	if err != nil || info.Details["share"] != "true" || info.Details["journal"] != "wal" {
		t.Errorf("check %+v, %v", info, err)
	}
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	point, _ := connectortest.Collect(t, capture)
	if got := rowsOf(t, filepath.Join(point, filepath.Base(s.Settings[fieldPath]))); got != want || !strings.Contains(got, "4711") {
		t.Errorf("captured:\n%s", got)
	}
	if capture.Stats()["table.sale"] != 301 {
		t.Errorf("stats %v", capture.Stats())
	}
	if after := connectortest.Tree(t, dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

// A share that gives a lock and doesn't keep it must not make a torn copy pass.
func TestConnector_share_lyingLock(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open can't be replaced there, as this test does")
	}
	s := shop(t, t.TempDir(), "delete")
	file := s.Settings[fieldPath]
	for _, lie := range []func(t *testing.T, b []byte){
		func(t *testing.T, b []byte) { b[27]++; put(t, file, b) }, // the counter of commits
		func(t *testing.T, b []byte) { b[len(b)-1]++; put(t, file, b) },
		func(t *testing.T, b []byte) { put(t, file+".new", b); os.Rename(file+".new", file) },
		func(t *testing.T, b []byte) { removed(t, filepath.Dir(file)) },
	} {
		capture, err := onTheShare().Capture(t.Context(), app.Access{Source: s}, "")
		if err != nil {
			t.Fatal(err)
		}
		for item, err := range capture.Items {
			if err != nil {
				t.Fatal(err)
			}
			r, err := item.Open(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(r, make([]byte, 8192)); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(20 * time.Millisecond) // for a file system that counts time coarsely
			lie(t, b)
			_, err = io.Copy(io.Discard, r)
			if code := app.CodeOf(err); code != app.CodeItemChanged && code != app.CodeSourceShareGone {
				t.Errorf("read: %v", err)
			}
			if r.Close() == nil {
				t.Error("closed as if all were well")
			}
		}
		closed(t, closer(capture.Close))
	}
}

// A share that goes while it is read is told as what it is.
func TestRead_shareGone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has a file that answers as a share that went")
	}
	c := newConnector()
	f, err := c.files.Open("/proc/self/mem") // nothing is at its beginning: EIO
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, f)
	r := &read{snap: &snapshot{file: f, size: 8192, pageSize: 4096}, ctx: t.Context()}
	if _, err := io.ReadAll(r); app.CodeOf(err) != app.CodeSourceShareGone {
		t.Errorf("read: %v", err)
	}
}

func TestOnShare(t *testing.T) {
	t.Parallel()
	if onShare(filepath.Join(t.TempDir(), "kassa.db")) {
		t.Error("the folder for temporary files lies on a share")
	}
}
