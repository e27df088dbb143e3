package sqlite

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kvart/app"
	"kvart/connectors/connectortest"
)

// sealedConnector is patient for a moment only.
func sealedConnector() *Connector {
	c := newConnector()
	c.stillWait = 5 * time.Millisecond
	return c
}

func noise(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// sealedShop makes a file as an encrypting till leaves it: pages of noise, and
// a log with frames of noise.
func sealedShop(t *testing.T, dir string, log bool) app.Source {
	t.Helper()
	file := filepath.Join(dir, "till", "kassa.db")
	made(t, filepath.Dir(file))
	put(t, file, noise(t, 20*4096))
	if log {
		put(t, file+"-wal", append([]byte("\x37\x7f\x06\x82"), noise(t, 28+3*4120)...))
	}
	s := sourceAt(file)
	s.Settings[fieldEncrypted] = "true"
	return s
}

// trade changes a page in place, and adds to the log where there is one.
func sealedTrade(t *testing.T, s app.Source) {
	t.Helper()
	file := s.Settings[fieldPath]
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	copy(b[:4096], noise(t, 4096)) // the first page is written with every commit
	copy(b[3*4096:], noise(t, 4096))
	put(t, file, b)
	if b, err := os.ReadFile(file + "-wal"); err == nil {
		put(t, file+"-wal", append(b, noise(t, 4120)...))
	}
}

func sums(t *testing.T, path string) string {
	t.Helper()
	var out []string
	for _, suffix := range []string{"", "-wal", "-journal"} {
		b, err := os.ReadFile(path + suffix)
		if err == nil {
			out = append(out, fmt.Sprintf("%s %d %x", suffix, len(b), sha256.Sum256(b)))
		}
	}
	return strings.Join(out, "\n")
}

// A database under encryption goes through everything any other does.
func TestConnector_encrypted(t *testing.T) {
	t.Parallel()
	for _, log := range []bool{false, true} {
		t.Run(fmt.Sprintf("log %t", log), func(t *testing.T) {
			t.Parallel()
			connectortest.Run(t, connectortest.Harness{
				New:    func(*testing.T) app.Connector { return sealedConnector() },
				Source: func(t *testing.T, dir string) app.Source { return sealedShop(t, dir, log) },
				Path:   func(s app.Source) string { return s.Settings[fieldPath] },
				Change: sealedTrade, Content: sums,
			})
		})
	}
}

// The same with the program that many tills use.
func TestConnector_SQLCipher(t *testing.T) {
	t.Parallel()
	bin, err := exec.LookPath("sqlcipher")
	if err != nil {
		t.Skip("KVART-SKIP: sqlcipher is not installed")
	}
	sql := func(t *testing.T, file, statements string) string {
		t.Helper()
		cmd := exec.Command(bin, "-batch", file)
		cmd.Stdin = strings.NewReader("PRAGMA key = 'hemligt';\n.timeout 20000\n" + statements)
		out, err := cmd.CombinedOutput()
		if err != nil || bytes.Contains(out, []byte("Error")) {
			t.Fatalf("%v: %s", err, out)
		}
		return string(out)
	}
	for _, journal := range []string{"wal", "delete"} {
		t.Run(journal, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "kassa.db")
			sql(t, file, "PRAGMA journal_mode = "+journal+"; CREATE TABLE sale (id INTEGER PRIMARY KEY, n INT);"+
				"WITH RECURSIVE x(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM x WHERE i<2000) INSERT INTO sale (n) SELECT i FROM x;")
			s := sourceAt(file)
			c := sealedConnector()
			if _, err := c.Check(t.Context(), app.Access{Source: s}); app.CodeOf(err) != app.CodeSourceEncrypted {
				t.Fatalf("not said to be encrypted: %v", err)
			}
			s.Settings[fieldEncrypted] = "true"
			// A till that is open keeps its log.
			till := exec.Command(bin, "-batch", file)
			in, err := till.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := till.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { in.Close(); till.Wait() })
			fmt.Fprintln(in, "PRAGMA key = 'hemligt'; PRAGMA busy_timeout = 20000; PRAGMA wal_autocheckpoint = 0; INSERT INTO sale (n) VALUES (77777);")
			for range 100 {
				if strings.Contains(sql(t, file, "SELECT n FROM sale WHERE n = 77777;"), "77777") {
					break
				}
				time.Sleep(10 * time.Millisecond)
			}
			info, err := c.Check(t.Context(), app.Access{Source: s})
			if err != nil || info.Details["encrypted"] != "true" || info.Details["journal"] != journal {
				t.Errorf("check %+v, %v", info, err)
			}
			capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
			if err != nil {
				t.Fatal(err)
			}
			point, _ := connectortest.Collect(t, capture)
			if got := sql(t, filepath.Join(point, "kassa.db"), "SELECT count(*), max(n) FROM sale; PRAGMA integrity_check;"); !strings.Contains(got, "2001|77777") || !strings.Contains(got, "ok") {
				t.Errorf("captured %q", got)
			}
		})
	}
}

