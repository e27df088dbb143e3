package backup_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"kvart/app"
	"kvart/backup/storage/s3test"
	"kvart/backup/vaulttest"
)

// packsOf counts the packs in a bucket.
func packsOf(s *s3test.Server) int {
	n := 0
	for _, key := range s.Visible() {
		if strings.HasPrefix(key, "shop/p") || strings.HasPrefix(key, "shop/q") {
			n++
		}
	}
	return n
}

// A restore takes about one request for each pack, however many pieces it is
// made of: over a link with a round trip of 30 ms, 66,000 segments or 100,000
// records one by one would take hours.
func TestPoint_PrefetchTakesOneRequestAPack(t *testing.T) {
	t.Parallel()
	f, s := s3Fixture(t)
	v := f.Create(t)
	db := vaulttest.Noise(32<<20, 1)
	records := func(round int) []app.Item {
		items := []app.Item{vaulttest.Paged("kassa.db", db)}
		for i := range 2000 {
			items = append(items, vaulttest.File(fmt.Sprintf("order/%d/%d.json", i/50, i), []byte(fmt.Sprintf(`{"id":%d,"round":%d}`, i, round*b2i(i%97 == round)))))
		}
		return items
	}
	var last app.PointID
	for round := range 6 { // quarters that change a little of everything
		for i := round; i < len(db)>>14; i += 61 {
			db[i<<14]++
		}
		last = vaulttest.Save(t, v, vaulttest.Request("s", records(round)...)).Point.ID
	}
	if err := v.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.StateDir = t.TempDir()
	v = f.Open(t)
	view, err := v.Open(t.Context(), last)
	if err != nil {
		t.Fatal(err)
	}
	before := s.Gets()
	if err := view.(app.Prefetcher).Prefetch(t.Context(), nil); err != nil {
		t.Fatalf("prefetch: %v", err)
	}
	got, err := fs.ReadFile(view, "kassa.db")
	if err != nil || !bytes.Equal(got, db) {
		t.Errorf("read %d bytes, %v", len(got), err)
	}
	files := 0
	err = fs.WalkDir(view, "order", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		_, err = fs.ReadFile(view, name)
		return err
	})
	if err != nil || files != 2000 {
		t.Errorf("%d records, %v", files, err)
	}
	requests := s.Gets() - before
	t.Logf("%d requests for %d packs", requests, packsOf(s))
	if requests > 2*packsOf(s)+20 {
		t.Errorf("%d requests for %d packs", requests, packsOf(s))
	}
	if err := view.Close(); err != nil {
		t.Fatal(err)
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// TestPoint_PrefetchOfAShop measures what a whole shop takes: a database of a
// gigabyte and 100,000 records.
func TestPoint_PrefetchOfAShop(t *testing.T) {
	if os.Getenv("KVART_TEST_LARGE") == "" {
		t.Skip("KVART-SKIP large: KVART_TEST_LARGE is not set")
	}
	f, s := s3Fixture(t)
	v := f.Create(t)
	items := []app.Item{vaulttest.Paged("kassa.db", vaulttest.Noise(1<<30, 1))}
	for i := range 100_000 {
		items = append(items, vaulttest.File(fmt.Sprintf("order/%d/%d/%d.json", i/2000, i/50, i), vaulttest.Noise(2000, uint64(i))))
	}
	id := vaulttest.Save(t, v, vaulttest.Request("s", items...)).Point.ID
	view, err := v.Open(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	before, start := s.Gets(), time.Now()
	if err := view.(app.Prefetcher).Prefetch(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	n := s.Gets() - before
	t.Logf("%d requests for %d packs in %v", n, packsOf(s), time.Since(start))
	if n > 400 {
		t.Errorf("%d requests", n)
	}
	if err := view.Close(); err != nil {
		t.Fatal(err)
	}
}
