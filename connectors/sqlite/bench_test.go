package sqlite

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"kvart/app"
)

// BenchmarkCapture reads a database of KVART_BENCH_MB megabytes (16 when not
// set) as a vault does, in both kinds of journal.
func BenchmarkCapture(b *testing.B) {
	size := 16
	if s := os.Getenv("KVART_BENCH_MB"); s != "" {
		var err error
		if size, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	file := filepath.Join(b.TempDir(), "kassa.db")
	db, err := open(b.Context(), file, create+"&_journal_mode=OFF&_synchronous=OFF")
	if err != nil {
		b.Fatal(err)
	}
	if err := db.exec(b.Context(), `CREATE TABLE sale (id INTEGER PRIMARY KEY, pad TEXT)`); err != nil {
		b.Fatal(err)
	}
	for range size {
		err := db.exec(b.Context(), `WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 1000)
			INSERT INTO sale (pad) SELECT hex(randomblob(500)) FROM c`)
		if err != nil {
			b.Fatal(err)
		}
	}
	for _, journal := range []string{"delete", "wal"} {
		var mode string
		if err := db.one(b.Context(), `PRAGMA journal_mode = `+journal, &mode); err != nil {
			b.Fatal(err)
		}
		b.Run(journal, func(b *testing.B) { benchCapture(b, file) })
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}

func benchCapture(b *testing.B, file string) {
	c := newConnector()
	var next app.Marker
	for b.Loop() {
		capture, err := c.Capture(b.Context(), accessTo(file), "")
		if err != nil {
			b.Fatal(err)
		}
		for item, err := range capture.Items {
			if err != nil {
				b.Fatal(err)
			}
			r, err := item.Open(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			n, err := io.Copy(io.Discard, r)
			if err != nil || n != item.Size {
				b.Fatalf("%d of %d bytes, %v", n, item.Size, err)
			}
			b.SetBytes(n)
			if err := r.Close(); err != nil {
				b.Fatal(err)
			}
		}
		next = capture.Next
		if err := capture.Close(); err != nil {
			b.Fatal(err)
		}
	}
	if again, err := c.Capture(b.Context(), accessTo(file), next); err != nil || !again.Idle {
		b.Fatalf("not idle, %v", err)
	}
}