// The drill of what can't be looked into says so.
func TestConnector_encrypted_drill(t *testing.T) {
	t.Parallel()
	s := sealedShop(t, t.TempDir(), true)
	c := sealedConnector()
	capture, err := c.Capture(t.Context(), app.Access{Source: s}, "")
	if err != nil {
		t.Fatal(err)
	}
	point, _ := connectortest.Collect(t, capture)
	if st := capture.Stats(); st[statEncrypted] != 1 || st["files"] != 2 {
		t.Errorf("stats %v", st)
	}
	r := app.Restore{Access: app.Access{Source: s}, From: os.DirFS(point), Stats: capture.Stats(), Target: app.Target{Dir: filepath.Join(t.TempDir(), "drill")}}
	if err := c.Apply(t.Context(), r, connectortest.Silent{}); err != nil {
		t.Fatal(err)
	}
	checks, err := c.Verify(t.Context(), r)
	if err != nil || len(checks) != 2 || !checks[0].OK || checks[1].Code != checkSealed || !strings.Contains(checks[1].Detail, "not looked into") {
		t.Errorf("checks %+v, %v", checks, err)
	}
	put(t, filepath.Join(r.Target.Dir, "kassa.db-wal"), []byte("other"))
	if checks, err = c.Verify(t.Context(), r); err != nil || checks[0].OK {
		t.Errorf("a changed log passes: %+v, %v", checks, err)
	}
	if got, want := connectortest.Seen(t, checks), "files: files_differ 1 kassa.db-wal"; got != want {
		t.Errorf("the owner is told %q, want %q", got, want)
	}
}

// A database that could be read and is noise now is not taken for one that is
// meant to be encrypted.
func TestConnector_encrypted_unasked(t *testing.T) {
	t.Parallel()
	s := sealedShop(t, t.TempDir(), true)
	delete(s.Settings, fieldEncrypted)
	if _, err := newConnector().Capture(t.Context(), app.Access{Source: s}, ""); app.CodeOf(err) != app.CodeSourceEncrypted {
		t.Errorf("capture: %v", err)
	}
}

