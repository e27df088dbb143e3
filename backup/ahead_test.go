package backup_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"testing"

	"kvart/app"
	"kvart/backup/vaulttest"
)

// A large file is read by several hands; whatever a reader does, it gets the
// bytes that were stored.
func TestVault_ReadsLargeFilesAnyWay(t *testing.T) {
	t.Parallel()
	v := fixture(t).Create(t)
	data := vaulttest.Noise(18<<20+77, 5)
	paged := vaulttest.File("kassa.db", data)
	paged.Pages = 4096
	r := vaulttest.Save(t, v, vaulttest.Request("db", paged, rolling("a.sql", data), vaulttest.File("plain", data)))
	view, err := v.Open(t.Context(), r.Point.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer view.Close()
	for _, name := range []string{"kassa.db", "a.sql", "plain"} {
		got, err := fs.ReadFile(view, name)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		wander(t, view, name, data)
	}
}

// wander reads and jumps about in a file.
func wander(t *testing.T, view app.PointFS, name string, data []byte) {
	t.Helper()
	f, err := view.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rnd := rand.New(rand.NewPCG(1, 2))
	at := 0
	buf := make([]byte, 3<<20)
	for step := range 20 {
		if step%7 == 6 { // and once after many pieces were read ahead
			at = rnd.IntN(len(data))
			if n, err := f.(io.Seeker).Seek(int64(at), io.SeekStart); err != nil || n != int64(at) {
				t.Fatalf("%s: seek: %d, %v", name, n, err)
			}
		}
		if step%5 == 4 {
			where := rnd.IntN(len(data) - 100)
			if _, err := f.(io.ReaderAt).ReadAt(buf[:100], int64(where)); err != nil || !bytes.Equal(buf[:100], data[where:where+100]) {
				t.Fatalf("%s: other bytes at %d: %v", name, where, err)
			}
		}
		n, err := io.ReadFull(f, buf)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("%s: read: %v", name, err)
		}
		if !bytes.Equal(buf[:n], data[at:at+n]) {
			t.Fatalf("%s: other bytes at %d", name, at)
		}
		at += n
	}
}