// Files that are written while they are copied make a copy of no moment; that
// must be seen, whatever the files' times say.
func TestConnector_copyStill(t *testing.T) {
	t.Parallel()
	s := sealedShop(t, t.TempDir(), true)
	file := s.Settings[fieldPath]
	c := sealedConnector()
	var mu sync.Mutex
	when := time.Now().Add(-time.Hour)
	commit := func(keepTimes bool) { // the same bytes at the end of both files
		mark := noise(t, 16)
		for _, f := range []string{file, file + "-wal"} {
			h, err := os.OpenFile(f, os.O_WRONLY, 0)
			if err != nil {
				t.Error(err)
				return
			}
			fi, _ := h.Stat()
			if _, err := h.WriteAt(mark, fi.Size()-16); err != nil {
				t.Error(err)
			}
			closed(t, h)
			if keepTimes {
				os.Chtimes(f, when, when)
			}
		}
	}
	for _, keep := range []bool{false, true} {
		commit(keep)
		calls := 0
		c.remote = func(string) bool { // asked between the two readings
			mu.Lock()
			defer mu.Unlock()
			if calls++; calls < 3 {
				commit(keep)
			}
			return false
		}
		copied, err := c.copyStill(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		a, b := copied.parts[0].copy, copied.parts[1].copy
		if x, y := tail(t, a), tail(t, b); !bytes.Equal(x, y) || !bytes.Equal(x, tail(t, file)) || calls != 3 {
			t.Errorf("keep %t: %x and %x after %d attempts", keep, x, y, calls)
		}
		closed(t, copied)
		if _, err := os.Stat(copied.dir); !os.IsNotExist(err) {
			t.Errorf("the copy is still there: %v", err)
		}
		c.remote = func(string) bool { commit(keep); return false }
		if _, err := c.copyStill(t.Context(), file); app.CodeOf(err) != app.CodeSourceAltered {
			t.Errorf("keep %t: never still, and yet %v", keep, err)
		}
	}
	c.remote = func(string) bool { removed(t, filepath.Dir(file)); return false }
	if _, err := c.copyStill(t.Context(), file); app.CodeOf(err) != app.CodeSourceShareGone {
		t.Errorf("its folder went: %v", err)
	}
}

func tail(t *testing.T, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return b[len(b)-16:]
}

// A commit across several files that is under way is waited for: whether it
// happened is written in a file that isn't copied.
func TestConnector_copyStill_ofSeveral(t *testing.T) {
	t.Parallel()
	s := sealedShop(t, t.TempDir(), false)
	file := s.Settings[fieldPath]
	magic := "\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"
	put(t, file+"-journal", append([]byte(magic), append(noise(t, 5000), magic...)...))
	c := sealedConnector()
	if _, err := c.copyStill(t.Context(), file); app.CodeOf(err) != app.CodeSourceAltered {
		t.Errorf("copied: %v", err)
	}
	put(t, file+"-journal", append([]byte(magic), noise(t, 5000)...))
	copied, err := c.copyStill(t.Context(), file)
	if err != nil || len(copied.parts) != 2 {
		t.Fatalf("a journal of one file: %+v, %v", copied, err)
	}
	closed(t, copied)
}

// noiseAt answers noise for every byte but those SQLite locks, which fail.
type noiseAt struct{ size int64 }

func (n noiseAt) ReadAt(b []byte, off int64) (int, error) {
	switch end := off + int64(len(b)); {
	case off >= n.size:
		return 0, io.EOF
	case off < lockByte+lockSize && end > lockByte:
		return 0, os.ErrPermission
	case end > n.size:
		b = b[:n.size-off]
	}
	for i := range b {
		b[i] = byte(off+int64(i)) | 1
	}
	return len(b), nil
}

func TestAround(t *testing.T) {
	t.Parallel()
	got, err := io.ReadAll(&around{r: noiseAt{lockByte + 4096}, off: lockByte - 1000})
	if err != nil || len(got) != 5096 {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	for i, b := range got {
		if off := lockByte - 1000 + i; (b == 0) != (off >= lockByte && off < lockByte+lockSize) {
			t.Fatalf("byte %d is %d", off, b)
		}
	}
	if got, err := io.ReadAll(&around{r: noiseAt{lockByte}, off: lockByte - 1000}); err != nil || len(got) != 1000 {
		t.Errorf("a file that ends there: %d bytes, %v", len(got), err)
	}
}

func TestConnector_Discover_encrypted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := sealedShop(t, dir, true)
	put(t, filepath.Join(dir, "secret.db"), noise(t, 8192)) // nothing says that it is a database
	c := newConnector()
	c.Roots = []string{dir}
	found, err := c.Discover(t.Context())
	if err != nil || len(found) != 1 || found[0].Settings[fieldPath] != s.Settings[fieldPath] || found[0].Settings[fieldEncrypted] != "true" || found[0].Likely {
		t.Errorf("found %+v, %v", found, err)
	}
}
